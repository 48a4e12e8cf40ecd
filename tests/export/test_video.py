"""movie.mp4 and movie.srt, over real gRPC, read back with a player's library."""

import dataclasses
import itertools
import json
import re

import av
import pytest
from export_fixtures import colour, outline, scene, spec_with, stage_at, write_dataset

from moviellm.export.chapter_marks import ChapterMark, chapter_marks
from moviellm.export.subtitles import captions, timed
from moviellm.export.timing import Timing
from moviellm.movie import Line, Scene, Shape


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
        assert video.average_rate >= 2
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
            "Clara: What is this, 1.1?\nEdwin: A letter, from the sea.",
            "Clara: Then we must answer it.",
            "Clara: What is this, 1.2?\nEdwin: A letter, from the sea.",
        ]
        assert len(texts) == 8


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
async def test_subtitles_begin_with_their_frames_and_never_overlap(stage, rate):
    await stage.export_movie(1, spec_with(frames_per_second=rate))
    cues = parse_srt((stage.files() / "movies/0001/movie.srt").read_text())
    assert [number for number, *_ in cues] == list(range(1, len(cues) + 1))
    assert all(start < end for _, start, end, _ in cues)
    assert all(before[2] <= after[1] for before, after in itertools.pairwise(cues))
    assert cues[-1][2] <= 12 / rate * 1000 + 1
    movie = json.loads((stage.files() / "movies/0001/movie.json").read_text())
    lines = [line for part in movie["chapters"] for item in part["scenes"] for line in item["dialogue"]]
    assert [text for *_, texts in cues for text in texts] == [f"{line['speaker']}: {line['text']}" for line in lines]
    for line in lines:
        cue = next(cue for cue in cues if cue[1] == round(line["start_seconds"] * 1000))
        assert f"{line['speaker']}: {line['text']}" in cue[3]
        assert (line["after_frame"] - 1) / rate * 1000 - 1 <= cue[1] < line["after_frame"] / rate * 1000


def told(lines, *, rate=1.0, scene_frames=8):
    """(start, end, number of lines) of the captions of (frame, text) pairs."""
    spoken = [(frame, Line(frame, "Clara", text)) for frame, text in lines]
    shown = captions(timed(spoken, Timing.of(rate), scene_frames=scene_frames))
    return [(caption.start, caption.end, caption.text.count("\n") + 1) for caption in shown]


SHORT, LONG = "Yes.", "I have waited here for seven years, and nobody has come."


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(1, SHORT)], [(0, 1000, 1)]),
        ([(1, SHORT), (1, SHORT)], [(0, 1000, 2)]),
        ([(1, LONG)], [(0, 3500, 1)]),
        ([(1, LONG), (3, SHORT)], [(0, 2000, 1), (2000, 3000, 1)]),
        ([(1, LONG), (2, LONG)], [(0, 1000, 1), (1000, 4500, 1)]),
        ([(8, LONG), (9, SHORT)], [(7000, 8000, 1), (8000, 9000, 1)]),
        ([(1, SHORT)] * 4, [(0, 1000, 2), (1000, 2000, 2)]),
        ([(1, LONG * 9)], [(0, 6000, 1)]),
    ],
    ids=["alone", "pair", "long", "cut-by-next", "neighbours", "scene-end", "four", "very-long"],
)
def test_captions_stay_until_they_can_be_read(lines, expected):
    assert told(lines) == expected


def test_lines_of_a_slow_frame_take_turns():
    assert told([(1, SHORT), (1, SHORT)], rate=0.25) == [(0, 2000, 1), (2000, 4000, 1)]


def test_lines_that_would_flash_by_share_a_caption():
    assert told([(1, SHORT), (1, SHORT), (2, SHORT)], rate=30.0) == [(0, 33, 2), (33, 267, 1)]


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


@pytest.mark.parametrize("rate", [1.0, 0.5, 4.0])
async def test_the_video_has_a_title_and_a_mark_for_each_chapter(stage, rate):
    await stage.export_movie(2, spec_with(frames_per_second=rate))
    with av.open(str(stage.files() / "movies/0002/movie.mp4")) as container:
        assert container.metadata["title"] == "The Message in the Storm 2"
        marks = container.chapters()
        times = [tuple(float(mark[edge] * mark["time_base"]) for edge in ("start", "end")) for mark in marks]
    assert [mark["metadata"]["title"] for mark in marks] == ["Chapter the 1", "Chapter the 2"]
    assert times == [(0, 6 / rate), (6 / rate, 12 / rate)]


def test_chapters_without_a_title_are_called_by_their_number_and_none_overlap():
    chapters = outline(1, spec_with(chapters=3)).chapters
    untitled = (dataclasses.replace(chapters[0], title="  "), *chapters[1:])
    marks = chapter_marks(untitled, Shape(3, 2, 5), Timing.of(3.0))
    assert marks[0] == ChapterMark("Chapter 1", 0, 3333)
    assert [mark.start for mark in marks[1:]] == [mark.end for mark in marks[:-1]]


async def test_titles_with_markup_and_far_letters_survive(tmp_path):
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, make_outline=lambda movie, spec: outline(movie, spec, title='Ō <b> 🎬 " ='))
        await stage.export_movie(1)
        with av.open(str(stage.files() / "movies/0001/movie.mp4")) as container:
            assert container.metadata["title"] == 'Ō <b> 🎬 " = 1'


async def test_pictures_are_repeated_as_often_as_players_need(tmp_path):
    async with stage_at(tmp_path, least_rate=8) as stage:
        await write_dataset(stage.store)
        await stage.export_movie(1)
        with av.open(str(stage.files() / "movies/0001/movie.mp4")) as container:
            assert container.streams.video[0].average_rate == 8
            assert sum(1 for _ in container.decode(video=0)) == 12 * 8
