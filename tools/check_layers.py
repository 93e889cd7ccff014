#!/usr/bin/env python3
"""Checks that the folders under src/ form one line: each includes only folders above it in LAYERS.

What LAYERS allows must also be used.

usage: check_layers.py [ROOT]     without ROOT, the checkout this file is in

Prints `file:line: rule: what` for each finding and exits with 1 if there are any.
"""
import re
import sys
from pathlib import Path

BANDS = ["base", "math", "text", "model", "serve", "learn", "apps"]
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Checker:
    def __init__(self, root):
        self.root = Path(root)
        self.findings = []
        self.allowed = {}  # folder -> folders it may include, in the order of LAYERS
        self.lines = {}  # folder -> its line in LAYERS
        self.used = {}  # folder -> folders that a file of it includes

    def report(self, path, line, rule, what):
        self.findings.append(f"{Path(path).relative_to(self.root)}:{line}: {rule}: {what}")

    def read_layers(self):
        path = self.root / "LAYERS"
        for number, text in enumerate(path.read_text().splitlines(), 1):
            if text.startswith("#") or not text.strip():
                continue
            match = re.fullmatch(r"([a-z_]+(?:/[a-z_]+)?):((?: [a-z_/]+)*) ?", text)
            if not match:
                self.report(path, number, "syntax", 'expected "folder: folders it may include"')
                continue
            folder, names = match[1], match[2].split()
            if folder in self.allowed:
                self.report(path, number, "twice", f"{folder} stands on line {self.lines[folder]}")
            for name in names:
                if name == folder:
                    self.report(path, number, "itself", f"{folder} may include itself anyway")
                elif name not in self.allowed:
                    self.report(path, number, "order", f"{folder} may not name {name}, which has"
                                " no line above")
            self.allowed[folder] = set(names)
            self.lines[folder] = number
        self.check_bands(path)

    def check_bands(self, path):
        highest = 0
        for folder, number in self.lines.items():
            band = folder.split("/")[0]
            if band not in BANDS:
                self.report(path, number, "band", f"{band} is none of {' '.join(BANDS)}")
            elif BANDS.index(band) < highest:
                self.report(path, number, "band", f"{folder} stands below {BANDS[highest]}/")
            else:
                highest = BANDS.index(band)

    def check_folders(self):
        for folder, number in self.lines.items():
            if not any((self.root / "src" / folder).glob("**/*.cc")):
                self.report(self.root / "LAYERS", number, "empty", f"src/{folder} has no .cc file")

    def folder_of(self, name):
        """The LAYERS folder of a path below src/, or None."""
        parts = name.split("/")
        for depth in range(len(parts) - 1, 0, -1):
            folder = "/".join(parts[:depth])
            if folder in self.allowed:
                return folder
        return None

    def check_file(self, path):
        """Checks one file's includes; returns those that are files of the project."""
        name = path.relative_to(self.root / "src").as_posix()
        folder = self.folder_of(name)
        if folder is None:
            self.report(path, 1, "folder", f"{name} belongs to no folder that LAYERS names")
            return []
        targets = []
        for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(text)
            if not match:
                continue
            bracket, target = match.groups()
            exists = (self.root / "src" / target).is_file()
            if bracket == "<":
                if exists:
                    self.report(path, number, "quotes", f'write "{target}", a file of the project')
                continue
            if not exists:
                self.report(path, number, "path", f'"{target}" is no file below src/')
                continue
            targets.append((number, target))
            self.check_target(path, number, name, folder, target)
        return targets

    def check_target(self, path, number, name, folder, target):
        if target.endswith(".cc"):
            self.report(path, number, "source", f'"{target}" is not a header')
        if target.endswith("_test.h") and not name.endswith("_test.cc"):
            self.report(path, number, "test", f'product code includes "{target}"')
        other = self.folder_of(target)
        self.used.setdefault(folder, set()).add(other)
        if other not in (None, folder) and other not in self.allowed[folder]:
            self.report(path, number, "layer", f"{folder} may not include {other} (LAYERS)")

    def check_grants(self):
        """Reports what LAYERS allows and no file does. What only tests include counts as used."""
        for folder, names in self.allowed.items():
            for name in sorted(names - self.used.get(folder, set())):
                if name != folder and name in self.allowed:
                    self.report(self.root / "LAYERS", self.lines[folder], "unused",
                                f"{folder} includes nothing of {name}")

    def check_cycles(self, graph):
        """Reports each file that closes a ring of includes."""
        state = {}  # name -> "open" while it is on the path, then "done"

        def visit(name, trail):
            state[name] = "open"
            for number, target in graph.get(name, []):
                if state.get(target) == "open":
                    ring = " -> ".join(trail[trail.index(target):] + [target])
                    self.report(self.root / "src" / name, number, "cycle", ring)
                elif target not in state:
                    visit(target, trail + [target])
            state[name] = "done"

        for name in sorted(graph):
            if name not in state:
                visit(name, [name])

    def run(self):
        self.read_layers()
        self.check_folders()
        graph = {}
        for path in sorted((self.root / "src").rglob("*")):
            if path.suffix in (".h", ".cc"):
                graph[path.relative_to(self.root / "src").as_posix()] = self.check_file(path)
        self.check_grants()
        self.check_cycles(graph)
        return self.findings


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    findings = Checker(root).run()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
