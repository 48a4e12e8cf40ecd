"""Rendering and inversion without models, as a process: `python -m soak.painter`. Pictures follow from their seeds."""

import asyncio
import io
import os

import numpy as np
from PIL import Image

from moviellm import rpc
from moviellm.artifacts import ArtifactStore, digest
from moviellm.settings import StoreSettings
from moviellm.v1 import inversion_service_pb2 as inversion_pb
from moviellm.v1 import inversion_service_pb2_grpc as inversion_grpc
from moviellm.v1 import movie_pb2
from moviellm.v1 import rendering_service_pb2 as rendering_pb
from moviellm.v1 import rendering_service_pb2_grpc as rendering_grpc

SECONDS = 0.1
SIDE = 32


class Painter(rendering_grpc.RenderingServiceServicer, inversion_grpc.InversionServiceServicer):
    """Draws noise from the seed, learns nothing."""

    def __init__(self, store):
        self._store = store

    @rpc.method
    async def RenderScene(self, request, context):
        async for picture in self._pictures(request):
            yield rendering_pb.RenderSceneResponse(picture=picture)

    @rpc.method
    async def RenderReferences(self, request, context):
        async for picture in self._pictures(request):
            yield rendering_pb.RenderReferencesResponse(picture=picture)

    @rpc.method
    async def MeasurePictures(self, request, context):
        measures = rendering_pb.PictureMeasures(
            pictures=len(request.pictures), scores=[0.5] * len(request.pictures), scorer="none"
        )
        return rendering_pb.MeasurePicturesResponse(measures=measures, work=movie_pb2.Work(model="noise"))

    @rpc.method
    async def DescribeModel(self, request, context):
        return inversion_pb.DescribeModelResponse(model="noise", weights="0" * 64)

    @rpc.method
    async def LearnStyle(self, request, context):
        key = self._store.key(f"{request.output_uri}/learned_embeds.safetensors")
        await self._store.put(key, b"nothing")
        uri = self._store.uri(key)
        style = movie_pb2.LearnedStyle(uri=uri, digest=digest(b"nothing"), token="<noise>")
        result = inversion_pb.InversionResult(learned_style=style, steps=1, work=movie_pb2.Work(model="noise"))
        yield inversion_pb.LearnStyleResponse(result=result)

    async def _pictures(self, request):
        for order in request.pictures:
            key = self._store.key(order.uri)
            data = await self._store.find(key)
            existed = data is not None
            if not existed:
                await asyncio.sleep(SECONDS)
                data = drawn(order.seed)
                await self._store.put(key, data)
            yield rendering_pb.RenderedPicture(
                number=order.number,
                file=movie_pb2.StoredFile(uri=order.uri, digest=digest(data), size_bytes=len(data)),
                existed=existed,
                work=movie_pb2.Work(model="noise", seconds=SECONDS, node_pool="soak"),
                attempts=[rendering_pb.Attempt(seed=order.seed)],
            )


def drawn(seed):
    pixels = np.random.default_rng(seed % 2**63).integers(0, 255, (4, 4, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((SIDE, SIDE)).save(stream, "JPEG", quality=95)
    return stream.getvalue()


async def main():
    painter = Painter(ArtifactStore.open(StoreSettings.load()))
    adders = (
        ("Rendering", rendering_grpc.add_RenderingServiceServicer_to_server),
        ("Inversion", inversion_grpc.add_InversionServiceServicer_to_server),
    )
    registrations = [
        rpc.Registration(f"moviellm.v1.{name}Service", lambda server, add=add: add(painter, server))
        for name, add in adders
    ]
    await rpc.Server(registrations, listen=os.environ["SOAK_LISTEN"], drain_seconds=2).run()


if __name__ == "__main__":
    asyncio.run(main())
