"""Questions about the characters: who they are, what they look like, when they are seen."""

import random
import re
from collections.abc import Iterator, Sequence

from moviellm.movie import Character, CharacterRole, FrameRange, Question, QuestionKind
from moviellm.qa import grammar
from moviellm.qa.facts.draft import Draft
from moviellm.qa.script import Script, Shown

_WHO_IS = ("Who is {name}?", "Who is {name} in this story?")
_WORK = ("Who is the {work}?", "Which character is the {work}?", "What is the name of the {work}?")
_WEAR = ("What does {name} wear?", "What is {name} wearing?", "How is {name} dressed?")
_LOOK = ("What does {name} look like?", "How can {name} be recognized?")
_HAIR = ("What color is {name}'s hair?", "Which hair color does {name} have?")
_WEARER = ("Who wears {clothes}?", "Which character wears {clothes}?")
_CLOTHES = re.compile(r"^(?P<person>.*)\bin (?P<clothes>(?:an?|the) [^,]*)$")
_HAIR_COLOR = re.compile(r"\b(?P<color>black|brown|blond|blonde|red|grey|gray|white|auburn|silver|dark|fair) hair\b")


def cast_questions(script: Script, rng: random.Random) -> Iterator[Draft]:
    """Who is who; the proof is the first chapter whose plan names the person, else the movie."""
    works = [character.occupation for character in script.outline.characters]
    for character in script.outline.characters:
        work = character.occupation.strip()
        if not work:
            continue
        proof = _introduction(script, character.name)
        part = "one of the main characters" if character.role is CharacterRole.MAIN else "a supporting character"
        if [other.role for other in script.outline.characters].count(CharacterRole.MAIN) == 1 and "one of" in part:
            part = "the main character"
        said = f"{character.name} is {grammar.with_article(work)}"
        wording = rng.choice(_WHO_IS).format(name=character.name)
        asked = _question(script, "identity", wording, f"{said}, {part}", proof, "movie")
        others = [grammar.sentence(f"{character.name} is {grammar.with_article(other)}") for other in works if other]
        yield Draft(asked, grammar.sentence(said), tuple(others))
        if works.count(character.occupation) == 1 and not re.match(r"(?i)(a|an|the)\b", work):
            wording = rng.choice(_WORK).format(work=grammar.lowered(work))
            yield Draft(
                _question(script, "occupation", wording, f"{said}", proof, "movie"), character.name, script.names
            )


def appearance_questions(script: Script, rng: random.Random) -> Iterator[Draft]:
    """What people look like; the proof is the first frame that shows them, alone where there is such a one."""
    cast = script.outline.characters
    for character in cast:
        frame = _best_view(script.shown, character.name)
        if frame is None:
            continue
        proof = FrameRange(frame.number, frame.number)
        for category, wording, answer, short, others in _looks(character, cast, rng):
            yield Draft(_question(script, category, wording, answer, proof, "movie"), short, tuple(others))


def presence_questions(script: Script, chapter: int, scene: int, rng: random.Random) -> Iterator[Draft]:
    """Who is seen in a scene, and who is not seen there alone."""
    name = script.scene_name(chapter, scene)
    seen = _seen(script.shown)
    if not seen:
        return
    wording = rng.choice((f"Who is seen in {name}?", f"Which characters appear in {name}?"))
    numbers = [shown.number for shown in script.shown if shown.frame.characters]
    verb = "is" if len(seen) == 1 else "are"
    answer = f"{grammar.listed(seen)} {verb} seen"
    proof = _shortest(script.shown, set(seen)) or FrameRange(numbers[0], numbers[-1])
    yield Draft(_question(script, "presence", wording, answer, proof, "scene"))


def _looks(
    character: Character, cast: Sequence[Character], rng: random.Random
) -> Iterator[tuple[str, str, str, str, list[str]]]:
    name, look = character.name, grammar.lowered(character.appearance.strip().rstrip("."))
    if not look:
        return
    if re.match(r"(a|an|the) ", look):
        yield "appearance", rng.choice(_LOOK).format(name=name), f"{name} is {look}", "", []
    worn = {other.name: clothes_of(other) for other in cast}
    if clothes := worn[name]:
        others = [grammar.sentence(f"{name} wears {other}") for other in worn.values() if other and other != clothes]
        said = grammar.sentence(f"{name} wears {clothes}")
        yield "clothing", rng.choice(_WEAR).format(name=name), said, said, others
        if list(worn.values()).count(clothes) == 1:
            names = [other.name for other in cast]
            yield "clothing", rng.choice(_WEARER).format(clothes=clothes), said, name, names
    if hair := _HAIR_COLOR.search(look):
        yield "appearance", rng.choice(_HAIR).format(name=name), f"{name} has {hair['color']} hair", "", []


def clothes_of(character: Character) -> str:
    """What the character wears, "a green dress"; empty where the appearance does not say it in that form."""
    look = grammar.lowered(character.appearance.strip().rstrip("."))
    found = _CLOTHES.match(look)
    return found["clothes"].strip() if found and character.clothing_color.lower() in found["clothes"].lower() else ""


def _question(script: Script, category: str, question: str, answer: str, proof: FrameRange, level: str) -> Question:
    return Question(
        QuestionKind.CHARACTER,
        category,
        question,
        grammar.sentence(answer),
        proof,
        level,
        difficulty=script.difficulty(proof),
    )


def _introduction(script: Script, name: str) -> FrameRange:
    for chapter in sorted(script.outline.chapters, key=lambda chapter: chapter.number):
        character = script.outline.character(name)
        known = name in chapter.content and character.occupation.lower() in chapter.content.lower()
        if known and chapter.number <= script.shape.chapters:
            return script.shape.chapter_range(chapter.number)
    return script.shape.movie_range()


def _seen(frames: Sequence[Shown]) -> list[str]:
    return list(dict.fromkeys(name for shown in frames for name in shown.frame.characters))


def _best_view(frames: Sequence[Shown], name: str) -> Shown | None:
    views = [shown for shown in frames if name in shown.frame.characters]
    return next((shown for shown in views if shown.frame.characters == (name,)), views[0] if views else None)


def _shortest(frames: Sequence[Shown], wanted: set[str]) -> FrameRange | None:
    """The shortest run of frames in which all of them are seen; the earliest one of equals."""
    best: FrameRange | None = None
    for start, first in enumerate(frames):
        missing = set(wanted)
        for shown in frames[start:]:
            missing -= set(shown.frame.characters)
            if not missing:
                found = FrameRange(first.number, shown.number)
                if best is None or found.last - found.first < best.last - best.first:
                    best = found
                break
    return best
