#!/usr/bin/env python3
"""minke serve and its connections: who leaves, who half leaves, and what is left of requests."""
import json
import socket
import tempfile
import threading
import time
from pathlib import Path

import harness
import talkative_model
import tiny_model
from server import CHAT, PATIENCE, Server, chat


def request_bytes(body):
    content = json.dumps(body).encode()
    return (f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n").encode() + content


class ConnectionsTest(harness.ProgramTest):
    def serve(self, write, *options):
        folder = tempfile.TemporaryDirectory(prefix="minke-e2e-")
        self.addCleanup(folder.cleanup)
        server = Server(self.program, write(Path(folder.name)), *options)
        self.addCleanup(server.kill)
        return server

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def test_memory_of_requests_is_given_back(self):
        server = self.serve(tiny_model.write, "--sequences", 4)

        def ask(body, times):
            def repeat():
                for _ in range(times):
                    statuses.add(server.ask("POST", CHAT, body,
                                            headers={"Content-Type": "application/json"})[0])
            statuses = set()
            threads = [threading.Thread(target=repeat) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return statuses

        short = json.dumps(chat("hello", 2))
        large = json.dumps({"messages": [{"role": "user", "content": "a" * (12 << 20)},
                                         {"role": "nobody", "content": ""}]})
        self.assertEqual(ask(short, 100), {200})
        before = server.memory_mib()
        self.assertEqual(ask(short, 500), {200})
        self.assertLess(server.memory_mib(), before + 8)
        for _ in range(4):
            self.assertEqual(ask(large, 1), {422})
        self.assertEqual(ask(short, 5), {200})
        self.assertLess(server.memory_mib(), before + 24)

    def test_half_closed_clients_are_answered(self):
        server = self.serve(tiny_model.write)
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as link:
            link.sendall(request_bytes(chat()))
            link.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: link.recv(65536), b""))
        while answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            answer = answer.split(b"\r\n\r\n", 1)[1]
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        self.assertEqual(json.loads(answer.split(b"\r\n\r\n", 1)[1])["object"],
                         "chat.completion")

    def test_clients_that_close_all_free_their_place(self):
        server = self.serve(talkative_model.write, "--sequences", 1, "--context", "100000")
        for stream in [False, True]:
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as link:
                link.sendall(request_bytes(chat("hello", 90000, stream=stream)))
                self.wait_for(lambda: self.running(server) == 1, "never began")
            self.wait_for(lambda: self.running(server) == 0, f"goes on, stream {stream}")

    @staticmethod
    def running(server):
        return server.json("GET", "/v1/status")["queue"]["running"]

    def test_answers_have_ids(self):
        server = self.serve(tiny_model.write)
        ids = []
        for method, path, body in [("POST", CHAT, chat()), ("POST", CHAT, chat(stream=True)),
                                   ("POST", CHAT, {}), ("GET", "/v1/models", None),
                                   ("POST", "/v1/embeddings", {}), ("GET", "/v1/files", None),
                                   ("POST", "/v1/responses", {"model": "m", "input": "x"})]:
            ids.append(server.ask(method, path, body)[2]["x-request-id"])
            self.assertRegex(ids[-1], r"^req_[0-9a-f]{32}$", path)
        self.assertEqual(len(set(ids)), len(ids))


if __name__ == "__main__":
    harness.main()
