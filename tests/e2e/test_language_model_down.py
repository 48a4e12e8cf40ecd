"""A language model that does not answer: the dataset says so, keeps what it has, and goes on when asked again."""

import signal
import subprocess
import sys
import time

import grpc
import pytest

from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

pytestmark = pytest.mark.timeout(400)

NAME = "movieDatasets/waiting"


@pytest.fixture
def small_stack(tmp_path, stacks):
    """Controller and scripting, which is told of a language model at a port where nobody listens."""
    base = stacks.free_base_port()
    settings = {
        "MOVIELLM_SCRIPTING_WRITER": "openai",
        "MOVIELLM_SCRIPTING_LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "MOVIELLM_SCRIPTING_LLM_MODEL": "some-model",
        "MOVIELLM_SCRIPTING_LLM_API_KEY": "sk-never-to-be-seen",
        "MOVIELLM_CONTROLLER_LLM_RETRY_SECONDS": "1.5",
    }
    command = [sys.executable, "-m", "moviellm.cli", "up", "--base-port", str(base), "--data", str(tmp_path)]
    command += ["--only", "controller", "--only", "scripting"]
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=stacks.environment() | settings)
    yield f"127.0.0.1:{base}", tmp_path
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def until(stub, wanted, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        dataset = stub.GetMovieDataset(pb.GetMovieDatasetRequest(name=NAME))
        if dataset.state == wanted:
            return dataset
        time.sleep(0.1)
    raise AssertionError(f"still {dataset}")


def test_the_dataset_says_what_failed_and_goes_on_when_asked(small_stack):
    server, folder = small_stack
    with grpc.insecure_channel(server) as channel:
        grpc.channel_ready_future(channel).result(60)
        stub = pb_grpc.MovieDatasetServiceStub(channel)
        spec = pb.MovieDatasetSpec(theme="a storm", chapters=1, scenes=1, frames=1)
        stub.CreateMovieDataset(pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id="waiting"))
        for _ in range(2):
            trouble = until(stub, pb.MovieDataset.STATE_FAILED).trouble
            assert (trouble.service, trouble.reason) == ("scripting", "LLM_UNREACHABLE")
            assert "http://127.0.0.1:9/v1" in trouble.message
            assert trouble.unit == "movie 1, outline"
            again = stub.RetryMovieDataset(pb.RetryMovieDatasetRequest(name=NAME))
            assert again.state in (pb.MovieDataset.STATE_PENDING, pb.MovieDataset.STATE_RUNNING)
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"sk-never-to-be-seen" not in written
