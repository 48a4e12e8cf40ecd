"""A look that is not learnt but looked at: the mean embedding of the references, for an IP-Adapter."""

from collections.abc import Callable, Sequence

from moviellm.errors import Unsatisfied
from moviellm.inversion.lessons import InversionProgress, Learnt, StyleTask
from moviellm.inversion.pictures import Square
from moviellm.movie import IMAGE_FILE

Embed = Callable[[str, Sequence[Square]], bytes]
"""The style's word and its references to an `IMAGE_FILE`."""


class ImageLesson:
    """Done in one step; there is nothing to optimise, so the losses are 0."""

    def __init__(self, task: StyleTask, pictures: Sequence[Square], embed: Embed) -> None:
        self._token = task.style.keyword.strip()
        self._pictures = pictures
        self._embed = embed
        self._file = b""

    @property
    def done(self) -> bool:
        """Whether the references were looked at."""
        return bool(self._file)

    def advance(self) -> InversionProgress:
        """Look at the references."""
        self._file = self._embed(self._token, self._pictures)
        return InversionProgress(1, 1, 0.0)

    def checkpoint(self) -> bytes:
        """Nothing is worth keeping."""
        return b""

    def finish(self) -> Learnt:
        """The embedding."""
        return Learnt(self._token, {IMAGE_FILE: self._file}, 0.0, 0.0, 1)


def no_adapter(token: str, pictures: Sequence[Square]) -> bytes:
    """Stands in for `Embed` where there is none; raises Unsatisfied."""
    raise Unsatisfied(
        "this deployment has no IP-Adapter: set MOVIELLM_INVERSION_IP_ADAPTER and MOVIELLM_RENDERING_IP_ADAPTER to its "
        ".safetensors file, or ask for another style.method"
    )
