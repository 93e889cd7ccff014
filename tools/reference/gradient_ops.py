"""Operations of the training engine with their gradients, computed by torch's automatic differentiation.

Every operation is a function of float32 inputs; its result and its gradients are computed in float64 and rounded to float32 once.
`all_cases()` gives them under the names of tests/golden/gradients/ops.safetensors (tools/README.md). Token ids, chosen experts and
lengths are stored as float32 too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

Tensors = dict[str, Tensor]
# Gaps between the scores that a router compares; rounding moves them by less.
CLEAR_GAP = 1e-3
EXPERTS, CHOSEN = 8, 3


@dataclass
class Operation:
    """`compute` maps the inputs to named outputs. Gradients are of the sum of the outputs times their random upstream gradients, or
    of the output `loss` itself; with respect to the `wanted` inputs and, where `kept` names them, to intermediate results."""

    compute: Callable[[Tensors], Tensors]
    inputs: Tensors
    wanted: list[str]
    kept: list[str] = field(default_factory=list)
    constants: Tensors = field(default_factory=dict)


def generator(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def normal(rng: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(shape, generator=rng)


def differentiate(name: str, operation: Operation, dtype: torch.dtype) -> Tensors:
    """Outputs, upstream gradients and gradients, float32."""
    inputs = {key: value.to(dtype) for key, value in operation.inputs.items()}
    for key in operation.wanted:
        inputs[key].requires_grad_()
    results = operation.compute(inputs)
    for key in operation.kept:
        results[key].retain_grad()
    rng = generator(name + "/upstream")
    upstream: Tensors = {}
    total = torch.zeros((), dtype=dtype)
    for key, value in results.items():
        if key == "loss":
            total = total + value.sum()
        elif value.requires_grad and key not in operation.kept:
            upstream[key + "_grad"] = normal(rng, *value.shape)
            total = total + (value * upstream[key + "_grad"].to(dtype)).sum()
    total.backward()
    gradients = {key + "_grad": inputs[key].grad for key in operation.wanted}
    gradients |= {key + "_grad": results[key].grad for key in operation.kept}
    # Differentiation leaves views with any strides, which files do not have.
    return {k: v.detach().float().contiguous() for k, v in (results | upstream | gradients).items()}


def linear(rng: torch.Generator) -> Operation:
    rows, inner, columns = 7, 48, 20
    inputs = {
        "x": normal(rng, rows, inner),
        "w": normal(rng, columns, inner, scale=inner**-0.5),
        "bias": normal(rng, columns),
    }
    return Operation(lambda t: {"out": t["x"] @ t["w"].T + t["bias"]}, inputs, ["x", "w", "bias"])


def rms_norm(rng: torch.Generator) -> Operation:
    def compute(t: Tensors) -> Tensors:
        x = t["x"]
        return {"out": t["w"] * x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6)}

    inputs = {"x": normal(rng, 5, 64, scale=1.7), "w": 1 + normal(rng, 64, scale=0.3)}
    return Operation(compute, inputs, ["x", "w"])


def swiglu(rng: torch.Generator) -> Operation:
    def compute(t: Tensors) -> Tensors:
        gate_out, up_out = t["x"] @ t["gate"].T, t["x"] @ t["up"].T
        return {"gate_out": gate_out, "up_out": up_out, "out": functional.silu(gate_out) * up_out}

    rows, inner, columns = 7, 24, 20
    inputs = {"x": normal(rng, rows, inner)}
    inputs |= {key: normal(rng, columns, inner, scale=0.4) for key in ("gate", "up")}
    return Operation(compute, inputs, ["x", "gate", "up"], kept=["gate_out", "up_out"])


def embedding(rng: torch.Generator) -> Operation:
    tokens = torch.tensor([3, 0, 7, 3, 10, 3, 7, 1])
    return Operation(
        lambda t: {"out": t["table"][tokens]},
        {"table": normal(rng, 11, 16)},
        ["table"],
        constants={"tokens": tokens},
    )


def rope(rng: torch.Generator, interleaved: bool) -> Operation:
    tokens, heads, dims, rotated = 6, 3, 16, 8
    angle = torch.arange(2, 2 + tokens)[:, None] * 100.0 ** (-torch.arange(rotated // 2) / 4)
    inputs = {
        "x": normal(rng, tokens, heads * dims),
        "cos": torch.cos(angle),
        "sin": torch.sin(angle),
    }

    def compute(t: Tensors) -> Tensors:
        x = t["x"].view(tokens, heads, dims)
        rest, turned = x[..., :-rotated], x[..., -rotated:]
        cos, sin = t["cos"][:, None], t["sin"][:, None]
        if interleaved:
            a, b = turned[..., 0::2], turned[..., 1::2]
        else:
            a, b = turned.chunk(2, dim=-1)
        pair = (a * cos - b * sin, a * sin + b * cos)
        turned = torch.stack(pair, -1).flatten(-2) if interleaved else torch.cat(pair, -1)
        return {"out": torch.cat([rest, turned], -1).flatten(1)}

    return Operation(compute, inputs, ["x"])


def clear_logits(rng: torch.Generator, score: Callable[[Tensor], Tensor]) -> Tensor:
    """Logits [9, experts] whose scores are never nearly tied."""
    while True:
        logits = normal(rng, 9, EXPERTS, scale=1.2)
        ordered = score(logits.double()).sort(dim=-1).values
        if ordered.diff(dim=-1).min() > CLEAR_GAP:
            return logits


def route_softmax(rng: torch.Generator, normalised: bool) -> Operation:
    logits = clear_logits(rng, lambda x: x.softmax(-1))
    chosen = logits.topk(CHOSEN, dim=-1).indices

    def compute(t: Tensors) -> Tensors:
        weights = t["logits"].softmax(-1).gather(1, chosen)
        if normalised:
            weights = weights / weights.sum(-1, keepdim=True)
        return {"out": 1.5 * weights}

    return Operation(compute, {"logits": logits}, ["logits"], constants={"chosen": chosen})


def route_sigmoid(rng: torch.Generator) -> Operation:
    """DeepSeek-V3: the bias takes part in the choice alone. That of the last expert but one keeps it from ever being chosen."""
    bias = 0.4 * torch.rand(EXPERTS, generator=rng) - 0.2
    bias[-2] = -1.5
    logits = clear_logits(rng, lambda x: x.sigmoid() + bias)
    chosen = (logits.sigmoid() + bias).topk(CHOSEN, dim=-1).indices

    def compute(t: Tensors) -> Tensors:
        scores = t["logits"].sigmoid().gather(1, chosen)
        return {"out": 2.5 * scores / scores.sum(-1, keepdim=True)}

    constants = {"bias": bias, "chosen": chosen}
    return Operation(compute, {"logits": logits}, ["logits"], constants=constants)


def route_balance(rng: torch.Generator) -> Operation:
    """Equations 17 to 20 of the DeepSeek-V3 report, for each sequence by itself; `loss` [2] has one value a sequence. As in equation
    18, `chosen` are the best experts by score alone, without a bias."""
    lengths = torch.tensor([5, 4])
    logits = clear_logits(rng, lambda x: x.sigmoid())
    chosen = logits.topk(CHOSEN, dim=-1).indices

    def loss_of(scores: Tensor, chosen: Tensor) -> Tensor:
        tokens = len(scores)
        counts = torch.bincount(chosen.flatten(), minlength=EXPERTS).to(scores.dtype)
        fraction = EXPERTS / (CHOSEN * tokens) * counts
        share = (scores / scores.sum(-1, keepdim=True)).mean(0)
        return 0.01 * (fraction * share).sum()

    def compute(t: Tensors) -> Tensors:
        scores = t["logits"].sigmoid().split(lengths.tolist())
        choices = chosen.split(lengths.tolist())
        return {"loss": torch.stack([loss_of(s, c) for s, c in zip(scores, choices, strict=True)])}

    constants = {"chosen": chosen, "lengths": lengths}
    return Operation(compute, {"logits": logits}, ["logits"], constants=constants)


def moe(rng: torch.Generator, routed: Tensors) -> Operation:
    """Experts of `route_sigmoid`'s choice: `routed` has its `chosen` and, as the weights, its `out`."""
    dim, inner = 16, 12
    chosen = routed["chosen"]

    def compute(t: Tensors) -> Tensors:
        rows = []
        for token, x in enumerate(t["x"]):
            parts = []
            for place, expert in enumerate(chosen[token].long()):
                hidden = functional.silu(t["gate"][expert] @ x) * (t["up"][expert] @ x)
                parts.append(t["weights"][token, place] * (t["down"][expert] @ hidden))
            rows.append(sum(parts))
        return {"out": torch.stack(rows)}

    inputs = {"x": normal(rng, len(chosen), dim), "weights": routed["out"]}
    inputs |= {key: normal(rng, EXPERTS, inner, dim, scale=0.5) for key in ("gate", "up")}
    inputs["down"] = normal(rng, EXPERTS, dim, inner, scale=0.5)
    return Operation(compute, inputs, list(inputs), constants={"chosen": chosen})


def attention(
    rng: torch.Generator,
    lengths: list[int],
    heads: int,
    kv_heads: int,
    key_dim: int,
    value_dim: int,
) -> Operation:
    """Causal inside each of the documents that lie one after another."""
    tokens = sum(lengths)
    document = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    seen = (document[:, None] == document[None]) & torch.ones(tokens, tokens).tril().bool()

    def compute(t: Tensors) -> Tensors:
        q = t["q"].view(tokens, heads, key_dim).transpose(0, 1)
        k = t["k"].view(tokens, kv_heads, key_dim).transpose(0, 1)
        v = t["v"].view(tokens, kv_heads, value_dim).transpose(0, 1)
        k, v = (x.repeat_interleave(heads // kv_heads, dim=0) for x in (k, v))
        scores = (q @ k.transpose(1, 2)) * key_dim**-0.5
        weights = scores.masked_fill(~seen, -torch.inf).softmax(-1)
        return {"out": (weights @ v).transpose(0, 1).flatten(1)}

    inputs = {
        "q": normal(rng, tokens, heads * key_dim, scale=1.5),
        "k": normal(rng, tokens, kv_heads * key_dim, scale=1.5),
        "v": normal(rng, tokens, kv_heads * value_dim),
    }
    return Operation(compute, inputs, ["q", "k", "v"], constants={"lengths": torch.tensor(lengths)})


def cross_entropy(rng: torch.Generator) -> Operation:
    """Rows whose target is -1 do not count."""
    rows, dim, vocab = 10, 16, 23
    targets = torch.randint(0, vocab, (rows,), generator=rng)
    targets[[1, 4, 9]] = -1
    counted = targets >= 0

    def compute(t: Tensors) -> Tensors:
        log_probabilities = (t["hidden"] @ t["head"].T).log_softmax(-1)
        of_target = log_probabilities.gather(1, targets.clamp(min=0)[:, None])[:, 0] * counted
        return {"loss": -of_target.sum()[None] / 7.0, "log_probabilities": of_target.detach()}

    inputs = {"hidden": normal(rng, rows, dim), "head": normal(rng, vocab, dim, scale=0.5)}
    return Operation(compute, inputs, ["hidden", "head"], constants={"targets": targets})


def all_cases() -> tuple[Tensors, dict[str, float]]:
    """Every tensor as `<operation>.<tensor>`; and how much float32 arithmetic changes each operation's results, relative to their
    norm."""
    operations = {
        "linear": linear,
        "rms_norm": rms_norm,
        "swiglu": swiglu,
        "embedding": embedding,
        "rope_interleaved": lambda rng: rope(rng, interleaved=True),
        "rope_half": lambda rng: rope(rng, interleaved=False),
        "route_softmax": lambda rng: route_softmax(rng, normalised=False),
        "route_softmax_normalised": lambda rng: route_softmax(rng, normalised=True),
        "route_sigmoid": route_sigmoid,
        "route_balance": route_balance,
        "moe": lambda rng: moe(rng, routed),
        "attention_gqa": lambda rng: attention(rng, [7, 5], 4, 2, 8, 8),
        "attention_long": lambda rng: attention(rng, [300], 2, 1, 12, 8),
        "cross_entropy": cross_entropy,
    }
    tensors: Tensors = {}
    rounding: dict[str, float] = {}
    for name, make in operations.items():
        operation = make(generator(name))
        found = differentiate(name, operation, torch.float64)
        single = differentiate(name, operation, torch.float32)
        rounding[name] = max(relative_difference(single[key], found[key]) for key in found)
        if name == "route_sigmoid":
            routed = {"chosen": operation.constants["chosen"], "out": found["out"].clone()}
        everything = operation.inputs | operation.constants | found
        tensors |= {f"{name}.{key}": value.detach().float() for key, value in everything.items()}
    return tensors, rounding


def relative_difference(found: Tensor, expected: Tensor) -> float:
    """|found - expected| / |expected|, Euclidean; where nothing is expected, |found|."""
    difference, size = (found.double() - expected.double()).norm(), expected.double().norm()
    return float(difference / size if size > 0 else difference)
