"""The rendering service's endpoint passes on what Ray's agent says, and lives without it."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from moviellm.rendering.ports import free_port
from moviellm.rendering.ray_figures import RayFigures
from moviellm.telemetry import say_where

OF_RAY = b'# TYPE ray_moviellm_pictures_total counter\nray_moviellm_pictures_total{node_pool="gpu"} 7.0\n'


class Agent:
    def __init__(self, status):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(OF_RAY)))
                self.end_headers()
                self.wfile.write(OF_RAY)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read()


@pytest.fixture
def endpoint():
    made = []

    def make(agent_port):
        made.append(RayFigures("127.0.0.1:0", agent_port))
        return made[-1].port

    yield make
    for figures in made:
        figures.close()


@pytest.mark.parametrize(("status", "passed_on"), [(200, True), (500, False)])
def test_rays_figures_stand_beside_the_services_own(endpoint, status, passed_on):
    say_where("rendering", "gpu")
    agent = Agent(status)
    text = scrape(endpoint(agent.port))
    agent.server.shutdown()
    agent.server.server_close()
    assert (OF_RAY in text) is passed_on
    assert b'moviellm_service_info{node_pool="gpu",service="rendering"' in text


def test_without_an_agent_the_service_still_lives(endpoint):
    assert b"process_cpu_seconds_total" in scrape(endpoint(free_port()))
