#!/usr/bin/env python3
"""minke grpo as its users run it: to the end, interrupted, killed again and again, told what is
wrong."""
import random
import signal
import subprocess
import time

import harness
from tiny_training import TrainTest, bits

KILLS = 12
RECIPE = """[model]
from = "{start}"
[data]
tasks = ["sums"]
languages = ["en", "zh"]
context = 256
batch_tokens = 256
micro_batch_tokens = 256
[schedule]
steps = {steps}
[optimizer]
kind = "adamw"
learning_rate = 0.002
[rewards]
accuracy = 1.0
length = 1.0
[grpo]
prompts = 2
group = 6
reply_tokens = 20
slots = 8
mask_cut = false
refill = 1
[checkpoint]
every_steps = 3
[run]
output = "{output}"
threads = 2
{more}"""


class GrpoTest(TrainTest):
    def grpo_recipe(self, name, steps, more=""):
        start = self.folder / "start"
        if not start.exists():
            self.succeed("train", self.recipe("start", 2), seconds=300)
        path = self.folder / (name + ".toml")
        path.write_text(RECIPE.format(start=start / "model", steps=steps,
                                      output=self.folder / name, more=more), encoding="utf-8")
        return path

    def start(self, recipe):
        return subprocess.Popen([self.program, "grpo", recipe], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_from_the_recipe_to_the_report(self):
        recipe = self.grpo_recipe("whole", 6, "[evaluation]\nevery = 3\nproblems = 4\n")
        told = self.succeed_json("grpo", recipe)
        self.assertEqual((told["done"], told["step"], told["steps"]), (True, 6, 6))
        self.assertIn("held_out_accuracy", told)
        run = self.folder / "whole"
        self.succeed("report", run)
        page = (run / "report.html").read_text(encoding="utf-8")
        for title in ("Reward of sampled replies", "Length of replies", "Entropy of the policy",
                      "trainer against engine"):
            self.assertIn(title, page)
        self.assertTrue(self.succeed_json("inspect", run / "model"))

    def test_killed_at_random_instants(self):
        steps = 60
        self.succeed("grpo", self.grpo_recipe("calm", steps), seconds=300)
        recipe, run = self.grpo_recipe("killed", steps), self.folder / "killed"
        dice = random.Random(3)
        for kill in range(KILLS):
            process = self.start(recipe)
            told = process.stderr.readline()
            while "parameters" not in told and process.poll() is None:
                self.assertNotIn("damaged", told)
                told = process.stderr.readline()
            time.sleep(dice.uniform(0, 0.4))
            # The last one asks politely.
            process.send_signal(signal.SIGKILL if kill < KILLS - 1 else signal.SIGTERM)
            process.communicate(timeout=60)
        self.succeed("grpo", recipe, seconds=300)
        self.assertEqual(bits(run), bits(self.folder / "calm"))

    def test_what_is_wrong_is_said(self):
        plain = self.recipe("plain", 2)
        self.refuse(1, "grpo", plain, says="grpo: expected the section of reinforcement")
        self.refuse(1, "train", self.grpo_recipe("other", 2), says="minke grpo runs such a recipe")
        bad = self.grpo_recipe("bad", 2, "[lora]\nrank = -1\n")
        self.refuse(1, "grpo", bad, says="lora.rank")


if __name__ == "__main__":
    harness.main()
