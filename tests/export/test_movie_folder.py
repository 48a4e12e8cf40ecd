"""What ExportMovie writes, over real gRPC, opened with the programs people open it with."""

import hashlib
import io
import json
from dataclasses import replace

import pytest
from export_fixtures import DATASET, EMBEDDING, SPEC, picture, scene, spec_with, stage_at, write_dataset
from PIL import Image
from structlog.testing import capture_logs

from moviellm import errors
from moviellm.artifacts import DatasetKeys, digest
from moviellm.dataset import (
    NOT_MEASURED,
    Attempt,
    Mends,
    MovieQuality,
    MovieStyle,
    PictureMeasures,
    Provenance,
    Questions,
    RenderedScene,
)
from moviellm.movie import CharacterRole, Difficulty, Dropped, FrameRange, Mend, Outline, Question, QuestionKind, Work
from moviellm.wire import from_json, to_json


async def test_a_movie_is_exported_and_every_file_told(stage):
    response = await stage.export_movie(1)
    folder = stage.files() / "movies/0001"
    written = {path for path in folder.rglob("*") if path.is_file() and path.parent.name != "frames"}
    told = {stage.folder / stage.store.key(file.uri): file for file in response.files}
    assert set(told) == written
    assert {str(path.relative_to(folder)) for path in written} == {
        *("manifest.json", "movie.json", "movie.mp4", "movie.srt", "qa.json"),
        *("style/learned_embeds.safetensors", "style/ref-01.jpg", "style/ref-02.jpg", "style/ref-03.jpg"),
    }
    for path, file in told.items():
        assert file.digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file.size_bytes == path.stat().st_size
    assert response.work.node_pool == "cpu-pool"
    assert response.work.seconds > 0
    assert (folder / "style/learned_embeds.safetensors").read_bytes() == EMBEDDING
    assert (folder / "style/ref-02.jpg").read_bytes() == picture(9, 2, 64)


async def test_learnt_faces_and_second_embeddings_are_delivered(stage):
    """A frame's prompt is of no use without the embeddings of its tokens."""
    store, keys, spec = stage.store, DatasetKeys(DATASET).movie(1), spec_with(learn_characters=True)
    await store.put(f"styles/{DATASET}/learned_embeds_2.safetensors", b"second")
    people = from_json(await store.get(keys.outline), Outline).characters
    mains = [one.name for one in people if one.role is CharacterRole.MAIN]
    style = from_json(await store.get(keys.style), MovieStyle)
    with pytest.raises(errors.Unsatisfied, match=r"characters/01\.json"):
        await stage.export_movie(1, spec)
    for number, _ in enumerate(mains, 1):
        face = replace(style, learned=replace(style.learned, token=f"<face-{number}>"))
        await store.put(keys.character(number), to_json(face))
    await stage.export_movie(1, spec)
    folder = stage.files() / "movies/0001"
    assert (folder / "style/learned_embeds_2.safetensors").read_bytes() == b"second"
    faces = json.loads((folder / "movie.json").read_text())["faces"]
    assert [(face["name"], face["token"]) for face in faces] == [(n, f"<face-{i}>") for i, n in enumerate(mains, 1)]
    for face in faces:
        assert (folder / face["embedding"]).read_bytes() == EMBEDDING
        assert all((folder / path).exists() for path in face["references"])


def test_movie_json_tells_the_whole_story(exported):
    folder = exported / "movies/0002"
    movie = json.loads((folder / "movie.json").read_text())
    assert (movie["title"], movie["theme"]) == ("The Message in the Storm 2", SPEC.theme)
    assert movie["style"]["keyword"] == "gothic"
    assert movie["style"]["adjectives"] == ["dark", "gloomy"]
    assert [person["name"] for person in movie["characters"]] == ["Clara", "Edwin"]
    assert (movie["frame_count"], movie["duration_seconds"], movie["picture_models"]) == (12, 12.0, ["pocket"])
    scenes = [item for part in movie["chapters"] for item in part["scenes"]]
    assert [len(part["scenes"]) for part in movie["chapters"]] == [2, 2]
    assert [item["location"] for item in scenes] == ["harbor", "lighthouse", "lighthouse", "beach"]
    frames = [frame for item in scenes for frame in item["frames"]]
    assert [frame["number"] for frame in frames] == list(range(1, 13))
    assert [frame["seed"] for frame in frames] == [2000 + number for number in range(1, 13)]
    assert [frame["start_seconds"] for frame in frames] == [float(second) for second in range(12)]
    for frame in frames:
        assert (folder / frame["file"]).read_bytes() == picture(2, frame["number"])
        assert frame["prompt"].startswith("generate an image in <gothic> style: a young woman with long red hair")
        assert frame["description"].startswith("Clara")
        assert frame["characters"] == ["Clara"]
    assert [line["after_frame"] for line in scenes[1]["dialogue"]] == [4, 4, 6]


def test_qa_json_gives_evidence_in_frames_and_seconds(exported):
    items = json.loads((exported / "movies/0001/qa.json").read_text())
    assert [item["id"] for item in items] == [f"m0001-q{number:04}" for number in range(1, 15)]
    assert [item["level"] for item in items].count("scene") == 8
    assert {item["kind"] for item in items} == {"overview", "plot", "temporal"}
    order = items[-1]
    assert (order["kind"], order["category"]) == ("temporal", "order")
    assert order["evidence"] == {"first_frame": 2, "last_frame": 11, "start_seconds": 1.0, "end_seconds": 11.0}
    third_scene = next(item for item in items if item["question"].endswith("scene-02-01?"))
    assert third_scene["evidence"] == {"first_frame": 7, "last_frame": 9, "start_seconds": 6.0, "end_seconds": 9.0}


async def test_exporting_again_changes_nothing_and_elsewhere_gives_the_same_bytes(tmp_path):
    digests = []
    for place in ("here", "there"):
        async with stage_at(tmp_path / place) as stage:
            await write_dataset(stage.store)
            first = await stage.export_movie(1)
            again = await stage.export_movie(1)
            assert list(first.files) == list(again.files)
            digests.append({stage.store.key(file.uri): file.digest for file in again.files})
    assert digests[0] == digests[1]


async def test_what_is_missing_is_named(stage):
    keys = DatasetKeys(DATASET).movie(1)
    (stage.folder / keys.scene(2, 1)).unlink()
    (stage.folder / keys.questions("order")).unlink()
    with pytest.raises(errors.Unsatisfied) as caught:
        await stage.export_movie(1)
    assert "missing: questions/order.json, scenes/02-01.json" in caught.value.message
    assert caught.value.reason == "NOT_FINISHED"
    assert not (stage.files() / "movies/0001/movie.json").exists()


async def test_a_missing_and_a_damaged_frame_are_named(stage):
    frame = stage.folder / DatasetKeys(DATASET).movie(1).frame(5)
    data = frame.read_bytes()
    frame.unlink()
    with pytest.raises(errors.Unsatisfied, match="frame 5 of movie 1"):
        await stage.export_movie(1)
    frame.write_bytes(data[:-40])
    with capture_logs(), pytest.raises(errors.Broken, match="frame 5 of movie 1 is damaged"):
        await stage.export_movie(1)
    assert not (stage.files() / "movies/0001/movie.mp4").exists()
    frame.write_bytes(data)
    await stage.export_movie(1)


async def test_an_export_that_was_killed_half_way_is_completed(stage):
    await stage.export_movie(1)
    folder = stage.files() / "movies/0001"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in ("movie.json", "qa.json", "style/ref-02.jpg"):
        (folder / name).unlink()
    await stage.export_movie(1)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"spec": spec_with(formats=("webdataset", "mpeg"))}, "spec.formats[1]"),
        ({"spec": spec_with(frames_per_second=31.0)}, "spec.frames_per_second"),
        ({"spec": spec_with(frames_per_second=0.0)}, "spec.frames_per_second"),
        ({"spec": spec_with(scenes=0)}, "spec.scenes"),
        ({"movie": 3}, "movie"),
        ({"movie": 0}, "movie"),
        ({"dataset": "../secrets"}, "movie_dataset_id"),
        ({"dataset": ""}, "movie_dataset_id"),
    ],
)
async def test_bad_requests_name_their_field(stage, changes, field):
    with pytest.raises(errors.InvalidInput) as caught:
        await stage.export_movie(**{"movie": 1, **changes})
    assert caught.value.field == field


async def test_pictures_that_are_not_pictures_are_named(stage):
    keys = DatasetKeys(DATASET).movie(1)
    junk = b"GIF89a nothing"
    (stage.folder / keys.frame(2)).write_bytes(junk)
    record = (stage.folder / keys.rendered(1, 1)).read_bytes()
    good = from_json(record, RenderedScene).frames[1].file.digest
    (stage.folder / keys.rendered(1, 1)).write_bytes(record.replace(good.encode(), digest(junk).encode()))
    with capture_logs(), pytest.raises(errors.Broken, match="frame 2 of movie 1 is not a picture"):
        await stage.export_movie(1)


def test_the_fixture_pictures_differ():
    seen = {Image.open(io.BytesIO(picture(1, number))).getpixel((60, 70)) for number in range(1, 13)}
    assert len(seen) == 12


PROVENANCE = Provenance(
    "ab" * 32,
    Work(model="writer-7b", prompt_tokens=100, completion_tokens=20, prompt="scene@12ab"),
    (Mend("frame-names-location", "scene 1", "a room", "the beach"),),
)
MEASURES = PictureMeasures(12, 0.3, 0.8, 0.2, 0.1, 0.1, tuple(number / 100 for number in range(1, 13)), "tiny-clip")


async def test_what_the_stages_tell_of_their_work_is_in_the_records(stage):
    keys = DatasetKeys(DATASET).movie(1)
    await stage.store.replace(keys.scene(1, 2), to_json(scene(1, 2, SPEC), PROVENANCE))
    await stage.store.replace(keys.scene(2, 1), to_json(scene(2, 1, SPEC), PROVENANCE))
    await stage.store.put(keys.quality, to_json(MovieQuality(MEASURES)))
    await stage.store.put(
        keys.imported_mends, to_json(Mends((Mend("one-word-style", "style", "dark gothic", "gothic"),)))
    )
    await stage.export_movie(1)
    movie = json.loads((stage.files() / "movies/0001/movie.json").read_text())
    assert [mend["rule"] for mend in movie["mends"]] == ["one-word-style", *["frame-names-location"] * 2]
    assert movie["made_by"] == [
        {
            **{"part": "scenes", "model": "writer-7b", "prompt": "scene@12ab"},
            **{"artifacts": 2, "prompt_tokens": 200, "completion_tokens": 40},
        }
    ]
    assert movie["quality"]["measures"]["scorer"] == "tiny-clip"
    frame = movie["chapters"][1]["scenes"][0]["frames"][2]
    assert (frame["number"], frame["score"], frame["model"]) == (9, 0.09, "pocket")
    assert frame["sha256"] == digest(picture(1, 9))


async def test_without_a_scorer_frames_have_no_score(stage):
    await stage.store.put(DatasetKeys(DATASET).movie(1).quality, to_json(MovieQuality(NOT_MEASURED)))
    await stage.export_movie(1)
    movie = json.loads((stage.files() / "movies/0001/movie.json").read_text())
    assert movie["quality"] is None
    assert movie["chapters"][0]["scenes"][0]["frames"][0]["score"] is None


async def test_a_frame_tells_of_its_attempts_and_the_seed_of_the_kept_one(stage):
    keys = DatasetKeys(DATASET).movie(1)
    rendered = from_json(await stage.store.get(keys.rendered(1, 1)), RenderedScene)
    tries = (Attempt(5, 0.11, "below threshold"), Attempt(6, 0.31))
    frames = (replace(rendered.frames[0], attempts=tries), *rendered.frames[1:])
    await stage.store.replace(keys.rendered(1, 1), to_json(RenderedScene(frames)))
    await stage.export_movie(1)
    first, second = json.loads((stage.files() / "movies/0001/movie.json").read_text())["chapters"][0]["scenes"][0][
        "frames"
    ][:2]
    assert (first["seed"], first["score"]) == (6, 0.31)
    assert [attempt["verdict"] for attempt in first["attempts"]] == ["below threshold", ""]
    assert (second["score"], second["attempts"]) == (None, [])


async def test_reviewed_questions_take_the_place_of_the_parts(stage):
    keys = DatasetKeys(DATASET).movie(1)
    choices = ("A message.", "A ship.", "A storm.")
    kept = Question(
        **{"kind": QuestionKind.DIALOGUE, "category": "who", "question": "Who?", "answer": "A ship."},
        **{"evidence": FrameRange(2, 4), "level": "scene", "choices": choices, "difficulty": Difficulty.HARD},
    )
    (stage.folder / keys.questions("order")).unlink()
    part = Questions((), (Dropped("answerable blind", 2), Dropped("near duplicate", 1)))
    await stage.store.replace(keys.questions("movie"), to_json(part))
    await stage.store.put(keys.reviewed, to_json(Questions((kept,), (Dropped("near duplicate", 4),))))
    await stage.export_movie(1)
    folder = stage.files() / "movies/0001"
    (item,) = json.loads((folder / "qa.json").read_text())
    assert (item["kind"], item["choices"], item["difficulty"]) == ("dialogue", list(choices), "hard")
    assert item["evidence"] == {"first_frame": 2, "last_frame": 4, "start_seconds": 1.0, "end_seconds": 4.0}
    assert json.loads((folder / "movie.json").read_text())["dropped"] == [
        {"reason": "answerable blind", "count": 2},
        {"reason": "near duplicate", "count": 5},
    ]
