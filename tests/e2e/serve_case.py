"""What tests of `minke serve` share: models, keys, and how refusals look."""
import json
import tempfile
import time
from pathlib import Path

import harness
import talkative_model
import tiny_model
from server import PATIENCE, Server

LONG = ["--context", "100000"]


class ServeCase(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.models = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        folder = Path(cls.models.name)
        for name in ["tiny", "talkative"]:
            (folder / name).mkdir()
        cls.tiny = tiny_model.write(folder / "tiny")
        cls.talkative = talkative_model.write(folder / "talkative")

    @classmethod
    def tearDownClass(cls):
        cls.models.cleanup()

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.keys = self.folder / "keys.json"

    def serve(self, *options, model=None, **keywords):
        server = Server(self.program, model or self.tiny, *options, **keywords)
        self.addCleanup(server.kill)
        return server

    def add_key(self, name, *options):
        key = self.succeed("keys", "add", name, "--file", self.keys, *options).text
        self.assertRegex(key, r"^mk-[0-9a-f]{64}\n$")
        return key.strip()

    def refused(self, answer, status):
        self.assertEqual(answer[0], status, answer[1])
        error = json.loads(answer[1])["error"]
        self.assertIsInstance(error["message"], str)
        return error

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)
