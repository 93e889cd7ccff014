"""Writes tests/golden/gradients: gradients of single operations and of whole tiny models, computed by torch.

    python gradient_golden.py [--only NAME] [--output FOLDER]

`ops.safetensors` holds `<operation>.<tensor>` (gradient_ops.py); `<model>.safetensors`, for models of tests/golden/models, the token
ids of two documents, `tokens_a` and `tokens_b`, the mean cross-entropy `loss` of all their next tokens, each document read by
itself, and under each weight's own name the gradient of that loss. What chooses experts without weighing them has none.

`deepseek-v3-mtp-s0.safetensors` adds `main_loss` and `mtp_loss`; its gradients are of loss = main_loss + 0.3 mtp_loss, where the
module gets the main model's hidden state after the final norm, as transformers' own module and those of serving engines do (the
report does not say).

Everything is computed in float64 and stored as float32. Documents are drawn until no expert is chosen by a hair and until float32
arithmetic finds the same gradients but for rounding. The derivative along a random change of each weight is compared with what the
numpy oracles say of the changed weight, which share neither code nor names with torch's model.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

import deepseek_numpy
import dense_numpy
import gradient_ops
from gradient_mtp import SHARED, WEIGHT, WithModule
from gradient_ops import relative_difference
from numpy_blocks import Weights, read_checkpoint

GOLDEN = Path(__file__).parents[2] / "tests/golden"
MODELS = ["llama", "smollm", "qwen2", "qwen3", "deepseek-v2-lite", "deepseek-v2", "deepseek-v3"]
WITH_MODULE = "deepseek-v3-mtp-s0"
LENGTHS = (13, 9)
MIN_ROUTING_MARGIN = 2e-4
MAX_ROUNDING = 1e-5  # of a weight's gradient in float32, relative to its norm
MAX_ORACLE_DIFFERENCE = 1e-5  # of a derivative, relative to the norms of gradient and direction
STEP = 1e-5
Tensors = dict[str, Tensor]
Documents = list[Tensor]
Losses = Callable[[nn.Module, Documents], Tensors]


class WholeFloat64(TorchFunctionMode):
    """Keeps transformers from computing norms, softmax and routing of a float64 model in float32."""

    def __torch_function__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        def wide(value: Any) -> Any:
            return torch.float64 if value is torch.float32 else value

        if function is torch.Tensor.float:
            function = torch.Tensor.double
        widened = {key: wide(value) for key, value in (kwargs or {}).items()}
        return function(*map(wide, args), **widened)


def load(folder: Path) -> nn.Module:
    """In float32, with experts computed one by one."""
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager", experts_implementation="eager", dtype=torch.float32
    ).eval()


def with_fused_experts(tensors: Tensors) -> Tensors:
    """Tensors of single experts under the names and in the shapes of transformers' model."""
    fused: Tensors = {}
    stacks: dict[tuple[str, str], dict[int, Tensor]] = {}
    for name, tensor in tensors.items():
        prefix, _, rest = name.partition(".mlp.experts.")
        if not rest:
            fused[name] = tensor
            continue
        expert, part, _ = rest.split(".")
        stacks.setdefault((prefix + ".mlp.experts.", part), {})[int(expert)] = tensor
    stacked = {key: torch.stack([s[e] for e in range(len(s))]) for key, s in stacks.items()}
    for prefix in {prefix for prefix, _ in stacked}:
        gate, up = stacked[prefix, "gate_proj"], stacked[prefix, "up_proj"]
        fused[prefix + "gate_up_proj"] = torch.cat([gate, up], dim=1)
        fused[prefix + "down_proj"] = stacked[prefix, "down_proj"]
    return fused


def with_single_experts(tensors: Tensors) -> Tensors:
    """The other way round."""
    single: Tensors = {}
    for name, tensor in tensors.items():
        prefix, _, part = name.partition(".mlp.experts.")
        if not part:
            single[name] = tensor
            continue
        parts = {"down": tensor}
        if part == "gate_up_proj":
            parts = dict(zip(("gate", "up"), tensor.chunk(2, dim=1), strict=True))
        for key, stacked in parts.items():
            for expert, weight in enumerate(stacked):
                single[f"{prefix}.mlp.experts.{expert}.{key}_proj.weight"] = weight
    return single


def next_token_losses(model: nn.Module, documents: Documents) -> Tensors:
    rows = []
    for tokens in documents:
        logits = model(tokens[None], use_cache=False).logits[0, :-1]
        rows.append(functional.cross_entropy(logits, tokens[1:], reduction="none"))
    return {"loss": torch.cat(rows).mean()}


def both_losses(model: WithModule, documents: Documents) -> Tensors:
    return model.losses(documents)


def parameters_of(model: nn.Module) -> Tensors:
    if isinstance(model, WithModule):
        return model.published_parameters()
    return dict(model.named_parameters())


def gradients_of(model: nn.Module, losses: Losses, documents: Documents) -> tuple[Tensors, Tensors]:
    """Losses, and gradients under the checkpoint's names."""
    model.zero_grad()
    found = losses(model, documents)
    found["loss"].backward()
    gradients = {name: p.grad.clone() for name, p in parameters_of(model).items()}
    return {name: value.detach() for name, value in found.items()}, with_single_experts(gradients)


class Oracle:
    """The same losses in float64 numpy, of any weights under the checkpoint's names."""

    def __init__(self, folder: Path, hidden_after_norm: bool) -> None:
        config, self.weights = read_checkpoint(folder)
        self.moe = config["model_type"].startswith("deepseek")
        self.module = deepseek_numpy if self.moe else dense_numpy
        self.model = self.module.from_config(config)
        self.second = folder.name == WITH_MODULE
        self.hidden_after_norm = hidden_after_norm

    def _logits(self, weights: Weights, tokens: np.ndarray) -> tuple[list[np.ndarray], float]:
        """Of the next token, of the one after it where the model has a module; and the smallest routing margin."""
        if not self.moe:
            return [self.module.forward(self.model, weights, tokens)], np.inf
        logits, trace = self.module.forward(self.model, weights, tokens)
        if not self.second:
            return [logits], trace.smallest_margin()
        after, second = self.module.second_logits(
            self.model, weights, tokens, self.hidden_after_norm
        )
        return [logits, after], min(trace.smallest_margin(), second.smallest_margin())

    def losses(self, weights: Weights, documents: Documents) -> tuple[dict[str, float], float]:
        rows: list[list[float]] = [[], []]
        margin = np.inf
        for tokens in documents:
            every, smallest = self._logits(weights, tokens.numpy())
            margin = min(margin, smallest)
            for depth, logits in enumerate(every, start=1):
                targets = tokens.numpy()[depth:]
                logits = logits[: len(targets)]
                peak = logits.max(-1)
                total = peak + np.log(np.exp(logits - peak[:, None]).sum(-1))
                rows[depth - 1] += list(total - logits[np.arange(len(targets)), targets])
        main = float(np.mean(rows[0]))
        if not self.second:
            return {"loss": main}, margin
        second = float(np.mean(rows[1]))
        return {"main_loss": main, "mtp_loss": second, "loss": main + WEIGHT * second}, margin

    def largest_derivative_difference(self, gradients: Tensors, documents: Documents) -> float:
        """Of each weight along a random direction, relative to the norms of gradient and direction."""
        rng = np.random.default_rng(1)
        largest = 0.0
        for name, gradient in gradients.items():
            weight = self.weights[name]
            direction = rng.standard_normal(weight.shape)
            expected = float((gradient.double().numpy() * direction).sum())
            ends = [
                self.losses(self.weights | {name: weight + sign * STEP * direction}, documents)
                for sign in (1, -1)
            ]
            slope = (ends[0][0]["loss"] - ends[1][0]["loss"]) / (2 * STEP)
            size = float(gradient.double().norm()) * np.linalg.norm(direction)
            largest = max(largest, abs(slope - expected) / max(size, 1e-6))
        return largest


def draw_documents(name: str, attempt: int, vocab: int) -> Documents:
    rng = torch.Generator().manual_seed(zlib.crc32(f"{name}/{attempt}".encode()))
    return [torch.randint(0, vocab, (length,), generator=rng) for length in LENGTHS]


def compute_model(models: Path, name: str, hidden_after_norm: bool = False) -> tuple[Tensors, str]:
    """What the file of one model holds, and how well it was confirmed."""
    folder = models / name
    stored = load_file(folder / "model.safetensors")
    model, losses = load(folder), next_token_losses
    if name == WITH_MODULE:
        model = WithModule(model, with_fused_experts(stored), hidden_after_norm).eval()
        losses = both_losses
    double = load(folder).double()
    if name == WITH_MODULE:
        double = WithModule(double, with_fused_experts(stored), hidden_after_norm).eval().double()
    check_names(double, stored, name)
    oracle = Oracle(folder, hidden_after_norm)
    for attempt in range(100):
        documents = draw_documents(name, attempt, len(stored["model.embed_tokens.weight"]))
        expected, margin = oracle.losses(oracle.weights, documents)
        if margin < MIN_ROUTING_MARGIN:
            continue
        with WholeFloat64():
            exact, gradients = gradients_of(double, losses, documents)
        _, single = gradients_of(model, losses, documents)
        rounding = max(relative_difference(single[key], g) for key, g in gradients.items())
        if rounding > MAX_ROUNDING:
            continue
        slopes = oracle.largest_derivative_difference(gradients, documents)
        apart = max(abs(float(exact[key]) - value) for key, value in expected.items())
        if slopes > MAX_ORACLE_DIFFERENCE or apart > MAX_ORACLE_DIFFERENCE:
            raise RuntimeError(
                f"{name}: expected the oracle's losses and derivatives, found them to differ by {apart:.1e} and {slopes:.1e}"
            )
        tensors = dict(zip(("tokens_a", "tokens_b"), documents, strict=True))
        tensors |= {key: value[None] for key, value in exact.items()}
        figures = (
            f"loss {float(exact['loss']):.4f}, {len(gradients)} weights, attempt {attempt}; float32 differs by {rounding:.1e}, "
            f"the oracle's loss by {apart:.1e}, its derivatives by {slopes:.1e}"
        )
        return tensors | gradients, figures
    raise RuntimeError(
        f"{name}: expected well conditioned documents within 100 attempts, found none"
    )


def check_names(model: nn.Module, stored: Tensors, name: str) -> None:
    """That a gradient exists for every weight that takes part, and that it is split as the weight is."""
    ours = with_single_experts({n: p.detach() for n, p in parameters_of(model).items()})
    config = model.main.config if isinstance(model, WithModule) else model.config
    module = f"model.layers.{config.num_hidden_layers}."
    for key, tensor in stored.items():
        if key.endswith("e_score_correction_bias"):
            continue
        if key.startswith(module) and (name != WITH_MODULE or key.endswith(SHARED)):
            continue
        if key not in ours or not torch.equal(ours[key].float(), tensor):
            raise RuntimeError(f"{name}: expected {key} as stored, found another or none")


def write(folder: Path, name: str, tensors: Tensors) -> float:
    """Kilobytes written."""
    target = folder / f"{name}.safetensors"
    save_file({key: t.float().contiguous() for key, t in tensors.items()}, target)
    return target.stat().st_size / 1000


def main() -> None:
    models = [kind + "-s0" for kind in MODELS] + [WITH_MODULE]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="ops or a model", choices=["ops", *models])
    parser.add_argument("--output", type=Path, default=GOLDEN / "gradients")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.only in (None, "ops"):
        tensors, rounding = gradient_ops.all_cases()
        size = write(arguments.output, "ops", tensors)
        print(f"ops: {size:.0f} kB, {len(tensors)} tensors; float32 differs by")
        for name, difference in rounding.items():
            print(f"    {name}: {difference:.1e}")
    for name in models:
        if arguments.only in (None, name):
            tensors, figures = compute_model(GOLDEN / "models", name, name == WITH_MODULE)
            print(f"{name}: {write(arguments.output, name, tensors):.0f} kB, {figures}")


if __name__ == "__main__":
    main()
