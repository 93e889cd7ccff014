#!/usr/bin/env python3
"""Drives `minke serve` with PyPI's openai and anthropic, and with lm-evaluation-harness.

usage: check_python_clients.py MINKE MODEL [--without-harness]

Run it with a Python that has them: pip install openai anthropic "lm_eval[api]". MODEL is any chat
model. Prints a line for each check, then `N passed, N failed`. The harness scores a local text
through /v1/completions; its log-likelihood must be that of `minke perplexity`.
"""
import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SCHEMA = {"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]}},
          "required": ["city"], "additionalProperties": False}
MESSAGES = [{"role": "user", "content": "hello"}]
TEXT = "The minke is the smallest of the great whales. It eats fish, and dives for minutes.\n" * 4
# Scores are the same sums in the same order, printed with fewer digits than they have.
TOLERANCE = 1e-3
TASK = """task: local_text
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list:
  - metric: word_perplexity
  - metric: byte_perplexity
  - metric: bits_per_byte
metadata:
  version: 1
"""


class Server:
    def __init__(self, minke, model):
        self.process = subprocess.Popen([minke, "serve", model, "--port", "0", "--name", "local"],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"serving at (http://\S+)", line)
            if found:
                self.url = found.group(1)
                return
        raise SystemExit("the server ended before it served")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def openai_checks(url):
    import openai
    client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
    ask = {"model": "local", "messages": MESSAGES, "temperature": 0, "max_tokens": 16}
    tools = [{"type": "function", "function": {"name": "weather", "strict": True,
                                               "parameters": SCHEMA}}]

    def chat():
        reply = client.chat.completions.create(**ask)
        expect(reply.usage.completion_tokens <= 16, "usage")
        chunks = list(client.chat.completions.create(
            **ask, stream=True, stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        expect(text == reply.choices[0].message.content, "stream and whole differ")
        expect(chunks[-1].usage.completion_tokens == reply.usage.completion_tokens, "usage")

    def tool():
        for choice in ["required", {"type": "function", "function": {"name": "weather"}}]:
            reply = client.chat.completions.create(
                **{**ask, "max_tokens": 500}, tools=tools, tool_choice=choice,
                parallel_tool_calls=False)
            call = reply.choices[0].message.tool_calls[0].function
            expect(json.loads(call.arguments)["city"] in ["Rome", "Oslo"], call)

    def schema():
        reply = client.chat.completions.create(
            **{**ask, "max_tokens": 500},
            response_format={"type": "json_schema",
                             "json_schema": {"name": "w", "strict": True, "schema": SCHEMA}})
        expect(json.loads(reply.choices[0].message.content)["city"] in ["Rome", "Oslo"], reply)

    def responses():
        asked = {"model": "local", "input": "hello", "temperature": 0, "max_output_tokens": 16}
        reply = client.responses.create(**asked)
        text = ""
        with client.responses.stream(**asked) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    text += event.delta
        expect(text == reply.output_text, "stream and whole differ")

    def completions():
        reply = client.completions.create(model="local", prompt="hello whale", max_tokens=2,
                                          echo=True, logprobs=1, temperature=0)
        scores = reply.choices[0].logprobs.token_logprobs
        expect(scores[0] is None and all(s <= 0 for s in scores[1:]), scores)

    def errors():
        for fields, kind in [({"temperature": 3}, openai.UnprocessableEntityError),
                             ({"temperature": "hot"}, openai.BadRequestError)]:
            try:
                client.chat.completions.create(**{**ask, **fields})
            except kind:
                continue
            raise AssertionError(f"no {kind.__name__}")
        try:
            client.models.retrieve("other")
        except openai.NotFoundError:
            return
        raise AssertionError("no NotFoundError")

    return {"openai " + f.__name__: f for f in [chat, tool, schema, responses, completions, errors]}


def anthropic_checks(url):
    import anthropic
    client = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)
    ask = {"model": "local", "messages": MESSAGES, "max_tokens": 16}
    greedy = {"temperature": 0}  # not a named argument in every version of the package

    def messages():
        reply = client.messages.create(**ask, extra_body=greedy)
        with client.messages.stream(**ask, extra_body=greedy) as stream:
            text = "".join(stream.text_stream)
        expect(text == "".join(b.text for b in reply.content if b.type == "text"),
               "stream and whole differ")

    def tool():
        reply = client.messages.create(
            **{**ask, "max_tokens": 500}, tool_choice={"type": "tool", "name": "weather"},
            tools=[{"name": "weather", "input_schema": SCHEMA, "strict": True}])
        calls = [b for b in reply.content if b.type == "tool_use"]
        expect(calls[0].input["city"] in ["Rome", "Oslo"], calls)

    def errors():
        try:
            client.messages.create(**{**ask, "max_tokens": 0})
        except anthropic.APIStatusError as error:
            expect(error.status_code in [400, 422], error)
            return
        raise AssertionError("no error")

    return {"anthropic " + f.__name__: f for f in [messages, tool, errors]}


def harness_check(url, minke, model):
    """The harness asks for token ids' scores where it has a tokenizer; here text goes as it is."""
    def harness():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            (folder / "data.jsonl").write_text(json.dumps({"text": TEXT}) + "\n")
            (folder / "text.txt").write_text(TEXT)
            (folder / "local_text.yaml").write_text(TASK.format(data=folder / "data.jsonl"))
            arguments = ("model=local,tokenizer_backend=remote,tokenized_requests=True,"
                         f"num_concurrent=1,max_length=2048,base_url={url}/v1/completions")
            subprocess.run(
                [sys.executable, "-m", "lm_eval", "--model", "local-completions", "--tasks",
                 "local_text", "--include_path", str(folder), "--model_args", arguments,
                 "--output_path", str(folder / "out"), "--batch_size", "1"],
                check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            file = next((folder / "out").rglob("results_*.json"))
            results = json.loads(file.read_text())["results"]["local_text"]
            theirs = results["bits_per_byte,none"] * math.log(2) * len(TEXT.encode())
            done = subprocess.run([minke, "perplexity", model, str(folder / "text.txt"), "--json"],
                                  check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
        ours = math.log(found["perplexity"]) * found["tokens"]
        print(f"  log-likelihood: harness {-theirs:.4f}, minke perplexity {-ours:.4f}")
        expect(abs(theirs - ours) <= TOLERANCE * ours, "they differ")
    return {"lm-evaluation-harness": harness}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("minke")
    parser.add_argument("model")
    parser.add_argument("--without-harness", action="store_true")
    arguments = parser.parse_args()
    server = Server(arguments.minke, arguments.model)
    failed = 0
    try:
        checks = {**openai_checks(server.url), **anthropic_checks(server.url)}
        if not arguments.without_harness:
            checks |= harness_check(server.url, arguments.minke, arguments.model)
        for name, check in checks.items():
            try:
                check()
                print(f"ok      {name}")
            except Exception as error:  # each check is told, whatever ended it
                failed += 1
                told = getattr(error, "stdout", None) or error
                print(f"FAILED  {name}: {type(error).__name__}: {str(told)[-1500:]}")
    finally:
        server.stop()
    print(f"{len(checks) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
