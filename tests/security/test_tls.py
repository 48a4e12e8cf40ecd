"""TLS and mTLS over real connections: who gets through, and what happens when certificates are renewed."""

from dataclasses import replace

import grpc
import pytest
from authority import Authority
from grpc_health.v1 import health_pb2, health_pb2_grpc
from guarded import NAME, Asker, ask, server_of

from moviellm import errors, rpc
from moviellm.rpc.serving import OPEN
from moviellm.security.pem import NO_FILES, PairFiles
from moviellm.security.secured_channel import Peer


@pytest.fixture
def ours(tmp_path):
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path):
    return Authority(tmp_path, "theirs")


@pytest.fixture
async def serve():
    """Starts servers; stops them at the end."""
    started = []

    async def start(security):
        server = server_of(Asker(), security)
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()


def trusting(authority, pair=NO_FILES, **more):
    return Peer(tls=True, files=replace(pair, authority=authority.file), **more)


async def reach(server, peer):
    """One call over a connection of its own."""
    async with rpc.channel(f"127.0.0.1:{server.port}", peer) as channel:
        return await ask(channel, timeout=5)


async def test_a_server_with_a_certificate_is_reached_by_those_who_trust_its_authority(serve, ours, theirs):
    server = await serve(replace(OPEN, files=ours.issue("server")))
    await reach(server, trusting(ours))
    for stranger in (trusting(theirs), Peer()):
        with pytest.raises(errors.Unavailable):
            await reach(server, stranger)


async def test_the_certificate_must_be_for_the_name_that_is_called(serve, ours):
    server = await serve(replace(OPEN, files=ours.issue("server", host="moviellm-qa")))
    with pytest.raises(errors.Unavailable):
        await reach(server, trusting(ours))
    await reach(server, trusting(ours, server_name="moviellm-qa"))


async def test_callers_need_a_certificate_of_the_right_authority(serve, ours, theirs):
    files = replace(ours.issue("server"), authority=ours.file)
    server = await serve(replace(OPEN, files=files))
    await reach(server, trusting(ours, ours.issue("controller")))
    for stranger in (trusting(ours), trusting(ours, theirs.issue("controller"))):
        with pytest.raises(errors.Unavailable):
            await reach(server, stranger)


async def test_new_certificates_are_served_without_a_restart(serve, ours, theirs):
    files = ours.issue("server")
    server = await serve(replace(OPEN, files=files))
    await reach(server, trusting(ours))
    theirs.issue("server")
    await reach(server, trusting(theirs))
    with pytest.raises(errors.Unavailable):
        await reach(server, trusting(ours))


async def test_a_pair_that_is_half_written_locks_nobody_out(serve, ours, tmp_path):
    server = await serve(replace(OPEN, files=ours.issue("server")))
    (tmp_path / "server.crt").write_text("-----BEGIN CERTIFICATE-----\nhalf")
    await reach(server, trusting(ours))
    ours.issue("server")
    await reach(server, trusting(ours))


async def test_an_open_channel_takes_up_new_certificates(serve, ours, theirs, tmp_path):
    first = await serve(replace(OPEN, files=replace(ours.issue("server"), authority=ours.file)))
    peer = trusting(ours, ours.issue("controller"))
    async with rpc.channel(f"127.0.0.1:{first.port}", peer) as channel:
        await ask(channel, timeout=5)
        theirs.issue("controller")  # which `first` does not know, so a new connection must be refused
        with pytest.raises(errors.Unavailable):
            await ask(channel, timeout=5)
        ours.issue("controller")
        await ask(channel, timeout=5)


async def test_a_call_under_way_outlives_a_renewal(serve, ours):
    server = await serve(replace(OPEN, files=ours.issue("server")))
    peer = trusting(ours, ours.issue("controller"))
    async with rpc.channel(f"127.0.0.1:{server.port}", peer) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert await watch.read()
        ours.issue("controller")
        await ask(channel, timeout=5)
        assert not watch.done()
        watch.cancel()


async def test_kubelets_ask_for_health_in_the_clear_and_for_nothing_else(serve, ours):
    files = replace(ours.issue("server"), authority=ours.file)
    server = await serve(replace(OPEN, files=files, health_listen="127.0.0.1:0"))
    async with rpc.channel(f"127.0.0.1:{server.health_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        async for answer in stub.Watch(health_pb2.HealthCheckRequest(), timeout=10):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                break
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{NAME}/AskMovie")(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_files_that_do_not_belong_together_are_said_at_the_start(ours, tmp_path):
    files = ours.issue("server")
    ours.issue("other")
    server = server_of(Asker(), replace(OPEN, files=replace(files, key=str(tmp_path / "other.key"))))
    with pytest.raises(errors.Unsatisfied, match="certificate"):
        await server.start()
    with pytest.raises(errors.Unsatisfied, match="no good"):
        rpc.channel("127.0.0.1:1", Peer(tls=True, files=PairFiles(authority=str(tmp_path / "none"))))
