"""A controller that holds much: datasets taken up at start, and artifacts that another stored first."""

from dataclasses import replace

from fake_stages import FakeStages

from moviellm import wire
from moviellm.artifacts import DatasetKeys
from moviellm.controller.registry import Accepted, Status
from moviellm.controller.survey import Used, survey
from moviellm.dataset import MovieDatasetSpec, State
from moviellm.v1 import movie_dataset_service_pb2 as pb

MANY = 150


class Second(FakeStages):
    """Another controller stores every scene while this one still waits for its own."""

    async def write_scene(self, spec, outline, chapter, scene, seed):
        made = await super().write_scene(spec, outline, chapter, scene, seed)
        theirs = replace(
            made.value,
            frames=tuple(replace(frame, description=f"an empty beach, {frame.number}") for frame in made.value.frames),
        )
        key = DatasetKeys("demo").movie(1).scene(chapter.number, scene)
        assert await self.store.put(key, wire.to_json(theirs))
        return made


async def test_what_another_stored_first_is_built_on(controllers, store):
    controller = await controllers()
    controller.stages.__class__ = Second
    await controller.create()
    dataset = await controller.ended()
    assert dataset.state == pb.MovieDataset.STATE_SUCCEEDED
    frames = [prompt for prompt in controller.stages.prompts if prompt.startswith("generate")]
    assert len(frames) == 12
    assert all("an empty beach" in prompt for prompt in frames)


async def test_all_datasets_of_the_store_are_taken_up_and_counted(controllers, store):
    spec = MovieDatasetSpec("a storm")
    for number in range(MANY):
        keys = DatasetKeys(f"past-{number:03}")
        state = State.SUCCEEDED if number % 3 else State.CANCELLED
        await store.put(keys.request, wire.to_json(Accepted(spec, float(number))))
        await store.put(keys.status, wire.to_json(Status(state, 1.0, 1.0, changes=2)))
    controller = await controllers()

    def counted(state):
        return controller.metrics_registry.get_sample_value("moviellm_datasets", {"state": state})

    assert (counted("succeeded"), counted("cancelled"), counted("running")) == (100, 50, 0)
    page = await controller.ask("ListMovieDatasets", pb.ListMovieDatasetsRequest(page_size=40))
    assert [dataset.name for dataset in page.movie_datasets][:2] == ["movieDatasets/past-149", "movieDatasets/past-148"]
    await controller.create("new")
    assert (await controller.ended("new")).state == pb.MovieDataset.STATE_SUCCEEDED
    assert (counted("succeeded"), counted("running")) == (101, 0)


async def test_what_a_movie_has_cost_is_kept_with_it(controllers, store):
    controller = await controllers()
    controller.stages.tokens = 5
    await controller.create(movies=2)
    told = (await controller.ended()).model_use
    assert [use.prompt_tokens for use in told] == [2 * (2 + 4) * 5]
    sums = [wire.from_json(await store.get(DatasetKeys("demo").movie(number).use), Used) for number in (1, 2)]
    assert [one.works[0].prompt_tokens for one in sums] == [30, 30]
    counted = (await survey(store, "demo")).use
    for number in (1, 2):
        await store.delete_all(DatasetKeys("demo").movie(number).use)
    assert (await survey(store, "demo")).use == counted, "unit by unit"
    assert counted["fake"].prompt_tokens == 60
