"""Write the chart's values.schema.json, or with --check say whether it has drifted from the settings classes.

The schema is strict everywhere: a key that the chart does not know is refused by name. What a service's `settings`
may hold comes from its settings class, so that a misspelt setting is refused before anything is installed.
"""

import importlib
import inspect
import json
import sys
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from moviellm.settings import ServiceSettings

CHART = Path(__file__).parent.parent.parent / "deploy" / "helm" / "moviellm"
SCHEMA = CHART / "values.schema.json"
SERVICES = ("controller", "scripting", "qa", "inversion", "export", "rendering")

THE_CHARTS_OWN = frozenset(
    {
        *("LISTEN", "METRICS_LISTEN", "LOG_LEVEL", "DRAIN_SECONDS", "LLM_API_KEY_FILE"),
        *("MODEL", "OFFLINE", "LOCAL_FILES_ONLY", "RAY_ADDRESS", "RENDERING_APPLICATION"),
        *("SCRIPTING", "INVERSION", "RENDERING", "QA", "EXPORT"),
        *("KUBERNETES", "KUBERNETES_NAMESPACE", "KUBERNETES_ALL_NAMESPACES", "KUBERNETES_LABELS", "KUBERNETES_LEASE"),
        "KUBERNETES_ADDRESS",
        *("INSECURE", "HEALTH_LISTEN", "TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CLIENT_CA_FILE", "SERVICE_TOKEN_FILE"),
        *("TOKENS_FILE", "OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_KEYS", "OIDC_TENANT_CLAIM", "OIDC_ROLES_CLAIM"),
        *("QUOTAS", "SERVICES_CA_FILE", "SERVICES_CERT_FILE", "SERVICES_KEY_FILE", "SERVICES_SERVER_NAME"),
        "SERVICES_IN_THE_CLEAR",
    }
)
"""Settings that other values decide, so that they can be said once."""

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
BOOL: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ONE_OR_MORE: Schema = {"type": "integer", "minimum": 1}
SECONDS: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT}
ANYTHING: Schema = {"type": "object"}
QUANTITY: Schema = {"type": ["string", "number"], "pattern": r"^[0-9]+(\.[0-9]+)?(m|[kMGTP]i?)?$"}
SIZE: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?[kMGTP]i?$"}
NAME: Schema = {"type": "string", "pattern": r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$", "maxLength": 253}
DIGEST: Schema = {"type": "string", "pattern": r"^(sha256:[0-9a-f]{64})?$"}
PORTS: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}}
ACCESS_MODES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"enum": ["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod", "ReadOnlyMany"]},
}
SOME_OR_PERCENT: Schema = {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]{1,3}%$"}
RESOURCES: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "requests": {"type": "object", "additionalProperties": QUANTITY},
        "limits": {"type": "object", "additionalProperties": QUANTITY},
    },
}


def choice(*values: str) -> Schema:
    """One of these."""
    return {"type": "string", "enum": list(values)}


def exactly(**properties: Schema) -> Schema:
    """An object with these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def objects(**properties: Schema) -> Schema:
    """A list of such objects."""
    return {"type": "array", "items": exactly(**properties)}


def secret(*keys: str) -> Schema:
    """A reference to a secret that exists."""
    return exactly(name=NAME, **{key: {"type": "string", "minLength": 1} for key in keys})


QUOTA = exactly(datasets=COUNT, frames=COUNT, llm_tokens=COUNT)
TOLERATIONS = objects(
    key=TEXT,
    operator=choice("Exists", "Equal"),
    value=TEXT,
    effect=choice("NoSchedule", "PreferNoSchedule", "NoExecute"),
    tolerationSeconds=COUNT,
)
PEERS = objects(
    podSelector=ANYTHING,
    namespaceSelector=ANYTHING,
    ipBlock=exactly(cidr={"type": "string", "minLength": 1}, **{"except": TEXTS}),
)
REACHED = exactly(peers=PEERS, ports=PORTS)
NAMED: Schema = {"type": "array", "items": {"type": "object", "required": ["name"]}}
MOUNTS: Schema = {"type": "array", "items": {"type": "object", "required": ["name", "mountPath"]}}
IMAGE = exactly(repository={"type": "string", "minLength": 1}, tag=TEXT, digest=DIGEST)
WHEN = choice("auto", "always", "never")

PLACEMENT: dict[str, Schema] = {
    "nodeSelector": LABELS,
    "tolerations": TOLERATIONS,
    "affinity": exactly(nodeAffinity=ANYTHING, podAffinity=ANYTHING, podAntiAffinity=ANYTHING),
    "priorityClassName": NAME,
    "runtimeClassName": NAME,
}

PODS: dict[str, Schema] = {
    **PLACEMENT,
    "replicas": COUNT,
    "rollout": exactly(maxUnavailable=SOME_OR_PERCENT, maxSurge=SOME_OR_PERCENT),
    "logLevel": choice("debug", "info", "warning", "error"),
    "drainSeconds": SECONDS,
    "preStopSeconds": SECONDS,
    "startupSeconds": ONE_OR_MORE,
    "resources": RESOURCES,
    "topologySpreadConstraints": {
        "type": "array",
        "items": {"type": "object", "required": ["maxSkew", "topologyKey", "whenUnsatisfiable"]},
    },
    "podAnnotations": LABELS,
    "podLabels": LABELS,
    "extraEnv": NAMED,
    "extraVolumes": NAMED,
    "extraVolumeMounts": MOUNTS,
    "nodePool": TEXT,
    "scratchSize": SIZE,
    "serviceAccount": exactly(create=BOOL, name=NAME, annotations=LABELS),
    "podDisruptionBudget": exactly(enabled=BOOL, maxUnavailable=SOME_OR_PERCENT),
    "autoscaling": exactly(
        type=choice("none", "hpa", "keda"),
        minReplicas=COUNT,
        maxReplicas=ONE_OR_MORE,
        cpuPercent={"type": "integer", "minimum": 1},
        unitsPerReplica={"type": "number", "exclusiveMinimum": 0},
        cooldownSeconds=SECONDS,
    ),
}


def settings_class(service: str) -> type[ServiceSettings]:
    """The settings class of a room."""
    module = importlib.import_module(f"moviellm.{service}.settings")
    return next(
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, ServiceSettings) and value.__module__ == module.__name__
    )


def value_of(annotation: Any) -> Schema | None:
    """What a setting may be in YAML; None for a secret, which values never hold."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is SecretStr:
        return None
    if origin is typing.Annotated:
        return value_of(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return next(value_of(one) for one in arguments if one is not type(None))
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (tuple, list):
        return {"type": "array"}
    if isinstance(annotation, type):
        for kind, schema in ((bool, BOOL), (int, {"type": "integer"}), (float, {"type": "number"}), (str, TEXT)):
            if issubclass(annotation, kind):
                return schema
    return {"type": "object"}


def settings(service: str) -> Schema:
    """What `<service>.settings` may hold."""
    names = {}
    for field, info in settings_class(service).model_fields.items():
        schema = value_of(info.annotation)
        name = field.upper()
        if schema is not None and name not in THE_CHARTS_OWN and info.validation_alias is None:
            names[name] = schema
    return exactly(**names)


def service(name: str, **own: Schema) -> Schema:
    """A service's values: what all pods have, its settings, and its own."""
    return exactly(**{**PODS, "image": IMAGE, "settings": settings(name), **own})


NODE_POOLS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {
        **exactly(
            name={"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": 40},
            minReplicas=COUNT,
            maxReplicas=ONE_OR_MORE,
            labels=LABELS,
            priority={"type": "integer"},
            resources=RESOURCES,
            **PLACEMENT,
        ),
        "required": ["name", "minReplicas", "maxReplicas", "resources"],
    },
}

RAY_SERVICE = exactly(
    rayVersion=TEXT,
    upgradeStrategy=choice("NewCluster", "None"),
    clusterDeletionDelaySeconds=SECONDS,
    auth=choice("disabled", "token"),
    gcsFaultTolerance=exactly(enabled=BOOL, redisAddress=TEXT, existingSecret=secret("key")),
    replicas=exactly(
        min=COUNT,
        max=ONE_OR_MORE,
        targetOngoingRequests={"type": "number", "exclusiveMinimum": 0},
        upscaleDelaySeconds={"type": "number", "minimum": 0},
        downscaleDelaySeconds={"type": "number", "minimum": 0},
        cpus={"type": "number", "exclusiveMinimum": 0},
        gpus={"type": "number", "minimum": 0},
        maxOngoingRequests=ONE_OR_MORE,
        maxQueuedRequests={"type": "integer", "minimum": -1},
    ),
    autoscaler=exactly(
        enabled=BOOL,
        idleTimeoutSeconds=SECONDS,
        upscalingMode=choice("Default", "Aggressive", "Conservative"),
        resources=RESOURCES,
    ),
    excludeHeadFromService=BOOL,
    nodePools=NODE_POOLS,
)


def schema() -> Schema:
    """The whole schema."""
    whole = exactly(
        nameOverride=NAME,
        fullnameOverride=NAME,
        commonLabels=LABELS,
        commonAnnotations=LABELS,
        image=exactly(registry=TEXT, tag=TEXT, pullPolicy=choice("Always", "IfNotPresent", "Never"), pullSecrets=TEXTS),
        store=exactly(
            type=choice("s3", "gcs", "pvc"),
            s3=exactly(
                bucket=TEXT,
                prefix=TEXT,
                region=TEXT,
                endpoint={"type": "string", "pattern": "^(https?://.+)?$"},
                existingSecret=secret("accessKeyIdKey", "secretAccessKeyKey"),
            ),
            gcs=exactly(bucket=TEXT, prefix=TEXT, existingSecret=secret("key")),
            pvc=exactly(existingClaim=NAME, size=SIZE, storageClass=NAME, accessModes=ACCESS_MODES, keep=BOOL),
        ),
        llm=exactly(
            enabled=BOOL,
            baseUrl={"type": "string", "pattern": "^https?://.+$"},
            model=TEXT,
            existingSecret=secret("key"),
            prices={
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "number", "minimum": 0},
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
        ),
        model=exactly(name={"type": "string", "minLength": 1}, offline=BOOL, hubTokenSecret=secret("key")),
        modelCache=exactly(
            type=choice("none", "emptyDir", "pvc"),
            mountPath={"type": "string", "pattern": "^/.+"},
            size=SIZE,
            existingClaim=NAME,
            storageClass=NAME,
            accessModes=ACCESS_MODES,
            readOnly=BOOL,
            download=TEXTS,
        ),
        prepull=exactly(
            enabled=BOOL,
            services={"type": "array", "minItems": 1, "items": choice(*SERVICES)},
            nodeSelector=LABELS,
            tolerations=TOLERATIONS,
        ),
        defaults=exactly(**PODS, settings={"type": "object", "additionalProperties": False}),
        controller=service(
            "controller",
            service=exactly(type=choice("ClusterIP", "NodePort", "LoadBalancer"), annotations=LABELS),
            kubernetes=exactly(enabled=BOOL, allNamespaces=BOOL, labels=LABELS),
        ),
        scripting=service("scripting"),
        qa=service("qa"),
        inversion=service("inversion"),
        export=service("export"),
        rendering=service(
            "rendering", mode=choice("deployment", "rayservice"), sharedMemorySize=SIZE, rayService=RAY_SERVICE
        ),
        nodePoolLookup=exactly(enabled=BOOL),
        rbac=exactly(create=BOOL, userRoles=BOOL),
        crd=exactly(install=BOOL),
        security=exactly(
            allowInsecure=choice("auto", "always", "never"),
            tls=exactly(
                existingSecret=secret("certificateKey", "keyKey", "authorityKey"), serverName=TEXT, mutual=BOOL
            ),
            serviceToken=exactly(existingSecret=secret("key")),
            tokens=exactly(existingSecret=secret("key")),
            oidc=exactly(
                issuer=TEXT,
                audience=TEXT,
                keys={"type": "string", "pattern": "^(https://.+)?$"},
                tenantClaim={"type": "string", "minLength": 1},
                rolesClaim={"type": "string", "minLength": 1},
            ),
            quotas={"type": "object", "additionalProperties": QUOTA},
        ),
        networkPolicy=exactly(
            enabled=BOOL,
            clients=PEERS,
            prometheus=PEERS,
            dns=PEERS,
            kuberayOperator=PEERS,
            **dict.fromkeys(("apiServer", "store", "llm", "hub", "tracing", "redis"), REACHED),
        ),
        tracing=exactly(endpoint={"type": "string", "pattern": "^(https?://.+)?$"}, existingSecret=secret("key")),
        monitoring=exactly(
            monitors=exactly(
                mode=WHEN,
                kind=choice("PodMonitor", "ServiceMonitor"),
                labels=LABELS,
                interval={"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
            ),
            rules=exactly(
                mode=WHEN,
                labels=LABELS,
                gpuHourPrices={"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
            ),
            dashboards=exactly(enabled=BOOL, labels=LABELS, annotations=LABELS),
            prometheusUrl={"type": "string", "pattern": "^(https?://.+)?$"},
        ),
        tests=exactly(image=IMAGE, tokenSecret=secret("key"), timeoutSeconds=ONE_OR_MORE, resources=RESOURCES),
    )
    whole["properties"]["global"] = {"type": "object", "description": "Helm gives it to every chart; it is not used."}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the moviellm chart", **whole}


def main() -> None:
    """Write, or check."""
    text = json.dumps(schema(), indent=1) + "\n"
    if "--check" not in sys.argv:
        SCHEMA.write_text(text)
    elif not SCHEMA.exists() or SCHEMA.read_text() != text:
        sys.exit("the chart's values.schema.json has drifted from the settings classes; run `make docs`")


if __name__ == "__main__":
    main()
