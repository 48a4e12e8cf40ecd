"""What was learnt for a movie, as files of its folder: references and embeddings of the style and of faces."""

from pathlib import PurePosixPath

from moviellm.artifacts import ArtifactStore
from moviellm.dataset import MovieStyle
from moviellm.export.shelf import Shelf, read_verified
from moviellm.movie import LEARNED_FILES, StoredFile


async def export_look(
    store: ArtifactStore, shelf: Shelf, folder: str, look: MovieStyle, name: str
) -> tuple[str, tuple[str, ...]]:
    """Write the look into `folder`; the paths of the embedding (empty where nothing was learnt) and the references.

    Pipelines with two text encoders have a second embedding beside the first.
    """
    references = []
    for number, file in enumerate(look.references, start=1):
        data = await read_verified(store, file, f"reference {number} of {name}")
        references.append(f"{folder}/ref-{number:02}{picture_suffix(data)}")
        await shelf.put(references[-1], data)
    if not look.learned.uri:
        return "", tuple(references)
    first = StoredFile(look.learned.uri, look.learned.digest, 0)
    embedding = f"{folder}/{PurePosixPath(first.uri).name}"
    await shelf.put(embedding, await read_verified(store, first, name))
    second = await store.find(str(PurePosixPath(store.key(first.uri)).with_name(LEARNED_FILES[1])))
    if second is not None:
        await shelf.put(f"{folder}/{LEARNED_FILES[1]}", second)
    return embedding, tuple(references)


def picture_suffix(data: bytes) -> str:
    """The file name's suffix for an encoded picture, by its first bytes."""
    if data.startswith(b"\x89PNG"):
        return ".png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return ".jpg"
