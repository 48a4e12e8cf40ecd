"""A dataset is made whole, once, and goes on after anything that stops it."""

import asyncio

import pytest

from moviellm import errors
from moviellm.controller.progress import totals
from moviellm.dataset import MovieDatasetSpec, Stage
from moviellm.v1 import movie_dataset_service_pb2 as pb

State = pb.MovieDataset.State
SPEC = MovieDatasetSpec("a storm", movies=2, chapters=2, scenes=2, frames=3)


async def test_everything_that_was_asked_for_is_made_once(controller):
    await controller.create(movies=2)
    dataset = await controller.ended()
    assert dataset.state == State.STATE_SUCCEEDED
    assert {stage.stage: (stage.done, stage.total) for stage in dataset.stages} == {
        number: (total, total) for number, total in enumerate(totals(SPEC).values(), 1)
    }
    assert controller.stages.calls["picture"] == 2 * 12 + len(
        [1 async for entry in controller.store.list("styles") if "references" in entry.key]
    )
    assert set(dataset.titles) == {1, 2}
    assert controller.stages.calls["finish"] == 1


async def test_stages_overlap(controller):
    """The first frame is ordered before the last scene is written."""
    controller.stages.fail = {"scene 2-2": [errors.Unavailable("later")] * 3}
    await controller.create()
    await controller.ended()
    order = controller.stages.order
    assert order.index("frame") < len(order) - 1 - order[::-1].index("scene 2-2")


async def test_temporary_errors_are_retried_and_shown_while_they_last(controller):
    trouble = errors.Unavailable("the LLM does not answer", reason="LLM_UNREACHABLE")
    controller.stages.fail = {"scene 1-2": [trouble] * 4}
    await controller.create()
    updates = await controller.watched()
    assert updates[-1].movie_dataset.state == State.STATE_SUCCEEDED
    assert not updates[-1].movie_dataset.HasField("trouble")
    assert controller.stages.calls["scene 1-2"] == 5


async def test_a_permanent_error_fails_the_dataset_with_its_reason_and_keeps_the_rest(controller):
    refusal = errors.Denied("http://llm refuses the key", reason="LLM_UNAUTHORIZED")
    controller.stages.fail = {"scene 2-1": [refusal]}
    await controller.create()
    dataset = await controller.ended()
    assert dataset.state == State.STATE_FAILED
    assert (dataset.trouble.service, dataset.trouble.reason) == ("scripting", "LLM_UNAUTHORIZED")
    assert dataset.trouble.message == "http://llm refuses the key"
    assert dataset.trouble.unit == "movie 1, chapter 2, scene 1"
    assert controller.stages.calls["picture"] == 3 + 9, "the other scenes are rendered all the same"


async def test_retry_goes_on_with_what_is_missing(controller):
    controller.stages.fail = {"scene 2-1": [errors.Denied("no")]}
    await controller.create()
    await controller.ended()
    before = controller.stages.calls.copy()
    await controller.ask("RetryMovieDataset", pb.RetryMovieDatasetRequest(name="movieDatasets/demo"))
    dataset = await controller.ended()
    assert dataset.state == State.STATE_SUCCEEDED
    made = controller.stages.calls - before
    assert made["scene 2-1"] == 1
    assert made["picture"] == 3
    assert made["outline"] == made["style"] == made["scene 1-1"] == 0


async def test_patience_ends(controllers):
    controller = await controllers(patience=0.2)
    controller.stages.fail = {"outline": [errors.Unavailable("the scripting service does not answer")] * 1000}
    await controller.create()
    dataset = await controller.ended()
    assert dataset.state == State.STATE_FAILED
    assert dataset.trouble.attempts > 1


async def test_a_bug_in_one_dataset_fails_that_dataset_only(controller):
    controller.stages.fail = {"outline": [ZeroDivisionError("x")]}
    await controller.create("first")
    dataset = await controller.ended("first")
    assert (dataset.state, dataset.trouble.reason) == (State.STATE_FAILED, "INTERNAL")
    await controller.create("second")
    assert (await controller.ended("second")).state == State.STATE_SUCCEEDED


@pytest.mark.parametrize("after", [0, 1, 5, 8])
async def test_a_restart_makes_only_what_is_missing(controllers, store, after):
    """The first controller is stopped after some frames; the second one finishes; no picture is made twice."""
    first = await controllers()
    first.stages.closes_after = 3 + after
    await first.create()
    await first.stages.closed.wait()
    await asyncio.sleep(0.05)
    await first.stop()
    pictures = len([entry async for entry in store.list("") if entry.key.endswith(".jpg")])
    assert pictures < 3 + 12

    second = await controllers()
    dataset = await second.ended()
    assert dataset.state == State.STATE_SUCCEEDED
    assert pictures + second.stages.calls["picture"] == 3 + 12
    assert [(stage.done, stage.total) for stage in dataset.stages] == [
        (total, total) for total in totals(MovieDatasetSpec("", 1, 2, 2, 3)).values()
    ]


async def test_final_states_survive_a_restart_without_any_work(controllers):
    first = await controllers()
    await first.create()
    before = await first.ended()
    await first.stop()
    second = await controllers()
    assert await second.get() == before
    assert not second.stages.calls


async def test_the_same_seed_gives_the_same_scripts_and_prompts(controller):
    await controller.create("one", seed=5)
    await controller.create("two", seed=5)
    await controller.create("three", seed=6)
    for identifier in ("one", "two", "three"):
        await controller.ended(identifier)

    async def frames(identifier):
        prefix = f"datasets/{identifier}/files"
        return {
            e.key.removeprefix(prefix): await controller.store.get(e.key) async for e in controller.store.list(prefix)
        }

    assert await frames("one") == await frames("two") != await frames("three")


async def test_figures_are_exported(controller):
    await controller.create()
    await controller.ended()
    value = controller.metrics_registry.get_sample_value
    local = {"stage": "scripting", "node_pool": "local", "outcome": "success"}
    assert value("moviellm_stage_items_total", local) == totals(MovieDatasetSpec("", 1, 2, 2, 3))[Stage.SCRIPTING]
    assert value("moviellm_frames_total", {"node_pool": "local", "outcome": "rendered"}) == 12
    assert value("moviellm_datasets", {"state": "succeeded"}) == 1
