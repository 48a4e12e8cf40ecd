"""Watching: lines and bars, over restarts of the server, to every kind of end."""

import io
import json

import pytest
from rich.console import Console

from moviellm.cli.progress import Bars, Lines
from moviellm.cli.watching import Pace, Update
from moviellm.v1 import movie_dataset_service_pb2 as pb

State = pb.MovieDataset


async def test_watch_tells_the_story_and_succeeds(moviellm, library, demo):
    process = await moviellm.start("watch", "demo")
    await moviellm.says(process, "pending")
    library.progress(demo, 4, 1, titles={1: "The Lamp"})
    await moviellm.says(process, "movie 1: The Lamp")
    trouble = pb.Trouble(
        service="rendering", reason="UNAVAILABLE", message="it does not answer", unit="movie 1, scene 1-2"
    )
    library.progress(demo, 4, 1, 6, trouble=trouble)
    await moviellm.says(process, "waits for rendering, movie 1, scene 1-2: it does not answer (UNAVAILABLE)")
    library.progress(demo, 14, 2, 48, 14, 3)
    library.change(demo, state=State.STATE_SUCCEEDED)
    result = await moviellm.end(process)
    assert (result.code, result.err) == (0, "")
    assert "succeeded · 14/14 scripts · 2/2 styles · 48/48 frames · 14/14 question sets · 3/3 exports" in result.out
    assert "moviellm open demo" in result.out


async def test_watch_of_a_failed_dataset_names_service_reason_and_what_next(moviellm, library, demo):
    trouble = pb.Trouble(service="scripting", reason="LLM_UNAUTHORIZED", message="the key is refused", unit="movie 1")
    library.progress(demo, 1, trouble=trouble)
    library.change(demo, state=State.STATE_FAILED)
    result = await moviellm("watch", "demo")
    assert result.code == 1
    first, second = result.err.splitlines()
    assert first == "Error: demo failed at scripting, movie 1: the key is refused (LLM_UNAUTHORIZED)"
    assert "moviellm retry demo" in second


async def test_watch_of_a_cancelled_dataset(moviellm, library, demo):
    library.change(demo, state=State.STATE_CANCELLED)
    result = await moviellm("watch", "demo")
    assert result.code == 1
    assert result.err.startswith("Error: demo is cancelled\n")


async def test_watch_goes_on_when_the_server_is_restarted(moviellm, library, demo, server, restart):
    process = await moviellm.start("watch", "demo")
    library.progress(demo, 4, 1, 6)
    await moviellm.says(process, "6/48 frames")
    await server.stop()
    await moviellm.says(process, "watching goes on when it is back")
    library.progress(demo, 14, 2, 30)
    second = await restart(server.port)
    await moviellm.says(process, "the server is back")
    library.progress(demo, 14, 2, 48, 14, 3)
    library.change(demo, state=State.STATE_SUCCEEDED)
    result = await moviellm.end(process)
    assert result.code == 0
    tokens = [request.resume_token for request in library.requests if isinstance(request, pb.WatchMovieDatasetRequest)]
    assert tokens[0] == ""
    assert tokens[-1] not in ("", "0"), "it goes on from what it has seen"
    await second.stop()


async def test_ctrl_c_stops_only_the_watching(moviellm, library, demo):
    process = await moviellm.start("watch", "demo")
    await moviellm.says(process, "pending")
    result = await moviellm.interrupt(process)
    assert result.code == 130
    assert "demo goes on" in result.out
    assert library.find(demo).state == State.STATE_PENDING


async def test_create_with_watch_and_json_keeps_standard_output_for_json(moviellm, library):
    process = await moviellm.start("create", "--theme", "a duel", "--id", "duel", "--watch", "--json")
    await moviellm.until(lambda: "movieDatasets/duel" in library.datasets)
    library.progress("movieDatasets/duel", 14, 2, 48, 14, 3)
    library.change("movieDatasets/duel", state=State.STATE_SUCCEEDED)
    result = await moviellm.end(process)
    assert json.loads(result.out)["state"] == "STATE_SUCCEEDED"
    assert "frames" in result.err


def dataset_with(frames, in_progress=0, partial=0.0, state=State.STATE_RUNNING, **values):
    stages = [
        pb.StageProgress(stage=pb.STAGE_SCRIPTING, unit="scripts", done=5, total=5),
        pb.StageProgress(
            stage=pb.STAGE_RENDERING, unit="frames", done=frames, total=40, in_progress=in_progress, partial=partial
        ),
        pb.StageProgress(stage=pb.STAGE_EXPORT, unit="exports", total=3),
    ]
    return pb.MovieDataset(name="movieDatasets/demo", state=state, stages=stages, **values)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_pace_is_of_the_last_seconds_and_falls_when_nothing_comes():
    clock = Clock()
    pace = Pace(window=30, clock=clock)
    pace.note(dataset_with(0))
    assert pace.frames_per_second() == 0
    assert pace.seconds_left(dataset_with(0)) is None
    clock.now += 10
    pace.note(dataset_with(20))
    assert pace.frames_per_second() == pytest.approx(2.0)
    assert pace.seconds_left(dataset_with(20)) == pytest.approx(10.0)
    clock.now += 10
    assert pace.frames_per_second() == pytest.approx(1.0)
    clock.now += 40
    pace.note(dataset_with(30))
    clock.now += 40
    pace.note(dataset_with(30))
    assert pace.frames_per_second() == 0, "the burst is long past"


def test_pace_counts_what_is_under_way():
    clock = Clock()
    pace = Pace(clock=clock)
    pace.note(dataset_with(0))
    clock.now += 4
    pace.note(dataset_with(0, in_progress=4, partial=0.5))
    assert pace.frames_per_second() == pytest.approx(0.5)


def test_lines_are_few_and_states_come_at_once():
    clock, out = Clock(), io.StringIO()
    lines = Lines(Console(file=out, width=200), every=3.0, clock=clock)
    for done in range(3, 40):
        clock.now += 0.1
        lines.show(Update(dataset_with(done, in_progress=2, partial=0.25)))
    lines.show(Update(dataset_with(40, state=State.STATE_SUCCEEDED)))
    written = out.getvalue().splitlines()
    assert len(written) == 3
    assert "3/40 frames (+2, 25 %)" in written[0]
    assert "40/40 frames" in written[-1]
    assert "running" in written[0]
    assert "succeeded" in written[-1]


def test_bars_show_stages_speed_titles_and_troubles():
    clock, out = Clock(), io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, color_system=None)
    trouble = pb.Trouble(service="qa", reason="UNAVAILABLE", message="it does not answer")
    with Bars(console, clock=clock) as bars:
        bars.show(Update(dataset_with(0)))
        clock.now += 10
        dataset = dataset_with(19, in_progress=2, partial=0.5, titles={1: "The Lamp"}, trouble=trouble)
        bars.show(Update(dataset))
        bars.show(Update(dataset, "gone away"))
    text = out.getvalue()
    for words in ("19/40 frames", "2 under way, 50 %", "2.00 frames/s", "about 0:10 left", "movie 1: The Lamp"):
        assert words in text
    assert "waits for qa: it does not answer (UNAVAILABLE)" in text
    assert "gone away; watching goes on" in text
