"""A namespace of the cluster that the current context points to, with the CRD and the rights that the chart ships."""

import asyncio
import secrets

import pytest
import yaml
from crd_rules import CRD, CRD_FOLDER
from kubernetes_stage import ACCOUNT, Stage, impersonating

from moviellm import errors
from moviellm.artifacts import ArtifactStore
from moviellm.controller.kubernetes.kubernetes_api import KubernetesApi, connect
from moviellm.settings import StoreSettings

RULES = yaml.safe_load((CRD_FOLDER / "rbac-rules.yaml").read_text())
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"


async def administrator():
    """A client of the current context, or a skip that says what is missing."""
    try:
        hand = KubernetesApi(await connect())
        await hand.call("GET", "/version")
    except errors.MovieLLMError as error:
        pytest.skip(f"no cluster: {error.message}")
    return hand


async def put_crd(hand):
    """The CRD as it is here, established."""
    try:
        await hand.call("POST", CRDS, CRD)
    except errors.AlreadyExists:
        present = await hand.call("GET", f"{CRDS}/{CRD['metadata']['name']}")
        await hand.call("PUT", f"{CRDS}/{CRD['metadata']['name']}", present | {"spec": CRD["spec"]})
    async with asyncio.timeout(60):
        while True:
            present = await hand.call("GET", f"{CRDS}/{CRD['metadata']['name']}")
            holding = {one["type"] for one in present["status"].get("conditions", ()) if one["status"] == "True"}
            if "Established" in holding:
                assert "NonStructuralSchema" not in holding
                return
            await asyncio.sleep(0.2)


async def put_namespace(hand, name):
    """The namespace, and in it a service account that may do what the chart's rules say."""
    await hand.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    await hand.call("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": ACCOUNT}})
    await hand.call("POST", f"{RBAC}/{name}/roles", {"metadata": {"name": ACCOUNT}, "rules": RULES})
    binding = {
        "metadata": {"name": ACCOUNT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": name}],
    }
    await hand.call("POST", f"{RBAC}/{name}/rolebindings", binding)


async def let_go(hand, stage):
    """No resource may be left that waits for a controller which has ended."""
    for item in (await hand.call("GET", stage.path()))["items"]:
        path = stage.path(item["metadata"]["name"])
        await hand.call("PATCH", path, {"metadata": {"finalizers": []}})


@pytest.fixture
def store(tmp_path):
    return ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))


@pytest.fixture
async def stage(store):
    hand = await administrator()
    await put_crd(hand)
    namespace = f"moviellm-test-{secrets.token_hex(3)}"
    await put_namespace(hand, namespace)
    clients = [await connect() for _ in range(3)]
    stage = Stage(hand, lambda: impersonating(clients.pop(), f"{namespace}:{ACCOUNT}"), store, namespace)
    yield stage
    await stage.close()
    await let_go(hand, stage)
    await hand.call("DELETE", f"/api/v1/namespaces/{namespace}")
    for client in clients:
        await KubernetesApi(client).close()
    await hand.close()
