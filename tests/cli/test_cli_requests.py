"""Asking, listing, looking, cancelling, retrying, deleting; and what bad input gets."""

import json

from moviellm.v1 import movie_dataset_service_pb2 as pb


async def test_create_sends_what_was_asked_and_nothing_else(moviellm, library, tmp_path):
    pictures = [tmp_path / f"{number}.jpg" for number in range(3)]
    for number, picture in enumerate(pictures):
        picture.write_bytes(bytes([number]) * 10)
    options = ["--theme", "a duel", "--movies", 2, "--chapters", 4, "--scenes", 5, "--frames", 6, "--style", "gothic"]
    options += ["--style-description", "dark", "--seed", -7, "--format", "mds", "--format", "webdataset"]
    options += ["--model", "pocket", "--fps", 0.5, "--dialogue-lines", 0, "--id", "duel", "--request-id", "once"]
    options += [part for picture in pictures for part in ("--style-picture", picture)]
    result = await moviellm("create", *options)
    assert (result.code, result.err) == (0, "")
    assert "moviellm watch duel" in result.out
    (request,) = library.requests
    assert request == pb.CreateMovieDatasetRequest(
        spec=pb.MovieDatasetSpec(
            theme="a duel",
            movies=2,
            chapters=4,
            scenes=5,
            frames=6,
            style=pb.StyleSpec(preset="gothic", description="dark"),
            seed=-7,
            formats=["mds", "webdataset"],
            model="pocket",
            frames_per_second=0.5,
            dialogue_lines=0,
        ),
        movie_dataset_id="duel",
        request_id="once",
        style_pictures=[bytes([number]) * 10 for number in range(3)],
    )


async def test_wishes_beyond_a_theme_are_sent(moviellm, library, tmp_path):
    (tmp_path / "story.json").write_bytes(b'{"overview": "x"}')
    (tmp_path / "scene.md").write_text("Write $frames frames.")
    options = ["--plot", tmp_path / "story.json", "--prompt", f"scene={tmp_path / 'scene.md'}", "--ablation"]
    options += ["--max-llm-tokens", 5000, "--attempts", 4, "--min-score", 0.3, "--learn-characters"]
    options += ["--style-method", "lora", "--profile", "lcm", "--steps", 6, "--guidance", 1.5, "--width", 640]
    options += ["--height", 384, "--negative-prompt", "text", "--refiner-share", 0.25]
    result = await moviellm("create", "--theme", "a duel", *options)
    assert (result.code, result.err) == (0, "")
    (request,) = library.requests
    assert request.plot == b'{"overview": "x"}'
    assert request.spec.quality == pb.QualitySpec(attempts=4, min_score=0.3, ablation=True)
    assert [(prompt.name, prompt.text) for prompt in request.spec.prompts] == [("scene", "Write $frames frames.")]
    assert (request.spec.max_llm_tokens, request.spec.learn_characters) == (5000, True)
    assert request.spec.style.method == pb.STYLE_METHOD_LORA
    assert request.spec.render == pb.RenderSpec(
        width=640, height=384, steps=6, guidance_scale=1.5, negative_prompt="text", profile="lcm", refiner_share=0.25
    )


async def test_a_prompt_names_its_file(moviellm, library):
    result = await moviellm("create", "--theme", "a duel", "--prompt", "scene=nowhere.md")
    assert result.code == 1
    assert "--prompt[0]: must be NAME=FILE" in result.err
    assert not library.requests


async def test_what_is_not_asked_is_left_to_the_server(moviellm, library):
    await moviellm("create", "--theme", "a duel")
    spec = library.requests[0].spec
    assert not spec.HasField("seed")
    assert not spec.HasField("frames_per_second")
    assert not spec.HasField("style")
    assert not spec.HasField("render")


async def test_a_dry_run_prints_the_cost_and_stores_nothing(moviellm, library):
    result = await moviellm("create", "--theme", "a duel", "--dry-run", "--watch")
    assert result.code == 0
    assert "48 frames, 0 LLM tokens, 1:00 of model time, 2.0 MB" in result.out
    assert library.datasets == {}


async def test_json_is_for_scripts(moviellm, library):
    created = json.loads((await moviellm("create", "--theme", "ein Märchen", "--id", "demo", "--json")).out)
    assert created["name"] == "movieDatasets/demo"
    assert created["spec"]["theme"] == "ein Märchen"
    assert created["estimate"]["size_bytes"] == 2_000_000
    library.progress("movieDatasets/demo", 3, 1, titles={1: "The Lamp"})
    got, listed = (
        json.loads(result.out) for result in await moviellm.many(("get", "demo", "--json"), ("list", "--json"))
    )
    assert got["state"] == "STATE_RUNNING"
    assert got["titles"] == {"1": "The Lamp"}
    assert [stage["done"] for stage in got["stages"]] == [3, 1, 0, 0, 0]
    assert [item["name"] for item in listed] == ["movieDatasets/demo"]


async def test_list_shows_all_pages_newest_first(moviellm):
    creates = (("create", "--theme", f"theme {number}", "--id", f"d{number}") for number in range(5))
    first, *_, last = await moviellm.many(("list",), *creates, ("list",))
    assert "There are no datasets yet" in first.out
    lines = last.out.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "FRAMES", "SHAPE", "AGE", "THEME"]
    assert [line.split()[0] for line in lines[1:]] == ["d4", "d3", "d2", "d1", "d0"]
    assert "1 × 3 × 3 × 6" in lines[1]


async def test_get_shows_request_progress_and_trouble(moviellm, library, demo):
    trouble = pb.Trouble(service="scripting", reason="LLM_UNREACHABLE", message="it does not answer", attempts=3)
    library.progress(demo, 3, 1, 24, trouble=trouble, titles={1: "The \x1b[31mLamp\nLit"})
    result = await moviellm("get", "movieDatasets/demo")
    assert "a lighthouse" in result.out
    assert "24/48 frames" in result.out
    assert "scripting: it does not answer (LLM_UNREACHABLE, attempt 3)" in result.out
    assert "\x1b" not in result.out
    assert "Lamp Lit" in result.out


async def test_cancel_retry_delete(moviellm, library, demo):
    lines = (("cancel", "demo"), ("retry", "demo"), ("retry", "demo"), ("delete", "demo"))
    cancelled, retried, again, unsure = await moviellm.many(*lines)
    assert "moviellm retry demo" in cancelled.out
    assert retried.code == 0
    states = [dataset.state for dataset in library.history[demo]]
    assert states[1:] == [pb.MovieDataset.STATE_CANCELLED, pb.MovieDataset.STATE_RUNNING]
    assert (again.code, again.err.count("\n")) == (1, 1)
    assert "nothing to retry" in again.err
    assert unsure.code != 0, "nobody said yes"
    assert demo in library.datasets
    assert (await moviellm("delete", "demo", "--yes")).code == 0
    assert demo not in library.datasets


REFUSED = [
    (("create", "--theme", ""), "Error: spec.theme: must be 1 to 500 characters, got 0", "change --theme"),
    (("create", "--theme", "x", "--frames", 0), "Error: spec.frames: must be 1 to 11, got 0", "change --frames"),
    (("create", "--theme", "x", "--movies", -1), "Error: spec.movies: must be 1 to 11, got -1", "change --movies"),
    (("create", "--theme", "x", "--id", "demo"), "Error: there is a dataset demo already", "another --id"),
    (("get", "nobody"), "Error: there is no dataset movieDatasets/nobody", "moviellm list"),
    (("watch", "nobody"), "Error: there is no dataset movieDatasets/nobody", "moviellm list"),
    (("cancel", "nobody"), "Error: there is no dataset movieDatasets/nobody", "moviellm list"),
    (("delete", "nobody", "--yes"), "Error: there is no dataset movieDatasets/nobody", "moviellm list"),
    (("download", "nobody"), "Error: there is no dataset movieDatasets/nobody", "moviellm list"),
    (("open", "nobody"), "Error: there is no dataset movieDatasets/nobody", "moviellm list"),
]


async def test_an_error_of_the_server_is_one_sentence_and_a_hint(moviellm, demo):
    results = await moviellm.many(*(arguments for arguments, _, _ in REFUSED))
    for (arguments, sentence, hint), result in zip(REFUSED, results, strict=True):
        assert (result.code, result.out) == (1, ""), arguments
        first, second = result.err.splitlines()
        assert first == sentence
        assert second.startswith("Hint: ")
        assert hint in second


MISUSED = [
    (("get", "../../etc"), "is no dataset name"),
    (("download", "movieDatasets/a/b"), "is no dataset name"),
    (("get",), "Missing argument 'NAME'"),
    (("create",), "Missing option '--theme'"),
    (("create", "--theme", "x", "--movies", "many"), "'--movies'"),
    (("create", "--theme", "x", "--movies", 10**12), "Invalid value for '--movies'"),
    (("create", "--theme", "x", "--seed", 2**63), "Invalid value for '--seed'"),
    (("create", "--theme", "x", "--style-picture", "nowhere.jpg"), "nowhere.jpg"),
    (("lst",), "Did you mean 'list'"),
    (("list", "--server", "nonsense"), "give HOST:PORT"),
    (("up", "--base-port", 0), "must be 1 to"),
    (("up", "--only", "kitchen"), "choose from controller, scripting"),
]


async def test_wrong_use_exits_with_code_2(moviellm):
    results = await moviellm.many(*(arguments for arguments, _ in MISUSED))
    for (arguments, sentence), result in zip(MISUSED, results, strict=True):
        assert (result.code, result.out) == (2, ""), arguments
        assert sentence in result.err
        assert len(result.err.splitlines()) == 2


async def test_a_server_that_is_not_there(moviellm, server):
    await server.stop()
    for result in await moviellm.many(("list",), ("watch", "demo"), ("create", "--theme", "x"), ("download", "demo")):
        assert result.code == 1
        assert f"no moviellm server answers at 127.0.0.1:{server.port}" in result.err
        assert "moviellm up" in result.err


async def test_the_server_option_may_stand_anywhere(moviellm, server, demo):
    address = f"127.0.0.1:{server.port}"
    moviellm.environ["MOVIELLM_SERVER"] = "127.0.0.1:1"
    lines = (("--server", address, "list"), ("list", "--server", address), ("list", f"--server={address}"))
    for result in await moviellm.many(*lines):
        assert "demo" in result.out


async def test_help_teaches_with_examples(moviellm):
    whole, create = await moviellm.many(("--help",), ("create", "--help"))
    assert "moviellm up" in whole.out
    assert "moviellm create --theme" in create.out
