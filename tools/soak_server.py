#!/usr/bin/env python3
"""Loads a server with twice what it can hold, much of it hostile, and watches what becomes of it.

Exit code 1 if it crashes, grows, refuses without saying when to come back, starves a request,
answers with a status that is not meant, or answers otherwise afterwards than before.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import random
import socket
import sys
import threading
import time
from pathlib import Path

import serving

CHAT = "/v1/chat/completions"
BODY_LIMIT = 16 << 20
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
# Allocators keep some of what is freed, and caches fill: growth behind the first third that is no
# leak.
ALLOWED_GROWTH_MIB = 16


class Tally:
    """What was seen, from all threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: collections.Counter = collections.Counter()
        self.problems: collections.Counter = collections.Counter()
        self.waits: list[float] = []

    def count(self, name: str) -> None:
        with self.lock:
            self.counts[name] += 1

    def problem(self, text: str) -> None:
        with self.lock:
            self.problems[text] += 1

    def waited(self, seconds: float) -> None:
        with self.lock:
            self.waits.append(seconds)


def chat(rng: random.Random, **more: object) -> dict:
    text = serving.text_of(rng.choice([40, 400, 2000]), rng.randrange(1_000_000))
    return {
        "messages": [{"role": "user", "content": text}],
        "max_tokens": rng.choice([8, 24, 48]),
        "seed": rng.randrange(1 << 30),
        **more,
    }


def check_refusal(status: int, headers: dict, body: object, tally: Tally) -> float:
    """Counts a refusal; returns the seconds that it says to wait."""
    tally.count(f"refused {status}")
    if not (isinstance(body, dict) and isinstance(body.get("error"), dict)):
        tally.problem(f"{status}: expected an error object, found {str(body)[:60]}")
    after = headers.get("retry-after", "")
    if not after.isdigit():
        tally.problem(f"{status} without Retry-After")
        return 1
    return float(after)


class Soak:
    def __init__(self, server: serving.Server, options: argparse.Namespace) -> None:
        self.server = server
        self.options = options
        self.end = time.monotonic() + options.minutes * 60
        self.tally = Tally()

    def running(self) -> bool:
        return time.monotonic() < self.end and self.server.alive()

    def polite(self, rng: random.Random) -> None:
        """Whole answers, streamed or not; a refusal is tried again when it says so."""
        body = chat(rng, stream=rng.random() < 0.5)
        begun = time.monotonic()
        while True:
            wait = self._try(body)
            if wait is None:
                break
            if not self.running():
                return
            time.sleep(min(wait, 10))
        seconds = time.monotonic() - begun
        self.tally.waited(seconds)
        if seconds > self.options.patience:
            self.tally.problem(f"a request waited more than {self.options.patience} s")

    def _try(self, body: dict) -> float | None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=self.options.patience
        )
        try:
            connection.request("POST", CHAT, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            raw = response.read()
            headers = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        if response.status in (429, 503):
            return check_refusal(response.status, headers, json.loads(raw), self.tally)
        if response.status != 200:
            self.tally.problem(f"a proper request: status {response.status}")
        elif body["stream"]:
            return self._check_stream(raw)
        elif not json.loads(raw)["choices"][0]["finish_reason"]:
            self.tally.problem("an answer without finish_reason")
        self.tally.count("answered")
        return None

    def _check_stream(self, raw: bytes) -> float | None:
        """A stream begins before its request is taken: a refusal is then an event."""
        events = [line[6:] for line in raw.split(b"\n") if line.startswith(b"data: ")]
        if events and events[-1] == b"[DONE]":
            self.tally.count("answered")
            return None
        if events and b'"error"' in events[-1]:
            self.tally.problem(f"a stream with an error: {events[-1][:90]!r}")
        else:
            self.tally.problem("a stream that broke off")
        return None

    def aborting(self, rng: random.Random) -> None:
        """Leaves after some bytes of a stream, or before the first."""
        body = json.dumps(chat(rng, stream=True, max_tokens=400)).encode()
        with self._connect() as link:
            link.sendall(request_head(len(body)) + body)
            if rng.random() < 0.7:
                link.recv(rng.choice([1, 200, 2000]))
            else:
                time.sleep(rng.random())
            if rng.random() < 0.5:  # a reset instead of an orderly end
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.tally.count("aborted")

    def slow(self, rng: random.Random) -> None:
        """Reads a stream a few bytes at a time."""
        body = json.dumps(chat(rng, stream=True, n=4, max_tokens=100)).encode()
        link = socket.socket()
        with link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            link.settimeout(self.options.patience)
            link.connect(("127.0.0.1", self.server.port))
            link.sendall(request_head(len(body)) + body)
            until = min(self.end, time.monotonic() + 20)
            while time.monotonic() < until and link.recv(64):
                time.sleep(0.05)
        self.tally.count("read slowly")

    def malformed(self, rng: random.Random) -> None:
        body = bytearray(json.dumps(chat(rng)).encode())
        kind = rng.randrange(6)
        expected = (400, 413, 422)
        if kind == 0:
            del body[rng.randrange(len(body)) :]
        elif kind == 1:
            body[rng.randrange(len(body) // 2)] = rng.choice(b"\x00\xff\x7f{}[]\"\\")
            expected = (200, 400, 422, 429, 503)
        elif kind == 2:
            body = bytearray(b"[" * rng.choice([100, 100_000]))
        elif kind == 3:
            body = bytearray(json.dumps({"messages": rng.choice(
                [None, [], {}, 3, [[]], [{"role": "user"}], [{"role": "x", "content": "y"}]]
            )}).encode())
        elif kind == 4:
            body = bytearray(json.dumps(chat(rng, max_tokens=rng.choice([-1, 1e99, "a"]))).encode())
        else:
            self._say(rng.choice([b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00",
                                  b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
                                  b"Content-Length: -5\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"]))
            self.tally.count("no HTTP")
            return
        status = self._say(request_head(len(body)) + bytes(body))
        self.tally.count(f"malformed {status}")
        if status not in expected:
            self.tally.problem(f"a malformed request of kind {kind}: status {status}")

    def huge(self, rng: random.Random) -> None:
        """More than the limit: told by its head, or found out by its chunks; and just within."""
        kind = rng.randrange(3)
        if kind == 0:
            status = self._say(request_head(rng.choice([BODY_LIMIT + 1, 1 << 62])))
            expected = (413,)
        elif kind == 1:
            chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
            head = request_head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            status = self._say(head + chunk * 17)
            expected = (413,)
        else:
            text = "a " * (7 << 20)
            body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
            status = self._say(request_head(len(body)) + body)
            expected = (400, 422, 503)
        self.tally.count(f"huge {status}")
        if status not in expected and status != 0:
            self.tally.problem(f"a huge body of kind {kind}: status {status}")
        time.sleep(1)

    def half_open(self, rng: random.Random) -> None:
        """Says the beginning of a request and no more: it must be told to go."""
        whole = request_head(500) + b'{"messages": '
        with self._connect() as link:
            link.sendall(whole[: rng.randrange(len(whole))])
            begun = time.monotonic()
            link.settimeout(90)
            try:
                while link.recv(4096):
                    pass
                self.tally.count("half open, closed")
            except TimeoutError:
                self.tally.problem("a half-open connection was kept for more than 90 s")
            except ConnectionError:
                self.tally.count("half open, closed")
            if time.monotonic() - begun > self.end - begun + 80:
                self.tally.count("half open at the end")

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), self.options.patience)

    def _say(self, content: bytes) -> int:
        """Sends it and ends sending; the status of the answer, 0 if there is none."""
        with self._connect() as link:
            try:
                link.sendall(content)
                link.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # answered and closed before it was read
            try:
                answer = link.recv(64)
                while answer.startswith(INTERIM):  # asks who has ended sending whether it reads
                    answer = answer[len(INTERIM) :] or link.recv(64)
            except ConnectionError:
                return 0
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0

    def repeat(self, work, seed: int) -> None:
        rng = random.Random(seed)
        while self.running():
            try:
                work(rng)
            except (OSError, http.client.HTTPException) as error:
                if self.server.alive():
                    self.tally.problem(f"{work.__name__}: {type(error).__name__}: {error}")
                time.sleep(0.2)
            except Exception as error:  # a client's thread must not end unseen
                self.tally.problem(f"{work.__name__}: {type(error).__name__}: {error}")


def request_head(length: int) -> bytes:
    return (
        f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


def one_answer(server: serving.Server) -> tuple:
    body = {"messages": [{"role": "user", "content": "Name three rivers."}], "temperature": 0,
            "max_tokens": 24, "logprobs": True}
    choice = server.client().ask(CHAT, body)["choices"][0]
    return choice["message"]["content"], json.dumps(choice["logprobs"])


def load(soak: Soak, clients: int) -> list[float]:
    """Runs all clients until the time is over; the process's memory, each second."""
    aborting = round(clients * 0.2)
    works = [soak.aborting] * aborting + [soak.polite] * (clients - aborting - 2)
    works += [soak.slow] * 2 + [soak.malformed, soak.huge] + [soak.half_open] * 4
    threads = [
        threading.Thread(target=soak.repeat, args=(work, seed), daemon=True)
        for seed, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    memory = []
    while soak.running():
        memory.append(soak.server.memory_mib())
        time.sleep(1)
    for thread in threads:
        thread.join(soak.options.patience + 90)
        if thread.is_alive():
            soak.tally.problem("a client that got no end of its answer")
    return memory


def idle(server: serving.Server) -> bool:
    """Whether the server says that nothing runs or waits, within half a minute."""
    for _ in range(60):
        with server.client()._open("GET", "/metrics", None) as response:
            text = response.read().decode()
        left = [line for line in text.splitlines()
                if "num_requests_" in line and not line.startswith("#")]
        if left and all(float(line.split()[-1]) == 0 for line in left):
            return True
        time.sleep(0.5)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--minke", type=Path, default=serving.DEFAULT_BINARY)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--queue", type=int, default=4)
    parser.add_argument("--cache", default="0.25", help="GiB, so that it fills early")
    parser.add_argument("--patience", type=float, default=120,
                        help="seconds that no request may take, its refusals included")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()

    server = serving.minke(
        options.minke, options.model, "--sequences", str(options.sequences), "--queue",
        str(options.queue), "--cache", options.cache, port=options.port,
    )
    with server:
        before = one_answer(server)
        soak = Soak(server, options)
        memory = load(soak, 2 * (options.sequences + options.queue))
        tally = soak.tally
        if not server.alive():
            tally.problem(f"the server ended with {server.process.returncode}")
        else:
            if not idle(server):
                tally.problem("requests are left that nobody waits for")
            if one_answer(server) != before:
                tally.problem("another answer than before the load")
            memory.append(server.memory_mib())
        alive = server.alive()
    third = memory[len(memory) // 3]
    if memory[-1] > third + ALLOWED_GROWTH_MIB:
        tally.problem(f"memory grew from {third:.0f} to {memory[-1]:.0f} MiB")
    if alive and server.process.returncode not in (0, None):
        tally.problem(f"SIGTERM ended the server with {server.process.returncode}")

    for name, count in sorted(tally.counts.items()):
        print(f"{count:8} {name}")
    print(f"memory: start {memory[0]:.0f}, after a third {third:.0f}, peak {max(memory):.0f}, "
          f"end {memory[-1]:.0f} MiB")
    print(f"a whole request with its refusals: p50 {serving.share(tally.waits, 0.5):.1f}, "
          f"p99 {serving.share(tally.waits, 0.99):.1f}, most {max(tally.waits, default=0):.1f} s")
    for text, count in tally.problems.most_common():
        print(f"PROBLEM {count} times: {text}")
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
