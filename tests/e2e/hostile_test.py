#!/usr/bin/env python3
"""Files that are damaged, cut, or no models at all: each is refused with a message that names it.

The readers' own tests go further; these hold the program as a whole to it.
"""
import json
import os
import random
import struct
import subprocess
import tempfile
from pathlib import Path

import harness
import tiny_model


class HostileTest(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        cls.folder = Path(cls.temporary.name)
        cls.gguf = cls.folder / "good.gguf"
        subprocess.run([cls.program, "synth", "--shape", "deepseek-v3-mini", "--type", "Q4_0",
                        "-o", cls.gguf], check=True, capture_output=True)
        cls.good = cls.gguf.read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def logits(self, path):
        out = self.folder / "out.f32"
        return self.minke("logits", path, "--tokens", "1", "--output", out)

    def refuse_bytes(self, data, says=""):
        path = self.folder / "bad.gguf"
        path.write_bytes(data)
        out = self.folder / "out.f32"
        self.refuse(1, "logits", path, "--tokens", "1", "--output", out, says=says)

    def test_no_models(self):
        self.refuse_bytes(b"")
        self.refuse_bytes(b"GGUF")
        self.refuse_bytes(b"\0" * 4096)
        self.refuse_bytes(b"<html>" * 100)
        self.refuse_bytes(os.urandom(4096))

    def test_cut_files(self):
        for size in [8, 24, 100, 1000, 20000, len(self.good) // 2, len(self.good) - 1]:
            self.refuse_bytes(self.good[:size], says="bad.gguf")

    def test_counts_that_no_file_can_hold(self):
        for value in [2**31, 2**40, 2**62, 2**64 - 1]:
            for at in [8, 16]:  # tensors, metadata entries
                bad = bytearray(self.good)
                struct.pack_into("<Q", bad, at, value)
                self.refuse_bytes(bytes(bad), says="bad.gguf")

    def test_flipped_bytes_in_the_header(self):
        """Either an error or a result, whatever the byte means; never a crash or a hang."""
        noise = random.Random(2)
        path = self.folder / "flipped.gguf"
        for _ in range(60):
            bad = bytearray(self.good)
            for _ in range(noise.randrange(1, 4)):
                bad[noise.randrange(6000)] = noise.randrange(256)
            path.write_bytes(bad)
            result = self.logits(path)
            self.assertIn(result.code, [0, 1], result.err)
            if result.code == 1:
                self.assertRegex(result.err, harness.ERROR)

    def test_names_that_lead_nowhere(self):
        for name in ["none.gguf", "", "/dev/null", "/proc/self/mem", self.folder, "\xff\n\x1b[2J"]:
            self.refuse(1, "inspect", name)

    def test_messages_hold_no_control_characters(self):
        result = self.minke("inspect", "bad\x1b[2J\nname")
        self.assertNotIn("\x1b", result.err)
        self.assertEqual(result.err.count("\n"), 1)

    def test_layers_beyond_the_configuration(self):
        """Left out they would change what the model says."""
        folder = self.folder / "layers"
        folder.mkdir()
        tiny_model.write(folder)
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config["num_hidden_layers"] -= 1
        path.write_text(json.dumps(config))
        self.refuse(1, "run", folder, "-p", "hello", says="expected layers up to")

    def test_damaged_folders(self):
        damages = {
            "config.json": [b"", b"{", b"[]", b'{"model_type": "whale"}', b"\xff" * 10],
            "tokenizer.json": [b"", b"{}", b'{"model": {"type": "WordPiece"}}'],
            "model.safetensors": [b"", b"\xff" * 8, struct.pack("<Q", 2) + b"{}"],
        }
        for name, contents in damages.items():
            for number, content in enumerate(contents):
                folder = self.folder / f"{name}-{number}"
                folder.mkdir()
                tiny_model.write(folder)
                (folder / name).write_bytes(content)
                self.refuse(1, "run", folder, "-p", "hello", "-n", "1", "--quiet", says=name)


if __name__ == "__main__":
    harness.main()
