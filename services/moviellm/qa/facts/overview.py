"""Overview questions: what the movie is about, who wants what, what stands in the way, how it ends."""

import random
import re
from collections.abc import Iterator, Sequence

from moviellm.movie import CharacterRole, Fact, FrameRange, Outline, Question, QuestionKind
from moviellm.qa import grammar, lexicon
from moviellm.qa.asking import tells
from moviellm.qa.facts.draft import Draft, outside
from moviellm.qa.script import Script, brief

_ABOUT = ("What is the movie about?", "What is this movie about?", "What story does the movie tell?")
_WHO = ("Who are the main characters of the movie?", "Who is the story about?", "Whose story does the movie tell?")
_WHO_ALONE = ("Who is the main character of the movie?", "Who is the story about?", "Whose story does the movie tell?")
_PLACES = ("Where does the story take place?", "In which places is the movie set?", "Where is the movie set?")
_BEGIN = ("How does the movie begin?", "How does the story begin?", "What happens at the beginning of the movie?")
_END = ("How does the movie end?", "How does the story end?", "What happens at the end of the movie?")
_WANT = ("What {do} {who} want?", "What is it that {who} {want}?", "What {do} {who} try to achieve in this story?")
_WHY = ("Why {asked}?", "For what reason {asked}?", "What is the reason that {clause}?")
_HOW = ("How {asked}?", "In what way {asked}?", "By what means {asked}?")
_LEARN = (
    "What {do} {who} learn?",
    "What {do} {who} learn in the course of the story?",
    "What is it that {who} {learn}?",
)
_OBSTACLE = ("What stands in {whose} way?", "What makes it hard for {who} to succeed?", "What is {whose} problem?")
_MOST_PLACES = 5
_MOST_WORDS_OF_CHOICE = 30
_MOST_WORDS = 60
_WISH = re.compile(r"\b(wants?|wish(es)?|hopes?|must|decides?|dreams?|looks? for|sets? out)\b", re.IGNORECASE)
_CLOSE = re.compile(r"\b(in the end|finally|at last|turns out)\b", re.IGNORECASE)
_BUT = re.compile(r"\b(but|however|yet|stands? in the way|although|unless|until)\b", re.IGNORECASE)


def overview_questions(script: Script, rng: random.Random) -> Iterator[Draft]:
    """All questions that the outline answers about the movie as a whole; wordings are chosen by `rng`."""
    outline, shape = script.outline, script.shape
    everything = shape.movie_range()
    for category, wordings, answer, evidence, others in (
        ("what", _ABOUT, gist(outline.overview), everything, ()),
        ("who", _WHO if _mains(outline) > 1 else _WHO_ALONE, _cast(outline), everything, ()),
        ("where", _PLACES, _places(outline), everything, ()),
        ("how", _BEGIN, _content(outline, 1), shape.chapter_range(1), _contents(outline, 1)),
        (
            "how",
            _END,
            _content(outline, shape.chapters, end=True),
            shape.chapter_range(shape.chapters),
            _contents(outline, shape.chapters),
        ),
    ):
        wording = rng.choice(wordings)
        if answer.strip() and not (wording in (*_BEGIN, *_END) and shape.chapters == 1):
            few = len(answer.split()) <= _MOST_WORDS_OF_CHOICE
            asked = _question(script, category, wording, answer, evidence)
            yield Draft(asked, grammar.sentence(answer), others if few else ())
    yield from _told_by_verb(script, lexicon.DESIRES, _WANT, rng)
    yield from _told_by_verb(script, lexicon.LESSONS, _LEARN, rng)
    yield from _obstacle(script, rng)
    told = {(fact.who, fact.deed) for chapter in outline.chapters for fact in chapter.facts}
    for fact in outline.facts:
        if (fact.who, fact.deed) not in told:  # else its chapter asks, with the better proof
            yield from _why_and_how(script, fact, rng)


def gist(overview: str) -> str:
    """The overview in at most 60 words: who wants what, what stands in the way, how it ends, then what leads there."""
    sentences = re.split(r"(?<=[.!?])\s+", overview.strip())
    signs = ((1, _BUT), (2, _CLOSE), (0, _WISH))
    ranks = {
        index: next((rank for rank, sign in signs if sign.search(sentence)), 3)
        for index, sentence in enumerate(sentences)
    }
    firsts = [next((i for i in ranks if ranks[i] == rank), -1) for rank in range(3)]
    kept: set[int] = set()
    for index in dict.fromkeys((*firsts, *ranks)):
        if index >= 0 and sum(len(sentences[i].split()) for i in (*kept, index)) <= _MOST_WORDS:
            kept.add(index)
    told = " ".join(sentences[index] for index in sorted(kept))
    return re.sub(r"^(But|However|Yet|From that day on),? ", "", told)


def _mains(outline: Outline) -> int:
    return [character.role for character in outline.characters].count(CharacterRole.MAIN)


def _question(script: Script, category: str, question: str, answer: str, evidence: FrameRange) -> Question:
    return Question(
        QuestionKind.OVERVIEW,
        category,
        grammar.sentence(question),
        grammar.sentence(answer),
        evidence=evidence,
        level="movie",
        difficulty=script.difficulty(evidence),
    )


def _cast(outline: Outline) -> str:
    people = [
        f"{character.name}, {grammar.with_article(character.occupation)}" if character.occupation else character.name
        for character in outline.characters
        if character.role is CharacterRole.MAIN
    ]
    if not people:
        return ""
    verb = "characters are" if len(people) > 1 else "character is"
    described = any("," in person for person in people)
    return f"The main {verb} {', and '.join(people) if described else grammar.listed(people)}"


def _places(outline: Outline) -> str:
    """Where the chapters happen; nothing for a long list, which nobody wants to hear."""
    places = list(dict.fromkeys(place for chapter in outline.chapters for place in chapter.locations))
    phrases = [grammar.place_phrase(place) for place in places or outline.locations]
    return f"The story takes place {grammar.listed(phrases)}" if 0 < len(phrases) <= _MOST_PLACES else ""


def _content(outline: Outline, number: int, *, end: bool = False) -> str:
    return next((brief(chapter.content, end=end) for chapter in outline.chapters if chapter.number == number), "")


def _contents(outline: Outline, without: int) -> tuple[str, ...]:
    return tuple(grammar.sentence(brief(chapter.content)) for chapter in outline.chapters if chapter.number != without)


def _told_by_verb(
    script: Script, verbs: frozenset[str], wordings: Sequence[str], rng: random.Random
) -> Iterator[Draft]:
    """What somebody wants or learns: one question a person, with all that the facts say of it."""
    told: dict[str, list[str]] = {}
    for fact in script.outline.facts:
        if grammar.main_verb(fact.deed) in verbs:
            told.setdefault(fact.who, []).append(grammar.predicate(fact.who, fact.deed))
    for who, predicates in told.items():
        ending = "" if grammar.is_plural(who) else "s"
        words = {"want": f"want{ending}", "learn": f"learn{ending}", "do": "does" if ending else "do"}
        wording = rng.choice(wordings).format(who=grammar.subject(who), **words)
        answer = f"{grammar.subject(who)} {grammar.listed(predicates)}"
        yield Draft(_question(script, "what", wording, answer, script.shape.movie_range()))


def _obstacle(script: Script, rng: random.Random) -> Iterator[Draft]:
    outline = script.outline
    hero = next((character.name for character in outline.characters if character.role is CharacterRole.MAIN), "")
    sentences = re.split(r"(?<=[.!?])\s+", outline.overview.strip())
    told = next((text for text in sentences if _BUT.search(text)), "")
    wording = rng.choice(_OBSTACLE)
    if hero and told:
        answer = re.sub(r"^(But|However|Yet),? ", "", told)
        whose = wording.format(who=hero, whose=f"{hero}'s")
        yield Draft(_question(script, "what", whose, answer, script.shape.movie_range()))


def _why_and_how(script: Script, fact: Fact, rng: random.Random) -> Iterator[Draft]:
    clause = grammar.clause(fact.who, fact.deed)
    for category, wordings, part, phrase in (
        ("why", _WHY, "reason", grammar.reason_phrase),
        ("how", _HOW, "means", grammar.means_phrase),
    ):
        secret = getattr(fact, part)
        wording = rng.choice(wordings).format(asked=grammar.inverted(fact.who, fact.deed), clause=clause)
        if phrase(secret) and grammar.main_verb(fact.deed) and not tells(wording, secret):
            answer = grammar.extended(clause, phrase(secret))
            short = grammar.sentence(phrase(secret))
            others = [grammar.sentence(phrase(getattr(told.fact, part))) for told in script.told]
            asked = _question(script, category, wording, answer, script.shape.movie_range())
            yield Draft(asked, short, outside(others, [short, wording]))
