"""Ways in which people install the chart; every test of its objects goes through all of them."""

from typing import Any

from helm_chart import OPTIONAL_KINDS

DIGEST = "sha256:" + "0123456789abcdef" * 4
GPU_POOL = {
    "name": "a100",
    "minReplicas": 1,
    "maxReplicas": 3,
    "nodeSelector": {"cloud.google.com/gke-nodepool": "a100"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
    "labels": {"team": "films"},
    "priority": 5,
    "priorityClassName": "high",
    "runtimeClassName": "nvidia",
    "affinity": {"nodeAffinity": {}},
    "resources": {"limits": {"nvidia.com/gpu": 1, "memory": "24Gi"}},
}


def case(profile: str = "", apis: tuple[str, ...] = (), release: str = "m", **values: Any) -> dict[str, Any]:
    """Arguments of `render`; the names of values are written with _ for the dot."""
    return {
        "profile": profile,
        "apis": apis,
        "release": release,
        "values": {name.replace("__", "."): value for name, value in values.items()},
    }


CASES: dict[str, dict[str, Any]] = {
    "default": case(),
    "kind": case("kind"),
    "gpu": case("gpu"),
    "release named as the chart": case(release="moviellm"),
    "other names": case(fullnameOverride="films", nameOverride="movies", commonLabels={"team": "a"}),
    "annotated": case(
        commonAnnotations={"owner": "a"}, defaults__podAnnotations={"b": "c"}, defaults__podLabels={"d": "e"}
    ),
    "digests": case(
        "gpu",
        image__registry="ghcr.io/films/",
        image__pullSecrets=["registry"],
        tests__image__digest=DIGEST,
        **{
            f"{name}__image__digest": DIGEST
            for name in ("controller", "scripting", "qa", "inversion", "export", "rendering")
        },
    ),
    "s3 with keys": case(
        store={
            "type": "s3",
            "s3": {
                "bucket": "films",
                "prefix": "a/b",
                "endpoint": "http://minio.minio:9000",
                "existingSecret": {"name": "s3"},
            },
        }
    ),
    "s3 by identity": case(
        store={"type": "s3", "s3": {"bucket": "films"}},
        defaults__serviceAccount__annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/films"},
    ),
    "gcs with a key": case("gpu", store={"type": "gcs", "gcs": {"bucket": "films", "existingSecret": {"name": "gcs"}}}),
    "gcs by identity": case(store={"type": "gcs", "gcs": {"bucket": "films", "prefix": "a"}}),
    "own claim": case(store__pvc__existingClaim="shared"),
    "storage class": case(store__pvc__storageClass="nfs", store__pvc__keep=False),
    "language model": case(
        llm={
            "enabled": True,
            "baseUrl": "http://vllm.models:8000/v1",
            "model": "qwen",
            "existingSecret": {"name": "llm"},
            "prices": {"qwen": [0.15, 0.6]},
        }
    ),
    "language model without key": case(
        llm={"enabled": True, "model": "gpt"}, scripting__settings={"LLM_MODEL": "other"}
    ),
    "air-gapped": case(
        "gpu",
        model={"name": "/models/sdxl", "offline": True},
        modelCache={"type": "pvc", "existingClaim": "models", "readOnly": True},
    ),
    "models fetched before": case(
        "gpu",
        modelCache={"type": "pvc", "storageClass": "fast", "download": ["org/a", "org/b"]},
        model__hubTokenSecret={"name": "hub"},
        prepull={"enabled": True, "nodeSelector": {"gpu": "yes"}, "tolerations": [{"operator": "Exists"}]},
    ),
    "cache with the pod": case(modelCache__type="emptyDir"),
    "hpa": case(scripting__autoscaling={"type": "hpa", "maxReplicas": 8}, qa__autoscaling__type="hpa"),
    "keda to zero": case(
        monitoring__prometheusUrl="http://prometheus:9090",
        inversion__autoscaling={"type": "keda", "minReplicas": 0, "unitsPerReplica": 0.5},
        rendering__autoscaling={"type": "keda"},
    ),
    "everything monitored": case(
        "gpu", apis=OPTIONAL_KINDS, monitoring__rules__gpuHourPrices={"spot": 1.25, "on-demand": 3}
    ),
    "services monitored": case(apis=OPTIONAL_KINDS, monitoring__monitors__kind="ServiceMonitor"),
    "monitored by force": case(
        monitoring__monitors={"mode": "always", "labels": {"release": "prometheus"}},
        monitoring__rules={"mode": "always", "labels": {"release": "prometheus"}},
    ),
    "unmonitored": case(
        apis=OPTIONAL_KINDS,
        monitoring__monitors__mode="never",
        monitoring__rules__mode="never",
        monitoring__dashboards__enabled=False,
    ),
    "all namespaces": case(controller__kubernetes__allNamespaces=True),
    "without the resource": case(controller__kubernetes__enabled=False, crd__install=False),
    "without rights": case(rbac__create=False, nodePoolLookup__enabled=False, defaults__nodePool="cpu"),
    "without policies": case(networkPolicy__enabled=False, security__allowInsecure="always"),
    "guarded": case(
        security__allowInsecure="never",
        security__tls__existingSecret={"name": "moviellm-tls"},
        security__serviceToken__existingSecret={"name": "moviellm-parts"},
        security__tokens__existingSecret={"name": "moviellm-people"},
        security__quotas={"*": {"datasets": 4, "frames": 20000}, "films": {"llm_tokens": 0}},
        tests__tokenSecret={"name": "moviellm-test"},
        controller__service={"type": "LoadBalancer"},
    ),
    "guarded ray": case(
        "gpu",
        security__tls__existingSecret={"name": "moviellm-tls"},
        security__oidc={"issuer": "https://id.example", "audience": "moviellm", "keys": "https://id.example/keys"},
    ),
    "own accounts": case(scripting__serviceAccount={"create": False}, qa__serviceAccount={"name": "asker"}),
    "placed": case(
        defaults__nodeSelector={"kubernetes.io/arch": "amd64"},
        defaults__tolerations=[{"key": "dedicated", "operator": "Equal", "value": "films", "effect": "NoSchedule"}],
        defaults__affinity={"podAntiAffinity": {}},
        defaults__priorityClassName="batch",
        defaults__topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        inversion__runtimeClassName="nvidia",
    ),
    "more of everything": case(
        defaults__extraEnv=[{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        export__extraVolumes=[{"name": "encoders", "persistentVolumeClaim": {"claimName": "encoders"}}],
        export__extraVolumeMounts=[{"name": "encoders", "mountPath": "/encoders", "readOnly": True}],
        export__settings={"FEATURE_ENCODER": "/encoders/clip", "VALIDATION_SHARE": 0.1},
        controller__settings={"MAX_MOVIES": 2000000, "STYLES": ["gothic"], "ESTIMATE_SECONDS_PER_FRAME": 0.5},
        scripting__replicas=3,
        scripting__preStopSeconds=0,
    ),
    "traced": case(tracing={"endpoint": "http://collector:4317", "existingSecret": {"name": "otlp"}}),
    "ray in detail": case(
        "gpu",
        rendering__rayService={
            "nodePools": [GPU_POOL],
            "upgradeStrategy": "None",
            "auth": "token",
            "excludeHeadFromService": True,
            "gcsFaultTolerance": {"enabled": True, "redisAddress": "redis:6379", "existingSecret": {"name": "redis"}},
            "replicas": {"min": 2, "gpus": 0.5, "targetOngoingRequests": 1.5, "maxQueuedRequests": 100},
        },
        rendering__settings={"MAX_BATCH_SIZE": 16, "PAD_BATCHES": False, "BATCH_WAIT_SECONDS": 0.05},
    ),
    "ray without autoscaler": case("gpu", rendering__rayService__autoscaler__enabled=False),
    "ray in the pod with a gpu": case(
        rendering__settings={"DEVICE": "cuda", "GPUS_PER_REPLICA": 1},
        rendering__resources={"limits": {"nvidia.com/gpu": 1}},
        rendering__replicas=2,
    ),
    "load balancer": case(
        controller__service={"type": "LoadBalancer", "annotations": {"internal": "true"}},
        security__allowInsecure="always",
    ),
}
