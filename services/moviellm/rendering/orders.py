"""What a request may ask for; everything else is InvalidInput and names the field."""

import math
from collections.abc import Sequence

from moviellm.artifacts import ArtifactStore
from moviellm.dataset import (
    MAX_ATTEMPTS,
    MAX_GUIDANCE,
    MAX_NEGATIVE_PROMPT,
    MAX_REFINER_SHARE,
    MAX_STEPS,
    PICTURE_SIDES,
    SIDE_STEP,
)
from moviellm.errors import InvalidInput
from moviellm.rendering.picture import PictureOrder, Renderer, RenderOptions
from moviellm.rendering.styles import Learned

MAX_PICTURES = 1024
MAX_PROMPT = 2000
MAX_TOKEN = 100
MAX_LEARNED = 33
STYLE_FIELD = "learned_style"


def check_orders(orders: Sequence[PictureOrder], store: ArtifactStore) -> None:
    """Raise InvalidInput unless every picture can be told apart, has a prompt and a place in the store."""
    if not 1 <= len(orders) <= MAX_PICTURES:
        raise InvalidInput("pictures", f"must hold 1 to {MAX_PICTURES} pictures, got {len(orders)}")
    numbers: set[int] = set()
    keys: set[str] = set()
    for position, order in enumerate(orders):
        field = f"pictures[{position}]"
        _check_text(order.prompt, f"{field}.prompt", empty_allowed=False)
        _check_text(order.text, f"{field}.text", empty_allowed=True)
        key = store.key(order.uri, f"{field}.uri")
        if order.number in numbers:
            raise InvalidInput(f"{field}.number", f"must differ from the other pictures' numbers, got {order.number}")
        if key in keys:
            raise InvalidInput(f"{field}.uri", "must differ from the other pictures' places")
        numbers.add(order.number)
        keys.add(key)


def check_options(options: RenderOptions, renderer: Renderer, *, can_score: bool) -> None:
    """Raise InvalidInput unless the options are 0, empty or within their limits.

    `renderer` says what there is here, `can_score` whether there is a scorer.
    """
    model = renderer.model
    _check_side(options.width, "options.width")
    _check_side(options.height, "options.height")
    if not 0 <= options.steps <= MAX_STEPS:
        raise InvalidInput("options.steps", f"must be 1 to {MAX_STEPS}, or 0 for the model's own, got {options.steps}")
    if not (math.isfinite(options.guidance_scale) and 0 <= options.guidance_scale <= MAX_GUIDANCE):
        raise InvalidInput(
            "options.guidance_scale",
            f"must be at most {MAX_GUIDANCE:g}, or 0 for the model's own, got {options.guidance_scale:g}",
        )
    if len(options.negative_prompt) > MAX_NEGATIVE_PROMPT:
        raise InvalidInput("options.negative_prompt", f"must hold at most {MAX_NEGATIVE_PROMPT} characters")
    _check_sampling(options, renderer)
    if options.model not in ("", model):
        raise InvalidInput("options.model", f"must be empty or {model}, the model that is loaded here")
    if not 0 <= options.attempts <= MAX_ATTEMPTS:
        raise InvalidInput("options.attempts", f"must be 1 to {MAX_ATTEMPTS}, or 0 for 1, got {options.attempts}")
    if not 0 <= options.min_score <= 1:
        raise InvalidInput("options.min_score", f"must be a CLIP-Score, 0 to 1, got {options.min_score:g}")
    if options.min_score and not can_score:
        raise InvalidInput("options.min_score", "must be 0, because this deployment has no scorer")


def _check_sampling(options: RenderOptions, renderer: Renderer) -> None:
    known = [profile.name for profile in renderer.profiles]
    if options.profile and options.profile not in known:
        allowed = " or ".join(["empty", *known])
        raise InvalidInput("options.profile", f"must be {allowed}, the ways of sampling that are configured here")
    share = options.refiner_share
    if not 0 <= share <= MAX_REFINER_SHARE:
        raise InvalidInput("options.refiner_share", f"must be 0 to {MAX_REFINER_SHARE:g}, got {share:g}")
    if share and not renderer.refiner:
        raise InvalidInput("options.refiner_share", "must be 0, because no refiner is configured here")


def check_learned(learned: Sequence[Learned], orders: Sequence[PictureOrder], store: ArtifactStore) -> None:
    """Raise InvalidInput for learnt styles and characters that cannot be found, proved, used or told apart.

    A character's token may stand in no prompt, because not everybody is seen in every scene.
    """
    if len(learned) > MAX_LEARNED:
        raise InvalidInput("learned_characters", f"must hold at most {MAX_LEARNED - 1} characters")
    tokens: set[str] = set()
    for field, look in learned:
        store.key(look.uri, f"{field}.uri")
        if len(look.digest) != 64 or not set(look.digest) <= set("0123456789abcdef"):
            raise InvalidInput(f"{field}.digest", "must be the SHA-256 of the file in lower-case hexadecimal")
        if not 1 <= len(look.token) <= MAX_TOKEN:
            raise InvalidInput(f"{field}.token", f"must be the style's token, 1 to {MAX_TOKEN} characters")
        if field == STYLE_FIELD and not any(look.token in order.prompt for order in orders):
            raise InvalidInput(f"{field}.token", f"must stand in the prompts, but none holds {look.token}")
        if look.token in tokens:
            raise InvalidInput(f"{field}.token", f"must differ from the other tokens, got {look.token} twice")
        tokens.add(look.token)


def _check_text(text: str, field: str, *, empty_allowed: bool) -> None:
    if not empty_allowed and not text.strip():
        raise InvalidInput(field, f"must hold 1 to {MAX_PROMPT} characters, but is empty")
    if len(text) > MAX_PROMPT:
        raise InvalidInput(field, f"must hold at most {MAX_PROMPT} characters, got {len(text)}")


def _check_side(pixels: int, field: str) -> None:
    if pixels and (pixels not in PICTURE_SIDES or pixels % SIDE_STEP):
        raise InvalidInput(
            field,
            f"must be a multiple of {SIDE_STEP} from {PICTURE_SIDES.start} to {PICTURE_SIDES.stop - 1}, or 0 for the "
            f"model's own, got {pixels}",
        )
