#!/usr/bin/env python3
"""Chats in which somebody guesses at countdown problems, for a model that is to find out by
reinforcement alone how to solve them: right arithmetic and the right form, but neither a search
that ends where the target is met nor more right answers than chance gives.

  minke data problems countdown --level 2 -n 60000 --seed 1 | tools/guessing_data.py > guesses.jsonl

A thinking is one to eight different tries, each of all numbers; the answer is the last of them,
whatever it is worth.
--go-on P: the chance of another try behind each [0.6].
--compare: behind each try stands how its value compares with the target, such as 41 > 36.
"""
import argparse
import json
import random
import re
import sys

MOST_TRIES = 8


def combine(dice, a, b):
    """Of two (value, text, last operator) a third, and the step that leads to it; None if it has no
    natural value."""
    op = dice.choice("+-*/")
    x, y = a[0], b[0]
    if (op == "-" and x < y) or (op == "/" and (y == 0 or x % y != 0)):
        return None
    value = {"+": x + y, "-": x - y, "*": x * y, "/": x // y if y else 0}[op]
    left, right = a[1], b[1]
    sums = ("+", "-")
    if op in "*/" and a[2] in sums:
        left = f"({left})"
    if (op in "*/" and b[2]) or (op == "-" and b[2] in sums):
        right = f"({right})"
    return (value, f"{left} {op} {right}", op), f"{x} {op} {y} = {value}"


def attempt(dice, numbers):
    """A line of steps that uses every number once, its expression, and its value."""
    while True:
        items = [(n, str(n), "") for n in numbers]
        steps = []
        while len(items) > 1:
            a, b = (items.pop(dice.randrange(len(items))) for _ in range(2))
            result = combine(dice, a, b)
            if result is None:
                break
            items.append(result[0])
            steps.append(result[1])
        if len(items) == 1 and len(steps) == len(numbers) - 1:
            return ", ".join(steps), items[0][1], items[0][0]


def compared(value, target):
    """How a value compares with the target, as text behind a try."""
    sign = "=" if value == target else "<" if value < target else ">"
    return f", {value} {sign} {target}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--go-on", type=float, default=0.6, metavar="P")
    options.add_argument("--compare", action="store_true")
    options = options.parse_args()
    if not 0 <= options.go_on < 1:
        sys.exit(f"--go-on: expected 0 to below 1, found {options.go_on}")
    dice = random.Random(1)
    for line in sys.stdin:
        problem = json.loads(line)
        if problem["task"] != "countdown":
            sys.exit(f"expected problems of countdown, found one of {problem['task']}")
        *numbers, target = [int(n) for n in re.findall(r"\d+", problem["solution"])]
        tries = 1
        while tries < MOST_TRIES and dice.random() < options.go_on:
            tries += 1
        lines = []
        for _ in range(20 * tries):  # few numbers have few ways
            line = attempt(dice, numbers)
            if line not in lines and len(lines) < tries:
                lines.append(line)
        answer = re.sub(r"\\boxed\{.*\}", lambda _: f"\\boxed{{{lines[-1][1]}}}", problem["answer"])
        json.dump({"messages": [
            {"role": "user", "content": problem["question"]},
            {"role": "assistant",
             "reasoning": "\n".join(
                 steps + (compared(value, target) if options.compare else "")
                 for steps, _, value in lines),
             "content": answer}]}, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
