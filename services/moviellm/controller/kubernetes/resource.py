"""A MovieDataset resource as it lies in the cluster, and what it asks for; pure, both ways."""

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import pydantic

from moviellm.controller.tenancy.ownership import owner_of
from moviellm.dataset import MovieDatasetSpec, PlotSpec, StyleMethod
from moviellm.errors import InvalidInput

GROUP = "moviellm.dev"
VERSION = "v1alpha1"
PLURAL = "moviedatasets"
KIND = "MovieDataset"
API_VERSION = f"{GROUP}/{VERSION}"

FINALIZER = f"{GROUP}/artifacts"
"""Holds a deleted resource until its work has stopped and its artifacts are gone or given up."""

REQUEST_ID = f"{GROUP}/request-id-digest"
"""Annotation: the SHA-256 of the request_id of the CreateMovieDataset call that made the resource."""

RETRY = f"{GROUP}/retry"
"""Annotation: a new value lets a failed dataset go on."""

Json = dict[str, Any]

_METHODS = {
    StyleMethod.TEXTUAL_INVERSION: "TextualInversion",
    StyleMethod.PROMPT: "Prompt",
    StyleMethod.LORA: "Lora",
    StyleMethod.IP_ADAPTER: "IpAdapter",
}
_SPEC = pydantic.TypeAdapter(MovieDatasetSpec)
_LONGEST_NAME = 54


class DeletionPolicy(StrEnum):
    """What becomes of the artifacts when the resource is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


@dataclass(frozen=True, order=True)
class Key:
    """Which resource: its namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def dataset(self, home: str) -> str:
        """The id of its dataset: the name itself in the controller's own namespace, else with a mark of the other."""
        if self.namespace == home:
            return self.name
        mark = hashlib.sha256(str(self).encode()).hexdigest()[:8]
        return f"{self.name[:_LONGEST_NAME].rstrip('-')}-{mark}"

    def owner(self, home: str) -> str:
        """The tenant whose dataset it is: in the controller's own namespace the one its name tells."""
        return owner_of(self.name) if self.namespace == home else self.namespace


@dataclass(frozen=True)
class Resource:
    """What the controller reads of one object; `content` is its spec as it was written."""

    key: Key
    uid: str
    generation: int
    version: str
    content: Mapping[str, Any]
    status: Mapping[str, Any] = field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    deleting: bool = False

    @property
    def suspend(self) -> bool:
        """Whether the work shall stand still."""
        return bool(self.content.get("suspend", False))

    @property
    def deletion_policy(self) -> DeletionPolicy:
        """What becomes of the artifacts."""
        return DeletionPolicy(self.content.get("deletionPolicy", DeletionPolicy.RETAIN))

    @property
    def is_held(self) -> bool:
        """Whether it cannot vanish before the controller lets it go."""
        return FINALIZER in self.finalizers

    @property
    def max_llm_tokens(self) -> int:
        """The limit of tokens, which may be raised."""
        return int(self.content.get("maxLlmTokens", 0))

    @property
    def needs_uploads(self) -> bool:
        """Whether it was made with pictures or a plot, which only CreateMovieDataset can bring."""
        style, plot = self.content.get("style") or {}, self.content.get("plot") or {}
        return bool(style.get("pictures") or plot.get("level"))

    def is_after(self, version: str) -> bool:
        """Whether it was written after `version`; versions of one kind are growing numbers."""
        return self.version.isdigit() and version.isdigit() and int(self.version) > int(version)

    def is_older_than(self, other: "Resource") -> bool:
        """Whether this is an earlier state of the same object."""
        return self.uid == other.uid and other.is_after(self.version)


def read(body: Json) -> Resource:
    """The resource in an object of the API server."""
    meta = body["metadata"]
    return Resource(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta.get("uid", ""),
        generation=meta.get("generation", 0),
        version=meta.get("resourceVersion", ""),
        content=body.get("spec") or {},
        status=body.get("status") or {},
        finalizers=tuple(meta.get("finalizers") or ()),
        annotations=meta.get("annotations") or {},
        deleting=bool(meta.get("deletionTimestamp")),
    )


def spec_of(content: Mapping[str, Any]) -> MovieDatasetSpec:
    """What a resource's spec asks for. Raises InvalidInput, naming the field, where its types are wrong.

    An empty model stands for the deployment's default, as over gRPC.
    """
    values = {snake(name): _from_json(name, value) for name, value in content.items()}
    try:
        return _SPEC.validate_python({"model": ""} | values)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(".".join(["spec", *(camel(str(part)) for part in first["loc"])]), first["msg"]) from error


def without_uploads(spec: MovieDatasetSpec) -> MovieDatasetSpec:
    """The request without what it says of pictures and plot, which CreateMovieDataset alone can bring."""
    return replace(spec, style=replace(spec.style, pictures=0), plot=PlotSpec())


def content_of(spec: MovieDatasetSpec) -> Json:
    """The spec of a resource that asks for the same."""
    content: Json = _to_json(dataclasses.asdict(spec))
    content["style"]["method"] = _METHODS[spec.style.method]
    return content


def manifest(key: Key, spec: MovieDatasetSpec, *, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Json:
    """A new object that asks for `spec`, held by the controller from the start."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {"app.kubernetes.io/managed-by": "moviellm"} | dict(labels),
            "annotations": dict(annotations),
            "finalizers": [FINALIZER],
        },
        "spec": content_of(spec),
    }


def camel(name: str) -> str:
    """frames_per_second → framesPerSecond."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    """framesPerSecond → frames_per_second."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter.group().lower()}", name)


def _to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(name): _to_json(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_to_json(item) for item in value]
    return value


def _from_json(name: str, value: Any) -> Any:
    if name == "method":
        return next((method for method, written in _METHODS.items() if written == value), value)
    if isinstance(value, Mapping):
        return {snake(inner): _from_json(inner, content) for inner, content in value.items()}
    if isinstance(value, list):
        return tuple(_from_json("", item) for item in value)
    return value
