"""The cluster of the current context: namespaces of it, with the CRD and the rights that the chart ships."""

import asyncio
import contextlib
import secrets

import pytest
from crd_rules import CRD
from helm_chart import CHART, helm
from kubernetes_stage import Stage, impersonating, until
from yaml import CSafeLoader, load_all

from moviellm import errors
from moviellm.controller.kubernetes.kubernetes_api import KubernetesApi, connect
from moviellm.controller.leadership.lease import Conflict

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RELEASE = "m"
ACCOUNT = f"{RELEASE}-moviellm-controller"
PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Role": RBAC + "/namespaces/{}/roles",
    "RoleBinding": RBAC + "/namespaces/{}/rolebindings",
    "ClusterRole": RBAC + "/clusterroles",
    "ClusterRoleBinding": RBAC + "/clusterrolebindings",
}


async def administrator():
    """A client of the current context, or a skip that says what is missing."""
    try:
        hand = KubernetesApi(await connect())
        await hand.call("GET", "/version")
    except errors.MovieLLMError as error:
        pytest.skip(f"no cluster: {error.message}")
    return hand


async def put_crd(hand, definition=CRD):
    """The definition as it is here, established; one of somebody else's that is there stays as it is."""
    path = f"{CRDS}/{definition['metadata']['name']}"
    async with asyncio.timeout(60):
        try:
            await hand.call("POST", CRDS, definition)
        except errors.AlreadyExists:
            if definition is CRD:
                await until(lambda: _replaced(hand, path))
        while True:
            present = await hand.call("GET", path)
            conditions = present["status"].get("conditions") or ()
            holding = {one["type"] for one in conditions if one["status"] == "True"}
            if "Established" in holding:
                assert "NonStructuralSchema" not in holding
                return present
            await asyncio.sleep(0.2)


async def _replaced(hand, path):
    try:
        await hand.call("PUT", path, await hand.call("GET", path) | {"spec": CRD["spec"]})
    except Conflict:  # the server writes to it too
        return False
    return True


def rights(namespace, **values):
    """The chart's accounts, roles and bindings for a release in the namespace."""
    told = [word for name, value in values.items() for word in ("--set-json", f"{name.replace('__', '.')}={value}")]
    access = ("--show-only", "templates/access.yaml")
    result = helm("template", RELEASE, str(CHART), "--namespace", namespace, *access, *told)
    assert result.returncode == 0, result.stderr
    return [one for one in load_all(result.stdout, Loader=CSafeLoader) if one]


@contextlib.asynccontextmanager
async def namespace_of(hand, labels=None):
    """A new namespace."""
    name = f"moviellm-test-{secrets.token_hex(3)}"
    await hand.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels or {}}})
    yield name
    with contextlib.suppress(errors.NotFound, Conflict):  # a test deleted it
        await hand.call("DELETE", f"/api/v1/namespaces/{name}")


@contextlib.asynccontextmanager
async def rights_in(hand, namespace, **values):
    """The chart's rights, put there; those for the whole cluster are taken away again."""
    objects = rights(namespace, **values)
    for one in objects:
        await hand.call("POST", PATHS[one["kind"]].format(namespace), one)
    yield objects
    for one in objects:
        if one["kind"].startswith("Cluster"):
            await hand.call("DELETE", f"{PATHS[one['kind']]}/{one['metadata']['name']}")


@contextlib.asynccontextmanager
async def stage_of(hand, store, **values):
    """A namespace, another one beside it, and replicas that may do what the chart allows."""
    await put_crd(hand)
    async with namespace_of(hand) as namespace, namespace_of(hand) as other, rights_in(hand, namespace, **values):
        clients = [await connect() for _ in range(4)]
        stage = Stage(hand, lambda: impersonating(clients.pop(), f"{namespace}:{ACCOUNT}"), store, namespace)
        stage.other = other
        stage.pace |= {"kubernetes_lease_seconds": 6}  # a real server takes its time
        yield stage
        await stage.close()
        for place in (namespace, other):
            await let_go(hand, stage.path(namespace=place))
        for client in clients:
            await KubernetesApi(client).close()


async def let_go(hand, path):
    """No resource may be left that waits for a controller which has ended."""
    for item in (await hand.call("GET", path))["items"]:
        with contextlib.suppress(errors.NotFound):
            await hand.call("PATCH", f"{path}/{item['metadata']['name']}", {"metadata": {"finalizers": []}})
