"""Strict readers: each enforces what its trainer's loader relies on, and raises where the loader would fail silently.

They take the dataset's folder and a file of it, and give back (question, answer, media) of every record.
"""

import itertools
import json
import pickle
import re
import struct

import numpy as np

MEDIA = ("<image>", "<video>", "<audio>")
SPOILERS = re.compile(
    r"<image>|<video>|<audio>|</?s>|<\|?im_(start|end)\|?>|<unk>|<\|[^|]*\|>|\[/?INST\]|\b(ASSISTANT|USER|HUMAN|GPT|SYSTEM)\s*:",
    re.IGNORECASE,
)


def require(condition, what, record):
    if not condition:
        raise AssertionError(f"{what}: {record}")


def clean(text, record):
    require(text and text == text.strip() and not SPOILERS.search(text), "a text that spoils its record", record)
    return text


def no_leftovers(record, allowed):
    """No text of the record, however deep, holds a word that trainers act upon; `allowed` has been taken out."""
    for text in texts({name: value for name, value in record.items() if name not in allowed}):
        require(not SPOILERS.search(text), "a text that spoils its record", record)


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def file_in(folder, path, record):
    require(not path.startswith("/") and ".." not in path.split("/"), "a path that leaves the folder", record)
    require((folder / path).is_file(), "a file that is not there", record)
    return folder / path


def llava_like(folder, file, *, token, place):
    """LLaVA's relatives: `token` once, at `place` ("start" or "end") of the human turn; exactly one question."""
    found = []
    for record in json.loads(file.read_text()):
        require(isinstance(record["id"], str), "an id", record)
        human, gpt = record["conversations"]
        require((human["from"], gpt["from"]) == ("human", "gpt"), "the turns", record)
        require(human["value"].count(token) == 1, f"one {token}", record)
        require(sum(human["value"].count(word) for word in MEDIA) == 1, "no other media", record)
        if place == "start":
            require(human["value"].startswith(f"{token}\n"), f"{token} first", record)
            question = human["value"].removeprefix(f"{token}\n")
        else:
            require(human["value"].endswith(f"\n{token}"), f"{token} last", record)
            question = human["value"].removesuffix(f"\n{token}")
        no_leftovers(record, ("conversations",))
        found.append((clean(question, record), clean(gpt["value"], record), media(folder, record["video"], record)))
    return found


def media(folder, video, record):
    """A video's file, or the files of a list of pictures, which must not be empty."""
    if isinstance(video, str):
        return file_in(folder, video, record)
    require(video, "pictures", record)
    return [file_in(folder, path, record) for path in video]


def messages_like(folder, records):
    """LLaMA-Factory and ms-swift: as many "<video>" as videos, roles in turn, nothing else that counts as media."""
    found = []
    for record in records:
        user, assistant = record["messages"]
        require((user["role"], assistant["role"]) == ("user", "assistant"), "the roles", record)
        require(set(record) & {"images", "audios", "video", "image", "conversations"} == set(), "other media", record)
        together = user["content"] + assistant["content"]
        require(together.count("<video>") == len(record["videos"]) == 1, "as many <video> as videos", record)
        require(user["content"].startswith("<video>"), "<video> first", record)
        question = user["content"].removeprefix("<video>")
        no_leftovers(record, ("messages",))
        found.append(
            (clean(question, record), clean(assistant["content"], record), media(folder, record["videos"][0], record))
        )
    return found


def llama_factory(folder, dataset_dir, name):
    """Goes by dataset_info.json, as the loader does."""
    entry = json.loads((dataset_dir / "dataset_info.json").read_text())[name]
    require(entry["formatting"] == "sharegpt", "the formatting", entry)
    require(entry["columns"] == {"messages": "messages", "videos": "videos"}, "the columns", entry)
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    require(entry["tags"] == tags, "the tags", entry)
    return messages_like(folder, json.loads((dataset_dir / entry["file_name"]).read_text()))


def llama_vid_pickle(path):
    """Float16 (N, 257, 1408) and exactly N "<image>" in the inputs, which the loader cuts "..." out of."""
    with path.open("rb") as file:
        value = pickle.load(file)
    require(set(value) == {"feats", "inputs"}, "the keys", list(value))
    feats, inputs = value["feats"], value["inputs"]
    require(type(feats) is np.ndarray and feats.dtype == np.float16, "float16", feats.dtype)
    require(feats.ndim == 3 and feats.shape[1:] == (257, 1408), "the shape", feats.shape)
    require(np.isfinite(feats).all(), "numbers", path)
    require(inputs.count("<image>") == len(feats) and inputs.startswith("<image>"), "as many <image> as frames", inputs)
    require(not SPOILERS.search(inputs.replace("<image>", "")) and "..." not in inputs, "clean inputs", inputs)
    return feats, inputs


def video_chatgpt_pickle(path):
    """Nothing but an array (356, C)."""
    with path.open("rb") as file:
        value = pickle.load(file)
    require(type(value) is np.ndarray and value.shape[0] == 356 and value.ndim == 2, "the shape", value.shape)
    require(np.isfinite(value).all(), "numbers", path)
    return value


def mds(folder):
    """Reads all samples of a split by the format's own description; encodings are told by index.json."""
    index = json.loads((folder / "index.json").read_text())
    require(index["version"] == 2, "the version", index)
    for shard in index["shards"]:
        require((shard["version"], shard["format"], shard["zip_data"]) == (2, "mds", None), "the shard", shard)
        require("pkl" not in shard["column_encodings"], "no unsafe columns", shard)
        require(shard["column_names"] == sorted(shard["column_names"]), "columns in order", shard)
        data = (folder / shard["raw_data"]["basename"]).read_bytes()
        require(len(data) == shard["raw_data"]["bytes"] <= shard["size_limit"], "the size", shard)
        (count,) = struct.unpack_from("<I", data)
        require(count == shard["samples"] > 0, "the samples", shard)
        offsets = struct.unpack_from(f"<{count + 1}I", data, 4)
        require(offsets[-1] == len(data), "the last offset", offsets)
        config = json.loads(data[4 + 4 * (count + 1) : offsets[0]])
        require(config.items() <= shard.items(), "the header", config)
        for start, end in itertools.pairwise(offsets):
            yield dict(zip(shard["column_names"], columns(data[start:end], shard), strict=True))


def columns(sample, shard):
    sizes = struct.unpack_from(f"<{len(shard['column_names'])}I", sample)
    at = 4 * len(sizes)
    for encoding, size in zip(shard["column_encodings"], sizes, strict=True):
        data = sample[at : at + size]
        at += size
        yield {"str": bytes.decode, "json": json.loads, "list[jpeg]": pictures}[encoding](data)
    require(at == len(sample), "nothing left over", at)


def pictures(data):
    reserved, count = struct.unpack_from("<II", data)
    require(reserved == 0 and count > 0, "pictures", count)
    sizes = struct.unpack_from(f"<{count}I", data, 8)
    at, found = 8 + 4 * count, []
    for size in sizes:
        found.append(data[at : at + size])
        require(found[-1].startswith(b"\xff\xd8\xff"), "a JPEG", size)
        at += size
    require(at == len(data), "nothing left over", at)
    return found
