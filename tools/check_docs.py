#!/usr/bin/env python3
"""Checks the Markdown files: links within the project lead somewhere, tables have a head, and each
tool has a row.

usage: check_docs.py [ROOT]     without ROOT, the checkout this file is in

Prints `file:line: rule: what` for each finding and exits with 1 if there are any. Links to the
network are not followed; code is not looked at. The rows of the tools are in tools/README.md.
"""
import re
import sys
from pathlib import Path
from urllib.parse import unquote

SKIPPED = {"build", ".git", ".venv", "node_modules"}
# [text](target "title"), also of images, and [name]: target.
INLINE = re.compile(r'\]\(\s*<?([^\s)>]*)>?(?:\s+"[^"]*")?\s*\)')
DEFINITION = re.compile(r"\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
FENCE = re.compile(r"\s*(```+|~~~+)")
CODE = re.compile(r"(`+)(?:(?!\1).)+\1")
DELIMITERS = re.compile(r"\|(\s*:?-+:?\s*\|)+\s*$")
HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*\s*$")


def prose(path):
    """(line number, text) of the lines outside fenced code."""
    fence = None
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark = FENCE.match(text)
        if mark and fence is None:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = None
        elif fence is None:
            yield number, text


def anchors(path):
    """The names that GitHub gives the headings of a file; repeated ones are numbered."""
    names = set()
    for _, text in prose(path):
        heading = HEADING.match(text)
        if not heading:
            continue
        words = re.sub(r"\]\([^)]*\)", "", heading[1]).lower()
        base = name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = 0
        while name in names:
            count += 1
            name = f"{base}-{count}"
        names.add(name)
    return names


class Checker:
    def __init__(self, root):
        self.root = Path(root).resolve()
        self.findings = []

    def report(self, path, line, rule, what):
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {rule}: {what}")

    def check_link(self, path, line, link):
        if SCHEME.match(link) or link.startswith("//"):
            return
        name, _, anchor = unquote(link).partition("#")
        target = path if not name else (
            self.root / name.lstrip("/") if name.startswith("/") else path.parent / name).resolve()
        if not target.is_relative_to(self.root):
            self.report(path, line, "outside", f"{link} leads out of the project")
        elif not target.exists():
            self.report(path, line, "link", f"{link} leads nowhere")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            self.report(path, line, "anchor", f"{link}: no such heading")

    def check_links(self, path):
        for number, text in prose(path):
            text = CODE.sub("", text)
            links = INLINE.findall(text)
            definition = DEFINITION.match(text)
            if definition:
                links.append(definition[1])
            for link in links:
                self.check_link(path, number, link)

    def check_tables(self, path):
        """A block of rows without the line of dashes, such as one behind an empty line, is text."""
        rows = {number: text for number, text in prose(path) if text.startswith("|")}
        for number in rows:
            if number - 1 not in rows and not DELIMITERS.match(rows.get(number + 1, "")):
                self.report(path, number, "table", "rows without a head")

    def check_tools(self):
        """Each script under tools/ stands in a table of tools/README.md, by its path in tools/."""
        readme = self.root / "tools" / "README.md"
        rows = [text for text in readme.read_text(encoding="utf-8").splitlines()
                if text.startswith("|")] if readme.exists() else []
        for path in sorted((self.root / "tools").rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.suffix in (".py", ".sh") and not any(
                    re.search(rf"(?<![\w/]){re.escape(name)}(?![\w.])", row) for row in rows):
                self.report(path, 1, "row", "has no row in tools/README.md")

    def run(self):
        for path in sorted(self.root.rglob("*.md")):
            if not SKIPPED & set(path.relative_to(self.root).parts):
                self.check_links(path)
                self.check_tables(path)
        self.check_tools()
        return self.findings


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    findings = Checker(root).run()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
