"""The RayService: what KubeRay, Ray Serve and the renderer's own settings say to it."""

import functools
import importlib
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from chart_cases import CASES
from helm_chart import complaints, component, containers, of_kind, pods, render

from moviellm.rendering.settings import RenderingSettings

WITH_RAY = [name for name in CASES if "RayService" in {one["kind"] for one in render(**CASES[name])}]

CRD = Path(os.environ.get("KUBERAY_CRD", ""))
"""KubeRay's own definition of RayService, which is not part of the project (a megabyte of somebody else's)."""

FIELDS = {
    "spec": "upgradeStrategy rayClusterDeletionDelaySeconds excludeHeadPodFromServeSvc serveConfigV2 rayClusterConfig",
    "rayClusterConfig": "rayVersion authOptions enableInTreeAutoscaling autoscalerOptions gcsFaultToleranceOptions "
    "headGroupSpec workerGroupSpecs",
    "autoscalerOptions": "version upscalingMode idleTimeoutSeconds imagePullPolicy securityContext env volumeMounts "
    "resources",
    "gcsFaultToleranceOptions": "redisAddress redisPassword",
    "headGroupSpec": "rayStartParams template",
    "workerGroupSpecs": "groupName minReplicas maxReplicas replicas priority rayStartParams template",
}
"""Fields of KubeRay 1.7's RayService that the chart may use; the whole definition is checked where it is at hand."""


def service(name: str) -> dict[str, Any]:
    """The RayService of a case."""
    (one,) = of_kind(render(**CASES[name]), "RayService").values()
    return one


def serve_config(name: str) -> dict[str, Any]:
    """What it gives to Ray Serve."""
    return yaml.safe_load(service(name)["spec"]["serveConfigV2"])


def test_there_are_cases():
    assert len(WITH_RAY) >= 8


@pytest.mark.parametrize("name", WITH_RAY)
def test_only_fields_of_kuberay_are_used(name):
    spec = service(name)["spec"]
    cluster = spec["rayClusterConfig"]
    found = {"spec": [spec], "rayClusterConfig": [cluster], "workerGroupSpecs": cluster["workerGroupSpecs"]}
    found |= {
        part: [cluster[part]]
        for part in ("headGroupSpec", "autoscalerOptions", "gcsFaultToleranceOptions")
        if part in cluster
    }
    for part, objects in found.items():
        for one in objects:
            assert one.keys() <= set(FIELDS[part].split()), part


@pytest.mark.parametrize("name", WITH_RAY)
def test_kuberay_takes_the_resource(name):
    if not CRD.is_file():
        pytest.skip("KUBERAY_CRD names no file with KubeRay's RayService definition; the fields are checked without it")
    errors = kuberays().iter_errors(service(name))
    assert [f"{list(error.absolute_path)}: {error.message[:200]}" for error in errors] == []


@functools.cache
def kuberays() -> jsonschema.Draft202012Validator:
    """What checks a RayService as strictly as the API server does."""
    return jsonschema.Draft202012Validator(strict_schema())


def strict_schema() -> dict[str, Any]:
    """The definition's schema for v1, in which fields that it does not know are errors."""
    definition = yaml.load(CRD.read_text(), Loader=yaml.CSafeLoader)
    version = next(one for one in definition["spec"]["versions"] if one["name"] == "v1")
    return strict(version["schema"]["openAPIV3Schema"])


def strict(schema: Any) -> Any:
    """JSON Schema from Kubernetes' dialect of it."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: strict(value) for key, value in schema.items() if not key.startswith("x-kubernetes") and key != "format"
    }
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    properties = schema.get("properties")
    if isinstance(properties, dict) and not properties.keys() & {"apiVersion", "metadata"}:
        made.setdefault("additionalProperties", False)
    return made


@pytest.mark.parametrize("name", WITH_RAY)
def test_its_pods_are_pods_that_kubernetes_takes(name):
    cluster = service(name)["spec"]["rayClusterConfig"]
    for number, part in enumerate([cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]):
        template = part["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"ray-{number}", **template["metadata"]}}
        assert complaints([pod | {"spec": template["spec"]}], ("1.31", "1.36")) == []


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
@pytest.mark.parametrize("name", WITH_RAY)
def test_ray_serve_takes_the_configuration(name):
    from ray.serve.schema import ServeDeploySchema

    config = serve_config(name)
    parsed = ServeDeploySchema.model_validate(config)
    (application,) = parsed.applications
    assert application.name == "rendering"
    known = ServeDeploySchema.model_fields.keys()
    assert config.keys() <= known
    assert parsed.grpc_options.port == 8603
    assert application.deployments[0].autoscaling_config


@pytest.mark.parametrize("name", WITH_RAY)
def test_what_the_configuration_names_exists(name):
    from moviellm.rendering.ray_app import APPLICATION, SERVICER_FUNCTIONS, Rendering

    config = serve_config(name)
    (application,) = config["applications"]
    assert application["name"] == APPLICATION
    assert application["deployments"][0]["name"] == Rendering.__name__
    assert tuple(config["grpc_options"]["grpc_servicer_functions"]) == SERVICER_FUNCTIONS
    for path in (*SERVICER_FUNCTIONS, application["import_path"].replace(":", ".")):
        module, _, attribute = path.rpartition(".")
        assert callable(getattr(importlib.import_module(module), attribute))


@pytest.mark.parametrize("name", WITH_RAY)
def test_the_application_takes_its_arguments(name):
    from moviellm.rendering.ray_app import build

    (application,) = serve_config(name)["applications"]
    assert application["args"].keys() <= RenderingSettings.model_fields.keys()
    settings = RenderingSettings(**application["args"])
    assert build(application["args"]) is not None
    deployment = application["deployments"][0]
    assert deployment["max_ongoing_requests"] >= settings.max_batch_size
    assert settings.device != "cuda" or settings.gpus_per_replica > 0


def test_settings_and_replicas_change_without_a_new_cluster():
    other = {"rendering.settings": {"DEVICE": "cuda", "STYLES_KEPT": 8}, "rendering.rayService.replicas.max": 3}
    (changed,) = of_kind(render(profile="gpu", values=other), "RayService").values()
    before, after = service("gpu")["spec"], changed["spec"]
    assert before["rayClusterConfig"] == after["rayClusterConfig"]
    assert before["serveConfigV2"] != after["serveConfigV2"]


def test_details_arrive():
    config = serve_config("ray in detail")
    args, deployment = config["applications"][0]["args"], config["applications"][0]["deployments"][0]
    settings = RenderingSettings(**args)
    assert (settings.max_batch_size, settings.pad_batches, settings.batch_wait_seconds) == (16, False, 0.05)
    assert (settings.gpus_per_replica, deployment["max_queued_requests"]) == (0.5, 100)
    assert deployment["autoscaling_config"]["min_replicas"] == 2
    spec = service("ray in detail")["spec"]
    assert spec["upgradeStrategy"] == {"type": "None"}
    cluster = spec["rayClusterConfig"]
    assert cluster["authOptions"] == {"mode": "token"}
    secret = cluster["gcsFaultToleranceOptions"]["redisPassword"]["valueFrom"]["secretKeyRef"]
    assert secret == {"name": "redis", "key": "password"}
    (group,) = cluster["workerGroupSpecs"]
    assert (group["groupName"], group["minReplicas"], group["maxReplicas"], group["priority"]) == ("a100", 1, 3, 5)
    pod = group["template"]["spec"]
    assert pod["nodeSelector"] == {"cloud.google.com/gke-nodepool": "a100"}
    assert (pod["priorityClassName"], pod["runtimeClassName"]) == ("high", "nvidia")
    assert group["template"]["metadata"]["labels"]["team"] == "films"


@pytest.mark.parametrize("name", WITH_RAY)
def test_every_ray_process_is_adapted_and_every_pool_is_named(name):
    from moviellm.rendering.ray_environment import HOOK, HOOK_VARIABLE

    ray = [(where, pod) for where, pod in pods(render(**CASES[name])) if where.startswith("RayService")]
    assert len(ray) >= 2
    for where, pod in ray:
        (container,) = containers(pod)
        environment = {one["name"]: one.get("value") for one in container["env"]}
        assert environment[HOOK_VARIABLE] == HOOK
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["grpc"] == serve_config(name)["grpc_options"]["port"]
        assert ports["serve"] == serve_config(name)["http_options"]["port"]
        pool = where.rpartition("/")[2]
        if pool == "head":
            assert {"gcs", "dashboard", "client", "metrics"} <= ports.keys(), "KubeRay drops ports that are not listed"
        else:
            assert environment["NODE_POOL"] == pool
        assert component(pod) == "rendering"
        drain = serve_config(name)["applications"][0]["deployments"][0]["graceful_shutdown_timeout_s"]
        assert pod["spec"]["terminationGracePeriodSeconds"] > drain + 5


def test_scale_to_zero_is_possible_and_the_heads_proxy_answers_meanwhile():
    spec = service("gpu")["spec"]
    config = json.loads(json.dumps(serve_config("gpu")))
    assert config["applications"][0]["deployments"][0]["autoscaling_config"]["min_replicas"] == 0
    assert {group["minReplicas"] for group in spec["rayClusterConfig"]["workerGroupSpecs"]} == {0}
    assert spec["excludeHeadPodFromServeSvc"] is False
    assert spec["rayClusterConfig"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0", "no replica on the head"
