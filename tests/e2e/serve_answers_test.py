#!/usr/bin/env python3
"""minke serve to strangers, to too many at once, and to those who look at its figures."""
import http.client
import json
import time

import harness
import serve_case
from serve_case import LONG
from server import CHAT, PATIENCE, chat


class ServeAnswersTest(serve_case.ServeCase):
    def test_a_bad_key_file_changes_nothing_and_is_told_once(self):
        ann = self.add_key("ann")
        server = self.serve("--keys", self.keys)
        good = self.keys.read_text()
        self.keys.write_text(good.replace('"user"', '"admin"'))
        def told():
            self.assertEqual(server.ask("GET", "/v1/models", key=ann)[0], 200)
            return "admin" in server.log()
        self.wait_for(told, "the file is told of")
        time.sleep(1.5)
        told()
        self.assertEqual(server.log().count("keys[0]"), 1, server.log())
        self.assertIn("go on", server.log())

    def test_strangers_send_no_bodies(self):
        ann = self.add_key("ann")
        server = self.serve("--keys", self.keys)
        for path, field in [(CHAT, "x-request-id"), ("/v1/messages", "request-id"),
                            ("/v1/nothing", "x-request-id")]:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            connection.putrequest("POST", path)
            connection.putheader("Content-Length", str(16 << 20))
            connection.endheaders()
            answer = connection.getresponse()
            self.assertEqual(answer.status, 404 if "nothing" in path else 401)
            self.assertRegex(answer.headers[field], "^req_[0-9a-f]{32}$")
            body = json.loads(answer.read())
            self.assertEqual("type" in body, field == "request-id")
            connection.close()
        server.json("POST", CHAT, chat(), key=ann)

    def test_names_of_the_model(self):
        server = self.serve("--name", "minke", "--alias", "whale", "--alias", "small",
                            "--strict-model")
        names = [model["id"] for model in server.json("GET", "/v1/models")["data"]]
        self.assertEqual(names, ["minke", "whale", "small"])
        for name, status in [("minke", 200), ("small", 200), ("other", 404)]:
            self.assertEqual(server.ask("POST", CHAT, {**chat(), "model": name})[0], status, name)
            body = {"model": name, "max_tokens": 4, "messages": chat()["messages"]}
            self.assertEqual(server.ask("POST", "/v1/messages", body)[0], status, name)
            body = {"model": name, "input": "x", "max_output_tokens": 16}
            self.assertEqual(server.ask("POST", "/v1/responses", body)[0], status, name)

    def test_receipts_know_the_roofline(self):
        server = self.serve(model=self.talkative)
        _, _, headers = server.ask("POST", CHAT, chat(tokens=50))
        self.assertRegex(headers["X-Minke-Receipt"], r"roofline=\d+\.\d{3}")

    def test_the_page_is_sent_once(self):
        server = self.serve()
        status, page, headers = server.ask("GET", "/")
        self.assertEqual((status, len(page) > 0), (200, True))
        again = server.ask("GET", "/", headers={"If-None-Match": headers["ETag"]})
        self.assertEqual((again[0], again[1]), (304, b""))
        self.assertEqual(again[2]["ETag"], headers["ETag"])
        other = server.ask("GET", "/", headers={"If-None-Match": '"other"'})
        self.assertEqual((other[0], other[1]), (200, page))

    def test_metrics(self):
        server = self.serve()
        server.json("POST", "/beta/completions", {"prompt": "x", "max_tokens": 2})
        server.ask("POST", CHAT, "{")
        server.ask("GET", "/v1/models", headers={"Host": "evil.example"})
        server.ask("POST", "/tokenize", {"content": "x"})
        server.ask("GET", "/nothing")
        text = server.ask("GET", "/metrics")[1].decode()
        def count(name, **labels):
            for line in text.splitlines():
                if line.startswith(f"minke:{name}{{") and all(
                        f'{key}="{value}"' in line for key, value in labels.items()):
                    return int(line.split()[-1])
            return 0
        for endpoint, status in [("/v1/completions", 200), (CHAT, 400), ("/v1/models", 403),
                                 ("/tokenize", 200), ("other", 404)]:
            self.assertEqual(count("http_requests_total", endpoint=endpoint, status=status), 1,
                             endpoint)
        self.assertEqual(count("rejected_total", reason="invalid"), 1)
        self.assertEqual(count("rejected_total", reason="forbidden"), 1)

    def test_a_full_queue(self):
        server = self.serve("--sequences", 1, "--queue", 1, *LONG, model=self.talkative)
        streams = []
        for running in [True, False]:
            streams.append(server.open("POST", CHAT, chat(tokens=90000, stream=True)))
            queue = {"running": 1, "waiting": 0 if running else 1}
            self.wait_for(lambda: server.json("GET", "/v1/status")["queue"] == queue, "in place")
        answer = server.ask("POST", CHAT, chat())
        self.assertEqual(self.refused(answer, 429)["code"], "queue_full")
        self.assertEqual(answer[2]["Retry-After"], "1")
        body = {"model": "m", "max_tokens": 4, "messages": chat()["messages"]}
        answer = server.ask("POST", "/v1/messages", body)
        self.assertEqual(self.refused(answer, 529)["type"], "overloaded_error")
        text = server.ask("GET", "/metrics")[1].decode()
        self.assertRegex(text, r'rejected_total\{[^}]*"queue_full"[^}]*\} 2')
        for stream in streams:
            stream.close()


if __name__ == "__main__":
    harness.main()
