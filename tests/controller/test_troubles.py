"""What went wrong, where, why and what next: all of it in the status, under the trace of the call that asked."""

import re
from pathlib import Path

import pytest

from moviellm import errors, tracing
from moviellm.controller.troubles import REMEDIES, remedy_for
from moviellm.v1 import movie_dataset_service_pb2 as pb

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (errors.Denied("the key is refused", reason="LLM_UNAUTHORIZED"), REMEDIES["LLM_UNAUTHORIZED"]),
        (ZeroDivisionError("secret 42"), REMEDIES["INTERNAL"]),
        (errors.InvalidInput("pictures", "must be fewer"), "ask again with another pictures"),
    ],
)
async def test_a_failure_carries_all_of_it(controllers, error, remedy):
    controller = await controllers()
    controller.stages.fail = {"scene 1-1": [error]}
    spec = pb.MovieDatasetSpec(theme="a storm", movies=1, chapters=1, scenes=1, frames=1)
    request = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id="demo")
    header = f"00-{ID}-00f067aa0ba902b7-01"
    await controller.stub.CreateMovieDataset(request, metadata=((tracing.HEADER, header),))
    trouble = (await controller.ended()).trouble
    assert trouble.message
    assert "42" not in trouble.message
    assert (trouble.remedy, trouble.trace) == (remedy, ID)


async def test_the_trace_stays_when_the_controller_starts_anew(controllers, store):
    first = await controllers()
    first.stages.fail = {"scene 1-1": [errors.Unavailable("not yet", reason="LLM_UNREACHABLE")] * 1000}
    await first.create()
    await first.stop()
    second = await controllers()
    second.stages.fail = {"scene 1-1": [errors.Denied("no")]}
    trace = (await second.ended()).trouble.trace
    assert trace in (await store.get("datasets/demo/request.json")).decode()


def test_what_is_temporary_is_left_alone_first():
    assert remedy_for(errors.Interrupted("shutting down")).startswith("nothing: it is tried again")


def test_reasons_that_the_handbook_explains_have_their_remedy():
    handbook = OPERATING.read_text().partition("## When something is wrong")[2]
    explained = set(re.findall(r"`(LLM_[A-Z_]+)`", handbook))
    assert explained
    assert explained <= set(REMEDIES)
