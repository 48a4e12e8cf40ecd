"""The health check of containers, against a real server."""

import os
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

HEALTHY = Path(__file__).parents[2] / "docker" / "healthy.py"
STATUS = health_pb2.HealthCheckResponse


def ask(**environ):
    done = subprocess.run(
        [sys.executable, HEALTHY],
        env=os.environ | {"SERVICE": "qa"} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.strip()


@pytest.fixture
def server():
    servicer = health.HealthServicer()
    running = grpc.server(futures.ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, running)
    servicer.port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    yield servicer
    running.stop(None)


def test_a_service_that_serves_is_healthy(server):
    server.set("", STATUS.SERVING)
    assert ask(MOVIELLM_QA_LISTEN=f"0.0.0.0:{server.port}") == (0, "")


def test_one_that_lives_but_cannot_work_is_not(server):
    server.set("", STATUS.NOT_SERVING)
    assert ask(MOVIELLM_QA_LISTEN=f"0.0.0.0:{server.port}") == (1, "not serving")


def test_health_of_its_own_is_asked_where_there_is_one(server):
    server.set("", STATUS.SERVING)
    assert ask(MOVIELLM_QA_LISTEN="0.0.0.0:1", MOVIELLM_QA_HEALTH_LISTEN=f"0.0.0.0:{server.port}") == (0, "")


def test_nobody_there_is_no_health():
    assert ask(MOVIELLM_QA_LISTEN="0.0.0.0:1") == (1, "StatusCode.UNAVAILABLE")
