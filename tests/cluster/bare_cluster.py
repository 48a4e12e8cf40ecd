"""A control plane without nodes, etcd and kube-apiserver, for one command or until Ctrl-C.

    python tests/cluster/bare_cluster.py make e2e     # run a command against it
    python tests/cluster/bare_cluster.py              # say how kubectl reaches it, and stay

The programs are those that MOVIELLM_KUBE_APISERVER and MOVIELLM_ETCD name, else those in the folder KUBEBUILDER_ASSETS
(where `setup-envtest use` puts them), else those on PATH. Where kube-controller-manager is found the same way,
namespaces are emptied and cluster roles aggregated too. All data lie in a temporary folder, everything listens on
loopback, and an API server that dies is started anew. The command finds the folder in MOVIELLM_BARE_CLUSTER.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

START_SECONDS = 180.0
STOP_SECONDS = 15.0
CONTROLLERS = ("namespace-controller", "clusterrole-aggregation-controller", "garbage-collector-controller")


class Missing(Exception):
    """A program is not here, or did not come up."""


def program(name: str) -> str:
    """Where a program of the control plane is. Raises Missing."""
    variable = f"MOVIELLM_{name.upper().replace('-', '_')}"
    named = os.environ.get(variable, "")
    if named and not os.access(named, os.X_OK):
        raise Missing(f"{variable} names no program: {named}")
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    found = named or shutil.which(name, path=assets or None) or shutil.which(name)
    if not found:
        raise Missing(
            f"{name} is missing: name it in {variable}, or its folder in KUBEBUILDER_ASSETS, or put it on PATH"
        )
    return found


def free_ports(number: int) -> list[int]:
    """Ports nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Program:
    """One process, its output in a file, its number in another; started anew when it dies."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._pid = folder / f"{name}.pid"
        self._command = [program(name), *arguments]
        self._stopping = threading.Event()
        self._process = self._started()
        self._guard = threading.Thread(target=self._watch_over, name=name, daemon=True)
        self._guard.start()

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)
        self._pid.write_text(str(process.pid))
        return process

    def _watch_over(self) -> None:
        while True:
            self._process.wait()
            if self._stopping.wait(0.5):
                return
            self._process = self._started()

    def stop(self) -> None:
        """End it, by force where it does not end by itself."""
        self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._guard.join(STOP_SECONDS)
        self._process.kill()  # one that the guard started at this moment
        self._process.wait()


class BareCluster:
    """The control plane in a folder; `kubeconfig` is an administrator's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self._programs: list[Program] = []
        self._token = secrets.token_hex(16)

    def start(self) -> None:
        """Start it and wait until it is ready. Raises Missing."""
        client, peer, secure = free_ports(3)
        self._write_credentials(secure)
        etcd, server = f"http://127.0.0.1:{client}", f"https://127.0.0.1:{secure}"
        self._run("etcd", *self._etcd(etcd, f"http://127.0.0.1:{peer}"))
        _wait("etcd", lambda: _answers(f"{etcd}/health"), self.folder)
        self._run("kube-apiserver", *self._api_server(etcd, secure))
        _wait("kube-apiserver", lambda: self._is_ready(server), self.folder)
        with contextlib.suppress(Missing):
            self._run("kube-controller-manager", *self._controller_manager())

    def stop(self) -> None:
        """End everything, the last first."""
        for one in reversed(self._programs):
            one.stop()

    def _run(self, name: str, *arguments: str) -> None:
        self._programs.append(Program(self.folder, name, *arguments))

    def _etcd(self, url: str, peer: str) -> list[str]:
        return [
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ]

    def _api_server(self, etcd: str, port: int) -> list[str]:
        key = f"{self.folder}/service-accounts.key"
        return [
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={self.folder}/certificates",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self.folder}/tokens.csv",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--disable-admission-plugins=ServiceAccount",  # nobody makes the accounts "default"
        ]

    def _controller_manager(self) -> list[str]:
        return [
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={','.join(CONTROLLERS)}",
            "--leader-elect=false",
            "--secure-port=0",
        ]

    def _write_credentials(self, port: int) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.folder / "service-accounts.key").write_bytes(private)
        (self.folder / "tokens.csv").write_text(f'{self._token},administrator,administrator,"system:masters"\n')
        cluster = {
            "server": f"https://127.0.0.1:{port}",
            "certificate-authority": f"{self.folder}/certificates/apiserver.crt",
        }
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "bare",
            "clusters": [{"name": "bare", "cluster": cluster}],
            "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": "administrator"}}],
            "users": [{"name": "administrator", "user": {"token": self._token}}],
        }
        self.kubeconfig.write_text(yaml.safe_dump(content))

    def _is_ready(self, server: str) -> bool:
        certificate = self.folder / "certificates" / "apiserver.crt"
        if not certificate.exists():
            return False
        trust = ssl.create_default_context(cafile=str(certificate))
        return _answers(f"{server}/readyz", trust, {"Authorization": f"Bearer {self._token}"})


def _answers(url: str, trust: ssl.SSLContext | None = None, headers: dict[str, str] | None = None) -> bool:
    try:
        request = urllib.request.Request(url, headers=headers or {})
        with urllib.request.urlopen(request, timeout=5, context=trust) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait(name: str, holds: Callable[[], bool], folder: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > end:
            last = (folder / f"{name}.log").read_text(errors="replace").splitlines()[-20:]
            raise Missing(f"{name} does not come up; its last words:\n" + "\n".join(last))
        time.sleep(0.2)


@contextlib.contextmanager
def bare_cluster() -> Iterator[BareCluster]:
    """A control plane that is gone with everything in it afterwards."""
    with tempfile.TemporaryDirectory(prefix="moviellm-cluster-") as folder:
        cluster = BareCluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def main(command: list[str]) -> int:
    """Run the command against a control plane; returns its exit code, 2 where there is no control plane."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with bare_cluster() as cluster:
            if not command:
                print(f"export KUBECONFIG={cluster.kubeconfig} MOVIELLM_BARE_CLUSTER={cluster.folder}", flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    threading.Event().wait()
                return 0
            environment = os.environ | {
                "KUBECONFIG": str(cluster.kubeconfig),
                "MOVIELLM_BARE_CLUSTER": str(cluster.folder),
            }
            return subprocess.run(command, env=environment, check=False).returncode
    except Missing as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
