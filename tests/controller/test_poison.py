"""A unit that can never be made: it is given up after bounded attempts and named; everything else is made; a retry
makes what failed, and nothing else."""

import pytest

from moviellm import errors
from moviellm.controller.policy import RetryPolicy, retried
from moviellm.v1 import movie_dataset_service_pb2 as pb

State = pb.MovieDataset.State


class Always:
    """Errors without end, as FakeStages takes them."""

    def __init__(self, error):
        self.error = error

    def pop(self, index):
        return self.error


REFUSED = errors.Denied("the model refuses this", reason="LLM_REFUSED")
KILLED = errors.Unavailable("the service lost the call before it was answered", reason="CALL_LOST")
CASES = {  # the call that fails: stage, unit, what is not made because of it
    "scene 2-1": ("scripting", "movie 1, chapter 2, scene 1", {"ask scene 2-1", "ask order", "review", "export 1"}),
    "style": ("inversion", "movie 1, style", {"frame", "export 1"}),
    "frame": ("rendering", "movie 1, chapter ", {"export 1"}),
    "ask scene 1-2": ("qa", "movie 1, questions of scene-01-02", {"review", "export 1"}),
    "export 1": ("export", "movie 1", set()),
}
ALL = {"scene 1-1", "scene 2-2", "style", "ask scene 1-1", "ask scene 2-2", "export 2"}


@pytest.mark.parametrize("error", [REFUSED, KILLED], ids=lambda error: error.reason)
@pytest.mark.parametrize("call", CASES)
async def test_one_poisonous_unit_fails_alone_and_a_retry_makes_it(controllers, call, error):
    stage, unit, lost = CASES[call]
    controller = await controllers(most={"CALL_LOST": 4})
    stages = controller.stages
    if call == "frame":
        poison_frames(stages, error)
    else:
        stages.fail = {call: Always(error)}
    await controller.create(movies=1 if call != "export 1" else 2)
    dataset = await controller.ended()
    assert dataset.state == State.STATE_FAILED
    trouble = dataset.trouble
    assert (trouble.service, trouble.reason) == (stage, error.reason)
    assert trouble.unit.startswith(unit)
    assert error.message in trouble.message
    assert trouble.attempts == (4 if error is KILLED else 1)
    made = {name for name, count in stages.calls.items() if count and name != call}
    missing = lost | {call, "finish"} | ({"export 2"} if call != "export 1" else set())
    assert made >= ALL - missing
    assert not made & lost - {"frame"}

    stages.fail = {}
    stages.render_scene = type(stages).render_scene.__get__(stages)
    before = stages.calls.copy()
    await controller.ask("RetryMovieDataset", pb.RetryMovieDatasetRequest(name="movieDatasets/demo"))
    assert (await controller.ended()).state == State.STATE_SUCCEEDED
    again = stages.calls - before
    assert again["outline"] == again["scene 1-1"] == again["ask scene 1-1"] == 0
    assert again["finish"] == 1


def poison_frames(stages, error):
    """The second frame of a scene kills its renderer, whenever it is ordered."""
    render = stages.render_scene

    async def poisoned(orders, looks, options):
        async for picture in render(orders, looks, options):
            yield picture
            if picture.number == 2:
                raise error

    stages.render_scene = poisoned


async def test_what_the_unit_is_not_to_blame_for_does_not_count():
    """A service that is not there says nothing about the unit; one that dies under it, again and again, does."""
    policy = RetryPolicy(first=1, longest=1, default_patience=1000, most={"CALL_LOST": 3})
    away = errors.Unavailable("nobody there", reason="SERVICE_UNREACHABLE")
    coming = [away] * 50 + [KILLED, away, KILLED] + [away] * 50
    now, tried = [0.0], []

    async def sleep(seconds):
        now[0] += seconds

    async def make():
        if coming:
            raise coming.pop()
        return "made"

    options = {
        "on_trouble": lambda error, attempts: tried.append(error.reason),
        "clock": lambda: now[0],
        "sleep": sleep,
        "jitter": lambda: 0.5,
    }
    assert await retried(make, policy, **options) == "made"
    coming = [away] * 5 + [KILLED] * 3 + [away] * 5
    tried.clear()
    with pytest.raises(errors.Unavailable, match="lost the call"):
        await retried(make, policy, **options)
    assert tried.count("CALL_LOST") == 3
