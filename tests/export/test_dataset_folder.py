"""What FinishDataset writes, over real gRPC, opened with the libraries people open it with."""

import asyncio
import hashlib
import io
import json
import tarfile

import pytest
import webdataset
import yaml
from export_fixtures import DATASET, SPEC, picture, questions, spec_with, stage_at, write_dataset
from PIL import Image

from moviellm import errors
from moviellm.artifacts import DatasetKeys
from moviellm.dataset import RenderedScene, StyleSpec
from moviellm.export.conversation import harmless
from moviellm.export.dataset_folder import Limits
from moviellm.movie import FrameRange, Question, QuestionKind
from moviellm.wire import from_json


async def test_all_formats_are_written_and_told(stage):
    response = await stage.export_all()
    names = {file.uri.split("/files/")[1] for file in response.files}
    assert names == {
        *("train.json", "shards/train-000000.tar", "README.md", "index.html", "contact-sheet.jpg", "manifest.json"),
        *(f"figures/{name}.png" for name in ("question-kinds", "question-difficulty", "locations", "people")),
        "quality.json",
    }
    assert all((stage.files() / name).stat().st_size > 0 for name in names)


@pytest.mark.parametrize(
    ("formats", "there", "absent"), [(("llava",), "train.json", "shards"), (("webdataset",), "shards", "train.json")]
)
async def test_only_the_formats_that_were_asked_for_are_written(stage, formats, there, absent):
    await stage.export_all(spec_with(formats=formats))
    assert (stage.files() / there).exists()
    assert not (stage.files() / absent).exists()
    assert absent not in (stage.files() / "README.md").read_text()


def test_training_records_keep_the_contract_of_their_readers(exported):
    records = json.loads((exported / "train.json").read_text())
    asked = [json.loads((exported / f"movies/000{movie}/qa.json").read_text()) for movie in (1, 2)]
    assert len(records) == sum(map(len, asked)) == 28
    assert len({record["id"] for record in records}) == 28
    keys = ["id", "video", "conversations", "kind", "category", "level", "evidence"]
    for record, item in zip(records, [*asked[0], *asked[1]], strict=True):
        assert list(record) == keys
        assert (exported / record["video"]).is_file()
        human, gpt = record["conversations"]
        assert human == {"from": "human", "value": f"<image>\n{item['question']}"}
        assert gpt == {"from": "gpt", "value": item["answer"]}
        assert record["evidence"] == item["evidence"]


def test_training_records_load_with_the_datasets_library(exported, tmp_path):
    datasets = pytest.importorskip("datasets")
    path = str(exported / "train.json")
    loaded = datasets.load_dataset("json", data_files=path, split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == 28
    assert loaded[0]["conversations"][1] == {"from": "gpt", "value": "A message."}
    folder = datasets.load_dataset(str(exported), split="train", cache_dir=str(tmp_path / "cache"))
    assert folder.num_rows == 28


async def test_shards_alone_load_with_the_datasets_library(stage, tmp_path):
    datasets = pytest.importorskip("datasets")
    await stage.export_all(spec_with(formats=("webdataset",)))
    folder = str(stage.files())
    frames = await asyncio.to_thread(
        datasets.load_dataset, folder, "frames", split="train", cache_dir=str(tmp_path / "cache")
    )
    assert frames.num_rows == 24
    assert frames[4]["json"]["prompt"].startswith("generate an image in <gothic> style")
    assert frames[4]["jpg"].size == (128, 128)


@pytest.mark.parametrize(
    "text",
    ["<image>", "a <video> b", "</s>", "ASSISTANT: no", "<ima<image>ge>", "Assistant : x", "< / s >", "<im_start>"],
)
def test_no_text_keeps_a_trainers_control_words(text):
    mended = harmless(text)
    for word in ("<image>", "<video>", "</s>", "ASSISTANT:", "<im_start>"):
        assert word.lower() not in mended.lower().replace(" ", "")
    assert harmless(mended) == mended


def test_harmless_texts_stay_as_they_are():
    text = 'Why does Clara, the assistant, say: "2 < 3 and </br>"?'
    assert harmless(text) == text


def nasty_questions(part, spec):
    evil = Question(
        QuestionKind.PLOT,
        "what",
        "What says <image> the ASSISTANT: here?</s>",
        "He said <video>.",
        FrameRange(1, 2),
        "movie",
    )
    empty = Question(QuestionKind.PLOT, "what", "   ", "nothing", FrameRange(1, 2), "movie")
    return (evil, empty) if part == "movie" else questions(part, spec)


async def test_control_words_are_made_harmless_and_counted(tmp_path):
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, make_questions=nasty_questions)
        await stage.export_all()
        records = json.loads((stage.files() / "train.json").read_text())
        assert len(records) == 28
        human, gpt = records[0]["conversations"]
        assert human["value"] == "<image>\nWhat says [image] the ASSISTANT – here?[/s]"
        assert gpt["value"] == "He said [video]."
        assert (
            "28 records, one question each (2 with trainers' control words" in (stage.files() / "README.md").read_text()
        )


def test_shards_load_with_webdataset(exported):
    shards = str(exported / "shards/train-000000.tar")
    samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil"))
    assert [sample["__key__"] for sample in samples] == [f"m{m:04}-{n:06}" for m in (1, 2) for n in range(1, 13)]
    keys = {tuple(sorted(name for name in sample if not name.startswith("__"))) for sample in samples}
    assert keys == {("jpg", "json")}
    assert len({tuple(sample["json"]) for sample in samples}) == 1
    fifth = samples[4]
    assert fifth["jpg"].size == (128, 128)
    assert {name: fifth["json"][name] for name in ("movie", "chapter", "scene", "frame", "seed", "style")} == {
        **{"movie": 1, "chapter": 1, "scene": 2, "frame": 5},
        **{"seed": 1005, "style": "gothic"},
    }
    assert samples[0]["json"]["dialogue"] == [
        {"speaker": "Clara", "text": "What is this, 1.1?"},
        {"speaker": "Edwin", "text": "A letter, from the sea."},
    ]
    assert fifth["json"]["dialogue"] == []


async def test_shards_are_bounded_and_hold_every_frame_once(tmp_path):
    spec = spec_with(frames=8)
    async with stage_at(tmp_path, limits=Limits(shard_megabytes=1)) as stage:
        await write_dataset(stage.store, spec, make_questions=lambda part, spec: ())
        heavy = await heavy_frames(stage, spec)
        await stage.export_all(spec)
        shards = sorted((stage.files() / "shards").iterdir())
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


async def heavy_frames(stage, spec):
    """Replace all frames by pictures of about 60 kB."""
    noise = Image.effect_noise((256, 256), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=95)
    for movie in range(1, spec.movies + 1):
        keys = DatasetKeys(DATASET).movie(movie)
        for place in spec.shape.scene_numbers():
            record = stage.folder / keys.rendered(*place)
            text = record.read_text()
            for frame in from_json(record.read_bytes(), RenderedScene).frames:
                text = text.replace(frame.file.digest, hashlib.sha256(out.getvalue()).hexdigest())
                (stage.folder / keys.frame(frame.number)).write_bytes(out.getvalue())
            record.write_text(text)
    return out.getvalue()


def header_of(card):
    _, header, body = card.split("---\n", 2)
    return yaml.safe_load(header), body


def test_the_card_has_a_header_that_parses_and_tells_the_truth(exported):
    header, body = header_of((exported / "README.md").read_text())
    assert header["pretty_name"] == SPEC.theme
    assert header["license"] == "apache-2.0"
    assert header["size_categories"] == ["n<1K"]
    assert "visual-question-answering" in header["task_categories"]
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "train.json"}]
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


def test_the_manifest_verifies_every_file(exported):
    manifest = json.loads((exported / "manifest.json").read_text())
    present = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == present - {"manifest.json"}
    for path, entry in manifest["files"].items():
        data = (exported / path).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert manifest["count"] == len(present) - 1
    assert manifest["bytes"] == sum(entry["bytes"] for entry in manifest["files"].values())


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
    for name in ("manifest.json", "index.html", "shards/train-000000.tar"):
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
    assert "llava, webdataset" in caught.value.allowed
