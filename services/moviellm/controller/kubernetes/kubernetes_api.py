"""The API server through the official client: its configuration, credentials and transport, with JSON as it comes."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from moviellm.controller.kubernetes.cluster import Change, Expired, Listing
from moviellm.controller.kubernetes.resource import API_VERSION, PLURAL, Json, Key
from moviellm.controller.leadership.lease import Conflict
from moviellm.errors import (
    AlreadyExists,
    Broken,
    Denied,
    Exhausted,
    InvalidInput,
    MovieLLMError,
    NotFound,
    Unavailable,
    Unsatisfied,
)

PAGE = 250
WATCH_SECONDS = 240
"""The server ends a watch after this; a connection that died unnoticed is found out a little later."""

CALL_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5)
WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=WATCH_SECONDS + 30)
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

_MERGE_PATCH = "application/merge-patch+json"
_MANAGER = "moviellm-controller"
"""How the server's record of who manages which field, and its audit log, call the controller."""


async def connect(context: str = "") -> ApiClient:
    """A client with the pod's service account, else with the kubeconfig's (current) context.

    Raises Unsatisfied where there is neither.
    """
    configuration = Configuration()
    try:
        if _in_pod() and not context:
            load_pod: Any = config.load_incluster_config
            load_pod(client_configuration=configuration)
        else:
            load_file: Any = config.load_kube_config
            await load_file(client_configuration=configuration, context=context or None)
    except config.ConfigException as error:
        raise Unsatisfied(f"there is no cluster to talk to: {error}") from error
    return ApiClient(configuration)


def own_namespace(setting: str) -> str:
    """The namespace that is set, else the pod's own, else "default"."""
    if setting:
        return setting
    return NAMESPACE_FILE.read_text().strip() if _in_pod() else "default"


def _in_pod() -> bool:
    return NAMESPACE_FILE.exists()


class KubernetesApi:
    """JSON calls to the API server with our errors."""

    def __init__(self, client: ApiClient) -> None:
        self._client: Any = client
        self._client.user_agent = _MANAGER

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def call(
        self, method: str, path: str, body: Json | None = None, *, query: Mapping[str, str | int] | None = None
    ) -> Json:
        """One call. Raises our errors for what the server refuses, Unavailable where it does not answer."""
        response = await self._send(method, path, body, query or {}, CALL_TIMEOUT)
        try:
            text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(error) from error
        finally:
            response.release()
        if response.status >= 400:
            raise _error(response.status, text, response.headers.get("Retry-After"))
        return dict(json.loads(text)) if text else {}

    async def stream(self, path: str, query: Mapping[str, str | int]) -> AsyncIterator[Json]:
        """A watch: one JSON object a line, until the server ends it."""
        response = await self._send("GET", path, None, query, WATCH_TIMEOUT)
        try:
            if response.status >= 400:
                raise _error(response.status, await response.text(), response.headers.get("Retry-After"))
            while line := await response.content.readline():
                if not line.endswith(b"\n"):
                    return  # the connection was cut within an event
                yield json.loads(line)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _unreachable(error) from error
        finally:
            response.close()

    async def _send(
        self,
        method: str,
        path: str,
        body: Json | None,
        query: Mapping[str, str | int],
        within: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": "application/json"}
        headers["Content-Type"] = _MERGE_PATCH if method == "PATCH" else "application/json"
        prepared = await self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        verb, url, headers, content, _ = prepared
        try:
            answer = await self._client.call_api(
                verb, url, header_params=headers, body=content, _request_timeout=within
            )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _unreachable(error) from error
        response: aiohttp.ClientResponse = answer.response
        return response


class KubernetesDatasets:
    """The MovieDataset resources of one namespace, or of all where `namespace` is empty, that carry the labels."""

    def __init__(self, api: KubernetesApi, *, namespace: str, labels: Mapping[str, str]) -> None:
        self._api = api
        self._scope = _path(namespace)
        self._selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))

    async def list(self) -> Listing:
        """All resources in scope, page by page."""
        items: list[Json] = []
        token = ""
        while True:
            query: dict[str, str | int] = {"limit": PAGE}
            query |= {name: one for name, one in (("labelSelector", self._selector), ("continue", token)) if one}
            page = await self._api.call("GET", self._scope, query=query)
            items += page.get("items") or ()
            token = page["metadata"].get("continue", "")
            if not token:
                return Listing(tuple(items), page["metadata"]["resourceVersion"])

    async def watch(self, version: str) -> AsyncIterator[Change]:
        """Changes after `version`."""
        query: dict[str, str | int] = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": WATCH_SECONDS,
        }
        if self._selector:
            query["labelSelector"] = self._selector
        async for event in self._api.stream(self._scope, query):
            if event["type"] == "ERROR":
                raise _error(int(event["object"].get("code", 500)), json.dumps(event["object"]), None)
            yield Change(event["type"], event["object"])

    async def get(self, key: Key) -> Json:
        """One resource."""
        return await self._api.call("GET", f"{_path(key.namespace)}/{key.name}")

    async def create(self, body: Json) -> Json:
        """A new resource."""
        return await self._api.call("POST", _path(body["metadata"]["namespace"]), body)

    async def patch(self, key: Key, body: Json, *, status: bool = False) -> Json:
        """Merge into the resource or its status."""
        path = f"{_path(key.namespace)}/{key.name}"
        return await self._api.call("PATCH", f"{path}/status" if status else path, body)

    async def delete(self, key: Key) -> None:
        """Ask for deletion."""
        await self._api.call("DELETE", f"{_path(key.namespace)}/{key.name}")

    async def tell(self, event: Json) -> None:
        """Write an event."""
        await self._api.call("POST", f"/api/v1/namespaces/{event['metadata']['namespace']}/events", event)


class KubernetesLease:
    """One Lease."""

    def __init__(self, api: KubernetesApi, *, namespace: str, name: str) -> None:
        self._api = api
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name = name
        self._namespace = namespace

    async def read(self) -> Json | None:
        """The Lease."""
        try:
            return await self._api.call("GET", f"{self._path}/{self._name}")
        except NotFound:
            return None

    async def create(self, body: Json) -> Json:
        """A new Lease."""
        meta = {"name": self._name, "namespace": self._namespace}
        whole = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta} | body
        return await self._api.call("POST", self._path, whole)

    async def replace(self, body: Json) -> Json:
        """The Lease in place of the one that was read."""
        return await self._api.call("PUT", f"{self._path}/{self._name}", body)


def _path(namespace: str) -> str:
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{API_VERSION}{scope}/{PLURAL}"


def _unreachable(error: Exception) -> Unavailable:
    why = str(error) or type(error).__name__
    return Unavailable(f"the API server of the cluster does not answer: {why}", reason="CLUSTER_UNREACHABLE")


def _error(code: int, text: str, retry_after: str | None) -> MovieLLMError:
    status = _status(text)
    message = f"the cluster: {status.get('message') or text[:200] or code}"
    reason = status.get("reason", "")
    if code == 404:
        return NotFound(message)
    if code == 409:
        return AlreadyExists(message) if reason == "AlreadyExists" else Conflict(message)
    if code == 410:
        return Expired(message)
    if code in (400, 422):
        causes = (status.get("details") or {}).get("causes") or [{}]
        return InvalidInput(_field(causes[0].get("field", "")), causes[0].get("message") or message)
    if code in (401, 403):
        return Denied(message, reason="CLUSTER_DENIED")
    if code == 429:
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else 1.0
        return Exhausted(message, reason="CLUSTER_BUSY", retry_after=seconds)
    if code >= 500:
        return Unavailable(message, reason="CLUSTER_UNREACHABLE")
    return Broken(message)


def _status(text: str) -> Json:
    try:
        status = json.loads(text)
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _field(path: str) -> str:
    """The field as it is called over gRPC: spec.maxLlmTokens → spec.max_llm_tokens."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: f"_{letter.group().lower()}", path) or "spec"
