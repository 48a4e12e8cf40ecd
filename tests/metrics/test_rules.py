"""Rules and dashboard parse, ask for what exists, and compute what their unit tests expect."""

import json
import re
import subprocess
from pathlib import Path

import promql_parser
import pytest
from metrics_page import CHART, PAGE, PRICE, rules, series

RULES = sorted(str(path) for path in (CHART / "rules").glob("*.yaml"))
BOARD = json.loads((CHART / "dashboards" / "moviellm.json").read_text())
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
OF_TARGETS = {"namespace", "instance", "pod", "job"}
VARIABLES = {"$namespace": ".*", "$node_pool": ".*", "$__range": "3h"}


def board_queries():
    found = [
        (f"{panel['title']}, {target['refId']}", target["expr"]) for panel in PANELS for target in panel["targets"]
    ]
    return [*found, *(("annotation", one["expr"]) for one in BOARD["annotations"]["list"])]


def promql(expression):
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


QUERIES = [(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()] + [
    (title, promql(expression)) for title, expression in board_queries()
]


def by_name(queries):
    return [pytest.param(expression, id=name) for name, expression in queries]


def selectors(expression):
    """Every selector of a query, those of ranges included."""
    found = []

    def look(node):
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        elif isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), look)
    return found


def labels_of(name):
    """The labels that series of a name have; recorded ones as docs/metrics.md says. None for what is not known."""
    if name == "ALERTS":
        return {"alertname", "alertstate", "stage", "reason"}
    if name == PRICE:
        return {"node_pool"}
    if name.startswith("moviellm:"):
        (by,) = re.findall(rf"^\| `{re.escape(name)}` \| (.*?) ?\|", PAGE.read_text(), re.MULTILINE)
        return {label.strip() for label in by.split(",") if label.strip()}
    return series().get(name)


@pytest.mark.parametrize("expression", by_name(QUERIES))
def test_queries_parse_and_ask_for_what_exists(expression):
    for selector in selectors(expression):
        name = selector.name
        if name is None:
            (name,) = (matcher.value for matcher in selector.matchers.matchers if matcher.name == "__name__")
            assert all(labels_of(one) is not None for one in one_of(name)), name
            continue
        known = labels_of(name)
        assert known is not None, f"nobody exports {name}"
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= known | OF_TARGETS, f"{name} has no {matched - known - OF_TARGETS}"


def one_of(pattern):
    """The names that match; at least two, or a regular expression would not be needed."""
    names = [rule["record"] for rule in rules() if "record" in rule and re.fullmatch(pattern, rule["record"])]
    assert len(names) > 1
    return names


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["record"]) for rule in rules() if "record" in rule])
def test_recorded_series_have_the_labels_that_the_page_says(rule):
    outer = [set(re.split(r",\s*", by)) for by in re.findall(r"\bby \(([^)]*)\)", rule["expr"])]
    if outer:
        assert labels_of(rule["record"]) == outer[0] - {"namespace"}


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in rules() if "alert" in rule])
def test_alerts_say_what_happens_and_what_to_do(rule):
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    for text in rule["annotations"].values():
        assert len(text) > 20
        shown = set(re.findall(r"\$labels\.(\w+)", text))
        assert shown <= {"stage", "reason"}
        for label in shown:
            assert any(label in (labels_of(one.name) or ()) for one in selectors(rule["expr"])), label


# ---- the dashboard ----


def test_panels_lie_side_by_side_and_explain_themselves():
    taken = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(len(panel["description"]) > 15 for panel in PANELS)


def test_every_panel_asks_the_chosen_prometheus_for_the_chosen_namespace():
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert "ALERTS" in target["expr"] or 'namespace=~"$namespace"' in target["expr"], panel["title"]
    assert [variable["name"] for variable in BOARD["templating"]["list"]] == ["datasource", "namespace", "node_pool"]


def test_legends_name_labels_that_the_query_keeps():
    for panel in PANELS:
        for target in panel["targets"]:
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", target["expr"]))))
            assert shown <= kept, panel["title"]


def test_the_board_shows_what_the_design_asks_for():
    asked = " ".join(expression for _, expression in board_queries())
    for name in (
        *("moviellm:frames:rate5m", "moviellm:scenes:rate5m", "moviellm:stage_items:rate5m", "moviellm:eta_seconds"),
        *("moviellm:stage_queue_depth:sum", "moviellm_stage_items_in_progress", "moviellm:stage_errors:ratio_rate15m"),
        *(
            "moviellm:stage_gpu_seconds:rate15m",
            "moviellm_llm_tokens_total",
            "moviellm:cost_per_thousand_frames:rate1h",
        ),
        *("moviellm:tenant_gpu_seconds:increase1d", "moviellm_llm_cost_total", "ray_moviellm_picture_batch_size_count"),
    ):
        assert name in asked, name


# ---- Prometheus' own tool ----


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_accepts_the_rules(promtool):
    assert run(promtool, "check", "rules", *RULES).count("SUCCESS") == len(RULES)


def test_promtool_computes_what_the_rules_unit_tests_expect(promtool):
    tests = Path(__file__).parent / "rules_test.yaml"
    assert "SUCCESS" in run(promtool, "test", "rules", str(tests))
    text = tests.read_text()
    for rule in rules():
        wanted = rule.get("record") or f'ALERTS{{alertname="{rule["alert"]}",alertstate="firing"'
        assert wanted in text, f"{wanted} has no unit test"


def test_promtool_accepts_the_boards_queries(promtool, tmp_path):
    queries = [
        {"record": "board:query", "expr": promql(query), "labels": {"n": str(n)}}
        for n, (_, query) in enumerate(board_queries())
    ]
    file = tmp_path / "board.yaml"
    file.write_text(json.dumps({"groups": [{"name": "board", "rules": queries}]}))
    assert f"SUCCESS: {len(queries)} rules" in run(promtool, "check", "rules", str(file))
