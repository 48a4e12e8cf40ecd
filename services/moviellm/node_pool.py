"""The node pool this process runs in: told by the environment, else read once from the labels of its Kubernetes node.

Kubernetes' downward API gives a pod its node's name but none of the node's labels, so they are asked for at the API
server with the pod's own service account, which must be allowed to `get` nodes.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

import structlog

from moviellm.errors import Denied, MovieLLMError, NotFound, Temporary, Unavailable
from moviellm.settings import ServiceSettings

LOCAL = "local"
"""The pool of processes outside a cluster, and of those whose pool nobody knows."""

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes mounts a pod's token and the API server's certificate authority."""

PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try: a node that has just joined may have no network yet."""

S = TypeVar("S", bound=ServiceSettings)

log = structlog.get_logger()


@dataclass(frozen=True)
class ApiServer:
    """The cluster's API server as a pod sees it; `account` is the folder with `token` and `ca.crt`."""

    host: str
    port: int
    account: Path = ACCOUNT
    timeout: float = 3.0

    @classmethod
    def of_pod(cls, environ: Mapping[str, str]) -> Self | None:
        """The server that Kubernetes names in every pod's environment; None outside a cluster."""
        host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
        return cls(host, int(port)) if host else None

    def node_labels(self, node: str) -> dict[str, str]:
        """The node's labels. Raises Denied, NotFound, or Unavailable where asking again may help."""
        try:
            token = (self.account / "token").read_text().strip()
            trust = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        except OSError as error:
            raise Denied(f"the pod has no service account token that can be used: {error}") from error
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=trust)
        try:
            connection.request("GET", f"/api/v1/nodes/{quote(node, safe='')}", headers=_headers(token))
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the API server at {self.host}:{self.port} does not answer: {error}") from error
        finally:
            connection.close()
        return _labels(node, answer.status, body)


def find(
    server: ApiServer, node: str, labels: Sequence[str], *, sleep: Callable[[float], None] = time.sleep
) -> str | None:
    """The value of the first of `labels` that the node has; None when it has none.

    Raises what `ApiServer.node_labels` raises; a server that does not answer is asked three times.
    """
    for pause in PAUSES:
        try:
            return _first(server.node_labels(node), labels)
        except Temporary:
            sleep(pause)
    return _first(server.node_labels(node), labels)


def located(settings: S, environ: Mapping[str, str], *, server: ApiServer | None = None) -> S:
    """The settings with the node pool filled in: as set, else found in the cluster, else "local".

    Not knowing it stops nobody from working: what stands in the way is logged once.
    """
    if settings.node_pool:
        return settings
    return settings.model_copy(update={"node_pool": _looked_up(settings, server or ApiServer.of_pod(environ)) or LOCAL})


def _looked_up(settings: ServiceSettings, server: ApiServer | None) -> str | None:
    if server is None:
        return None
    if not settings.node_name:
        log.warning("node pool unknown", why="NODE_NAME is not set; give it spec.nodeName by the downward API")
        return None
    try:
        pool = find(server, settings.node_name, settings.node_pool_labels)
    except MovieLLMError as error:
        log.warning("node pool unknown", node=settings.node_name, why=error.message)
        return None
    if pool is None:
        log.warning("node pool unknown", node=settings.node_name, why="no such label", labels=settings.node_pool_labels)
    return pool


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _labels(node: str, status: int, body: bytes) -> dict[str, str]:
    if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        raise Denied(f"the service account may not get nodes (HTTP {status})")
    if status == http.client.NOT_FOUND:
        raise NotFound(f"the API server knows no node {node}")
    if status != http.client.OK:
        raise Unavailable(f"the API server answers HTTP {status}")
    try:
        labels = json.loads(body)["metadata"].get("labels") or {}
        return {str(name): str(value) for name, value in labels.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(f"the API server's answer is no node: {error}") from error


def _first(found: Mapping[str, str], labels: Sequence[str]) -> str | None:
    return next((found[label] for label in labels if found.get(label)), None)
