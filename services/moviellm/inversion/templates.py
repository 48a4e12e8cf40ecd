"""The prompts that a style is learnt with: short templates around its token (paper, stage 2), and true captions."""

from collections.abc import Sequence
from random import Random

TEMPLATES = (
    "an image in {token} style",
    "a picture in {token} style",
    "a picture of people in {token} style",
    "a picture of people walking in {token} style",
    "a picture of a place in {token} style",
    "generate an image in {token} style",
)

CAPTIONED = (
    "generate an image in {token} style: {caption}",
    "a picture of {caption} in {token} style",
)

CAPTIONED_SHARE = 0.7
"""How many of the prompts tell what the picture shows, where that is known: then the token need not learn it."""


def training_prompt(token: str, caption: str, rng: Random) -> str:
    """A prompt for a reference picture; `caption` is empty where nobody knows what it shows."""
    if caption and rng.random() < CAPTIONED_SHARE:
        return rng.choice(CAPTIONED).format(token=token, caption=caption)
    return rng.choice(TEMPLATES).format(token=token)


def held_out_prompts(token: str, captions: Sequence[str], count: int) -> list[str]:
    """Fixed prompts for the held-out loss, the pictures in turn; worded as frames are where captions are known."""
    return [
        CAPTIONED[0].format(token=token, caption=captions[i % len(captions)])
        if captions and captions[i % len(captions)]
        else TEMPLATES[i % len(TEMPLATES)].format(token=token)
        for i in range(count)
    ]
