#!/usr/bin/env python3
"""Checks the style rules that a machine can check: sizes, lines, characters, includes, comments.

usage: tidy.py [--warnings] [ROOT]     without ROOT, the checkout this file is in

Prints `file:line: rule: what` for each finding and exits with 1 if there are any. --warnings also
prints what is larger than a habit, but within its limit. What clang-format and check_layers.py
look at is not looked at here.
"""
import argparse
import re
import sys
import unicodedata
from fnmatch import fnmatch
from pathlib import Path

from cpp_scan import blank_comments_and_strings, comments, functions

MAX_COLUMNS = 100
MAX_FILE, USUAL_FILE = 600, 400
MAX_HEADER = 320
MAX_FUNCTION, USUAL_FUNCTION, MAX_KERNEL_FUNCTION = 90, 70, 150
MAX_FOLDER = 30

FOLDERS = ["src", "tests", "bench", "tools", "cmake", "models", ".ci"]
CPP = (".cc", ".h")
CODE = CPP + (".py", ".sh", ".cmake")
CODE_NAMES = ("run", "test", "CMakeLists.txt")
TEXT = CODE + (".md", ".json", ".env")

# Where text that is not ASCII may stand, and why.
NON_ASCII = {
    "tests/*": "texts that test Unicode",
    "docs/*": "prose and tables",
    "src/*_test.cc": "texts that test Unicode",
    "src/learn/tasks/*": "problems are written in six scripts",
    "src/text/chat/*": "chat markers are written as the models define them",
    "src/text/tokenizer/*": "pre-tokenizer patterns are written as the models define them",
    "tools/reference/*": "texts for the reference implementations",
}
# Where lines may be longer: beside raw strings, which cannot be broken, and in scripts that hold
# texts and tables for other programs.
RAW_STRING = re.compile(r'R"\(.{40,}')
LONG_LINES = ["tools/reference/*", "tools/compare/*"]
# An instruction-set file compiled with its own flags may leave no inline function behind that the
# linker could choose for everybody. Headers without such functions:
ISA_HEADERS = {"immintrin.h", "stddef.h", "stdint.h", "cstddef", "cstdint"}
# The environment is read in one file for the instruction set, and in one of the program.
GETENV = re.compile(r"\bgetenv\s*\(")
GETENV_FILE = "src/base/cpu/isa.cc"
MACRO_FILE = "src/base/core/check.h"
JUNK_NAMES = {"util", "utils", "common", "misc", "helpers"}

CODE_IN_COMMENT = re.compile(
    r"^(#\s*(include|define|if|ifdef|endif)\b.*|[{}]+;?"
    r"|(if|for|while|switch)\s*\(.*[{;]|(return|auto|const|int|float|double|void)\b.*;"
    r"|std::\w+(<.*>)?[ &*]+\w+(\s*[={(].*)?;"
    r"|[\w.:\[\]>-]+(\(.*\)|\s*[-+*/|&]?=\s.+|\+\+);)$")
# Marks that stand over or under a letter, and characters that nobody sees, take no column.
NO_COLUMN = {"Mn", "Me", "Cf"}
# A folder of somebody's machine. Written so that this line does not find itself.
MACHINE_PATH = re.compile(r"/(?:home|root|work|Users)/[\w.]")


def columns(line):
    if line.isascii():
        return len(line)
    return sum(unicodedata.category(c) not in NO_COLUMN for c in line)


class Tidy:
    def __init__(self, root):
        self.root = Path(root)
        self.findings = []
        self.warnings = []

    def report(self, name, line, rule, what):
        self.findings.append(f"{name}:{line}: {rule}: {what}")

    def warn(self, name, line, rule, what):
        self.warnings.append(f"{name}:{line}: warning: {rule}: {what}")

    def limit(self, name, line, rule, what, found, usual, most):
        if found > most:
            self.report(name, line, rule, f"{what} has {found} lines, the limit is {most}")
        elif found > usual:
            self.warn(name, line, rule, f"{what} has {found} lines, {usual} is usual")

    def check_text(self, name, text):
        if text and not text.endswith("\n"):
            self.report(name, text.count("\n") + 1, "end", "the last line has no newline")
        code = name.endswith(CODE) or name in CODE_NAMES
        short = code and not any(fnmatch(name, pattern) for pattern in LONG_LINES)
        ascii_only = not any(fnmatch(name, pattern) for pattern in NON_ASCII)
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                self.report(name, number, "space", "white space at the end of the line")
            if "\t" in line:
                self.report(name, number, "tab", "a tab")
            if short and columns(line) > MAX_COLUMNS and not RAW_STRING.search(line):
                self.report(name, number, "columns",
                            f"{columns(line)} columns, the limit is {MAX_COLUMNS}")
            if ascii_only and not line.isascii():
                odd = next(c for c in line if ord(c) > 127)
                self.report(name, number, "ascii", f"U+{ord(odd):04X} outside the files that may")
            if MACHINE_PATH.search(line):
                self.report(name, number, "path", "a folder of one machine")

    def check_cpp(self, name, text):
        bare = blank_comments_and_strings(text)
        length = text.count("\n")
        if name.endswith(".h"):
            self.limit(name, 1, "length", "the header", length, MAX_HEADER, MAX_HEADER)
            if not re.search(r"^#pragma once$", bare, re.M):
                self.report(name, 1, "guard", "a header without #pragma once")
        else:
            self.limit(name, 1, "length", "the file", length, USUAL_FILE, MAX_FILE)
        most = MAX_KERNEL_FUNCTION if name.startswith("src/math/kernels/") else MAX_FUNCTION
        for line, lines, title in functions(bare):
            self.limit(name, line, "function", title, lines, USUAL_FUNCTION, most)
        for line, comment in comments(text):
            self.check_comment(name, line, comment)
        for number, line in enumerate(bare.split("\n"), 1):
            self.check_cpp_line(name, number, line, text)

    def check_comment(self, name, line, comment):
        word = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment)
        if word:
            self.report(name, line, "todo", f"{word[0]}: do it, or say in prose what is missing")
        if CODE_IN_COMMENT.match(comment.strip()):
            self.report(name, line, "dead", "code in a comment")

    def check_cpp_line(self, name, number, line, text):
        if not line.startswith("#"):
            if name.endswith(".h") and re.match(r"\s*using\s+namespace\b", line):
                self.report(name, number, "using", "using namespace in a header")
            return
        include = re.match(r"#\s*include\s", line)
        if include:
            self.check_include(name, number, text.split("\n")[number - 1])
        elif name.startswith("src/"):
            if re.match(r"#\s*define\s+\w+\(", line) and name != MACRO_FILE:
                self.report(name, number, "macro", "a function-like macro")
            branch = re.match(r"#\s*(if|ifdef|ifndef|elif)\b", line)
            if branch and not name.startswith("src/base/cpu/"):
                self.report(name, number, "branch", "a preprocessor branch outside base/cpu")

    def check_include(self, name, number, line):
        match = re.match(r'#\s*include\s*([<"])([^>"]+)', line)
        if not match:
            return
        bracket, target = match.groups()
        if target.endswith("_test.h") and not name.endswith("_test.cc"):
            self.report(name, number, "test", f"includes {target}")
        in_isa_folder = re.match(r"src/math/kernels/(?!scalar/)\w+/", name)
        if in_isa_folder and bracket == "<" and target not in ISA_HEADERS:
            self.report(name, number, "isa", f"<{target}> in an instruction-set folder")

    def check_folder(self, folder):
        name = folder.relative_to(self.root).as_posix()
        if folder.name in JUNK_NAMES:
            self.report(name, 1, "folder", "a name that says nothing")
        files = [f for f in folder.iterdir() if f.suffix in CPP and not f.stem.endswith("_test")]
        if len(files) > MAX_FOLDER:
            self.report(name, 1, "folder",
                        f"{len(files)} files besides tests, the limit is {MAX_FOLDER}")

    def check_getenv(self, readers):
        """`readers`: name and line of each call in src/."""
        programs = sorted({name for name, _ in readers if name.startswith("src/apps/")})
        for name, line in readers:
            if name != GETENV_FILE and name != (programs or [None])[0]:
                self.report(name, line, "getenv",
                            f"only {GETENV_FILE} and one file of src/apps read the environment")

    def files(self):
        yield from (p for p in self.root.iterdir() if p.suffix in TEXT or p.name in CODE_NAMES)
        for folder in FOLDERS:
            for path in (self.root / folder).rglob("*"):
                name = path.relative_to(self.root).as_posix()
                data = name.startswith("tests/") and path.suffix == ".json"
                text = path.suffix in TEXT or path.name in CODE_NAMES or name == ".ci/run"
                if path.is_file() and text and not data:
                    yield path

    def run(self):
        readers = []
        for path in sorted(self.files()):
            name = path.relative_to(self.root).as_posix()
            text = path.read_bytes().decode("utf-8", errors="surrogateescape")
            self.check_text(name, text)
            if path.suffix in CPP:
                self.check_cpp(name, text)
                if name.startswith("src/"):
                    bare = blank_comments_and_strings(text)
                    readers += [(name, bare.count("\n", 0, match.start()) + 1)
                                for match in GETENV.finditer(bare)]
        for folder in sorted(p for p in (self.root / "src").rglob("*") if p.is_dir()):
            self.check_folder(folder)
        self.check_getenv(readers)
        return self.findings


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--warnings", action="store_true")
    parser.add_argument("root", nargs="?", default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    tidy = Tidy(options.root)
    findings = tidy.run()
    for line in findings + (tidy.warnings if options.warnings else []):
        print(line)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
