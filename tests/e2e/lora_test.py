#!/usr/bin/env python3
"""An adapter from its recipe to the merged model: killed, gone on with, merged, compared."""
import json
import math
import signal
import struct
import subprocess
import time

import harness
from tiny_training import TrainTest

STEPS = 40
RANK, ALPHA = 4, 8
TARGETS = ["kv_b_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
HELD_OUT = "Fruit 77: an apple, a pear and 539 plums."
RECIPE = """[model]
from = "{base}"
[precision]
type = "f32"
[lora]
rank = {rank}
alpha = {alpha}
targets = {targets}
[data]
shards = ["{shard}"]
held_out = ["{held_out}"]
context = 256
batch_tokens = 256
micro_batch_tokens = 256
[optimizer]
learning_rate = 0.01
[schedule]
steps = {steps}
[evaluation]
every = {steps}
[checkpoint]
every_steps = 4
[run]
output = "{output}"
threads = 2
"""


def tensors(path):
    """Name -> shape and values of a safetensors file of float32 tensors."""
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    found = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", name
        begin, end = entry["data_offsets"]
        found[name] = entry["shape"], struct.unpack_from(f"<{(end - begin) // 4}f", data,
                                                         8 + size + begin)
    return found


class LoraTest(TrainTest):
    @property
    def base(self):
        """A model to adapt, which has seen problems."""
        model = self.folder / "base" / "model"
        if not model.exists():
            self.succeed("train", self.recipe("base", 20, '[precision]\ntype = "f32"\n'))
        return model

    def shard(self, name, texts):
        source = self.folder / f"{name}.jsonl"
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts),
                          encoding="utf-8")
        shard = self.folder / f"{name}.tok"
        if not shard.exists():
            self.succeed("data", "tokens", source, "--tokenizer", self.base, "-o", shard)
        return shard

    def lora(self, name):
        texts = [f"Fruit {i}: an apple, a pear and {i * 7} plums." for i in range(60)]
        path = self.folder / f"{name}.toml"
        path.write_text(RECIPE.format(
            base=self.base, rank=RANK, alpha=ALPHA, shard=self.shard("fruit", texts),
            held_out=self.shard("held", [HELD_OUT]), steps=STEPS,
            targets=json.dumps(TARGETS), output=self.folder / name), encoding="utf-8")
        return path

    @property
    def calm(self):
        """The folder of a run that nobody disturbed."""
        run = self.folder / "calm"
        if not run.exists():
            self.assertTrue(self.succeed_json("train", self.lora("calm"))["done"])
        return run

    @staticmethod
    def losses(run):
        """The held-out losses that a run has measured, the first one from before its first step."""
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return [entry["values"]["loss"] for entry in map(json.loads, lines)
                if entry["kind"] == "evaluation"]

    def loss_of(self, model):
        """The mean loss of the held-out text, from the logits that the program serves."""
        told = json.loads((model / "config.json").read_text(encoding="utf-8"))
        ids = self.succeed_json("tokenize", model, stdin=HELD_OUT.encode())["tokens"]
        ids = [told["bos_token_id"], *ids, told["eos_token_id"]]
        output = self.folder / "logits"
        self.succeed("logits", model, "--tokens", ",".join(map(str, ids)), "-o", output,
                     "--kv-type", "f32", "--phase", "prefill")
        data, vocabulary = output.read_bytes(), told["vocab_size"]
        self.assertEqual(len(data), 4 * len(ids) * vocabulary)
        loss = 0
        for row, target in enumerate(ids[1:]):
            logits = struct.unpack_from(f"<{vocabulary}f", data, 4 * row * vocabulary)
            top = max(logits)
            loss += top + math.log(sum(math.exp(x - top) for x in logits)) - logits[target]
        return loss / (len(ids) - 1)

    def test_from_the_recipe_to_the_merged_model(self):
        run = self.calm
        self.assertFalse((run / "model").exists())
        before, after = self.losses(run)
        self.assertLess(after, before - 0.1)
        self.assertAlmostEqual(self.loss_of(self.base), before, delta=1e-5)

        merged = self.folder / "merged"
        self.succeed("convert", self.base, merged, "--adapter", run / "adapter")
        self.assertAlmostEqual(self.loss_of(merged), after, delta=1e-5)
        # A GGUF file of it as well.
        self.succeed("convert", self.base, self.folder / "merged.gguf", "--adapter",
                     run / "adapter")
        text = self.folder / "held.txt"
        text.write_text(HELD_OUT, encoding="utf-8")
        perplexities = [
            self.succeed_json("perplexity", model, text, "--kv-type", "f32")["perplexity"]
            for model in (merged, self.folder / "merged.gguf", self.base)]
        self.assertAlmostEqual(perplexities[0] / perplexities[1], 1, delta=1e-5)
        self.assertLess(perplexities[0], perplexities[2])

    def test_the_files_are_those_of_peft(self):
        adapter = self.calm / "adapter"
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        self.assertEqual((config["peft_type"], config["r"], config["lora_alpha"], config["bias"]),
                         ("LORA", RANK, ALPHA, "none"))
        self.assertEqual(config["base_model_name_or_path"], str(self.base))
        self.assertEqual(set(config["target_modules"]), set(TARGETS))

        weights, base = tensors(adapter / "adapter_model.safetensors"), \
            tensors(self.base / "model.safetensors")
        merged = self.folder / "merged files"
        self.succeed("convert", self.base, merged, "--adapter", adapter)
        sums = tensors(merged / "model.safetensors")
        adapted = [name for name in base
                   if name.split(".")[-2] in TARGETS]
        self.assertEqual(len(weights), 2 * len(adapted))
        for name in base:
            if name not in adapted:
                self.assertEqual(sums[name], base[name], name)
        for name in adapted:
            (rows, columns), old = base[name]
            prefix = "base_model.model." + name.removesuffix(".weight")
            shape_a, a = weights[prefix + ".lora_A.weight"]
            shape_b, b = weights[prefix + ".lora_B.weight"]
            self.assertEqual((shape_a, shape_b), ([RANK, columns], [rows, RANK]), name)
            for at in range(0, rows * columns, 37):
                row, column = divmod(at, columns)
                product = sum(b[row * RANK + k] * a[k * columns + column] for k in range(RANK))
                self.assertAlmostEqual(sums[name][1][at], old[at] + ALPHA / RANK * product,
                                       delta=1e-6)
        self.assertTrue(any(any(values) for name, (_, values) in weights.items()
                            if "lora_B" in name))

    def test_killed_it_goes_on_to_the_same_adapter(self):
        calm = self.calm
        recipe, run = self.lora("killed"), self.folder / "killed"
        process = subprocess.Popen([self.program, "train", recipe], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not list(run.glob("checkpoints/step-*")):
            self.assertIsNone(process.poll())
            time.sleep(0.002)
        process.kill()
        self.assertEqual(process.wait(timeout=60), -signal.SIGKILL,
                         "it was done before it was killed")
        self.assertFalse((run / "adapter").exists())
        told = self.succeed("train", recipe)
        self.assertNotIn("damaged", told.err)
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            self.assertEqual((run / "adapter" / name).read_bytes(),
                             (calm / "adapter" / name).read_bytes(), name)
        self.assertEqual(self.losses(run)[-1], self.losses(calm)[-1])


if __name__ == "__main__":
    harness.main()
