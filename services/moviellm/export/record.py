"""The records inside a movie's folder: movie.json and qa.json. Paths are relative to that folder, seconds to movie.mp4.

Everything that spans the movies (training records, shards, card, preview) is made from these records alone.
"""

from dataclasses import dataclass

from moviellm.dataset import Attempt, MovieQuality
from moviellm.movie import Character, Difficulty, Dropped, Mend, QuestionKind


@dataclass(frozen=True)
class StyleRecord:
    """The look: its words, the token that was learnt, its files; losses are diffusion MSE.

    `digest` is the SHA-256 of the learnt embedding, empty where the style is given by its words alone.
    """

    keyword: str
    phrases: tuple[str, ...]
    adjectives: tuple[str, ...]
    token: str
    embedding: str
    references: tuple[str, ...]
    initial_loss: float | None
    final_loss: float | None
    steps: int
    digest: str = ""


@dataclass(frozen=True)
class FrameRecord:
    """One key frame: `number` counts through the movie, `description` names people, `prompt` shows them.

    `seed` made the picture that was kept, the last of `attempts`; `score` is its CLIP-Score against its text (0 to 1),
    None where nobody measured it; `sha256` and `size_bytes` are those of `file`.
    """

    number: int
    file: str
    start_seconds: float
    description: str
    prompt: str
    seed: int
    characters: tuple[str, ...]
    model: str = ""
    score: float | None = None
    attempts: tuple[Attempt, ...] = ()
    sha256: str = ""
    size_bytes: int = 0


@dataclass(frozen=True)
class LineRecord:
    """One line of dialogue, spoken while the frame `after_frame` (number in the movie) is on the screen."""

    after_frame: int
    speaker: str
    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class SceneRecord:
    """One scene: what happens, its frames, its dialogue."""

    number: int
    location: str
    content: str
    frames: tuple[FrameRecord, ...]
    dialogue: tuple[LineRecord, ...]


@dataclass(frozen=True)
class ChapterRecord:
    """One chapter: what happens, its scenes."""

    number: int
    title: str
    content: str
    locations: tuple[str, ...]
    scenes: tuple[SceneRecord, ...]


@dataclass(frozen=True)
class MakerRecord:
    """What one model did with one prompt template for one level of the movie.

    `part` is outline, chapters, scenes or questions, `artifacts` counts what was made; `model` and `prompt` (name and
    digest of the template) are empty for embedded writers that do not say.
    """

    part: str
    model: str
    prompt: str
    artifacts: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class FaceRecord:
    """A character whose face was learnt: the token in prompts, and the files of the movie's folder."""

    name: str
    token: str
    embedding: str
    references: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class MovieRecord:
    """movie.json.

    `made_by` tells who wrote plot and questions, `mends` what had to be mended in them (first what came with an
    imported plot), `dropped` which questions were thrown away; `quality` is None where pictures were not measured.
    """

    number: int
    title: str
    theme: str
    overview: str
    style: StyleRecord
    characters: tuple[Character, ...]
    locations: tuple[str, ...]
    picture_models: tuple[str, ...]
    seed: int
    frame_count: int
    frames_per_second: float
    duration_seconds: float
    video: str
    subtitles: str
    chapters: tuple[ChapterRecord, ...]
    quality: MovieQuality | None = None
    mends: tuple[Mend, ...] = ()
    made_by: tuple[MakerRecord, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    faces: tuple[FaceRecord, ...] = ()

    @property
    def prompt_tokens(self) -> int:
        """Tokens sent to language models for plot and questions."""
        return sum(maker.prompt_tokens for maker in self.made_by)

    @property
    def completion_tokens(self) -> int:
        """Tokens received from language models for plot and questions."""
        return sum(maker.completion_tokens for maker in self.made_by)

    @property
    def scenes(self) -> tuple[tuple[ChapterRecord, SceneRecord], ...]:
        """Every scene with its chapter, in the order of the story."""
        return tuple((chapter, scene) for chapter in self.chapters for scene in chapter.scenes)

    @property
    def frames(self) -> tuple[FrameRecord, ...]:
        """Every key frame, in the order of the story."""
        return tuple(frame for _, scene in self.scenes for frame in scene.frames)

    @property
    def dialogue(self) -> tuple[LineRecord, ...]:
        """Every line, in the order of the story."""
        return tuple(line for _, scene in self.scenes for line in scene.dialogue)


@dataclass(frozen=True)
class Evidence:
    """The frames that prove an answer, and when they show."""

    first_frame: int
    last_frame: int
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class QuestionRecord:
    """One entry of qa.json, which is a list; `choices` has the answer word for word in it, or nothing at all."""

    id: str
    kind: QuestionKind
    category: str
    level: str
    question: str
    answer: str
    evidence: Evidence
    choices: tuple[str, ...] = ()
    difficulty: Difficulty = Difficulty.MEDIUM
