"""What happens at the door before a request is accepted: everything is checked, the plot read, the cost reckoned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from moviellm.artifacts import digest
from moviellm.controller.admission import Admission
from moviellm.controller.estimate import Rates, estimate
from moviellm.controller.own_plot import level_of
from moviellm.controller.stages import ImportedPlot, Stages, TokenEstimate
from moviellm.controller.wishes import check_wishes, effort
from moviellm.dataset import Estimate, MovieDatasetSpec, PlotSpec
from moviellm.errors import InvalidInput, Temporary
from moviellm.movie import Shape

log = structlog.get_logger()

SHAPE = ("chapters", "scenes", "frames")
_OUTER_NAMES = {
    "prompts": "spec.prompts",
    "shape": "spec",
    "theme": "spec.theme",
    "dialogue_lines": "spec.dialogue_lines",
}


@dataclass(frozen=True)
class Request:
    """What a requester sent; `shape_is_set` names the fields of the shape that are not left to a plot of their own."""

    spec: MovieDatasetSpec
    shape_is_set: frozenset[str] = frozenset(SHAPE)
    pictures: tuple[bytes, ...] = ()
    plot: bytes = b""


@dataclass(frozen=True)
class Received:
    """A request that can be accepted."""

    spec: MovieDatasetSpec
    plot: ImportedPlot | None
    estimate: Estimate


class Reception:
    """The controller's door, behind the wire."""

    def __init__(self, *, admission: Admission, stages: Stages, rates: Rates) -> None:
        self._admission = admission
        self._stages = stages
        self._rates = rates

    async def receive(self, request: Request, *, only_check: bool = False) -> Received:
        """The request with defaults filled in. Raises InvalidInput naming the field and what is allowed.

        A plot or prompts of the requester's own need the scripting service to look at them: Unavailable without it. So
        does the estimate of a request that is only checked; another one is accepted without. What not every deployment
        can do needs inversion and rendering to be asked.
        """
        spec = self._admission.spec(request.spec, request.pictures)
        renderer = await check_wishes(spec, self._stages)
        plot = None
        if request.plot:
            plot, spec = await self._imported(request, spec)
        try:
            tokens: Sequence[TokenEstimate] = await self._stages.estimate_tokens(spec)
        except InvalidInput as error:
            raise _as_sent(error) from error
        except Temporary as error:
            if only_check or spec.prompts:
                raise
            log.warning("accepted without an estimate of its tokens", why=error.message)
            tokens = ()
        per_frame = 1.0 if renderer is None else effort(spec.render, renderer)
        return Received(spec, plot, estimate(spec, tokens, self._rates, effort=per_frame))

    def admit(self, spec: MovieDatasetSpec) -> MovieDatasetSpec:
        """The request with defaults filled in, as `receive` gives it, but no service is asked."""
        return self._admission.spec(spec)

    async def _imported(self, request: Request, spec: MovieDatasetSpec) -> tuple[ImportedPlot, MovieDatasetSpec]:
        self._admission.plot(request.plot)
        sides = (getattr(spec, side) if side in request.shape_is_set else 0 for side in SHAPE)
        try:
            plot = await self._stages.import_plot(request.plot, spec, Shape(*sides))
        except InvalidInput as error:
            raise _as_sent(error) from error
        shape = plot.shape
        spec = replace(
            spec,
            chapters=shape.chapters,
            scenes=shape.scenes,
            frames=shape.frames,
            plot=PlotSpec(level_of(plot), digest(request.plot)),
        )
        return plot, self._admission.spec(spec, request.pictures)


def _as_sent(error: InvalidInput) -> InvalidInput:
    """The complaint of a service, naming the field as the requester knows it."""
    first, dot, rest = error.field.partition(".")
    name, bracket, index = first.partition("[")
    outer = _OUTER_NAMES.get(name, name)
    return InvalidInput(f"{outer}{bracket}{index}{dot}{rest}", error.allowed)
