"""The requesters' door: what is refused, and what cancel, delete, list, watch and download do."""

import asyncio
import io

import pytest
from PIL import Image

from moviellm import errors, rpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1.movie_pb2 import Prompt

State = pb.MovieDataset.State


def picture(size=(64, 64), kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind)
    return buffer.getvalue()


def create(pictures=(), identifier="", request_id="", **spec):
    return pb.CreateMovieDatasetRequest(
        spec=pb.MovieDatasetSpec(**({"theme": "a storm"} | spec)),
        style_pictures=pictures,
        movie_dataset_id=identifier,
        request_id=request_id,
    )


@pytest.mark.parametrize(
    ("field", "says", "request_"),
    [
        ("spec.theme", "1 to 500 characters, got 0", create(theme="   ")),
        ("spec.theme", "1 to 500 characters, got 20000", create(theme="x" * 20_000)),
        ("spec.theme", "control characters", create(theme="a\x00b")),
        ("spec.movies", "between 1 and 10, got 0", create(movies=0)),
        ("spec.chapters", "between 1 and 11, got -3", create(chapters=-3)),
        ("spec.scenes", "between 1 and 11, got 12", create(scenes=12)),
        ("spec.frames", "between 1 and 11, got 0", create(frames=0)),
        ("spec.seed", "between 0", create(seed=-1)),
        ("spec.dialogue_lines", "between 0 and 22", create(dialogue_lines=23)),
        ("spec.frames_per_second", "above 0 and at most 30", create(frames_per_second=0)),
        ("spec.frames_per_second", "a finite number", create(frames_per_second=float("nan"))),
        ("spec.style.preset", "known styles: gothic, noir", create(style=pb.StyleSpec(preset="cubism"))),
        ("spec.style", "not both", create(style=pb.StyleSpec(preset="noir", description="dark"))),
        ("spec.style.description", "1 to 300", create(style=pb.StyleSpec(description="x" * 301))),
        ("spec.model", "known models: pocket", create(model="../../etc")),
        ("spec.formats", "known formats: llama_vid, ", create(formats=["parquet"])),
        ("style_pictures", "3 to 60 pictures, got 2", create([picture()] * 2)),
        ("style_pictures[1]", "JPEG, PNG or WebP", create([picture(), b"not a picture", picture()])),
        ("style_pictures[2]", "JPEG, PNG or WebP", create([picture(), picture(), picture()[:60]])),
        ("style_pictures[0]", "at least 32 pixels", create([picture((8, 8)), picture(), picture()])),
        ("style_pictures[0]", "JPEG, PNG or WebP", create([picture(kind="GIF"), picture(), picture()])),
        ("spec.quality.attempts", "between 1 and 8", create(quality=pb.QualitySpec(attempts=9))),
        ("spec.quality.min_score", "between 0 and 1", create(quality=pb.QualitySpec(attempts=2, min_score=1.5))),
        ("spec.quality.attempts", "at least 2", create(quality=pb.QualitySpec(min_score=0.5))),
        ("spec.render.width", "multiple of 8 from 64 to 2048", create(render=pb.RenderSpec(width=32))),
        ("spec.render.height", "multiple of 8 from 64 to 2048", create(render=pb.RenderSpec(height=100))),
        ("spec.render.steps", "between 0 and 200", create(render=pb.RenderSpec(steps=201))),
        ("spec.render.guidance_scale", "between 0 and 30", create(render=pb.RenderSpec(guidance_scale=-1))),
        ("spec.render.refiner_share", "between 0 and 0.9", create(render=pb.RenderSpec(refiner_share=1))),
        ("spec.render.negative_prompt", "at most 2000", create(render=pb.RenderSpec(negative_prompt="x" * 2001))),
        ("spec.render.profile", "known profiles: turbo", create(render=pb.RenderSpec(profile="hyper"))),
        ("spec.max_llm_tokens", "between 0", create(max_llm_tokens=-1)),
        ("spec.prompts[0].text", "1 to 32768 bytes", create(prompts=[Prompt(name="scene")])),
        ("spec.prompts[1].name", "twice", create(prompts=[Prompt(name="scene", text="a")] * 2)),
        ("spec.prompts[0].text", "must hold $theme", create(prompts=[Prompt(name="scene", text="bad")])),
        ("movie_dataset_id", "lower-case letters", create(identifier="../evil")),
        ("movie_dataset_id", "lower-case letters", create(identifier="Demo")),
        ("movie_dataset_id", "lower-case letters", create(identifier="a" * 64)),
        ("request_id", "at most 128", create(request_id="x" * 129)),
    ],
)
async def test_bad_requests_name_the_field_and_what_is_allowed(controller, field, says, request_):
    with pytest.raises(errors.InvalidInput) as caught:
        await controller.ask("CreateMovieDataset", request_)
    assert caught.value.field == field
    assert says in caught.value.allowed
    assert not [entry async for entry in controller.store.list("datasets")], "nothing may be stored"


@pytest.mark.parametrize(
    "name", ["", "demo", "movieDatasets/", "movieDatasets/../x", "movieDatasets/a/b", "movieDatasets/A"]
)
@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("GetMovieDataset", pb.GetMovieDatasetRequest),
        ("CancelMovieDataset", pb.CancelMovieDatasetRequest),
        ("RetryMovieDataset", pb.RetryMovieDatasetRequest),
        ("DeleteMovieDataset", pb.DeleteMovieDatasetRequest),
    ],
)
async def test_bad_names(controller, method, request_type, name):
    with pytest.raises(errors.InvalidInput, match="name: must look like"):
        await controller.ask(method, request_type(name=name))
    with pytest.raises(errors.NotFound, match="there is no dataset movieDatasets/unknown"):
        await controller.ask(method, request_type(name="movieDatasets/unknown"))


async def test_defaults_are_filled_in(controller):
    dataset = await controller.ask("CreateMovieDataset", create(chapters=1))
    spec = dataset.spec
    assert (spec.movies, spec.chapters, spec.scenes, spec.frames, spec.dialogue_lines) == (1, 1, 3, 6, 6)
    assert (spec.model, list(spec.formats), spec.frames_per_second) == ("pocket", ["llava_next", "webdataset"], 1.0)
    assert dataset.name.startswith("movieDatasets/a-storm-")


async def test_validate_only_estimates_and_stores_nothing(controller):
    request = create(movies=2, chapters=11, scenes=11, frames=11)
    request.validate_only = True
    dataset = await controller.ask("CreateMovieDataset", request)
    assert dataset.name == ""
    assert dataset.estimate.frames == 2662
    assert dataset.estimate.gpu_seconds == pytest.approx(2662 * 0.1 + 20)
    assert dataset.estimate.llm_tokens == 2 * (120 + 12)
    assert dataset.estimate.cost == pytest.approx(2 * (110 * 1000 + 22 * 5000) / 1e6)
    assert not [entry async for entry in controller.store.list("datasets")]


async def test_a_repeated_request_id_gives_the_first_dataset(controller):
    first, second = await asyncio.gather(
        controller.ask("CreateMovieDataset", create(request_id="r-1")),
        controller.ask("CreateMovieDataset", create(request_id="r-1")),
    )
    assert first.name == second.name
    with pytest.raises(errors.InvalidInput, match="request_id: was used for another request"):
        await controller.ask("CreateMovieDataset", create(request_id="r-1", theme="a calm"))


async def test_a_taken_name(controller):
    await controller.create()
    with pytest.raises(errors.AlreadyExists, match="movieDatasets/demo is taken"):
        await controller.create()


async def test_the_requesters_pictures_become_the_references(controller):
    await controller.ask("CreateMovieDataset", create([picture(), picture((40, 50)), picture(kind="JPEG")], "mine"))
    dataset = await controller.ended("mine")
    assert dataset.spec.style.pictures == 3
    assert controller.stages.calls["reference"] == 0
    assert controller.stages.calls["style"] == 1


async def test_cancel_stops_the_work_and_retry_goes_on(controller):
    controller.stages.gate.clear()
    await controller.create()
    await asyncio.sleep(0.05)
    cancelled = await controller.ask("CancelMovieDataset", pb.CancelMovieDatasetRequest(name="movieDatasets/demo"))
    assert cancelled.state == State.STATE_CANCELLED
    again = await controller.ask("CancelMovieDataset", pb.CancelMovieDatasetRequest(name="movieDatasets/demo"))
    assert again.state == State.STATE_CANCELLED
    controller.stages.gate.set()
    await asyncio.sleep(0.05)
    assert controller.stages.calls["picture"] == 0
    await controller.ask("RetryMovieDataset", pb.RetryMovieDatasetRequest(name="movieDatasets/demo"))
    assert (await controller.ended()).state == State.STATE_SUCCEEDED
    with pytest.raises(errors.Unsatisfied, match="nothing left to cancel"):
        await controller.ask("CancelMovieDataset", pb.CancelMovieDatasetRequest(name="movieDatasets/demo"))
    with pytest.raises(errors.Unsatisfied, match="only FAILED and CANCELLED"):
        await controller.ask("RetryMovieDataset", pb.RetryMovieDatasetRequest(name="movieDatasets/demo"))


async def test_delete_removes_everything_even_under_way(controller):
    await controller.create("other")
    await controller.ended("other")
    controller.stages.gate.clear()
    await controller.create()
    await asyncio.sleep(0.05)
    await controller.ask("DeleteMovieDataset", pb.DeleteMovieDatasetRequest(name="movieDatasets/demo"))
    assert not [entry async for entry in controller.store.list("datasets/demo")]
    with pytest.raises(errors.NotFound):
        await controller.get()
    assert (await controller.get("other")).state == State.STATE_SUCCEEDED
    controller.stages.gate.set()
    await controller.create()
    assert (await controller.ended()).state == State.STATE_SUCCEEDED


async def test_lists_come_in_pages_newest_first(controller):
    names = [(await controller.create(f"d{i}", chapters=1, scenes=1, frames=1)).name for i in range(5)]
    seen, token = [], ""
    while True:
        page = await controller.ask("ListMovieDatasets", pb.ListMovieDatasetsRequest(page_size=2, page_token=token))
        seen += [dataset.name for dataset in page.movie_datasets]
        token = page.next_page_token
        if not token:
            break
    assert seen == names[::-1]
    with pytest.raises(errors.InvalidInput, match="page_size: must be between 0"):
        await controller.ask("ListMovieDatasets", pb.ListMovieDatasetsRequest(page_size=-1))
    with pytest.raises(errors.InvalidInput, match="page_token"):
        await controller.ask("ListMovieDatasets", pb.ListMovieDatasetsRequest(page_token="rubbish"))


async def test_a_watch_resumes_without_repetition(controller):
    await controller.create(movies=2)
    updates = await controller.watched()
    revisions = [int(update.resume_token) for update in updates]
    assert revisions == sorted(revisions)
    assert updates[-1].movie_dataset.state == State.STATE_SUCCEEDED
    assert await controller.watched(token=updates[-1].resume_token) == []
    assert len(await controller.watched(token=str(revisions[-1] - 1))) == 1
    with pytest.raises(errors.InvalidInput, match="resume_token"):
        await controller.watched(token="x1")


async def test_a_watch_ends_when_the_dataset_is_deleted(controller):
    controller.stages.gate.clear()
    await controller.create()
    watching = asyncio.create_task(controller.watched())
    await asyncio.sleep(0.1)
    await controller.ask("DeleteMovieDataset", pb.DeleteMovieDatasetRequest(name="movieDatasets/demo"))
    with pytest.raises(errors.NotFound, match="was deleted"):
        await watching


async def test_a_stopping_controller_lets_watchers_go(controllers):
    controller = await controllers()
    controller.stages.gate.clear()
    await controller.create()
    watching = asyncio.create_task(controller.watched())
    await asyncio.sleep(0.1)
    await controller.server.stop()
    with pytest.raises(errors.Unavailable):
        await watching


async def test_artifacts_are_listed_in_pages_and_downloaded(controller):
    await controller.create()
    await controller.ended()
    paths, token = [], ""
    while True:
        request = pb.ListArtifactsRequest(parent="movieDatasets/demo", page_size=5, page_token=token)
        page = await controller.ask("ListArtifacts", request)
        paths += [artifact.path for artifact in page.artifacts]
        token = page.next_page_token
        if not token:
            break
    frames = [f"movies/0001/frames/{number:06}.jpg" for number in range(1, 13)]
    assert paths == sorted([*frames, "movies/0001/movie.json", "index.html"])

    async def download(path):
        request = pb.DownloadArtifactRequest(parent="movieDatasets/demo", path=path)
        return b"".join([m.data async for m in rpc.stream("controller", controller.stub.DownloadArtifact(request))])

    assert await download("index.html") == b"<html>"
    with pytest.raises(errors.NotFound, match="has no file nothing"):
        await download("nothing")
    for trick in ("../request.json", "/etc/passwd", "a/../../request.json", "", "..", "movies/../../status.json"):
        with pytest.raises((errors.InvalidInput, errors.NotFound)):
            await download(trick)
