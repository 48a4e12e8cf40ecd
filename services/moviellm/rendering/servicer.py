"""RenderingService without its door: converts, asks, converts."""

from collections.abc import AsyncIterator

from moviellm import wire
from moviellm.movie import LearnedStyle, StoredFile
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.orders import STYLE_FIELD
from moviellm.rendering.picture import PictureOrder, RenderOptions
from moviellm.rendering.studio import Studio
from moviellm.rendering.styles import Learned
from moviellm.v1 import movie_pb2
from moviellm.v1 import rendering_service_pb2 as pb


class RenderingServicer:
    """The service's calls, for whatever door they come through."""

    def __init__(self, *, studio: Studio, measuring: Measuring) -> None:
        self._studio = studio
        self._measuring = measuring

    @property
    def waiting(self) -> int:
        """Pictures that wait or are being painted."""
        return self._studio.waiting

    async def render_scene(self, request: pb.RenderSceneRequest) -> AsyncIterator[pb.RenderSceneResponse]:
        """RenderScene."""
        orders = [wire.from_message(order, PictureOrder) for order in request.pictures]
        options = wire.from_message(request.options, RenderOptions)
        async for picture in self._studio.render(orders, _learned(request), options):
            yield pb.RenderSceneResponse(picture=wire.to_message(picture, pb.RenderedPicture))

    async def render_references(
        self, request: pb.RenderReferencesRequest
    ) -> AsyncIterator[pb.RenderReferencesResponse]:
        """RenderReferences."""
        orders = [wire.from_message(order, PictureOrder) for order in request.pictures]
        options = wire.from_message(request.options, RenderOptions)
        async for picture in self._studio.render(orders, [], options):
            yield pb.RenderReferencesResponse(picture=wire.to_message(picture, pb.RenderedPicture))

    async def describe_renderer(self, request: pb.DescribeRendererRequest) -> pb.DescribeRendererResponse:
        """DescribeRenderer."""
        return wire.to_message(self._studio.renderer, pb.DescribeRendererResponse)

    async def measure_pictures(self, request: pb.MeasurePicturesRequest) -> pb.MeasurePicturesResponse:
        """MeasurePictures."""
        pictures = [wire.from_message(file, StoredFile) for file in request.pictures]
        references = [wire.from_message(file, StoredFile) for file in request.references]
        measures, work = await self._measuring.measure(pictures, request.texts, references)
        return pb.MeasurePicturesResponse(
            measures=wire.to_message(measures, pb.PictureMeasures), work=wire.to_message(work, movie_pb2.Work)
        )


def _learned(request: pb.RenderSceneRequest) -> list[Learned]:
    """What the prompts' tokens stand for, with the fields they came in; no URI means that nothing was learnt."""
    style = Learned(STYLE_FIELD, wire.from_message(request.learned_style, LearnedStyle))
    characters = [
        Learned(f"learned_characters[{position}]", wire.from_message(character, LearnedStyle))
        for position, character in enumerate(request.learned_characters)
    ]
    return [one for one in (style, *characters) if one.look.uri]
