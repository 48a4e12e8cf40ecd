"""The chart's objects, however it is installed."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from authority import Authority
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
    **dict.fromkeys(
        ("MOVIELLM_SERVER", "MOVIELLM_PLAINTEXT", "MOVIELLM_TLS_CA", "MOVIELLM_TLS_SERVER_NAME", "MOVIELLM_TOKEN_FILE"),
        "the command's own",
    ),
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
                if re.search(r"TOKEN$|SECRET|PASSWORD|ACCESS_KEY|API_KEY$|HEADERS", one["name"]):
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


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """The folder of secrets as a pod has it."""
    folder = tmp_path_factory.mktemp("secrets")
    for name in ("tls", "parts", "tokens", "llm"):
        (folder / name).mkdir()
    pair = Authority(folder / "tls", "ca").issue("tls")
    Path(folder / "tls" / "ca.pem").rename(folder / "tls" / "ca.crt")
    assert pair.certificate == str(folder / "tls" / "tls.crt")
    (folder / "parts" / "token").write_text("a token of the parts\n")
    (folder / "tokens" / "tokens.json").write_text('{"tokens": []}')
    (folder / "llm" / "api-key").write_text("a-key")
    return str(folder)


@every_case
def test_the_services_read_their_settings_without_complaint(case, monkeypatch, secrets):
    for one in of_kind(render(**case), "ConfigMap").values():
        if component(one) not in SERVICES:
            continue
        for name, value in one["data"].items():
            monkeypatch.setenv(name, value.replace("/run/secrets/moviellm", secrets))
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
