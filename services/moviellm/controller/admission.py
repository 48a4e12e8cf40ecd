"""The door: a request is checked here, whole, before anything is stored. Every complaint names its field."""

import re
import secrets
from dataclasses import dataclass, replace

from moviellm.controller.tenancy.ownership import MARK
from moviellm.dataset import (
    DEFAULT_FORMATS,
    FORMATS,
    MAX_ATTEMPTS,
    MAX_GUIDANCE,
    MAX_NEGATIVE_PROMPT,
    MAX_PLOT_BYTES,
    MAX_REFINER_SHARE,
    MAX_STEPS,
    MAX_VECTORS,
    PICTURE_SIDES,
    RENDER_PROFILES,
    SIDE_STEP,
    MovieDatasetSpec,
    QualitySpec,
    RenderSpec,
)
from moviellm.errors import InvalidInput
from moviellm.movie import Prompt
from moviellm.pillow_pictures import open_picture

PREFIX = "movieDatasets/"
MAX_THEME = 500
MAX_DESCRIPTION = 300
MAX_REQUEST_ID = 128
MAX_DIALOGUE_LINES = 22
PICTURES_ALLOWED = range(3, 61)
MAX_PROMPT_BYTES = 32 * 1024

_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_NOT_PRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


@dataclass(frozen=True)
class Admission:
    """What this deployment allows."""

    max_movies: int
    max_side: int
    models: tuple[str, ...]
    styles: tuple[str, ...]

    def spec(self, spec: MovieDatasetSpec, style_pictures: tuple[bytes, ...] = ()) -> MovieDatasetSpec:
        """The request with defaults filled in. Raises InvalidInput naming the field and what is allowed."""
        theme = self._phrase("spec.theme", spec.theme, MAX_THEME)
        self._between("spec.movies", spec.movies, 1, self.max_movies)
        for field in ("chapters", "scenes", "frames"):
            self._between(f"spec.{field}", getattr(spec, field), 1, self.max_side)
        self._between("spec.dialogue_lines", spec.dialogue_lines, 0, MAX_DIALOGUE_LINES)
        self._between("spec.seed", spec.seed, 0, 2**63 - 1)
        if not 0 < spec.frames_per_second <= 30:
            raise InvalidInput(
                "spec.frames_per_second", f"must be above 0 and at most 30, got {spec.frames_per_second:g}"
            )
        self._style(spec)
        self._pictures(style_pictures)
        self._quality(spec.quality)
        self._render(spec.render)
        self._between("spec.max_llm_tokens", spec.max_llm_tokens, 0, 2**63 - 1)
        self._prompts(spec.prompts)
        return replace(
            spec,
            theme=theme,
            style=replace(spec.style, description=spec.style.description.strip(), pictures=len(style_pictures)),
            formats=self._formats(spec.formats),
            model=self._model(spec.model),
        )

    def _style(self, spec: MovieDatasetSpec) -> None:
        style = spec.style
        if style.preset and style.preset not in self.styles:
            raise InvalidInput(
                "spec.style.preset", f"{_quoted(style.preset)} is unknown; known styles: {', '.join(self.styles)}"
            )
        if style.description:
            self._phrase("spec.style.description", style.description, MAX_DESCRIPTION)
        self._between("spec.style.vectors", style.vectors, 0, MAX_VECTORS)
        if style.preset and style.description:
            raise InvalidInput("spec.style", "set either preset or description, not both")

    def _quality(self, quality: QualitySpec) -> None:
        self._between("spec.quality.attempts", quality.attempts, 1, MAX_ATTEMPTS)
        if not 0 <= quality.min_score <= 1:
            raise InvalidInput("spec.quality.min_score", f"must be between 0 and 1, got {quality.min_score:g}")
        if quality.min_score and quality.attempts == 1:
            raise InvalidInput("spec.quality.attempts", "must be at least 2 where spec.quality.min_score is set")

    def _render(self, render: RenderSpec) -> None:
        for side in ("width", "height"):
            pixels = getattr(render, side)
            if pixels and (pixels not in PICTURE_SIDES or pixels % SIDE_STEP):
                lowest, highest = PICTURE_SIDES.start, PICTURE_SIDES.stop - 1
                raise InvalidInput(
                    f"spec.render.{side}",
                    f"must be a multiple of {SIDE_STEP} from {lowest} to {highest}, or 0 for the model's own, "
                    f"got {pixels}",
                )
        self._between("spec.render.steps", render.steps, 0, MAX_STEPS)
        for name, most in (("guidance_scale", MAX_GUIDANCE), ("refiner_share", MAX_REFINER_SHARE)):
            if not 0 <= getattr(render, name) <= most:
                raise InvalidInput(
                    f"spec.render.{name}", f"must be between 0 and {most:g}, got {getattr(render, name):g}"
                )
        if len(render.negative_prompt) > MAX_NEGATIVE_PROMPT:
            raise InvalidInput("spec.render.negative_prompt", f"must have at most {MAX_NEGATIVE_PROMPT} characters")
        if render.profile and render.profile not in RENDER_PROFILES:
            known = ", ".join(RENDER_PROFILES)
            raise InvalidInput("spec.render.profile", f"{_quoted(render.profile)} is unknown; known profiles: {known}")

    @staticmethod
    def _prompts(prompts: tuple[Prompt, ...]) -> None:
        names = [prompt.name for prompt in prompts]
        for number, prompt in enumerate(prompts):
            if names.index(prompt.name) != number:
                raise InvalidInput(f"spec.prompts[{number}].name", f"{_quoted(prompt.name)} is there twice")
            if not 1 <= len(prompt.text.encode()) <= MAX_PROMPT_BYTES:
                raise InvalidInput(f"spec.prompts[{number}].text", f"must have 1 to {MAX_PROMPT_BYTES} bytes")

    @staticmethod
    def plot(plot: bytes) -> None:
        """Raises InvalidInput for a plot of the requester's own that is too large to be read."""
        if len(plot) > MAX_PLOT_BYTES:
            raise InvalidInput("plot", f"must have at most {MAX_PLOT_BYTES // 2**20} MiB")

    def _formats(self, formats: tuple[str, ...]) -> tuple[str, ...]:
        for name in formats:
            if name not in FORMATS:
                raise InvalidInput("spec.formats", f"{_quoted(name)} is unknown; known formats: {', '.join(FORMATS)}")
        return tuple(name for name in FORMATS if name in formats) if formats else DEFAULT_FORMATS

    def _model(self, model: str) -> str:
        if model and model not in self.models:
            raise InvalidInput("spec.model", f"{_quoted(model)} is unknown; known models: {', '.join(self.models)}")
        return model or self.models[0]

    @staticmethod
    def _pictures(pictures: tuple[bytes, ...]) -> None:
        if pictures and len(pictures) not in PICTURES_ALLOWED:
            raise InvalidInput("style_pictures", f"must be 3 to 60 pictures, got {len(pictures)}")
        for number, data in enumerate(pictures):
            open_picture(data, f"style_pictures[{number}]")

    @staticmethod
    def _between(field: str, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            raise InvalidInput(field, f"must be between {low} and {high}, got {value}")

    @staticmethod
    def _phrase(field: str, text: str, longest: int) -> str:
        stripped = text.strip()
        if not 1 <= len(stripped) <= longest:
            raise InvalidInput(field, f"must have 1 to {longest} characters, got {len(stripped)}")
        if _NOT_PRINTABLE.search(stripped):
            raise InvalidInput(field, "must be one line of text without control characters")
        return stripped


def dataset_id(name: str, field: str = "name") -> str:
    """The id in "movieDatasets/{id}". Raises InvalidInput for anything else, path tricks included."""
    identifier = name.removeprefix(PREFIX)
    if not name.startswith(PREFIX) or not _ID.fullmatch(identifier):
        raise InvalidInput(field, f'must look like "{PREFIX}my-dataset", got {_quoted(name)}')
    return identifier


def chosen_id(identifier: str, theme: str, *, longest: int = 63) -> str:
    """The id a requester chose, or one of at most `longest` characters made from the theme."""
    if not identifier:
        words = re.findall(r"[a-z0-9]+", theme.lower())
        slug = "-".join(words)[: min(40, longest - 7)].strip("-")
        return f"{slug if slug and slug[0].isalpha() else 'dataset'}-{secrets.token_hex(3)}"
    if not _ID.fullmatch(identifier) or MARK in identifier:
        raise InvalidInput(
            "movie_dataset_id",
            'must have 1 to 63 lower-case letters, digits and single "-", begin with a letter and not end with "-", '
            f"got {_quoted(identifier)}",
        )
    return identifier


def check_request_id(request_id: str) -> None:
    """Raises InvalidInput for a request_id that is too long or not printable."""
    if len(request_id) > MAX_REQUEST_ID or _NOT_PRINTABLE.search(request_id):
        raise InvalidInput("request_id", f"must have at most {MAX_REQUEST_ID} printable characters")


def page_size(value: int, *, default: int, most: int) -> int:
    """The page size to use; 0 means the default."""
    if not 0 <= value <= most:
        raise InvalidInput("page_size", f"must be between 0 (for {default}) and {most}, got {value}")
    return value or default


def _quoted(text: str) -> str:
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'
