"""Marked secrets through failing services: none of them, and nothing of what people asked for, comes out anywhere.

Looked through: every log line, every file of the store, metrics pages, statuses and details of errors.
"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from openai_endpoint import Endpoint, serving

from moviellm.v1 import deployment_service_pb2 as deployment_pb
from moviellm.v1 import deployment_service_pb2_grpc as deployment_grpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

pytestmark = pytest.mark.timeout(400)

KEY, PASSWORD, QUERY = "sk-mark-1f0c", "word-mark-2a7d", "query-mark-3b9e"
S3_KEY, S3_SECRET = "AKMARK4C", "s3-mark-5d1b"
THEME = "a whispering quokka-mark-6e in the attic"
SECRETS = (KEY, PASSWORD, QUERY, S3_KEY, S3_SECRET)
NAME = "movieDatasets/marked"


def leaks(said, marks):
    """Bytes of marks in what was said."""
    return {mark: said.count(mark.encode()) * len(mark) for mark in marks if mark.encode() in said}


def echo(request):
    """A careless endpoint: it says in its refusal all it was sent."""
    return 400, {"error": {"message": f"{KEY} {PASSWORD} {QUERY} http://u:{PASSWORD}@h/?api_key={QUERY} {request}"}}


@contextlib.contextmanager
def careless_store():
    """An S3 endpoint that refuses everything, with what it was sent and all secrets in the answer."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = f"<Error><Code>AccessDenied</Code><Message>{S3_SECRET} {self.headers}</Message></Error>".encode()
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(403)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def running(folder, stacks, only, settings):
    """Services as processes; yields the base port."""
    base = stacks.free_base_port()
    command = [sys.executable, "-m", "moviellm.cli", "up", "--base-port", str(base), "--data", str(folder)]
    command += [word for room in only for word in ("--only", room)]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=stacks.environment() | settings)
    try:
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def told(call, request):
    """All that a call tells, well or badly."""
    try:
        return str(call(request, timeout=30)).encode()
    except grpc.RpcError as error:
        return f"{error.details()} {error.trailing_metadata()}".encode()


def failed(stub):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        dataset = stub.GetMovieDataset(pb.GetMovieDatasetRequest(name=NAME))
        if dataset.state == pb.MovieDataset.STATE_FAILED:
            return str(dataset).encode()
        time.sleep(0.1)
    raise AssertionError(f"still {dataset}")


def written(folder, but=()):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in but)


def figures(base, rooms):
    pages = [urllib.request.urlopen(f"http://127.0.0.1:{base + 100 + room}/metrics").read() for room in rooms]
    return b"".join(pages)


def test_a_language_model_that_repeats_everything_is_not_repeated(tmp_path, stacks):
    with serving(Endpoint([echo])) as endpoint:
        address = endpoint.url.replace("http://", f"http://user:{PASSWORD}@") + f"?api_key={QUERY}"
        settings = {
            f"MOVIELLM_{room}_LLM_{name}": value
            for room in ("SCRIPTING", "QA")
            for name, value in {"BASE_URL": address, "MODEL": "tiny", "API_KEY": KEY}.items()
        }
        settings |= {"MOVIELLM_SCRIPTING_WRITER": "openai", "MOVIELLM_QA_ASKER": "openai"}
        settings |= {"MOVIELLM_SCRIPTING_LOG_LEVEL": "debug", "MOVIELLM_CONTROLLER_LOG_LEVEL": "debug"}
        with running(tmp_path, stacks, ("controller", "scripting", "qa"), settings) as base:
            with grpc.insecure_channel(f"127.0.0.1:{base}") as channel:
                grpc.channel_ready_future(channel).result(100)
                stub = pb_grpc.MovieDatasetServiceStub(channel)
                spec = pb.MovieDatasetSpec(theme=THEME, chapters=1, scenes=1, frames=1)
                said = told(stub.CreateMovieDataset, pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id="marked"))
                said += failed(stub)
                doctor = deployment_grpc.DeploymentServiceStub(channel)
                said += told(doctor.DiagnoseDeployment, deployment_pb.DiagnoseDeploymentRequest())
            said += figures(base, (0, 1, 4))
    assert endpoint.requests, said
    assert leaks(said + written(tmp_path), SECRETS) == {}
    logs = written(tmp_path / "logs") + (tmp_path / "up.log").read_bytes()
    assert b"LLM_REQUEST_REFUSED" in logs or b"400" in logs
    assert leaks(logs, [THEME, "quokka-mark"]) == {}, "logs hold no prompts"


def test_a_store_that_repeats_everything_is_not_repeated(tmp_path, stacks):
    with careless_store() as endpoint:
        settings = {
            "MOVIELLM_STORE_URL": "s3://bucket/prefix",
            "MOVIELLM_STORE_ENDPOINT": endpoint,
            "MOVIELLM_STORE_ACCESS_KEY_ID": S3_KEY,
            "MOVIELLM_STORE_SECRET_ACCESS_KEY": S3_SECRET,
        }
        with running(tmp_path, stacks, ("controller",), settings) as base:
            said = b""
            with grpc.insecure_channel(f"127.0.0.1:{base}") as channel:
                grpc.channel_ready_future(channel).result(100)
                stub = pb_grpc.MovieDatasetServiceStub(channel)
                spec = pb.MovieDatasetSpec(theme=THEME, chapters=1, scenes=1, frames=1)
                said += told(
                    stub.CreateMovieDataset, pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id="marked")
                )
                said += told(stub.ListArtifacts, pb.ListArtifactsRequest(parent=NAME))
                doctor = deployment_grpc.DeploymentServiceStub(channel)
                said += told(doctor.DiagnoseDeployment, deployment_pb.DiagnoseDeploymentRequest())
            said += figures(base, (0,))
    assert b"STORE_UNAVAILABLE" in said or b"store" in said
    assert leaks(said + written(tmp_path), (S3_KEY, S3_SECRET)) == {}


@pytest.mark.parametrize("settings", ["StoreSettings", "ScriptingSettings"])
def test_settings_do_not_show_secrets(settings):
    from moviellm.scripting.settings import ScriptingSettings
    from moviellm.settings import StoreSettings

    shown = {
        "StoreSettings": lambda: StoreSettings(access_key_id=S3_KEY, secret_access_key=S3_SECRET),
        "ScriptingSettings": lambda: ScriptingSettings(llm_api_key=KEY),
    }[settings]()
    assert leaks(f"{shown!r} {shown} {shown.model_dump_json()}".encode(), SECRETS) == {}
