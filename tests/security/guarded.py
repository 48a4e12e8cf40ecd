"""A small server behind whatever guards it, and calls to it."""

import json

from grpc_health.v1 import health_pb2, health_pb2_grpc

from moviellm import rpc
from moviellm.security.identity import caller
from moviellm.security.tokens import digest_of
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

NAME = pb.DESCRIPTOR.services_by_name["QuestionService"].full_name


class Asker(pb_grpc.QuestionServiceServicer):
    """Remembers whom each call acted for."""

    def __init__(self):
        self.callers = []

    @rpc.method
    async def AskMovie(self, request, context):
        self.callers.append(caller())
        return pb.AskMovieResponse()


def server_of(asker, security, listen="127.0.0.1:0"):
    add = pb_grpc.add_QuestionServiceServicer_to_server
    return rpc.Server(
        [rpc.Registration(NAME, lambda server: add(asker, server))], listen=listen, check_every=0.05, security=security
    )


async def ask(channel, **options):
    return await rpc.call("qa", pb_grpc.QuestionServiceStub(channel).AskMovie(pb.AskMovieRequest(), **options))


async def health(channel):
    return (await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)).status


def write_tokens(path, *entries):
    """A tokens file of (token, tenant, role)."""
    tokens = [{"sha256": digest_of(token), "tenant": tenant, "role": role} for token, tenant, role in entries]
    path.write_text(json.dumps({"tokens": tokens}))
    return str(path)


def bearer(token):
    return (("authorization", f"Bearer {token}"),)
