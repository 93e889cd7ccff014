"""A tiny training run: what the tests of `minke train` have in common."""
import hashlib
import tempfile
from pathlib import Path

import harness

RECIPE = """[model]
model_type = "deepseek_v3"
vocab_size = 384
hidden_size = 32
intermediate_size = 64
moe_intermediate_size = 32
num_hidden_layers = 2
num_attention_heads = 2
n_routed_experts = 4
n_shared_experts = 1
num_experts_per_tok = 2
first_k_dense_replace = 1
moe_layer_freq = 1
n_group = 1
topk_group = 1
routed_scaling_factor = 1.0
norm_topk_prob = true
scoring_func = "sigmoid"
topk_method = "noaux_tc"
kv_lora_rank = 32
qk_nope_head_dim = 16
qk_rope_head_dim = 16
v_head_dim = 16
max_position_embeddings = 256
rms_norm_eps = 1e-6
rope_theta = 10000.0
hidden_act = "silu"
tie_word_embeddings = true
[tokenizer]
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
