"""What a request may ask for; everything else is InvalidInput and names the field."""

import math
from collections.abc import Sequence

from moviellm.artifacts import ArtifactStore
from moviellm.errors import InvalidInput
from moviellm.movie import LearnedStyle
from moviellm.rendering.picture import PictureOrder, RenderOptions

MAX_PICTURES = 1024
MAX_PROMPT = 2000
SIDES = range(64, 2049)
SIDE_STEP = 8
MAX_STEPS = 200
MAX_GUIDANCE = 30.0
MAX_TOKEN = 100


def check_orders(orders: Sequence[PictureOrder], store: ArtifactStore) -> None:
    """Raise InvalidInput unless every picture can be told apart, has a prompt and a place in the store."""
    if not 1 <= len(orders) <= MAX_PICTURES:
        raise InvalidInput("pictures", f"must hold 1 to {MAX_PICTURES} pictures, got {len(orders)}")
    numbers: set[int] = set()
    keys: set[str] = set()
    for position, order in enumerate(orders):
        field = f"pictures[{position}]"
        _check_text(order.prompt, f"{field}.prompt", empty_allowed=False)
        key = store.key(order.uri, f"{field}.uri")
        if order.number in numbers:
            raise InvalidInput(f"{field}.number", f"must differ from the other pictures' numbers, got {order.number}")
        if key in keys:
            raise InvalidInput(f"{field}.uri", "must differ from the other pictures' places")
        numbers.add(order.number)
        keys.add(key)


def check_options(options: RenderOptions, model: str) -> None:
    """Raise InvalidInput unless the options are 0, empty or within their limits; `model` is the one that is loaded."""
    _check_side(options.width, "options.width")
    _check_side(options.height, "options.height")
    if not 0 <= options.steps <= MAX_STEPS:
        raise InvalidInput("options.steps", f"must be 1 to {MAX_STEPS}, or 0 for the model's own, got {options.steps}")
    if not (math.isfinite(options.guidance_scale) and 0 <= options.guidance_scale <= MAX_GUIDANCE):
        raise InvalidInput(
            "options.guidance_scale",
            f"must be at most {MAX_GUIDANCE:g}, or 0 for the model's own, got {options.guidance_scale:g}",
        )
    _check_text(options.negative_prompt, "options.negative_prompt", empty_allowed=True)
    if options.model not in ("", model):
        raise InvalidInput("options.model", f"must be empty or {model}, the model that is loaded here")


def check_style(style: LearnedStyle, orders: Sequence[PictureOrder], store: ArtifactStore) -> None:
    """Raise InvalidInput for a learnt style that cannot be found, proved or used; no URI means no style."""
    if not style.uri:
        return
    store.key(style.uri, "learned_style.uri")
    if len(style.digest) != 64 or not set(style.digest) <= set("0123456789abcdef"):
        raise InvalidInput("learned_style.digest", "must be the SHA-256 of the file in lower-case hexadecimal")
    if not 1 <= len(style.token) <= MAX_TOKEN:
        raise InvalidInput("learned_style.token", f"must be the style's token, 1 to {MAX_TOKEN} characters")
    if not any(style.token in order.prompt for order in orders):
        raise InvalidInput("learned_style.token", f"must stand in the prompts, but none holds {style.token}")


def _check_text(text: str, field: str, *, empty_allowed: bool) -> None:
    if not empty_allowed and not text.strip():
        raise InvalidInput(field, f"must hold 1 to {MAX_PROMPT} characters, but is empty")
    if len(text) > MAX_PROMPT:
        raise InvalidInput(field, f"must hold at most {MAX_PROMPT} characters, got {len(text)}")


def _check_side(pixels: int, field: str) -> None:
    if pixels and (pixels not in SIDES or pixels % SIDE_STEP):
        raise InvalidInput(
            field,
            f"must be a multiple of {SIDE_STEP} from {SIDES.start} to {SIDES.stop - 1}, or 0 for the model's own, "
            f"got {pixels}",
        )
