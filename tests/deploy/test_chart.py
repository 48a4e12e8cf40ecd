"""The chart's objects, however it is installed."""

import re
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest
import typer.main
import yaml
from chart_cases import CASES, DIGEST
from helm_chart import (
    CHART,
    KUBERNETES,
    ROOT,
    SERVICES,
    arguments,
    complaints,
    component,
    containers,
    helm,
    knows,
    of_kind,
    pods,
    render,
    selects,
)
from values_schema import settings_class

from moviellm.cli.commands import app

CUSTOM = {"RayService", "PodMonitor", "ServiceMonitor", "PrometheusRule", "ScaledObject"}

NOT_OURS = {
    "HOME": "the root file system is read-only",
    "TMPDIR": "the root file system is read-only",
    "HF_HOME": "huggingface_hub: the folder of models",
    "HF_TOKEN": "huggingface_hub: gated models",
    "HF_HUB_OFFLINE": "huggingface_hub: never ask",
    "TRANSFORMERS_VERBOSITY": "transformers: no advice in the log",
    "GOOGLE_APPLICATION_CREDENTIALS": "obstore: the key's file",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "OpenTelemetry",
    "OTEL_EXPORTER_OTLP_HEADERS": "OpenTelemetry",
    "OTEL_SERVICE_NAME": "OpenTelemetry",
    "MOVIELLM_SERVER": "the command's own",
    "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR": "Ray",
    "RAY_USAGE_STATS_ENABLED": "Ray",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "Ray",
    "HTTPS_PROXY": "given by a case",
}
"""Variables that are no settings of ours, and what they are for."""

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.mark.parametrize("profile", ["", "kind", "gpu"])
def test_helm_finds_nothing_wrong(profile):
    values = ["--values", str(CHART / f"values-{profile}.yaml")] if profile else []
    result = helm("lint", "--strict", str(CHART), *values)
    assert result.returncode == 0, result.stdout + result.stderr


@every_case
def test_kubernetes_takes_every_object(case):
    objects = render(**case)
    newest = KUBERNETES[-1]
    assert {one["kind"] for one in objects if not knows(newest, one)} <= CUSTOM
    assert complaints(objects) == []


@every_case
def test_no_two_objects_have_one_name(case):
    names = Counter((one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in render(**case))
    assert [name for name, count in names.items() if count > 1] == []


@every_case
def test_objects_are_named_labelled_and_in_the_release_namespace(case):
    for one in render(**case):
        metadata = one["metadata"]
        assert len(metadata["name"]) <= 63
        assert metadata["labels"]["app.kubernetes.io/instance"] == case["release"]
        is_cluster_wide = one["kind"] in ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
        assert metadata.get("namespace") == (None if is_cluster_wide else "films")
        if one["kind"].startswith("ClusterRole"):
            assert metadata["name"].startswith("films-"), "two namespaces may have releases of one name"


@every_case
def test_every_selector_matches_its_own_pods_and_no_others(case):
    objects = render(**case)
    labels = [(component(pod), pod["metadata"]["labels"]) for _, pod in pods(objects)]
    for one in objects:
        spec = one.get("spec", {})
        selector = spec.get("selector")
        if one["kind"] == "Service":
            selector = {"matchLabels": {k: v for k, v in selector.items() if k != "ray.io/serve"}}
        if one["kind"] not in ("Service", "Deployment", "DaemonSet", "PodDisruptionBudget"):
            continue
        taken = {name for name, pod in labels if selects(selector, pod)}
        assert taken == {component(one)}, f"{one['kind']}/{one['metadata']['name']}"


@every_case
def test_services_lead_to_ports_that_pods_have(case):
    objects = render(**case)
    ports = {
        component(pod): {p["name"]: p for c in containers(pod) for p in c.get("ports", [])} for _, pod in pods(objects)
    }
    services = of_kind(objects, "Service")
    assert {component(one) for one in services.values()} == set(SERVICES)
    for one in services.values():
        for port in one["spec"]["ports"]:
            assert ports[component(one)][port["targetPort"]]["containerPort"] == port["port"]
        is_called_from_outside = one["metadata"]["name"].endswith("-controller")
        assert (one["spec"].get("clusterIP") != "None") == is_called_from_outside
        if is_called_from_outside:
            assert [port["name"] for port in one["spec"]["ports"]] == ["grpc"]


@every_case
def test_pods_pass_the_restricted_standard(case):
    for name, pod in pods(render(**case)):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret", "ephemeral", "downwardAPI"}
        assert all((volume.keys() - {"name"}) <= allowed for volume in spec.get("volumes", []))
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert "privileged" not in context
            assert not any("hostPort" in port for port in container.get("ports", []))
        assert spec["enableServiceLinks"] is False, "variables of services would be read as settings"


@every_case
def test_a_token_is_given_only_to_who_talks_to_the_api_server(case):
    values = case["values"]
    everyone = values.get("nodePoolLookup.enabled", True)
    for name, pod in pods(render(**case)):
        resource = component(pod) == "controller" and values.get("controller.kubernetes.enabled", True)
        ray = name.startswith("RayService")
        expected = component(pod) in SERVICES and (everyone or resource or ray)
        assert pod["spec"]["automountServiceAccountToken"] is expected, name


@every_case
def test_mounts_have_volumes_and_writable_places_are_given(case):
    for name, pod in pods(render(**case)):
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
        for container in containers(pod):
            mounts = container.get("volumeMounts", [])
            assert {mount["name"] for mount in mounts} <= volumes, name
            paths = [mount["mountPath"] for mount in mounts]
            assert len(paths) == len(set(paths))
            environment = {one["name"]: one.get("value") for one in container.get("env", [])}
            if "HOME" in environment:
                assert {environment["HOME"], environment["TMPDIR"]} <= set(paths)


@every_case
def test_volumes_name_objects_of_the_release_or_of_the_values(case):
    objects = render(**case)
    claims, maps = of_kind(objects, "PersistentVolumeClaim"), of_kind(objects, "ConfigMap")
    given = str(case["values"])
    for _, pod in pods(objects):
        for volume in pod["spec"].get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            assert claim is None or claim in claims or claim in given
        for container in containers(pod):
            assert {source["configMapRef"]["name"] for source in container.get("envFrom", [])} <= maps.keys()


def documented() -> set[str]:
    """The variables of docs/settings.md."""
    return set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))


@every_case
def test_every_variable_is_a_documented_setting(case):
    objects = render(**case)
    maps = of_kind(objects, "ConfigMap")
    known = documented() | NOT_OURS.keys()
    for _, pod in pods(objects):
        for container in containers(pod):
            given = {one["name"] for one in container.get("env", [])}
            for source in container.get("envFrom", []):
                own = maps[source["configMapRef"]["name"]]["data"].keys()
                assert not own & given, "a variable is given twice"
                given |= own
            assert given <= known
            assert all(
                f"_{component(pod).upper()}_" in name or "_STORE_" in name
                for name in given & documented() - {"NODE_POOL", "NODE_NAME"}
            )


@every_case
def test_secrets_are_named_and_never_held(case):
    objects = render(**case)
    assert of_kind(objects, "Secret") == {}
    for _, pod in pods(objects):
        for container in containers(pod):
            for one in container.get("env", []):
                if re.search(r"TOKEN|SECRET|PASSWORD|ACCESS_KEY|API_KEY$|HEADERS", one["name"]):
                    assert "secretKeyRef" in one["valueFrom"], one["name"]
    for one in of_kind(objects, "ConfigMap").values():
        assert not [name for name in one.get("data", {}) if re.search(r"TOKEN$|SECRET|ACCESS_KEY|API_KEY$", name)]


@every_case
def test_grace_periods_are_longer_than_the_drain(case):
    objects = render(**case)
    settings = {
        component(one): one["data"] for one in of_kind(objects, "ConfigMap").values() if component(one) in SERVICES
    }
    for name, pod in pods(objects):
        drain = settings.get(component(pod), {}).get(f"MOVIELLM_{component(pod).upper()}_DRAIN_SECONDS")
        if drain is not None or name.startswith("RayService"):
            before = containers(pod)[0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            assert pod["spec"]["terminationGracePeriodSeconds"] >= before + float(drain or 60) + 10


def test_digests_win_for_every_image():
    for name, pod in pods(render(**CASES["digests"])):
        for container in containers(pod):
            assert re.fullmatch(rf"ghcr\.io/films/moviellm-[a-z-]+@{DIGEST}", container["image"]), name
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_a_change_of_settings_starts_only_that_service_anew():
    def checksums(values):
        return {
            name: pod["metadata"]["annotations"]["checksum/settings"]
            for name, pod in pods(render(values=values))
            if component(pod) in SERVICES
        }

    before, after = checksums({}), checksums({"qa.settings": {"QUESTIONS_PER_SCENE": 3}})
    assert {name for name in before if before[name] != after[name]} == {"Deployment/m-moviellm-qa"}


def test_a_new_version_of_the_chart_alone_starts_no_pod_anew(tmp_path):
    chart = shutil.copytree(CHART, tmp_path / "moviellm")
    (chart / "Chart.yaml").write_text((CHART / "Chart.yaml").read_text().replace("\nversion: ", "\nversion: 9"))
    values = CASES["models fetched before"]
    result = helm(*arguments(values["profile"], values["values"], chart=chart))
    assert result.returncode == 0, result.stderr
    before, after = render(**values), [one for one in yaml.safe_load_all(result.stdout) if one]
    assert of_kind(before, "Deployment") != of_kind(after, "Deployment"), (
        "the label of the Deployment tells the version"
    )
    assert dict(pods(before)) | {"Pod/m-moviellm-one-scene": 0} == dict(pods(after)) | {"Pod/m-moviellm-one-scene": 0}


def test_numbers_and_lists_arrive_as_the_settings_read_them():
    data = of_kind(render(**CASES["more of everything"]), "ConfigMap")
    controller, export = data["m-moviellm-controller"]["data"], data["m-moviellm-export"]["data"]
    assert controller["MOVIELLM_CONTROLLER_MAX_MOVIES"] == "2000000"
    assert controller["MOVIELLM_CONTROLLER_STYLES"] == '["gothic"]'
    assert controller["MOVIELLM_CONTROLLER_ESTIMATE_SECONDS_PER_FRAME"] == "0.5"
    assert export["MOVIELLM_EXPORT_VALIDATION_SHARE"] == "0.1"


@every_case
def test_the_services_read_their_settings_without_complaint(case, monkeypatch, tmp_path):
    key = tmp_path / "api-key"
    key.write_text("a-key")
    for one in of_kind(render(**case), "ConfigMap").values():
        if component(one) not in SERVICES:
            continue
        for name, value in one["data"].items():
            monkeypatch.setenv(name, str(key) if name.endswith("_API_KEY_FILE") else value)
        settings = settings_class(component(one))()
        if f"MOVIELLM_{component(one).upper()}_LISTEN" in one["data"]:
            assert settings.listen.startswith("0.0.0.0:")


def test_probes_ask_for_readiness_over_grpc_and_restart_only_what_does_not_listen():
    for name, one in of_kind(render(), "Deployment").items():
        container = one["spec"]["template"]["spec"]["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert container["readinessProbe"]["grpc"]["port"] == ports["grpc"], name
        assert container["livenessProbe"]["tcpSocket"] == container["startupProbe"]["tcpSocket"] == {"port": "grpc"}
        wait = container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
        assert wait >= (900 if component(one) == "rendering" else 600 if component(one) == "inversion" else 120)


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
    import tarfile

    with tarfile.open(next(Path(tmp_path).glob("*.tgz"))) as package:
        names = set(package.getnames())
    assert {"moviellm/values.schema.json", "moviellm/crd/moviedatasets.yaml", "moviellm/values-kind.yaml"} <= names
