"""A dataset as people see it: drawn pictures, a story with dialogue, questions of every kind, figures of quality.

Pictures come from the drawer that teaches the pocket model, so a page of them looks as a page of a real dataset does.
"""

import asyncio
import io
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from PIL import Image

from moviellm.artifacts import DatasetKeys, digest
from moviellm.dataset import (
    Attempt,
    Mends,
    MovieDatasetSpec,
    MovieQuality,
    MovieStyle,
    PictureMeasures,
    Provenance,
    Questions,
    RenderedFrame,
    RenderedScene,
)
from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Difficulty,
    Dropped,
    Frame,
    FrameRange,
    LearnedStyle,
    Line,
    Mend,
    Outline,
    Question,
    QuestionKind,
    Scene,
    ScenePlan,
    StoredFile,
    Style,
    Work,
    frame_prompt,
)
from moviellm.pocket import scene as pocket
from moviellm.pocket.vocabulary import (
    ACTIONS,
    EXPRESSIONS,
    LOCATIONS,
    STYLES,
    TIMES,
    Person,
    appearance,
    frame_sentence,
)
from moviellm.wire import to_json

DATASET = "lighthouse"
SPEC = MovieDatasetSpec(
    "a lighthouse keeper who finds a message", movies=4, chapters=3, scenes=3, frames=6, seed=2**62 + 7
)
CAST = (
    ("Clara Whitfield", Person("woman", "red", "long", "green", "dress"), "keeper of the light"),
    ("Edwin Marsh", Person("old man", "white", "short", "blue", "coat"), "retired captain"),
)
TITLES = ("The Message in the Storm", "What the Tide Kept", "A Lamp for Nobody", "Seven Years of Fog")
DEEDS = ("find a letter", "search the beach", "hide the lamp", "follow the captain", "read the old map")
REASONS = ("the storm has washed it ashore", "nobody has come for seven years", "the light must not go out tonight")
TALK = (
    "Who would throw a bottle into a sea like this?",
    "Somebody who had no boat left.",
    "I have waited here for seven years, and nobody has come.",
    "Then read it. Aloud, please.",
    "It is not signed.",
    "They never are.",
)


@dataclass(frozen=True)
class Drawn:
    """One drawable moment: what is said of it, and what the drawer needs."""

    frame: Frame
    picture: pocket.Scene


def style_of(movie):
    return STYLES[(3 * movie) % len(STYLES)]


def outline(movie, spec):
    style = style_of(movie)
    people = tuple(
        Character(
            name, CharacterRole.MAIN if index == 0 else CharacterRole.SUPPORTING, appearance(look), look.colour, work
        )
        for index, (name, look, work) in enumerate(CAST)
    )
    places = tuple(place.name for place in LOCATIONS[:12])
    chapters = tuple(
        ChapterOutline(
            number,
            ("The Storm", "The Letter", "The Light")[(number - 1) % 3],
            places[number : number + 3],
            "Clara keeps the light through the worst night of the year, and what the sea brings changes her.",
        )
        for number in range(1, spec.chapters + 1)
    )
    return Outline(
        title=TITLES[(movie - 1) % len(TITLES)],
        theme=spec.theme,
        overview="Clara keeps the light at the end of the coast. A storm brings a message that nobody signed, and she "
        "must choose whether to trust the captain who says he wrote it.",
        style=Style(style.keyword, style.phrases, style.adjectives),
        locations=places,
        characters=people,
        chapters=chapters,
    )


def moment(movie, chapter, scene, number):
    """A frame of a scene; two neighbours share place and time, as in a film."""
    rng = Random(f"sample {movie} {chapter} {scene} {number}")
    shared = Random(f"sample {movie} {chapter} {scene}")
    place, time = shared.choice(LOCATIONS), shared.choice(TIMES)
    who = rng.choice(((0,), (0,), (1,), (0, 1), ()))
    able = [action for action in ACTIONS if (action.one if len(who) < 2 else action.two)]
    action = rng.choice(able) if who else None
    prop = rng.choice(action.props) if action is not None and action.props else ""
    face = rng.choice(EXPRESSIONS) if who else None
    shot = rng.choice(("wide shot", "medium shot", "close-up")) if who else "wide shot"
    names = tuple(CAST[index][0] for index in who)
    words = frame_sentence(names, action, place, prop=prop, expression=face, time=time, shot=shot)
    people = tuple(CAST[index][1] for index in who)
    style = style_of(movie).keyword
    picture = pocket.Scene(place, time, "clear", shot, people, action, prop, face, style, rng.randrange(2**31))
    return Drawn(Frame(number, words, names), picture)


@lru_cache(maxsize=256)
def jpeg(picture, size):
    image = Image.fromarray(pocket.as_bytes(pocket.draw(picture)))
    out = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(out, "JPEG", quality=90)
    return out.getvalue()


def dialogue(chapter, scene, frames):
    start = (2 * chapter + scene) % len(TALK)
    places = sorted({1 + index * frames // 4 for index in range(4)})
    return tuple(
        Line(place, CAST[index % 2][0], TALK[(start + index) % len(TALK)])
        for index, place in enumerate(place for place in places for _ in range(1 + place % 2))
    )


def questions(part, spec):
    shape = spec.shape
    if part == "movie":
        words = "What is the movie about?", "A keeper of a light who finds a message and must choose whom to trust."
        return (Question(QuestionKind.OVERVIEW, "summary", *words, shape.movie_range(), "movie", (), Difficulty.HARD),)
    if part == "order":
        first, last = DEEDS[0], DEEDS[1]
        choices = (f"She does {last}.", f"She does {first}.", "Both at once.", "Neither.")
        ask = f"What does Clara do first, {first} or {last}?"
        frames = FrameRange(2, shape.total_frames - 1)
        return (Question(QuestionKind.TEMPORAL, "order", ask, choices[1], frames, "movie", choices, Difficulty.HARD),)
    level, *numbers = part.split("-")
    places = [int(number) for number in numbers]
    frames = shape.scene_range(*places) if level == "scene" else shape.chapter_range(*places)
    rng = Random(part)
    deed, reason = rng.choice(DEEDS), rng.choice(REASONS)
    why = Question(QuestionKind.PLOT, "why", f"Why does Clara {deed} in {part}?", f"Because {reason}.", frames, level)
    if level == "chapter":
        return (why,)
    near = FrameRange(frames.first, min(frames.last, frames.first + 1))
    words = tuple(f"“{line}”" for line in TALK[:4])
    return (
        why,
        Question(QuestionKind.DIALOGUE, "reply", "What is said first?", words[0], near, level, words, Difficulty.EASY),
        Question(QuestionKind.CHARACTER, "clothes", "What does Clara wear?", "A green dress.", near, level),
    )


async def write_sample(store, spec=SPEC, dataset=DATASET, *, size=256, distinct=None):
    """The whole dataset; `distinct` bounds how many different pictures a movie has, since drawing takes time."""
    for movie in range(1, spec.movies + 1):
        await write_sample_movie(store, DatasetKeys(dataset).movie(movie), spec, size=size, distinct=distinct)


async def write_sample_movie(store, keys, spec, *, size, distinct):
    written = outline(keys.movie, spec)
    work = Work(model="storyteller", prompt="outline@1", prompt_tokens=1200, completion_tokens=640)
    await store.put(keys.outline, to_json(written, Provenance("0" * 64, work)))
    mends = (Mend("unknown location", "chapter 2, scene 1", "the old mill", "the beach"),)
    await store.put(keys.imported_mends, to_json(Mends(mends)))
    await store.put(keys.style, to_json(await write_references(store, keys, size)))
    parts = ["movie", "order"]
    scores = []
    for chapter in range(1, spec.chapters + 1):
        parts.append(f"chapter-{chapter:02}")
        plans = [
            ScenePlan(
                scene, moment(keys.movie, chapter, scene, 1).picture.location.name, f"Clara must {DEEDS[scene % 5]}."
            )
            for scene in range(1, spec.scenes + 1)
        ]
        await store.put(keys.chapter(chapter), to_json(Chapter(chapter, tuple(plans))))
    for place in spec.shape.scene_numbers():
        parts.append("scene-{:02}-{:02}".format(*place))
        moments = [moment(keys.movie, *place, number) for number in range(1, spec.frames + 1)]
        script = Scene(*place, tuple(item.frame for item in moments), dialogue(*place, spec.frames))
        await store.put(keys.scene(*place), to_json(script))
        rendered = []
        for item in moments:
            number = spec.shape.frame_number(*place, item.frame.number)
            rendered.append(await write_picture(store, keys, number, item, written, size=size, distinct=distinct))
        scores += [frame.attempts[-1].score for frame in rendered]
        await store.put(keys.rendered(*place), to_json(RenderedScene(tuple(rendered))))
    for part in parts:
        await store.put(keys.questions(part), to_json(Questions(questions(part, spec), (Dropped("not unique", 1),))))
    await store.put(keys.quality, to_json(quality(scores)))


async def write_references(store, keys, size):
    references = []
    for number in range(1, 7):
        place = LOCATIONS[number]
        picture = pocket.Scene(place, "noon", "clear", "wide shot", style=style_of(keys.movie).keyword, seed=number)
        references.append(await stored(store, f"styles/{keys.movie}/references/{number:02}.jpg", jpeg(picture, size)))
    embedding = await stored(store, f"styles/{keys.movie}/learned_embeds.safetensors", b"stands for an embedding")
    learned = LearnedStyle(embedding.uri, embedding.digest, "<look>")
    return MovieStyle(learned, tuple(references), initial_loss=0.041, final_loss=0.032, steps=100)


async def write_picture(store, keys, number, item, written, *, size, distinct):
    rng = Random(f"attempts {keys.movie} {number}")
    drawn = item.picture
    if distinct is not None:
        drawn = moment(keys.movie, 1, number % distinct + 1, 1).picture
    data = await asyncio.to_thread(jpeg, drawn, size)
    score = 0.45 + 0.4 * rng.random()
    attempts = [Attempt(rng.getrandbits(62), round(score, 4), "")]
    if number % 9 == 4:
        attempts.insert(0, Attempt(rng.getrandbits(62), 0.11, "black"))
    elif number % 11 == 7:
        attempts.insert(0, Attempt(rng.getrandbits(62), 0.31, "below threshold"))
    elif number % 25 == 13:
        attempts = [Attempt(7, 0.21, "flat"), Attempt(8, 0.23, "flat")]
    return RenderedFrame(
        number=number,
        prompt=frame_prompt(item.frame.description, written.characters, "<look>"),
        seed=attempts[-1].seed,
        file=await stored(store, keys.frame(number), data),
        model="pocket",
        node_pool="local",
        seconds=0.1,
        attempts=tuple(attempts),
    )


async def stored(store, key, data):
    await store.put(key, data)
    return StoredFile(store.uri(key), digest(data), len(data))


def quality(scores):
    def measures(kept, text, neighbour, distance):
        return PictureMeasures(len(kept), text, neighbour, distance, 0.12, 0.034, tuple(kept), "pocket-clip")

    few = scores[:12]
    mean = sum(scores) / len(scores)
    return MovieQuality(
        measures(scores, mean, 0.8121, 0.4512), measures(few, mean, 0.8231, 0.4402), measures(few, 0.55, 0.7012, 0.6144)
    )
