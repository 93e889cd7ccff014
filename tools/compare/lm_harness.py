#!/usr/bin/env python3
"""lm-evaluation-harness against `minke serve`: its scores of local texts, and the program's own.

Run it with a Python that has `lm_eval[api]`. Needs no network. The harness asks /v1/completions for
the scores of token ids, several requests at a time. Every score must be what the logits of
`minke logits` for the same ids give, and the whole text's what `minke perplexity` says.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import measures  # noqa: E402
import minke  # noqa: E402
import serving  # noqa: E402

# A score is a sum of logarithms that the server writes as float32.
TOLERANCE = 1e-5
CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Russia": "Moscow",
    "Egypt": "Cairo", "Greece": "Athens", "Germany": "Berlin", "China": "Beijing",
    "England": "London", "Austria": "Vienna", "Norway": "Oslo", "Poland": "Warsaw",
    "Hungary": "Budapest", "Ireland": "Dublin", "Portugal": "Lisbon",
}
DATA = """task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
metadata: {{version: 1}}
"""
ROLLING = DATA + """output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list: [{{metric: bits_per_byte}}, {{metric: byte_perplexity}}]
"""
CONTINUED = DATA + """output_type: loglikelihood
target_delimiter: ""
doc_to_text: "{{{{begin}}}}"
doc_to_target: "{{{{rest}}}}"
metric_list: [{{metric: acc}}]
"""
CHOICE = DATA + """output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""


def capital_questions() -> list[dict]:
    cities = list(CAPITALS.values())
    out = []
    for number, (country, city) in enumerate(CAPITALS.items()):
        others = [cities[(number + step) % len(cities)] for step in (3, 5, 9)]
        choices = others[: number % 4] + [city] + others[number % 4 :]
        out.append({"question": f"The capital city of {country} is", "choices": choices,
                    "answer": number % 4})
    return out


class Oracle:
    """Scores of token ids by `minke logits`: none of the server's code but the model's."""

    def __init__(self, binary: Path, model: Path, client: serving.Client) -> None:
        self.binary, self.model, self.client = binary, model, client
        self.info = client.get("/tokenizer_info").body
        bos = self.info["bos_token"]
        self.bos = self.encode(bos)[0] if bos is not None else None
        # Before the first token the harness wants one; without a begin token it takes the end's.
        self.prefix = self.bos if bos is not None else self.encode(self.info["eos_token"])[0]

    def encode(self, text: str) -> list[int]:
        asked = {"prompt": text, "add_special_tokens": False}
        return self.client.ask("/tokenize", asked)["tokens"]

    def score(self, ids: Sequence[int], context: int) -> float:
        """ln of the probability of ids[context:] behind ids[:context]."""
        scores = measures.log_softmax(minke.logits(self.binary, self.model, ids))
        return float(sum(scores[at - 1, ids[at]] for at in range(context, len(ids))))

    def rolling(self, text: str, size: int) -> float:
        """As the harness cuts a text: windows of so many new tokens; the last one is filled up with
        tokens that are scored already."""
        ids = self.encode(text)
        total = self.score([self.prefix] + ids[:size], 1)
        for first in range(size, len(ids), size):
            last = min(first + size, len(ids))
            total += self.score(ids[last - size - 1 : last], size + 1 - (last - first))
        return total

    def perplexity(self, file: Path, context: int) -> tuple[float, int]:
        """ln of the text's probability by `minke perplexity`, and how many tokens it scored."""
        done = subprocess.run(
            [self.binary, "perplexity", self.model, file, "--context", str(context), "--json"],
            check=True, capture_output=True, text=True,
        )
        found = json.loads(done.stdout)
        return -math.log(found["perplexity"]) * found["tokens"], found["tokens"]


class Harness:
    def __init__(self, folder: Path, port: int, prefix: int) -> None:
        os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=str(folder / "cache"))
        import lm_eval
        from lm_eval.tasks import TaskManager

        self.lm_eval, self.manager, self.folder = lm_eval, TaskManager, folder
        # Without the prefix the harness takes a begin token whose id is 0 for none at all.
        self.model = {"base_url": f"http://127.0.0.1:{port}/v1/completions", "model": "any",
                      "tokenizer_backend": "remote", "custom_prefix_token_id": prefix}

    def add(self, name: str, template: str, rows: Sequence[dict]) -> None:
        file = self.folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        task = template.format(name=name, file=file)
        (self.folder / f"{name}.yaml").write_text(task, encoding="utf-8")

    def run(self, name: str, **model: object) -> tuple[dict, list[dict]]:
        """Results of a task, and its samples."""
        found = self.lm_eval.simple_evaluate(
            model="local-completions", model_args={**self.model, **model}, tasks=[name],
            task_manager=self.manager(include_path=str(self.folder), include_defaults=False),
            bootstrap_iters=0, log_samples=True,
        )
        return found["results"][name], found["samples"][name]


class Report:
    def __init__(self) -> None:
        self.failed = 0
        print(f"{'':34} {'harness':>14} {'minke':>14} {'difference':>11}")

    def line(self, name: str, theirs: float, ours: float) -> None:
        same = abs(theirs - ours) <= TOLERANCE * max(1, abs(ours))
        self.failed += not same
        told = "" if same else "  DIFFERS"
        print(f"{name:34} {theirs:14.5f} {ours:14.5f} {theirs - ours:11.1e}{told}", flush=True)


def check_choices(harness: Harness, oracle: Oracle, report: Report) -> None:
    harness.add("capitals", CHOICE, capital_questions())
    results, samples = harness.run("capitals", num_concurrent=4)
    ours, theirs, right = 0.0, 0.0, 0
    for sample in samples:
        scores = []
        for asked, response in zip(sample["arguments"], sample["filtered_resps"], strict=True):
            question, choice = asked[0], asked[1]
            scores.append(oracle.score(oracle.encode(question + choice),
                                       len(oracle.encode(question))))
            theirs += float(response[0])
        ours += sum(scores)
        right += scores.index(max(scores)) == sample["doc"]["answer"]
    report.line(f"{len(samples)} questions, sum of all choices", theirs, ours)
    report.line("accuracy", results["acc,none"], right / len(samples))


def check_text(harness: Harness, oracle: Oracle, report: Report, file: Path, window: int) -> None:
    text = file.read_text(encoding="utf-8")
    size = len(text.encode())
    harness.add("rolling", ROLLING, [{"text": text}])

    def rolling(**model: object) -> float:
        return -harness.run("rolling", **model)[0]["bits_per_byte,none"] * math.log(2) * size

    ids = oracle.encode(text)
    whole = len(ids) + 1
    ours, scored = oracle.perplexity(file, whole)
    # The harness keeps a token for itself, and one for the text that it makes no use of.
    report.line("text in one window, by logits", rolling(max_length=whole + 1),
                oracle.rolling(text, whole - 1))
    if scored == len(ids):
        report.line("... by perplexity", rolling(max_length=whole + 1), ours)
    else:
        first = len(bytes(oracle.client.ask("/detokenize", {"tokens": ids[:1]})["content"], "utf-8"))
        begin = text.encode()[:first].decode()
        harness.add("continued", CONTINUED, [{"begin": begin, "rest": text[len(begin):]}])
        _, samples = harness.run("continued", max_length=whole + 1)
        theirs = float(samples[0]["filtered_resps"][0][0])
        report.line("behind its first token, perplexity", theirs, ours)
    for arguments in ({}, {"num_concurrent": 4}, {"batch_size": 3}):
        told = "".join(f", {name} {value}" for name, value in arguments.items())
        report.line(f"windows of {window}{told}", rolling(max_length=window + 2, **arguments),
                    oracle.rolling(text, window))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--minke", type=Path, default=serving.DEFAULT_BINARY)
    parser.add_argument("--text", type=Path, default=serving.TEXT)
    parser.add_argument("--window", type=int, default=100, help="tokens that are scored at a time")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch, serving.minke(
        options.minke, options.model, port=options.port
    ) as server:
        oracle = Oracle(options.minke, options.model, server.client())
        harness = Harness(Path(scratch), server.port, oracle.prefix)
        report = Report()
        check_choices(harness, oracle, report)
        check_text(harness, oracle, report, options.text, options.window)
    print(f"{report.failed} differ" if report.failed else "all agree")
    return int(report.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
