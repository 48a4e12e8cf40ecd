"""One call of a requester, one trace id on the spans of every service, Ray Serve's replicas among them."""

import time

import pytest
from otlp_collector import spans_of

from moviellm import tracing
from moviellm.v1 import movie_dataset_service_pb2 as pb

pytestmark = pytest.mark.timeout(400)

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SERVICES = {f"moviellm-{room}" for room in ("controller", "scripting", "inversion", "rendering", "qa", "export")}


def test_one_trace_goes_through_all_services(stack):
    spec = pb.MovieDatasetSpec(theme="a trace in the snow", movies=1, chapters=1, scenes=1, frames=1)
    request = pb.CreateMovieDatasetRequest(movie_dataset_id="traced", spec=spec)
    header = f"00-{ID}-00f067aa0ba902b7-01"
    stack.stub.CreateMovieDataset(request, timeout=60, metadata=((tracing.HEADER, header),))
    stack.finished("traced", 300)
    deadline = time.monotonic() + 30
    found = {}
    while time.monotonic() < deadline and not (
        set(found) == SERVICES and "MakeDataset" in found["moviellm-controller"]
    ):
        found = {}
        for service, name, trace in spans_of(stack.spans):
            if trace == ID:
                found.setdefault(service, set()).add(name)
        time.sleep(0.5)
    assert set(found) == SERVICES
    assert {"CreateMovieDataset", "MakeDataset", "Make export"} <= found["moviellm-controller"]
    assert {"WriteOutline", "WriteChapter", "WriteScene"} <= found["moviellm-scripting"]
    assert "RenderScene" in found["moviellm-rendering"]
