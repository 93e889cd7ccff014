#!/usr/bin/env python3
"""minke serve, killed again and again within batches and writes of its cache: every batch that was
taken ends, and answers what a server says that was never killed and keeps nothing."""
import json
import random
import tempfile
import time
from pathlib import Path

import harness
from server import CHAT, PATIENCE, Server

MODEL = Path(__file__).parents[2] / "models/minke-micro.gguf"
BATCHES = 100
LINES = 2
KILLS = 20
WORDS = ("whale krill river ledger copper market orchard lantern thirty seven harbour basket "
         "ticket museum coins train apples minutes price").split()


def question(number):
    """Questions come in families: a long text that some share whole, and others but for one word
    near its beginning."""
    family, member = divmod(number, 4)
    dice = random.Random(family)
    words = [dice.choice(WORDS) for _ in range(170)]
    if member >= 2:
        words[8] = f"{words[8]}s{member}"
    return " ".join(words) + f". How much is {number} plus {member}?"


def body(number):
    return {"model": "m", "messages": [{"role": "user", "content": question(number)}],
            "max_tokens": 12, "temperature": 0, "logprobs": True}


def said(reply):
    """The text, and the probabilities to the last bit."""
    choice = reply["choices"][0]
    return choice["message"], [token["logprob"] for token in choice["logprobs"]["content"]]


class KillTest(harness.ProgramTest):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def serve(self, *options):
        server = Server(self.program, MODEL, "--context", "512", *options)
        self.addCleanup(server.kill)
        return server

    @staticmethod
    def begin(server, taken):
        """One batch more in `taken`; False if too many are under way."""
        batch = len(taken)
        lines = [{"custom_id": str(number), "method": "POST", "url": CHAT, "body": body(number)}
                 for number in range(batch * LINES, (batch + 1) * LINES)]
        file = server.upload("".join(json.dumps(line) + "\n" for line in lines))["id"]
        status, answer, _ = server.ask("POST", "/v1/batches", {
            "input_file_id": file, "endpoint": CHAT, "completion_window": "24h"})
        if status == 200:
            taken.append(json.loads(answer)["id"])
        elif status != 429:
            raise AssertionError(f"{status} {answer!r}")
        return status == 200

    def test_killed_at_random_instants(self):
        calm = self.serve()
        expected = {str(number): said(calm.json("POST", CHAT, body(number)))
                    for number in range(BATCHES * LINES)}
        self.assertEqual(calm.stop(), 0)

        options = ["--state", self.folder / "state", "--store", self.folder / "store"]
        dice = random.Random(7)
        taken = []
        for _ in range(KILLS):
            server = self.serve(*options)
            for _ in range(BATCHES // KILLS):
                self.begin(server, taken)
            time.sleep(dice.uniform(0, 0.6))
            server.kill()
        server = self.serve(*options)
        end = time.monotonic() + PATIENCE
        while len(taken) < BATCHES:
            if not self.begin(server, taken):
                self.assertLess(time.monotonic(), end, "no batch ends")
                time.sleep(0.1)

        found = {}
        for batch in taken:
            state = server.json("GET", "/v1/batches/" + batch)
            while state["status"] in ("validating", "in_progress", "finalizing"):
                self.assertLess(time.monotonic(), end, state)
                time.sleep(0.05)
                state = server.json("GET", "/v1/batches/" + batch)
            self.assertEqual(state["status"], "completed")
            self.assertEqual(state["request_counts"],
                             {"total": LINES, "completed": LINES, "failed": 0})
            file = server.ask("GET", f"/v1/files/{state['output_file_id']}/content")[1].decode()
            for line in map(json.loads, file.splitlines()):
                self.assertNotIn(line["custom_id"], found, "answered twice")
                found[line["custom_id"]] = said(line["response"]["body"])
        self.assertEqual(found, expected)
        # What the kills left of the cache is used, and right.
        self.assertGreater(len(list((self.folder / "store").glob("*.page"))), BATCHES // 4)
        self.assertEqual(server.stop(), 0)
        server = self.serve(*options)
        cached = 0
        for number in range(0, BATCHES * LINES, 3):
            reply = server.json("POST", CHAT, body(number))
            self.assertEqual(said(reply), expected[str(number)])
            cached += reply["usage"]["prompt_tokens_details"]["cached_tokens"]
        self.assertGreater(cached, 0)


if __name__ == "__main__":
    harness.main()
