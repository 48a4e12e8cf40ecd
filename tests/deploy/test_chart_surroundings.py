"""What surrounds the chart's pods: the resource definition, rights, scalers, monitors, the test, the notes."""

import shlex
import tarfile

import pytest
import typer.main
import yaml
from chart_cases import CASES
from helm_chart import CHART, SERVICES, component, containers, helm, of_kind, pods, render, selects

from moviellm.cli.commands import app

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_the_crd_is_the_files_own_and_stays():
    rendered = of_kind(render(), "CustomResourceDefinition")["moviedatasets.moviellm.dev"]
    file = yaml.safe_load((CHART / "crd" / "moviedatasets.yaml").read_text())
    assert rendered["spec"] == file["spec"]
    assert rendered["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not list((CHART / "crds").glob("*")), "helm never upgrades what lies in crds/"


def test_the_controllers_rules_are_those_of_the_file_in_either_mode():
    rules = yaml.safe_load((CHART / "crd" / "rbac-rules.yaml").read_text())
    own = of_kind(render(), "Role")["m-moviellm-controller"]["rules"]
    assert own == rules
    objects = render(**CASES["all namespaces"])
    here = of_kind(objects, "Role")["m-moviellm-controller"]["rules"]
    everywhere = of_kind(objects, "ClusterRole")["films-m-moviellm-controller"]["rules"]
    assert sorted(map(str, here + everywhere)) == sorted(map(str, rules))
    assert {name for rule in here for name in rule["resources"]} == {"leases"}


@every_case
def test_bindings_bind_roles_and_accounts_that_exist(case):
    objects = render(**case)
    accounts = set(of_kind(objects, "ServiceAccount"))
    for one in [*of_kind(objects, "RoleBinding").values(), *of_kind(objects, "ClusterRoleBinding").values()]:
        assert one["roleRef"]["name"] in of_kind(objects, one["roleRef"]["kind"])
        assert {subject["name"] for subject in one["subjects"]} <= accounts | {"default"}
        assert {subject["namespace"] for subject in one["subjects"]} == {"films"}
    for name, pod in pods(objects):
        if component(pod) in SERVICES:
            assert pod["spec"]["serviceAccountName"] in accounts | {"default"}, name


@every_case
def test_nothing_waits_for_a_lone_pod_and_scalers_have_targets(case):
    objects = render(**case)
    deployments = of_kind(objects, "Deployment")
    scalers = [*of_kind(objects, "HorizontalPodAutoscaler").values(), *of_kind(objects, "ScaledObject").values()]
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in scalers}
    for name, one in deployments.items():
        assert ("replicas" in one["spec"]) != (name in scaled), "an upgrade would undo the scaler's number"
    assert scaled <= deployments.keys()
    for name in of_kind(objects, "PodDisruptionBudget"):
        assert name in scaled or deployments[name]["spec"]["replicas"] > 1


def test_one_controller_works_alone_without_the_resource():
    one = of_kind(render(**CASES["without the resource"]), "Deployment")["m-moviellm-controller"]
    assert (one["spec"]["replicas"], one["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_monitors_come_with_their_kinds_or_by_force():
    kinds = {"PodMonitor", "ServiceMonitor", "PrometheusRule"}
    seen = {name: {one["kind"] for one in render(**CASES[name])} & kinds for name in CASES}
    assert seen["default"] == seen["unmonitored"] == set()
    assert seen["everything monitored"] == {"PodMonitor", "PrometheusRule"}
    assert "ServiceMonitor" in seen["services monitored"]
    assert "PodMonitor" in seen["monitored by force"]


@pytest.mark.parametrize("name", ["everything monitored", "services monitored", "monitored by force"])
def test_monitors_select_pods_or_services_that_have_the_port(name):
    objects = render(**CASES[name])
    ported = {
        component(pod): pod["metadata"]["labels"]
        for _, pod in pods(objects)
        if any(p["name"] == "metrics" for c in containers(pod) for p in c.get("ports", []))
    }
    assert ported.keys() == set(SERVICES)
    found = set()
    for one in [*of_kind(objects, "PodMonitor").values(), *of_kind(objects, "ServiceMonitor").values()]:
        found |= {who for who, labels in ported.items() if selects(one["spec"]["selector"], labels)}
    assert found == ported.keys()


def test_rules_and_dashboards_are_the_files_own():
    objects = render(**CASES["everything monitored"])
    rules, maps = of_kind(objects, "PrometheusRule"), of_kind(objects, "ConfigMap")
    for path in sorted((CHART / "rules").glob("*.yaml")):
        assert rules[f"m-moviellm-rules-{path.stem.replace('_', '-')}"]["spec"] == yaml.safe_load(path.read_text())
    for path in sorted((CHART / "dashboards").glob("*.json")):
        one = maps[f"m-moviellm-dashboard-{path.stem.replace('_', '-')}"]
        assert one["data"] == {path.name: path.read_text()}
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
    prices = rules["m-moviellm-rules-prices"]["spec"]["groups"][0]["rules"]
    assert {(one["labels"]["node_pool"], one["expr"]) for one in prices} == {
        ("spot", "vector(1.25)"),
        ("on-demand", "vector(3)"),
    }


def test_the_test_asks_the_controllers_own_address_in_commands_that_exist():
    pod = of_kind(render(), "Pod")["m-moviellm-one-scene"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    container = pod["spec"]["containers"][0]
    assert {"name": "MOVIELLM_SERVER", "value": "m-moviellm-controller:8600"} in container["env"]
    script = container["command"][-1].replace("\\\n", " ").replace("$DATASET", "helm-test-1")
    lines = [shlex.split(line)[1:] for line in script.splitlines() if line.startswith("moviellm ")]
    assert [words[0] for words in lines] == ["create", "download", "delete"]
    group = typer.main.get_command(app)
    for words in lines:
        context = group.make_context("moviellm", list(words))
        name, command, rest = group.resolve_command(context, list(words))
        command.make_context(name, rest, parent=context)


def test_the_notes_give_commands_with_the_real_names():
    result = helm("install", "films", str(CHART), "--dry-run=client", "--namespace", "studio")
    assert result.returncode == 0, result.stderr
    notes = result.stdout.partition("NOTES:")[2]
    assert "helm test films --namespace studio" in notes
    assert "port-forward service/films-moviellm-controller 8600" in notes
    assert "moviellm --server 127.0.0.1:8600 create --theme" in notes


def test_the_schema_is_part_of_the_package(tmp_path):
    result = helm("package", str(CHART), "--destination", str(tmp_path))
    assert result.returncode == 0, result.stderr
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as package:
        names = set(package.getnames())
    assert {"moviellm/values.schema.json", "moviellm/crd/moviedatasets.yaml", "moviellm/values-kind.yaml"} <= names
