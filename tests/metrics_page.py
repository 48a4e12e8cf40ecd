"""All figures, rules and alerts, and their tables in docs/metrics.md: run it to write them."""

import re
from pathlib import Path

import prometheus_client
import yaml

from moviellm import telemetry
from moviellm.controller.metrics import Metrics
from moviellm.inversion import metrics as inversion

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "metrics.md"
CHART = ROOT / "deploy" / "helm" / "moviellm"
RAY = ROOT / "services" / "moviellm" / "rendering" / "ray_metrics.py"

PRICE = "moviellm:gpu_hour_price"
"""Recorded from the operator's prices."""


def families() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """What the controller and the processes export: name → (type, labels, help), named as Prometheus does."""
    controller = Metrics(prometheus_client.CollectorRegistry())
    found = {}
    for part in (controller, telemetry, inversion):
        for metric in vars(part).values():
            if hasattr(metric, "_labelnames"):
                family = next(iter(metric.describe()))
                name = family.name + ("_total" if family.type == "counter" else "")
                found[name] = (family.type, tuple(metric._labelnames), family.documentation)
    return found


def of_ray() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """What replicas of rendering export through Ray, which puts ray_ before the names."""
    text = RAY.read_text()
    found = {}
    for kind, name, what, tags in re.findall(r'(Counter|Gauge|Histogram)\("(\w+)", "([^"]+)", (.*)\)', text):
        own = re.findall(r'"(\w+)"', tags)
        found[f"ray_{name}"] = (kind.lower(), ("node_pool", "model", *own), what.rstrip("."))
    return found


def series() -> dict[str, frozenset[str]]:
    """Every raw series that a query may ask for, with its labels."""
    found = {}
    for name, (kind, labels, _) in (families() | of_ray()).items():
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + suffix] = frozenset(labels) | ({"le"} if suffix == "_bucket" else set())
    return found


def rules() -> list[dict]:
    """All rules of the chart."""
    return [
        rule
        for path in sorted((CHART / "rules").glob("*.yaml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def _table(*rows: tuple[str, ...]) -> str:
    head, *rest = rows
    lines = [head, ("---",) * len(head), *rest]
    return "".join(f"| {' | '.join(row)} |\n" for row in lines).replace("| --- ", "|---").replace("--- |", "---|")


def _figures(found: dict[str, tuple[str, tuple[str, ...], str]]) -> str:
    rows = [(f"`{name}`", kind, ", ".join(labels), what) for name, (kind, labels, what) in found.items()]
    return _table(("metric", "type", "labels", "what it counts"), *rows)


def _alerts() -> str:
    rows = [
        (
            f"[{rule['alert']}](#{rule['alert'].lower()})",
            rule["labels"]["severity"],
            rule.get("for", "at once"),
            " ".join(rule["annotations"]["description"].split())
            .replace("{{ $labels.stage }}", "STAGE")
            .replace("{{ $labels.reason }}", "REASON"),
        )
        for rule in rules()
        if "alert" in rule
    ]
    return _table(("alert", "severity", "after", "what it says"), *rows)


def page(text: str) -> str:
    """The page with its tables as they are now."""
    everything = families()
    controller = {name: family for name, family in everything.items() if name in _controllers()}
    processes = {name: family for name, family in everything.items() if name not in controller}
    tables = {
        "controller": _figures(controller),
        "processes": _figures(processes),
        "ray": _figures(of_ray()),
        "alerts": _alerts(),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        text = text[: text.index(begin) + len(begin)] + table + text[text.index(end) :]
    return text


def _controllers() -> set[str]:
    registry = prometheus_client.CollectorRegistry()
    Metrics(registry)
    return {f.name + ("_total" if f.type == "counter" else "") for f in registry.collect()}


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
