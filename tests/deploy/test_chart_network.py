"""NetworkPolicies allow exactly the edges of a table: who may open a connection to whom, on which port."""

from typing import Any

import pytest
from chart_cases import CASES
from helm_chart import SERVICES, component, containers, of_kind, pods, render, selects

HERE, ELSEWHERE = "films", "elsewhere"

OUTSIDE = {
    "client": (HERE, {"moviellm.dev/client": "true"}),
    "stranger": (HERE, {"app": "stranger"}),
    "foreign client": (ELSEWHERE, {"moviellm.dev/client": "true"}),
    "prometheus": (ELSEWHERE, {"app.kubernetes.io/name": "prometheus"}),
    "kuberay": (ELSEWHERE, {"app.kubernetes.io/name": "kuberay-operator"}),
    "dns": ("kube-system", {"k8s-app": "kube-dns"}),
    "redis": (ELSEWHERE, {"app.kubernetes.io/name": "redis"}),
    "collector": (ELSEWHERE, {"app.kubernetes.io/name": "opentelemetry-collector"}),
    "other release": (HERE, {"app.kubernetes.io/name": "moviellm", "app.kubernetes.io/instance": "other"}),
}
"""Pods that are not of the release: namespace and labels."""

PORTS = {53, 80, 443, 988, 3128, 4317, 4318, 6379, 6443, 8000, 8080, 8265, 9000, 10001, *range(8600, 8606)}
PORTS |= {port + 100 for port in range(8600, 8606)}

CALLS = {
    ("client", "controller", 8600),
    ("test", "controller", 8600),
    ("controller", "controller", 8600),
    ("controller", "scripting", 8601),
    ("controller", "inversion", 8602),
    ("controller", "rendering", 8603),
    ("controller", "qa", 8604),
    ("controller", "export", 8605),
}
METRICS = {
    ("prometheus", "controller", 8700),
    ("prometheus", "scripting", 8701),
    ("prometheus", "inversion", 8702),
    ("prometheus", "qa", 8704),
    ("prometheus", "export", 8705),
}


def by_names(*names: str) -> set[tuple[str, str, int]]:
    """Who may ask DNS."""
    return {(name, "dns", 53) for name in names}


RAY = (
    {("rendering", "rendering", port) for port in PORTS}
    | {("prometheus", "rendering", 8080)}
    | {("kuberay", "rendering", 8265), ("kuberay", "rendering", 8000)}
)

CORE = CALLS | METRICS | by_names(*SERVICES, "test")
PLAIN = CORE | {("prometheus", "rendering", 8703)}

EDGES = {
    "default": PLAIN,
    "kind": PLAIN,
    "gpu": CORE | RAY,
    "ray in detail": CORE | RAY | {("rendering", "redis", 6379)},
    "models fetched before": CORE | RAY | by_names("download"),
    "traced": PLAIN | {(name, "collector", port) for name in SERVICES for port in (4317, 4318)},
    "language model": PLAIN,
    "air-gapped": CORE | RAY,
}
"""Edges among pods; nothing else may be possible."""

API, STORE, HUB = {443, 6443}, {443, 80, 988}, {443}

WORLD = {
    "default": dict.fromkeys(SERVICES, API),
    "gpu": {name: API | STORE for name in SERVICES},
    "s3 with keys": {name: API | STORE | {9000} for name in SERVICES},
    "language model": {name: API | ({8000} if name in ("scripting", "qa") else set()) for name in SERVICES},
    "models fetched before": {name: API | STORE for name in SERVICES} | {"download": HUB},
    "without rights": {name: API if name == "controller" else set() for name in SERVICES},
    "air-gapped": {name: API | STORE for name in SERVICES},
}
"""Ports of addresses outside the cluster that each may reach."""


class Net:
    """A cluster's pods and policies, as a network plugin would see them."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.pods = dict(OUTSIDE)
        self.ports: dict[str, set[int]] = {}
        for _, pod in pods(objects):
            self.pods[component(pod)] = (HERE, pod["metadata"]["labels"])
        self.policies = [one["spec"] for one in of_kind(objects, "NetworkPolicy").values()]

    def edges(self) -> set[tuple[str, str, int]]:
        """All connections that are possible and that some policy of the release is about."""
        return {
            (source, target, port)
            for source in self.pods
            for target in self.pods
            for port in PORTS
            if (self._about(source) or self._about(target))
            and self._allows(source, "egress", target, port)
            and self._allows(target, "ingress", source, port)
        }

    def world(self, source: str) -> set[int]:
        """The ports of any address that `source` may reach."""
        rules = [rule for policy in self._about(source) for rule in policy.get("egress", [])]
        open_to_all = [rule for rule in rules if {"ipBlock": {"cidr": "0.0.0.0/0"}} in rule.get("to", [])]
        return {port["port"] for rule in open_to_all for port in rule["ports"]}

    def _about(self, name: str) -> list[dict[str, Any]]:
        namespace, labels = self.pods[name]
        return [one for one in self.policies if namespace == HERE and selects(one["podSelector"], labels)]

    def _allows(self, name: str, direction: str, other: str, port: int) -> bool:
        policies = self._about(name)
        if not policies:
            return True
        rules = [rule for policy in policies for rule in policy.get(direction, [])]
        return any(self._matches(rule, "to" if direction == "egress" else "from", other, port) for rule in rules)

    def _matches(self, rule: dict[str, Any], side: str, other: str, port: int) -> bool:
        assert rule.get(side), "a rule without peers would allow everybody"
        ports = [one["port"] for one in rule.get("ports", [])]
        return (not ports or port in ports) and any(self._is(peer, other) for peer in rule[side])

    def _is(self, peer: dict[str, Any], other: str) -> bool:
        namespace, labels = self.pods[other]
        if "ipBlock" in peer:
            return False
        is_near = namespace == HERE if "namespaceSelector" not in peer else peer["namespaceSelector"] == {}
        return is_near and selects(peer["podSelector"], labels)


@pytest.mark.parametrize("name", EDGES)
def test_pods_reach_exactly_whom_the_table_lists(name):
    found = Net(render(**CASES[name])).edges()
    assert found - EDGES[name] == set(), "more than the table allows"
    assert EDGES[name] - found == set(), "less than the table promises"


@pytest.mark.parametrize("name", WORLD)
def test_the_outside_is_reached_only_for_a_purpose(name):
    net = Net(render(**CASES[name]))
    assert {source: net.world(source) for source in WORLD[name]} == WORLD[name]
    assert net.world("test") == set()


@pytest.mark.parametrize("name", CASES)
def test_every_pod_is_held_by_a_policy_and_ports_are_real(name):
    objects = render(**CASES[name])
    if not CASES[name]["values"].get("networkPolicy.enabled", True):
        assert of_kind(objects, "NetworkPolicy") == {}
        return
    policies = [one["spec"] for one in of_kind(objects, "NetworkPolicy").values()]
    for where, pod in pods(objects):
        held = [one for one in policies if selects(one["podSelector"], pod["metadata"]["labels"])]
        assert any(set(one["policyTypes"]) == {"Ingress", "Egress"} for one in held), where
    ported = {
        (component(pod), port["containerPort"])
        for _, pod in pods(objects)
        for container in containers(pod)
        for port in container.get("ports", [])
    }
    for one in of_kind(objects, "NetworkPolicy").values():
        for rule in one["spec"].get("ingress", []):
            assert {(component(one), port["port"]) for port in rule.get("ports", [])} <= ported
