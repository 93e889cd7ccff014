"""Compares the logits of a trained model in Minke, in transformers and in llama.cpp, each on its own export in float32.

    python export_logits.py MODEL [--tokens 200] [--minke PATH]

MODEL is what `minke convert` reads: RUN/model, or a GGUF file. Random tokens; float32 caches everywhere. Exit code 1 if
logits differ by 1e-3 or more.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

import minke
from llama import Llama
from measures import agreement, report

MOST = 1e-3


def of_transformers(folder: Path, tokens: list[int]) -> np.ndarray:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    print(f"transformers loads it as {type(model).__name__}")
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].numpy()


def of_llama_cpp(gguf: Path, tokens: list[int]) -> np.ndarray:
    llama = Llama(gguf, context=max(512, len(tokens)), exact=True)
    logits = llama.logits(tokens)
    llama.close()
    return logits


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokens", type=int, default=200, help="how many random tokens")
    parser.add_argument(
        "--minke", type=Path, default=minke.DEFAULT_BINARY, help="the minke program"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, gguf = Path(scratch) / "model", Path(scratch) / "model.gguf"
        for export in (folder, gguf):
            command = [arguments.minke, "convert", arguments.model, export, "--type", "F32"]
            subprocess.run(command, check=True)
        vocab = minke.logits(arguments.minke, gguf, [1], "f32").shape[1]
        rng = random.Random(1)
        tokens = [rng.randrange(vocab) for _ in range(arguments.tokens)]
        ours = {form: minke.logits(arguments.minke, form, tokens, "f32") for form in (folder, gguf)}
        found = {
            "transformers": agreement(ours[folder], of_transformers(folder, tokens)),
            "llama.cpp": agreement(ours[gguf], of_llama_cpp(gguf, tokens)),
        }
    for name, difference in found.items():
        print(report(f"Minke against {name}", difference))
    return int(not all(difference.max_difference < MOST for difference in found.values()))


if __name__ == "__main__":
    sys.exit(main())
