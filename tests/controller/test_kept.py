"""What many requests carry is converted once, and only the last are kept."""

from moviellm import wire
from moviellm.artifacts import digest
from moviellm.controller.grpc_stages import GrpcStages
from moviellm.controller.kept import kept
from moviellm.dataset import MovieDatasetSpec, Stage
from moviellm.movie import Chapter, Frame, Outline, Scene, Style
from moviellm.v1 import movie_pb2, question_service_pb2, scripting_service_pb2


def test_each_value_is_converted_once_while_it_is_among_the_last():
    asked = []

    @kept(2)
    def convert(value):
        asked.append(value[0])
        return [value[0]]

    first, equal, third = ["a"], ["a"], ["c"]
    assert convert(first) is convert(first)
    assert convert(equal) is not convert(first), "equal values are not the same value"
    assert asked == ["a", "a"]
    convert(third)
    assert convert(first) == ["a"]
    assert asked == ["a", "a", "c"], "the one that was not asked for longest has gone"
    convert(equal)
    assert asked == ["a", "a", "c", "a"]


class Listening:
    """A channel that keeps what is sent and answers with nothing."""

    def __init__(self):
        self.sent = {}

    def unary_unary(self, method, **named):
        async def call(request, **given):
            self.sent[method.rpartition("/")[2]] = request
            return named["response_deserializer"](b"")

        return call

    unary_stream = unary_unary


async def test_a_request_put_together_from_kept_bytes_is_the_message_to_the_last_byte():
    channel, spec = Listening(), MovieDatasetSpec("a storm")
    stages = GrpcStages(dict.fromkeys(Stage, channel), application="")
    outline = Outline("The Light", "a storm", "overview", Style("noir", ("hard shadows",)), ("harbor",), (), ())
    chapter, scene = Chapter(1, ()), Scene(1, 2, (Frame(1, "a pier"),))
    whole = {"outline": wire.to_message(outline, movie_pb2.Outline), "chapter": movie_pb2.Chapter(number=1)}
    for _ in range(2):
        made = await stages.write_scene(spec, outline, chapter, 2, 7)
        expected = scripting_service_pb2.WriteSceneRequest(
            **whole, scene=2, frames=spec.frames, dialogue_lines=spec.dialogue_lines, seed=7
        ).SerializeToString(deterministic=True)
        assert channel.sent["WriteScene"] == expected
        assert made.made_from == digest(expected)
        await stages.ask_scene(spec, outline, chapter, scene, 7)
        expected = question_service_pb2.AskSceneRequest(
            **whole,
            scene=wire.to_message(scene, movie_pb2.Scene),
            shape=wire.to_message(spec.shape, movie_pb2.Shape),
            seed=7,
        ).SerializeToString(deterministic=True)
        assert channel.sent["AskScene"] == expected
