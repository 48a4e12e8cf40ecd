"""What is exported is what the design names, what the page says, and what processes tell of themselves."""

import asyncio
import contextlib
import urllib.request

import prometheus_client
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from metrics_page import PAGE, families, page, rules
from prometheus_client import CollectorRegistry

from moviellm import errors, rpc
from moviellm.controller.metrics import Metrics
from moviellm.controller.progress import Progress
from moviellm.dataset import MovieDatasetSpec, Stage
from moviellm.movie import Work
from moviellm.telemetry import counted_call, serve_metrics

DESIGN = {
    "moviellm_stage_items_total": ("stage", "node_pool", "outcome"),
    "moviellm_stage_items_in_progress": ("stage", "node_pool"),
    "moviellm_stage_queue_depth": ("stage",),
    "moviellm_stage_duration_seconds": ("stage", "node_pool"),
    "moviellm_stage_last_success_timestamp_seconds": ("stage",),
    "moviellm_frames_total": ("node_pool", "outcome"),
    "moviellm_gpu_seconds_total": ("node_pool", "tenant"),
    "moviellm_llm_tokens_total": ("kind", "model"),
    "moviellm_datasets": ("state",),
}
SPEC = MovieDatasetSpec("a storm", movies=1, chapters=2, scenes=2, frames=3)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.mark.parametrize("name", DESIGN)
def test_the_figures_are_named_as_designed(name):
    assert families()[name][1] == DESIGN[name]


def test_no_label_holds_an_id():
    names = {label for _, labels, _ in families().values() for label in labels}
    assert names <= {
        *("stage", "node_pool", "outcome", "reason", "tenant", "kind", "model", "state"),
        *("method", "service", "version"),
    }


def test_the_page_has_not_drifted():
    assert page(PAGE.read_text()) == PAGE.read_text(), "run python tests/metrics_page.py"


def test_the_page_explains_every_rule_and_tells_what_to_do_about_every_alert():
    text = PAGE.read_text()
    sections = {part.partition("\n")[0]: part for part in text.split("\n### ")[1:]}
    for rule in rules():
        if "record" in rule:
            assert f"| `{rule['record']}` |" in text, rule["record"]
        else:
            assert len(sections[rule["alert"]].split()) > 30, rule["alert"]
            assert f"docs/metrics.md#{rule['alert'].lower()}" in rule["annotations"]["runbook"]
    names = {rule.get("record") or rule["alert"] for rule in rules()}
    told = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `moviellm:")}
    assert told | set(sections) == names, "the page names what is not there"


def test_tokens_cost_what_the_prices_say(registry):
    metrics = Metrics(registry, prices={"m": (1.0, 5.0)})
    metrics.succeeded(
        Stage.SCRIPTING, Work(model="m", prompt_tokens=2_000_000, completion_tokens=400_000), tenant="films"
    )
    metrics.succeeded(Stage.QA, Work(model="free", prompt_tokens=7, completion_tokens=0), tenant="films")
    value = registry.get_sample_value
    assert value("moviellm_llm_cost_total", {"kind": "prompt", "model": "m"}) == 2
    assert value("moviellm_llm_cost_total", {"kind": "completion", "model": "m"}) == 2
    assert value("moviellm_llm_tokens_total", {"kind": "prompt", "model": "free"}) == 7
    assert value("moviellm_llm_cost_total", {"kind": "prompt", "model": "free"}) == 0


def test_gpu_seconds_are_counted_by_pool_stage_and_tenant(registry):
    metrics = Metrics(registry)
    metrics.succeeded(Stage.RENDERING, Work("a100", seconds=3, gpu_seconds=2), tenant="films")
    metrics.held_gpus(Stage.INVERSION, Work("a100", gpu_seconds=0.5), tenant="films")
    value = registry.get_sample_value
    assert value("moviellm_gpu_seconds_total", {"node_pool": "a100", "tenant": "films"}) == 2.5
    assert value("moviellm_stage_gpu_seconds_total", {"node_pool": "a100", "stage": "inversion"}) == 0.5
    assert (
        value("moviellm_stage_items_total", {"node_pool": "a100", "stage": "inversion", "outcome": "success"}) is None
    )


def test_only_running_datasets_count_as_work_to_do(registry):
    metrics = Metrics(registry)
    value = registry.get_sample_value
    frames = {"stage": "rendering"}
    assert value("moviellm_stage_units_wanted", frames) == 0
    one, two = Progress(SPEC), Progress(SPEC)
    with metrics.running(one), metrics.running(two):
        one.made(Stage.RENDERING)
        assert value("moviellm_stage_units_wanted", frames) == 24
        assert value("moviellm_stage_units_made", frames) == 1
    assert value("moviellm_stage_units_wanted", frames) == value("moviellm_stage_units_made", frames) == 0


@pytest.mark.parametrize(
    ("error", "succeeded", "failed"),
    [(None, 1, 0), (errors.Denied("no"), 0, 1), (ZeroDivisionError(), 0, 1), (asyncio.CancelledError(), 0, 0)],
)
def test_runs_are_counted_by_their_end_unless_they_are_stopped(registry, error, succeeded, failed):
    metrics = Metrics(registry)
    with contextlib.suppress(BaseException), metrics.running(Progress(SPEC)):
        if error:
            raise error
    value = registry.get_sample_value
    assert value("moviellm_datasets_ended_total", {"outcome": "succeeded"}) == succeeded
    assert value("moviellm_datasets_ended_total", {"outcome": "failed"}) == failed


def test_what_alerts_wait_for_is_there_before_it_happens(registry):
    """The first failure is an increase from 0, not a new series that increases nothing."""
    Metrics(registry)
    value = registry.get_sample_value
    assert value("moviellm_stage_errors_total", {"stage": "qa", "reason": "LLM_CREDIT_SPENT"}) == 0
    assert value("moviellm_stage_items_total", {"stage": "export", "node_pool": "", "outcome": "failure"}) == 0
    assert value("moviellm_stage_last_success_timestamp_seconds", {"stage": "export"}) == 0


# ---- processes ----


def calls(method, outcome):
    return (
        prometheus_client.REGISTRY.get_sample_value("moviellm_calls_total", {"method": method, "outcome": outcome}) or 0
    )


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (errors.Unavailable("later"), "temporary"),
        (errors.InvalidInput("theme", "must not be empty"), "permanent"),
        (errors.Broken("oh"), "broken"),
        (ZeroDivisionError(), "broken"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_calls_are_counted_by_how_they_ended(error, outcome):
    before = calls("Counted", outcome)
    progress = "moviellm_calls_in_progress", {"method": "Counted"}
    with contextlib.suppress(BaseException), counted_call("Counted"):
        assert prometheus_client.REGISTRY.get_sample_value(*progress) == 1
        if error:
            raise error
    assert calls("Counted", outcome) == before + 1
    assert prometheus_client.REGISTRY.get_sample_value(*progress) == 0


class Context:
    def invocation_metadata(self):
        return ()

    async def abort_with_status(self, status):
        raise LookupError(status.code)


class Servicer:
    @rpc.method
    async def Unary(self, request, context):
        return request.value.upper()

    @rpc.method
    async def Streaming(self, request, context):
        for letter in request.value:
            yield letter
        raise errors.Unavailable("that was all")


async def test_every_method_of_every_service_counts_its_calls():
    servicer = Servicer()
    ok, temporary, cancelled = calls("Unary", "ok"), calls("Streaming", "temporary"), calls("Streaming", "cancelled")
    assert await servicer.Unary(StringValue(value="abc"), Context()) == "ABC"
    with pytest.raises(LookupError):
        async for _ in servicer.Streaming(StringValue(value="abc"), Context()):
            pass
    left_early = servicer.Streaming(StringValue(value="abc"), Context())
    assert await anext(left_early) == "a"
    await left_early.aclose()
    assert calls("Unary", "ok") == ok + 1
    assert calls("Streaming", "temporary") == temporary + 1
    assert calls("Streaming", "cancelled") == cancelled + 1


async def test_a_process_says_what_it_is_and_where(tmp_path):
    port = serve_metrics("127.0.0.1:0", service="tests", node_pool="gpu-l4")

    def scrape():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.read().decode()

    text = await asyncio.to_thread(scrape)
    assert 'moviellm_service_info{node_pool="gpu-l4",service="tests",version="' in text
    assert "process_resident_memory_bytes" in text
    assert "_created{" not in text, "half of the series would be times of birth"
