"""Measures how fast PyTorch, and Minke, train small models on this machine: forward, backward and a step of AdamW.

    python train_speed.py [--minke BINARY] [--models minke-micro,llama-30m] [--ways WAY,...] [--runs 5] [--steps 3] [--threads 2] [--json]

Each run is a process of its own and runs of different models and ways alternate, so that a busy moment hits none of them alone. A
batch is 32 sequences of 128 random tokens. A run's speed is that of its median step, a way's that of its median run, and of the ways
the fastest counts:

    autocast    float32 weights, bfloat16 arithmetic where torch.autocast finds it safe
    bfloat16    weights, gradients and AdamW's state in bfloat16
    float32     for comparison

With `--minke` the program trains the same shape in bfloat16 on sequences of the same length, in turn with the others, and its ratio
to the fastest way is told.

The ways are each followed by how transformers computes what is inside, joined by `-`: experts `eager` (one by one) or `grouped` (in one grouped
product), attention `naive` or `sdpa`, and `compiled` for a model that goes through torch.compile. What is best differs from model to
model by factors, so that no way stands for all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    import transformers

SEQUENCES, LENGTH, VOCAB = 32, 128, 4096
WARM_UP_STEPS = 2
# Of transformers' configurations: what they say of the library, not of the model.
UNKNOWN_FIELDS = {"transformers_version", "dtype", "problem_type", "num_labels"}
PRECISIONS = ("autocast", "bfloat16", "float32")
EXPERTS = {"eager": "eager", "grouped": "grouped_mm"}
ATTENTION = {"naive": "eager", "sdpa": "sdpa"}
COMPILED = "compiled"
WAYS = [
    "autocast-grouped-naive",
    "autocast-grouped-sdpa-compiled",
    "autocast-eager-naive-compiled",
    "bfloat16-eager-naive",
]


def minke_micro() -> transformers.PretrainedConfig:
    """About 14 million weights in the architecture of DeepSeek-V3."""
    import transformers

    return transformers.DeepseekV3Config(
        vocab_size=VOCAB,
        hidden_size=256,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=8,
        qk_nope_head_dim=32,
        qk_rope_head_dim=16,
        v_head_dim=32,
        kv_lora_rank=96,
        q_lora_rank=None,
        first_k_dense_replace=1,
        intermediate_size=768,
        n_routed_experts=16,
        num_experts_per_tok=3,
        moe_intermediate_size=160,
        n_shared_experts=1,
        n_group=1,
        topk_group=1,
        max_position_embeddings=LENGTH,
        num_mtp_layers=0,
        pad_token_id=None,
        tie_word_embeddings=True,
    )


def llama_30m() -> transformers.PretrainedConfig:
    """Dense, about 28 million weights."""
    import transformers

    return transformers.LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=512,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=8,
        intermediate_size=1408,
        max_position_embeddings=LENGTH,
        pad_token_id=None,
        tie_word_embeddings=True,
    )


MODELS: dict[str, Callable[[], transformers.PretrainedConfig]] = {
    "minke-micro": minke_micro,
    "llama-30m": llama_30m,
}


def flops_per_token(model: torch.nn.Module) -> float:
    """Multiplications and additions of matrix products, forward and twice as many backward; attention counts the tokens that are
    seen, half of all on average."""
    from torch import nn

    config = model.config
    weights = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear))
    for name, weight in model.named_parameters():
        if name.endswith("mlp.gate.weight"):
            weights += weight.numel()
        elif ".mlp.experts." in name:
            weights += weight.numel() // config.n_routed_experts * config.num_experts_per_tok
    if hasattr(config, "qk_nope_head_dim"):
        dims = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    else:
        dims = 2 * config.hidden_size // config.num_attention_heads
    attention = config.num_hidden_layers * config.num_attention_heads * dims * (LENGTH + 1) / 2
    return 3 * 2 * (weights + attention)


def measure(model_name: str, way: str, threads: int, steps: int) -> dict:
    """In this process: tokens a second and what belongs to them."""
    # Only here: the parent process shall not start torch's threads.
    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    transformers.utils.logging.set_verbosity_error()
    precision, *more = way.split("-")
    experts = next((EXPERTS[part] for part in more if part in EXPERTS), "eager")
    attention = next((ATTENTION[part] for part in more if part in ATTENTION), "sdpa")
    config = MODELS[model_name]()
    auto = transformers.AutoModelForCausalLM
    model = auto.from_config(
        config,
        attn_implementation=attention,
        experts_implementation=experts,
        dtype=torch.float32,
    ).train()
    parameters, flops = sum(p.numel() for p in model.parameters()), flops_per_token(model)
    if precision == "bfloat16":
        model.to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    forward = torch.compile(model) if COMPILED in more else model

    def context() -> AbstractContextManager:
        return torch.autocast("cpu", torch.bfloat16) if precision == "autocast" else nullcontext()

    seconds = []
    for _ in range(WARM_UP_STEPS + steps):
        tokens = torch.randint(0, VOCAB, (SEQUENCES, LENGTH))
        begin = time.perf_counter()
        with context():
            loss = forward(input_ids=tokens, labels=tokens, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - begin)
    speed = SEQUENCES * LENGTH / statistics.median(seconds[WARM_UP_STEPS:])
    return {
        "tokens_per_second": speed,
        "gflops": speed * flops / 1e9,
        "parameters": parameters,
        "flops_per_token": flops,
        "loss": loss.item(),
    }


def run_torch(model: str, way: str, threads: int, steps: int) -> dict:
    """In a process of its own."""
    command = [sys.executable, __file__, "--measure", f"{model}:{way}"]
    command += ["--threads", str(threads), "--steps", str(steps)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"{model}, {way}: torch failed: {finished.stderr.strip()[-2000:]}")
    return json.loads(finished.stdout.splitlines()[-1])


RECIPE = """
[tokenizer]
path = "tokenizer"
[data]
shards = ["texts.tok"]
context = {length}
batch_tokens = {batch}
micro_batch_tokens = {batch}
[optimizer]
kind = "adamw"
learning_rate = 1e-4
[schedule]
kind = "constant"
steps = {steps}
[evaluation]
every = 0
[checkpoint]
every_seconds = 3600
[run]
output = "run"
threads = {threads}
"""


def toml_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value)


def prepare_minke(minke: str, folder: Path, threads: int, steps: int) -> None:
    """A tokenizer of VOCAB ids, a shard of documents longer than a sequence, and a recipe for each model, but for its [model]."""

    def run(*arguments: str) -> None:
        subprocess.run([minke, *arguments], cwd=folder, check=True, capture_output=True)

    run("data", "tokenizer", "tokenizer", "--tasks", "--vocab", str(VOCAB), "--bytes", "4000000")
    # Each digit is a token.
    texts = (json.dumps({"text": str(n**97)[-2 * LENGTH :]}) for n in range(10**4, 10**4 + 500))
    (folder / "texts.jsonl").write_text("\n".join(texts) + "\n")
    run("data", "tokens", "texts.jsonl", "--tokenizer", "tokenizer", "-o", "texts.tok")
    recipe = RECIPE.format(
        length=LENGTH, batch=SEQUENCES * LENGTH, steps=WARM_UP_STEPS + steps, threads=threads
    )
    for name, config in MODELS.items():
        fields = {
            key: value
            for key, value in config().to_dict().items()
            if isinstance(value, bool | int | float | str) and key not in UNKNOWN_FIELDS
        }
        model = "".join(f"{key} = {toml_value(value)}\n" for key, value in fields.items())
        (folder / f"{name}.toml").write_text("[model]\n" + model + recipe)


def run_minke(minke: str, folder: Path, model: str) -> float:
    """Tokens a second of the median step."""
    shutil.rmtree(folder / "run", ignore_errors=True)
    command = [minke, "train", f"{model}.toml", "--quiet"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"{model}: minke failed: {finished.stderr.strip()[-2000:]}")
    records = map(json.loads, (folder / "run/log.jsonl").read_text().splitlines())
    speeds = [r["tokens_per_second"] for r in records if "tokens_per_second" in r]
    return statistics.median(speeds[WARM_UP_STEPS:])


def ways_of(model: str, ways: list[str]) -> list[str]:
    """How experts are computed makes no difference to a dense model."""
    if model != "llama-30m":
        return ways
    return list(
        dict.fromkeys("-".join(p for p in way.split("-") if p not in EXPERTS) for way in ways)
    )


def row_of(model: str, runs: dict[str, list[dict]], minke_runs: list[float]) -> dict:
    """Of one model, medians over the runs."""
    minke = statistics.median(minke_runs) if minke_runs else None
    speeds = {way: [run["tokens_per_second"] for run in each] for way, each in runs.items()}
    medians = {way: statistics.median(each) for way, each in speeds.items()}
    best = max(medians, key=medians.__getitem__)
    example = runs[best][0]
    return {
        "model": model,
        "parameters": example["parameters"],
        "flops_per_token": example["flops_per_token"],
        "torch": medians[best],
        "torch_way": best,
        "torch_gflops": medians[best] * example["flops_per_token"] / 1e9,
        "torch_ways": medians,
        "torch_runs": speeds,
        "minke": minke,
        "minke_runs": minke_runs,
        "ratio": minke / medians[best] if minke else None,
    }


def print_row(row: dict) -> None:
    print(
        f"{row['model']}: {row['parameters'] / 1e6:.1f} M weights, {row['flops_per_token'] / 1e6:.1f} MFLOP a token"
    )
    for way, median in sorted(row["torch_ways"].items(), key=lambda item: -item[1]):
        runs = row["torch_runs"][way]
        gflops = median * row["flops_per_token"] / 1e9
        spread = f"{min(runs):.0f}..{max(runs):.0f}"
        print(f"    {way:32}{median:9.0f} tokens/s{spread:>16}{gflops:8.0f} GFLOP/s")
    if row["minke"]:
        runs = row["minke_runs"]
        gflops = row["minke"] * row["flops_per_token"] / 1e9
        spread = f"{min(runs):.0f}..{max(runs):.0f}"
        print(f"    {'minke':32}{row['minke']:9.0f} tokens/s{spread:>16}{gflops:8.0f} GFLOP/s")
        print(f"    minke / {row['torch_way']}: {row['ratio']:.2f}")


def listed(text: str) -> list[str]:
    return text.split(",")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minke", type=os.path.abspath, help="the built program")
    parser.add_argument("--models", type=listed, default=list(MODELS), metavar="NAME,...")
    parser.add_argument("--ways", type=listed, default=WAYS, metavar="WAY,...")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of a run")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for name in arguments.models:
        if name not in MODELS:
            parser.error(f"--models: expected some of {', '.join(MODELS)}, found {name}")
    for way in arguments.ways:
        precision, *more = way.split("-")
        if precision not in PRECISIONS or not {*more} <= {*EXPERTS, *ATTENTION, COMPILED}:
            parser.error(f"--ways: expected e.g. autocast-grouped-naive, found {way}")
    if arguments.runs < 1 or arguments.steps < 1:
        parser.error("--runs and --steps: expected 1 or more")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    if arguments.measure:
        model, way = arguments.measure.split(":")
        print(json.dumps(measure(model, way, arguments.threads, arguments.steps)))
        return 0

    load = os.getloadavg()[0]
    if load > 0.5:
        print(
            f"warning: the machine is busy (load {load:.1f}); figures will be off", file=sys.stderr
        )
    runs: dict[str, dict[str, list[dict]]] = {model: {} for model in arguments.models}
    minke_runs: dict[str, list[float]] = {model: [] for model in arguments.models}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.minke:
            prepare_minke(arguments.minke, folder, arguments.threads, arguments.steps)
        for _ in range(arguments.runs):
            for model in arguments.models:
                for way in ways_of(model, arguments.ways):
                    run = run_torch(model, way, arguments.threads, arguments.steps)
                    runs[model].setdefault(way, []).append(run)
                if arguments.minke:
                    minke_runs[model].append(run_minke(arguments.minke, folder, model))
    table = [row_of(model, each, minke_runs[model]) for model, each in runs.items()]
    if arguments.json:
        print(json.dumps({"runs": arguments.runs, "threads": arguments.threads, "speeds": table}))
    else:
        for row in table:
            print_row(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
