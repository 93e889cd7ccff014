#!/usr/bin/env python3
"""`minke data`: problems, tokenizers and shards, as a user makes them."""
import json
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import harness

TEXTS = [
    "The whale swims in the sea, and the sea is deep.",
    "Der Wal schwimmt im Meer, und das Meer ist tief: 2024 m.",
    "\u9cb8\u9c7c\u5728\u5927\u6d77\u91cc\u6e38\u6cf3\u3002\u5927\u6d77\u5f88\u6df1\u3002",
    "\u0627\u0644\u062d\u0648\u062a \u0641\u064a \u0627\u0644\u0628\u062d\u0631",
    "\u0939\u094d\u0935\u0947\u0932 \u0938\u092e\u0941\u0926\u094d\u0930 \u092e\u0947\u0902",
]
CHAT = {"messages": [{"role": "user", "content": "1+1?"},
                     {"role": "assistant", "content": "2", "reasoning": "one more"}]}
FIELDS = ["task", "language", "level", "split", "question", "reasoning", "answer", "solution"]
BOS, EOS, USER, ASSISTANT, THINK, THINK_END = 0, 1, 3, 4, 5, 6


def read_shard(path):
    """[(ids, loss begin, loss end)]"""
    data = path.read_bytes()
    magic, version, width = struct.unpack_from("<8sII", data)
    assert (magic, version, width) == (b"minketok", 2, 2)
    tokens, documents, _ = struct.unpack_from("<QQQ", data, len(data) - 24)
    ids = struct.unpack_from(f"<{tokens}H", data, 32)
    index = len(data) - 24 - 24 * documents
    entries = [struct.unpack_from("<QIII", data, index + 24 * i) for i in range(documents)]
    return [(list(ids[begin:begin + count]), first, last) for begin, count, first, last in entries]


class DataTest(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        cls.folder = Path(cls.temporary.name)
        cls.corpus = cls.write("corpus.txt", "\n\n".join(TEXTS * 3))
        cls.tokenizer = cls.folder / "tokenizer"

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def write(cls, name, text):
        path = cls.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def trained(self):
        if not self.tokenizer.exists():
            self.succeed("data", "tokenizer", self.tokenizer, self.corpus, "--vocab", "330")
        return self.tokenizer

    def ids(self, text):
        return [int(i) for i in
                self.succeed("tokenize", self.trained(), stdin=text.encode()).text.split()]


class TokenizerTest(DataTest):
    def test_it_has_the_size_and_the_texts(self):
        self.trained()
        told = json.loads((self.tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
        self.assertEqual(sorted(told["model"]["vocab"].values()), list(range(330)))
        self.assertEqual(len(told["model"]["merges"]), 330 - 256 - 7)
        for text in TEXTS:
            ids = self.succeed("tokenize", self.tokenizer, stdin=text.encode())
            back = self.succeed("detokenize", self.tokenizer, stdin=ids.out)
            self.assertEqual(back.out, text.encode())
        self.assertLess(len(self.ids(TEXTS[0])), len(TEXTS[0]) * 2 // 3)
        self.assertEqual(len(self.ids("20242024")), 8)

    def test_the_same_texts_give_the_same_files(self):
        self.trained()
        other = self.folder / "again"
        told = self.succeed_json("data", "tokenizer", other, self.corpus, "--vocab", "330")
        self.assertEqual((told["tokens"], told["merges"]), (330, 67))
        for name in ["tokenizer.json", "tokenizer_config.json"]:
            self.assertEqual((other / name).read_bytes(), (self.tokenizer / name).read_bytes())
        self.refuse(1, "data", "tokenizer", other, self.corpus, says="--force")
        self.succeed("data", "tokenizer", other, self.corpus, "--vocab", "300", "--force")

    def test_a_budget_that_is_used_up_is_told(self):
        bad = self.write("bad.jsonl", "{")
        result = self.succeed("data", "tokenizer", self.folder / "budget", self.corpus, bad,
                              "--vocab", "270", "--bytes", "300")
        self.assertRegex(result.err, "--bytes is used up after (29[789]|300) bytes")

    def test_problems_are_texts_too(self):
        told = self.succeed_json("data", "tokenizer", self.folder / "tasks", "--tasks",
                                 "--vocab", "600", "--bytes", "200000")
        self.assertGreater(told["bytes"], 199_990)

    def test_what_cannot_be_trained(self):
        path = self.folder / "no"
        self.refuse(1, "data", "tokenizer", path, self.corpus, "--vocab", "9999", says="--vocab")
        self.refuse(1, "data", "tokenizer", path, self.folder / "absent", says="absent")
        self.refuse(2, "data", "tokenizer", path, says="--tasks")
        self.refuse(2, "data", "tokenizer", path, self.corpus, "--tasks", says="--tasks")
        self.refuse(2, "data", "tokenizer", path, self.corpus, "--vocab", "262", says="--vocab")
        self.assertFalse(path.exists())


class TokensTest(DataTest):
    def test_texts_and_chats(self):
        chats = self.write("chats.jsonl", json.dumps(CHAT) + "\n" + json.dumps({"text": "a\n\nb"}))
        two = self.write("two.txt", "one\n\ntwo")
        shard = self.folder / "mixed.shard"
        told = self.succeed_json("data", "tokens", chats, two, "--tokenizer", self.trained(),
                                 "-o", shard)
        documents = read_shard(shard)
        self.assertEqual(told["documents"], 4)
        self.assertEqual(told["tokens"], sum(len(ids) for ids, _, _ in documents))
        self.assertEqual(told["loss_tokens"], sum(end - begin for _, begin, end in documents))
        prompt = [BOS, USER, *self.ids("1+1?"), ASSISTANT, THINK, *self.ids("\n")]
        reply = [*self.ids("one more\n"), THINK_END, *self.ids("\n\n2"), EOS]
        self.assertEqual(documents[0],
                         (prompt + reply, len(prompt), len(prompt) + len(reply)))
        for document, text in zip(documents[1:], ["a\n\nb", "one", "two"]):
            ids = [BOS, *self.ids(text), EOS]
            self.assertEqual(document, (ids, 0, len(ids)))

    def test_bad_lines_are_named_and_leave_nothing(self):
        shard = self.folder / "bad.shard"
        for line, says in [("{", ""), ('{"text": 1}', "text"), ('{"messages": []}', "assistant")]:
            bad = self.write("bad.jsonl", '{"text": "fine"}\n' + line + "\n")
            result = self.refuse(1, "data", "tokens", bad, "--tokenizer", self.trained(),
                                 "-o", shard, says=says)
            self.assertIn("bad.jsonl, line 2", result.err)
        self.assertEqual(list(self.folder.glob("bad.shard*")), [])

    def test_a_file_that_is_there_is_kept(self):
        there = self.write("there.shard", "mine")
        self.refuse(1, "data", "tokens", self.corpus, "--tokenizer", self.trained(), "-o", there,
                    says="--force")
        self.refuse(1, "data", "tokens", there, "--tokenizer", self.trained(), "-o", there,
                    "--force", says="another file")
        self.assertEqual(there.read_text(encoding="utf-8"), "mine")
        self.succeed("data", "tokens", self.corpus, "--tokenizer", self.trained(), "-o", there,
                     "--force")
        self.assertEqual(len(read_shard(there)), 15)

    def test_wrong_usage(self):
        self.refuse(2, "data", "tokens", self.corpus, "-o", self.folder / "x", says="--tokenizer")
        self.refuse(2, "data", "tokens", "--tokenizer", self.folder, "-o", "x", says="FILE")


class ProblemsTest(DataTest):
    def tasks(self):
        """The names that the message for an unknown one lists."""
        result = self.refuse(2, "data", "problems", "blue-whale", says="blue-whale")
        listed = result.err.split("expected", 1)[1].split("found")[0]
        return [word.strip(",;") for word in listed.split() if word not in ("one", "of", "or")]

    def problems(self, *options):
        return [json.loads(line)
                for line in self.succeed("data", "problems", *options).text.splitlines()]

    def test_an_object_a_line(self):
        for task in self.tasks():
            for language in ["ar", "zh", "en", "de", "hi", "id"]:
                found = self.problems(task, "--language", language, "-n", "3", "--seed", "5")
                self.assertEqual(len(found), 3)
                for problem in found:
                    self.assertEqual(list(problem), FIELDS)
                    self.assertEqual((problem["task"], problem["language"], problem["level"],
                                      problem["split"]), (task, language, 1, "train"))
                    self.assertIn("\\boxed{", problem["answer"])

    def test_seeds_and_splits(self):
        task = self.tasks()[0]
        first = self.problems(task, "-n", "20", "--seed", "1")
        self.assertEqual(first[:5], self.problems(task, "-n", "5", "--seed", "1"))
        self.assertNotEqual(first, self.problems(task, "-n", "20", "--seed", "2"))
        held_out = self.problems(task, "-n", "20", "--seed", "1", "--split", "held-out")
        self.assertEqual({problem["split"] for problem in held_out}, {"held-out"})
        questions = {problem["question"] for problem in first}
        self.assertFalse(questions & {problem["question"] for problem in held_out})

    def test_ctrl_c_ends_it(self):
        for verb in [("problems", "sums", "-n", "100000000"),
                     ("tokenizer", self.folder / "endless", "--tasks", "--bytes", "1000000000")]:
            process = subprocess.Popen([self.program, "data", *verb], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(1)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            asked = time.monotonic()
            try:
                _, error = process.communicate(timeout=60)
            finally:
                process.kill()
            self.assertEqual((process.returncode, error), (130, b""))
            self.assertLess(time.monotonic() - asked, 10)

    def test_to_read(self):
        task = self.tasks()[0]
        [problem] = self.problems(task, "-n", "1")
        text = self.succeed("data", "problems", task, "-n", "1", "--format", "text").text
        self.assertEqual(text, f"{problem['question']}\n<think>\n{problem['reasoning']}\n</think>"
                               f"\n\n{problem['answer']}\n\n")

    def test_wrong_usage(self):
        task = self.tasks()[0]
        self.refuse(2, "data", says="usage: expected a verb; see minke data --help")
        self.refuse(2, "data", "whale", says="whale: not a verb of minke data")
        self.refuse(2, "data", "problems", says="TASK: missing")
        self.refuse(2, "data", "problems", task, "--language", "fr", says="fr")
        self.refuse(2, "data", "problems", task, "--level", "1000", says="--level: expected 1 to")
        self.refuse(2, "data", "problems", task, "--level", "0", says="--level")
        self.refuse(2, "data", "problems", task, "--split", "both", says="--split")
        self.refuse(2, "data", "problems", task, "--format", "xml", says="--format")


if __name__ == "__main__":
    harness.main()
