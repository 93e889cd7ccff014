#!/usr/bin/env python3
"""Every verb on small models: what it prints, what it promises, what it refuses."""
import json
import math
import os
import signal
import struct
import subprocess
import tempfile
from pathlib import Path

import harness
import tiny_model

TEXT = "hello whale, \u00bfqu\u00e9 tal? \U0001f433\n\n  def f(x):\n\treturn 12345\n"
FEW = ["-n", "12", "--temp", "0", "--quiet"]


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


class ModelTest(harness.ProgramTest):
    """`chat_model`: a Hugging Face folder. `random_model`: a GGUF file without chat template."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        cls.folder = Path(cls.temporary.name)
        (cls.folder / "chat").mkdir()
        cls.chat_model = tiny_model.write(cls.folder / "chat")
        cls.random_model = cls.folder / "v3-mini.gguf"
        subprocess.run([cls.program, "synth", "--shape", "deepseek-v3-mini", "--type", "Q4_K",
                        "--seed", "7", "-o", cls.random_model], check=True, capture_output=True)
        cls.text = cls.folder / "text.txt"
        cls.text.write_text(TEXT * 20)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()


class SynthTest(ModelTest):
    def synth(self, name, *options):
        path = self.folder / name
        self.succeed("synth", "--shape", "deepseek-v3-mini", "-o", path, *options)
        return path.read_bytes()

    def test_a_seed_gives_one_file(self):
        first = self.synth("a.gguf", "--type", "Q8_0", "--seed", "1")
        self.assertEqual(first[:4], b"GGUF")
        self.assertEqual(first, self.synth("b.gguf", "--type", "Q8_0", "--seed", "1"))
        self.assertNotEqual(first, self.synth("c.gguf", "--type", "Q8_0", "--seed", "2"))

    def test_it_tells_what_it_wrote(self):
        path = self.folder / "told.gguf"
        told = self.succeed_json("synth", "--shape", "deepseek-v3-mini", "-o", path)
        self.assertEqual(told["bytes"], path.stat().st_size)
        self.assertGreater(told["parameters"], 10_000_000)

    def test_a_file_that_is_there_is_kept(self):
        before = self.random_model.read_bytes()
        self.refuse(1, "synth", "--shape", "deepseek-v3-mini", "-o", self.random_model,
                    says=str(self.random_model))
        self.assertEqual(self.random_model.read_bytes(), before)

    def test_wrong_usage(self):
        path = self.folder / "no.gguf"
        self.refuse(2, "synth", "--shape", "blue-whale", "-o", path, says="deepseek-v3-mini")
        self.refuse(2, "synth", "--shape", "deepseek-v3-mini", "--type", "Q9", "-o", path,
                    says="Q4_K")
        self.refuse(2, "synth", "-o", path, says="--shape")
        self.refuse(1, "synth", "--shape", "deepseek-v3-mini", "-o", self.folder / "no/where.gguf")
        self.assertFalse(path.exists())


    def test_a_limit_of_file_sizes_is_an_error_that_leaves_nothing(self):
        path = self.folder / "limited.gguf"
        command = f'ulimit -f 64; exec "$0" synth --shape deepseek-v3-mini -o "{path}"'
        done = subprocess.run(["bash", "-c", command, self.program], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("limited.gguf", done.stderr)
        self.assertEqual(list(self.folder.glob("limited*")), [])


class InspectTest(ModelTest):
    def test_a_gguf_file(self):
        eight_bits = self.succeed_json("inspect", self.random_model, "--kv-type", "q8")["memory"]
        report = self.succeed_json("inspect", self.random_model)
        self.assertEqual(eight_bits["cache_bytes_per_token"] * 64,
                         report["memory"]["cache_bytes_per_token"] * 34)
        self.assertTrue(report["supported"])
        self.assertEqual(report["architecture"], "deepseek2")
        self.assertIsNone(report["chat"]["format"])
        self.assertGreater(report["memory"]["weight_bytes"], 10_000_000)

    def test_a_hugging_face_folder(self):
        report = self.succeed_json("inspect", self.chat_model)
        self.assertEqual(report["architecture"], "deepseek_v3")
        self.assertEqual(report["tokenizer"]["ids"], 264)
        self.assertIsNotNone(report["chat"]["format"])

    def test_the_text_names_the_same(self):
        text = self.succeed("inspect", self.chat_model).text
        for word in ["deepseek_v3", "264"]:
            self.assertIn(word, text)

    def test_tensors_on_demand(self):
        tensors = self.succeed_json("inspect", self.chat_model, "--tensors")["tensors"]
        self.assertIn("model.norm.weight", [tensor["name"] for tensor in tensors])


class TokenTest(ModelTest):
    def test_text_comes_back_byte_for_byte(self):
        for model in [self.chat_model, self.random_model]:
            for text in ["", "a", TEXT, "\u00e9" * 1000, "\r\n \n"]:
                ids = self.succeed("tokenize", model, stdin=text.encode())
                back = self.succeed("detokenize", model, stdin=ids.out)
                self.assertEqual(back.out, text.encode())

    def test_ids(self):
        ids = self.succeed("tokenize", self.chat_model, stdin=b"hello").text
        self.assertEqual([int(i) for i in ids.replace(",", " ").split()], [263])

    def test_bad_ids(self):
        self.refuse(1, "detokenize", self.chat_model, stdin=b"1 2 three")
        self.refuse(1, "detokenize", self.chat_model, stdin=b"99999999")
        self.refuse(1, "detokenize", self.chat_model, stdin=b"-1")

    def test_a_folder_without_tokenizer(self):
        self.refuse(1, "tokenize", tiny_model.NETWORK, stdin=b"x", says="tokenizer")


class LogitsTest(ModelTest):
    def logits(self, model, tokens, *options, env=None):
        path = self.folder / "logits.f32"
        self.succeed("logits", model, "--tokens", ",".join(map(str, tokens)), "--output", path,
                     *options, env=env)
        return path.read_bytes()

    def test_rows_and_values(self):
        data = self.logits(self.random_model, [1, 2, 3])
        self.assertEqual(len(data), 3 * 4096 * 4)
        self.assertTrue(all(math.isfinite(x) for x in floats(data)))

    def test_the_same_bits_for_any_threads_and_longer_batches(self):
        tokens = [(i * 37) % 4096 for i in range(70)]
        whole = self.logits(self.random_model, tokens, "--threads", "1")
        for threads in ["2", "3"]:
            self.assertEqual(whole, self.logits(self.random_model, tokens, "--threads", threads))
        self.assertEqual(whole[:5 * 4096 * 4], self.logits(self.random_model, tokens[:5]))

    def test_the_model_is_not_overwritten(self):
        before = self.random_model.read_bytes()
        self.refuse(1, "logits", self.random_model, "--tokens", "1", "-o", self.random_model,
                    says="is the model itself")
        self.assertEqual(self.random_model.read_bytes(), before)

    def test_instruction_sets_agree(self):
        # A float32 cache: how a bfloat16 one is multiplied differs more between levels.
        exact = ["--kv-type", "f32"]
        scalar = self.logits(self.chat_model, [5, 6, 7], *exact, env={"MINKE_ISA": "scalar"})
        best = self.logits(self.chat_model, [5, 6, 7], *exact)
        self.assertEqual(len(scalar), 3 * tiny_model.VOCABULARY * 4)
        for a, b in zip(floats(scalar), floats(best), strict=True):
            self.assertAlmostEqual(a, b, delta=1e-3)

    def test_bad_tokens(self):
        out = self.folder / "none.f32"
        self.refuse(1, "logits", self.random_model, "--tokens", "1,4096", "--output", out)
        for tokens in ["", "x", "-1", "99999999999999999999"]:
            self.refuse(2, "logits", self.random_model, f"--tokens={tokens}", "--output", out)
        self.assertFalse(out.exists())


class PerplexityTest(ModelTest):
    def test_noise_is_as_uncertain_as_its_vocabulary(self):
        told = self.succeed_json("perplexity", self.chat_model, self.text)
        self.assertLess(told["low"], told["perplexity"])
        self.assertLess(told["perplexity"], told["high"])
        self.assertTrue(50 < told["perplexity"] < 5000, told)
        self.assertIn("perplexity", self.succeed("perplexity", self.chat_model, self.text).text)

    def test_texts_that_cannot_be_scored(self):
        empty = self.folder / "empty.txt"
        empty.write_bytes(b"")
        self.refuse(1, "perplexity", self.chat_model, empty, says=str(empty))
        self.refuse(1, "perplexity", self.chat_model, self.folder / "none.txt", says="none.txt")


class RunTest(ModelTest):
    def test_the_same_answer_twice_and_for_any_threads(self):
        first = self.succeed("run", self.chat_model, "-p", "hello", *FEW)
        self.assertEqual(first.err, "")
        self.assertGreater(len(first.out), 0)
        for threads in ["1", "2", "3"]:
            again = self.succeed("run", self.chat_model, "-p", "hello", *FEW, "--threads", threads)
            self.assertEqual(again.out, first.out)

    def test_json(self):
        told = self.succeed_json("run", self.chat_model, "-p", "hello", "-n", "9", "--temp", "0")
        self.assertLessEqual(told["usage"]["completion_tokens"], 9)
        self.assertIn(told["finish_reason"], ["length", "stop"])
        # <|im_start|>user, newline, hello, <|im_end|>, newline, <|im_start|>assistant, newline
        self.assertEqual(told["usage"]["prompt_tokens"], 1 + 4 + 1 + 1 + 1 + 1 + 1 + 9 + 1)

    def test_raw_prompts_have_no_chat_around_them(self):
        told = self.succeed_json("run", self.chat_model, "-p", "hello", "-n", "3", "--raw")
        self.assertEqual(told["usage"]["prompt_tokens"], 1)

    def test_seeds(self):
        def draw(seed):
            return self.succeed("run", self.chat_model, "-p", "hello", "-n", "20", "--temp", "1",
                                "--seed", seed).out
        self.assertEqual(draw(1), draw(1))
        self.assertNotEqual(draw(1), draw(2))

    def test_prompts_from_standard_input(self):
        self.assertEqual(
            self.succeed("run", self.chat_model, "-p", "-", *FEW, stdin=b"hello\n").out,
            self.succeed("run", self.chat_model, "-p", "hello", *FEW).out)

    def test_a_prompt_beyond_the_context(self):
        self.refuse(1, "run", self.chat_model, "-p", "-", "--quiet", stdin=b"q" * 5000,
                    says="context")

    def test_wrong_usage(self):
        self.refuse(2, "run", self.chat_model)
        self.refuse(2, "run", self.chat_model, "-p", "x", "-n", "0", says="--max-tokens")
        self.refuse(2, "run", self.chat_model, "-p", "x", "--temp", "warm", says="--temp")
        self.refuse(2, "run", self.chat_model, "-p", "x", "--threads", "0", says="--threads")

    def test_a_level_of_instructions_that_does_not_exist(self):
        self.refuse(1, "run", self.chat_model, "-p", "x", env={"MINKE_ISA": "avx9"},
                    says="MINKE_ISA")

    def test_an_interrupt_ends_it_soon(self):
        process = subprocess.Popen(
            [self.program, "run", self.chat_model, "-p", "hello", "-n", "1000", "--temp", "1",
             "--seed", "2"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertIn(process.returncode, [0, 130])

    def test_a_reader_that_goes_away(self):
        # It has gone before the first word, however fast the words come.
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.Popen(
            [self.program, "run", self.chat_model, "-p", "hello", "-n", "1000", "--temp", "1",
             "--seed", "2"],
            stdout=writer, stderr=subprocess.DEVNULL)
        os.close(writer)
        self.assertNotEqual(process.wait(timeout=60), -signal.SIGSEGV)
        self.assertNotEqual(process.returncode, 0)


class ChatTest(ModelTest):
    def test_lines_are_messages(self):
        options = ["-n", "5", "--temp", "0", "--quiet"]
        one = self.succeed("chat", self.chat_model, *options, stdin=b"hello\n")
        two = self.succeed("chat", self.chat_model, *options, stdin=b"hello\na whale\n")
        self.assertTrue(two.out.startswith(one.out))
        self.assertGreater(len(two.out), len(one.out))

    def test_reset_forgets(self):
        options = ["-n", "5", "--temp", "0", "--quiet"]
        one = self.succeed("chat", self.chat_model, *options, stdin=b"hello\n")
        both = self.succeed("chat", self.chat_model, *options, stdin=b"hello\n/reset\nhello\n")
        self.assertEqual(both.out, one.out * 2)

    def test_help_and_exit(self):
        result = self.succeed("chat", self.chat_model, stdin=b"/help\n/exit\nhello\n")
        self.assertIn("/exit", result.err)
        self.assertEqual(result.out, b"")

    def test_saved_conversations(self):
        path = self.folder / "talk.json"
        self.succeed("chat", self.chat_model, "-n", "5", "--temp", "0",
                     stdin=f"hello\n/save {path}\n".encode())
        roles = [m["role"] for m in json.loads(path.read_text())["messages"]]
        self.assertEqual(roles, ["user", "assistant"])

    def test_a_model_without_chat_template(self):
        self.refuse(1, "chat", self.random_model, stdin=b"x\n", says="chat template")


class BenchTest(ModelTest):
    def bench(self, *options, **keywords):
        return self.succeed_json("bench", self.random_model, "--decode-tokens", "4", "--repeat",
                                 "1", "--threads", "1", *options, **keywords)

    def saved(self, name, report):
        path = self.folder / name
        path.write_text(json.dumps(report))
        return path

    def test_figures(self):
        told = self.bench("--prefill", "16", "--depths", "32,0")
        self.assertEqual([p["tokens"] for p in told["prefill"]], [16])
        self.assertEqual([d["depth"] for d in told["decode"]], [0, 32])
        for part in told["prefill"] + told["decode"]:
            self.assertGreater(part["tokens_per_second"], 0)
        for part in told["prefill"]:
            self.assertGreater(part["percent_of_peak"], 0)
        for part in told["decode"]:
            self.assertGreater(part["percent_of_read_limit"], 0)

    def test_every_level_has_its_peaks(self):
        for level in ("scalar", self.bench("--prefill", "1", "--depths", "0")["isa"]):
            told = self.bench("--prefill", "1", "--depths", "0", env={"MINKE_ISA": level})
            self.assertEqual(told["isa"], level)
            for kind in ("int8", "f32"):
                self.assertGreater(told["peaks"][kind]["operations_per_second"], 0)
            if level == "scalar":
                self.assertIsNone(told["peaks"]["bf16"])

    def test_points_beyond_the_context_are_left_out(self):
        context = self.succeed_json("inspect", self.random_model)["context_length"]
        result = self.succeed("bench", self.random_model, "--decode-tokens", "4", "--repeat", "1",
                              "--prefill", f"8,{context + 1}", "--depths", f"0,{context}", "--json")
        told = json.loads(result.text)
        self.assertEqual([p["tokens"] for p in told["prefill"]], [8])
        self.assertEqual([d["depth"] for d in told["decode"]], [0])
        self.assertEqual(told["left_out"], {"prefill": [context + 1], "depths": [context]})
        self.assertIn(f"prefill of {context + 1} left out", result.err)
        self.assertIn(f"decode at depth {context} left out", result.err)
        self.refuse(1, "bench", self.random_model, "--prefill", context + 1, "--depths", context,
                    says="none")

    def test_former_reports_can_be_compared(self):
        before = self.bench("--prefill", "8,16", "--depths", "0")
        before["isa"] = "another"
        path = self.saved("before.json", before)
        told = self.bench("--prefill", "16,24", "--depths", "0,8", "--compare-to", path)
        ratios = [row.get("ratio") for row in told["prefill"] + told["decode"]]
        self.assertEqual([ratio is not None for ratio in ratios], [True, False, True, False])
        shared = told["prefill"][0]
        self.assertEqual(shared["former_tokens_per_second"],
                         before["prefill"][1]["tokens_per_second"])
        self.assertAlmostEqual(shared["ratio"] * shared["former_tokens_per_second"],
                               shared["tokens_per_second"], places=3)
        table = self.succeed("bench", self.random_model, "--decode-tokens", "4", "--repeat", "1",
                             "--threads", "1", "--prefill", "16", "--depths", "0",
                             "--compare-to", path).text
        self.assertIn("another", table)
        self.assertIn("ratio", table)

    def test_reports_of_something_else_are_refused(self):
        before = self.bench("--prefill", "8", "--depths", "0")

        def refuse(report, says, *options):
            path = self.saved("refused.json", report)
            self.refuse(1, "bench", self.random_model, "--threads", "1", "--compare-to", path,
                        *options, says=says)

        refuse({**before, "threads": 2}, "expected threads 1, found 2")
        refuse({**before, "type": "F32"}, "expected type Q4_K, found F32")
        refuse({**before, "model": "seal"}, "found seal")
        refuse({}, "expected the output of minke bench --json")
        refuse(before, "found none", "--prefill", "9", "--depths", "1")
        self.refuse(1, "bench", self.random_model, "--compare-to", self.text, says="not valid JSON")
        self.refuse(1, "bench", self.random_model, "--compare-to", self.folder / "absent",
                    says="cannot open")
        self.refuse(2, "bench", self.random_model, "--compare-to")

    def test_a_shape_leaves_nothing_behind(self):
        place = self.folder / "tmp"
        place.mkdir()
        self.succeed("bench", "--shape", "deepseek-v3-mini", "--prefill", "8", "--depths", "0",
                     "--decode-tokens", "2", "--repeat", "1", env={"TMPDIR": str(place)})
        self.assertEqual(os.listdir(place), [])

    def test_wrong_usage(self):
        self.refuse(2, "bench")
        self.refuse(2, "bench", self.random_model, "--prefill", "8,x")


if __name__ == "__main__":
    harness.main()
