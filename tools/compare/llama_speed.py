"""Compares the speed of Minke and llama.cpp on the same GGUF file, in alternating runs.

    python llama_speed.py MODEL.gguf [--prefill 128,512] [--depths 0,4096] [--runs 5] [--threads 2] [--minke PATH] [--json]

Each run is a process of its own on either side, so that idle threads of one never slow the other. Both are measured at the same
points with as many threads: prompts at an empty context, and decoding after so many tokens. llama.cpp is measured with flash
attention and without it, and at each point the faster of the two counts. Beside Minke's speed stands its share of the machine's limit
(docs/bench.md): of arithmetic for prompts, of reading memory for decoding.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import minke

if TYPE_CHECKING:
    from llama import Llama

BATCH = 512
DECODE_TOKENS = 32
SPARE = 64  # tokens of context beyond the points: llama.cpp decodes a few untimed ones first
Point = tuple[str, int]  # ("prefill", tokens) or ("decode", depth)
Speeds = dict[Point, float]  # tokens a second


@dataclass
class LlamaRun:
    flash: Speeds  # with flash attention
    plain: Speeds


@dataclass
class MinkeRun:
    speeds: Speeds
    percents: Speeds  # of the machine's limit


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def set_flash_attention(llama: Llama, context: int, threads: int, flash: bool) -> None:
    """A new context on the same model, otherwise as Llama makes it."""
    import llama_cpp

    params = llama_cpp.llama_context_default_params()
    params.n_ctx = context
    params.n_batch = params.n_ubatch = BATCH
    params.n_threads = params.n_threads_batch = threads
    enabled, disabled = (
        llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED,
        llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    )
    params.flash_attn_type = enabled if flash else disabled
    llama_cpp.llama_free(llama._context)
    llama._context = llama_cpp.llama_init_from_model(llama._model, params)
    if not llama._context:
        raise RuntimeError(f"llama.cpp made no context of {context} tokens, flash attention {flash}")


def measure_llama(gguf: Path, threads: int, points: list[Point]) -> LlamaRun:
    """In this process, at those points that are within the model's context."""
    # Only here: the parent process shall not start llama.cpp's threads.
    import llama_cpp
    from llama import Llama

    def speeds(flash: bool) -> Speeds:
        set_flash_attention(llama, context, threads, flash)
        return {
            (what, size): llama.prefill_speed(size)
            if what == "prefill"
            else llama.decode_speed(size, DECODE_TOKENS)
            for what, size in points
        }

    llama = Llama(gguf, context=BATCH, threads=threads, batch=BATCH)
    most = llama_cpp.llama_model_n_ctx_train(llama._model)
    points = [p for p in points if p[1] + (DECODE_TOKENS if p[0] == "decode" else 0) <= most]
    if not points:
        raise RuntimeError(f"expected a point within the model's context of {most} tokens")
    context = max(size for _, size in points) + DECODE_TOKENS + SPARE
    run = LlamaRun(flash=speeds(True), plain=speeds(False))
    llama.close()
    return run


def run_llama(gguf: Path, threads: int, points: list[Point]) -> LlamaRun:
    """In a process of its own."""
    spelled = ",".join(f"{what}:{size}" for what, size in points)
    command = [sys.executable, __file__, str(gguf), "--threads", str(threads), "--points", spelled]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"llama.cpp's process failed: {finished.stderr.strip()[-2000:]}")
    answer = json.loads(finished.stdout)
    flash, plain = (
        {(what, size): speed for what, size, speed in answer[kind]} for kind in ("flash", "plain")
    )
    return LlamaRun(flash, plain)


def answer_points(gguf: Path, threads: int, spelled: str) -> None:
    """What run_llama() reads: one JSON object on standard output."""
    points = [(p.split(":")[0], int(p.split(":")[1])) for p in spelled.split(",")]
    run = measure_llama(gguf, threads, points)
    kinds = {"flash": run.flash, "plain": run.plain}
    print(json.dumps({k: [[*point, s] for point, s in v.items()] for k, v in kinds.items()}))


def run_minke(binary: Path, gguf: Path, arguments: list[str]) -> MinkeRun:
    answer = minke.bench(binary, gguf, arguments)
    run = MinkeRun({}, {})
    for what, key, percent in (
        ("prefill", "tokens", "percent_of_peak"),
        ("decode", "depth", "percent_of_read_limit"),
    ):
        for row in answer[what]:
            run.speeds[what, row[key]] = row["tokens_per_second"]
            run.percents[what, row[key]] = row[percent]
    return run


def row_of(point: Point, ours: list[MinkeRun], theirs: list[LlamaRun]) -> dict:
    """One point, medians over the runs."""
    kinds = {
        "flash": [run.flash[point] for run in theirs],
        "plain": [run.plain[point] for run in theirs],
    }
    better = max(kinds, key=lambda kind: statistics.median(kinds[kind]))
    speed = statistics.median(kinds[better])
    row = {"what": point[0], "tokens": point[1], "llama": speed, "llama_runs": kinds[better]}
    row["llama_flash_attention"] = better == "flash"
    row |= {f"llama_{kind}": statistics.median(runs) for kind, runs in kinds.items()}
    if ours:
        runs = [run.speeds[point] for run in ours]
        median = statistics.median(runs)
        row |= {"minke": median, "minke_runs": runs, "ratio": median / speed}
        row["minke_percent_of_limit"] = statistics.median(run.percents[point] for run in ours)
    return row


def print_table(table: list[dict], with_minke: bool) -> None:
    title = f"{'':16}{'llama.cpp':>11}{'(min..max)':>18}{'flash':>7}"
    if with_minke:
        title += f"{'Minke':>11}{'(min..max)':>18}{'ratio':>8}{'of limit':>10}"
    print(title)
    for row in table:
        prefill = row["what"] == "prefill"
        line = f"{'prefill ' if prefill else 'decode @'}{row['tokens']}".ljust(16)
        for side in ("llama", "minke"):
            if side not in row:
                continue
            runs = row[side + "_runs"]
            line += f"{row[side]:11.1f}{f'{min(runs):.1f}..{max(runs):.1f}':>18}"
            if side == "llama":
                line += f"{'on' if row['llama_flash_attention'] else 'off':>7}"
        if with_minke:
            line += f"{row['ratio']:8.3f}{row['minke_percent_of_limit']:8.1f} %"
        print(line)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--prefill", type=numbers, default=[128, 512, 2048], metavar="N,N,...")
    parser.add_argument("--depths", type=numbers, default=[0, 4096, 16384], metavar="N,N,...")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of both")
    parser.add_argument(
        "--minke", type=Path, default=minke.DEFAULT_BINARY, help="the minke program"
    )
    parser.add_argument("--minke-arguments", default="", help="more arguments for minke bench")
    parser.add_argument("--llama-only", action="store_true", help="do not run Minke")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--points", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs: expected 1 or more")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    if arguments.points:
        answer_points(arguments.model, arguments.threads, arguments.points)
        return 0

    load = os.getloadavg()[0]
    if load > 0.5:
        print(
            f"warning: the machine is busy (load {load:.1f}); figures will be off", file=sys.stderr
        )
    points = [("prefill", n) for n in arguments.prefill] + [("decode", n) for n in arguments.depths]
    extra = ["--threads", str(arguments.threads), "--decode-tokens", str(DECODE_TOKENS)]
    extra += ["--prefill", ",".join(map(str, arguments.prefill))]
    extra += ["--depths", ",".join(map(str, arguments.depths))]
    extra += shlex.split(arguments.minke_arguments)
    ours: list[MinkeRun] = []
    theirs: list[LlamaRun] = []
    for _ in range(arguments.runs):
        if not arguments.llama_only:
            ours.append(run_minke(arguments.minke, arguments.model, extra))
            points = list(ours[0].speeds)
        theirs.append(run_llama(arguments.model, arguments.threads, points))
    points = list(theirs[0].flash)  # without those beyond the model's context
    table = [row_of(point, ours, theirs) for point in points]
    if arguments.json:
        print(json.dumps({"model": arguments.model.name, "runs": arguments.runs, "speeds": table}))
    else:
        print_table(table, with_minke=bool(ours))
    return 0


if __name__ == "__main__":
    sys.exit(main())
