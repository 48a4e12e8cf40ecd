"""The paper's rules for a script and ours, as a table, checked by program: the published story breaks some of its own.

`breaches_of_outline`, `breaches_of_chapter` and `breaches_of_scene` give everything that is wrong with a part;
`check_outline`, `check_chapter` and `check_scene` raise RuleBroken for the first of it. Each message names the rule's
demand and the place, so that it can be told to a language model.
"""

from typing import Any

from moviellm.movie import Chapter, Outline, Scene
from moviellm.scripting.checker import rules_of_plans as plans
from moviellm.scripting.checker import rules_of_scenes as scenes
from moviellm.scripting.checker.breach import Breach, Rule, RuleBroken
from moviellm.scripting.checker.mentions import ALIAS_RULE
from moviellm.scripting.checker.rules_of_plans import MIN_LOCATIONS
from moviellm.scripting.checker.rules_of_scenes import MAX_ALIKE
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

__all__ = [
    "MAX_ALIKE", "MIN_LOCATIONS", "RULES", "Breach", "Rule", "RuleBroken", "breaches_of_chapter", "breaches_of_outline",
    "breaches_of_scene", "check_chapter", "check_outline", "check_scene",
]  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule("overview-whole", "outline", "An outline has a title and an overview.", "paper", plans.whole_overview),
    Rule("style-keyword", "outline", "The style's keyword is one word.", "paper", plans.style_keyword),
    Rule("locations-enough", "outline", "There are at least 12 locations.", "paper", plans.enough_locations),
    Rule("locations-differ", "outline", "No location is listed twice.", "ours", plans.different_locations),
    Rule("locations-short", "outline", "A location has one or two words.", "paper", plans.short_locations),
    Rule("locations-nameless", "outline", "No location carries a character's name.", "paper", plans.nameless_locations),
    Rule("cast-size", "outline", "One or two main characters, at most one supporting.", "paper", plans.cast_size),
    Rule("names-differ", "outline", "A name or alias means one character.", "ours", plans.different_names),
    Rule("clothing-differs", "outline", "Every character wears another color.", "paper", plans.different_colors),
    Rule("appearance-fixed", "outline",
         "An appearance is one noun phrase of at most 20 words, without names.", "paper", plans.fixed_appearance),
    Rule("appearance-colored", "outline", "An appearance names the clothing color.", "paper", plans.colored_appearance),
    Rule("appearance-invented", "outline",
         "An appearance is invented, never the likeness of somebody real.", "ours", plans.invented_appearance),
    Rule("chapters-counted", "outline", "There are as many chapters as asked for.", "paper", plans.numbered_chapters),
    Rule("chapter-told", "outline", "A chapter has a title and content.", "paper", plans.told_chapters),
    Rule("chapter-locations", "outline",
         "A chapter takes place at one to three of the outline's locations.", "paper", plans.chapter_locations),
    Rule("chapters-join", "outline",
         "What is true before a chapter is what is true after the one before it.", "ours", plans.joined_chapters),
    Rule("outline-facts", "outline",
         "A fact tells what a character does, at a location of the outline.", "ours", plans.outline_facts),
    Rule("outline-plain", "outline",
         "No text holds media or speaker marks, open placeholders or control characters.", "ours", plans.plain_outline),
    Rule("scenes-counted", "chapter", "There are as many scenes as asked for.", "paper", plans.numbered_scenes),
    Rule("scene-told", "chapter", "A scene has content.", "paper", plans.told_scenes),
    Rule("scene-location", "chapter", "A scene takes place at one of its chapter's locations.", "paper",
         plans.scene_location),
    Rule("scenes-join", "chapter",
         "What is true before a scene is what is true after the one before it.", "ours", plans.joined_scenes),
    Rule("scene-facts", "chapter",
         "A fact tells what a character does, at a location of the outline.", "ours", plans.scene_facts),
    Rule("chapter-plain", "chapter",
         "No text holds media or speaker marks, open placeholders or control characters.", "ours", plans.plain_chapter),
    Rule("frames-counted", "scene", "There are as many frames as asked for.", "paper", scenes.numbered_frames),
    Rule("frame-names-location", "scene", "A frame names the location of its scene.", "paper", scenes.named_location),
    Rule("frame-characters", "scene",
         "A frame shows at most two characters, names and lists them.", "paper", scenes.known_people),
    Rule(ALIAS_RULE, "scene",
         "Every mention of a character gives way to the appearance; nobody unknown is named.", "paper",
         scenes.substituted_aliases),
    Rule("frame-action", "scene", "Who is seen does something simple and drawable.", "paper", scenes.drawable_action),
    Rule("frame-moment", "scene", "A frame is one moment, not a sequence.", "paper", scenes.one_moment),
    Rule("frame-expression", "scene", "Who is seen has a facial expression.", "paper", scenes.named_expression),
    Rule("frames-alike", "scene", "At most two neighbouring frames are alike.", "paper", scenes.alike_neighbours),
    Rule("passer-by-described", "scene", "A passer-by is described in full.", "paper", scenes.described_passer_by),
    Rule("passer-by-once", "scene", "A passer-by appears once.", "paper", scenes.single_passer_by),
    Rule("frame-window", "scene",
         "The prompt with the appearances put in fits the text encoder's 77 tokens.", "ours", scenes.within_window),
    Rule("frame-plain", "scene",
         "No description holds media or speaker marks, open placeholders or control characters.", "ours",
         scenes.plain_frames),
    Rule("dialogue-counted", "scene", "There are as many lines as asked for.", "paper", scenes.dialogue_count),
    Rule("dialogue-speaker", "scene", "A line is spoken by a character seen in the scene.", "ours",
         scenes.present_speaker),
    Rule("dialogue-placed", "scene", "Lines follow existing frames, in order.", "paper", scenes.placed_lines),
    Rule("dialogue-said", "scene",
         "A line is not empty and holds nothing that corrupts labels.", "ours", scenes.said_lines),
)  # fmt: skip


def breaches_of_outline(outline: Outline, request: OutlineRequest) -> tuple[Breach, ...]:
    """Everything that is wrong with an outline, in the order of the table."""
    return _breaches("outline", outline, request)


def breaches_of_chapter(chapter: Chapter, request: ChapterRequest) -> tuple[Breach, ...]:
    """Everything that is wrong with a chapter, in the order of the table."""
    return _breaches("chapter", chapter, request)


def breaches_of_scene(scene: Scene, request: SceneRequest) -> tuple[Breach, ...]:
    """Everything that is wrong with a scene, in the order of the table."""
    return _breaches("scene", scene, request)


def check_outline(outline: Outline, request: OutlineRequest) -> None:
    """Raise RuleBroken for the first thing that is wrong with an outline."""
    _refuse(breaches_of_outline(outline, request))


def check_chapter(chapter: Chapter, request: ChapterRequest) -> None:
    """Raise RuleBroken for the first thing that is wrong with a chapter."""
    _refuse(breaches_of_chapter(chapter, request))


def check_scene(scene: Scene, request: SceneRequest) -> None:
    """Raise RuleBroken for the first thing that is wrong with a scene."""
    _refuse(breaches_of_scene(scene, request))


def _breaches(level: str, part: Any, request: Any) -> tuple[Breach, ...]:
    return tuple(
        Breach(rule.name, found.where, found.was, found.message)
        for rule in RULES
        if rule.level == level
        for found in rule.check(part, request)
    )


def _refuse(breaches: tuple[Breach, ...]) -> None:
    if breaches:
        raise RuleBroken(str(breaches[0]), breach=breaches[0])
