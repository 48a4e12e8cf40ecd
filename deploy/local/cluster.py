"""moviellm in a Kubernetes cluster on this machine: `make up`, `make status`, `make down`.

Not to be confused with `moviellm up`, which runs the services as plain processes. Everything that is made lies in
Docker and in the folder DATA (`.moviellm/kind`), with a kubeconfig of its own, so that nobody's current context
changes. Every step looks first whether it is done; run again, `up` goes on where it was. Read from the environment:
THEME and DATASET, the first dataset; OUT, the folder that it is fetched into; PORT, where the gRPC address is opened on
this machine; MONITORING=1, which brings Prometheus and Grafana, the latter on GRAFANA_PORT; and what images.py reads.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import forwards
import images
import needs
from commands import Failed, answer, run
from first_dataset import make_first_dataset
from progress import NotReady, until_ready

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NAME = "moviellm"
CONTROLLER = "moviellm-controller"
GRAFANA = "monitoring-grafana"
CHART = ROOT / "deploy" / "helm" / "moviellm"
MONITORING_CHART = ["kube-prometheus-stack", "--repo", "https://prometheus-community.github.io/helm-charts"]


class Laptop:
    """The cluster, step by step; each method leaves alone what is there already. All raise Failed."""

    def __init__(self, state: Path, *, out: Path, port: int, grafana_port: int, has_monitoring: bool) -> None:
        self._state = state
        self._store = state / "store"
        self._kubeconfig = state / "kubeconfig"
        self._out = out
        self._port = port
        self._grafana_port = grafana_port
        self._has_monitoring = has_monitoring
        self._kubectl = ["kubectl", "--kubeconfig", str(self._kubeconfig)]

    def check_doors(self) -> None:
        """Whether this machine's ports are free, before anything is made."""
        forwards.check(self._state, CONTROLLER, port=self._port, variable="PORT")
        if self._has_monitoring:
            forwards.check(self._state, GRAFANA, port=self._grafana_port, variable="GRAFANA_PORT")

    def exists(self) -> bool:
        """Whether kind knows the cluster."""
        return NAME in answer(["kind", "get", "clusters"]).split()

    def make_cluster(self) -> None:
        """The nodes, and the kubeconfig."""
        self._store.mkdir(parents=True, exist_ok=True)
        if self.exists():
            run(["kind", "export", "kubeconfig", "--name", NAME, "--kubeconfig", self._kubeconfig])
            return
        config = self._state / "kind.yaml"
        config.write_text((HERE / "kind.yaml").read_text().replace("STORE", str(self._store)))
        words = ["kind", "create", "cluster", "--name", NAME, "--config", config, "--kubeconfig", self._kubeconfig]
        run([*words, "--wait", "180s"])

    def load(self, names: list[str]) -> None:
        """The images onto the nodes; kind skips those that are there."""
        for name in names:
            run(["kind", "load", "docker-image", name, "--name", NAME])

    def make_store(self) -> None:
        """The volume that all nodes see, writable for the services' user; a namespace that takes no privileged pods."""
        for node in self._workers():
            run(["docker", "exec", node, "chmod", "1777", "/var/lib/moviellm"])
        level = "pod-security.kubernetes.io/enforce: restricted"
        namespace = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAME}, labels: {{{level}}}}}\n"
        run([*self._kubectl, "apply", "--filename", "-"], text=namespace)
        run([*self._kubectl, "apply", "--filename", HERE / "store.yaml"])

    def _workers(self) -> list[str]:
        nodes = answer(["kind", "get", "nodes", "--name", NAME]).split()
        return [node for node in nodes if not node.endswith("control-plane")]

    def install_monitoring(self) -> None:
        """Prometheus and Grafana, before the chart, which looks whether their resources are known."""
        words = [
            needs.helm(ROOT),
            "--kubeconfig",
            self._kubeconfig,
            "upgrade",
            "--install",
            "monitoring",
            *MONITORING_CHART,
        ]
        words += ["--namespace", "monitoring", "--create-namespace", "--wait", "--timeout", "10m"]
        for kind in ("podMonitor", "serviceMonitor", "rule"):
            words += ["--set", f"prometheus.prometheusSpec.{kind}SelectorNilUsesHelmValues=false"]
        run(words)

    def install_chart(self, tag: str) -> None:
        """The chart, with the images of this tag."""
        words = [
            needs.helm(ROOT),
            "--kubeconfig",
            self._kubeconfig,
            "upgrade",
            "--install",
            NAME,
            CHART,
            "--namespace",
            NAME,
        ]
        words += ["--values", CHART / "values-kind.yaml", "--values", HERE / "values.yaml", "--set", f"image.tag={tag}"]
        run(words)

    def wait(self) -> None:
        """Until every Deployment is complete, with a line for each; raises NotReady with what pods wait for."""
        until_ready(self._kubectl, NAME, say=say)

    def open_doors(self) -> None:
        """Ports of this machine that lead to the controller, and to Grafana where it is."""
        words = [*self._kubectl, "--namespace", NAME]
        forwards.keep(self._state, words, CONTROLLER, port=self._port, target=8600)
        if self._has_monitoring:
            words = [*self._kubectl, "--namespace", "monitoring"]
            forwards.keep(self._state, words, GRAFANA, port=self._grafana_port, target=80)

    def make_dataset(self, tag: str) -> Path:
        """The first dataset, made in the cluster and fetched here; returns its preview page."""
        theme = os.environ.get("THEME") or "a lighthouse keeper who finds a message"
        name = os.environ.get("DATASET") or "first"
        image = images.name_of("cli", tag, gpu=False)
        return make_first_dataset(self._kubectl, image=image, theme=theme, name=name, out=self._out)

    def tell(self, page: Path) -> None:
        """Where everything is."""
        say(f"gRPC address    127.0.0.1:{self._port}")
        say(f"preview         {page}")
        if self._has_monitoring:
            secret = ["--namespace", "monitoring", "get", "secret", GRAFANA]
            template = '{{index .data "admin-password" | base64decode}}'
            password = answer([*self._kubectl, *secret, "--output", f"go-template={template}"])
            say(f"Grafana         http://127.0.0.1:{self._grafana_port}  user admin, password {password}")
        say(f"kubectl         export KUBECONFIG={self._kubeconfig}")
        say("make status says how it is, make down removes it")

    def describe(self) -> None:
        """The services, datasets and open doors."""
        everything = ["--namespace", NAME, "get", "deployments,pods", "--output", "wide"]
        run([*self._kubectl, *everything])
        run([*self._kubectl, "--namespace", NAME, "get", "moviedatasets"])
        for line in forwards.describe(self._state):
            say(line)

    def remove(self) -> None:
        """The cluster with all that was made in it; what was fetched into `out` and the built images stay."""
        forwards.close_all(self._state)
        if self.exists():
            for node in self._workers()[:1]:  # files of the services' user, who is nobody here
                run(["docker", "exec", node, "find", "/var/lib/moviellm", "-mindepth", "1", "-delete"])
            run(["kind", "delete", "cluster", "--name", NAME, "--kubeconfig", self._kubeconfig])
        for path in (self._kubeconfig, self._state / "kind.yaml"):
            path.unlink(missing_ok=True)
        if self._store.exists():
            self._store.rmdir()


def say(text: str) -> None:
    """A line for the person before the terminal."""
    print(text, flush=True)


def up(laptop: Laptop, *, has_monitoring: bool) -> None:
    """From nothing to a first dataset."""
    needs.check(ROOT, "docker", "kind", "kubectl", "helm")
    laptop.check_doors()
    began = time.monotonic()
    tag = os.environ.get("TAG") or images.tag_of_sources()
    names = images.build(images.SERVICES, tag=tag, gpu=False, environ=os.environ)
    laptop.make_cluster()
    laptop.load(names)
    laptop.make_store()
    if has_monitoring:
        laptop.install_monitoring()
    laptop.install_chart(tag)
    laptop.wait()
    laptop.open_doors()
    page = laptop.make_dataset(tag)
    say(f"ready after {time.monotonic() - began:.0f} s")
    laptop.tell(page)


def status(laptop: Laptop) -> None:
    """How it is; exit code 1 where there is no cluster."""
    needs.check(ROOT, "docker", "kind", "kubectl")
    if not laptop.exists():
        raise Failed("there is no cluster; make up makes one")
    laptop.describe()


def down(laptop: Laptop) -> None:
    """Remove it, whatever of it there is."""
    needs.check(ROOT, "docker", "kind")
    laptop.remove()
    say("removed; out/ and the images stay")


def main() -> None:
    """Do what is asked; exit code 2 where something must be installed first, 1 where a step failed."""
    parser = argparse.ArgumentParser(prog="cluster.py", description="moviellm in a Kubernetes cluster on this machine.")
    parser.add_argument("action", choices=["up", "down", "status"])
    action = parser.parse_args().action
    has_monitoring = os.environ.get("MONITORING", "") not in ("", "0")
    laptop = Laptop(
        Path(os.environ.get("DATA") or ROOT / ".moviellm" / "kind").absolute(),
        out=Path(os.environ.get("OUT") or ROOT / "out").absolute(),
        port=int(os.environ.get("PORT") or 8600),
        grafana_port=int(os.environ.get("GRAFANA_PORT") or 3000),
        has_monitoring=has_monitoring,
    )
    try:
        if action == "up":
            up(laptop, has_monitoring=has_monitoring)
        elif action == "status":
            status(laptop)
        else:
            down(laptop)
    except needs.Missing as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except (Failed, NotReady) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
