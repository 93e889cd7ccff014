#!/usr/bin/env python3
"""Writes tests/golden/optimizer.json: steps of AdamW by torch.optim.AdamW, and of Muon by numpy in
float64.

    python3 tools/reference/optimizer_golden.py tests/golden/optimizer.json

Needs numpy and torch. All arrays are hexadecimal: float32 as little-endian bits.
"""

import json
import sys

import numpy as np
import torch

STEPS = 4
LEARNING_RATES = [1e-3, 2e-3, 2e-3, 5e-4]
DECAY = 0.1
MATRICES = [(12, 20), (20, 12), (17, 17), (5, 35)]


def hex32(values: np.ndarray) -> str:
    return np.asarray(values).astype("<f4").tobytes().hex()


def gradients(rng: np.random.Generator, shape: tuple) -> list:
    """Gradients of very different sizes, as float32; some elements are always zero."""
    scale = 10.0 ** rng.uniform(-6, 0, shape)
    scale[rng.random(shape) < 0.05] = 0
    return [(rng.standard_normal(shape) * scale).astype(np.float32) for _ in range(STEPS)]


def case(shape: tuple, start: np.ndarray, grads: list, after: list, **more) -> dict:
    return {"shape": list(shape), "start": hex32(start), "gradients": [hex32(g) for g in grads],
            "after": [hex32(w) for w in after], "learning_rates": LEARNING_RATES, **more}


def adamw_case(rng: np.random.Generator, shape: tuple, decay: float) -> dict:
    start = rng.standard_normal(shape).astype(np.float32)
    weight = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.AdamW([weight], betas=(0.9, 0.95), eps=1e-8, weight_decay=decay,
                                  foreach=False)
    grads = gradients(rng, shape)
    after = []
    for rate, gradient in zip(LEARNING_RATES, grads):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()
        after.append(weight.detach().numpy().copy())
    return case(shape, start, grads, after, decays=decay > 0)


def orthogonal(matrix: np.ndarray) -> np.ndarray:
    """Five Newton-Schulz steps on the smaller side."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


def muon_case(rng: np.random.Generator, shape: tuple) -> dict:
    start = (0.1 * rng.standard_normal(shape)).astype(np.float32)
    weight, momentum = start.astype(np.float64), np.zeros(shape)
    # Well spread singular values: tiny ones are lifted by a factor of hundreds, and rounding is too.
    grads = [rng.standard_normal(shape).astype(np.float32) for _ in range(STEPS)]
    after = []
    for rate, gradient in zip(LEARNING_RATES, grads):
        momentum = 0.95 * momentum + gradient
        update = orthogonal(gradient + 0.95 * momentum)
        scale = 0.2 * np.sqrt(max(shape))
        weight = weight * (1 - rate * DECAY) - rate * scale * update
        after.append(weight)
    return case(shape, start, grads, after)


def main() -> None:
    rng = np.random.default_rng(20260401)
    golden = {
        "adamw": [adamw_case(rng, (3, 37), DECAY), adamw_case(rng, (65,), 0.0)],
        "muon": [muon_case(rng, shape) for shape in MATRICES],
    }
    with open(sys.argv[1], "w", encoding="ascii") as out:
        json.dump(golden, out, indent=0)
        out.write("\n")


if __name__ == "__main__":
    main()
