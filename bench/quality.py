"""What looking at pictures costs and brings: rendering with a score, the best of four, a movie's figures.

All of it through the running service with the embedded scorer on one core. The gain in score is what best of four is
for; that the scorer that picks is also the one that counts is the paper's way, so read it beside the figures of the
pocket model, where classifiers that know nothing of the scorer look at single pictures.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.local_stack import service
from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.pocket.captions import canonical
from moviellm.pocket.dataset import EVALUATION_SEED, scene_at
from moviellm.settings import StoreSettings
from moviellm.v1 import rendering_service_pb2 as pb
from moviellm.v1 import rendering_service_pb2_grpc as pb_grpc

PICTURES = 24
ROUNDS = 3
MOVIE = 1331
"""Frames of the paper's movies."""


class Client:
    """Asks the service for the same frames in several ways."""

    def __init__(self, peer: Any, store: ArtifactStore) -> None:
        self._stub: Any = pb_grpc.RenderingServiceStub(peer)
        self._store = store
        self.texts = [canonical(scene_at(EVALUATION_SEED, number)) for number in range(PICTURES)]

    async def render(self, folder: str, **options: float) -> tuple[list[pb.RenderedPicture], float]:
        """The frames in order, and how many a second."""
        orders = [
            pb.PictureOrder(number=n, prompt=text, text=text, seed=n, uri=self._store.uri(f"{folder}/{n}.jpg"))
            for n, text in enumerate(self.texts)
        ]
        request = pb.RenderSceneRequest(pictures=orders, options=pb.RenderOptions(**options))
        started = time.perf_counter()
        responses = self._stub.RenderScene(request, metadata=(("application", "rendering"),))
        pictures = [response.picture async for response in rpc.stream("rendering", responses)]
        return sorted(pictures, key=lambda one: one.number), PICTURES / (time.perf_counter() - started)

    async def measure(self, pictures: list[pb.RenderedPicture], count: int) -> tuple[pb.PictureMeasures, float]:
        """The figures of the pictures, repeated up to a count, and the seconds they took."""
        chosen = [number % len(pictures) for number in range(count)]
        request = pb.MeasurePicturesRequest(
            pictures=[pictures[number].file for number in chosen],
            texts=[self.texts[number] for number in chosen],
            references=[picture.file for picture in pictures[:10]],
        )
        started = time.perf_counter()
        call = self._stub.MeasurePictures(request, metadata=(("application", "rendering"),))
        answer = await rpc.call("rendering", call)
        return answer.measures, time.perf_counter() - started


async def compare() -> list[Figure]:
    """All figures from one service."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))
        async with service("rendering", folder) as address, rpc.channel(address) as peer:
            client = Client(peer, store)
            single, _ = await client.render("single")
            await client.render("warm", min_score=0.01)
            rounds = []
            for number in range(ROUNDS):
                _, plain = await client.render(f"plain-{number}")
                _, scored = await client.render(f"scored-{number}", min_score=0.01)
                rounds.append((plain, scored))
            best, four = await client.render("best", attempts=4)
            before, _ = await client.measure(single, PICTURES)
            after, _ = await client.measure(best, PICTURES)
            _, seconds = await client.measure(single, MOVIE)
    plain = statistics.median(one for one, _ in rounds)
    return [
        Figure(
            "rendering with every picture scored",
            "the same without",
            tuple(scored / plain for plain, scored in rounds),
            unit="of the speed",
            bound=0.8,
        ),
        Figure("best of 4: frames a second", "a quarter of single ones", (4 * four / plain,), unit="of it", bound=0.8),
        Figure(
            "CLIP-Score with the text, best of 4",
            f"single pictures: {before.text_score:.3f}",
            (after.text_score,),
            bound=before.text_score,
            details={"single": list(before.scores), "best": list(after.scores)},
        ),
        Figure(f"measuring {MOVIE} frames", "with 10 references", (seconds,), unit="s", bound=60.0, at_least=False),
    ]


def measure() -> list[Figure]:
    """What scoring costs, what the best of four brings, how long a movie's figures take."""
    return asyncio.run(compare())
