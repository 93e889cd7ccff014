#!/usr/bin/env python3
"""Tests of check_docs.py: a small tree that is right, and one wrong thing at a time."""
import tempfile
import unittest
from pathlib import Path

from check_docs import Checker

README = """# Title
[a](docs/a.md) and [its part](docs/a.md#one-two), [docs](docs/), ![x](x.png "a title")
[net](https://example.org/none.md), [mail](mailto:a@example.org), [here](#title), [b][ref]

[ref]: <docs/a.md>
`[no](code.md)`
```
[no](fenced.md)
```
"""
TREE = {
    "README.md": README,
    "x.png": "",
    "docs/a.md": "# One, `two`!\n[up](../README.md) [again](#one-two-1)\n## One two\n",
    "tools/README.md": "| what | does |\n| --- | --- |\n| `python tools/run.py [X]` | runs |\n",
    "tools/run.py": "",
    "build/x.md": "[x](none.md)",
}


def findings(changes):
    """What the checker reports of TREE with some files replaced, added, or (None) removed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**TREE, **changes}.items():
            if text is not None:
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return Checker(folder).run()


class CheckDocsTest(unittest.TestCase):
    def expect(self, found, changes):
        self.assertEqual(findings(changes), found)

    def test_a_tree_in_order_has_no_findings(self):
        self.expect([], {})

    def test_links_that_lead_nowhere(self):
        self.expect(["docs/b.md:2: link: none.md leads nowhere"],
                    {"docs/b.md": "\n[x](none.md) [y](a.md)\n"})
        self.expect(["docs/b.md:1: link: none.md leads nowhere"], {"docs/b.md": "[x]: none.md\n"})
        self.expect(["docs/b.md:1: link: docs/a.md leads nowhere"],
                    {"docs/b.md": "[from the root, wrongly](docs/a.md)\n"})
        self.expect(["docs/b.md:4: link: none.md leads nowhere"],
                    {"docs/b.md": "```\n[x](other.md)\n```\n[x](none.md)\n"})

    def test_a_link_out_of_the_project(self):
        self.expect(["docs/b.md:1: outside: ../../etc/passwd leads out of the project"],
                    {"docs/b.md": "[x](../../etc/passwd)\n"})

    def test_headings_that_are_not_there(self):
        self.expect(["docs/b.md:1: anchor: a.md#three: no such heading"],
                    {"docs/b.md": "[x](a.md#three)\n"})
        self.expect(["docs/b.md:2: anchor: #three: no such heading"],
                    {"docs/b.md": "# Four\n[x](#three)\n"})

    def test_tables_without_a_head(self):
        table = "| a | b |\n| --- | :-: |\n| 1 | 2 |\n"
        self.expect([], {"docs/b.md": table + "\ntext\n\n" + table})
        self.expect(["docs/b.md:5: table: rows without a head"],
                    {"docs/b.md": table + "\n| 3 | 4 |\n| 5 | 6 |\n"})
        self.expect(["docs/b.md:1: table: rows without a head"], {"docs/b.md": "| 3 | 4 |"})
        self.expect([], {"docs/b.md": "```\n| 3 | 4 |\n```\n"})

    def test_tools_without_a_row(self):
        self.expect(["tools/more/a.sh:1: row: has no row in tools/README.md"],
                    {"tools/more/a.sh": ""})
        self.expect(["tools/run.py:1: row: has no row in tools/README.md"],
                    {"tools/README.md": "`tools/run.py` in no table\n"})
        self.expect(["tools/un.py:1: row: has no row in tools/README.md"], {"tools/un.py": ""})


if __name__ == "__main__":
    unittest.main()
