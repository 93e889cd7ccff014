#!/usr/bin/env python3
"""How fast servers answer several clients at once: alternating runs of each, medians and ratios."""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import serving  # noqa: E402


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def servers(options: argparse.Namespace) -> dict:
    """By name, what makes a server that is to be started."""
    threads = str(options.threads)
    context = options.context

    def own() -> serving.Server:
        return serving.minke(
            options.minke, options.model, "--threads", threads, "--sequences",
            str(options.clients), "--context", str(context), port=options.port,
        )

    def native() -> serving.Server:
        port = free_port()
        return serving.Server(
            [options.llama_server, "-m", options.model, "--host", "127.0.0.1", "--port", port,
             "-np", options.clients, "-c", context * options.clients, "-t", threads,
             "-tb", threads, "--no-webui"], port,
        )

    def python() -> serving.Server:
        port = free_port()
        return serving.Server(
            [options.llama_python, "-m", "llama_cpp.server", "--model", options.model, "--host",
             "127.0.0.1", "--port", port, "--n_ctx", context, "--n_threads", threads,
             "--n_threads_batch", threads, "--interrupt_requests", "false"], port,
        )

    found = {"minke": own}
    if options.llama_server:
        found["llama-server"] = native
    if options.llama_python:
        found["llama_cpp.server"] = python
    return found


def answer(client: serving.Client, options: argparse.Namespace, number: int) -> dict:
    body = {
        "model": "any",
        "prompt": serving.text_of(options.characters, number),
        "max_tokens": options.tokens,
        "temperature": 0,
        # Without an end of its own, every answer has the same length everywhere.
        "logit_bias": {token: -100 for token in options.stop_ids.split(",") if token},
    }
    begun = time.monotonic()
    times = []
    for arrival, event in client.stream("/v1/completions", body):
        if event.get("choices") and event["choices"][0].get("text"):
            times.append(arrival)
    if not times:
        raise RuntimeError("expected text, found an empty stream")
    gaps = [late - early for early, late in zip(times, times[1:])]
    return {"first": times[0] - begun, "gaps": gaps, "events": len(times)}


def run(make, options: argparse.Namespace, first: int) -> dict:
    with make() as server:
        client = server.client()
        answer(client, options, first + 100_000)  # what is done once is not measured
        jobs = range(first, first + options.clients * options.requests)
        begun = time.monotonic()
        answers = serving.in_parallel(options.clients, jobs, lambda n: answer(client, options, n))
        seconds = time.monotonic() - begun
    gaps = [gap for one in answers for gap in one["gaps"]]
    firsts = [one["first"] for one in answers]
    return {
        "tokens_per_second": options.tokens * len(answers) / seconds,
        "first_token_p50_ms": serving.share(firsts, 0.5) * 1000,
        "first_token_p99_ms": serving.share(firsts, 0.99) * 1000,
        "between_p50_ms": serving.share(gaps, 0.5) * 1000,
        "between_p99_ms": serving.share(gaps, 0.99) * 1000,
        # Below 1 where some events held several tokens: then the times between are of events.
        "events_per_token": sum(one["events"] for one in answers) / len(answers) / options.tokens,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--minke", type=Path, default=serving.DEFAULT_BINARY)
    parser.add_argument("--llama-server", type=Path, help="llama.cpp's own server")
    parser.add_argument("--llama-python", type=Path, help="a Python with llama-cpp-python[server]")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--requests", type=int, default=2, help="of each client")
    parser.add_argument("--tokens", type=int, default=64, help="of an answer")
    parser.add_argument("--characters", type=int, default=800, help="of a prompt")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--stop-ids", default="0,2", help="that are kept from being drawn")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    results: dict = {name: [] for name in servers(options)}
    for number in range(options.runs):
        for name, make in servers(options).items():
            results[name].append(run(make, options, number * 1000))
    medians = {
        name: {key: statistics.median(one[key] for one in runs) for key in runs[0]}
        for name, runs in results.items()
    }
    if options.json:
        print(json.dumps({"medians": medians, "runs": results}, indent=1))
        return 0
    for key in medians["minke"]:
        row = "  ".join(f"{name} {values[key]:10.2f}" for name, values in medians.items())
        spread = "  ".join(
            f"{min(one[key] for one in runs):.2f}..{max(one[key] for one in runs):.2f}"
            for runs in results.values()
        )
        print(f"{key:20} {row}   ({spread})")
    for name, values in medians.items():
        if name != "minke":
            print(f"tokens/s, minke / {name}: "
                  f"{medians['minke']['tokens_per_second'] / values['tokens_per_second']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
