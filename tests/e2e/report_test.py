#!/usr/bin/env python3
"""minke report: one page about a training run, from its folder."""
import html.parser
import json
import shutil
import tempfile
from pathlib import Path

import harness

VOID = {"meta", "line", "link", "br", "img", "path"}


class Page(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects what the tests look at."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.tags, self.links = [], [], [], []
        self.described, self.drawings = set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.links += [attrs[key] for key in ("href", "src", "action") if key in attrs]
        if tag in ("title", "desc") and "id" in attrs:
            self.described.add(attrs["id"])
        if tag == "svg" and attrs.get("role") == "img":
            self.drawings.append(attrs["aria-labelledby"].split())
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def step(number, **more):
    return {"kind": "step", "step": number, "stage": int(number > 300), "tokens": 1000 * number,
            "loss": 8 / number ** 0.5, "lr": 1e-3, "gradient_norm": 1 + 1 / number,
            "seconds": 3.6, "tokens_per_second": 277.8, "expert_load": [1.5, 1.2], **more}


class ReportTest(harness.ProgramTest):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="minke-report-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.run_folder = self.folder / "a <b>run"
        self.run_folder.mkdir()

    def write_log(self, *records, tail=""):
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (self.run_folder / "log.jsonl").write_text(lines + tail)

    def page(self, *options):
        output = self.folder / "page.html"
        self.succeed("report", self.run_folder, "-o", output, *options)
        return output.read_text()

    def full_log(self):
        sitting = {"kind": "sitting", "step": 0, "threads": 2, "parameters": 26_300_000,
                   "active_parameters": 7_000_000, "flops_per_token": 4e7, "peak_flops": 1e11,
                   "machine": "<script>alert(1)</script>"}
        steps = [step(n, joules=36) for n in range(1, 501)]
        evaluations = [{"kind": "evaluation", "step": n, "tokens": 1000 * n,
                        "values": {"loss": 2, "accuracy": n / 500, "accuracy.<sums>": 0.25}}
                       for n in (100, 500)]
        self.write_log(sitting, *steps, *evaluations, tail='{"kind": "st')

    def test_the_page_stands_alone_and_is_well_formed(self):
        self.full_log()
        text = self.page()
        page = Page(text)
        self.assertEqual(page.wrong, [])
        self.assertEqual(page.open, [])
        self.assertEqual(page.links, [])
        self.assertNotIn("script", page.tags)
        self.assertNotRegex(text, r"url\(|@import|https?://")
        self.assertIn("prefers-color-scheme:dark", text)
        self.assertIn('name="viewport"', text)

    def test_every_drawing_has_title_description_and_table(self):
        self.full_log()
        page = Page(self.page())
        self.assertEqual(len(page.drawings), 6)
        for names in page.drawings:
            self.assertLessEqual(set(names), page.described)
        self.assertEqual(page.tags.count("figure"), 6)
        self.assertEqual(page.tags.count("details"), 6)

    def test_the_costs_are_those_of_the_log(self):
        self.full_log()
        text = self.page("--price", "0.5")
        for name, value in [("steps", "500"), ("tokens", "500 k"), ("core-hours", "1"),
                            ("computed", "20 T FLOP"), ("share of the peak", "11.1 %"),
                            ("energy", "0.005 kWh"), ("price", "0.50, at 0.5 a core-hour"),
                            ("time", "30.0 min")]:
            self.assertIn(f'<th scope="row">{name}</th><td>{value}</td>', text)

    def test_what_is_not_known_is_left_out(self):
        self.write_log(step(1), step(2))
        text = self.page()
        for name in ("energy", "price", "share of the peak", "Evaluations"):
            self.assertNotIn(name, text)

    def test_everything_from_outside_is_escaped(self):
        self.full_log()
        (self.run_folder / "recipe.toml").write_bytes(b"# <i>&\"\n\xff\x07 x = 1\n")
        text = self.page()
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", text)
        self.assertIn("a &lt;b&gt;run", text)
        self.assertIn("accuracy.&lt;sums&gt;", text)
        self.assertIn("# &lt;i&gt;&amp;&quot;\n\\xff\\x07 x = 1\n", text)

    def test_numbers_that_are_none_leave_gaps(self):
        self.write_log(step(1), step(2, loss=None, gradient_norm=None), step(3))
        text = self.page()
        self.assertNotRegex(text, r'\bd="[^"]*(nan|inf)')
        self.assertEqual(Page(text).wrong, [])

    def test_an_empty_log_is_a_page_without_curves(self):
        self.write_log()
        self.assertEqual(Page(self.page()).drawings, [])

    def test_the_page_lies_in_the_run_unless_told(self):
        self.write_log(step(1))
        self.succeed("report", self.run_folder)
        self.assertTrue((self.run_folder / "report.html").is_file())

    def test_what_is_no_run_is_refused(self):
        self.refuse(1, "report", self.folder, says="log.jsonl")
        self.refuse(1, "report", self.folder / "missing", says="missing")
        self.refuse(2, "report", self.run_folder, "--price", "x", says="--price")
        self.write_log({"kind": "step", "loss": "x"}, step(1))
        self.refuse(1, "report", self.run_folder, says="log.jsonl: line 1: loss")
        self.write_log(step(1))
        self.refuse(1, "report", self.run_folder, "-o", self.folder, says="a folder")


if __name__ == "__main__":
    harness.main()
