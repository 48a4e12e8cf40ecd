"""Files fetched whole, kept, fetched again, and never outside their folder."""

import os

import pytest

from moviellm import errors
from moviellm.cli.download import fetch_dataset, safe_place
from moviellm.v1 import movie_dataset_service_pb2 as pb

FILES = {
    "README.md": b"# demo",
    "index.html": b"<html>",
    "movies/0001/movie.json": b"{}",
    "movies/0001/frames/000001.jpg": bytes(range(256)) * 20,
    "movies/0001/empty.txt": b"",
}


@pytest.fixture
def fetch(server, demo, tmp_path):
    """Download the demo without the command around it."""
    return lambda: fetch_dataset(f"127.0.0.1:{server.port}", demo, tmp_path / "out", waits=(0, 0))


def files_in(folder):
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop(".download.json", None)
    return found


def downloads(library):
    return sorted(request.path for request in library.requests if isinstance(request, pb.DownloadArtifactRequest))


async def test_every_file_arrives_and_is_fetched_once(moviellm, library, demo, tmp_path):
    library.files = dict(FILES)
    first = await moviellm("download", "demo")
    assert first.code == 0
    assert "5 files fetched" in first.out
    assert "files so far" in first.out, "the dataset is not complete"
    assert files_in(tmp_path / "out/demo") == FILES
    library.requests.clear()
    (tmp_path / "out/demo/README.md").write_bytes(b"broken off")
    library.files["qa.json"] = b"[]"
    library.change(demo, state=pb.MovieDataset.STATE_SUCCEEDED)
    second = await moviellm("download", "demo")
    assert "2 files fetched, 4 were there already" in second.out
    assert "so far" not in second.out
    assert downloads(library) == ["README.md", "qa.json"]
    assert files_in(tmp_path / "out/demo") == library.files


async def test_another_dataset_of_the_same_name_replaces_the_first(fetch, library, demo, tmp_path):
    library.files = dict(FILES)
    await fetch()
    own = tmp_path / "out/demo/my notes.txt"
    own.write_text("mine")
    library.datasets[demo].create_time.FromSeconds(1)
    library.files = {"README.md": b"# omed", "index.html": b"<html>"}
    await fetch()
    assert files_in(tmp_path / "out/demo") == {**library.files, "my notes.txt": b"mine"}


async def test_a_broken_stream_is_asked_again_and_leaves_nothing_half_written(fetch, library, tmp_path):
    library.files = dict(FILES)
    library.cut = {"README.md": 1}
    assert (await fetch()).fetched == 5
    assert files_in(tmp_path / "out/demo") == FILES


async def test_a_store_that_stays_away_is_given_up_after_some_attempts(fetch, library, tmp_path):
    library.files = {"a.bin": b"aa"}
    library.cut = {"a.bin": 100}
    with pytest.raises(errors.Unavailable, match="the store does not answer"):
        await fetch()
    assert downloads(library) == ["a.bin"] * 3
    assert files_in(tmp_path / "out/demo") == {}


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/evil",
        "a/../../evil",
        "..",
        ".",
        "",
        "a/",
        "..\\evil",
        "C:evil",
        "a\0b",
        "a\nb",
        ".download.json",
    ],
)
def test_paths_that_leave_the_folder_are_refused(path, tmp_path):
    with pytest.raises(errors.Denied, match="would leave the folder"):
        safe_place(tmp_path, path)


async def test_a_server_that_lists_such_a_path_gets_nothing_written(moviellm, library, demo, tmp_path):
    library.files = {"README.md": b"fine", "../evil.txt": b"evil"}
    result = await moviellm("download", "demo")
    assert result.code == 1
    assert "'../evil.txt' that would leave the folder" in result.err
    assert not (tmp_path / "out").exists()


async def test_links_do_not_lead_out(fetch, library, tmp_path):
    library.files = {"movies/0001/movie.json": b"{}"}
    outside, folder = tmp_path / "outside", tmp_path / "out/demo"
    outside.mkdir()
    folder.mkdir(parents=True)
    (folder / "movies").symlink_to(outside)
    with pytest.raises(errors.Denied, match="would leave the folder"):
        await fetch()
    assert list(outside.iterdir()) == []


async def test_a_file_that_is_a_link_is_replaced_not_followed(fetch, library, tmp_path):
    library.files = {"README.md": b"new!"}
    victim, folder = tmp_path / "victim", tmp_path / "out/demo"
    victim.write_bytes(b"old!")
    folder.mkdir(parents=True)
    (folder / "README.md").symlink_to(victim)
    await fetch()
    assert victim.read_bytes() == b"old!"
    assert (folder / "README.md").read_bytes() == b"new!"
    assert not (folder / "README.md").is_symlink()


async def test_open_fetches_and_says_where_the_page_is(moviellm, library, demo, server, tmp_path):
    early = await moviellm("open", "demo")
    assert early.code == 1
    assert "has no preview page yet" in early.err
    library.files = dict(FILES)
    page = str(tmp_path / "out/demo/index.html")
    assert (await moviellm("open", "demo")).out.strip() == page
    del library.datasets[demo]
    assert (await moviellm("open", "demo")).out.strip() == page, "what is there opens without the server's copy"
    await server.stop()
    assert (await moviellm("open", "demo")).out.strip() == page, "and without a server"


async def test_an_interrupted_download_leaves_no_temporary_files(moviellm, library, demo, tmp_path):
    library.files = {f"{number}.bin": os.urandom(3_000_000) for number in range(20)}
    process = await moviellm.start("download", "demo")
    await moviellm.until(lambda: list(tmp_path.glob("out/demo/.*.part")))
    result = await moviellm.interrupt(process)
    assert result.code == 130
    assert list(tmp_path.glob("out/demo/.*.part")) == []
    for name, data in files_in(tmp_path / "out/demo").items():
        assert data == library.files[name], "what is there is whole"
