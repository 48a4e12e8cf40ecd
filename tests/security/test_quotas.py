"""Quotas through the real door: what is too much, what is said then, and when there is room again."""

import asyncio

import pytest

from moviellm import errors
from moviellm.controller.tenancy.quotas import Need, Quota, Quotas
from moviellm.v1 import movie_dataset_service_pb2 as pb

DEMO = pb.WatchMovieDatasetRequest(name="movieDatasets/one")


async def held(guarded, **quotas):
    """A controller that renders nothing until its gate is opened."""
    controller = await guarded(**quotas)
    controller.stages.gate.clear()
    return controller


async def test_datasets_under_way_are_limited_and_ended_ones_make_room(guarded):
    controller = await held(guarded, films=Quota(datasets=1))
    await controller.create_as("films-writes", "one")
    with pytest.raises(errors.Exhausted) as caught:
        await controller.create_as("films-writes", "two")
    assert caught.value.reason == "QUOTA_EXCEEDED"
    assert caught.value.retry_after
    assert "films may have 1 datasets under way; 1 are, and this asks for 1" in caught.value.message
    assert "wait until a dataset ends" in caught.value.message
    controller.stages.gate.set()
    await controller.ask_as("films-writes", "WatchMovieDataset", DEMO)
    await controller.create_as("films-writes", "two")


async def test_frames_are_limited_and_a_request_beyond_the_quota_is_told_so(guarded):
    controller = await held(guarded, films=Quota(frames=10))
    await controller.create_as("films-writes", "one", frames=6)
    with pytest.raises(errors.Exhausted, match="10 frames under way; 6 are, and this asks for 6"):
        await controller.create_as("films-writes", "two", frames=6)
    with pytest.raises(errors.Exhausted, match="ask for less") as caught:
        await controller.create_as("films-writes", "three", frames=11)
    assert caught.value.reason == "QUOTA_TOO_SMALL"
    assert caught.value.retry_after is None
    await controller.create_as("films-writes", "four", frames=4)


async def test_tokens_are_limited_by_what_requests_allow_themselves(guarded):
    controller = await held(guarded, films=Quota(llm_tokens=1000))
    await controller.create_as("films-writes", "one", max_llm_tokens=700)
    with pytest.raises(errors.Exhausted, match="1,000 language model tokens"):
        await controller.create_as("films-writes", "two", max_llm_tokens=400)
    await controller.create_as("films-writes", "three", max_llm_tokens=300)


async def test_a_quota_is_one_tenants_and_the_star_is_for_the_rest(guarded):
    controller = await held(guarded, films=Quota(datasets=2), **{"*": Quota(datasets=1)})
    await controller.create_as("films-writes", "one")
    await controller.create_as("films-writes", "two")
    await controller.create_as("toons-writes", "one")
    with pytest.raises(errors.Exhausted):
        await controller.create_as("toons-writes", "two")


async def test_going_on_needs_room_too_and_a_repeated_request_does_not(guarded):
    controller = await held(guarded, films=Quota(datasets=1))
    await controller.create_as("films-writes", "one", request_id="r")
    assert (await controller.create_as("films-writes", "one", request_id="r")).name == "movieDatasets/one"
    cancel = pb.CancelMovieDatasetRequest(name="movieDatasets/one")
    await controller.ask_as("films-writes", "CancelMovieDataset", cancel)
    await controller.create_as("films-writes", "two")
    retry = pb.RetryMovieDatasetRequest(name="movieDatasets/one")
    with pytest.raises(errors.Exhausted):
        await controller.ask_as("films-writes", "RetryMovieDataset", retry)


async def test_a_hundred_at_once_are_let_in_up_to_the_quota(guarded):

    controller = await held(guarded, films=Quota(datasets=7))
    asked = [controller.create_as("films-writes", f"d{number}") for number in range(100)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, errors.Exhausted)]
    assert len(refused) == 93
    assert len(await controller.names("films-writes")) == 7


def test_without_a_quota_nothing_is_counted():
    def never():
        raise AssertionError("nobody needs to look")
        yield

    Quotas().check("films", Need(1, 10**9, 10**9), never())
