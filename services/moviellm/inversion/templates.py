"""The prompts that an embedding is learnt with: short templates around its token (paper, stage 2), and true captions.

A style's token says how pictures look, a character's who is in them.
"""

from collections.abc import Sequence
from random import Random

from moviellm.inversion.lessons import Subject

TEMPLATES = {
    Subject.STYLE: (
        "an image in {token} style",
        "a picture in {token} style",
        "a picture of people in {token} style",
        "a picture of people walking in {token} style",
        "a picture of a place in {token} style",
        "generate an image in {token} style",
    ),
    Subject.CHARACTER: (
        "a picture of {token}",
        "an image of {token} standing",
        "a close-up of {token}",
        "generate an image: {token}",
    ),
}

CAPTIONED = {
    Subject.STYLE: ("generate an image in {token} style: {caption}", "a picture of {caption} in {token} style"),
    Subject.CHARACTER: ("generate an image: {token} {caption}", "a picture of {token} {caption}"),
}

CAPTIONED_SHARE = 0.7
"""How many of the prompts tell what the picture shows, where that is known: then the token need not learn it."""


def training_prompt(token: str, caption: str, rng: Random, subject: Subject = Subject.STYLE) -> str:
    """A prompt for a reference picture; `caption` is empty where nobody knows what it shows."""
    if caption and rng.random() < CAPTIONED_SHARE:
        return rng.choice(CAPTIONED[subject]).format(token=token, caption=caption)
    return rng.choice(TEMPLATES[subject]).format(token=token)


def held_out_prompts(token: str, captions: Sequence[str], count: int, subject: Subject = Subject.STYLE) -> list[str]:
    """Fixed prompts for the held-out loss, the pictures in turn; worded as frames are where captions are known."""
    return [
        CAPTIONED[subject][0].format(token=token, caption=captions[i % len(captions)])
        if captions and captions[i % len(captions)]
        else TEMPLATES[subject][i % len(TEMPLATES[subject])].format(token=token)
        for i in range(count)
    ]
