#!/usr/bin/env python3
"""Writes tests/golden/python.json: programs of the Python subset of src/learn/tasks/python, and what
CPython prints for each (null if it raises an exception).

    python3 tools/reference/python_golden.py [--count N] [--seed N] tests/golden/python.json

Some programs are written by hand for one rule each, the others are random.
"""
import argparse
import contextlib
import io
import json
import random
import re

BY_HAND = [
    # Floor division and remainders of every sign.
    "for a in [7, -7, 0, 1]:\n    for b in [2, -2, 3, -5]:\n        print(a // b, a % b)\n",
    "print(-2 ** 2, 2 ** 3 ** 2, (-2) ** 3, 0 ** 0, 1 ** 62, (-1) ** 7, 2 ** 62)\n",
    "print(9223372036854775807, -9223372036854775807 - 1)\n",
    "print((-9223372036854775807 - 1) % -1)\n",
    "print(1 < 2 < 3, 1 < 3 < 2, 1 == 1 != 2 >= 2, 3 > 2 > 2)\n",
    "def f(x):\n    print(x)\n    return x\nprint(f(1) < f(0) < f(5))\nprint(f(0) or f(2) or f(3))\n"
    "print(f(0) and f(2), f(4) and f(0) and f(1))\n",
    "print(1 and 2, 0 and 2, 0 or [], [] or 'a', not 0, not 'a', not [], not not [0])\n",
    "print(True + True, -True, True * 'ab', abs(-3), abs(False), True == 1, False < True, int(True))\n",
    "print([1, 'a', \"it's\", 'say \"x\"', '\\'\"', 'a\\nb\\t\\\\', True, None, [], [[1]]])\n",
    "print('a\\tb\\n\\'c\\' \"d\" \\\\')\nprint()\nprint('a', 1, [2], None)\n",
    "a = [1, 2]\nb = a\nb += [3]\nprint(a, b)\na = a + [4]\nprint(a, b)\na *= 2\nprint(a, b)\n",
    "a = [1]\na += 'xy'\na += range(2)\na += a\nprint(a)\n",
    "a = [3, 1, 2]\na[0] += 5\na[-1] = 7\na[1] *= a[0]\nprint(a, len(a), a[0], a[-3])\n",
    "a = [[0] * 2] * 2\na[0][1] = 5\nprint(a)\na[1] += [1]\nprint(a)\n",
    "s = 'abcdef'\nprint(s[1:4], s[:2], s[-2:], s[::2], s[::-1], s[4:1:-1], s[10:], s[:-10], s[-10:2])\n",
    "a = [0, 1, 2, 3, 4]\nprint(a[1:3], a[::-2], a[-1:-4:-1], a[3:None], a[None:2:None], a[True:])\n",
    "print(a[::-1] if False else 1)\n",
    "print(list(range(3)))\n",
    "for i in range(3):\n    print(i)\nprint(i)\nfor i in range(5, 0, -2):\n    print(i)\nfor i in range(0):\n"
    "    print('never')\nprint(i)\n",
    "a = [1, 2, 3]\nfor x in a:\n    if x < 3:\n        a.append(x + 2)\nprint(a)\n",
    "for c in 'abc':\n    if c == 'b':\n        continue\n    print(c)\nwhile True:\n    break\n",
    "n = 0\nwhile n < 10:\n    n += 1\n    if n % 2 == 0:\n        continue\n    if n > 7:\n        break\n"
    "    print(n)\nprint('end', n)\n",
    "def fact(n):\n    if n <= 1:\n        return 1\n    return n * fact(n - 1)\nprint(fact(20), fact(5))\n",
    "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\nprint(fib(12))\n",
    "def even(n):\n    if n == 0:\n        return True\n    return odd(n - 1)\ndef odd(n):\n    if n == 0:\n"
    "        return False\n    return even(n - 1)\nprint(even(9), odd(9))\n",
    "def f():\n    pass\nprint(f())\ndef g():\n    return\nprint(g())\n",
    "x = 1\ndef f():\n    return x\nx = 2\nprint(f())\ndef g(x):\n    x += 1\n    return x\nprint(g(5), x)\n",
    "x = 1\ndef f():\n    x += 1\n    return x\nprint(f())\n",
    "def f(a):\n    a.append(1)\n    a = [9]\n    return a\nb = []\nprint(f(b), b)\n",
    "sum = 3\nprint(sum + 1)\n", "sum = 3\nprint(sum([1]))\n", "len = 3\nmax = [len]\nprint(max)\n",
    "print(min(3, 1, 2), max([4, 9, 2]), min('bca'), max('ab', 'b'), sum([1, 2], 10), sum(range(5)))\n",
    "print(min([2, 1], [1, 5]), max(True, 1), max(1, True), sorted([3, 1, 2]), sorted('cab'))\n",
    "print(sorted([[2, 1], [1, 9], [1]]), sorted([True, 0, 1, False]), sum([[1], [2]], []))\n",
    "print(int('12'), int(' -5\\n'), int('+7'), int('007'), str(12) + 'a', str([1, 'b']), str('x'))\n",
    "print(int('1.5'))\n", "print(int(''))\n", "print(int('+-5'))\n", "print(int('- 5'))\n",
    "print(len('abc'), len([]), len(range(10)), len(range(10, 0, -3)), len(range(0, -5)))\n",
    "print([1, 2] == [1, 2], [1] == [1, 2], [1, 2] < [1, 3], [1] < [1, 0], [2] > [1, 5], 'a' < 'b')\n",
    "print('a' == 1, None == 0, [] == None, None == None, 1 != '1', True == [1], [True] == [1])\n",
    "print(1 < 'a')\n", "print([1] < 2)\n", "print(None < 1)\n", "print(1 + 'a')\n", "print('a' - 'b')\n",
    "print([1] + (2))\n", "print(-'a')\n", "print('ab' * -1, [1] * 0, 3 * 'x', 2 * [1, [2]])\n",
    "print('abc'[5])\n", "print([][0])\n", "print([1][-2])\n", "print(5[0])\n", "print('abc'['a'])\n",
    "print(1 // 0)\n", "print(1 % 0)\n", "print(undefined)\n", "undefined += 1\n", "f()\n", "x = 3\nx()\n",
    "x = 3\nx[0] = 1\n", "s = 'abc'\ns[0] = 'x'\n", "for x in 5:\n    print(x)\n", "range(1, 5, 0)\n",
    "def f(a, b):\n    return a\nf(1)\n", "def f(a):\n    return a\nf(1, 2)\n", "max([])\n", "sum(['a'])\n",
    "abs('a')\n", "len(5)\n", "sorted([1, 'a'])\n", "x = [1, 2, 3]\nx.append(4, 5)\n", "(3).append(1)\n",
    "if True:\n    x = 1\nelif y:\n    x = 2\nelse:\n    x = 3\nprint(x)\n",
    "x = 7\nif x < 5:\n    print('a')\nelif x < 10:\n    print('b')\nelif x < 20:\n    print('c')\n"
    "else:\n    print('d')\n",
    "# a comment\n\nx = (1 +\n     2)  # and one here\n\n  # indented\nprint(x,\n      [3,\n       4])\n",
    "if 1:\n  if 2:\n        print('deep')\n  print('less')\nprint('out')",
    "  x = 1\n", "if 1:\nprint(1)\n", "if 1:\n    x = 1\n  y = 2\n", "x = 1\n    y = 2\n", "break\n", "return 1\n",
    "def f(a, a):\n    return 1\n", "x = 012\n", "x = 00\n", "1 = x\n", "f(1) = 2\n", "x + 1 = 2\n", "None = 1\n",
    "print(1\n", "print(1))\n", "x = [1, 2\n", "x = 'abc\n", "x = 1 +\n", "x == not 1\n", "1 + not 2\n", "a b\n",
    "if x\n    y = 1\n", "print(,)\n", "x[]\n", "x = = 1\n", "while:\n    pass\n", "else:\n    pass\n",
    "def f():\n", "x = 5 5\n", "print('a' if 1 else)\n", "for 1 in [1]:\n    pass\n", "x = 1 <> 2\n",
    "a = [5]\ndef f():\n    a.append(7)\n    return 1\na[0] += f()\nprint(a)\na[-1] = f() + a[-1]\nprint(a)\n",
    "def log(x):\n    print(x)\n    return x\na = [1, 2]\na[log(1)] = log(5)\na[log(0)] += log(6)\nprint(a)\n"
    "print(log(1) - log(2) * log(3) ** log(2))\n",
]


class Writer:
    """Writes random programs."""

    def __init__(self, rng):
        self.rng = rng
        self.names = ["a", "b", "c"]
        self.functions = []

    def integer(self, depth):
        r = self.rng
        kind = r.random()
        if depth <= 0 or kind < 0.25:
            return str(r.randint(0, 12)) if r.random() < 0.5 else r.choice(self.names)
        if kind < 0.65:
            op = r.choice(["+", "-", "*", "//", "%"])
            return f"{self.part(depth)} {op} {self.part(depth)}"
        if kind < 0.70:
            return f"-{self.part(depth)}"
        if kind < 0.73:
            return f"{self.part(depth)} ** {r.randint(0, 3)}"
        if kind < 0.80:
            return f"{r.choice(['max', 'min'])}({self.integer(depth - 1)}, {self.integer(depth - 1)})"
        if kind < 0.84:
            return f"abs({self.integer(depth - 1)})"
        if kind < 0.88:
            return f"len({self.sequence(depth - 1)})"
        if kind < 0.92:
            return f"{r.choice(['xs', 's'])}[{self.integer(depth - 1)}]" if r.random() < 0.3 else (
                f"xs[{r.randint(-3, 2)}]")
        if kind < 0.96 and self.functions:
            return f"{r.choice(self.functions)}({self.integer(depth - 1)})"
        return f"({self.condition(depth - 1)})"

    def part(self, depth):
        text = self.integer(depth - 1)
        return f"({text})" if self.rng.random() < 0.3 else text

    def sequence(self, depth):
        r = self.rng
        kind = r.random()
        if depth <= 0 or kind < 0.3:
            return r.choice(["xs", "s", "'ab'", "[1, 2]", "[]"])
        if kind < 0.5:
            low, high = (r.choice(["", str(r.randint(-4, 4))]) for _ in range(2))
            return f"{r.choice(['xs', 's'])}[{low}:{high}" + r.choice(["]", "]", f":{r.choice([-2, -1, 2])}]"])
        if kind < 0.7:
            return f"[{', '.join(self.integer(depth - 1) for _ in range(r.randint(0, 3)))}]"
        if kind < 0.8:
            return f"sorted({self.sequence(depth - 1)})"
        if kind < 0.9:
            return f"{r.choice(['xs', 's', '[0]'])} * {r.randint(-1, 2)}"
        return f"str({self.integer(depth - 1)})"

    def condition(self, depth):
        r = self.rng
        kind = r.random()
        compare = ["==", "!=", "<", "<=", ">", ">="]
        if depth <= 0 or kind < 0.6:
            return f"{self.integer(depth - 1)} {r.choice(compare)} {self.integer(depth - 1)}"
        if kind < 0.7:
            return " ".join([self.integer(0), r.choice(compare), self.integer(0), r.choice(compare),
                             self.integer(0)])
        if kind < 0.8:
            return f"not {self.condition(depth - 1)}"
        return f"{self.condition(depth - 1)} {r.choice(['and', 'or'])} {self.condition(depth - 1)}"

    def value(self):
        kind = self.rng.random()
        return self.integer(3) if kind < 0.7 else self.condition(2) if kind < 0.8 else self.sequence(2)

    def block(self, depth, loop, size):
        return "".join(self.statement(depth, loop) for _ in range(self.rng.randint(1, size)))

    def statement(self, depth, loop):
        r = self.rng
        pad = "    " * depth
        kind = r.random()
        if kind < 0.3:
            return f"{pad}{r.choice(self.names)} = {self.integer(3)}\n"
        if kind < 0.42:
            return f"{pad}{r.choice(self.names)} {r.choice(['+', '-', '*', '//', '%'])}= {self.integer(2)}\n"
        if kind < 0.5:
            return f"{pad}xs.append({self.integer(2)})\n"
        if kind < 0.55:
            return f"{pad}xs[{r.randint(-2, 1)}] {r.choice(['', '+', '-'])}= {self.integer(2)}\n"
        if kind < 0.65 or depth > 2:
            return f"{pad}print({', '.join(self.value() for _ in range(r.randint(1, 2)))})\n"
        if kind < 0.8:
            text = f"{pad}if {self.condition(2)}:\n{self.block(depth + 1, loop, 2)}"
            if r.random() < 0.3:
                text += f"{pad}elif {self.condition(1)}:\n{self.block(depth + 1, loop, 2)}"
            if r.random() < 0.5:
                text += f"{pad}else:\n{self.block(depth + 1, loop, 2)}"
            return text
        if kind < 0.9:
            over = r.choice(["range(3)", "range(1, 8, 2)", "range(4, 0, -1)", "xs[:3]", "[2, 0, 5]"])
            return f"{pad}for {r.choice(self.names + ['i'])} in {over}:\n{self.block(depth + 1, True, 3)}"
        if kind < 0.95 and loop:
            return f"{pad}if {self.condition(1)}:\n{pad}    {r.choice(['break', 'continue'])}\n"
        return (f"{pad}w{depth} = {r.randint(1, 4)}\n{pad}while w{depth} > 0:\n{pad}    w{depth} -= 1\n"
                f"{self.block(depth + 1, True, 2)}")

    def program(self):
        text = ""
        for name in self.rng.sample(["f", "g"], self.rng.randint(0, 2)):
            self.names = ["n", "m"]
            body = self.block(1, False, 2) if self.rng.random() < 0.5 else ""
            text += f"def {name}(n):\n    m = n + {self.rng.randint(0, 5)}\n{body}"
            text += f"    return {self.integer(2)}\n"
            self.functions.append(name)
        self.names = ["a", "b", "c"]
        text += "".join(f"{n} = {self.rng.randint(-5, 20)}\n" for n in self.names)
        text += f"xs = [{self.rng.randint(0, 9)}, {self.rng.randint(0, 9)}, 4]\ns = 'bca'\n"
        return text + self.block(0, False, 6) + "print(a, b, c, xs)\n"


def output_of(source):
    """What CPython prints; None if it raises, and False if an integer leaves 64 bits."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(source, "program", "exec"), {})
    except Exception:
        return None
    text = out.getvalue()
    numbers = [int(word) for word in re.findall(r"\d+", text)]
    return text if max(numbers, default=0) < 2**63 + 1 else False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("output")
    options = parser.parse_args()
    # These are Python, but not of the subset: the interpreter refuses what CPython runs.
    outside = ["print(a[::-1] if False else 1)\n", "print(list(range(3)))\n", "x = 00\n"]
    cases = [{"source": s, "output": None if s in outside else output_of(s)} for s in BY_HAND]
    rng = random.Random(options.seed)
    while len(cases) < len(BY_HAND) + options.count:
        source = Writer(rng).program()
        output = output_of(source)
        # Most programs that stop do so for the same few reasons.
        if output is False or len(source) > 900 or (output is None and rng.random() < 0.8):
            continue
        if output is not None and len(output) > 400:
            continue
        cases.append({"source": source, "output": output})
    with open(options.output, "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
