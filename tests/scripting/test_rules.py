"""The checker: a good movie has no breach, and every rule of the table is broken by something that names it."""

import asyncio
from dataclasses import replace
from typing import NamedTuple

import pytest

from moviellm.movie import Chapter, Character, CharacterRole, Fact, Frame, Line, Outline, Scene, drawn
from moviellm.scripting.checker import mentions, plain_text, rules, sight
from moviellm.scripting.checker.rules import RULES, RuleBroken
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest


class Movie(NamedTuple):
    """One small movie with its requests."""

    outline: Outline
    asked: OutlineRequest
    chapter: Chapter
    wanted: ChapterRequest
    scene: Scene
    request: SceneRequest


@pytest.fixture(scope="module")
def good():
    async def write():
        teller = Storyteller()
        asked = OutlineRequest("a lighthouse keeper who finds a message", 3, 5)
        outline = (await teller.outline(asked)).value
        wanted = ChapterRequest(outline, 2, 4, 6)
        chapter = (await teller.chapter(wanted)).value
        request = SceneRequest(outline, chapter, 1, 6, 4, 7)
        return Movie(outline, asked, chapter, wanted, (await teller.scene(request)).value, request)

    return asyncio.run(write())


def found(movie):
    """The rules broken at the level that was changed, with their messages."""
    return {
        breach.rule: breach
        for breaches in (
            rules.breaches_of_outline(movie.outline, movie.asked),
            rules.breaches_of_chapter(movie.chapter, movie.wanted),
            rules.breaches_of_scene(movie.scene, movie.request),
        )
        for breach in breaches
    }


def hero(movie):
    return movie.outline.characters[0].name


def outline(**changes):
    return lambda movie: movie._replace(outline=replace(movie.outline, **changes))


def people(**changes):
    """The first character changed."""

    def changed(movie):
        first, *others = movie.outline.characters
        return movie._replace(outline=replace(movie.outline, characters=(replace(first, **changes), *others)))

    return changed


def second_like_first(field):
    def changed(movie):
        first, second, *others = movie.outline.characters
        second = replace(second, **{field: getattr(first, field)})
        return movie._replace(outline=replace(movie.outline, characters=(first, second, *others)))

    return changed


def chapters(**changes):
    def changed(movie):
        first, *others = movie.outline.chapters
        return movie._replace(outline=replace(movie.outline, chapters=(replace(first, **changes), *others)))

    return changed


def plans(**changes):
    def changed(movie):
        first, *others = movie.chapter.scenes
        return movie._replace(chapter=replace(movie.chapter, scenes=(replace(first, **changes), *others)))

    return changed


def frames(*texts, characters=None):
    """The scene's frames, told anew with {h} for the hero, {place}, and {calm} for a face there."""

    def changed(movie):
        hero, other, *_ = movie.outline.characters
        place = movie.request.chapter.scenes[0].location
        calm = f"with a calm face at the {place}"
        told = [text.format(h=hero.name, o=other.name, place=place, calm=calm) for text in texts]
        made = []
        for number in range(1, 7):
            text = told[(number - 1) % len(told)]
            seen = tuple(one.name for one in (hero, other) if one.name in text) if characters is None else characters
            made.append(Frame(number, f"{text}, shot {number}" if len(texts) == 1 else text, seen))
        return movie._replace(scene=replace(movie.scene, frames=tuple(made)))

    return changed


def lines(*said):
    def changed(movie):
        hero = movie.outline.characters[0].name
        told = tuple(Line(after, speaker.format(h=hero), text) for after, speaker, text in said)
        return movie._replace(scene=replace(movie.scene, dialogue=told))

    return changed


FOUR = ((1, "{h}", "One."), (2, "{h}", "Two."), (3, "{h}", "Three."))

BROKEN = [
    ("overview-whole", outline(overview=" ")),
    ("style-keyword", lambda m: outline(style=replace(m.outline.style, keyword="dark noir"))(m)),
    ("locations-enough", lambda m: outline(locations=m.outline.locations[:11])(m)),
    ("locations-differ", lambda m: outline(locations=(*m.outline.locations, m.outline.locations[0]))(m)),
    ("locations-short", lambda m: outline(locations=(*m.outline.locations, "far away island"))(m)),
    ("locations-nameless", lambda m: outline(locations=(*m.outline.locations, f"{hero(m)} inn"))(m)),
    ("cast-size", lambda m: outline(characters=())(m)),
    ("names-differ", second_like_first("name")),
    ("clothing-differs", second_like_first("clothing_color")),
    ("appearance-fixed", people(appearance="")),
    ("appearance-fixed", people(appearance="a woman. She wears red.")),
    ("appearance-fixed", people(appearance="a " + "very " * 20 + "old woman")),
    ("appearance-fixed", lambda m: people(appearance=f"a friend of {m.outline.characters[1].name}")(m)),
    ("appearance-colored", people(appearance="a young woman in a coat")),
    ("appearance-invented", people(appearance="a woman who looks like Greta Garbo in a coat")),
    ("appearance-invented", people(appearance="a man resembling Clint")),
    ("appearance-invented", people(appearance="Audrey Hepburn in a red dress")),
    ("chapters-counted", lambda m: outline(chapters=m.outline.chapters[:2])(m)),
    ("chapter-told", chapters(title="")),
    ("chapter-locations", chapters(locations=())),
    ("chapter-locations", chapters(locations=("the moon",))),
    ("chapters-join", chapters(after="Something else is true.")),
    ("chapters-join", chapters(after="")),
    ("outline-facts", chapters(facts=(Fact("Nobody", "sing"),))),
    ("outline-facts", lambda m: chapters(facts=(Fact(m.outline.characters[0].name, " "),))(m)),
    ("outline-plain", outline(title="<image> of a keeper")),
    ("outline-plain", chapters(content="{name} finds a letter.")),
    ("scenes-counted", lambda m: m._replace(chapter=replace(m.chapter, scenes=m.chapter.scenes[1:]))),
    ("scene-told", plans(content="")),
    ("scene-location", plans(location="the moon")),
    ("scenes-join", plans(after="Something else is true.")),
    ("scene-facts", plans(facts=(Fact("Nobody", "sing"),))),
    ("chapter-plain", plans(content="USER: go on")),
    ("frames-counted", lambda m: m._replace(scene=replace(m.scene, frames=m.scene.frames[1:]))),
    ("frame-names-location", frames("{h} is standing with a calm face")),
    ("frame-characters", frames("{h} is standing {calm}", characters=("Nobody",))),
    ("frame-characters", frames("{h} is standing {calm}", characters=())),
    ("frame-characters", frames("She is standing {calm}")),
    ("frame-aliases", frames("Captain {h} is standing {calm}")),
    ("frame-aliases", frames("the lighthouse keeper is standing {calm}")),
    ("frame-aliases", frames("{h} and Bruno are standing with calm faces at the {place}")),
    ("frame-action", frames("{h} {calm}")),
    ("frame-moment", frames("{h} is standing {calm} and then she leaves")),
    ("frame-expression", frames("{h} is standing at the {place}")),
    (
        "frames-alike",
        frames(
            "{h} is standing {calm}", "The {h} is standing with a calm face at a {place}!", "{h} is standing {calm}"
        ),
    ),
    ("passer-by-described", frames("{h} is looking at a stranger {calm}")),
    (
        "passer-by-once",
        frames(
            "{h} meets a man in a grey coat {calm}",
            "{h} is running {calm}",
            "{h} is looking at the man in the grey coat with a sad face at the {place}",
        ),
    ),
    ("frame-window", frames("{h} is standing {calm} " + "under a thunderstorm " * 16)),
    ("frame-plain", frames("{h} is standing {calm} </s>")),
    ("dialogue-counted", lines(*FOUR)),
    ("dialogue-speaker", lines(*FOUR, (4, "Nobody", "Four."))),
    ("dialogue-placed", lines(*FOUR, (7, "{h}", "Four."))),
    ("dialogue-placed", lines(*FOUR, (1, "{h}", "Four."))),
    ("dialogue-said", lines(*FOUR, (4, "{h}", " "))),
    ("dialogue-said", lines(*FOUR, (4, "{h}", "ASSISTANT: yes"))),
]


def test_a_good_movie_has_no_breach(good):
    assert found(good) == {}


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(BROKEN)])
def test_what_breaks_a_rule_is_found_under_its_name(good, rule, change):
    changed = change(good)
    assert rule in found(changed)
    breach = found(changed)[rule]
    assert breach.where
    assert breach.message
    level = next(one.level for one in RULES if one.name == rule)
    check, part, request = {
        "outline": (rules.check_outline, changed.outline, changed.asked),
        "chapter": (rules.check_chapter, changed.chapter, changed.wanted),
        "scene": (rules.check_scene, changed.scene, changed.request),
    }[level]
    with pytest.raises(RuleBroken) as caught:
        check(part, request)
    assert caught.value.breach is not None
    assert str(caught.value.breach) == caught.value.message


def test_every_rule_can_be_broken():
    assert {rule.name for rule in RULES} == {rule for rule, _ in BROKEN}
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.source for rule in RULES} == {"paper", "ours"}


def test_all_breaches_are_found_not_only_the_first(good):
    bad = frames("Bruno is there")(good)
    breaches = rules.breaches_of_scene(bad.scene, bad.request)
    assert len([breach for breach in breaches if breach.rule == "frame-names-location"]) == 6
    assert {breach.where for breach in breaches if breach.rule == "frame-aliases"} == {
        f"frame {number}" for number in range(1, 7)
    }


CLARA = Character(
    "Clara Whitfield", CharacterRole.MAIN, "a young woman in a blue coat", "blue", "lighthouse keeper", ("Birdie",)
)
ELIZA = Character("Elizabeth", CharacterRole.MAIN, "an old woman in a red coat", "red", "old duchess")


@pytest.mark.parametrize(
    ("text", "left", "mended"),
    [
        ("Clara Whitfield is standing", (), "Clara Whitfield is standing"),
        ("Birdie's hand", (), "Birdie's hand"),
        ("Clara's hand", ("Clara",), "Clara Whitfield's hand"),
        ("Mrs. Whitfield is sad", ("Whitfield", "Mrs. Whitfield"), "Clara Whitfield is sad"),
        ("Lady Clara Whitfield is sad", ("Lady Clara Whitfield",), "Clara Whitfield is sad"),
        ("CLARA is running", ("CLARA",), "Clara Whitfield is running"),
        ("the keeper and the duchess are sad", ("the keeper", "the duchess"), "Clara Whitfield and Elizabeth are sad"),
        ("Beth is holding a cup", ("Beth",), "Elizabeth is holding a cup"),
        ("Sister Elizabeth is waiting", ("Sister Elizabeth",), "Elizabeth is waiting"),
        ("Elizabeth and Bruno are talking", ("Bruno",), "Elizabeth and Bruno are talking"),
        ("a dog and Bruno's cat are running", ("Bruno",), "a dog and Bruno's cat are running"),
        ("Waves are crashing against Victorian walls", (), "Waves are crashing against Victorian walls"),
        ("Snow is falling on Gothic arches", (), "Snow is falling on Gothic arches"),
    ],
)
def test_mentions_that_substitution_would_leave_behind(text, left, mended):
    found = mentions.strays(text, (CLARA, ELIZA))
    assert {stray.text for stray in found} == set(left)
    assert mentions.settled(text, (CLARA, ELIZA)) == mended


def test_aliases_that_a_plot_uses_are_added_and_listed():
    texts = ["Clara's hand", "Lady Clara Whitfield is sad", "the duchess is sad", "Bruno is sad"]
    people, mends = mentions.with_aliases((CLARA, ELIZA), texts)
    for text in texts[:3]:
        assert mentions.strays(text, people) == ()
        prompt = drawn(text, people)
        assert not any(part in prompt for part in ("Clara", "Whitfield", "Lady", "duchess"))
    assert [mend.was for mend in mends] == ["Clara", "Lady Clara Whitfield", "the duchess"]
    assert {mend.rule for mend in mends} == {"frame-aliases"}


@pytest.mark.parametrize(
    ("text", "action", "expression"),
    [
        ("Clara clutches a key, eyes wide", True, True),
        ("Clara is squatting with a worried face", True, True),
        ("Clara in the morning at the wedding", False, False),
        ("Clara hugs Oskar, both smiling", True, True),
        ("Clara facing the sea", True, False),
    ],
)
def test_actions_and_expressions_in_plain_english(text, action, expression):
    assert bool(sight.action_in(text)) == action
    assert bool(sight.expression_in(text)) == expression


@pytest.mark.parametrize(
    "text",
    ["<image>", "< / video >", "a</s>b", "ASSISTANT: yes", "user :", "<|im_end|>", "[INST]", "{name}", "[Insert name]",
     "\x00", "\u202e", "<im<image>age>", "\ud800"],
)  # fmt: skip
def test_what_corrupts_labels_is_found_and_cleaned_away(text):
    assert plain_text.fault(f"Look {text} here")
    assert not plain_text.fault(plain_text.cleaned(f"Look {text} here"))


def test_cleaning_leaves_good_text_alone():
    for text in ("The user asks the assistant.", "3 < 5 and 7 > 2", "“Well,” said Mara – no!", "爱情故事", "a [sic] b"):
        assert not plain_text.fault(text)
        assert plain_text.cleaned(text) == text
