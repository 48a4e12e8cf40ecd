"""A real HTTP server on loopback that speaks the chat completions protocol, well or badly, as told."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint:
    """Answers each completion with the next of `answers`, the last one again and again; keeps what it was asked.

    An answer is a reply text, an object to reply with, or a pair (status, body) with optional headers as a third;
    or a function from the request to one of these. With a `key`, whoever comes without it gets 401.
    """

    def __init__(self, answers=(), *, models=(200, {"object": "list", "data": []}), usage=(10, 5), key=None):
        self.answers = list(answers)
        self.models = models
        self.usage = usage
        self.key = key
        self.requests = []
        self.headers = []
        self.url = ""
        self.closing = threading.Event()
        self._turn = threading.Lock()

    def take(self, request, headers):
        with self._turn:
            self.requests.append(request)
            self.headers.append(headers)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, tuple):
            return answer
        return 200, completion(answer if isinstance(answer, str) else json.dumps(answer), usage=self.usage)

    def silence(self, request):
        """An answer that does not come before the server stops."""
        self.closing.wait(30)
        return ""

    def admits(self, headers):
        return self.key is None or headers["authorization"] == f"Bearer {self.key}"


def completion(text, finish_reason="stop", *, usage=(10, 5), **message):
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text} | message, "finish_reason": finish_reason}
        ],
        "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)},
    }


@contextlib.contextmanager
def serving(endpoint):
    """The endpoint behind a port of its own; sets its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer(lambda: endpoint.take(request, {name.lower(): value for name, value in self.headers.items()}))

        def do_GET(self):
            self.answer(lambda: endpoint.models)

        def answer(self, answer):
            refusal = (401, {"error": {"message": "who are you?"}})
            status, body, *headers = answer() if endpoint.admits(self.headers) else refusal
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            usual = {"content-type": "application/json", "content-length": str(len(data))}
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                for name, value in (usual | (headers[0] if headers else {})).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        endpoint.closing.set()
        server.shutdown()
        server.server_close()
