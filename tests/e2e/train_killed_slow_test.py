#!/usr/bin/env python3
"""minke train, killed again and again: nothing is lost but the work since the last checkpoint."""
import random
import subprocess
import time

import harness
from tiny_training import TrainTest, bits

KILLS = 50


class KillTest(TrainTest):
    def test_killed_at_random_instants(self):
        more = "[checkpoint]\nevery_steps = 5\n[evaluation]\nevery = 20\nproblems = 2\n"
        steps = 3000
        self.succeed("train", self.recipe("calm", steps, more), seconds=600)
        recipe, run = self.recipe("killed", steps, more), self.folder / "killed"
        dice = random.Random(5)
        kills = reached = 0
        while kills < KILLS:
            process = subprocess.Popen([self.program, "train", recipe], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            # The first line of a sitting says where it begins.
            told = process.stderr.readline()
            while "parameters" not in told and process.poll() is None:
                self.assertNotIn("damaged", told)
                told = process.stderr.readline()
            begins = int(told.split("steps ")[1].split()[0])
            self.assertGreaterEqual(begins, reached + 1, "a checkpoint was lost")
            time.sleep(dice.uniform(0, 0.12))
            process.kill()
            _, rest = process.communicate(timeout=60)
            self.assertNotIn("damaged", rest)
            self.assertEqual(process.returncode, -9, "it was done before it was killed")
            written = [int(line.split("of step ")[1].split()[0])
                       for line in rest.splitlines() if "checkpoint of step" in line]
            reached = max([reached, begins - 1, *written])
            kills += 1
        done = self.succeed("train", recipe, seconds=600)
        self.assertNotIn("damaged", done.err)
        self.assertEqual(bits(run), bits(self.folder / "calm"))


if __name__ == "__main__":
    harness.main()
