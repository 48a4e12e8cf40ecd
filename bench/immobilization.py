"""Style immobilization on styles that the pocket model has never seen, by picture or by name.

Each style is learnt from ten drawn references. The same frames, from the same seeds, are then rendered without any
style, with the style's words, with the learnt token and with a random vector of the token's norm, and their distances
to the references are measured. The floor is how far real drawings of these frames in that style are from the
references: how much of the gap between "no style", or "words", and the floor does the token close?

References show places and nobody, frames mostly people, so the floor is far from zero. Beside it stand the gaps to the
drawings of the very same frames, which is more to ask: no prompt can take the model beyond its autoencoder, so what the
autoencoder alone loses on these drawings is measured too; and what a taught style's keyword closes.
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

FRAMES = 96
REFERENCES = 10
BATCH = 8
TAUGHT = ("gothic", "vintage", "fairytale")
_FRAME_SEED, _FLOOR_SEED = 77, 78
_GENERATE = "generate an image: "


@dataclass(frozen=True)
class Distances:
    """How far a set of frames is from pictures in the style, and neighbouring frames from each other."""

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
        drawn, captions = self.references(style.keyword)
        task = StyleTask(style, (), "bench", seed=1, vectors=0, captions=captions)
        teacher = DiffusersTeacher(self.pipe, recipe or recipe_for("pocket"), model="pocket")
        return teacher.begin(task, drawn, "", None)

    def references(self, keyword: str) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
        """Ten drawings of places in a held-out or taught style, nobody in them, and what they show."""
        rng = Random(f"references of {keyword}")
        places = rng.sample(LOCATIONS, REFERENCES)
        look = HELD_OUT_LOOKS.get(keyword, keyword)
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
        """Of some pictures to others, as sets: places and people may differ."""
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
    return [*_gaps(rounds, taught), *_costs(rounds)]


def _gaps(rounds: list[dict[str, float]], taught: list[dict[str, float]]) -> list[Figure]:
    figures = []
    for kind, name in (("in colour", "color"), ("in texture", "gram")):
        floor, same = f"{kind}, to the references", f"{kind}, to drawings of the same frames"
        figures += [
            _figure(f"style: gap from no style closed by the token {floor}", rounds, f"token {name}", 0.85),
            _figure(f"   by the style's words {floor}", rounds, f"words {name}", None),
            _figure(f"   by a taught style's keyword {floor}", taught, f"keyword {name}", None),
            _figure(f"style: gap from the words closed by the token {floor}", rounds, f"words to token {name}", 0.6),
            _figure(f"style: gap from no style closed by the token {same}", rounds, f"same token {name}", None),
            _figure(f"   by the style's words {same}", rounds, f"same words {name}", None),
            _figure(f"   by the autoencoder alone {same}", rounds, f"same shown {name}", None),
            _figure(f"   by a taught style's keyword {same}", taught, f"same keyword {name}", None),
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
    truth = studio.drawings(look)
    learnt = studio.learn(style)
    styled = [f"generate an image in {learnt.token} style: {told}" for told in studio.told]
    painted = {
        "none": studio.plain,
        "token": studio.paint(styled, learnt),
        "words": studio.paint([f"{_GENERATE}{told}, {', '.join(style.phrases)}" for told in studio.told], None),
        "keyword": studio.paint([prompt.replace(learnt.token, style.keyword) for prompt in styled], None),
        "random": studio.paint(styled, _random_like(learnt)),
        "shown": studio.shown(truth),
        "drawn": truth,
    }
    references = np.stack(studio.references(style.keyword)[0])
    far = {name: studio.distances(pictures, references) for name, pictures in painted.items()}
    same = {name: studio.distances(pictures, truth) for name, pictures in painted.items()}
    other = studio.distances(studio.drawings(look, _FLOOR_SEED), truth)
    seen_plain = studio.recognised(studio.plain)
    drawn = _lost(seen_plain, studio.recognised(truth))
    words = far["words"].neighbours
    return {
        **_shares("token", far["none"], far["token"], far["drawn"]),
        **_shares("words", far["none"], far["words"], far["drawn"]),
        **_shares("words to token", far["words"], far["token"], far["drawn"]),
        **_shares("same token", same["none"], same["token"], other),
        **_shares("same words", same["none"], same["words"], other),
        **_shares("same shown", same["none"], same["shown"], other),
        "neighbours": 1 - far["token"].neighbours / words,
        "neighbours of keyword": 1 - far["token"].neighbours / far["keyword"].neighbours,
        "neighbours of drawings": 1 - far["drawn"].neighbours / words,
        "random": closed(far["none"].color, far["random"].color, far["drawn"].color),
        **_lost(seen_plain, studio.recognised(painted["token"])),
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
    """How far a style that the model was taught goes by its keyword."""
    truth, other = studio.drawings(keyword), studio.drawings(keyword, _FLOOR_SEED)
    references = np.stack(studio.references(keyword)[0])
    told = studio.paint([f"generate an image in {keyword} style: {one}" for one in studio.told], None)
    start, reached, floor = (studio.distances(pictures, references) for pictures in (studio.plain, told, truth))
    same = [studio.distances(pictures, truth) for pictures in (studio.plain, told, other)]
    return {**_shares("keyword", start, reached, floor), **_shares("same keyword", *same)}


def _random_like(learnt: LearnedVectors) -> LearnedVectors:
    """A random vector of the same norm under the same token."""
    generator = torch.Generator().manual_seed(9)
    vectors = []
    for vector in learnt.vectors:
        noise = torch.randn(vector.shape, generator=generator)
        vectors.append(noise / noise.norm(dim=-1, keepdim=True) * vector.norm(dim=-1, keepdim=True))
    return LearnedVectors(learnt.token, tuple(vectors))
