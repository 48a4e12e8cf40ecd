"""The records inside a movie's folder: movie.json and qa.json. Paths are relative to that folder, seconds to movie.mp4.

Everything that spans the movies (training records, shards, card, preview) is made from these records alone.
"""

from dataclasses import dataclass

from moviellm.movie import Character, QuestionKind


@dataclass(frozen=True)
class StyleRecord:
    """The look: its words, the token that was learnt, its files; losses are diffusion MSE."""

    keyword: str
    phrases: tuple[str, ...]
    adjectives: tuple[str, ...]
    token: str
    embedding: str
    references: tuple[str, ...]
    initial_loss: float | None
    final_loss: float | None
    steps: int


@dataclass(frozen=True)
class FrameRecord:
    """One key frame: `number` counts through the movie, `description` names people, `prompt` shows them."""

    number: int
    file: str
    start_seconds: float
    description: str
    prompt: str
    seed: int
    characters: tuple[str, ...]


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
class MovieRecord:
    """movie.json."""

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
    """One entry of qa.json, which is a list."""

    id: str
    kind: QuestionKind
    category: str
    level: str
    question: str
    answer: str
    evidence: Evidence
