"""How a dataset's frames and questions are distributed, counted movie by movie."""

from collections import Counter

from moviellm.export.summary import MovieFolder

SCORE_BINS = 20
MOST_PEOPLE = 3


class Distributions:
    """Counts over all movies so far; `scores[n]` counts frames with a score from n/20 to (n + 1)/20."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.difficulties: Counter[str] = Counter()
        self.levels: Counter[str] = Counter()
        self.categories: Counter[str] = Counter()
        self.locations: Counter[str] = Counter()
        self.people: Counter[int] = Counter()
        self.styles: Counter[str] = Counter()
        self.scores = [0] * SCORE_BINS
        self.choices = 0

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""
        for question in movie.questions:
            self.kinds[question.kind] += 1
            self.difficulties[question.difficulty] += 1
            self.levels[question.level] += 1
            self.categories[question.category] += 1
            self.choices += bool(question.choices)
        self.styles[movie.record.style.keyword] += 1
        for _, scene in movie.record.scenes:
            self.locations[scene.location] += len(scene.frames)
            for frame in scene.frames:
                self.people[min(MOST_PEOPLE, len(frame.characters))] += 1
        self._add_scores(movie)

    async def finish(self) -> None:
        """Nothing is left to write."""

    def _add_scores(self, movie: MovieFolder) -> None:
        quality = movie.record.quality
        scores = quality.measures.scores if quality is not None else _frame_scores(movie)
        for score in scores:
            self.scores[min(SCORE_BINS - 1, max(0, int(score * SCORE_BINS)))] += 1

    @property
    def measured(self) -> int:
        """Frames whose score is known."""
        return sum(self.scores)


def _frame_scores(movie: MovieFolder) -> list[float]:
    return [frame.score for frame in movie.record.frames if frame.score is not None]
