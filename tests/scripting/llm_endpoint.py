"""A real HTTP server on loopback that speaks the chat completions protocol, well or badly, as told."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint:
    """Answers each POST with the next of `answers`, the last one again and again; keeps what it was asked.

    An answer is a reply text, or a pair (status, body) with optional headers as a third.
    """

    def __init__(self, answers, models=(200, {"object": "list", "data": []})):
        self.answers = list(answers)
        self.models = models
        self.requests = []
        self.headers = []
        self.url = ""

    def take(self, request, headers):
        self.requests.append(request)
        self.headers.append(headers)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, str):
            return 200, completion(answer), {}
        return (*answer, {}) if len(answer) == 2 else answer


def completion(text, finish_reason="stop"):
    message = {"role": "assistant", "content": text}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


@contextlib.contextmanager
def serving(endpoint):
    """The endpoint behind a port of its own; sets its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            self.answer(
                *endpoint.take(
                    json.loads(self.rfile.read(length)), {name.lower(): value for name, value in self.headers.items()}
                )
            )

        def do_GET(self):
            self.answer(*endpoint.models, {})

        def answer(self, status, body, headers):
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in (
                {"content-type": "application/json", "content-length": str(len(data))} | headers
            ).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
