"""From a finished movie to the records in its folder."""

import math
from collections.abc import Sequence

from moviellm.dataset import MovieDatasetSpec, Provenance, RenderedFrame
from moviellm.export.finished import FinishedMovie, SceneNumber
from moviellm.export.record import (
    ChapterRecord,
    Evidence,
    FaceRecord,
    FrameRecord,
    LineRecord,
    MakerRecord,
    MovieRecord,
    QuestionRecord,
    SceneRecord,
    StyleRecord,
)
from moviellm.export.subtitles import TimedLine, timed
from moviellm.export.timing import Timing
from moviellm.movie import Frame, Question, Shape, Work

VIDEO = "movie.mp4"
SUBTITLES = "movie.srt"
RECORD = "movie.json"
QUESTIONS = "qa.json"


def frame_file(number: int) -> str:
    """Where a key frame lies in the movie's folder."""
    return f"frames/{number:06}.jpg"


def timed_dialogue(movie: FinishedMovie, shape: Shape, timing: Timing) -> list[TimedLine]:
    """All dialogue of the movie with its time; a line that names no frame of its scene belongs to the nearest."""
    lines = []
    for (chapter, scene), written in movie.scenes.items():
        for line in written.dialogue:
            frame = min(max(line.after_frame, 1), shape.frames)
            lines.append((shape.frame_number(chapter, scene, frame), line))
    return timed(lines, timing, scene_frames=shape.frames)


def movie_record(
    movie: FinishedMovie,
    spec: MovieDatasetSpec,
    timing: Timing,
    style: StyleRecord,
    faces: tuple[FaceRecord, ...],
    lines: list[TimedLine],
) -> MovieRecord:
    """movie.json; `style`, `faces` and `lines` are made before, since files and subtitles need them too."""
    outline = movie.outline
    pictures = [frame for scene in movie.rendered.values() for frame in scene.frames]
    return MovieRecord(
        number=movie.number,
        title=outline.title,
        theme=outline.theme,
        overview=outline.overview,
        style=style,
        characters=outline.characters,
        locations=outline.locations,
        picture_models=tuple(sorted({frame.model for frame in pictures if frame.model})) or (spec.model,),
        seed=spec.seed,
        frame_count=spec.shape.total_frames,
        frames_per_second=float(timing.rate),
        duration_seconds=timing.end(spec.shape.total_frames),
        video=VIDEO,
        subtitles=SUBTITLES,
        chapters=tuple(_chapter(movie, number, spec.shape, timing, lines) for number in movie.chapters),
        quality=movie.quality,
        mends=(*movie.imported, *(mend for made in movie.made.values() for item in made for mend in item.mends)),
        made_by=tuple(maker for level, made in movie.made.items() for maker in makers(level, made)),
        dropped=movie.dropped,
        faces=faces,
    )


def makers(level: str, made: Sequence[Provenance]) -> list[MakerRecord]:
    """Who made the artifacts of one level: a record for every model with every prompt template."""
    shares: dict[tuple[str, str], list[Work]] = {}
    for item in made:
        shares.setdefault((item.work.model, item.work.prompt), []).append(item.work)
    return [
        MakerRecord(
            part=level,
            model=model,
            prompt=prompt,
            artifacts=len(work),
            prompt_tokens=sum(item.prompt_tokens for item in work),
            completion_tokens=sum(item.completion_tokens for item in work),
        )
        for (model, prompt), work in sorted(shares.items())
    ]


def style_record(movie: FinishedMovie, embedding: str, references: tuple[str, ...]) -> StyleRecord:
    """The look, with the files of the movie's folder that belong to it."""
    words, learned = movie.outline.style, movie.style
    return StyleRecord(
        keyword=words.keyword,
        phrases=words.phrases,
        adjectives=words.adjectives,
        token=learned.learned.token,
        embedding=embedding,
        references=references,
        initial_loss=_finite(learned.initial_loss) if learned.steps else None,
        final_loss=_finite(learned.final_loss) if learned.steps else None,
        steps=learned.steps,
        digest=learned.learned.digest,
    )


def question_records(movie: FinishedMovie, timing: Timing) -> tuple[QuestionRecord, ...]:
    """qa.json, in the order of the story."""
    return tuple(_question(movie.number, index, item, timing) for index, item in enumerate(movie.questions, start=1))


def _question(movie: int, index: int, item: Question, timing: Timing) -> QuestionRecord:
    first, last = item.evidence.first, item.evidence.last
    return QuestionRecord(
        id=f"m{movie:04}-q{index:04}",
        kind=item.kind,
        category=item.category,
        level=item.level,
        question=item.question,
        answer=item.answer,
        evidence=Evidence(first, last, timing.start(first), timing.end(last)),
        choices=item.choices,
        difficulty=item.difficulty,
    )


def _chapter(movie: FinishedMovie, number: int, shape: Shape, timing: Timing, lines: list[TimedLine]) -> ChapterRecord:
    planned = movie.outline.chapters[number - 1]
    return ChapterRecord(
        number=number,
        title=planned.title,
        content=planned.content,
        locations=planned.locations,
        scenes=tuple(_scene(movie, (number, scene), shape, timing, lines) for scene in range(1, shape.scenes + 1)),
    )


def _scene(
    movie: FinishedMovie, place: SceneNumber, shape: Shape, timing: Timing, lines: list[TimedLine]
) -> SceneRecord:
    plan = movie.chapters[place[0]].scenes[place[1] - 1]
    numbers = shape.scene_range(*place)
    return SceneRecord(
        number=place[1],
        location=plan.location,
        content=plan.content,
        frames=_frames(movie, place, shape, timing),
        dialogue=tuple(_line(item) for item in lines if numbers.first <= item.frame <= numbers.last),
    )


def _frames(movie: FinishedMovie, place: SceneNumber, shape: Shape, timing: Timing) -> tuple[FrameRecord, ...]:
    pairs = zip(movie.scenes[place].frames, movie.rendered[place].frames, strict=True)
    return tuple(
        _frame(movie, shape.frame_number(*place, position), written, rendered, timing)
        for position, (written, rendered) in enumerate(pairs, start=1)
    )


def _frame(movie: FinishedMovie, number: int, written: Frame, rendered: RenderedFrame, timing: Timing) -> FrameRecord:
    return FrameRecord(
        number=number,
        file=frame_file(number),
        start_seconds=timing.start(number),
        description=written.description,
        prompt=rendered.prompt,
        seed=rendered.attempts[-1].seed if rendered.attempts else rendered.seed,
        characters=written.characters,
        model=rendered.model,
        score=_score(movie, number, rendered),
        attempts=rendered.attempts,
        sha256=rendered.file.digest,
        size_bytes=rendered.file.size_bytes,
    )


def _score(movie: FinishedMovie, number: int, rendered: RenderedFrame) -> float | None:
    """The measured score, else what the renderer's scorer gave the picture it kept."""
    scores = movie.quality.measures.scores if movie.quality else ()
    if number <= len(scores):
        return scores[number - 1]
    kept = rendered.attempts[-1] if rendered.attempts else None
    return kept.score if kept is not None and kept.score else None


def _line(item: TimedLine) -> LineRecord:
    return LineRecord(item.frame, item.line.speaker, item.line.text, item.start / 1000, item.end / 1000)


def _finite(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
