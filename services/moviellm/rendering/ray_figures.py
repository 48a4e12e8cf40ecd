"""The service's metrics endpoint: its own figures and those of its Ray, whose agent listens on 127.0.0.1 alone."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import prometheus_client

TIMEOUT = 5.0
"""Seconds that Ray's agent may take; Prometheus itself waits 10 by default."""


class RayFigures:
    """Answers /metrics at `address` ("host:port"; port 0 takes a free one) out of this process and out of Ray's agent.

    An agent that does not answer leaves this process's figures alone, so that a scrape says that the service lives.
    """

    def __init__(self, address: str, agent_port: int) -> None:
        figures = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = prometheus_client.generate_latest() + figures.of_agent()
                self.send_response(http.client.OK)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        host, _, port = address.rpartition(":")
        self._agent_port = agent_port
        self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_port)

    def of_agent(self) -> bytes:
        """What the agent says; nothing while it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._agent_port, timeout=TIMEOUT)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()
        return body if answer.status == http.client.OK else b""

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
