#!/usr/bin/env python3
"""Problems behind one another as long texts, for a model that is to read further than before.

  for task in sums units; do minke data problems $task -n 3000; done |
    tools/long_documents.py --characters 4400 > long.jsonl

Problems are shuffled, always in the same way. What is left over at the end is left out.
"""
import argparse
import json
import random
import sys


def main():
    parser = argparse.ArgumentParser(description="problems on standard input as long texts")
    parser.add_argument("--characters", type=int, default=4400, help="least size of a text [4400]")
    options = parser.parse_args()
    problems = [json.loads(line) for line in sys.stdin]
    random.Random(1).shuffle(problems)
    parts, size = [], 0
    for problem in problems:
        part = "\n".join((problem["question"], problem["reasoning"], problem["answer"]))
        parts.append(part)
        size += len(part) + 2
        if size >= options.characters:
            print(json.dumps({"text": "\n\n".join(parts)}, ensure_ascii=False))
            parts, size = [], 0


if __name__ == "__main__":
    main()
