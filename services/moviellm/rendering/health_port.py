"""A second port that answers health alone, in the clear, where Ray Serve's proxy speaks TLS and a kubelet does not."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from moviellm.errors import Unsatisfied


class HealthPort:
    """NOT_SERVING until the application is deployed, and again when it is taken down."""

    def __init__(self, listen: str) -> None:
        self._health = health.HealthServicer()
        self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server = grpc.server(ThreadPoolExecutor(2, "health"))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        try:
            self.port = self._server.add_insecure_port(listen)
        except RuntimeError as error:
            raise Unsatisfied(f"cannot listen on {listen}: is another process using it?") from error
        self._server.start()

    def serves(self) -> None:
        """The application is there."""
        self._health.set("", health_pb2.HealthCheckResponse.SERVING)

    def close(self) -> None:
        """Say NOT_SERVING to who asks, and stop."""
        self._health.enter_graceful_shutdown()
        self._server.stop(1.0)
