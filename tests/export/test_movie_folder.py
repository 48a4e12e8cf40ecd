"""What ExportMovie writes, over real gRPC, opened with the programs people open it with."""

import hashlib
import io
import itertools
import json
import re
from dataclasses import replace

import av
import pytest
from export_fixtures import DATASET, EMBEDDING, SPEC, colour, picture, scene, spec_with, stage_at, write_dataset
from PIL import Image
from structlog.testing import capture_logs

from moviellm import errors
from moviellm.artifacts import DatasetKeys, digest
from moviellm.dataset import Attempt, Mends, MovieQuality, PictureMeasures, Provenance, Questions, RenderedScene
from moviellm.movie import Difficulty, Dropped, FrameRange, Line, Mend, Question, QuestionKind, Scene, Work
from moviellm.wire import from_json, to_json


async def test_a_movie_is_exported_and_every_file_told(stage):
    response = await stage.export_movie(1)
    folder = stage.files() / "movies/0001"
    written = {path for path in folder.rglob("*") if path.is_file() and path.parent.name != "frames"}
    told = {stage.folder / stage.store.key(file.uri): file for file in response.files}
    assert set(told) == written
    assert {str(path.relative_to(folder)) for path in written} == {
        *("movie.json", "movie.mp4", "movie.srt", "qa.json"),
        *("style/learned_embeds.safetensors", "style/ref-01.jpg", "style/ref-02.jpg", "style/ref-03.jpg"),
    }
    for path, file in told.items():
        assert file.digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file.size_bytes == path.stat().st_size
    assert response.work.node_pool == "cpu-pool"
    assert response.work.seconds > 0
    assert (folder / "style/learned_embeds.safetensors").read_bytes() == EMBEDDING
    assert (folder / "style/ref-02.jpg").read_bytes() == picture(9, 2, 64)


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


@pytest.mark.parametrize("rate", [1.0, 2.0, 0.5, 12.0])
async def test_the_video_shows_every_key_frame_in_its_time(stage, rate):
    spec = spec_with(frames_per_second=rate)
    await stage.export_movie(1, spec)
    path = stage.files() / "movies/0001/movie.mp4"
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        assert (video.width, video.height) == (128, 128)
        assert video.average_rate >= 8
        assert container.duration / av.time_base == pytest.approx(12 / rate, abs=0.01)
        pictures = [
            (frame.time, frame.key_frame, frame.to_ndarray(format="rgb24")) for frame in container.decode(video)
        ]
    starts = [time for time, is_key, _ in pictures if is_key]
    assert starts == pytest.approx([number / rate for number in range(12)], abs=0.001)
    for time, _, pixels in pictures:
        number = int(time * rate + 1e-6) + 1
        # Below the printed number, above the darker floor.
        assert pixels[60:90, 10:118].mean(axis=(0, 1)) == pytest.approx(colour(1, number), abs=12)


def test_sampling_the_video_once_a_second_finds_each_key_frame_once(exported):
    with av.open(str(exported / "movies/0001/movie.mp4")) as container:
        every = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        step = round(container.streams.video[0].average_rate)
    sampled = every[::step]
    assert len(sampled) == 12
    for number, pixels in enumerate(sampled, start=1):
        assert pixels[60:90, 10:118].mean(axis=(0, 1)) == pytest.approx(colour(1, number), abs=12)


def test_the_index_of_the_video_comes_first_so_that_it_plays_while_loading(exported):
    data = (exported / "movies/0001/movie.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


async def test_small_pictures_are_enlarged_and_odd_sizes_made_even(tmp_path):
    async with stage_at(tmp_path, least_height=201) as stage:
        await write_dataset(stage.store)
        await stage.export_movie(1)
        with av.open(str(stage.files() / "movies/0001/movie.mp4")) as container:
            video = container.streams.video[0]
            assert (video.width, video.height) == (200, 200)


def test_the_video_carries_its_dialogue_as_a_soft_subtitle_track(exported):
    with av.open(str(exported / "movies/0001/movie.mp4")) as container:
        track = container.streams.subtitles[0]
        texts = [bytes(packet)[2:].decode() for packet in container.demux(track) if packet.size > 2]
        assert texts[:3] == [
            "Clara: What is this, 1.1?",
            "Edwin: A letter, from the sea.",
            "Clara: Then we must answer it.",
        ]
        assert len(texts) == 12


def parse_srt(text):
    cues = []
    for block in text.strip().split("\n\n"):
        number, times, *lines = block.split("\n")
        found = re.fullmatch(r"(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})", times)
        parts = [int(value) for value in found.groups()]
        start, end = (((a * 60 + b) * 60 + c) * 1000 + d for a, b, c, d in (parts[:4], parts[4:]))
        cues.append((int(number), start, end, lines))
    return cues


@pytest.mark.parametrize("rate", [1.0, 3.0, 0.25, 30.0])
async def test_subtitles_lie_in_the_time_of_their_frames(stage, rate):
    await stage.export_movie(1, spec_with(frames_per_second=rate))
    cues = parse_srt((stage.files() / "movies/0001/movie.srt").read_text())
    assert [number for number, *_ in cues] == list(range(1, len(cues) + 1))
    assert all(start < end for _, start, end, _ in cues)
    assert all(before[2] <= after[1] for before, after in itertools.pairwise(cues))
    movie = json.loads((stage.files() / "movies/0001/movie.json").read_text())
    lines = [line for part in movie["chapters"] for item in part["scenes"] for line in item["dialogue"]]
    shown = [text for *_, texts in cues for text in texts]
    assert shown == [f"{line['speaker']}: {line['text']}" for line in lines]
    for line in lines:
        cue = next(cue for cue in cues if cue[1] == round(line["start_seconds"] * 1000))
        assert f"{line['speaker']}: {line['text']}" in cue[3]
        assert cue[1] >= (line["after_frame"] - 1) / rate * 1000 - 1
        assert cue[2] <= line["after_frame"] / rate * 1000 + 1


async def test_lines_that_would_flash_by_share_a_caption(stage):
    await stage.export_movie(1, spec_with(frames_per_second=2.0))
    first = parse_srt((stage.files() / "movies/0001/movie.srt").read_text())[0]
    assert first == (1, 0, 500, ["Clara: What is this, 1.1?", "Edwin: A letter, from the sea."])


async def test_markup_in_dialogue_stays_text_in_subtitles(tmp_path):
    def nasty(chapter, number, spec):
        written = scene(chapter, number, spec)
        return Scene(chapter, number, written.frames, (Line(1, "Clara", "<b>No</b> --> {\\an8}\n\n2\nyes"),))

    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, make_scene=nasty)
        await stage.export_movie(1)
        cues = parse_srt((stage.files() / "movies/0001/movie.srt").read_text())
        assert len(cues) == 4
        assert cues[0][3] == ["Clara: ‹b›No‹/b› → (\\an8) 2 yes"]


async def test_a_movie_without_dialogue_has_a_video_all_the_same(tmp_path):
    def silent(chapter, number, spec):
        return Scene(chapter, number, scene(chapter, number, spec).frames)

    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, make_scene=silent)
        await stage.export_movie(1)
        assert (stage.files() / "movies/0001/movie.srt").read_bytes() == b""
        with av.open(str(stage.files() / "movies/0001/movie.mp4")) as container:
            assert not container.streams.subtitles
            assert sum(frame.key_frame for frame in container.decode(video=0)) == 12


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
