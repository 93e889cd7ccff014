#!/usr/bin/env python3
"""The model that lies in the repository solves a held-out word problem in each language, and shows
how."""
import json
from pathlib import Path

import harness

MODEL = Path(__file__).parents[2] / "models/minke-mini.gguf"


class OwnModelTest(harness.ProgramTest):
    def test_a_word_problem_in_each_language(self):
        for language in ("ar", "zh", "en", "de", "hi", "id"):
            lines = self.succeed("data", "problems", "sums", "--language", language, "--level", "2",
                                 "--split", "held-out", "-n", "5", "--seed", "77").text
            problem = json.loads(lines.splitlines()[4])
            with self.subTest(language, question=problem["question"]):
                reply = self.succeed_json("run", MODEL, "-p", problem["question"], "--temp", "0")
                self.assertIn(f"\\boxed{{{problem['solution']}}}", reply["text"])
                # It thinks in steps, and comes to the result there.
                self.assertGreater(len(reply["reasoning"].splitlines()), 1)
                self.assertIn(problem["solution"], reply["reasoning"])


if __name__ == "__main__":
    harness.main()
