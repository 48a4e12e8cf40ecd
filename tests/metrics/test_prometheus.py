"""A real Prometheus scrapes a controller while it works, and its answers are the numbers that the run really had."""

import asyncio
import json
import subprocess
import urllib.parse
import urllib.request
from dataclasses import replace

import prometheus_client
import pytest
import yaml
from fake_stages import FakeStages
from metrics_page import CHART

from moviellm import errors
from moviellm.artifacts import ArtifactStore
from moviellm.controller.lanes import Lanes
from moviellm.controller.look_work import LookOptions
from moviellm.controller.metrics import Metrics
from moviellm.controller.policy import RetryPolicy
from moviellm.controller.registry import Registry
from moviellm.controller.workshop import Workshop
from moviellm.dataset import MovieDatasetSpec, Stage
from moviellm.movie import Work
from moviellm.rendering.ports import free_port
from moviellm.settings import StoreSettings
from moviellm.telemetry import serve_metrics

SPEC = MovieDatasetSpec("a storm", movies=1, chapters=2, scenes=2, frames=3)
FRAMES = 12
GPU_SECONDS = 0.125
"""Of one picture."""
TOKENS = 100
"""Prompt and completion tokens each of a chapter or scene."""
PRICES = {"fake": (1000.0, 5000.0)}
GPU_HOUR = 3.6
PATIENCE = 60


class PooledStages(FakeStages):
    """Scripts and questions come from pool cpu, pictures from pool gpu-l4."""

    def _made(self, value, model="fake", tokens=0):
        made = super()._made(value, model, tokens)
        return replace(made, work=replace(made.work, node_pool="cpu"))

    async def _pictures(self, orders, call):
        async for picture in super()._pictures(orders, call):
            held = 0.0 if picture.existed else GPU_SECONDS
            yield replace(picture, work=Work("gpu-l4", seconds=0.2, gpu_seconds=held, model="fake"))


class Run:
    """A controller's registry over stages in memory, and its figures over HTTP."""

    def __init__(self, folder):
        self.store = store = ArtifactStore.open(StoreSettings(url=f"file://{folder}"))
        self.stages = PooledStages(store)
        self.stages.tokens = TOKENS
        self.figures = registry = prometheus_client.CollectorRegistry()
        metrics = Metrics(registry, prices=PRICES)
        workshop = Workshop(
            store=store,
            stages=self.stages,
            lanes=Lanes(dict.fromkeys(Stage, 2), metrics=metrics),
            policy=RetryPolicy(first=0.01, longest=0.05, default_patience=5.0),
            metrics=metrics,
            look_options=LookOptions(references=3, inversion_steps=0),
            negative_prompt="",
            movies_in_flight=1,
        )
        self.registry = Registry(
            store=store, make=workshop.make, datasets_in_flight=2, on_states=metrics.count_datasets
        )
        self.server, _ = prometheus_client.start_http_server(0, addr="127.0.0.1", registry=registry)

    @property
    def port(self):
        return self.server.server_port

    async def make(self, name):
        dataset = await self.registry.create(name, SPEC)
        await dataset.task


class Prometheus:
    """A process of its own; `ask` is an instant query's answer as {label values: number}."""

    def __init__(self, binary, folder, targets):
        self.address = f"127.0.0.1:{free_port()}"
        price = {"record": "moviellm:gpu_hour_price", "expr": f"vector({GPU_HOUR})", "labels": {"node_pool": "gpu-l4"}}
        (folder / "prices.yaml").write_text(yaml.dump({"groups": [{"name": "moviellm-prices", "rules": [price]}]}))
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(CHART / "rules" / "*.yaml"), str(folder / "prices.yaml")],
            "scrape_configs": [{"job_name": "moviellm", "static_configs": [{"targets": targets}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.dump(config))
        self.log = folder / "prometheus.log"
        self.process = subprocess.Popen(
            [
                *(binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"),
                *(f"--web.listen-address={self.address}", "--log.level=warn"),
            ],
            stderr=self.log.open("w"),
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def _get(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    async def ask(self, query):
        found = await asyncio.to_thread(self._get, "/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        return {
            "/".join(one["metric"][name] for name in sorted(one["metric"]) if name != "__name__"): float(
                one["value"][1]
            )
            for one in found["result"]
        }

    async def becomes(self, query, expected):
        """Wait until the query's answer is as expected; what it was at last is told when it never is."""
        answer = None
        for _ in range(PATIENCE * 4):
            try:
                answer = await self.ask(query)
            except OSError as error:
                answer = f"{error}; {self.log.read_text()[-2000:]}"
            else:
                if answer == pytest.approx(expected, rel=1e-6):
                    return
            await asyncio.sleep(0.25)
        raise AssertionError(f"{query} stays {answer}, not {expected}")


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path / "store")
    yield made
    made.server.shutdown()
    made.server.server_close()


async def test_its_answers_are_the_numbers_of_the_run(prometheus, run, tmp_path):
    await run.make("first")  # before the first scrape, so that all series are born in the same one
    process = serve_metrics("127.0.0.1:0", service="controller", node_pool="cpu")
    server = Prometheus(prometheus, tmp_path, [f"127.0.0.1:{run.port}", f"127.0.0.1:{process}"])
    try:
        await a_finished_dataset(server, run)
        await one_at_work(server, run)
        await its_pace_and_cost(server, run)
        await one_that_fails(server, run)
    finally:
        await run.registry.close()
        server.stop()


async def a_finished_dataset(server, run):
    calls = run.stages.calls
    await server.becomes("sum(moviellm_frames_total{outcome='rendered'})", {"": FRAMES})
    await server.becomes(
        "sum by (stage, node_pool) (moviellm_stage_items_total{outcome='success'})",
        {
            "cpu/scripting": sum(n for call, n in calls.items() if call.startswith(("outline", "chapter ", "scene "))),
            "cpu/qa": sum(n for call, n in calls.items() if call.startswith(("ask ", "review"))),
            "cpu/export": calls["export 1"] + calls["finish"],
            "gpu-l4/rendering": SPEC.chapters * SPEC.scenes,
            "cpu/rendering": 1,  # the movie's figures
            "local/inversion": calls["style"],
        },
    )
    await server.becomes("sum by (node_pool) (moviellm_scenes_total)", {"gpu-l4": SPEC.chapters * SPEC.scenes})
    pictures = calls["picture"]
    assert pictures == FRAMES + 3, "the style's references held the GPU too"
    await server.becomes(
        "sum by (node_pool, tenant) (moviellm_gpu_seconds_total) > 0", {"gpu-l4/default": pictures * GPU_SECONDS}
    )
    asked = calls["chapter 1"] + calls["chapter 2"] + SPEC.chapters * SPEC.scenes
    await server.becomes(
        "sum by (kind, model) (moviellm_llm_tokens_total)",
        {"prompt/fake": asked * TOKENS, "completion/fake": asked * TOKENS},
    )
    await server.becomes("sum by (model) (moviellm_llm_cost_total)", {"fake": asked * TOKENS * 6000 / 1e6})
    await server.becomes("sum by (state) (moviellm_datasets) > 0", {"succeeded": 1})
    await server.becomes("sum by (node_pool) (moviellm:processes:count{service='controller'})", {"cpu": 1})


async def one_at_work(server, run):
    """A dataset that is held half-way shows what is done, what waits and what is under way."""
    run.stages.closes_after = run.stages.calls["picture"] + 5
    work = asyncio.create_task(run.make("second"))
    await run.stages.closed.wait()
    await asyncio.sleep(0.5)  # pictures that were past the gate already
    progress = run.registry.get("second").progress
    done, under_way = progress.done[Stage.RENDERING], progress.in_progress[Stage.RENDERING]
    whole = len([entry async for entry in run.store.list("datasets/second/work") if "/rendered/" in entry.key])
    assert 5 <= done < FRAMES
    await server.becomes("sum(moviellm_stage_units_wanted{stage='rendering'})", {"": FRAMES})
    await server.becomes("moviellm:stage_units_remaining:sum{stage='rendering'}", {"rendering": FRAMES - done})
    await server.becomes("sum(moviellm_stage_items_in_progress{stage='rendering'})", {"": under_way})
    await server.becomes("moviellm:stage_backlog:sum{stage='rendering'}", {"rendering": 4 - whole})
    await server.becomes("moviellm:stage_queue_depth:sum{stage='rendering'}", {"rendering": 4 - whole - under_way})
    await server.becomes("sum by (state) (moviellm_datasets) > 0", {"running": 1, "succeeded": 1})
    run.stages.closes_after = None
    run.stages.gate.set()
    await work


async def its_pace_and_cost(server, run):
    await server.becomes("moviellm:frames_per_gpu:rate15m", {"gpu-l4": 1 / GPU_SECONDS})
    await server.becomes(
        "moviellm:gpu_cost_per_thousand_frames:rate1h", {"gpu-l4": 1000 * GPU_SECONDS * GPU_HOUR / 3600}
    )
    llm = 6 * TOKENS * 6000 / 1e6 / FRAMES * 1000
    await server.becomes("moviellm:llm_cost_per_thousand_frames:rate1h", {"": llm})
    await server.becomes("moviellm:cost_per_thousand_frames:rate1h", {"": llm + GPU_SECONDS})
    assert (await server.ask("moviellm:frames:rate5m"))["gpu-l4"] > 0
    assert not await server.ask("ALERTS{alertstate='firing'}")


async def one_that_fails(server, run):
    run.stages.fail = {"chapter 1": [errors.Denied("the key is refused", reason="LLM_UNAUTHORIZED")]}
    await run.make("third")
    await server.becomes("sum(moviellm_datasets_ended_total{outcome='failed'})", {"": 1})
    await server.becomes(
        "sum by (reason) (moviellm_stage_errors_total{stage='scripting'}) > 0", {"LLM_UNAUTHORIZED": 1}
    )
    await server.becomes(
        "count by (alertname) (ALERTS{alertstate='firing'})",
        {"MovieLLMLanguageModelRefuses": 1, "MovieLLMDatasetsFailing": 1},
    )


async def test_gpu_seconds_of_a_scene_that_fails_half_way_are_counted_once(run):
    """Its pictures lie in the store when it is tried again, and nobody holds a GPU for them then."""
    original, failing = run.stages.render_scene, [errors.Unavailable("a replica died")]

    async def dying(orders, looks, options):
        async for picture in original(orders, looks, options):
            yield picture
            if failing and picture.number == 2:
                raise failing.pop()

    run.stages.render_scene = dying
    await run.make("first")
    value = run.figures.get_sample_value
    pictures = run.stages.calls["picture"]
    assert not failing
    assert pictures == FRAMES + 3
    assert value("moviellm_frames_total", {"node_pool": "gpu-l4", "outcome": "existed"}) == 2
    assert value("moviellm_frames_total", {"node_pool": "gpu-l4", "outcome": "rendered"}) == FRAMES
    of_rendering = {"stage": "rendering", "node_pool": "gpu-l4"}
    assert value("moviellm_stage_gpu_seconds_total", of_rendering) == pytest.approx(pictures * GPU_SECONDS)
    assert value("moviellm_stage_errors_total", {"stage": "rendering", "reason": "UNAVAILABLE"}) == 1


async def test_promtool_finds_nothing_wrong_with_what_is_exported(promtool, run):
    await run.make("first")
    for port in (run.port, serve_metrics("127.0.0.1:0", service="tests", node_pool="cpu")):
        assert await asyncio.to_thread(complaints, promtool, port) == ""
    await run.registry.close()


def complaints(promtool, port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read()
    assert b"moviellm_" in text
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()
