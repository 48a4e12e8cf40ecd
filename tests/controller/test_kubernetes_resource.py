"""The resource's schema, the request's dataclass and the door say the same; what is written follows from what is."""

import dataclasses
import json
import math
import re
import typing
from enum import StrEnum
from pathlib import Path

import pytest
import yaml
from crd_rules import CRD, SCHEMA, VERSION, complaints, defaulted
from google.protobuf import json_format

from moviellm import errors, wire
from moviellm.controller import admission
from moviellm.controller.admission import Admission
from moviellm.controller.kubernetes import resource as resources
from moviellm.controller.kubernetes.decision import Step, next_step
from moviellm.controller.kubernetes.resource import Key, camel, content_of, manifest, read, snake, spec_of
from moviellm.controller.kubernetes.summary import delayed, merge_patch, refused, status_of
from moviellm.controller.kubernetes.telling import news
from moviellm.controller.progress import Progress, totals
from moviellm.controller.registry import Accepted, Dataset, Status
from moviellm.dataset import (
    FORMATS,
    MAX_ATTEMPTS,
    MAX_VECTORS,
    Estimate,
    ModelUse,
    MovieDatasetSpec,
    PlotSpec,
    QualitySpec,
    RenderSpec,
    Stage,
    State,
    StyleMethod,
    StyleSpec,
    Trouble,
)
from moviellm.movie import Prompt
from moviellm.v1 import movie_dataset_service_pb2 as pb

SPEC = SCHEMA["properties"]["spec"]["properties"]
STATUS = SCHEMA["properties"]["status"]["properties"]
SWITCHES = {"suspend", "deletionPolicy"}
FULL = MovieDatasetSpec(
    theme="a duchess and a commoner",
    movies=3,
    chapters=4,
    scenes=5,
    frames=7,
    style=StyleSpec("noir", "", 5, StyleMethod.PROMPT, 2),
    seed=2**62,
    formats=("mds", "llama_vid"),
    model="sdxl",
    frames_per_second=2.5,
    dialogue_lines=0,
    quality=QualitySpec(3, 0.5, True),
    max_llm_tokens=1000,
    prompts=(Prompt("scene", "Write $theme."), Prompt("part", "é")),
    plot=PlotSpec("story", "a" * 64),
    learn_characters=True,
    render=RenderSpec(640, 384, 8, 1.5, "text", "lcm", 0.25),
)
ADMISSION = Admission(max_movies=10, max_side=11, models=("pocket",), styles=("gothic", "noir"))


def body(**spec):
    whole = {"theme": "a storm"} | spec
    return defaulted({"metadata": {"name": "demo", "namespace": "films"}, "spec": whole})


def resource(dataset=None, status=None, generation=1, metadata=None, **spec):
    meta = {"name": "demo", "namespace": "films", "uid": "u", "generation": generation, "resourceVersion": "7"}
    meta |= {"finalizers": [resources.FINALIZER]} | (metadata or {})
    return read(body(**spec) | {"metadata": meta, "status": status or {}})


def dataset(state=State.RUNNING, trouble=None, done=None, **fields):
    accepted = Accepted(MovieDatasetSpec("a storm", **fields), 1_700_000_000.5, estimate=Estimate(54, 10, 1.5, 100))
    progress = Progress(accepted.spec)
    progress.done.update(done or {})
    if trouble and not state.is_final:
        progress.troubles["unit"] = trouble
    end = 1_700_000_100.0 if state.is_final else None
    return Dataset("demo", accepted, Status(state, end_time=end, trouble=trouble), progress)


# ---- the schema ----


def test_every_field_of_a_request_is_in_the_schema_and_no_other():
    def compare(cls, properties, path):
        fields = {camel(field.name): hint for field, hint in _fields(cls)}
        assert set(properties) - (SWITCHES if not path else set()) == set(fields), path
        for name, hint in fields.items():
            inner = properties[name]
            kind = {int: "integer", float: "number", str: "string", bool: "boolean"}
            if dataclasses.is_dataclass(hint):
                compare(hint, inner["properties"], f"{path}.{name}")
            elif typing.get_origin(hint) is tuple:
                assert inner["type"] == "array"
                item = typing.get_args(hint)[0]
                if dataclasses.is_dataclass(item):
                    compare(item, inner["items"]["properties"], f"{path}.{name}")
            elif issubclass(hint, StrEnum):
                assert {snake(value).strip("_") for value in inner["enum"]} == {member.value for member in hint}
            else:
                assert inner["type"] == kind[hint], f"{path}.{name}"

    compare(MovieDatasetSpec, SPEC, "")


def _fields(cls):
    hints = typing.get_type_hints(cls)
    return [(field, hints[field.name]) for field in dataclasses.fields(cls)]


def test_the_defaults_are_the_requests_own():
    """But for the model: an empty one is the deployment's default, as over gRPC."""
    filled = body()["spec"]
    assert spec_of(filled) == MovieDatasetSpec("a storm", model="")
    assert (filled["suspend"], filled["deletionPolicy"]) == (False, "Retain")


def test_every_default_stands_by_itself():
    """A server refuses a definition whose default breaks a rule before what is inside of it is filled in."""
    for name, inner in SPEC.items():
        if "default" in inner:
            assert complaints(inner["default"], schema=inner) == [], name


def test_limits_are_the_doors_own():
    theme, style = SPEC["theme"], SPEC["style"]["properties"]
    assert theme["maxLength"] == admission.MAX_THEME
    assert style["description"]["maxLength"] == admission.MAX_DESCRIPTION
    assert style["vectors"]["maximum"] == MAX_VECTORS
    assert style["pictures"]["maximum"] == admission.PICTURES_ALLOWED[-1]
    assert SPEC["quality"]["properties"]["attempts"]["maximum"] == MAX_ATTEMPTS
    assert SPEC["dialogueLines"]["maximum"] == admission.MAX_DIALOGUE_LINES
    assert SPEC["formats"]["items"]["enum"] == list(FORMATS)
    assert SPEC["prompts"]["items"]["properties"]["text"]["maxLength"] == admission.MAX_PROMPT_BYTES
    assert admission._ID.pattern in SCHEMA["x-kubernetes-validations"][0]["rule"]


#: What no rule of a schema can know: this deployment's limits, pictures, a service's opinion, what JSON cannot write.
ONLY_THE_DOOR = re.compile(
    r"between 1 and 11, got 12|known styles|known models|style_pictures|must hold \$theme|request_id"
)


def _door_cases():
    """The bad requests of the gRPC door's own test, as resources."""
    import test_door

    marks = test_door.test_bad_requests_name_the_field_and_what_is_allowed.pytestmark
    for field, says, request in marks[0].args[1]:
        if not (ONLY_THE_DOOR.search(f"{field} {says}") or math.isnan(request.spec.frames_per_second)):
            yield pytest.param(field, request, id=f"{field} {says}")


@pytest.mark.parametrize(("field", "request_"), list(_door_cases()))
def test_bad_requests_are_refused_by_the_schema_too(field, request_):
    spec = json_format.MessageToDict(request_.spec)
    spec |= {name: int(spec[name]) for name in ("seed", "maxLlmTokens") if name in spec}
    name = request_.movie_dataset_id or "demo"
    found = [path for path, _ in complaints(defaulted({"metadata": {"name": name, "namespace": "n"}, "spec": spec}))]
    if field == "movie_dataset_id":
        assert found == [""]
    else:
        assert found
        assert all(path and f"{field}[0]".startswith(_as_grpc(path)) for path in found), found


def _as_grpc(path):
    return ".".join(snake(part) for part in path.split("."))


def test_what_the_door_takes_the_schema_takes():
    taken = [
        MovieDatasetSpec("x"),
        MovieDatasetSpec("x" * 500),
        MovieDatasetSpec("  ein Sturm über dem Meer\n"),
        MovieDatasetSpec("a storm", style=StyleSpec(description="dark, rainy")),
        MovieDatasetSpec("a storm", prompts=(Prompt("scene", "é" * 16384),)),
        dataclasses.replace(FULL, model="pocket", style=StyleSpec("noir")),
    ]
    for spec in taken:
        ADMISSION.spec(spec)
        assert complaints(body(**content_of(spec))) == []
    too_long = Prompt("scene", "é" * 16385)
    with pytest.raises(errors.InvalidInput):
        ADMISSION.spec(MovieDatasetSpec("a storm", prompts=(too_long,)))
    assert complaints(body(prompts=[{"name": "scene", "text": too_long.text}]))


@pytest.mark.parametrize("name", [camel(field.name) for field in dataclasses.fields(MovieDatasetSpec)])
def test_only_what_may_change_changes(name):
    old = body()
    new = body(**{name: content_of(FULL)[name]})
    found = complaints(new, old)
    assert bool(found) is (name != "maxLlmTokens"), found
    assert all(path == f"spec.{name}" for path, _ in found)


@pytest.mark.parametrize(("old", "new", "is_taken"), [(5, 6, True), (5, 4, False), (5, 0, True), (0, 5, True)])
def test_the_limit_of_tokens_changes_as_over_grpc(old, new, is_taken):
    assert (not complaints(body(maxLlmTokens=new), body(maxLlmTokens=old))) is is_taken


def test_what_a_person_sees():
    names = CRD["spec"]["names"]
    assert (names["shortNames"], names["categories"]) == (["mds"], ["all", "moviellm"])
    shown = [column["name"].upper() for column in VERSION["additionalPrinterColumns"] if not column.get("priority")]
    assert shown == ["STATE", "FRAMES", "PROGRESS", "MOVIES", "REASON", "AGE"]
    assert VERSION["subresources"] == {"status": {}}
    for column in VERSION["additionalPrinterColumns"]:
        part, _, name = column["jsonPath"].removeprefix(".").partition(".")
        assert part == "metadata" or name in SCHEMA["properties"][part]["properties"]


def test_the_schema_is_structural():
    """Every node has a type; what CEL looks at has bounds, as the cost limits of API servers want it."""

    def walk(node, path, is_bounded):
        assert "type" in node, path
        for name, inner in node.get("properties", {}).items():
            walk(inner, f"{path}.{name}", is_bounded)
        if node["type"] == "array":
            assert not is_bounded or "maxItems" in node, path
            walk(node["items"], f"{path}[]", is_bounded)
        if node["type"] == "string" and is_bounded:
            assert "maxLength" in node or "enum" in node, path

    walk(SCHEMA, "", False)
    walk(SCHEMA["properties"]["spec"], "spec", True)


def test_the_page_about_the_resource_tells_no_lies():
    page = (Path(__file__).parents[2] / "docs" / "resource.md").read_text()
    for block in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        example = yaml.safe_load(block)
        assert (example["apiVersion"], example["kind"]) == (resources.API_VERSION, resources.KIND)
        assert complaints(defaulted(example)) == []
        assert "theme" in example["spec"]
        ADMISSION.spec(spec_of(defaulted(example)["spec"]))
    for state in STATUS["state"]["enum"]:
        assert f"`{state}`" in page
    told = set(re.findall(r"`(\w+)`", page))
    assert set(STATUS) - {"moviesFinished", "suspended", "retried", "acceptedTime", "endTime"} <= told
    changing = {name for name, inner in SPEC.items() if "cannot change" not in json.dumps(inner)}
    assert changing == {"suspend", "deletionPolicy", "maxLlmTokens"}


# ---- mapping ----


def test_a_request_survives_the_way_there_and_back():
    for spec in (FULL, MovieDatasetSpec("a storm"), dataclasses.replace(FULL, prompts=(), formats=())):
        content = json.loads(json.dumps(content_of(spec)))
        assert spec_of(content) == spec
        assert defaulted({"spec": content})["spec"] == content | {"suspend": False, "deletionPolicy": "Retain"}
    message = wire.to_message(FULL, pb.MovieDatasetSpec)
    assert {camel(field.name) for field in message.DESCRIPTOR.fields} == set(content_of(FULL))


def test_wrong_types_name_the_field():
    with pytest.raises(errors.InvalidInput) as caught:
        spec_of({"theme": "x", "quality": {"minScore": "much"}})
    assert caught.value.field == "spec.quality.minScore"


def test_a_manifest_is_taken_by_the_schema():
    made = manifest(Key("films", "demo"), FULL, labels={"tier": "gold"}, annotations={resources.REQUEST_ID: "d"})
    assert complaints(defaulted(made)) == []
    assert made["metadata"]["finalizers"] == [resources.FINALIZER]


def test_ids_of_other_namespaces_are_ids_and_differ():
    assert Key("films", "demo").dataset("films") == "demo"
    others = {Key(space, "a" * 63).dataset("films") for space in ("a", "b", "c")}
    assert len(others) == 3
    for identifier in (*others, Key("x", f"{'a' * 53}-b").dataset("films")):
        assert admission.dataset_id(f"movieDatasets/{identifier}") == identifier


# ---- what is to be done ----


@pytest.mark.parametrize(
    ("step", "spec", "state", "metadata", "status"),
    [
        (Step.HOLD, {}, None, {"finalizers": []}, {}),
        (Step.ACCEPT, {}, None, {}, {}),
        (Step.NOTHING, {"suspend": True}, None, {}, {}),
        (Step.NOTHING, {}, State.RUNNING, {}, {}),
        (Step.NOTHING, {}, State.SUCCEEDED, {}, {}),
        (Step.NOTHING, {"maxLlmTokens": 5}, State.SUCCEEDED, {}, {}),
        (Step.CANCEL, {"suspend": True}, State.PENDING, {}, {}),
        (Step.CANCEL, {"suspend": True}, State.RUNNING, {}, {}),
        (Step.NOTHING, {"suspend": True}, State.FAILED, {}, {}),
        (Step.RETRY, {}, State.CANCELLED, {}, {}),
        (Step.NOTHING, {}, State.FAILED, {}, {}),
        (Step.RETRY, {}, State.FAILED, {}, {"suspended": True}),
        (Step.RETRY, {}, State.FAILED, {"annotations": {resources.RETRY: "2"}}, {"retried": "1"}),
        (Step.NOTHING, {}, State.FAILED, {"annotations": {resources.RETRY: "2"}}, {"retried": "2"}),
        (Step.RETRY, {"maxLlmTokens": 5}, State.FAILED, {}, {}),
        (Step.CANCEL, {"maxLlmTokens": 5}, State.RUNNING, {}, {}),
        (Step.RELEASE, {}, State.SUCCEEDED, {"deletionTimestamp": "now"}, {}),
        (Step.CANCEL, {}, State.RUNNING, {"deletionTimestamp": "now"}, {}),
        (Step.REMOVE, {"deletionPolicy": "Delete"}, State.RUNNING, {"deletionTimestamp": "now"}, {}),
        (Step.REMOVE, {"deletionPolicy": "Delete"}, State.DELETING, {"deletionTimestamp": "now"}, {}),
        (Step.RELEASE, {"deletionPolicy": "Delete"}, None, {"deletionTimestamp": "now"}, {}),
        (Step.NOTHING, {}, State.RUNNING, {"deletionTimestamp": "now", "finalizers": ["other"]}, {}),
    ],
)
def test_the_next_step_follows_from_how_things_stand(step, spec, state, metadata, status):
    assert next_step(resource(status=status, metadata=metadata, **spec), state and dataset(state)) is step


# ---- what is written ----

UNREACHABLE = Trouble("rendering", "SERVICE_UNREACHABLE", "does not answer", "movie 1, scene 1", 3)
HALF = {Stage.RENDERING: 27, Stage.SCRIPTING: 13, Stage.EXPORT: 0}


@pytest.mark.parametrize(
    ("state", "trouble", "shown", "reason", "conditions"),
    [
        (State.PENDING, None, "Pending", "Queued", "False True False"),
        (State.RUNNING, None, "Running", "Working", "False True False"),
        (State.RUNNING, UNREACHABLE, "Running", "SERVICE_UNREACHABLE", "False True True"),
        (State.SUCCEEDED, None, "Succeeded", "Succeeded", "True False False"),
        (State.FAILED, UNREACHABLE, "Failed", "SERVICE_UNREACHABLE", "False False True"),
        (State.CANCELLED, None, "Cancelled", "Cancelled", "False False False"),
        (State.DELETING, None, "Deleting", "Deleting", "False True False"),
    ],
)
def test_states_and_conditions(state, trouble, shown, reason, conditions):
    written = status_of(resource(), dataset(state, trouble, HALF), now=1_700_000_050)
    assert (written["state"], written["reason"]) == (shown, reason)
    assert " ".join(one["status"] for one in written["conditions"]) == conditions
    assert [one["type"] for one in written["conditions"]] == ["Ready", "Progressing", "Degraded"]
    assert complaints(body() | {"status": written}) == []


def test_counts_are_numbers_of_the_dataset_and_nothing_grows_with_scenes():
    at_work = dataset(done=totals(MovieDatasetSpec("a storm")) | {Stage.RENDERING: 27, Stage.EXPORT: 1})
    at_work.progress.use["m"] = ModelUse("m", 2_000_000, 1_000_000)
    written = status_of(resource(), at_work, now=0, prices={"m": (1.0, 2.0)}, artifacts="s3://b/x")
    assert (written["frames"], written["movies"]) == ("27/54", "1/1")
    assert written["progress"] == "67%"
    assert written["modelUse"] == [
        {"model": "m", "promptTokens": 2_000_000, "completionTokens": 1_000_000, "cost": 4.0}
    ]
    assert written["acceptedTime"] == "2023-11-14T22:13:20Z"
    assert written["estimate"]["gpuSeconds"] == 1.5
    assert written["stages"][2] == {"stage": "rendering", "unit": "frames", "done": 27, "total": 54, "inProgress": 0}
    assert complaints(body() | {"status": written}) == []
    large = dataset(movies=1000, chapters=11, scenes=11, frames=11)
    large.progress.titles.update(dict.fromkeys(range(1000), "A long title of a movie"))
    assert len(json.dumps(status_of(resource(), large, now=0))) < 4000
    assert set(written) <= set(STATUS), "the server would drop what its schema does not know"


def test_conditions_keep_their_time_until_they_change():
    first = status_of(resource(), dataset(State.PENDING), now=100)
    then = status_of(resource(status=first, generation=2), dataset(State.RUNNING), now=200)
    last = status_of(resource(status=then), dataset(State.SUCCEEDED), now=300)
    times = {one["type"]: one["lastTransitionTime"][-3:-1] for one in then["conditions"]}
    assert times == {"Ready": "40", "Progressing": "40", "Degraded": "40"}
    assert [one["observedGeneration"] for one in then["conditions"]] == [2, 2, 2]
    assert {one["type"]: one["lastTransitionTime"][-3:-1] for one in last["conditions"]} == {
        "Ready": "00",
        "Progressing": "00",
        "Degraded": "40",
    }


def test_before_there_is_a_dataset():
    no = status_of(resource(), None, refused("InvalidSpec", "spec.movies: " + "x" * 5000), now=0)
    assert (no["state"], no["reason"], len(no["message"])) == ("Refused", "InvalidSpec", 1024)
    assert [one["status"] for one in no["conditions"]] == ["False", "False", "True"]
    later = status_of(resource(), None, delayed("SERVICE_UNREACHABLE", "later"), now=0)
    assert [one["status"] for one in later["conditions"]] == ["False", "True", "True"]
    for written in (no, later):
        assert complaints(body() | {"status": written}) == []


def test_a_merge_patch_makes_new_of_old():
    from api_server import merged

    old = {"a": 1, "gone": 2, "deep": {"x": 1, "y": 2}, "list": [1, 2]}
    new = {"a": 1, "deep": {"x": 1, "z": 3}, "list": [2], "more": {}}
    patch = merge_patch(old, new)
    assert merged(old, patch) == new
    assert "a" not in patch
    assert merge_patch(new, new) == {}


# ---- what is told ----


def told(*statuses):
    before, events = {}, []
    for status in statuses:
        events.append([(one.reason, one.is_warning) for one in news(before, status)])
        before = status
    return events


def test_events_tell_what_a_person_wants_to_know_once():
    def at(state, movies=0, **more):
        return (
            {"state": state, "dataset": "demo", "frames": "1/2", "movies": f"{movies}/2", "moviesFinished": movies}
            | {
                "reason": "R",
                "message": "m",
            }
            | more
        )

    assert told(
        at("Pending"),
        at("Running"),
        at("Running"),
        at("Running", 1),
        at("Failed", 1),
        at("Running", 1),
        at("Succeeded", 2),
    ) == [
        [("Accepted", False)],
        [("Started", False)],
        [],
        [("MovieFinished", False)],
        [("Failed", True)],
        [("Retried", False)],
        [("MovieFinished", False), ("Succeeded", False)],
    ]
    assert told(at("Succeeded", 2)) == [
        [("Accepted", False), ("Started", False), ("MovieFinished", False), ("Succeeded", False)]
    ]
    refusal = {"state": "Refused", "reason": "InvalidSpec", "message": "no"}
    assert told(refusal, refusal, refusal | {"message": "still not"}) == [
        [("InvalidSpec", True)],
        [],
        [("InvalidSpec", True)],
    ]
