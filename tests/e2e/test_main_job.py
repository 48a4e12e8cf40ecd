"""One theme in, a dataset out, through every service; then the same again while services are being killed."""

import io
import json
import re
import tarfile
from pathlib import Path

import av
import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from PIL import Image

from moviellm.v1 import movie_dataset_service_pb2 as pb

SPEC = {"theme": "a blind clockmaker who repairs a map of the sea", "chapters": 2, "scenes": 2, "frames": 4, "seed": 11}
FRAMES = 2 * 2 * 4

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="session")
def first(stack):
    """The undisturbed dataset."""
    stack.create("first", **SPEC)
    return stack.finished("first")


def test_the_folder_is_whole(stack, first, tmp_path):
    done = stack.run("download", "first", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    root = tmp_path / "first"
    movie = root / "movies" / "0001"
    record = json.loads((movie / "movie.json").read_text())
    assert record["theme"] == SPEC["theme"]
    assert "clockmaker" in record["overview"]
    frames = sorted((movie / "frames").iterdir())
    assert [frame.name for frame in frames] == [f"{number:06}.jpg" for number in range(1, FRAMES + 1)]
    assert "-->" in (movie / "movie.srt").read_text()
    questions = json.loads((movie / "qa.json").read_text())
    assert {"overview", "plot", "temporal"} <= {question["kind"] for question in questions}
    train = json.loads((root / "formats/llava_next/train.json").read_text())
    assert all(record["conversations"][0]["value"].count("<image>") == 1 for record in train)
    assert (root / "index.html").exists()
    assert (root / "README.md").read_text().startswith("---\n")
    with tarfile.open(next((root / "formats/webdataset").glob("*.tar"))) as shard:
        assert sum(name.endswith(".jpg") for name in shard.getnames()) == FRAMES
    with av.open(str(movie / "movie.mp4")) as video:
        assert video.duration / av.time_base == pytest.approx(FRAMES, abs=1.1)


def test_pictures_are_pictures(stack, first):
    """Not flat, not all the same, and learnt in one style."""
    pictures = [
        np.asarray(Image.open(io.BytesIO(data)), dtype=float)
        for path, data in sorted(stack.files("first").items())
        if "/frames/" in path
    ]
    assert all(picture.std() > 10 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == FRAMES


def test_the_same_request_and_seed_while_services_are_killed(stack, first):
    """SIGKILL of every service in turn: the dataset completes, equal to the undisturbed one, nothing made twice."""
    stack.create("again", **SPEC)
    for number, room in enumerate(("scripting", "controller", "qa", "rendering", "export"), 1):
        stack.wait("again", lambda dataset, number=number: sum(s.done for s in dataset.stages) >= 3 * number)
        stack.members()[room].kill()
    stack.finished("again")
    undisturbed, disturbed = stack.files("first"), stack.files("again")
    assert set(undisturbed) == set(disturbed)
    for path, data in undisturbed.items():
        if path.endswith((".jpg", "qa.json", ".srt")):
            assert disturbed[path] == data, path
    leftovers = [path for path in (stack.folder / "store").rglob("*") if "#" in path.name or path.suffix == ".tmp"]
    assert not leftovers


def test_another_seed_gives_another_movie(stack, first):
    stack.create("other", **(SPEC | {"seed": 12, "chapters": 1, "scenes": 1, "frames": 1}))
    stack.finished("other")
    assert stack.get("other").titles != first.titles


def test_bad_requests_are_refused_at_the_door_and_in_one_sentence(stack):
    with pytest.raises(grpc.RpcError) as caught:
        stack.create("bad", theme="x", movies=0)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = rpc_status.from_call(caught.value).details
    bad_request = next(d for d in details if d.Is(error_details_pb2.BadRequest.DESCRIPTOR))
    field = error_details_pb2.BadRequest.FromString(bad_request.value).field_violations[0].field
    assert field == "spec.movies"
    done = stack.run("create", "--theme", "x", "--style", "cubism")
    assert done.returncode != 0
    assert "cubism" in done.stderr
    assert "gothic" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_documented_client_works(stack, first, capsys):
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    code = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)
    exec(compile(code.replace("127.0.0.1:8600", stack.server), "docs/api.md", "exec"), {})
    assert "STATE_SUCCEEDED" in capsys.readouterr().out


def test_delete_leaves_nothing(stack, first):
    stack.create("gone", **(SPEC | {"chapters": 1, "scenes": 1, "frames": 2}))
    stack.wait("gone", lambda dataset: dataset.stages[0].done > 0)
    stack.stub.DeleteMovieDataset(pb.DeleteMovieDatasetRequest(name="movieDatasets/gone"), timeout=60)
    assert stack.files("gone") == {}
    with pytest.raises(grpc.RpcError) as caught:
        stack.get("gone")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.ends_the_stack
def test_stopping_leaves_no_process(stack):
    """Last, because it stops the stack."""
    assert stack.stop() == []
