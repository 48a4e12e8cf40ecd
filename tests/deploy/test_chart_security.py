"""What the chart does about TLS, tokens and servers that would be open."""

import json

import pytest
from helm_chart import containers, of_kind, pods, refusal, render

GUARDED = {
    "security.allowInsecure": "never",
    "security.tls.existingSecret": {"name": "certs"},
    "security.serviceToken.existingSecret": {"name": "parts"},
    "security.tokens.existingSecret": {"name": "people"},
    "security.quotas": {"*": {"datasets": 4}},
}
STAGES = ("scripting", "qa", "inversion", "export", "rendering")


def environment(objects, service):
    return of_kind(objects, "ConfigMap")[f"m-moviellm-{service}"]["data"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"networkPolicy.enabled": False}, "networkPolicy.enabled: false"),
        ({"controller.service.type": "LoadBalancer"}, "a Service of type LoadBalancer"),
        ({"controller.service.type": "NodePort"}, "a Service of type NodePort"),
        ({"security.allowInsecure": "never"}, "security.allowInsecure: never"),
        (GUARDED | {"security.tls.existingSecret": {"name": ""}}, "security.allowInsecure: never"),
        (GUARDED | {"security.tokens.existingSecret": {"name": ""}}, "controller would serve"),
        (
            GUARDED | {"security.serviceToken.existingSecret": {"name": ""}, "security.tls.mutual": False},
            "scripting would serve",
        ),
    ],
    ids=str,
)
def test_servers_that_would_be_open_are_not_rendered(values, why):
    said = refusal(values)
    assert why in said
    assert "security.allowInsecure: always" in said


def test_the_laptops_profile_says_itself_that_nothing_guards_it():
    objects = render(profile="kind", values={"networkPolicy.enabled": False})
    for service in ("controller", *STAGES):
        assert environment(objects, service)[f"MOVIELLM_{service.upper()}_INSECURE"] == "true"


def test_the_parts_behind_policies_say_that_something_else_guards_them():
    objects = render()
    for service in ("controller", *STAGES):
        assert environment(objects, service)[f"MOVIELLM_{service.upper()}_INSECURE"] == "true"


def test_guarded_parts_have_certificates_and_tokens_and_health_in_the_clear():
    objects = render(values=GUARDED)
    for service in ("controller", *STAGES):
        told, prefix = environment(objects, service), f"MOVIELLM_{service.upper()}"
        assert f"{prefix}_INSECURE" not in told
        assert told[f"{prefix}_TLS_CERT_FILE"] == "/run/secrets/moviellm/tls/tls.crt"
        assert told[f"{prefix}_SERVICE_TOKEN_FILE"] == "/run/secrets/moviellm/parts/token"
        assert (f"{prefix}_TLS_CLIENT_CA_FILE" in told) == (service in STAGES)
        assert told[f"{prefix}_HEALTH_LISTEN"] == "0.0.0.0:8690"
        container = of_kind(objects, "Deployment")[f"m-moviellm-{service}"]["spec"]["template"]["spec"]["containers"][0]
        assert container["readinessProbe"]["grpc"] == {"port": 8690}
    controller = environment(objects, "controller")
    assert json.loads(controller["MOVIELLM_CONTROLLER_QUOTAS"]) == {"*": {"datasets": 4}}
    assert controller["MOVIELLM_CONTROLLER_TOKENS_FILE"] == "/run/secrets/moviellm/tokens/tokens.json"
    assert controller["MOVIELLM_CONTROLLER_SERVICES_SERVER_NAME"] == "moviellm"


def test_requesters_tokens_reach_the_controller_alone_and_secrets_are_files():
    objects = render(values=GUARDED)
    for name, pod in pods(objects):
        secrets = {volume["secret"]["secretName"] for volume in pod["spec"].get("volumes", []) if "secret" in volume}
        assert ("people" in secrets) == (name == "Deployment/m-moviellm-controller"), name
        for container in containers(pod):
            mounts = [
                mount for mount in container.get("volumeMounts", []) if mount["mountPath"].startswith("/run/secrets")
            ]
            assert all(mount["readOnly"] and "subPath" not in mount for mount in mounts), "a changed secret must arrive"


def test_the_proxies_of_a_ray_cluster_have_the_certificate_too():
    objects = render(profile="gpu", values=GUARDED)
    told = environment(objects, "rendering")
    assert told["MOVIELLM_RENDERING_TLS_CERT_FILE"] == "/run/secrets/moviellm/tls/tls.crt"
    for name, pod in pods(objects):
        if name.startswith("RayService/"):
            mounts = {mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
            assert {"/run/secrets/moviellm/tls", "/run/secrets/moviellm/parts"} <= mounts, name
