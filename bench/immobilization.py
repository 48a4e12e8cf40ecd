"""Style immobilization on styles that the pocket model has never seen, by picture or by name.

Each style is learnt from ten drawn references. The same frames, from the same seeds, are then rendered without any
style, with the style's words, with the learnt token and with a random vector of the token's norm, and compared with
drawings in that style: how much of the way from "no style" and from "words" to the drawings does the token go?
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch

from bench.figure import Figure
from bench.pocket import classifiers
from moviellm.inversion.diffusers_denoising import Denoising, encode_pictures
from moviellm.inversion.diffusers_lesson import DiffusersLesson
from moviellm.inversion.lessons import StyleTask
from moviellm.inversion.pictures import mirrored
from moviellm.inversion.recipe import recipe_for
from moviellm.movie import Style
from moviellm.pipelines.diffusers_loading import load_pipeline
from moviellm.pipelines.diffusers_prompts import LearnedVectors, PromptEncoder, read_learned
from moviellm.pipelines.torch_measures import color_distance, gram_distance, neighbour_distance
from moviellm.pipelines.transformers_scorer import ClipScorer
from moviellm.pocket import GUIDANCE_RESCALE, GUIDANCE_SCALE, SIZE, STEPS
from moviellm.pocket.captions import canonical
from moviellm.pocket.dataset import scene_at
from moviellm.pocket.evaluation import labels, shares_right
from moviellm.pocket.scene import Scene, as_bytes, draw
from moviellm.pocket.torch_classifiers import guesses
from moviellm.pocket.vocabulary import HELD_OUT_LOOKS, HELD_OUT_STYLES, LOCATIONS, TIMES, Look

FRAMES = 48
REFERENCES = 10
BATCH = 8
_FRAME_SEED, _FLOOR_SEED = 77, 78
_GENERATE = "generate an image: "


@dataclass(frozen=True)
class Distances:
    """How far a set of frames is from drawings in the style, and neighbouring frames from each other."""

    color: float
    gram: float
    neighbours: float


def closed(start: float, reached: float, floor: float) -> float:
    """The share of the way from `start` to `floor` that is gone, 1 for all of it."""
    return (start - reached) / (start - floor)


class Studio:
    """The pocket pipeline, its scorer and the classifiers, on one thread."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.pipe: Any = load_pipeline("pocket", device="cpu")
        self.encoder = PromptEncoder(self.pipe)
        self.scorer = ClipScorer.open("pocket", device="cpu")
        self.scenes = [dataclasses.replace(scene_at(_FRAME_SEED, i), style="") for i in range(FRAMES)]
        self.told = [canonical(scene).removeprefix(_GENERATE) for scene in self.scenes]
        self.classifiers = classifiers()

    def learn(self, style: Style) -> LearnedVectors:
        """The style's vectors, learnt by the service's own lesson."""
        rng = Random(f"references of {style.keyword}")
        places = rng.sample(LOCATIONS, REFERENCES)
        look = HELD_OUT_LOOKS[style.keyword]
        drawn = [
            as_bytes(draw(Scene(p, rng.choice(TIMES), "clear", "wide shot", style=look, seed=rng.randrange(2**31))))
            for p in places
        ]
        both_ways = [turned for picture in drawn for turned in (picture, mirrored(picture))]
        lesson = DiffusersLesson(
            StyleTask(style, (), "bench", seed=1, captions=tuple(f"the {place.name}" for place in places)),
            recipe=recipe_for("pocket"),
            encoder=self.encoder,
            denoising=Denoising(self.pipe, SIZE),
            latents=encode_pictures(self.pipe, both_ways),
            fingerprint="",
        )
        while not lesson.done:
            lesson.advance()
        return read_learned(*lesson.finish().files.values())

    def paint(self, prompts: list[str], style: LearnedVectors | None) -> np.ndarray:
        """Pictures uint8 (N, 128, 128, 3) by the recommended recipe; picture i starts from the noise of seed i."""
        parts = []
        for at in range(0, len(prompts), BATCH):
            chosen = prompts[at : at + BATCH]
            told = self.encoder.encode(chosen, [style] * len(chosen))
            empty = self.encoder.encode([""] * len(chosen), [None] * len(chosen))
            parts.append(
                self.pipe(
                    prompt_embeds=told.prompt_embeds,
                    negative_prompt_embeds=empty.prompt_embeds,
                    num_inference_steps=STEPS,
                    guidance_scale=GUIDANCE_SCALE,
                    guidance_rescale=GUIDANCE_RESCALE,
                    generator=[torch.Generator().manual_seed(at + i) for i in range(len(chosen))],
                    output_type="np",
                ).images
            )
        return np.round(np.concatenate(parts) * 255).astype(np.uint8)

    def distances(self, pictures: np.ndarray, truth: np.ndarray) -> Distances:
        """Against drawings of the same frames in the style."""
        seen, right = self.scorer.see(list(pictures)), self.scorer.see(list(truth))
        return Distances(
            color_distance(pictures, truth),
            gram_distance(seen.layers, right.layers),
            neighbour_distance(seen.layers),
        )

    def recognised(self, pictures: np.ndarray) -> dict[str, float]:
        """Share of frames whose location and number of people are recognised."""
        shares = shares_right(guesses(self.classifiers, pictures), labels(self.scenes))
        return {name: shares[name] for name in ("location", "number of people")}

    def drawings(self, look: Look, seed: int | None = None) -> np.ndarray:
        """The frames as drawn in the look; with a seed, other scenes in that look: the floor."""
        scenes = self.scenes if seed is None else [scene_at(seed, i) for i in range(FRAMES)]
        return np.stack([as_bytes(draw(dataclasses.replace(scene, style=look))) for scene in scenes])


def measure() -> list[Figure]:
    """All figures, a round a style."""
    studio = Studio()
    rounds = list(_rounds(studio))
    return [
        _figure("style: gap from no style closed by the token, in colour", rounds, "none color", 0.85),
        _figure("style: gap from no style closed by the token, in texture", rounds, "none gram", 0.85),
        _figure("style: gap from the style's words closed by the token, in colour", rounds, "words color", 0.6),
        _figure("style: gap from the style's words closed by the token, in texture", rounds, "words gram", 0.6),
        _figure("style: neighbouring frames closer than with words", rounds, "neighbours", 0.2),
        _figure("style: recognition of the location lost by the token", rounds, "location", 0.05, at_least=False),
        _figure("style: recognition of people lost by the token", rounds, "number of people", 0.05, at_least=False),
        _figure("style: gap from no style closed by a random vector", rounds, "random", 0.2, at_least=False),
    ]


def _figure(what: str, rounds: list[dict[str, float]], name: str, goal: float, *, at_least: bool = True) -> Figure:
    values = tuple(one[name] for one in rounds)
    return Figure(what, f"{FRAMES} frames, {len(rounds)} held-out styles", values, bound=goal, at_least=at_least)


def _rounds(studio: Studio) -> Iterator[dict[str, float]]:
    plain = studio.paint([_GENERATE + told for told in studio.told], None)
    seen_plain = studio.recognised(plain)
    for taught in HELD_OUT_STYLES:
        style = Style(taught.keyword, taught.phrases, taught.adjectives)
        look = HELD_OUT_LOOKS[style.keyword]
        truth, other = studio.drawings(look), studio.drawings(look, _FLOOR_SEED)
        learnt = studio.learn(style)
        styled = [f"generate an image in {learnt.token} style: {told}" for told in studio.told]
        token = studio.paint(styled, learnt)
        words = studio.paint([f"{_GENERATE}{told}, {', '.join(style.phrases)}" for told in studio.told], None)
        random = studio.paint(styled, _random_like(learnt))
        far = {
            name: studio.distances(pictures, truth)
            for name, pictures in (("none", plain), ("words", words), ("token", token), ("random", random))
        }
        floor = studio.distances(other, truth)
        seen = studio.recognised(token)
        yield {
            "none color": closed(far["none"].color, far["token"].color, floor.color),
            "none gram": closed(far["none"].gram, far["token"].gram, floor.gram),
            "words color": closed(far["words"].color, far["token"].color, floor.color),
            "words gram": closed(far["words"].gram, far["token"].gram, floor.gram),
            "neighbours": 1 - far["token"].neighbours / far["words"].neighbours,
            "random": closed(far["none"].color, far["random"].color, floor.color),
            **{name: seen_plain[name] - seen[name] for name in seen},
        }


def _random_like(learnt: LearnedVectors) -> LearnedVectors:
    """A random vector of the same norm under the same token."""
    generator = torch.Generator().manual_seed(9)
    vectors = []
    for vector in learnt.vectors:
        noise = torch.randn(vector.shape, generator=generator)
        vectors.append(noise / noise.norm(dim=-1, keepdim=True) * vector.norm(dim=-1, keepdim=True))
    return LearnedVectors(learnt.token, tuple(vectors))
