"""Which learnt styles are read, checked and kept."""

from dataclasses import replace

import pytest

from moviellm.artifacts import digest
from moviellm.errors import Broken, InvalidInput
from moviellm.movie import LearnedStyle
from moviellm.rendering.styles import Learned, StyleShelf


class Vectors:
    def __init__(self, files):
        self.files = files
        self.token = f"<{files[0].decode()}>"


class Reader:
    def __init__(self):
        self.read = []

    async def __call__(self, files):
        self.read.append(files)
        return Vectors(files)


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def shelf(store, reader):
    return StyleShelf(store, read=reader, capacity=2)


async def keep(store, name, second=None):
    await store.put(f"styles/{name}/learned_embeds.safetensors", name.encode())
    if second:
        await store.put(f"styles/{name}/learned_embeds_2.safetensors", second)
    style = LearnedStyle(store.uri(f"styles/{name}/learned_embeds.safetensors"), digest(name.encode()), f"<{name}>")
    return Learned("learned_style", style)


async def test_both_files_of_two_text_encoders_are_read(store, shelf):
    style = await shelf.fetch(await keep(store, "noir", second=b"more"))
    assert style.files == [b"noir", b"more"]


async def test_the_latest_styles_are_kept(store, shelf, reader):
    a, b, c = [await keep(store, name) for name in ("a", "b", "c")]
    for style in (a, b, a, c, a, b):
        assert (await shelf.fetch(style)).token == style.look.token
    assert reader.read == [[b"a"], [b"b"], [b"c"], [b"b"]]


async def test_a_damaged_file_is_told(store, shelf):
    style = await keep(store, "noir")
    with pytest.raises(Broken, match="its SHA-256 is not"):
        await shelf.fetch(Learned("learned_style", replace(style.look, digest="0" * 64)))


async def test_the_token_must_be_the_files_own(store, shelf):
    style = await keep(store, "noir")
    with pytest.raises(InvalidInput, match=r"learned_characters\[1\]\.token: must be the file's own token, <noir>"):
        await shelf.fetch(Learned("learned_characters[1]", replace(style.look, token="<gothic>")))
