"""Writes tests/golden/models: tiny random checkpoints and the logits that transformers computes from them.

    python model_golden.py [--only KIND] [--output FOLDER]

Every folder <kind>-s<seed> holds a Hugging Face checkpoint and expected.safetensors with, all float32:
    tokens_a [64], logits_a [64, vocab]         a prompt, and the logits after each of its tokens
    tokens_b [96], logits_b_last [16, vocab]    a prompt past the original context length, and the last logits

config.json comes in the spelling of published models (seed 0: rope_scaling with `type`), as transformers 5 writes it (seed 1:
rope_parameters) and in between (seed 2: rope_scaling with `rope_type`). Weights are drawn anew until no expert was chosen and no
top token found by a hair and float64 gives the same logits, so that an engine that differs in rounding alone must agree.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

import deepseek_numpy
import dense_numpy
import golden_fp8
from golden_cases import CASES, VOCAB, Case

PROMPT_A, PROMPT_B, LAST_B = 64, 96, 16
MIN_ROUTING_MARGIN = 2e-4
MIN_TOP1_MARGIN = 2e-3
MAX_ROUNDING = 1e-5
Tensors = dict[str, torch.Tensor]


def generator_for(case: Case, seed: int, attempt: int) -> torch.Generator:
    name = f"{case.name}/{seed}/{attempt}"
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def random_tensor(case: Case, name: str, shape: torch.Size, rng: torch.Generator) -> torch.Tensor:
    """Values of a size that keeps activations near 1 and attention, routing and logits spread out."""
    normal = torch.randn(shape, generator=rng)
    if name.endswith("norm.weight"):
        return 1.0 + 0.2 * normal
    if name.endswith("e_score_correction_bias"):
        # Mostly negative sums with the scores: then zeroing the losing groups would let their experts win.
        return -0.3 - 0.7 * torch.rand(shape, generator=rng)
    if name.endswith(".bias"):
        return 0.5 * normal
    scale = 1.0 if "embed_tokens" in name else shape[-1] ** -0.5
    gain = next((g for part, g in case.gains if part in name), 1.0)
    return normal * scale * gain


def make_model(case: Case, seed: int, rng: torch.Generator) -> transformers.PreTrainedModel:
    model_class = getattr(transformers, case.architecture)
    model = model_class._from_config(case.config(seed), attn_implementation="eager").eval().float()
    with torch.no_grad():
        for name, tensor in sorted(model.state_dict().items()):
            if name == "lm_head.weight" and model.config.tie_word_embeddings:
                continue
            tensor.copy_(random_tensor(case, name, tensor.shape, rng))
    return model


def saved_tensors(
    model: transformers.PreTrainedModel, folder: Path, fused_experts: bool
) -> Tensors:
    """Saves model and configuration in `folder`; returns the tensors under the names that they have there."""
    model.save_pretrained(folder, save_original_format=not fused_experts)
    return load_file(folder / "model.safetensors")


def rebuild_from_fp8(model: transformers.PreTrainedModel, folder: Path) -> Tensors:
    """Gives `model` the weights that survive FP8 storage; returns the tensors to store."""
    stored = golden_fp8.encode(saved_tensors(model, folder, fused_experts=False))
    save_file(golden_fp8.decode(stored), folder / "model.safetensors", metadata={"format": "pt"})
    survived = type(model).from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    model.load_state_dict(survived.state_dict())
    return stored


def deepseek_mtp(case: Case, model: transformers.PreTrainedModel, tensors: Tensors) -> Tensors:
    """A multi-token prediction module after the last layer: a whole layer and the tensors around it."""
    hidden, last = model.config.hidden_size, model.config.num_hidden_layers - 1
    source, target = f"model.layers.{last}.", f"model.layers.{last + 1}."
    extra = {
        target + n.removeprefix(source): t.flip(0)
        for n, t in tensors.items()
        if n.startswith(source)
    }
    ones = torch.ones(hidden)
    extra[target + "embed_tokens.weight"] = tensors["model.embed_tokens.weight"].clone()
    extra[target + "shared_head.head.weight"] = tensors["lm_head.weight"].clone()
    extra[target + "eh_proj.weight"] = torch.eye(hidden, 2 * hidden)
    for norm in ("enorm", "hnorm", "shared_head.norm"):
        extra[f"{target}{norm}.weight"] = ones.clone()
    return extra


def deepseek_random_mtp(
    case: Case, model: transformers.PreTrainedModel, tensors: Tensors
) -> Tensors:
    """The same tensors with values of their own; the embedding and the head are the main model's, as published."""
    extra = deepseek_mtp(case, model, tensors)
    rng = generator_for(case, 0, attempt=-1)
    for name, tensor in sorted(extra.items()):
        if not name.endswith(("embed_tokens.weight", "shared_head.head.weight")):
            extra[name] = random_tensor(case, name, tensor.shape, rng)
    return extra


def mimo_mtp(case: Case, model: transformers.PreTrainedModel, tensors: Tensors) -> Tensors:
    hidden = model.config.hidden_size
    source, target = "model.layers.0.", "model.mtp_layers.0."
    extra = {
        target + n.removeprefix(source): t.flip(0)
        for n, t in tensors.items()
        if n.startswith(source)
    }
    extra[target + "input_proj.weight"] = torch.eye(hidden, 2 * hidden)
    for norm in ("token_layernorm", "hidden_layernorm", "final_layernorm"):
        extra[f"{target}{norm}.weight"] = torch.ones(hidden)
    return extra


MTP_TENSORS = {
    "deepseek": deepseek_mtp,
    "deepseek-random": deepseek_random_mtp,
    "mimo": mimo_mtp,
}


def published_config(case: Case, seed: int, written: dict) -> dict:
    """The written configuration in the spelling of this seed."""
    config = dict(written)
    config.pop("transformers_version", None)
    if case.mtp == "mimo":
        config["model_type"], config["architectures"] = "mimo", ["MiMoForCausalLM"]
        config["num_nextn_predict_layers"] = int(seed == 0)
    if seed == 1:
        return config
    for key in ("layer_types", "qk_head_dim"):
        config.pop(key, None)
    if config["model_type"].startswith("deepseek"):
        config.pop("head_dim")
    rope = dict(config.pop("rope_parameters"))
    config["rope_theta"] = rope.pop("rope_theta")
    if rope["rope_type"] == "default":
        config["rope_scaling"] = None
    else:
        if seed == 0:
            rope = {"type": rope.pop("rope_type"), **rope}
        config["rope_scaling"] = rope
    config["torch_dtype"] = config.pop("dtype")
    config.update(case.published_keys)
    if case.fp8:
        config["torch_dtype"] = "bfloat16"
        config["quantization_config"] = golden_fp8.QUANTIZATION_CONFIG
    return dict(sorted(config.items()))


def logits_of(model: transformers.PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(tokens[None], use_cache=False).logits[0].float()


def well_conditioned(
    model: transformers.PreTrainedModel, prompts: list[torch.Tensor], expected: Tensors
) -> bool:
    """Whether no recorded top token and no routing decision is nearly tied, and float64 finds the same logits."""
    moe = model.config.model_type.startswith("deepseek")
    module = deepseek_numpy if moe else dense_numpy
    oracle = module.from_config(model.config.to_dict())
    weights = {name: t.numpy().astype(np.float64) for name, t in model.state_dict().items()}
    recordings = (expected["logits_a"], expected["logits_b_last"])
    for prompt, recorded in zip(prompts, recordings, strict=True):
        top = recorded.topk(2, dim=-1).values
        if (top[:, 0] - top[:, 1]).min() < MIN_TOP1_MARGIN:
            return False
        logits = module.forward(oracle, weights, prompt.numpy())
        if moe:
            logits, trace = logits
            if trace.smallest_margin() < MIN_ROUTING_MARGIN:
                return False
        if np.abs(logits[-len(recorded) :] - recorded.numpy()).max() > MAX_ROUNDING:
            return False
    return True


def write_folder(
    case: Case,
    seed: int,
    model: transformers.PreTrainedModel,
    stored: Tensors,
    scratch: Path,
    target: Path,
) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    written = json.loads((scratch / "config.json").read_text())
    config = published_config(case, seed, written)
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    generation = {"bos_token_id": 0, "eos_token_id": [1, 2] if seed == 1 else 1}
    generation |= {"do_sample": True, "temperature": 0.6, "top_p": 0.95}
    (target / "generation_config.json").write_text(json.dumps(generation, indent=1) + "\n")
    if case.fp8:
        golden_fp8.save_two_shards(target, stored)
        return
    if case.mtp and seed == 0:
        stored = stored | MTP_TENSORS[case.mtp](case, model, stored)
    save_file(stored, target / "model.safetensors", metadata={"format": "pt"})


def write_golden(case: Case, seed: int, root: Path) -> None:
    for attempt in range(200):
        rng = generator_for(case, seed, attempt)
        model = make_model(case, seed, rng)
        prompts = [torch.randint(0, VOCAB, (n,), generator=rng) for n in (PROMPT_A, PROMPT_B)]
        with tempfile.TemporaryDirectory() as scratch_name:
            scratch = Path(scratch_name)
            if case.fp8:
                stored = rebuild_from_fp8(model, scratch)
            else:
                stored = saved_tensors(model, scratch, seed in case.fused_expert_seeds)
            expected = {
                "tokens_a": prompts[0].float(),
                "logits_a": logits_of(model, prompts[0]),
                "tokens_b": prompts[1].float(),
                "logits_b_last": logits_of(model, prompts[1])[-LAST_B:].clone(),
            }
            if not well_conditioned(model, prompts, expected):
                continue
            target = root / f"{case.name}-s{seed}"
            write_folder(case, seed, model, stored, scratch, target)
            save_file(expected, target / "expected.safetensors")
            size = sum(f.stat().st_size for f in target.iterdir())
            spread = expected["logits_a"].std()
            print(
                f"{target.name:22} {size / 1000:5.0f} kB  logits std {spread:.2f}  attempt {attempt}"
            )
            return
    raise RuntimeError(
        f"{case.name}-s{seed}: expected well conditioned logits within 200 attempts, found none"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[2] / "tests/golden/models"
    parser.add_argument(
        "--only", help="one kind, e.g. deepseek-v3", choices=[c.name for c in CASES]
    )
    parser.add_argument("--output", type=Path, default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    for case in CASES:
        if arguments.only in (None, case.name):
            for seed in case.seeds:
                write_golden(case, seed, arguments.output)


if __name__ == "__main__":
    main()
