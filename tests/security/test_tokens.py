"""Bearer tokens over real gRPC: checked first, on every method, and never told."""

from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from guarded import NAME, Asker, ask, bearer, health, server_of, write_tokens

from moviellm import errors, rpc
from moviellm.controller.grpc_stages import GrpcStages
from moviellm.dataset import MovieDatasetSpec, Stage
from moviellm.movie import Outline, Style
from moviellm.rpc.serving import OPEN
from moviellm.security.identity import ANYONE, Principal, Role
from moviellm.security.secured_channel import Peer
from moviellm.security.tokens import ServiceToken, StaticTokens

OLD, NEW, WRONG = ("a" * 32, "b" * 32, "c" * 32)


@pytest.fixture
def asker():
    return Asker()


@pytest.fixture
async def serve(asker):
    started = []

    async def start(guard, **more):
        server = server_of(asker, replace(OPEN, guard=guard, **more))
        await server.start()
        started.append(server)
        return rpc.channel(f"127.0.0.1:{server.port}")

    yield start
    for server in started:
        await server.stop()


@pytest.fixture
def tokens(tmp_path):
    return write_tokens(tmp_path / "tokens.json", (OLD, "films", "writer"), (NEW, "toons", "reader"))


async def test_a_token_tells_who_calls(serve, asker, tokens):
    async with await serve(StaticTokens(tokens)) as channel:
        await ask(channel, metadata=bearer(OLD))
        await ask(channel, metadata=(("authorization", f"bearer {NEW}"),))
    assert asker.callers == [Principal("films", Role.WRITER), Principal("toons", Role.READER)]


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ((), "send the metadata"),
        ((("authorization", ""),), "send the metadata"),
        ((("authorization", "Bearer "),), "send the metadata"),
        ((("authorization", f"Basic {OLD}"),), "send the metadata"),
        (bearer(WRONG), "not known"),
        (bearer(OLD[:-1]), "not known"),
        (bearer(OLD + " "), None),
        (bearer(f"{OLD} {NEW}"), "not known"),
    ],
)
async def test_without_a_known_token_nobody_gets_in(serve, asker, tokens, metadata, told):
    async with await serve(StaticTokens(tokens)) as channel:
        if told is None:
            await ask(channel, metadata=metadata)
            return
        with pytest.raises(errors.Unauthenticated, match=told) as caught:
            await ask(channel, metadata=metadata)
    assert caught.value.reason == "UNAUTHENTICATED"
    assert asker.callers == []


async def test_the_token_is_asked_for_before_the_request_is_read(serve, tokens):
    async with await serve(StaticTokens(tokens)) as channel:
        for method in (f"/{NAME}/AskMovie", f"/{NAME}/NoSuchMethod", "/no.such.Service/Method"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(method)(b"\xff\xff no message at all", timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_reflection_wants_a_token_and_health_does_not(serve, tokens):
    async with await serve(StaticTokens(tokens)) as channel:
        assert await health(channel) in (
            health_pb2.HealthCheckResponse.SERVING,
            health_pb2.HealthCheckResponse.NOT_SERVING,
        )
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        wish = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ServerReflectionInfo(iter([wish])).read()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        answer = await stub.ServerReflectionInfo(iter([wish]), metadata=bearer(OLD)).read()
        assert NAME in {one.name for one in answer.list_services_response.service}


async def test_a_method_without_a_rule_is_open_to_nobody(serve, asker, tokens):
    async with await serve(StaticTokens(tokens), roles={}) as channel:
        with pytest.raises(errors.Denied) as caught:
            await ask(channel, metadata=bearer(OLD))
    assert caught.value.reason == "METHOD_WITHOUT_RULE"
    assert asker.callers == []


async def test_a_reader_may_not_write(serve, tokens):
    async with await serve(StaticTokens(tokens), roles={f"/{NAME}/AskMovie": Role.WRITER}) as channel:
        await ask(channel, metadata=bearer(OLD))
        with pytest.raises(errors.Denied, match="AskMovie needs the role writer; yours is reader"):
            await ask(channel, metadata=bearer(NEW))


async def test_a_changed_tokens_file_counts_at_once_and_a_broken_one_not_at_all(serve, tokens, tmp_path, capsys):
    async with await serve(StaticTokens(tokens)) as channel:
        (tmp_path / "tokens.json").write_text(f'{{"tokens": [{{"sha256": "{OLD}')
        await ask(channel, metadata=bearer(OLD))
        write_tokens(tmp_path / "tokens.json", (WRONG, "films", "reader"))
        with pytest.raises(errors.Unauthenticated):
            await ask(channel, metadata=bearer(OLD))
        await ask(channel, metadata=bearer(WRONG))
    assert "changed files are not used" in capsys.readouterr().out


async def test_tokens_are_in_no_log_and_no_error(serve, tokens, capsys):
    async with await serve(StaticTokens(tokens)) as channel:
        await ask(channel, metadata=bearer(OLD))
        with pytest.raises(errors.Unauthenticated) as caught:
            await ask(channel, metadata=bearer(WRONG))
    told = capsys.readouterr().out + str(caught.value)
    assert "refused" in told
    assert OLD not in told
    assert WRONG not in told


async def test_a_tokens_file_that_is_wrong_is_said_without_its_tokens(tmp_path):
    path = tmp_path / "tokens.json"
    path.write_text(f'{{"tokens": [{{"sha256": "{OLD}", "tenant": "films", "role": "writer"}}]}}')
    with pytest.raises(ValueError, match="sha256") as caught:
        StaticTokens(str(path))
    assert OLD not in str(caught.value)
    for tenant in ("Films", "a--b", "-a", "", "a" * 41):
        with pytest.raises(ValueError, match="tenant"):
            StaticTokens(write_tokens(path, (OLD, tenant, "writer")))


async def test_the_parts_know_each_other_by_a_shared_token(serve, asker, tmp_path):
    (tmp_path / "shared").write_text(f"{OLD}\n")
    async with await serve(ServiceToken(str(tmp_path / "shared"))) as channel:
        await ask(channel, metadata=bearer(OLD))
        with pytest.raises(errors.Unauthenticated):
            await ask(channel, metadata=bearer(NEW))
    assert asker.callers == [ANYONE]


async def test_the_shared_token_is_changed_without_a_gap(tmp_path, asker):
    here, there = tmp_path / "server", tmp_path / "client"
    here.write_text(OLD)
    there.write_text(OLD)
    server = server_of(asker, replace(OPEN, guard=ServiceToken(str(here))))
    await server.start()
    async with rpc.channel(f"127.0.0.1:{server.port}", Peer(token=ServiceToken(str(there)).to_send)) as channel:
        for file, lines in ((here, (OLD, NEW)), (there, (NEW, OLD)), (here, (NEW,)), (there, (NEW,))):
            file.write_text("\n".join(lines))
            await ask(channel)
    await server.stop()
    assert len(asker.callers) == 4


async def test_work_waits_for_a_service_that_does_not_know_the_controller_yet(serve, tmp_path):
    (tmp_path / "shared").write_text(OLD)
    async with await serve(ServiceToken(str(tmp_path / "shared"))) as channel:
        stages = GrpcStages(dict.fromkeys(Stage, channel), application="rendering")
        outline = Outline("A storm", "a storm", "…", Style("gothic"), (), (), ())
        with pytest.raises(errors.Unavailable, match="both need the same service token") as caught:
            await stages.ask_movie(MovieDatasetSpec("a storm"), outline, 1)
        assert caught.value.reason == "SERVICE_REFUSES_CONTROLLER"
