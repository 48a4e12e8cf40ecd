"""Every format, loaded with its real library where that installs lightly, else read by its loader's contract."""

import asyncio
import io
import json
import tarfile
from pathlib import Path

import contract_readers as readers
import datasets
import pytest
import webdataset
from export_fixtures import DATASET, picture, spec_with, stage_at, write_dataset
from PIL import Image

from moviellm.artifacts import DatasetKeys
from moviellm.dataset import FORMATS
from moviellm.export import formats
from moviellm.export.dataset_folder import Limits
from moviellm.export.splits import split_movies
from moviellm.movie import FrameRange, Question, QuestionKind

SPLITS = {"train": 8, "validation": 1, "test": 1}
ASKED, FRAMES = 8, 6


def numbers_of(split):
    found = split_movies(10, 7, validation=0.1, test=0.1)
    return [number for number in found if found[number] == split]


def test_every_known_format_has_a_file_and_every_file_a_name():
    files = {path.stem for path in Path(formats.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == set(FORMATS)


def conversations(folder, name, split, suffix=""):
    """The records of a format that a reader has found good."""
    file = folder / f"formats/{name}/{split}{suffix}.json"
    if name == "llama_factory":
        return readers.llama_factory(folder, file.parent, f"moviellm_{split}{suffix}")
    if name == "ms_swift":
        lines = file.with_suffix(".jsonl").read_text().splitlines()
        return readers.messages_like(folder, [json.loads(line) for line in lines])
    token = "<video>" if name in ("qwen_vl", "video_chatgpt") else "<image>"
    return readers.llava_like(folder, file, token=token, place="end" if name == "video_chatgpt" else "start")


TALKING = ("llama_vid", "llama_factory", "ms_swift", "llava_next", "qwen_vl", "video_chatgpt")
WITH_FRAMES = ("llama_factory", "ms_swift", "qwen_vl")


@pytest.mark.parametrize("name", TALKING)
def test_training_records_keep_the_contract_of_their_reader(every_format, name):
    for split, movies in SPLITS.items():
        found = conversations(every_format, name, split)
        assert len(found) == movies * ASKED
        videos = [every_format / f"movies/{number:04}/movie.mp4" for number in numbers_of(split)]
        assert [media for _, _, media in found] == [video for video in videos for _ in range(ASKED)]
        assert found[0][:2] == ("What is it about?", "A message.")


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_the_frames_of_a_record_are_those_that_prove_its_answer(every_format, name):
    found = conversations(every_format, name, "validation", "_frames")
    (number,) = numbers_of("validation")
    assert len(found) == ASKED
    evidence = {question: [int(path.stem) for path in media] for question, _, media in found}
    assert all(f"movies/{number:04}/frames/" in str(path) for _, _, media in found for path in media)
    assert evidence["What is it about?"] == [1, 2, 4, 6]
    assert evidence["Where is Clara in scene-01-02?"] == [4, 5, 6]
    assert evidence["What comes first?"] == [2, 3, 4, 5]


def cached(tmp_path):
    return {"cache_dir": str(tmp_path / "cache")}


@pytest.mark.parametrize("name", TALKING)
def test_training_records_load_with_the_datasets_library(every_format, name, tmp_path):
    for file in (every_format / f"formats/{name}").glob("train*.json*"):
        loaded = datasets.load_dataset("json", data_files=str(file), split="train", **cached(tmp_path))
        assert loaded.num_rows == SPLITS["train"] * ASKED
        assert loaded[0]["evidence"] == {"first_frame": 1, "last_frame": 6, "start_seconds": 0, "end_seconds": 6}


def test_parquet_loads_with_its_pictures(every_format, tmp_path):
    folder = every_format / "formats/hf_parquet"
    loaded = datasets.load_dataset(str(folder / "frames"), **cached(tmp_path))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {name: n * FRAMES for name, n in SPLITS.items()}
    assert isinstance(loaded["train"].features["image"], datasets.Image)
    (number,) = numbers_of("test")
    row = loaded["test"][3]
    assert row["image"].size == (128, 128)
    raw = loaded["test"].cast_column("image", datasets.Image(decode=False))[3]["image"]
    assert raw == {"bytes": picture(number, 4), "path": f"m{number:04}-000004.jpg"}
    assert row["dialogue"] == ["Clara: What is this, 1.2?", "Edwin: A letter, from the sea."]
    assert (row["movie"], row["frame"], row["seed"]) == (number, 4, 1000 * number + 4)
    asked = datasets.load_dataset(str(folder / "questions"), split="validation", **cached(tmp_path))
    assert asked.num_rows == ASKED
    assert asked[0]["answer"] == "A message."
    assert (every_format / asked[0]["video"]).is_file()


def test_the_schema_of_a_table_tells_of_its_pictures_and_its_groups_are_small(every_format):
    import pyarrow.parquet as pq

    for file in (every_format / "formats/hf_parquet/frames").iterdir():
        table = pq.ParquetFile(file)
        features = json.loads(table.schema_arrow.metadata[b"huggingface"])["info"]["features"]
        assert features["image"] == {"_type": "Image"}
        assert all(table.metadata.row_group(i).num_rows <= 64 for i in range(table.metadata.num_row_groups))


def test_the_imagefolder_loads_by_its_splits_without_a_copy_of_any_picture(every_format, tmp_path):
    files = json.loads((every_format / "formats/imagefolder/data_files.json").read_text())
    loaded = datasets.load_dataset("imagefolder", data_dir=str(every_format), data_files=files, **cached(tmp_path))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {name: n * FRAMES for name, n in SPLITS.items()}
    (number,) = numbers_of("validation")
    row = loaded["validation"][2]
    assert row["image"].size == (128, 128)
    assert (row["movie"], row["frame"]) == (number, 3)
    raw = loaded["validation"].cast_column("image", datasets.Image(decode=False))[2]["image"]
    assert Path(raw["path"]) == every_format / f"movies/{number:04}/frames/000003.jpg"


def test_shards_load_with_webdataset(every_format):
    for split, movies in SPLITS.items():
        shards = sorted(str(path) for path in (every_format / "formats/webdataset").glob(f"{split}-*.tar"))
        samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil"))
        keys = [f"m{movie:04}-{frame:06}" for movie in numbers_of(split) for frame in range(1, FRAMES + 1)]
        assert [sample["__key__"] for sample in samples] == keys
        assert len(samples) == movies * FRAMES
        assert {tuple(sorted(name for name in sample if name[0] != "_")) for sample in samples} == {("jpg", "json")}
        assert len({tuple(sample["json"]) for sample in samples}) == 1
        assert samples[3]["jpg"].size == (128, 128)
        assert samples[3]["json"]["prompt"].startswith("generate an image in <gothic> style: a young woman")
        assert samples[3]["json"]["dialogue"][0] == {"speaker": "Clara", "text": "What is this, 1.2?"}


def test_shards_load_with_the_datasets_library(every_format, tmp_path):
    folder = str(every_format / "formats/webdataset")
    frames = datasets.load_dataset(folder, split="train", **cached(tmp_path))
    assert frames.num_rows == SPLITS["train"] * FRAMES
    assert frames[4]["jpg"].size == (128, 128)


def test_mds_shards_hold_every_question_with_the_frames_that_prove_it(every_format):
    for split, movies in SPLITS.items():
        samples = list(readers.mds(every_format / f"formats/mds/{split}"))
        assert [sample["id"] for sample in samples] == [
            f"m{movie:04}-q{number:04}" for movie in numbers_of(split) for number in range(1, ASKED + 1)
        ]
        assert len(samples) == movies * ASKED
        movie = numbers_of(split)[0]
        assert samples[0]["qa"]["frames"] == [1, 2, 4, 6]
        assert samples[0]["frames"] == [picture(movie, number) for number in (1, 2, 4, 6)]
        assert samples[0]["qa"]["question"] == "What is it about?"
        for sample in samples:
            readers.no_leftovers(sample["qa"], ())
            assert len(sample["frames"]) == len(sample["qa"]["frames"]) <= 4


def test_mds_shards_load_with_mosaicml_streaming(every_format):
    streaming = pytest.importorskip("streaming", reason="mosaicml-streaming is not installed; it needs torchvision")
    dataset = streaming.StreamingDataset(local=str(every_format / "formats/mds/train"), shuffle=False, batch_size=1)
    assert len(dataset) == SPLITS["train"] * ASKED
    sample = dataset[0]
    assert sample["frames"][0].size == (128, 128)
    assert sample["qa"]["answer"] == "A message."


def test_a_movie_is_in_one_split_only(every_format):
    seen = {}
    for name in TALKING:
        for split in SPLITS:
            for _, _, video in conversations(every_format, name, split):
                assert seen.setdefault(video, split) == split
    assert len(seen) == 10


@pytest.mark.parametrize("movies", [1, 2, 9, 19])
def test_small_datasets_only_train(movies):
    assert set(split_movies(movies, 3, validation=0.05, test=0.05).values()) == {"train"}


def test_splits_have_their_share_and_follow_the_seed_alone():
    first, again, other = (split_movies(100, seed, validation=0.05, test=0.1) for seed in (1, 1, 2))
    assert first == again != other
    assert [list(first.values()).count(name) for name in ("train", "validation", "test")] == [85, 5, 10]


CHOICES = ("A lamp", "A letter <image>", "A ship")
HOSTILE = (
    ("What says <image> the ASSISTANT: here?</s>", "He said <video>.", ()),
    ("<|im_start|>user\nWho?<|im_end|>", "USER: Clara <s>", ()),
    ("<audio> [INST] Why? [/INST]", "Because <unk> of <|endoftext|> and <extra_id_0>", ()),
    ("<ima<image>ge> What?", "< / s > human : nothing <im\u200bage>", ()),
    ("What is it?", "A letter <image>", CHOICES),
    ("   ", "nothing", ()),
    ("Empty answer?", "\u200b", ()),
)


def hostile(part, spec):
    if part != "movie":
        return ()
    items = []
    for question, answer, choices in HOSTILE:
        evidence = FrameRange(1, 2)
        items.append(
            Question(QuestionKind.PLOT, "what <image>", question, answer, evidence, "</s>movie", choices=choices)
        )
    return tuple(items)


async def test_no_format_lets_a_trainers_words_through_and_each_counts_them(tmp_path):
    spec = spec_with(movies=1, chapters=1, scenes=1, formats=tuple(FORMATS))
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, spec, make_questions=hostile)
        await stage.export_all(spec)
        folder = stage.files()
        for name in TALKING:
            found = conversations(folder, name, "train")
            assert len(found) == 5
            question, answer, _ = found[4]
            letter = "Answer with the letter and the text of the right choice."
            assert question == f"What is it?\nA. A lamp\nB. A letter [image]\nC. A ship\n{letter}"
            assert answer == "B. A letter [image]"
        for name in WITH_FRAMES:
            assert len(conversations(folder, name, "train", "_frames")) == 5
        assert len(list(readers.mds(folder / "formats/mds/train"))) == 5
        rows = await asyncio.to_thread(
            datasets.load_dataset,
            str(folder / "formats/hf_parquet/questions"),
            split="train",
            cache_dir=str(tmp_path / "cache"),
        )
        for row in rows:
            readers.no_leftovers(row, ())
        assert (
            "5 with trainers' control words made harmless, 2 empty ones left out" in (folder / "README.md").read_text()
        )


async def test_hostile_plots_do_not_spoil_frames_either(tmp_path):
    from export_fixtures import scene

    from moviellm.movie import Frame, Line, Scene

    def nasty(chapter, number, spec):
        written = scene(chapter, number, spec)
        frames = tuple(Frame(frame.number, "Clara <image> at ASSISTANT: </s>") for frame in written.frames)
        return Scene(chapter, number, frames, (Line(1, "USER:", "<|im_start|>hello<video>"),))

    spec = spec_with(movies=1, chapters=1, scenes=1, formats=("webdataset", "imagefolder", "hf_parquet"))
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, spec, make_scene=nasty)
        await stage.export_all(spec)
        folder = stage.files()
        lines = (folder / "movies/0001/metadata.jsonl").read_text().splitlines()
        with tarfile.open(folder / "formats/webdataset/train-000000.tar") as tar:
            records = [json.load(tar.extractfile(member)) for member in tar if member.name.endswith(".json")]
        for record in [*records, *map(json.loads, lines)]:
            readers.no_leftovers(record, ())
            assert "<gothic>" in record["prompt"]
            assert record["dialogue"] in ([], [{"speaker": "USER –", "text": "[|im_start|]hello[video]"}])


async def test_without_any_question_the_files_are_there_and_empty(tmp_path):
    spec = spec_with(movies=1, chapters=1, scenes=1, formats=tuple(FORMATS))
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, spec, make_questions=lambda part, spec: ())
        await stage.export_all(spec)
        for name in ("llava_next", "llama_factory", "qwen_vl", "llama_vid", "video_chatgpt"):
            assert json.loads((stage.files() / f"formats/{name}/train.json").read_text()) == []
        assert (stage.files() / "formats/ms_swift/train.jsonl").read_text() == ""
        assert json.loads((stage.files() / "formats/mds/train/index.json").read_text())["shards"] == []


async def test_a_damaged_frame_gets_into_no_shard(tmp_path):
    from structlog.testing import capture_logs

    from moviellm import errors

    spec = spec_with(movies=1, formats=("webdataset",))
    async with stage_at(tmp_path, limits=Limits()) as stage:
        await write_dataset(stage.store, spec)
        await stage.export_movie(1, spec)
        frame = stage.folder / DatasetKeys(DATASET).movie(1).frame(3)
        out = io.BytesIO()
        Image.new("RGB", (8, 8)).save(out, "JPEG")
        frame.write_bytes(out.getvalue())
        with capture_logs(), pytest.raises(errors.Broken, match=r"frames/000003\.jpg is damaged"):
            await stage.finish(spec)
        assert not (stage.files() / "formats/webdataset").exists()
