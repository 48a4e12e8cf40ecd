"""The chart before a real API server: every object of every case tried, and a release installed, upgraded, removed."""

import os
import subprocess
from pathlib import Path

import pytest
from chart_cases import CASES
from crd_rules import CRD
from helm_chart import CHART, HELM, arguments, helm
from real_cluster import CRDS, namespace_of, put_crd
from yaml import CSafeLoader, load, load_all

from moviellm import errors
from moviellm.controller.kubernetes.kubernetes_api import CALL_TIMEOUT

RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
KUBERAY = Path(os.environ.get("KUBERAY_CRD", ""))
KUBERAYS = load(KUBERAY.read_text(), Loader=CSafeLoader) if KUBERAY.is_file() else None
UNKNOWN = {"PodMonitor", "ServiceMonitor", "PrometheusRule", "ScaledObject"}
"""Kinds that other projects define; those of KubeRay are tried where KUBERAY_CRD names their definition."""

IS_BARE = bool(os.environ.get("MOVIELLM_BARE_CLUSTER"))


@pytest.fixture
async def place(hand):
    """A namespace that takes restricted pods alone."""
    await put_crd(hand)
    if KUBERAYS:
        await put_crd(hand, KUBERAYS)
    async with namespace_of(hand, RESTRICTED) as namespace:
        yield namespace


async def resources(hand, version):
    """What the server calls the kinds of a version, and whether they lie in namespaces."""
    path = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    try:
        found = (await hand.call("GET", path))["resources"]
    except errors.NotFound:
        return {}
    return {one["kind"]: f"{path}{{}}/{one['name']}" for one in found if "/" not in one["name"]} | {
        f"{one['kind']}?": one["namespaced"] for one in found
    }


async def tried(hand, namespace, one):
    """The server's words about an object that it shall take, none of its fields unknown: refusals and warnings."""
    known = await resources(hand, one["apiVersion"])
    if one["kind"] not in known:
        assert one["kind"] in UNKNOWN | (set() if KUBERAYS else {"RayService"})
        return []
    path = known[one["kind"]].format(f"/namespaces/{namespace}" if known[f"{one['kind']}?"] else "")
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    response = await hand._send("POST", path, one, query, CALL_TIMEOUT)
    text = await response.text()
    said = [f"{one['kind']}/{one['metadata']['name']}: {text}" for text in response.headers.getall("Warning", [])]
    if response.status == 409 and one["metadata"]["name"] == CRD["metadata"]["name"]:
        return said  # it is there already
    return said if response.status == 201 else [*said, f"{one['kind']}/{one['metadata']['name']}: {text}"]


@pytest.mark.parametrize("name", CASES)
async def test_the_cluster_takes_every_object_without_a_warning(hand, place, name):
    case = CASES[name]
    told = arguments(case["profile"], case["values"], case["apis"], case["release"])
    told[told.index("films")] = place
    result = helm(*told)
    assert result.returncode == 0, result.stderr
    objects = [one for one in load_all(result.stdout, Loader=CSafeLoader) if one]
    assert [text for one in objects for text in await tried(hand, place, one)] == []


def helmed(*words):
    result = subprocess.run([HELM, *words], capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.skipif(not IS_BARE, reason="installs a release: needs bare_cluster.py")
@pytest.mark.parametrize("profile", ["kind", "gpu"])
async def test_a_release_is_installed_upgraded_rolled_back_and_removed(hand, place, profile):
    if profile == "gpu" and not KUBERAYS:
        pytest.skip("KUBERAY_CRD names no file with KubeRay's RayService definition")
    await hand.call("DELETE", f"{CRDS}/{CRD['metadata']['name']}")
    where = ("--namespace", place)
    values = ("--values", str(CHART / f"values-{profile}.yaml"))
    helmed("upgrade", "--install", "m", str(CHART), *where, *values)
    path = f"/apis/apps/v1/namespaces/{place}/deployments"
    before = {one["metadata"]["name"]: one for one in (await hand.call("GET", path))["items"]}
    assert "m-moviellm-controller" in before
    made = {"metadata": {"name": "demo"}, "spec": {"theme": "a storm"}}
    whole = {"apiVersion": "moviellm.dev/v1alpha1", "kind": "MovieDataset"} | made
    await hand.call("POST", f"/apis/moviellm.dev/v1alpha1/namespaces/{place}/moviedatasets", whole)
    helmed("upgrade", "m", str(CHART), *where, *values, "--set", "qa.settings.QUESTIONS_PER_SCENE=3")
    after = {one["metadata"]["name"]: one for one in (await hand.call("GET", path))["items"]}
    changed = {name for name in after if after[name]["spec"]["template"] != before[name]["spec"]["template"]}
    assert changed == {"m-moviellm-qa"}, "only what changed starts anew"
    helmed("rollback", "m", "1", *where)
    again = {one["metadata"]["name"]: one for one in (await hand.call("GET", path))["items"]}
    assert all(again[name]["spec"]["template"] == before[name]["spec"]["template"] for name in before)
    helmed("uninstall", "m", *where)
    assert (await hand.call("GET", path))["items"] == []
    kept = await hand.call("GET", f"/apis/moviellm.dev/v1alpha1/namespaces/{place}/moviedatasets/demo")
    assert kept["spec"]["theme"] == "a storm", "what people asked for outlives the release"
