"""What the chart's accounts may do, as the cluster itself counts it."""

import os
from pathlib import Path

import pytest
import yaml
from crd_rules import CRD_FOLDER
from kubernetes_stage import SMALL, impersonating, until
from real_cluster import ACCOUNT, RBAC, RELEASE, namespace_of, rights_in

from moviellm import errors
from moviellm.controller.kubernetes.kubernetes_api import KubernetesApi, connect

SHIPPED = yaml.safe_load((CRD_FOLDER / "rbac-rules.yaml").read_text())
NODES = {("", "nodes", "get")}
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


def told(rules):
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
    }


async def allowed(user, namespace):
    """Everything that an account may do in a namespace, beyond what every account may."""
    found = []
    for name in (user, "nobody:nobody"):
        api = impersonating(await connect(), name)
        review = await api.call("POST", REVIEW, {"spec": {"namespace": namespace}})
        await api.close()
        assert not review["status"]["incomplete"]
        assert all(not rule.get("resourceNames") for rule in review["status"]["resourceRules"])
        found.append(told(review["status"]["resourceRules"]))
    return found[0] - found[1]


async def test_in_one_namespace_the_controller_may_do_what_is_shipped_and_no_more(hand):
    async with namespace_of(hand) as home, rights_in(hand, home):

        async def is_so():
            return await allowed(f"{home}:{ACCOUNT}", home) == told(SHIPPED) | NODES

        await until(is_so)
        for other in ("default", "kube-system"):
            assert await allowed(f"{home}:{ACCOUNT}", other) == NODES


async def test_in_all_namespaces_it_may_do_the_same_but_for_the_lease(hand):
    everywhere = {one for one in told(SHIPPED) if one[1] != "leases"} | NODES
    async with namespace_of(hand) as home, rights_in(hand, home, controller__kubernetes__allNamespaces="true"):

        async def is_so():
            return await allowed(f"{home}:{ACCOUNT}", home) == told(SHIPPED) | NODES

        await until(is_so)
        assert await allowed(f"{home}:{ACCOUNT}", "default") == everywhere


async def test_other_services_may_read_nodes_and_without_the_lookup_nothing(hand):
    async with namespace_of(hand) as home, rights_in(hand, home):

        async def is_so():
            return await allowed(f"{home}:{RELEASE}-moviellm-rendering", home) == NODES

        await until(is_so)
    async with namespace_of(hand) as home, rights_in(hand, home, nodePoolLookup__enabled="false"):
        assert await allowed(f"{home}:{RELEASE}-moviellm-rendering", home) == set()
        assert await allowed(f"{home}:{ACCOUNT}", "default") == set()


def has_controller_manager():
    folder = os.environ.get("MOVIELLM_BARE_CLUSTER")
    return not folder or (Path(folder) / "kube-controller-manager.pid").exists()


async def may_with(hand, role, namespace):
    """What a person bound to one of the cluster's own roles may do to MovieDatasets."""
    binding = {
        "metadata": {"name": role},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": role, "namespace": namespace}],
    }
    await hand.call("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", binding)

    async def rules():
        found = await allowed(f"{namespace}:{role}", namespace)
        return {one for one in found if one[0] == "moviellm.dev"}

    return await until(rules)


async def test_people_with_the_clusters_roles_may_see_or_make_datasets(hand):
    if not has_controller_manager():
        pytest.skip("no kube-controller-manager, which adds up the cluster's roles")
    sees = {("moviellm.dev", "moviedatasets", verb) for verb in ("get", "list", "watch")}
    makes = {("moviellm.dev", "moviedatasets", verb) for verb in ("create", "delete", "patch", "update")}
    async with namespace_of(hand) as home, rights_in(hand, home):
        assert await may_with(hand, "view", home) == sees
        assert await may_with(hand, "edit", home) == sees | makes


async def test_the_account_cannot_use_another_namespaces_resources(stage):
    api = stage.account_api()
    assert isinstance(api, KubernetesApi)
    with pytest.raises(errors.Denied, match="cannot create resource"):
        await api.call(
            "POST",
            stage.path(namespace=stage.other),
            {
                "apiVersion": "moviellm.dev/v1alpha1",
                "kind": "MovieDataset",
                "metadata": {"name": "demo"},
                "spec": SMALL,
            },
        )
    await api.close()
