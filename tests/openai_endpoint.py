"""A real HTTP server on loopback that speaks the chat completions protocol, well or badly, as told.

`Mischief` misbehaves for a share of the requests, `Refusing` is a server that does not take some options.
"""

import collections
import contextlib
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG = "no answer before the server stops"
CUT = (200, b'{"choices": [', {"content-length": "999"})
MISCHIEF = ("limit", "crash", "cut", "hang", "truncated", "schema", "refusal", "fenced", "empty")


class Endpoint:
    """Answers each completion with the next of `answers`, the last one again and again; keeps what it was asked.

    An answer is a reply text, an object to reply with, a pair (status, body) with optional headers as a third, CUT for
    a connection that breaks, HANG for silence; or a function from the request to one of these, such as a Mischief or a
    Refusing. With a `key`, whoever comes without it gets 401. `usage` None leaves the count of tokens out; `paths`
    are those that were asked for.
    """

    def __init__(
        self, answers=(), *, models=(200, {"object": "list", "data": []}), usage=(10, 5), key=None, paths=None
    ):
        self.answers = list(answers)
        self.models = models
        self.usage = usage
        self.key = key
        self.paths = [] if paths is None else paths
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
        if answer is HANG:
            answer = self.silence(request)
        if isinstance(answer, tuple):
            return answer
        return 200, completion(text_of(answer), usage=self.usage)

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
        "usage": usage and {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)},
    }


def text_of(answer):
    """A reply as the text that a model writes."""
    return answer if isinstance(answer, str) else json.dumps(answer)


class Mischief:
    """Answers as `good` does (a reply, or a function from the request to one), but for a share of the requests badly.

    Which requests, and in which of the `kinds`, is decided by the seed and the order they come in; `done` counts them.
    Each call is one request that a well-behaved server would have answered.
    """

    def __init__(self, good, *, share=0.3, seed=0, kinds=MISCHIEF, retry_after="0.05"):
        self.good = good
        self.share = share
        self.kinds = kinds
        self.retry_after = retry_after
        self.done = collections.Counter()
        self._random = random.Random(seed)
        self._turn = threading.Lock()

    def __call__(self, request):
        with self._turn:
            kind = self._random.choice(self.kinds) if self._random.random() < self.share else "good"
            self.done[kind] += 1
        answer = self.good(request) if callable(self.good) else self.good
        return answer if isinstance(answer, tuple) else self.spoilt(kind, text_of(answer))

    def spoilt(self, kind, text):
        """A good reply in one of the bad ways."""
        return {
            "good": text,
            "limit": (429, {"error": {"message": "slow down"}}, {"retry-after": self.retry_after}),
            "crash": (500, {"error": {"message": "internal error"}}),
            "cut": CUT,
            "hang": HANG,
            "truncated": text[: len(text) // 2],
            "schema": {"unexpected": [text[:20]], "more": None},
            "refusal": (200, completion(None, refusal="I cannot help with that.")),
            "fenced": f"Of course! Here it is:\n```json\n{text}\n```\nAnything else?",
            "empty": "",
        }[kind]


class Refusing:
    """Answers as `good` does requests that `takes` says yes to; others get the status and words."""

    def __init__(self, good, takes, *, status=400, said=b""):
        self.good = good
        self.takes = takes
        self.answer = (status, said)

    def __call__(self, request):
        if not self.takes(request):
            return self.answer
        return self.good(request) if callable(self.good) else self.good


@contextlib.contextmanager
def serving(endpoint):
    """The endpoint behind a port of its own; sets its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = self.rfile.read(int(self.headers["content-length"]))
            if not sent:  # who asked has given up already
                return
            request = json.loads(sent)
            self.answer(lambda: endpoint.take(request, {name.lower(): value for name, value in self.headers.items()}))

        def do_GET(self):
            self.answer(lambda: endpoint.models)

        def answer(self, answer):
            refusal = (401, {"error": {"message": "who are you?"}})
            endpoint.paths.append(self.path)
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
