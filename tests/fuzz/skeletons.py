"""A good request for each RPC, written by the services themselves; RPCs that are not named here begin from nothing."""

import importlib
import json
import pkgutil
from dataclasses import asdict, dataclass, replace
from typing import Any

import grpc
import hostile
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import moviellm.v1
from moviellm import wire
from moviellm.artifacts import digest
from moviellm.movie import Chapter, Outline, Scene
from moviellm.v1 import export_service_pb2, inversion_service_pb2, movie_pb2, question_service_pb2
from moviellm.v1 import movie_dataset_service_pb2 as dataset_pb
from moviellm.v1 import rendering_service_pb2 as rendering_pb
from moviellm.v1 import scripting_service_pb2 as scripting_pb


@dataclass(frozen=True)
class Method:
    """One RPC."""

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    streams: bool

    @property
    def path(self) -> str:
        """As gRPC calls it."""
        return f"/{self.service}/{self.name}"

    def on(self, channel: grpc.Channel) -> Any:
        """Calls it with bytes, whole requests or not."""
        kind = channel.unary_stream if self.streams else channel.unary_unary
        return kind(self.path, request_serializer=None, response_deserializer=self.response.FromString)


def methods() -> list[Method]:
    """Every RPC of the contract."""
    found = []
    for module in pkgutil.iter_modules(moviellm.v1.__path__):
        if not module.name.endswith("_pb2"):
            continue
        descriptor = importlib.import_module(f"moviellm.v1.{module.name}").DESCRIPTOR
        for service in descriptor.services_by_name.values():
            for method in service.methods:
                request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
                found.append(Method(service.full_name, method.name, request, response, method.server_streaming))
    return found


class Skeletons:
    """Good requests, and plots to spoil."""

    def __init__(self, ask: Any, root: str) -> None:
        self._root = root
        shape = movie_pb2.Shape(chapters=2, scenes=2, frames=2)
        outline = ask(scripting_pb.WriteOutlineRequest(theme="a storm at sea", chapters=2, seed=1)).outline
        chapter = ask(scripting_pb.WriteChapterRequest(outline=outline, chapter=1, scenes=2, seed=1)).chapter
        scene = ask(
            scripting_pb.WriteSceneRequest(
                outline=outline, chapter=chapter, scene=1, frames=2, dialogue_lines=2, seed=1
            )
        ).scene
        about = {"outline": outline, "shape": shape, "seed": 1}
        questions = ask(question_service_pb2.AskMovieRequest(**about)).questions
        self.plots = hostile.plots(_script(outline, chapter, scene))
        self._good = {
            type(request): request
            for request in (
                *self._datasets(),
                *self._pictures(),
                *self._exports(),
                scripting_pb.WriteOutlineRequest(theme="a storm", chapters=2, seed=1),
                scripting_pb.WriteChapterRequest(outline=outline, chapter=1, scenes=2, seed=1),
                scripting_pb.WriteSceneRequest(
                    outline=outline, chapter=chapter, scene=1, frames=2, dialogue_lines=2, seed=1
                ),
                scripting_pb.ImportPlotRequest(plot=self.plots[0], theme="a storm", shape=movie_pb2.Shape(), seed=1),
                scripting_pb.EstimatePlotRequest(theme="a storm", shape=shape, dialogue_lines=2),
                question_service_pb2.AskMovieRequest(**about),
                question_service_pb2.AskChapterRequest(chapter=chapter, **about),
                question_service_pb2.AskSceneRequest(chapter=chapter, scene=scene, **about),
                question_service_pb2.AskOrderRequest(chapters=[chapter], scenes=[scene], **about),
                question_service_pb2.ReviewQuestionsRequest(outline=outline, questions=questions),
                question_service_pb2.EstimateQuestionsRequest(theme="a storm", shape=shape, dialogue_lines=2),
                question_service_pb2.JudgeRequest(
                    question="Who?", reference="Ann.", candidate="It is Ann.", baseline="Bob."
                ),
            )
        }

    def of(self, kind: type[Message]) -> Message:
        """A good request of this type; an empty one where none is known."""
        return self._good.get(kind, kind())

    def _datasets(self) -> list[Message]:
        name = "movieDatasets/fuzz"
        spec = dataset_pb.MovieDatasetSpec(theme="a storm at sea", movies=1, chapters=2, scenes=2, frames=2)
        return [
            dataset_pb.CreateMovieDatasetRequest(spec=spec),
            dataset_pb.GetMovieDatasetRequest(name=name),
            dataset_pb.ListMovieDatasetsRequest(page_size=5),
            dataset_pb.CancelMovieDatasetRequest(name=name),
            dataset_pb.RetryMovieDatasetRequest(name=name, max_llm_tokens=10),
            dataset_pb.DeleteMovieDatasetRequest(name="movieDatasets/nobody"),
            dataset_pb.WatchMovieDatasetRequest(name=name),
            dataset_pb.ListArtifactsRequest(parent=name, page_size=5),
            dataset_pb.DownloadArtifactRequest(parent=name, path="index.html"),
        ]

    def _pictures(self) -> list[Message]:
        uri = f"{self._root}/references/1.png"
        stored = movie_pb2.StoredFile(uri=uri, digest=digest(hostile.pictures()[0]), size_bytes=10)
        order = rendering_pb.PictureOrder(number=1, prompt="a room", seed=1, uri=f"{self._root}/frames/1.jpg")
        style = movie_pb2.Style(keyword="gothic", phrases=["dark halls"], adjectives=["gloomy"])
        return [
            rendering_pb.RenderSceneRequest(pictures=[order], options=rendering_pb.RenderOptions(steps=2)),
            rendering_pb.RenderReferencesRequest(pictures=[order]),
            rendering_pb.MeasurePicturesRequest(pictures=[stored], texts=["a room"], references=[stored]),
            inversion_service_pb2.LearnStyleRequest(
                style=style, references=[stored] * 3, output_uri=f"{self._root}/styles/x", seed=1
            ),
        ]

    @staticmethod
    def _exports() -> list[Message]:
        spec = dataset_pb.MovieDatasetSpec(
            theme="a storm", movies=1, chapters=2, scenes=2, frames=2, seed=1, frames_per_second=1, dialogue_lines=2
        )
        spec.style.method = dataset_pb.STYLE_METHOD_PROMPT
        return [
            export_service_pb2.ExportMovieRequest(movie_dataset_id="nobody", spec=spec, movie=1),
            export_service_pb2.FinishDatasetRequest(movie_dataset_id="nobody", spec=spec),
        ]


def _script(outline: Message, chapter: Message, scene: Message) -> dict[str, Any]:
    """The script layout of a requester's own plot."""
    told = wire.from_message(scene, Scene)
    parts = {
        "outline": asdict(wire.from_message(outline, Outline)),
        "chapters": [asdict(wire.from_message(chapter, Chapter))],
        "scenes": [asdict(told), asdict(replace(told, number=2))],
    }
    return json.loads(json.dumps(parts))
