"""A running `minke serve`, for tests."""
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 120
CHAT = "/v1/chat/completions"


class Server:
    """A running `minke serve`. Clients are http.client: nothing is retried or followed."""

    def __init__(self, program, model, *options, port=0):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program, "serve", str(model), "--port", str(port), "--threads", "1",
             "--cache", "0.2", *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        self.port = None
        end = time.monotonic() + PATIENCE
        while self.port is None:
            found = re.search(r"serving at http://[^\n]*:(\d+) ", self.log())
            if found:
                self.port = int(found.group(1))
            elif self.process.poll() is not None or time.monotonic() > end:
                log = self.log()
                self.kill()
                raise AssertionError("does not serve: " + log)
            else:
                time.sleep(0.02)

    def log(self):
        # Not seek() and read(): the server writes where its own copy of the file stands.
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode("utf-8", errors="replace")

    def request(self, method, path, body=None, key=None, headers=None):
        """The connection on which it has been asked."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        fields = dict(headers or {})
        if key is not None:
            fields["Authorization"] = "Bearer " + key
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        connection.request(method, path, body=body, headers=fields)
        return connection

    def open(self, method, path, body=None, **keywords):
        """The response, of which nothing but the head has been read."""
        return self.request(method, path, body, **keywords).getresponse()

    def ask(self, method, path, body=None, **keywords):
        with contextlib.closing(self.request(method, path, body, **keywords)) as connection:
            response = connection.getresponse()
            return response.status, response.read(), response.headers

    def json(self, method, path, body=None, **keywords):
        status, content, _ = self.ask(method, path, body, **keywords)
        if status != 200:
            raise AssertionError(f"{path}: {status} {content!r}")
        return json.loads(content)

    def memory_mib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    def upload(self, content, key=None, purpose="batch"):
        form = (f'--xyz\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
                '--xyz\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n'
                f'Content-Type: application/octet-stream\r\n\r\n{content}\r\n--xyz--\r\n')
        return self.json("POST", "/v1/files", form, key=key,
                         headers={"Content-Type": "multipart/form-data; boundary=xyz"})

    def stop(self, number=signal.SIGTERM):
        """Asks the server to stop, and returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def chat(text="hello", tokens=4, **more):
    return {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": tokens,
            "temperature": 0, **more}
