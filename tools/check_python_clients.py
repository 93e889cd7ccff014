#!/usr/bin/env python3
"""Drives `minke serve` with PyPI's openai and anthropic.

usage: check_python_clients.py MINKE MODEL

Run it with a Python that has them: pip install openai anthropic. MODEL is any chat model. Prints a
line for each check, then `N passed, N failed`. compare/lm_harness.py does the same with
lm-evaluation-harness.
"""
import argparse
import json
import re
import subprocess
import sys

SCHEMA = {"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]}},
          "required": ["city"], "additionalProperties": False}
MESSAGES = [{"role": "user", "content": "hello"}]


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("minke")
    parser.add_argument("model")
    arguments = parser.parse_args()
    server = Server(arguments.minke, arguments.model)
    failed = 0
    try:
        checks = {**openai_checks(server.url), **anthropic_checks(server.url)}
        for name, check in checks.items():
            try:
                check()
                print(f"ok      {name}")
            except Exception as error:  # each check is told, whatever ended it
                failed += 1
                print(f"FAILED  {name}: {type(error).__name__}: {str(error)[-1500:]}")
    finally:
        server.stop()
    print(f"{len(checks) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
