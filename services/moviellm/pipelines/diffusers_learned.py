"""What was learnt of a style, from its files, whichever way it was learnt."""

from collections.abc import Sequence

from moviellm.pipelines.diffusers_image_prompts import ImageLook, read_image_look
from moviellm.pipelines.diffusers_lora import LowRank, head_of, read_low_rank
from moviellm.pipelines.diffusers_prompts import LearnedVectors, read_learned

Look = LearnedVectors | LowRank | ImageLook
"""Vectors in the place of a token, changes of the U-Net, or something for it to look at."""


def read_look(files: Sequence[bytes]) -> Look:
    """The style in its files; raises Broken for damaged ones."""
    names = head_of(files[0])
    if "image_embeds" in names:
        return read_image_look(files[0])
    if any(name.startswith("unet.") for name in names):
        return read_low_rank(files[0])
    return read_learned(*files)
