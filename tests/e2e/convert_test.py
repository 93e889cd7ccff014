#!/usr/bin/env python3
"""minke convert and minke quantize: the same model in other files."""
import array
import json
import shutil
import struct
import tempfile
from pathlib import Path

import harness
import tiny_model

TEXT = "hello hello 2048, Größe 鯨魚 \u0661\u0662!\n\tend"
NETWORK = tiny_model.NETWORK
LEFT_OUT = "layers of multi-token prediction are left out"


def safetensors(path, tensors):
    """Writes float32 tensors {name: (shape, values)}."""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tensor(path, name):
    """Shape and values of a float32 tensor of a safetensors file."""
    raw = path.read_bytes()
    size = struct.unpack_from("<Q", raw)[0]
    entry = json.loads(raw[8:8 + size])[name]
    begin, end = entry["data_offsets"]
    return entry["shape"], array.array("f", raw[8 + size + begin:8 + size + end])


class ConvertTest(harness.ProgramTest):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="minke-convert-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = self.folder / "model"
        self.model.mkdir()
        tiny_model.write(self.model)

    def logits(self, model):
        output = self.folder / "logits.f32"
        self.succeed("logits", model, "--tokens", "5,80,200,3,17", "--output", output)
        return array.array("f", output.read_bytes())

    def ids(self, model):
        return self.succeed("tokenize", model, stdin=TEXT.encode()).text

    def reply(self, model):
        return self.succeed_json("run", model, "-p", "hello", "-n", "8", "--temp", "0")["text"]

    def assert_close(self, first, second, most):
        self.assertEqual(len(first), len(second))
        self.assertLess(max(abs(a - b) for a, b in zip(first, second)), most)

    def test_gguf_and_back(self):
        gguf, back = self.folder / "model.gguf", self.folder / "back"
        report = self.succeed_json("convert", self.model, gguf, "--type", "F32")
        self.assertEqual(report["format"], "GGUF")
        self.assertEqual(report["notes"], [LEFT_OUT])
        self.assertEqual([t["type"] for t in report["tensor_types"]], ["F32"])
        self.succeed_json("convert", gguf, back)
        logits, ids, reply = self.logits(self.model), self.ids(self.model), self.reply(self.model)
        for copy in (gguf, back):
            self.assert_close(logits, self.logits(copy), 1e-5)
            self.assertEqual(ids, self.ids(copy))
            self.assertEqual(reply, self.reply(copy))
        config = json.loads((back / "config.json").read_text())
        self.assertEqual(config["model_type"], "deepseek_v3")
        self.assertEqual(config["architectures"], ["DeepseekV3ForCausalLM"])
        self.assertEqual(config["eos_token_id"], 1)

    def test_quantize(self):
        gguf, smaller = self.folder / "q8.gguf", self.folder / "q4.gguf"
        first = self.succeed_json("quantize", self.model, gguf, "--type", "Q8_0")
        second = self.succeed_json("quantize", gguf, smaller, "--type", "q4_0")
        self.assertLess(second["bytes"], first["bytes"])
        self.assertIn("Q4_0", [t["type"] for t in second["tensor_types"]])
        self.assert_close(self.logits(self.model), self.logits(gguf), 0.5)
        told = self.succeed("quantize", self.model, self.folder / "k.gguf", "--type", "Q4_K").err
        self.assertIn("in place of Q4_K: rows of", told)

    def test_a_folder_in_another_type_keeps_its_other_files(self):
        half = self.folder / "half"
        self.succeed("convert", self.model, half, "--type", "BF16")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            self.assertEqual((half / name).read_text(), (self.model / name).read_text())
        self.assertEqual(json.loads((half / "config.json").read_text())["torch_dtype"], "bfloat16")
        self.assert_close(self.logits(self.model), self.logits(half), 0.5)

    def test_a_model_without_a_tokenizer(self):
        gguf = self.folder / "bare.gguf"
        report = self.succeed_json("convert", NETWORK, gguf)
        self.assertEqual(report["notes"],
                         [LEFT_OUT, "no tokenizer: the source comes without one"])
        self.refuse(1, "tokenize", gguf, stdin=b"x", says="comes without a tokenizer")

    def test_an_adapter(self):
        name = "model.layers.0.self_attn.o_proj"
        shape, before = tensor(NETWORK / "model.safetensors", name + ".weight")
        adapter = self.folder / "adapter"
        adapter.mkdir()
        (adapter / "adapter_config.json").write_text(json.dumps(
            {"peft_type": "LORA", "r": 1, "lora_alpha": 2, "target_modules": ["o_proj"]}))
        a = [0.25 * (i % 5) for i in range(shape[1])]
        b = [0.5 * (i % 3) for i in range(shape[0])]
        path = f"base_model.model.{name}.lora_"
        safetensors(adapter / "adapter_model.safetensors",
                    {path + "A.weight": ([1, shape[1]], a), path + "B.weight": ([shape[0], 1], b)})
        merged = self.folder / "merged"
        report = self.succeed_json("convert", self.model, merged, "--adapter", adapter)
        self.assertEqual(report["merged"], 1)
        _, after = tensor(merged / "model.safetensors", name + ".weight")
        self.assert_close(after, [before[r * shape[1] + c] + 2 * b[r] * a[c]
                                  for r in range(shape[0]) for c in range(shape[1])], 1e-6)
        (adapter / "adapter_config.json").unlink()
        self.refuse(1, "convert", self.model, self.folder / "no", "--adapter", adapter,
                    says="adapter_config.json")
        self.assertFalse((self.folder / "no").exists())

    def test_nothing_is_lost(self):
        gguf = self.folder / "model.gguf"
        gguf.write_text("something else")
        self.refuse(1, "convert", self.model, gguf, says="--force")
        self.assertEqual(gguf.read_text(), "something else")
        self.succeed("convert", self.model, gguf, "--force")
        self.refuse(1, "convert", gguf, gguf, "--force", says="is the model itself")
        self.refuse(1, "convert", self.model, self.model, "--force", says="is the model itself")
        self.refuse(1, "convert", self.model / "model.safetensors", self.model, "--force",
                    says="is the model itself")
        self.refuse(1, "convert", self.model, self.folder / "absent" / "x.gguf", says="absent")
        self.succeed("convert", self.model, gguf, "--force")

    def test_wrong_usage(self):
        self.refuse(2, "quantize", self.model, self.folder / "x.gguf", says="--type")
        self.refuse(2, "quantize", self.model, self.folder / "x", "--type", "Q8_0", says=".gguf")
        self.refuse(2, "convert", self.model, self.folder / "x", "--type", "Q9", says="--type")
        self.refuse(1, "convert", self.model, self.folder / "x", "--type", "Q8_0",
                    says="F32, F16 or BF16")
        self.assertFalse((self.folder / "x").exists())


if __name__ == "__main__":
    harness.main()
