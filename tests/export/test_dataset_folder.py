"""What FinishDataset writes, over real gRPC, opened with the libraries people open it with."""

import hashlib
import io
import json
import tarfile

import pytest
import yaml
from export_fixtures import DATASET, EMBEDDING, SPEC, heavy_frames, picture, spec_with, stage_at, write_dataset
from PIL import Image

from moviellm import errors
from moviellm.artifacts import DatasetKeys, digest
from moviellm.dataset import FORMATS, StyleSpec
from moviellm.export.dataset_folder import Limits


async def test_all_formats_are_written_and_told(stage):
    response = await stage.export_all()
    names = {file.uri.split("/files/")[1] for file in response.files}
    assert names >= {
        *("formats/llava_next/train.json", "formats/webdataset/train-000000.tar"),
        *("README.md", "index.html", "contact-sheet.jpg", "manifest.json"),
        *(f"figures/{name}.png" for name in ("question-kinds", "question-difficulty", "locations", "people")),
        "quality.json",
    }
    assert all((stage.files() / name).stat().st_size > 0 for name in names)


@pytest.mark.parametrize(("name", "other"), [("llava_next", "webdataset"), ("webdataset", "llava_next")])
async def test_only_the_formats_that_were_asked_for_are_written(stage, name, other):
    await stage.export_all(spec_with(formats=(name,)))
    assert [path.name for path in (stage.files() / "formats").iterdir()] == [name]
    assert f"formats/{other}" not in (stage.files() / "README.md").read_text()


async def test_shards_are_bounded_and_hold_every_frame_once(tmp_path):
    spec = spec_with(frames=8)
    async with stage_at(tmp_path, limits=Limits(shard_megabytes=1)) as stage:
        await write_dataset(stage.store, spec, make_questions=lambda part, spec: ())
        heavy = heavy_frames(stage.folder, spec)
        await stage.export_all(spec)
        shards = sorted((stage.files() / "formats/webdataset").iterdir())
        assert [shard.name for shard in shards] == [f"train-{number:06}.tar" for number in range(len(shards))]
        assert len(shards) > 2
        assert all(shard.stat().st_size <= 1_000_000 for shard in shards)
        members = [member for shard in shards for member in members_of(shard)]
        assert len({name for name, _, _ in members}) == len(members) == 2 * 2 * 4 * 8
        assert {time for _, time, _ in members} == {0}
        assert members[0] == ("m0001-000001.jpg", 0, heavy)


def members_of(shard):
    with tarfile.open(shard) as tar:
        return [(member.name, member.mtime, tar.extractfile(member).read()) for member in tar]


def header_of(card):
    _, header, body = card.split("---\n", 2)
    return yaml.safe_load(header), body


def test_the_card_has_a_header_that_parses_and_tells_the_truth(exported):
    header, body = header_of((exported / "README.md").read_text())
    assert header["pretty_name"] == SPEC.theme
    assert header["license"] == "apache-2.0"
    assert header["size_categories"] == ["n<1K"]
    assert "visual-question-answering" in header["task_categories"]
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "formats/llava_next/train.json"}]
    assert "2 movies with 24 key frames, 24 lines of dialogue and 28 questions" in body
    assert "no real people" in body
    assert "| Seed | 7 |" in body
    assert "$" not in body


@pytest.mark.parametrize(
    "theme",
    [
        'a "quoted": theme # no comment',
        "- a\nb: c",
        "<script>alert(1)</script> | x",
        "`${seed}` {{ DATA }}",
        "naïve 🎬",
    ],
)
async def test_no_theme_breaks_the_card(tmp_path, theme):
    spec = spec_with(theme=theme, movies=1, chapters=1, scenes=1)
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, spec)
        await stage.export_all(spec)
        header, body = header_of((stage.files() / "README.md").read_text())
        assert header["pretty_name"] == " ".join(theme.split())
        assert "<script" not in body
        assert len([line for line in body.splitlines() if line.startswith("# ")]) == 1


async def test_the_card_tells_of_the_requesters_own_pictures(stage):
    await stage.export_all(spec_with(style=StyleSpec(pictures=4)))
    body = (stage.files() / "README.md").read_text()
    assert "learnt from 4 pictures that the requester gave" in body
    assert "are the requester's own" in body


def test_the_manifests_verify_every_file(exported):
    top = json.loads((exported / "manifest.json").read_text())
    entries = {**top["files"], **top["movies"]}
    assert (top["count"], top["bytes"]) == (len(top["files"]), sum(file["bytes"] for file in top["files"].values()))
    for path in top["movies"]:
        movie = json.loads((exported / path).read_text())
        folder = path.removesuffix("manifest.json")
        entries |= {f"{folder}{name}": entry for name, entry in {**movie["files"], **movie["frames"]}.items()}
    present = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    assert set(entries) == present - {"manifest.json"}
    for path, entry in entries.items():
        data = (exported / path).read_bytes()
        assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))


def test_the_manifest_tells_how_every_frame_came_about(exported):
    movie = json.loads((exported / "movies/0002/manifest.json").read_text())
    assert len(movie["frames"]) == 12
    frame = movie["frames"]["frames/000003.jpg"]
    assert frame["prompt"].startswith("generate an image in <gothic> style: a young woman")
    assert (frame["seed"], frame["model"], frame["style"]) == (2003, "pocket", digest(EMBEDDING))
    assert (frame["attempt"], frame["attempts"]) == (1, [])


def test_the_contact_sheet_shows_the_frames_in_order(exported):
    with Image.open(exported / "contact-sheet.jpg") as sheet:
        sheet.load()
        assert sheet.width == 1378
        assert sheet.height > 400
        place = (28 + 80, 28 + 74 + 80)
        assert sheet.getpixel(place) == pytest.approx(Image.open(io.BytesIO(picture(1, 1))).getpixel((64, 64)), abs=14)


async def test_finishing_twice_and_elsewhere_gives_the_same_bytes(tmp_path):
    trees = []
    for place in ("here", "there"):
        async with stage_at(tmp_path / place) as stage:
            await write_dataset(stage.store)
            first = await stage.export_all()
            again = await stage.finish()
            assert list(first.files) == list(again.files)
            files = sorted(path for path in stage.files().rglob("*") if path.is_file())
            trees.append({str(path.relative_to(stage.files())): path.read_bytes() for path in files})
    assert trees[0] == trees[1]


async def test_a_finish_that_was_killed_half_way_is_completed(stage):
    await stage.export_all()
    before = {path: path.read_bytes() for path in stage.files().rglob("*") if path.is_file()}
    for name in ("manifest.json", "index.html", "formats/webdataset/train-000000.tar"):
        (stage.files() / name).unlink()
    await stage.finish()
    assert {path: path.read_bytes() for path in stage.files().rglob("*") if path.is_file()} == before


async def test_movies_that_are_not_exported_are_named(stage):
    await stage.export_movie(1)
    with pytest.raises(errors.Unsatisfied) as caught:
        await stage.finish()
    assert "missing: movie 2" in caught.value.message
    assert not (stage.files() / "manifest.json").exists()


async def test_a_frame_that_went_missing_is_named(stage):
    for movie in (1, 2):
        await stage.export_movie(movie)
    (stage.folder / DatasetKeys(DATASET).movie(2).frame(3)).unlink()
    with pytest.raises(errors.Unsatisfied, match=r"movies/0002/frames/000003\.jpg"):
        await stage.finish()


async def test_an_unknown_format_is_refused_with_the_known_ones(stage):
    with pytest.raises(errors.InvalidInput) as caught:
        await stage.finish(spec_with(formats=("parquet",)))
    assert caught.value.field == "spec.formats[0]"
    assert all(name in caught.value.allowed for name in FORMATS)
