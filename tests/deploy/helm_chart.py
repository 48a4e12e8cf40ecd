"""The chart as helm renders it, for tests: objects by kind and name, and what is in them."""

import functools
import json
import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from referencing import Registry, Resource

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "deploy" / "helm" / "moviellm"
HELM = ROOT / ".tools" / "helm"
KUBERNETES = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
SERVICES = ("controller", "scripting", "qa", "inversion", "export", "rendering")

Json = dict[str, Any]

OPTIONAL_KINDS = (
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm."""
    assert HELM.exists(), "helm is missing: `make .tools/helm` fetches it"
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False, timeout=60)


def template(*, profile: str = "", values: Json | None = None, apis: tuple[str, ...] = (), release: str = "m") -> str:
    """The rendered text; raises AssertionError with helm's words where it refuses."""
    return _template(profile, json.dumps(values or {}), apis, release)


@functools.cache
def _template(profile: str, values: str, apis: tuple[str, ...], release: str) -> str:
    result = helm(*arguments(profile, json.loads(values), apis, release))
    assert result.returncode == 0, result.stderr
    return result.stdout


def refusal(values: Json, *, profile: str = "") -> str:
    """What helm says about values that it must not take."""
    result = helm(*arguments(profile, values))
    assert result.returncode != 0, "helm took the values"
    return result.stderr


def arguments(
    profile: str, values: Json, apis: tuple[str, ...] = (), release: str = "m", *, chart: Path = CHART
) -> list[str]:
    """What `helm template` is told."""
    told = ["template", release, str(chart), "--namespace", "films"]
    if profile:
        told += ["--values", str(chart / f"values-{profile}.yaml")]
    for name, value in values.items():
        told += ["--set-json", f"{name}={json.dumps(value)}"]
    return told + [f"--api-versions={api}" for api in apis]


def render(
    *, profile: str = "", values: Json | None = None, apis: tuple[str, ...] = (), release: str = "m"
) -> list[Json]:
    """The rendered objects; they are shared among tests, which only read them."""
    return _parsed(template(profile=profile, values=values, apis=apis, release=release))


@functools.cache
def _parsed(text: str) -> list[Json]:
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def of_kind(objects: list[Json], kind: str) -> dict[str, Json]:
    """Objects of one kind by name."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def pods(objects: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every pod that comes of the objects: where it is from, and its metadata and spec."""
    for one in objects:
        name, spec = f"{one['kind']}/{one['metadata']['name']}", one.get("spec", {})
        if one["kind"] == "Pod":
            yield name, one
        elif one["kind"] in ("Deployment", "DaemonSet", "Job"):
            yield name, spec["template"]
        elif one["kind"] == "RayService":
            cluster = spec["rayClusterConfig"]
            yield f"{name}/head", cluster["headGroupSpec"]["template"]
            for group in cluster["workerGroupSpecs"]:
                yield f"{name}/{group['groupName']}", group["template"]


def containers(pod: Json) -> list[Json]:
    """All containers of a pod."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def component(thing: Json) -> str:
    """Which service an object or a pod belongs to."""
    return str(thing["metadata"]["labels"]["app.kubernetes.io/component"])


def selects(selector: Json, labels: Json) -> bool:
    """Whether a label selector takes these labels."""
    exact = all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
    expressions = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in expressions), "only In is understood here"
    return exact and all(labels.get(one["key"]) in one["values"] for one in expressions)


@functools.cache
def _schema(version: str, kind: str, api: str) -> jsonschema.Draft202012Validator | None:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    file = folder / f"{kind.lower()}-{short}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_text())
    registry: Registry[Any] = Resource.from_contents(schema) @ Registry()
    return jsonschema.Draft202012Validator(schema, registry=_definitions(version) @ registry)


@functools.cache
def _definitions(version: str) -> Resource[Any]:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return Resource.from_contents(json.loads((folder / "_definitions.json").read_text()))


def knows(version: str, one: Json) -> bool:
    """Whether Kubernetes itself has this kind."""
    return _schema(version, one["kind"], one["apiVersion"]) is not None


def complaints(objects: list[Json], versions: tuple[str, ...] = KUBERNETES) -> list[str]:
    """What Kubernetes of those versions would refuse about the objects, unknown fields among it."""
    texts = [json.dumps(one, default=str) for one in objects]
    return [complaint for text in texts for version in versions for complaint in _complaints(version, text)]


@functools.cache
def _complaints(version: str, text: str) -> list[str]:
    one = json.loads(text)
    validator = _schema(version, one["kind"], one["apiVersion"])
    name = f"{one['kind']}/{one['metadata']['name']} in {version}"
    errors = validator.iter_errors(one) if validator else ()
    return [f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]
