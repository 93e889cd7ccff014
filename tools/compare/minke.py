"""Minke through its command line: logits and benchmark figures."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

DEFAULT_BINARY = Path(__file__).parents[2] / "build/release/minke"


def _run(command: Sequence[str]) -> str:
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {finished.stderr.strip()[-2000:]}")
    return finished.stdout


def logits(
    binary: Path, model: Path, tokens: Sequence[int], cache: str = "bf16"
) -> np.ndarray:
    """Float32 [tokens, vocab] after each token of one sequence; `cache` is the type of the key-value cache."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "logits.f32"
        ids = ",".join(map(str, tokens))
        arguments = ["--tokens", ids, "--output", str(output), "--kv-type", cache]
        _run([str(binary), "logits", str(model), *arguments])
        values = np.fromfile(output, "<f4")
    if len(values) == 0 or len(values) % len(tokens):
        raise RuntimeError(f"expected a multiple of {len(tokens)} logits, found {len(values)}")
    return values.reshape(len(tokens), -1)


def bench(binary: Path, model: Path, arguments: Sequence[str] = ()) -> dict:
    """The JSON object of `minke bench`, as docs/bench.md describes it."""
    return json.loads(_run([str(binary), "bench", str(model), "--json", *arguments]))
