#!/usr/bin/env python3
"""minke eval: how many problems a model solves, on tasks and on files of problems."""
import html.parser
import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import harness
import talkative_model

FEW = ["sums", "--languages", "en,zh", "--levels", "1", "-n", "3", "--max-tokens", "8"]
ONE = ["sums", "--languages", "en", "--levels", "1", "-n", "1", "--max-tokens", "4"]


class Page(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects the texts of table cells."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.tags, self.links, self.cells = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("href", "src", "action")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


class EvalTest(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="minke-eval-")
        cls.folder = Path(cls.temporary.name)
        (cls.folder / "model").mkdir()
        cls.model = talkative_model.write(cls.folder / "model")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def write(self, name, *objects):
        path = self.folder / name
        path.write_text("".join(o if isinstance(o, str) else json.dumps(o) + "\n"
                                for o in objects), encoding="utf-8")
        return path

    def test_every_cell_is_told(self):
        found = self.succeed_json("eval", self.model, *FEW, "--show", "100")
        self.assertTrue(found["complete"])
        self.assertEqual((found["questions"], found["replies"]), (6, 6))
        self.assertEqual([(c["task"], c["language"], c["level"], c["questions"])
                          for c in found["cells"]], [("sums", "en", 1, 3), ("sums", "zh", 1, 3)])
        # A model of noise never stops and solves nothing.
        self.assertEqual((found["accuracy"], found["cut"]), (0, 6))
        self.assertEqual((found["tokens_per_reply"], found["generated_tokens"]), (8, 48))
        self.assertEqual(found["pass_at"], {"1": 0})
        self.assertAlmostEqual(found["high"], 0.39033, 4)
        self.assertEqual(len(found["wrong"]), 6)
        self.assertGreater(found["prompt_tokens"], 6 * 10)
        for tally in [found, *found["cells"]]:
            self.assertTrue(0 <= tally["thinking_in_language"] <= 1)

    def test_the_problems_are_those_of_the_seed(self):
        def questions(*options):
            found = self.succeed_json("eval", self.model, *options, "--show", "100")["wrong"]
            return {(w["language"], w["index"]): w["question"] for w in found}
        all_of_them = questions(*FEW)
        self.assertEqual(len(all_of_them), 6)
        alone = questions("sums", "--languages", "zh", "--levels", "1", "-n", "2",
                          "--max-tokens", "1", "--samples", "2")
        self.assertEqual(alone, {key: text for key, text in all_of_them.items()
                                 if key[0] == "zh" and key[1] < 2})
        self.assertNotEqual(questions(*FEW, "--seed", "1"), all_of_them)
        self.assertNotEqual(questions(*FEW, "--split", "train"), all_of_them)

    def test_replies_do_not_depend_on_the_batch(self):
        def replies(*options):
            found = self.succeed_json("eval", self.model, *FEW, "--show", "100", *options)
            return [w["reply"] for w in found["wrong"]]
        greedy = replies()
        self.assertEqual(len(greedy), 6)
        self.assertEqual(replies("--batch", "1", "--threads", "1"), greedy)
        drawn = replies("--temp", "1")
        self.assertNotEqual(drawn, greedy)
        self.assertEqual(replies("--temp", "1", "--batch", "4"), drawn)

    def test_replies_are_those_of_run(self):
        # The model's context holds any reply, so only --max-tokens ends it.
        [wrong] = self.succeed_json("eval", self.model, *ONE, "--show", "1")["wrong"]
        alone = self.succeed_json("run", self.model, "-p", wrong["question"], "-n", "4")
        self.assertEqual(alone["text"], wrong["reply"])

    def test_tables_to_read(self):
        text = self.succeed("eval", self.model, *FEW, "--show", "1").text
        self.assertRegex(text, r"(?m)^task +en +zh +all +95 %$")
        self.assertRegex(text, r"(?m)^sums +0\.0 +0\.0 +0\.0 +0\.0 to 39\.0$")
        self.assertRegex(text, r"(?m)^task +level 1 +all")
        self.assertIn("--- sums, en, level 1, number 1\n", text)
        self.assertIn("expected: ", text)
        self.assertRegex(text, r"(?m)^6 questions, 0\.0 % right, 8\.0 tokens a reply, "
                               r"100\.0 % cut; .* tokens/s$")

    def test_several_samples(self):
        found = self.succeed_json("eval", self.model, *ONE, "--samples", "3")
        self.assertEqual((found["questions"], found["replies"]), (1, 3))
        self.assertEqual(found["pass_at"], {"1": 0, "2": 0, "3": 0})
        self.assertEqual(found["temperature"], 0.8)
        self.refuse(2, "eval", self.model, *ONE, "--samples", "2", "--temp", "0", says="--temp")

    def test_the_page_stands_alone(self):
        output = self.folder / "page.html"
        self.succeed("eval", self.model, *FEW, "--show", "2", "-o", output)
        text = output.read_text(encoding="utf-8")
        page = Page(text)
        self.assertEqual((page.wrong, page.open, page.links), ([], [], []))
        self.assertNotIn("script", page.tags)
        self.assertNotRegex(text, r"url\(|@import|https?://")
        self.assertIn("sums", page.cells)
        self.assertIn("0.0 to 39.0", page.cells)
        self.assertEqual(page.tags.count("details"), 2)

    def test_an_interrupt_keeps_what_is_there(self):
        # Far more than can be done in the time.
        command = [self.program, "eval", self.model, "sums", "--languages", "en", "--levels", "1",
                   "-n", "1000", "--samples", "100", "--max-tokens", "200", "--json"]
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, err)
        found = json.loads(out)
        self.assertFalse(found["complete"])
        self.assertLess(found["questions"], 1000)

    def test_files_of_problems(self):
        gsm8k = self.write("gsm8k.jsonl", {"question": "How many?", "answer": "#### 1,000"},
                           {"question": "And now?", "answer": "so\n#### 2"})
        found = self.succeed_json("eval", self.model, "--file", gsm8k, "--format", "gsm8k",
                                  "--max-tokens", "4", "--show", "2")
        self.assertEqual([(c["task"], c["questions"]) for c in found["cells"]], [("gsm8k", 2)])
        self.assertIn("How many?", found["wrong"][0]["question"])
        self.assertIn("\\boxed{}", found["wrong"][0]["question"])
        self.assertEqual(found["wrong"][0]["expected"], "\\boxed{1000}")
        math = self.write("math.jsonl", {"problem": "x?", "answer": "\\frac{1}{2}", "level": 4},
                          {"problem": "y?", "answer": "2", "level": 5})
        found = self.succeed_json("eval", self.model, "--file", math, "--format", "math500",
                                  "--max-tokens", "4", "-n", "1")
        self.assertEqual([(c["level"], c["questions"]) for c in found["cells"]], [(4, 1)])

    def test_own_problems_with_checkers(self):
        checked = self.write("checked.jsonl",
                             {"question": "Wie viele?", "answer": "7", "checker": "integer",
                              "language": "de", "level": 3},
                             {"question": "What?", "answer": "a whale", "checker": "exact"})
        found = self.succeed_json("eval", self.model, "--file", checked, "--format", "checked",
                                  "--max-tokens", "4", "--show", "2")
        self.assertEqual([(c["task"], c["language"], c["level"]) for c in found["cells"]],
                         [("checked", "de", 3), ("checked", "en", 1)])
        # As they were written, with no word about the box.
        self.assertEqual([w["question"] for w in found["wrong"]], ["Wie viele?", "What?"])
        bad = self.write("unchecked.jsonl", {"question": "?", "answer": "x", "checker": "near"})
        self.refuse(1, "eval", self.model, "--file", bad, "--format", "checked",
                    says="unchecked.jsonl, line 1: checker: expected \"exact\"")

    def test_python_that_is_run(self):
        path = self.write("human.jsonl",
                          {"task_id": "HumanEval/0", "prompt": "def one():\n    \"\"\"One.\"\"\"\n",
                           "entry_point": "one", "canonical_solution": "    return 1\n",
                           "test": "def check(candidate):\n    assert candidate() == 1\n"})
        command = ["eval", self.model, "--file", path, "--format", "humaneval",
                   "--max-tokens", "4", "--show", "1"]
        if not Path("/usr/bin/bwrap").exists():
            self.refuse(1, *command, says="apt-get install bubblewrap")
            return
        if subprocess.run(["/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true"],
                          check=False).returncode:
            self.skipTest("bubblewrap cannot run here")
        found = self.succeed_json(*command)
        self.assertEqual((found["questions"], found["accuracy"]), (1, 0))
        self.assertIn("def one():", found["wrong"][0]["question"])

    def test_bad_lines_are_named(self):
        bad = self.write("bad.jsonl", {"question": "?", "answer_number": 1},
                         {"question": "?", "answer_number": "1"})
        for kind, says in [("mgsm", "bad.jsonl, line 2: answer_number: expected an integer"),
                           ("gsm8k", "bad.jsonl, line 1: the document: expected a member"),
                           ("math500", "\"problem\"")]:
            self.refuse(1, "eval", self.model, "--file", bad, "--format", kind, says=says)
        for content in ["", "{", "[]\n", "\xff", "\x00"]:
            path = self.write("hostile.jsonl", content)
            self.refuse(1, "eval", self.model, "--file", path, "--format", "mgsm",
                        says="hostile.jsonl")
        self.refuse(1, "eval", self.model, "--file", self.folder / "none", "--format", "mgsm",
                    says="none")

    def test_wrong_usage(self):
        self.refuse(2, "eval", says="MODEL")
        for options, says in [(["blue-whale"], "TASK: "), (["--languages", "fr"], "--languages"),
                              (["--levels", "x"], "--levels"), (["--levels", "1000"], "--levels"),
                              (["--split", "both"], "--split"), (["-n", "0"], "-n"),
                              (["--samples", "0"], "--samples"), (["--batch", "0"], "--batch"),
                              (["--format", "gsm8k"], "--format"),
                              (["--file", "x"], "--format"),
                              (["--file", "x", "--format", "mmlu"], "--format"),
                              (["sums", "--file", "x", "--format", "gsm8k"], "TASK"),
                              (["--split", "train", "--file", "x", "--format", "gsm8k"],
                               "--split")]:
            self.refuse(2, "eval", self.model, *options, says=says)
        self.refuse(1, "eval", self.model, *ONE, "-o", self.folder, says="a folder")
        self.refuse(1, "eval", self.model, *ONE, "-o", self.folder / "none" / "x.html",
                    says="no folder")
        self.refuse(1, "eval", self.folder / "missing", *ONE, says="missing")


if __name__ == "__main__":
    harness.main()
