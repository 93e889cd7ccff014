"""A tiny training run: what the tests of `minke train` have in common."""
import hashlib
import tempfile
from pathlib import Path

import harness

MODEL = (Path(__file__).parents[1] / "golden/tiny_training.toml").read_text()
RECIPE = MODEL + """[tokenizer]
path = "{tokenizer}"
[run]
output = "{output}"
threads = 2
[data]
tasks = ["sums"]
languages = ["en"]
context = 256
batch_tokens = 512
micro_batch_tokens = 256
[schedule]
steps = {steps}
"""


def bits(run):
    """A digest of each file that a finished run must have the same."""
    last = sorted((run / "checkpoints").glob("step-????????"))[-1]
    files = [last / "weights.safetensors", last / "optimizer.safetensors",
             run / "model" / "model.safetensors"]
    return [last.name, *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)]


class TrainTest(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        cls.folder = Path(cls.temporary.name)
        cls.tokenizer = cls.folder / "tokenizer"

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def recipe(self, name, steps, more="", output=None):
        """A recipe's file; its run is the folder NAME unless `output` says another."""
        if not self.tokenizer.exists():
            self.succeed("data", "tokenizer", self.tokenizer, "--tasks", "--vocab", "340",
                         "--bytes", "100000")
        path = self.folder / f"{name}.toml"
        path.write_text(RECIPE.format(tokenizer=self.tokenizer / "tokenizer.json", steps=steps,
                                      output=output or self.folder / name) + more,
                        encoding="utf-8")
        return path
