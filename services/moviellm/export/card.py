"""README.md: the dataset card, with the header that Hugging Face reads."""

import importlib.resources
import json
import string
from collections import Counter
from collections.abc import Sequence

from moviellm.dataset import FORMATS, MovieDatasetSpec
from moviellm.export.format import Format, View, Written
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder, MovieSummary

NAME = "README.md"
TEMPLATE = "card.md"
LISTED_MOVIES = 50
GIVEN = " The pictures that the look was learnt from are the requester's own; copies lie in `style/`."
_JSON = """```python
from datasets import load_dataset

{config} = load_dataset("json", data_files="{file}", split="train")
```"""
_PARQUET = """```python
from datasets import load_dataset

{config} = load_dataset("parquet", data_files="{file}", split="train")
```"""
_SHARDS = """```python
import webdataset as wds

shards = sorted(str(path) for path in pathlib.Path().glob("{file}"))
{config} = wds.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("jpg", "json")
```"""
_SNIPPETS = ((".parquet", _PARQUET), (".tar", _SHARDS), (".json", _JSON))
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_ESCAPED = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]#|~$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


class Card:
    """Collects the figures of all movies for the card."""

    def __init__(
        self,
        shelf: Shelf,
        dataset: str,
        spec: MovieDatasetSpec,
        *,
        license_id: str,
        formats: Sequence[Format],
    ) -> None:
        self._shelf = shelf
        self._dataset = dataset
        self._spec = spec
        self._license = license_id
        self._formats = formats
        self._movies: list[MovieSummary] = []

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""
        self._movies.append(movie.summary())

    async def finish(self) -> None:
        """Write the card; the parts it tells about have been finished before."""
        template = importlib.resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
        text = string.Template(template).substitute(
            header=self._header(),
            theme=escaped(self._spec.theme),
            opening=self._opening(),
            movies=self._movie_table(),
            request=self._request(),
            layout=self._layout(),
            loading=self._loading(),
            given=GIVEN if self._spec.style.pictures else "",
        )
        await self._shelf.put(NAME, text.encode())

    @property
    def _frames(self) -> int:
        return sum(movie.frames for movie in self._movies)

    @property
    def _kinds(self) -> Counter[str]:
        return sum((Counter(movie.questions) for movie in self._movies), Counter())

    def _header(self) -> str:
        lines = [
            "---",
            f"pretty_name: {_yaml(self._spec.theme)}",
            f"license: {self._license}",
            "language:",
            "- en",
            "task_categories:",
            "- visual-question-answering",
            "- video-text-to-text",
            "- text-to-image",
            "tags:",
            *(f"- {tag}" for tag in ("synthetic", "movie", "long-video", "video-understanding", "moviellm")),
            "size_categories:",
            f"- {_size_category(self._frames)}",
        ]
        configs = self._configs()
        return "\n".join([*lines, *(["configs:", *configs] if configs else []), "---"])

    def _configs(self) -> list[str]:
        """The parts a viewer can load; one kind of file only, since a loader is chosen for the whole dataset."""
        for suffix in (".parquet", ".json", ".tar"):
            views = [view for view in self._views if view.files.get("train", ("",))[0].endswith(suffix)]
            if views:
                return [line for view in views for line in _config(view)]
        return []

    @property
    def _views(self) -> list[View]:
        return [view for made in self._formats for view in made.written.views]

    def _opening(self) -> str:
        kinds = self._kinds
        told = ", ".join(f"{kinds[kind]} {kind}" for kind in ("overview", "plot", "temporal") if kinds[kind])
        total = sum(kinds.values())
        return (
            f"{_counted(len(self._movies), 'movie')} with {_counted(self._frames, 'key frame')}, "
            f"{_counted(sum(movie.lines for movie in self._movies), 'line')} of dialogue and "
            f"{_counted(total, 'question')} with answers{f' ({told})' if told else ''}. "
            "Plots, pictures, dialogue and questions were all generated from one theme phrase. "
            "Open `index.html` to look at everything."
        )

    def _movie_table(self) -> str:
        rows = [
            f"| {movie.number} | {escaped(movie.title)} | {escaped(movie.style)} | {movie.frames} "
            f"| {sum(movie.questions.values())} | `{movie.path}/` |"
            for movie in self._movies[:LISTED_MOVIES]
        ]
        rest = len(self._movies) - LISTED_MOVIES
        if rest > 0:
            rows.append(f"| … | and {rest} more | | | | |")
        return "\n".join(["| | Title | Style | Key frames | Questions | Folder |", "|---|---|---|---|---|---|", *rows])

    def _request(self) -> str:
        spec = self._spec
        look = escaped(spec.style.preset or spec.style.description) or "chosen by the writer to suit the theme"
        if spec.style.pictures:
            look = f"learnt from {spec.style.pictures} pictures that the requester gave"
        models = sorted({model for movie in self._movies for model in movie.picture_models})
        rows = (
            ("Theme", escaped(spec.theme)),
            ("Movies", str(spec.movies)),
            ("Size of a movie", f"{spec.chapters} chapters × {spec.scenes} scenes × {spec.frames} key frames"),
            ("Dialogue", f"{spec.dialogue_lines} lines a scene"),
            ("Look", look),
            ("Picture model", ", ".join(map(escaped, models))),
            ("Seed", str(spec.seed)),
            ("Video", f"{spec.frames_per_second:g} key frames a second"),
        )
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])

    def _layout(self) -> str:
        rows = [
            ("movies/0001/movie.json", "title, overview, style, characters; chapters → scenes → frames and dialogue"),
            ("movies/0001/frames/000001.jpg …", "the key frames"),
            ("movies/0001/movie.mp4, movie.srt", "the key frames as a video (H.264), the dialogue as subtitles"),
            ("movies/0001/qa.json", "questions, answers, category, evidence frames and seconds"),
            ("movies/0001/style/", "reference pictures and the learnt embedding"),
            ("index.html, contact-sheet.jpg", "to look at"),
            ("manifest.json", "SHA-256 and size of every file"),
        ]
        for made in self._formats:
            told = _mended(made.written)
            for view in made.written.views:
                counts = ", ".join(
                    f"{_counted(number, view.unit)} to {split}" for split, number in view.records.items()
                )
                rows.append((f"formats/{made.written.name}/", f"{FORMATS[made.written.name]}: {counts}{told}"))
        return "\n".join(["| Path | Content |", "|---|---|", *(f"| `{path}` | {what} |" for path, what in rows)])

    def _loading(self) -> str:
        parts = [
            snippet.format(config=view.name, file=view.files["train"][0])
            for view in self._views
            for suffix, snippet in _SNIPPETS
            if view.files.get("train", ("",))[0].endswith(suffix)
        ]
        return "\n\n".join(["## Loading", *parts]) if parts else ""


def escaped(text: str) -> str:
    """The text in one line, free of Markdown and HTML."""
    return " ".join(text.split()).translate(_ESCAPED)


def _yaml(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _config(view: View) -> list[str]:
    lines = [f"- config_name: {view.name}", "  data_files:"]
    for split, files in view.files.items():
        lines += [f"  - split: {split}", f'    path: "{files[0]}"']
    return lines


def _mended(written: Written) -> str:
    if not (written.mended or written.dropped):
        return ""
    return f" ({written.mended} with trainers' control words made harmless, {written.dropped} empty ones left out)"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size_category(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), "n>1M")
