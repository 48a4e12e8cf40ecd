"""Style immobilization on styles that the pocket model has never seen, by picture or by name.

Each style is learnt from ten drawn references. The same frames, from the same seeds, are then rendered without any
style, with the style's words, with the learnt token and with a random vector of the token's norm, and compared with
drawings in that style: how much of the way from "no style" and from "words" to the drawings does the token go?

No prompt can take the model beyond its autoencoder. So every way is measured twice: to the drawings themselves, and to
the drawings as the autoencoder shows them; and the ways that the style's words go, which are vague as all words for
looks, and that a taught style goes by its keyword, stand beside the token's.
"""

import dataclasses
import functools
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch

from bench.figure import Figure
from moviellm.inversion.diffusers_denoising import encode_pictures
from moviellm.inversion.diffusers_teacher import DiffusersTeacher
from moviellm.inversion.lessons import Lesson, StyleTask
from moviellm.inversion.recipe import Recipe, recipe_for
from moviellm.movie import Style
from moviellm.pipelines.diffusers_loading import load_pipeline
from moviellm.pipelines.diffusers_prompts import LearnedVectors, PromptEncoder, read_learned
from moviellm.pipelines.torch_measures import color_distance, gram_distance, neighbour_distance
from moviellm.pipelines.transformers_scorer import ClipScorer
from moviellm.pocket import GUIDANCE_RESCALE, GUIDANCE_SCALE, STEPS
from moviellm.pocket.captions import canonical
from moviellm.pocket.dataset import scene_at
from moviellm.pocket.evaluation import labels, shares_right
from moviellm.pocket.look_space import HELD_OUT_LOOKS, Look
from moviellm.pocket.scene import Scene, as_bytes, draw
from moviellm.pocket.torch_classifiers import guesses, load_classifiers
from moviellm.pocket.vocabulary import HELD_OUT_STYLES, LOCATIONS, TIMES
from moviellm.pocket.vocabulary import Style as TaughtStyle

FRAMES = 48
REFERENCES = 10
BATCH = 8
TAUGHT = ("gothic", "vintage", "fairytale")
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
        self.classifiers = load_classifiers()

    @functools.cached_property
    def plain(self) -> np.ndarray:
        """The frames without any style."""
        return self.paint([_GENERATE + told for told in self.told], None)

    def lesson(self, style: Style, recipe: Recipe | None = None) -> Lesson:
        """The service's own lesson, begun; by another recipe if there is one."""
        drawn, captions = self.references(style)
        task = StyleTask(style, (), "bench", seed=1, vectors=0, captions=captions)
        teacher = DiffusersTeacher(self.pipe, recipe or recipe_for("pocket"), model="pocket")
        return teacher.begin(task, drawn, "", None)

    def references(self, style: Style) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
        """Ten drawings of places in the style, nobody in them, and what they show."""
        rng = Random(f"references of {style.keyword}")
        places = rng.sample(LOCATIONS, REFERENCES)
        look = HELD_OUT_LOOKS[style.keyword]
        drawn = tuple(
            as_bytes(draw(Scene(p, rng.choice(TIMES), "clear", "wide shot", style=look, seed=rng.randrange(2**31))))
            for p in places
        )
        return drawn, tuple(f"the {place.name}" for place in places)

    def learn(self, style: Style) -> LearnedVectors:
        """The style's vectors, learnt by the service's own lesson."""
        lesson = self.lesson(style)
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

    def shown(self, pictures: np.ndarray) -> np.ndarray:
        """The pictures as the model's autoencoder shows them: the best that it can draw."""
        latents = encode_pictures(self.pipe, list(pictures)) / self.pipe.vae.config.scaling_factor
        with torch.no_grad():
            parts = [self.pipe.vae.decode(part).sample for part in latents.split(BATCH)]
        return ((torch.cat(parts).clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()

    def drawings(self, look: Look | str, seed: int | None = None) -> np.ndarray:
        """The frames as drawn in the look; with a seed, other scenes in that look: the floor."""
        scenes = self.scenes if seed is None else [scene_at(seed, i) for i in range(FRAMES)]
        return np.stack([as_bytes(draw(dataclasses.replace(scene, style=look))) for scene in scenes])


def measure() -> list[Figure]:
    """All figures, a round a style."""
    studio = Studio()
    rounds = [_round(studio, style) for style in HELD_OUT_STYLES]
    taught = [_taught(studio, keyword) for keyword in TAUGHT]
    return [*_ways(rounds, taught), *_costs(rounds)]


def _ways(rounds: list[dict[str, float]], taught: list[dict[str, float]]) -> list[Figure]:
    figures = []
    for kind, name in (("in colour", "color"), ("in texture", "gram")):
        real, best = f"{kind}, to real drawings", f"{kind}, to drawings as the autoencoder shows them"
        figures += [
            _figure(f"style: gap from no style closed by the token {real}", rounds, f"none {name}", 0.85),
            _figure(f"   by the style's words {real}", rounds, f"words alone {name}", None),
            _figure(f"   by the autoencoder alone {real}", rounds, f"shown {name}", None),
            _figure(f"style: gap from no style closed by the token {best}", rounds, f"best none {name}", 0.85),
            _figure(f"   by the style's words {best}", rounds, f"best words alone {name}", None),
            _figure(f"   by a taught style's keyword {best}", taught, name, None),
            _figure(f"style: gap from the words closed by the token {real}", rounds, f"words {name}", 0.6),
            _figure(f"style: gap from the words closed by the token {best}", rounds, f"best words {name}", 0.6),
        ]
    return figures


def _costs(rounds: list[dict[str, float]]) -> list[Figure]:
    return [
        _figure("style: neighbouring frames closer than with words", rounds, "neighbours", 0.2),
        _figure("   than with the keyword alone", rounds, "neighbours of keyword", 0.2),
        _figure("   real drawings closer than frames with words", rounds, "neighbours of drawings", None),
        _figure("style: recognition of the location lost by the token", rounds, "location", 0.05, at_least=False),
        _figure("   lost by real drawings in the style", rounds, "location of drawings", None),
        _figure("style: recognition of people lost by the token", rounds, "number of people", 0.05, at_least=False),
        _figure("   lost by real drawings in the style", rounds, "number of people of drawings", None),
        _figure("style: gap from no style closed by a random vector", rounds, "random", 0.2, at_least=False),
    ]


def _figure(
    what: str, rounds: list[dict[str, float]], name: str, goal: float | None, *, at_least: bool = True
) -> Figure:
    values = tuple(one[name] for one in rounds)
    return Figure(what, f"{FRAMES} frames, {len(rounds)} styles", values, bound=goal, at_least=at_least)


def _round(studio: Studio, taught: TaughtStyle) -> dict[str, float]:
    style = Style(taught.keyword, taught.phrases, taught.adjectives)
    look = HELD_OUT_LOOKS[style.keyword]
    truth, other = studio.drawings(look), studio.drawings(look, _FLOOR_SEED)
    shown = studio.shown(truth)
    learnt = studio.learn(style)
    styled = [f"generate an image in {learnt.token} style: {told}" for told in studio.told]
    painted = {
        "none": studio.plain,
        "token": studio.paint(styled, learnt),
        "words": studio.paint([f"{_GENERATE}{told}, {', '.join(style.phrases)}" for told in studio.told], None),
        "keyword": studio.paint([prompt.replace(learnt.token, style.keyword) for prompt in styled], None),
        "random": studio.paint(styled, _random_like(learnt)),
        "shown": shown,
    }
    far = {name: studio.distances(pictures, truth) for name, pictures in painted.items()}
    near = {name: studio.distances(pictures, shown) for name, pictures in painted.items()}
    floor, best_floor = studio.distances(other, truth), studio.distances(studio.shown(other), shown)
    seen_plain = studio.recognised(studio.plain)
    lost = _lost(seen_plain, studio.recognised(painted["token"]))
    drawn = _lost(seen_plain, studio.recognised(truth))
    return {
        **_shares("none", far["none"], far["token"], floor),
        **_shares("words", far["words"], far["token"], floor),
        **_shares("words alone", far["none"], far["words"], floor),
        **_shares("shown", far["none"], far["shown"], floor),
        **_shares("best none", near["none"], near["token"], best_floor),
        **_shares("best words", near["words"], near["token"], best_floor),
        **_shares("best words alone", near["none"], near["words"], best_floor),
        "neighbours": 1 - far["token"].neighbours / far["words"].neighbours,
        "neighbours of keyword": 1 - far["token"].neighbours / far["keyword"].neighbours,
        "neighbours of drawings": 1 - studio.distances(truth, truth).neighbours / far["words"].neighbours,
        "random": closed(far["none"].color, far["random"].color, floor.color),
        **lost,
        **{f"{name} of drawings": share for name, share in drawn.items()},
    }


def _shares(name: str, start: Distances, reached: Distances, floor: Distances) -> dict[str, float]:
    return {
        f"{name} color": closed(start.color, reached.color, floor.color),
        f"{name} gram": closed(start.gram, reached.gram, floor.gram),
    }


def _lost(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: before[name] - after[name] for name in after}


def _taught(studio: Studio, keyword: str) -> dict[str, float]:
    """How far a style that the model was taught goes by its keyword, to drawings as the autoencoder shows them."""
    shown, other = (studio.shown(studio.drawings(keyword, seed)) for seed in (None, _FLOOR_SEED))
    told = studio.paint([f"generate an image in {keyword} style: {one}" for one in studio.told], None)
    start, reached, floor = (studio.distances(pictures, shown) for pictures in (studio.plain, told, other))
    return {
        "color": closed(start.color, reached.color, floor.color),
        "gram": closed(start.gram, reached.gram, floor.gram),
    }


def _random_like(learnt: LearnedVectors) -> LearnedVectors:
    """A random vector of the same norm under the same token."""
    generator = torch.Generator().manual_seed(9)
    vectors = []
    for vector in learnt.vectors:
        noise = torch.randn(vector.shape, generator=generator)
        vectors.append(noise / noise.norm(dim=-1, keepdim=True) * vector.norm(dim=-1, keepdim=True))
    return LearnedVectors(learnt.token, tuple(vectors))
