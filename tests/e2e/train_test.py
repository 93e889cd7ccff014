#!/usr/bin/env python3
"""minke train: a tiny run from its tokenizer to its report; stopping, going on, refusing."""
import json
import os
import resource
import shutil
import signal
import subprocess
import time

import harness
from tiny_training import TrainTest, bits

LONG = 1_000_000


class RunTest(TrainTest):
    def start(self, recipe, *options):
        return subprocess.Popen([self.program, "train", recipe, *options], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def wait_for_steps(self, process, run, count):
        """Until the log of `run` has that many steps."""
        log = run / "log.jsonl"
        while not log.exists() or log.read_text(encoding="utf-8").count('"step",') < count:
            self.assertIsNone(process.poll(), process.stderr.read() if process.poll() else b"")
            time.sleep(0.01)

    def test_from_the_recipe_to_the_report(self):
        recipe = self.recipe("whole", 12, "[evaluation]\nevery = 6\nproblems = 4\n")
        told = self.succeed_json("train", recipe)
        self.assertEqual((told["done"], told["step"], told["steps"]), (True, 12, 12))
        self.assertGreater(told["held_out_loss"], 1)
        run = self.folder / "whole"
        report = self.succeed("report", run)
        self.assertTrue((run / "report.html").exists(), report.err)
        facts = self.succeed_json("inspect", run / "model")
        self.assertTrue(facts)
        reply = self.succeed("run", run / "model", "-p", "1 + 1", "--max-tokens", "4", "--raw")
        self.assertEqual(reply.code, 0)
        # It is done: the same command changes nothing.
        before = bits(run)
        self.succeed("train", recipe)
        self.assertEqual(bits(run), before)
        # Another folder, the same bits.
        self.succeed("train", recipe, "--output", self.folder / "other")
        self.assertEqual(bits(self.folder / "other"), before)

    def test_sigterm_saves_and_the_same_command_goes_on(self):
        steps = 150
        self.succeed("train", self.recipe("calm", steps))
        recipe, run = self.recipe("stopped", steps), self.folder / "stopped"
        process = self.start(recipe)
        self.wait_for_steps(process, run, 3)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, error)
        self.assertIn(b"the same command goes on", error)
        [saved] = (run / "checkpoints").iterdir()
        state = json.loads((saved / "state.json").read_text(encoding="utf-8"))
        self.assertGreaterEqual(state["step"], 3)
        self.assertLess(state["step"], steps)
        told = self.succeed_json("train", recipe)
        self.assertTrue(told["done"])
        self.assertEqual(bits(run), bits(self.folder / "calm"))

    def test_a_second_trainer_is_refused(self):
        recipe, run = self.recipe("two", LONG), self.folder / "two"
        process = self.start(recipe)
        try:
            self.wait_for_steps(process, run, 1)
            self.refuse(1, "train", recipe, "--quiet", says="another process")
            self.assertIsNone(process.poll())
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)

    def test_another_recipe_is_refused(self):
        self.succeed("train", self.recipe("same", 2))
        self.refuse(1, "train", self.recipe("same", 3), says="another folder")

    def test_a_file_that_cannot_grow_keeps_the_last_checkpoint(self):
        recipe, run = self.recipe("small", 40, "[checkpoint]\nevery_steps = 10\n"), \
            self.folder / "small"
        process = self.start(recipe)
        self.wait_for_steps(process, run, 12)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        before = sorted(path.name for path in (run / "checkpoints").iterdir())
        if before[-1] == "step-00000040":
            self.skipTest("the run was done before it was stopped")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

        done = subprocess.run([self.program, "train", recipe], capture_output=True, check=False,
                              timeout=120, preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), harness.ERROR)
        self.assertIn(b"cannot write", done.stderr)
        self.assertEqual(sorted(path.name for path in (run / "checkpoints").iterdir()), before)
        self.assertTrue(self.succeed_json("train", recipe)["done"])

    def test_a_full_disk_keeps_the_last_checkpoint(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if os.geteuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=1500k", "none", disk], check=False,
                capture_output=True).returncode != 0:
            self.skipTest("needs the right to mount")
        try:
            recipe = self.recipe("full", 400, "[checkpoint]\nevery_steps = 2\nkeep = 100\n",
                                 output=disk / "run")
            result = self.refuse(1, "train", recipe, "--quiet")
            self.assertIn("No space left on device", result.err)
            saved = sorted(path.name for path in (disk / "run" / "checkpoints").iterdir())
            self.assertTrue(saved)
            # What is there is whole: elsewhere, the run goes on with it.
            shutil.copytree(disk / "run", self.folder / "moved")
            told = self.succeed("train", recipe, "--output", self.folder / "moved")
            self.assertNotIn("damaged", told.err)
            self.assertIn(f"steps {int(saved[-1][5:]) + 1} to 400", told.err)
        finally:
            subprocess.run(["umount", disk], check=True)


class RefusalTest(TrainTest):
    def check(self, says, more="", line=None, change=("", ""), code=1):
        recipe = self.recipe("bad", 2, more)
        text = recipe.read_text(encoding="utf-8").replace(*change) if change[0] else \
            recipe.read_text(encoding="utf-8")
        recipe.write_text(text, encoding="utf-8")
        result = self.refuse(code, "train", recipe, says=says)
        if line is not None:
            number = text.split("\n").index(line) + 1
            self.assertIn(f"bad.toml: line {number}: ", result.err)
        self.assertFalse((self.folder / "bad").exists())

    def test_fields(self):
        self.check("optimizer.speed: expected one of the fields", "[optimizer]\nspeed = 3\n",
                   line="speed = 3")
        self.check('run.threads: expected a whole number from 0 to 1024, found "two"', line=
                   'threads = "two"', change=("threads = 2", 'threads = "two"'))
        self.check("not valid TOML", "[optimizer\n")
        self.check("whales: expected one of the sections", "[whales]\n", line="[whales]")

    def test_tasks(self):
        self.check("data.tasks: expected names of sums, ", line='tasks = ["swims"]',
                   change=('tasks = ["sums"]', 'tasks = ["swims"]'))
        self.check("levels of sums from 1 to", line="levels = [1, 90]",
                   change=('tasks = ["sums"]', 'tasks = ["sums"]\nlevels = [1, 90]'))

    def test_files(self):
        self.check("nothing there", change=("tokenizer.json", "absent.json"))
        shard = self.folder / "bad.shard"
        shard.write_bytes(b"minke?" * 20)
        self.check("bad.shard: expected a token shard", change=(
            'tasks = ["sums"]', f'shards = ["{shard}"]'))
        self.check("the model only 300", change=("vocab_size = 384", "vocab_size = 300"))
        self.check("run.output: expected the folder of the run", change=(
            f'output = "{self.folder / "bad"}"\n', ""))
        self.refuse(1, "train", self.folder / "absent.toml", says="absent.toml")
        self.refuse(2, "train", says="RECIPE")


if __name__ == "__main__":
    harness.main()
