"""The paper's ablation, in its own terms: CLIP-Score and a perceptual distance between neighbouring frames.

Three movies from one theme, drawn from the same seeds in each held-out style: as moviellm makes them; without style
immobilization, where the prompt says the style's keyword and no more; and without story expansion, where every frame
is told from the theme alone, as the first frame of a movie of its own. The numbers are of the embedded scorer: the
paper's movies were drawn by SDXL and looked at by another CLIP and by LPIPS, so that not the numbers can be compared,
but the order of the three. The paper has .8304, .7175, .6902 (more is better) and .5316, .7265, .5574 (less is better).
"""

import asyncio

from bench.figure import Figure
from bench.immobilization import Studio
from moviellm.dataset import PictureMeasures, derived_seed
from moviellm.movie import Outline, Style, frame_prompt
from moviellm.pipelines.diffusers_prompts import LearnedVectors
from moviellm.pipelines.torch_survey import Survey
from moviellm.pocket.vocabulary import HELD_OUT_STYLES
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

THEME = "a lighthouse keeper who finds a message"
FRAMES = 24
SCENES = 4
_PLACE = "<style>"


def measure() -> list[Figure]:
    """A round a style; the details hold the CLIP-Scores of frames with their texts."""
    studio = Studio()
    expanded, flat = asyncio.run(_expanded()), asyncio.run(_flat())
    both, without_style, without_story = [], [], []
    for taught in HELD_OUT_STYLES:
        learnt = studio.learn(Style(taught.keyword, taught.phrases, taught.adjectives))
        both.append(_seen(studio, expanded, learnt.token, learnt))
        without_style.append(_seen(studio, expanded, taught.keyword, None))
        without_story.append(_seen(studio, flat, learnt.token, learnt))
    return [
        figure
        for what, rounds, score, distance in (
            ("both", both, 0.8304, 0.5316),
            ("without style immobilization", without_style, 0.7175, 0.7265),
            ("without story expansion", without_story, 0.6902, 0.5574),
        )
        for figure in _figures(what, rounds, score, distance)
    ] + _gains(both, without_style, without_story)


def _figures(what: str, rounds: list[PictureMeasures], score: float, distance: float) -> list[Figure]:
    return [
        Figure(
            f"ablation, {what}: CLIP-Score of neighbours",
            f"the paper's: {score}",
            tuple(one.neighbour_score for one in rounds),
            details={"with their texts": [one.text_score for one in rounds]},
        ),
        Figure(
            f"ablation, {what}: distance of neighbours",
            f"the paper's LPIPS: {distance}",
            tuple(one.neighbour_distance for one in rounds),
        ),
    ]


def _gains(both: list[PictureMeasures], *less: list[PictureMeasures]) -> list[Figure]:
    figures = []
    for what, rounds in zip(("style immobilization", "story expansion"), less, strict=True):
        pairs = list(zip(both, rounds, strict=True))
        scores = tuple(whole.neighbour_score - part.neighbour_score for whole, part in pairs)
        closer = tuple(1 - whole.neighbour_distance / part.neighbour_distance for whole, part in pairs)
        figures += [
            Figure(f"ablation: CLIP-Score gained by {what}", "without it", scores, bound=0.0),
            Figure(f"ablation: neighbours closer by {what}", "without it", closer, bound=0.0),
        ]
    return figures


def _seen(studio: Studio, prompts: list[str], name: str, learnt: LearnedVectors | None) -> PictureMeasures:
    said = [prompt.replace(_PLACE, name) for prompt in prompts]
    survey = Survey(studio.scorer)
    survey.add(list(studio.paint(said, learnt)), [prompt.partition(": ")[2] for prompt in prompts])
    return survey.measures()


async def _expanded() -> list[str]:
    """Prompts of a movie's first frames: outline, chapter, scenes, frames."""
    teller = Storyteller()
    outline = (await teller.outline(OutlineRequest(THEME, 1, 1))).value
    return await _frames(teller, outline, SCENES, FRAMES // SCENES, 1)


async def _flat() -> list[str]:
    """Prompts of as many frames, each told from the theme alone."""
    teller, prompts = Storyteller(), []
    for number in range(FRAMES):
        seed = derived_seed(1, number)
        outline = (await teller.outline(OutlineRequest(THEME, 1, seed))).value
        prompts += await _frames(teller, outline, 1, 1, seed)
    return prompts


async def _frames(teller: Storyteller, outline: Outline, scenes: int, frames: int, seed: int) -> list[str]:
    chapter = (await teller.chapter(ChapterRequest(outline, 1, scenes, derived_seed(seed, 1)))).value
    prompts = []
    for place in range(1, scenes + 1):
        request = SceneRequest(outline, chapter, place, frames, 0, derived_seed(seed, 1, place))
        scene = (await teller.scene(request)).value
        prompts += [frame_prompt(frame.description, outline.characters, _PLACE) for frame in scene.frames]
    return prompts
