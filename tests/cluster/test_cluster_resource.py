"""The resource as a cluster serves it: what it refuses, fills in and shows, beside what the stand-in says."""

import json

import pytest
from crd_rules import CRD, SCHEMA, complaints, defaulted
from kubernetes_stage import SMALL
from real_cluster import CRDS, namespace_of, put_crd

from moviellm import errors
from moviellm.controller.kubernetes.cluster import Expired
from moviellm.controller.kubernetes.kubernetes_api import CALL_TIMEOUT, KubernetesDatasets
from moviellm.controller.kubernetes.resource import FINALIZER

GROUP = "/apis/moviellm.dev/v1alpha1"
REFUSED = [
    {"theme": ""},
    {"theme": " \n"},
    {"theme": "x" * 501},
    {"theme": "bell \x07"},
    {"theme": 5},
    {"movies": 0},
    {"movies": 2**31},
    {"movies": "3"},
    {"movies": 1.5},
    {"frames": 65},
    {"style": {"preset": "noir", "description": "dark"}},
    {"style": {"method": "Magic"}},
    {"style": {"vectors": 9}},
    {"style": {"description": "d" * 301}},
    {"seed": -1},
    {"formats": ["avi"]},
    {"formats": ["mds", "mds"]},
    {"formats": "mds"},
    {"framesPerSecond": 0},
    {"framesPerSecond": 30.5},
    {"quality": {"minScore": 0.5}},
    {"quality": {"attempts": 9}},
    {"maxLlmTokens": -1},
    {"prompts": [{"name": "scene"}]},
    {"prompts": [{"name": "scene", "text": "a"}, {"name": "scene", "text": "b"}]},
    {"prompts": [{"name": "scene", "text": "é" * 20_000}]},
    {"plot": {"level": "saga"}},
    {"plot": {"digest": "abc"}},
    {"render": {"width": 100}},
    {"render": {"height": 2056}},
    {"render": {"profile": "instant"}},
    {"deletionPolicy": "Maybe"},
    {"suspend": "yes"},
]
TAKEN = [
    {},
    {"theme": " a storm é 嵐 "},
    {"movies": 2**31 - 1},
    {"seed": 2**63 - 1},
    {"framesPerSecond": 0.001},
    {"framesPerSecond": 30},
    {"quality": {"attempts": 2, "minScore": 0.5}},
    {"quality": {"minScore": 0}},
    {"style": {"description": "dark", "method": "Prompt", "vectors": 8}},
    {"formats": []},
    {"prompts": [{"name": "scene", "text": "é" * 16_384}]},
    {"plot": {"level": "story", "digest": "a" * 64}},
    {"render": {"width": 64, "guidanceScale": 1}},
]


@pytest.fixture
async def place(hand):
    """The path of MovieDatasets in a new namespace."""
    await put_crd(hand)
    async with namespace_of(hand) as namespace:
        yield f"{GROUP}/namespaces/{namespace}/moviedatasets"


def body(name="demo", **spec):
    return {
        "apiVersion": "moviellm.dev/v1alpha1",
        "kind": "MovieDataset",
        "metadata": {"name": name},
        "spec": SMALL | spec,
    }


async def asked(hand, method, path, content=None, accept="application/json", **query):
    """Status and JSON of one call, with headers that the client does not send by itself."""
    prepared = await hand._client.param_serialize(
        method,
        path,
        query_params=list(query.items()),
        header_params={"Accept": accept, "Content-Type": "application/json"},
        body=content,
        auth_settings=["BearerToken"],
    )
    verb, url, headers, content, _ = prepared
    answer = await hand._client.call_api(verb, url, header_params=headers, body=content, _request_timeout=CALL_TIMEOUT)
    return answer.response.status, json.loads(await answer.response.text())


@pytest.mark.parametrize("spec", REFUSED, ids=lambda spec: json.dumps(spec)[:60])
async def test_what_the_stand_in_refuses_the_cluster_refuses(hand, place, spec):
    assert complaints(defaulted(body(**spec)))
    with pytest.raises(errors.InvalidInput):
        await hand.call("POST", place, body(**spec))


@pytest.mark.parametrize("spec", TAKEN, ids=lambda spec: json.dumps(spec)[:60])
async def test_what_the_stand_in_takes_the_cluster_takes_with_the_same_defaults(hand, place, spec):
    assert complaints(defaulted(body(**spec))) == []
    made = await hand.call("POST", place, body(**spec))
    assert made["spec"] == defaulted(body(**spec))["spec"]


async def test_every_rule_of_the_schema_is_held_with_its_own_words(hand, place):
    """Each rule that is written in the schema is broken once, and the server says what the rule says."""
    said = set()

    async def refused(method, path, content):
        status, answer = await asked(hand, method, path, content)
        assert status == 422, answer
        said.update(cause["message"] for cause in answer["details"]["causes"])

    made = await hand.call("POST", place, body(maxLlmTokens=100, movies=2))
    for name, inner in SCHEMA["properties"]["spec"]["properties"].items():
        if any("oldSelf" in rule["rule"] for rule in inner.get("x-kubernetes-validations", ())):
            other = {"maxLlmTokens": 99} | _others(made["spec"])
            await refused("PUT", f"{place}/demo", made | {"spec": made["spec"] | {name: other[name]}})
    await refused("POST", place, body("1st"))
    await refused("POST", place, body("x", style={"preset": "noir", "description": "dark"}))
    await refused("POST", place, body("x", render={"width": 100}))
    await refused("POST", place, body("x", quality={"minScore": 0.5}))
    await refused("POST", place, body("x", prompts=[{"name": "scene", "text": "é" * 20_000}]))
    missing = [rule["message"] for rule in _rules(SCHEMA) if not any(rule["message"] in one for one in said)]
    assert missing == []


def _others(spec):
    """Another value, which the schema takes by itself, for every field."""
    changed = {
        str: lambda value: f"{value} and another",
        bool: lambda value: not value,
        int: lambda value: value + 1,
        float: lambda value: value + 1,
    }
    return {name: changed[type(value)](value) for name, value in spec.items() if type(value) in changed} | {
        "style": spec["style"] | {"preset": "noir"},
        "quality": spec["quality"] | {"attempts": 3},
        "formats": ["mds"],
        "prompts": [{"name": "scene", "text": "another"}],
        "plot": spec["plot"] | {"level": "story"},
        "render": spec.get("render", {}) | {"steps": 7},
        "maxLlmTokens": 99,
    }


def _rules(schema):
    yield from schema.get("x-kubernetes-validations", ())
    for inner in (*schema.get("properties", {}).values(), *[schema[key] for key in ("items",) if key in schema]):
        yield from _rules(inner)


async def test_a_field_that_nobody_knows_is_refused_by_name_and_never_kept(hand, place):
    misspelt = body(sceens=3)
    status, answer = await asked(hand, "POST", place, misspelt, fieldValidation="Strict")
    assert status == 400
    assert 'unknown field "spec.sceens"' in answer["message"]
    made = await hand.call("POST", place, misspelt)
    assert "sceens" not in made["spec"]


async def test_a_table_shows_how_far_it_is(hand, place):
    await hand.call("POST", place, body())
    status = {"state": "Running", "frames": "3/12", "progress": "25%", "movies": "0/1", "reason": "Working"}
    await hand.call("PATCH", f"{place}/demo/status", {"status": status})
    code, table = await asked(hand, "GET", place, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert code == 200
    shown = [(one["name"].upper(), one["priority"]) for one in table["columnDefinitions"]]
    always = [name for name, priority in shown if not priority]
    assert always == ["NAME", "STATE", "FRAMES", "PROGRESS", "MOVIES", "REASON", "AGE"]
    assert table["rows"][0]["cells"][:6] == ["demo", "Running", "3/12", "25%", "0/1", "Working"]
    wide = dict(zip((name for name, _ in shown), table["rows"][0]["cells"], strict=True))
    assert wide["THEME"] == "a storm"


async def test_kubectl_finds_it_by_its_short_names(hand, place):
    found = {one["name"]: one for one in (await hand.call("GET", GROUP))["resources"]}
    names = CRD["spec"]["names"]
    assert found["moviedatasets"]["shortNames"] == names["shortNames"] == ["mds"]
    assert set(found["moviedatasets"]["categories"]) == {"all", "moviellm"}
    assert set(found["moviedatasets/status"]["verbs"]) == {"get", "patch", "update"}


async def test_status_and_spec_are_written_apart(hand, place):
    made = await hand.call("POST", place, body() | {"status": {"state": "Succeeded"}})
    assert "status" not in made
    path = f"{place}/demo"
    both = {"spec": {"suspend": True}, "status": {"state": "Running"}}
    status = await hand.call("PATCH", f"{path}/status", both)
    assert (status["spec"]["suspend"], status["status"]["state"]) == (False, "Running")
    assert status["metadata"]["generation"] == 1
    spec = await hand.call("PATCH", path, both | {"status": {"state": "Failed"}})
    assert (spec["spec"]["suspend"], spec["status"]["state"]) == (True, "Running")
    assert spec["metadata"]["generation"] == 2


async def test_a_held_resource_waits_for_its_finalizer(hand, place):
    await hand.call("POST", place, body() | {"metadata": {"name": "demo", "finalizers": [FINALIZER]}})
    await hand.call("DELETE", f"{place}/demo")
    waiting = await hand.call("GET", f"{place}/demo")
    assert waiting["metadata"]["deletionTimestamp"]
    await hand.call("PATCH", f"{place}/demo", {"metadata": {"finalizers": []}})
    with pytest.raises(errors.NotFound):
        await hand.call("GET", f"{place}/demo")


async def test_lists_come_in_pages_and_a_forgotten_version_is_known_as_such(hand, place):
    namespace = place.split("/")[5]
    datasets = KubernetesDatasets(hand, namespace=namespace, labels={})
    for number in range(3):
        await hand.call("POST", place, body(f"demo-{number}"))
    page = await hand.call("GET", place, query={"limit": 2})
    assert page["metadata"]["continue"]
    rest = await hand.call("GET", place, query={"limit": 2, "continue": page["metadata"]["continue"]})
    assert len(page["items"]) + len(rest["items"]) == 3
    assert len((await datasets.list()).items) == 3
    with pytest.raises(Expired):
        async for _ in datasets.watch("1"):
            pass


async def test_the_definition_can_be_put_again_and_keeps_what_there_is(hand, place):
    await hand.call("POST", place, body())
    present = await put_crd(hand)
    kept = {one["type"]: one["status"] for one in present["status"]["conditions"]}
    assert (kept["NamesAccepted"], kept["Established"]) == ("True", "True")
    assert present["status"]["storedVersions"] == ["v1alpha1"]
    assert (await hand.call("GET", f"{place}/demo"))["spec"]["theme"] == "a storm"
    assert (await hand.call("GET", f"{CRDS}/{CRD['metadata']['name']}"))["spec"]["versions"][0]["storage"]
