"""The domain: a movie as a tree of small immutable parts. No I/O, no wire.

Numbers of chapters, scenes and frames are 1-based everywhere, as people count them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class CharacterRole(StrEnum):
    """The part a character plays."""

    MAIN = "main"
    SUPPORTING = "supporting"


class QuestionKind(StrEnum):
    """What sort of understanding a question tests (paper, section 4: overview, plot, temporal; the rest is ours)."""

    OVERVIEW = "overview"
    PLOT = "plot"
    TEMPORAL = "temporal"
    CHARACTER = "character"
    DIALOGUE = "dialogue"


class Difficulty(StrEnum):
    """How much must be seen to answer a question: one frame, several frames of a scene, several scenes."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


@dataclass(frozen=True)
class Style:
    """The look of a movie in words: one keyword, important phrases and adjectives."""

    keyword: str
    phrases: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The adjectives and phrases as one comma-separated description, without the keyword."""
        return ", ".join((" and ".join(self.adjectives), *self.phrases) if self.adjectives else self.phrases)


@dataclass(frozen=True)
class Character:
    """A person of the movie; `appearance` replaces every mention of the name in a frame prompt."""

    name: str
    role: CharacterRole
    appearance: str
    clothing_color: str
    occupation: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """Something that happens, in parts that questions can be asked about.

    `deed` is a verb phrase in base form ("find a letter"), `reason` a clause ("the storm has washed it ashore"),
    `means` a phrase ("by searching the beach"), `place` one of the outline's locations.
    """

    who: str
    deed: str
    reason: str = ""
    means: str = ""
    place: str = ""


@dataclass(frozen=True)
class ChapterOutline:
    """One chapter as the outline plans it; `before` and `after` say what is true when it begins and ends."""

    number: int
    title: str
    locations: tuple[str, ...]
    content: str
    facts: tuple[Fact, ...] = ()
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Outline:
    """Level 1: the theme grown into a whole story."""

    title: str
    theme: str
    overview: str
    style: Style
    locations: tuple[str, ...]
    characters: tuple[Character, ...]
    chapters: tuple[ChapterOutline, ...]
    facts: tuple[Fact, ...] = ()

    def character(self, name: str) -> Character:
        """The character called `name`; raises KeyError for an unknown name."""
        for character in self.characters:
            if character.name == name:
                return character
        raise KeyError(name)


@dataclass(frozen=True)
class ScenePlan:
    """One scene as its chapter plans it; `before` and `after` say what is true when it begins and ends."""

    number: int
    location: str
    content: str
    facts: tuple[Fact, ...] = ()
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Chapter:
    """Level 2: a chapter divided into scenes."""

    number: int
    scenes: tuple[ScenePlan, ...]


@dataclass(frozen=True)
class Frame:
    """One key frame in words, characters by name."""

    number: int
    description: str
    characters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of dialogue, spoken after the frame `after_frame` of its scene."""

    after_frame: int
    speaker: str
    text: str


@dataclass(frozen=True)
class Scene:
    """Level 3: a scene written out."""

    chapter: int
    number: int
    frames: tuple[Frame, ...]
    dialogue: tuple[Line, ...] = ()


@dataclass(frozen=True)
class FrameRange:
    """A closed range of frame numbers of a movie."""

    first: int
    last: int


@dataclass(frozen=True)
class Question:
    """A question with its answer and the frames that prove it; `level` is movie, chapter or scene.

    `choices` holds the answers to choose from, the right one word for word among them; none for an open question.
    """

    kind: QuestionKind
    category: str
    question: str
    answer: str
    evidence: FrameRange
    level: str
    choices: tuple[str, ...] = ()
    difficulty: Difficulty = Difficulty.MEDIUM


@dataclass(frozen=True)
class Dropped:
    """How many questions were thrown away for one reason."""

    reason: str
    count: int


@dataclass(frozen=True)
class Mend:
    """A rule that a writer or an imported plot broke; `now` is empty where the part was removed or written again."""

    rule: str
    where: str
    was: str
    now: str = ""


@dataclass(frozen=True)
class Prompt:
    """A prompt template of the requester's that replaces the deployment's of that name."""

    name: str
    text: str


#: File names of a learnt embedding, one for each text encoder of the pipeline; the first one is a LearnedStyle's URI.
LEARNED_FILES = ("learned_embeds.safetensors", "learned_embeds_2.safetensors")

#: File name of a style's LoRA, as diffusers calls it.
LORA_FILE = "pytorch_lora_weights.safetensors"

#: File name of the embedding that an IP-Adapter looks at.
IMAGE_FILE = "image_embeds.safetensors"


@dataclass(frozen=True)
class LearnedStyle:
    """A style's learnt embedding in the artifact store; an empty URI means the style is given by its words alone.

    Where the style was learnt otherwise, the file is its LoRA or its pictures' embedding, and `token` a plain word.
    """

    uri: str = ""
    digest: str = ""
    token: str = ""


@dataclass(frozen=True)
class StoredFile:
    """A file in the artifact store; `digest` is SHA-256 in hexadecimal."""

    uri: str
    digest: str
    size_bytes: int


@dataclass(frozen=True)
class Work:
    """What a finished unit cost and where it ran; seconds are wall-clock, gpu_seconds the time a GPU was held.

    `model` is the writer, asker or picture model, `prompt` the name and digest of its prompt template.
    """

    node_pool: str = "local"
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt: str = ""


@dataclass(frozen=True)
class Shape:
    """How large one movie is: chapters × scenes × frames key frames (paper: 11 × 11 × 11 = 1331)."""

    chapters: int
    scenes: int
    frames: int

    @property
    def total_frames(self) -> int:
        """Key frames of the whole movie."""
        return self.chapters * self.scenes * self.frames

    def frame_number(self, chapter: int, scene: int, frame: int) -> int:
        """The frame's number in the movie, from 1 to `total_frames`."""
        return ((chapter - 1) * self.scenes + (scene - 1)) * self.frames + frame

    def movie_range(self) -> FrameRange:
        """All frames."""
        return FrameRange(1, self.total_frames)

    def chapter_range(self, chapter: int) -> FrameRange:
        """The frames of one chapter."""
        return FrameRange(self.frame_number(chapter, 1, 1), self.frame_number(chapter, self.scenes, self.frames))

    def scene_range(self, chapter: int, scene: int) -> FrameRange:
        """The frames of one scene."""
        return FrameRange(self.frame_number(chapter, scene, 1), self.frame_number(chapter, scene, self.frames))

    def scene_numbers(self) -> Iterator[tuple[int, int]]:
        """(chapter, scene) of every scene in the order of the story."""
        for chapter in range(1, self.chapters + 1):
            for scene in range(1, self.scenes + 1):
                yield chapter, scene


def drawing(characters: Sequence[Character]) -> Callable[[str], str]:
    """Replaces every mention of a character in a description by the fixed appearance.

    Longer mentions go first, so that "Clara Whitfield" leaves no surname behind; possessives keep their "'s".
    """
    mentions = {
        mention: character.appearance
        for character in characters
        for mention in (character.name, *character.aliases)
        if mention
    }
    if not mentions:
        return lambda description: description
    longest_first = sorted(mentions, key=len, reverse=True)
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")
    return lambda description: pattern.sub(lambda match: mentions[match.group()], description)


def drawn(description: str, characters: Sequence[Character]) -> str:
    """One description with the appearances; see `drawing`."""
    return drawing(characters)(description)


def styled(text: str, style_name: str) -> str:
    """The picture model's prompt for a frame (paper, stage 3); `style_name` is the learnt token or a word."""
    return f"generate an image in {style_name} style: {text}"


def frame_prompt(description: str, characters: Sequence[Character], style_name: str) -> str:
    """The same of a description that names characters."""
    return styled(drawn(description, characters), style_name)


def character_prompt(appearance: str, location: str) -> str:
    """The prompt of a reference of one character, in no particular style."""
    return f"a picture of {appearance} in the {location}"


def reference_prompt(location: str, style: Style) -> str:
    """The prompt of a style reference: the style's description and a place, nobody in it (paper, stage 2)."""
    return f"a picture of the {location} in {style.keyword} style" + (f", {style.words}" if style.words else "")
