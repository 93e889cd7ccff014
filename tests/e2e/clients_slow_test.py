#!/usr/bin/env python3
"""The official clients of OpenAI and Anthropic and the AI SDK, driven against `minke serve`.

The tests are tests/clients. They run in a copy in the build folder, where npm puts the packages of
their package-lock.json; without npm or its registry this test is skipped.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import harness
import talkative_model
import tiny_model

SOURCE = Path(__file__).resolve().parent.parent / "clients"
INSTALL_SECONDS = 600
TEST_SECONDS = 900
THINKING_TEMPLATE = tiny_model.CHAT_TEMPLATE.replace("assistant\n' }}",
                                                     "assistant\n<think>\n' }}")
THINKING_MARKS = ["<think>", "</think>"]


def write_thinking_model(folder):
    """The talkative model with a template that begins replies with thinking."""
    talkative_model.write(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["chat_template"] = THINKING_TEMPLATE
    path.write_text(json.dumps(config))
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    for text in THINKING_MARKS:
        number = len(tokenizer["model"]["vocab"])
        tokenizer["model"]["vocab"][text] = number
        tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": number,
                                          "content": text, "special": False})
    path.write_text(json.dumps(tokenizer))
    return folder


def installed(build):
    """A copy of the tests with their packages in `build`; the reason if they cannot be had."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return "node and npm are not installed"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v").split(".")[0]) < 20:
        return f"node {version.strip()} is older than 20"
    build.mkdir(parents=True, exist_ok=True)
    lock = (SOURCE / "package-lock.json").read_bytes()
    stamp = build / "installed-lock.json"
    current = stamp.is_file() and stamp.read_bytes() == lock
    for old in [*build.glob("*.mjs")]:
        old.unlink()
    for file in SOURCE.iterdir():
        if file.is_file():
            shutil.copy(file, build / file.name)
    if current:
        return None
    try:
        done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                              cwd=build, capture_output=True, text=True, check=False,
                              timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm ci took longer than {INSTALL_SECONDS} s"
    if done.returncode != 0:
        if any(sign in done.stderr for sign in ["ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT",
                                                "EAI_AGAIN", "ECONNRESET", "E403"]):
            return "npm's registry cannot be reached:\n" + done.stderr
        raise AssertionError(done.stderr)
    stamp.write_bytes(lock)
    return None


class ClientsTest(harness.ProgramTest):
    def test_official_clients(self):
        build = Path(self.program).parent.parent / "clients"
        missing = installed(build)
        if missing:
            print(f"skipped: {missing}", file=sys.stderr)
            self.skipTest(missing)
        with tempfile.TemporaryDirectory(prefix="minke-clients-") as temporary:
            models = {}
            for name, write in [("MINKE_MODEL", talkative_model.write),
                                ("MINKE_THINKING_MODEL", write_thinking_model)]:
                folder = Path(temporary) / name
                folder.mkdir()
                models[name] = str(write(folder))
            tests = sorted(file.name for file in build.glob("*.test.mjs"))
            self.assertTrue(tests)
            done = subprocess.run(
                ["node", "--test", "--test-concurrency=1", *tests], cwd=build, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TEST_SECONDS,
                env={**os.environ, **models, "MINKE": self.program})
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    harness.main()
