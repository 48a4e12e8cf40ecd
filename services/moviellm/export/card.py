"""README.md: the dataset card, with the header that Hugging Face reads."""

import html
import importlib.metadata
import importlib.resources
import string
from collections import Counter
from collections.abc import Mapping, Sequence

from moviellm.dataset import FORMATS, MovieDatasetSpec
from moviellm.export.card_header import header
from moviellm.export.card_loading import loading
from moviellm.export.card_quality import quality_section
from moviellm.export.distributions import Distributions
from moviellm.export.format import Format, Written
from moviellm.export.markdown import code, counted, escaped, fenced, table
from moviellm.export.plots import Plots
from moviellm.export.quality_report import QualityReport
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder, MovieSummary

NAME = "README.md"
TEMPLATE = "card.md"
LISTED_MOVIES = 50
GIVEN = " The pictures that the look was learnt from are the requester's own; copies lie in `style/`."
OWN_PLOT = " The plot was begun by the requester's own {level}; the rest was written to fit it."
LEARNT = """The look was fixed by reference pictures, and an embedding of its keyword was learnt from them by textual
   inversion, so that it does not drift from frame to frame. Pictures and embedding lie in each movie's `style/`."""
IN_WORDS = "The look was given to the picture model by its words alone; nothing was learnt."
#: The licences of the models that come with MovieLLM; others are told by the deployment's settings.
LICENSES = dict.fromkeys(("pocket", "storyteller", "facts", ""), "Apache-2.0, part of MovieLLM")

Maker = tuple[str, str, str]


class Card:
    """Collects what the card tells of all movies; what else it is given takes in movies, and finishes, before it."""

    def __init__(
        self,
        shelf: Shelf,
        dataset: str,
        spec: MovieDatasetSpec,
        *,
        license_id: str,
        model_licenses: Mapping[str, str],
        formats: Sequence[Format],
        plots: Plots,
        counted: Distributions,
        quality: QualityReport,
    ) -> None:
        self._shelf = shelf
        self._dataset = dataset
        self._spec = spec
        self._license = license_id
        self._licenses = LICENSES | dict(model_licenses)
        self._formats = formats
        self._plots = plots
        self._counted = counted
        self._quality = quality
        self._movies: list[MovieSummary] = []
        self._learnt = False
        self._made: Counter[Maker] = Counter()
        self._tokens: Counter[Maker] = Counter()

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""
        self._movies.append(movie.summary())
        self._learnt |= bool(movie.record.style.embedding)
        for made in movie.record.made_by:
            maker = (made.part, made.model, made.prompt)
            self._made[maker] += made.artifacts
            self._tokens[maker] += made.prompt_tokens + made.completion_tokens

    async def finish(self) -> None:
        """Write the card."""
        template = importlib.resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
        spec = self._spec
        views = [view for made in self._formats for view in made.written.views]
        text = string.Template(template).substitute(
            header=header(spec.theme, license_id=self._license, frames=self._frames, views=views),
            theme=escaped(spec.theme),
            opening=self._opening(),
            movies=self._movie_table(),
            request=self._request(),
            plot=OWN_PLOT.format(level=escaped(spec.plot.level)) if spec.plot.level else "",
            style=LEARNT if self._learnt else IN_WORDS,
            models=self._models(),
            version=importlib.metadata.version("moviellm"),
            prompts=self._prompts(),
            figures=self._figures(),
            quality=quality_section(self._quality),
            layout=self._layout(),
            loading=loading([made.written for made in self._formats]) or "Everything is in the movies' folders.",
            given=GIVEN if spec.style.pictures else "",
        )
        await self._shelf.put(NAME, text.encode())

    @property
    def _frames(self) -> int:
        return sum(movie.frames for movie in self._movies)

    def _opening(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self._counted.kinds.items()))
        total = self._counted.kinds.total()
        chosen = f"; {self._counted.choices:,} come with answers to choose from" if self._counted.choices else ""
        return (
            f"{counted(len(self._movies), 'movie')} with {counted(self._frames, 'key frame')}, "
            f"{counted(sum(movie.lines for movie in self._movies), 'line')} of dialogue and "
            f"{counted(total, 'question')} with answers{f' ({kinds}{chosen})' if kinds else ''}. "
            "Plots, pictures, dialogue and questions were all generated from one theme phrase. "
            "Open `index.html` to look at everything."
        )

    def _movie_table(self) -> str:
        rows = [
            (
                *(str(movie.number), escaped(movie.title), escaped(movie.style), f"{movie.frames:,}"),
                *(f"{sum(movie.questions.values()):,}", f"`{movie.path}/`"),
            )
            for movie in self._movies[:LISTED_MOVIES]
        ]
        rest = len(self._movies) - LISTED_MOVIES
        more = [("…", f"and {rest:,} more", "", "", "", "")] if rest > 0 else []
        return table(("", "Title", "Style", "Key frames", "Questions", "Folder"), [*rows, *more])

    def _request(self) -> str:
        spec = self._spec
        look = escaped(spec.style.preset or spec.style.description) or "chosen by the writer to suit the theme"
        if spec.style.pictures:
            look = f"learnt from {counted(spec.style.pictures, 'picture')} that the requester gave"
        rows = [
            ("Theme", escaped(spec.theme)),
            ("Movies", str(spec.movies)),
            ("Size of a movie", f"{spec.chapters} chapters × {spec.scenes} scenes × {spec.frames} key frames"),
            ("Dialogue", f"{spec.dialogue_lines} lines a scene"),
            ("Look", look),
            ("Picture model", ", ".join(escaped(model) for model in self._picture_models())),
            ("Characters", "learnt, one embedding each" if spec.learn_characters else "by their fixed appearances"),
            ("Pictures", self._asked_quality()),
            ("Seed", str(spec.seed)),
            ("Video", f"{spec.frames_per_second:g} key frames a second"),
            ("Formats", ", ".join(f"`{name}`" for name in spec.formats)),
        ]
        if spec.plot.level:
            plot = f"the requester's own {escaped(spec.plot.level)}, SHA-256 {code(spec.plot.digest)}"
            rows.append(("Plot", plot))
        return table(("", ""), rows)

    def _asked_quality(self) -> str:
        asked = self._spec.quality
        kept = "the first is kept" if asked.attempts == 1 else f"the best of up to {asked.attempts} is kept"
        if asked.min_score:
            kept += f", or the first with a CLIP-Score of {asked.min_score:g}"
        return kept + ("; measured without style immobilization, too" if asked.ablation else "")

    def _picture_models(self) -> list[str]:
        return sorted({model for movie in self._movies for model in movie.picture_models})

    def _models(self) -> str:
        rows = []
        for (part, model, prompt), number in sorted(self._made.items()):
            tokens = self._tokens[part, model, prompt]
            told = (code(prompt) if prompt else "", f"{number:,}", f"{tokens:,}" if tokens else "")
            rows.append((part, escaped(model) or "embedded writer", self._license_of(model), *told))
        for model in self._picture_models():
            rows.append(("pictures", escaped(model), self._license_of(model), "", f"{self._frames:,}", ""))
        measured = self._quality.total["measures"]
        if measured:
            rows.append(("measures", escaped(measured["scorer"]), self._license_of(measured["scorer"]), "", "", ""))
        return table(("Part", "Model", "Its licence", "Prompt template", "Made", "Tokens"), rows)

    def _license_of(self, model: str) -> str:
        return escaped(self._licenses.get(model, "see the model's own card"))

    def _prompts(self) -> str:
        if not self._spec.prompts:
            return ""
        parts = ["\n### The requester's prompts\n\nThese took the place of the deployment's:"]
        parts += [f"{code(prompt.name)}:\n\n{fenced(prompt.text)}" for prompt in self._spec.prompts]
        return "\n\n".join(parts) + "\n"

    def _figures(self) -> str:
        shown = [(html.escape(plot.title), plot.path) for plot in self._plots.drawn]
        return "\n".join(f'<img src="{path}" alt="{title}" width="440">' for title, path in shown)

    def _layout(self) -> str:
        rows = [
            ("`movies/0001/movie.json`", "title, overview, style, characters; chapters → scenes → frames and dialogue"),
            ("`movies/0001/frames/000001.jpg` …", "the key frames"),
            ("`movies/0001/movie.mp4`, `movie.srt`", "the key frames as a video (H.264), chapters and subtitles in it"),
            ("`movies/0001/qa.json`", "questions, answers, choices, kind, difficulty, evidence frames and seconds"),
            ("`movies/0001/style/`", "reference pictures and the learnt embedding"),
            ("`movies/0001/manifest.json`", "SHA-256 and size of the movie's files; how every frame came about"),
            ("`index.html`, `preview/`, `contact-sheet.jpg`", "to look at"),
            ("`quality.json`, `figures/`", "how good the pictures are; distributions"),
            ("`manifest.json`", "SHA-256 and size of what spans the movies, and of their manifests"),
        ]
        for made in self._formats:
            rows.append((f"`formats/{made.written.name}/`", _told(made.written)))
        return table(("Path", "Content"), rows)


def _told(written: Written) -> str:
    counts = [
        f"{counted(number, view.unit)} to {split} (`{view.name}`)"
        for view in written.views
        for split, number in view.records.items()
    ]
    mended = ""
    if written.mended or written.dropped:
        mended = f"; {written.mended} with trainers' control words made harmless, {written.dropped} empty ones left out"
    return f"{escaped(FORMATS[written.name])}: {', '.join(counts)}{mended}"
