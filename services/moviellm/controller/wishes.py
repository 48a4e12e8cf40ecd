"""Wishes that only some deployments can fulfil: how the look is held and how frames are sampled."""

from moviellm.controller.stages import Renderer, RenderProfile, Stages
from moviellm.dataset import MovieDatasetSpec, RenderSpec, StyleMethod
from moviellm.errors import InvalidInput

ALWAYS = (StyleMethod.TEXTUAL_INVERSION, StyleMethod.PROMPT)
"""Methods that every deployment has."""

_REMEDY = {
    StyleMethod.IP_ADAPTER: "; for an IP-Adapter the operator sets MOVIELLM_INVERSION_IP_ADAPTER and "
    "MOVIELLM_RENDERING_IP_ADAPTER",
}


async def check_wishes(spec: MovieDatasetSpec, stages: Stages) -> Renderer | None:
    """How the deployment renders, None where the request asks for nothing special and nobody was asked.

    Raises InvalidInput, naming the field and what the deployment has, for what it cannot do; Unavailable where its
    services cannot be asked.
    """
    special = spec.style.method not in ALWAYS
    if not special and spec.render == RenderSpec():
        return None
    renderer = await stages.renderer()
    if special:
        _check_method(spec.style.method, await stages.style_methods(), renderer)
    _check_render(spec.render, renderer)
    return renderer


def effort(render: RenderSpec, renderer: Renderer) -> float:
    """What a frame costs, as a multiple of one that is rendered the model's own way.

    Steps, those with guidance twice, and pixels count.
    """
    own, asked = renderer.own, _profile(render, renderer)
    pixels = (render.width or renderer.width) * (render.height or renderer.height)
    steps = (render.steps or asked.steps) * _passes(render.guidance_scale or asked.guidance_scale)
    return steps / (own.steps * _passes(own.guidance_scale)) * pixels / (renderer.width * renderer.height)


def _check_method(method: StyleMethod, learnt: tuple[StyleMethod, ...], renderer: Renderer) -> None:
    known = [
        one
        for one in StyleMethod
        if one in (*ALWAYS, *learnt) and (renderer.ip_adapter or one is not StyleMethod.IP_ADAPTER)
    ]
    if method not in known:
        names = ", ".join(known)
        raise InvalidInput(
            "spec.style.method", f"{method} is not configured here; configured: {names}{_REMEDY.get(method, '')}"
        )


def _check_render(render: RenderSpec, renderer: Renderer) -> None:
    names = [profile.name for profile in renderer.profiles]
    if render.profile and render.profile not in names:
        raise InvalidInput(
            "spec.render.profile", f"{render.profile} is not configured here; configured: {', '.join(names) or 'none'}"
        )
    if render.refiner_share and not renderer.refiner:
        raise InvalidInput("spec.render.refiner_share", "must be 0, because this deployment has no refiner")


def _profile(render: RenderSpec, renderer: Renderer) -> RenderProfile:
    return next((profile for profile in renderer.profiles if profile.name == render.profile), renderer.own)


def _passes(guidance_scale: float) -> int:
    return 2 if guidance_scale > 1 else 1
