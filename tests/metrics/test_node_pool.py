"""The node pool is known: from the environment, from the labels of the node through a real HTTPS server, or "local"."""

import datetime
import ipaddress
import json
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from moviellm import errors
from moviellm.controller.settings import ControllerSettings
from moviellm.export.settings import ExportSettings
from moviellm.inversion.settings import InversionSettings
from moviellm.node_pool import PAUSES, ApiServer, find, located
from moviellm.qa.settings import QaSettings
from moviellm.rendering.settings import RenderingSettings
from moviellm.scripting.settings import ScriptingSettings

ROOMS = {
    "CONTROLLER": ControllerSettings,
    "SCRIPTING": ScriptingSettings,
    "INVERSION": InversionSettings,
    "RENDERING": RenderingSettings,
    "QA": QaSettings,
    "EXPORT": ExportSettings,
}
CLOUDS = {
    "cloud.google.com/gke-nodepool": "gpu-l4",
    "eks.amazonaws.com/nodegroup": "spot-a10g",
    "karpenter.sh/nodepool": "default",
    "kubernetes.azure.com/agentpool": "nc24",
    "moviellm.dev/node-pool": "cpu",
}


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself, as (certificate, key) files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    return folder / "ca.crt", folder / "key.pem"


class Cluster:
    """An API server of one kind of object; `answers` are statuses to give first."""

    def __init__(self, folder):
        self.labels = {"kubernetes.io/hostname": "node-1"}
        self.answers = []
        self.asked = []
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                cluster.asked.append((self.path, self.headers["Authorization"]))
                status = cluster.answers.pop(0) if cluster.answers else 200
                body = cluster.body()
                if status == 200 and self.path != "/api/v1/nodes/node-1":
                    status = 404
                if self.headers["Authorization"] != "Bearer let-me-in":
                    status = 401
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        (folder / "token").write_text("let-me-in\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.api = ApiServer("127.0.0.1", self.server.server_port, folder)
        self.folder = folder
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def body(self):
        return json.dumps({"kind": "Node", "metadata": {"name": "node-1", "labels": self.labels}}).encode()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def environment(monkeypatch):
    """No variables of the machine's own."""
    for name in ("NODE_POOL", "NODE_NAME", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("label", CLOUDS)
def test_every_cloud_needs_no_configuration(cluster, environment, label):
    environment.setenv("NODE_NAME", "node-1")
    cluster.labels[label] = CLOUDS[label]
    assert located(QaSettings(), {}, server=cluster.api).node_pool == CLOUDS[label]
    assert cluster.asked == [("/api/v1/nodes/node-1", "Bearer let-me-in")]


def test_the_projects_own_label_comes_first_and_the_list_can_be_changed(cluster, environment):
    environment.setenv("NODE_NAME", "node-1")
    cluster.labels |= CLOUDS | {"example.com/pool": "odd"}
    assert located(QaSettings(), {}, server=cluster.api).node_pool == "cpu"
    environment.setenv("MOVIELLM_QA_NODE_POOL_LABELS", '["example.com/pool"]')
    assert located(QaSettings(), {}, server=cluster.api).node_pool == "odd"


@pytest.mark.parametrize("room", ROOMS)
def test_the_environment_wins_in_every_room(cluster, environment, room):
    environment.setenv("NODE_NAME", "node-1")
    cluster.labels |= CLOUDS
    environment.setenv(f"MOVIELLM_{room}_NODE_POOL", "mine")
    assert located(ROOMS[room](), {}, server=cluster.api).node_pool == "mine"
    environment.setenv("NODE_POOL", "the pod's")
    assert located(ROOMS[room](), {}, server=cluster.api).node_pool == "the pod's"
    assert not cluster.asked


def test_outside_a_cluster_it_is_local(environment):
    assert located(QaSettings(), {}).node_pool == "local"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_may_not_ask_works_on_and_asks_once(cluster, environment, status):
    environment.setenv("NODE_NAME", "node-1")
    cluster.answers = [status]
    assert located(QaSettings(), {}, server=cluster.api).node_pool == "local"
    assert len(cluster.asked) == 1


def test_without_a_name_or_a_label_it_is_local(cluster, environment):
    assert located(QaSettings(), {}, server=cluster.api).node_pool == "local"
    assert not cluster.asked
    environment.setenv("NODE_NAME", "node-1")
    assert located(QaSettings(), {}, server=cluster.api).node_pool == "local"
    assert len(cluster.asked) == 1


def test_an_api_server_that_is_busy_is_asked_again(cluster):
    cluster.labels |= CLOUDS
    cluster.answers = [503, 500]
    pauses = []
    assert find(cluster.api, "node-1", ["karpenter.sh/nodepool"], sleep=pauses.append) == "default"
    assert pauses == list(PAUSES)


def test_an_api_server_that_stays_away_is_given_up(cluster):
    cluster.answers = [503] * 9
    with pytest.raises(errors.Unavailable, match="HTTP 503"):
        find(cluster.api, "node-1", [], sleep=lambda _: None)
    assert len(cluster.asked) == len(PAUSES) + 1
    closed = ApiServer("127.0.0.1", 1, cluster.folder)
    with pytest.raises(errors.Unavailable, match="does not answer"):
        closed.node_labels("node-1")


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"metadata": 1}', b'{"metadata": {"labels": [1]}}'])
def test_an_answer_that_is_no_node_is_no_answer(cluster, body):
    cluster.body = lambda: body
    with pytest.raises(errors.Unavailable, match="no node"):
        cluster.api.node_labels("node-1")


def test_a_node_without_labels_has_none(cluster):
    cluster.body = lambda: b'{"metadata": {}}'
    assert find(cluster.api, "node-1", list(CLOUDS)) is None


def test_a_name_cannot_leave_the_list_of_nodes(cluster):
    with pytest.raises(errors.NotFound):
        cluster.api.node_labels("../namespaces/default/secrets/x?y")
    assert cluster.asked[0][0] == "/api/v1/nodes/..%2Fnamespaces%2Fdefault%2Fsecrets%2Fx%3Fy"


def test_a_server_with_another_certificate_gets_no_token(cluster, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    certificate(other)
    (other / "token").write_text("let-me-in")
    with pytest.raises(errors.Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        ApiServer("127.0.0.1", cluster.api.port, other).node_labels("node-1")
    assert not cluster.asked


def test_a_pod_without_a_token_says_so(tmp_path):
    with pytest.raises(errors.Denied, match="token"):
        ApiServer("127.0.0.1", 1, tmp_path).node_labels("node-1")


def test_the_pods_environment_names_the_server():
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    server = ApiServer.of_pod(environ)
    assert server is not None
    assert (server.host, server.port) == ("fd00::1", 6443)
    assert ApiServer.of_pod({}) is None


def test_looking_it_up_loads_no_client_library():
    """The images of small services have none."""
    code = "import sys, moviellm.node_pool; print({'kubernetes', 'aiohttp', 'requests', 'grpc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
