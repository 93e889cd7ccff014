"""A server under test, and clients for it, with Python's standard library alone."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEFAULT_BINARY = ROOT / "build/release/minke"
TEXT = ROOT / "tests/golden/text/english.txt"
START_SECONDS = 120


def text_of(characters: int, number: int) -> str:
    """English of so many characters, begun differently for each number."""
    text = TEXT.read_text(encoding="utf-8")
    while len(text) < characters:
        text += text
    start = number * 7919 % (len(text) - characters + 1)
    return f"Note {number}. " + text[start : start + characters]


class Answer:
    """A whole answer: `body` is its JSON, or None if it is not JSON."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        raw = response.read()
        try:
            self.body = json.loads(raw)
        except ValueError:
            self.body = None

    def error(self) -> str:
        """The message of an error, "" if there is none."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error.get("message", "") if isinstance(error, dict) else ""


class Client:
    """Asks a server at 127.0.0.1, over a connection of its own for each request."""

    def __init__(self, port: int, timeout: float = 600) -> None:
        self.port = port
        self.timeout = timeout

    def _open(self, method: str, path: str, body: object) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        content = None if body is None else json.dumps(body).encode()
        headers = {"Connection": "close"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, content, headers)
        return connection.getresponse()

    def post(self, path: str, body: object) -> Answer:
        with self._open("POST", path, body) as response:
            return Answer(response)

    def get(self, path: str) -> Answer:
        with self._open("GET", path, None) as response:
            return Answer(response)

    def ask(self, path: str, body: object) -> dict:
        """The JSON of an answer that must be 200."""
        answer = self.post(path, body)
        if answer.status != 200 or answer.body is None:
            raise RuntimeError(f"{path}: status {answer.status}: {answer.error()}")
        return answer.body

    def tokens(self, text: str) -> list[int]:
        return self.ask("/tokenize", {"content": text, "parse_special": False})["tokens"]

    def stream(self, path: str, body: dict) -> Iterator[tuple[float, dict]]:
        """The events of a stream, each with time.monotonic() of its arrival."""
        with self._open("POST", path, {**body, "stream": True}) as response:
            if response.status != 200:
                raise RuntimeError(f"{path}: status {response.status}: {response.read(500)!r}")
            complete = False
            for line in response:
                if not line.startswith(b"data: "):
                    continue
                if line.startswith(b"data: [DONE]"):
                    complete = True
                    break
                yield time.monotonic(), json.loads(line[6:])
            if not complete:
                raise RuntimeError(f"{path}: the stream ended without [DONE]")


class Server:
    """A process that serves at 127.0.0.1 from entering the context to leaving it."""

    def __init__(self, command: Sequence[str], port: int | None = None) -> None:
        """Without `port` the process tells its own, as minke does."""
        self.command = [str(part) for part in command]
        self.port = port or 0
        self.log: list[str] = []

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace",
        )
        self._told = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self.command[0]} does not serve: {' '.join(self.log[-10:])}")
            time.sleep(0.1)
        return self

    def _read(self) -> None:
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            del self.log[:-200]
            found = re.search(r"serving at http://\S*:(\d+)", line)
            if found:
                self.port = int(found.group(1))

    def _answers(self) -> bool:
        if self.port == 0:
            return False
        try:
            return Client(self.port, 10).get("/v1/models").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def __exit__(self, *unused: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self, timeout: float = 600) -> Client:
        return Client(self.port, timeout)

    def alive(self) -> bool:
        return self.process.poll() is None

    def memory_mib(self) -> float:
        """Of main memory that the process holds for itself: files that it maps are left out."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024


def minke(binary: Path, model: Path, *arguments: str, port: int = 0) -> Server:
    return Server([binary, "serve", model, "--port", port, *arguments], None)


def in_parallel(workers: int, jobs: Sequence, work) -> list:
    """work(job) for each, on so many threads; results in the order of the jobs."""
    results: list = [None] * len(jobs)
    failures: list[BaseException] = []
    numbers = iter(range(len(jobs)))
    lock = threading.Lock()

    def run() -> None:
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                results[number] = work(jobs[number])
            except BaseException as error:  # raised again by the caller's thread
                failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def share(values: Sequence[float], part: float) -> float:
    """The value that such a part of all does not exceed: 0.5 is the median."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")
