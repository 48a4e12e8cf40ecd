"""The programs that a cluster on a laptop needs, and how to get them."""

import shutil
from pathlib import Path

from commands import Failed, answer

#: What to say about a program that is missing.
REMEDIES = {
    "docker": "docker runs the nodes of the cluster: install Docker Desktop, or Docker Engine (https://docs.docker.com/get-docker/).",
    "git": "git names the images after the commit: install it (https://git-scm.com/downloads).",
    "kind": "kind makes the cluster: `brew install kind`, or see https://kind.sigs.k8s.io/docs/user/quick-start/#installation.",
    "kubectl": "kubectl talks to the cluster: `brew install kubectl`, or see https://kubernetes.io/docs/tasks/tools/.",
    "helm": "helm installs the chart: `brew install helm`, or see https://helm.sh/docs/intro/install/ (version 4).",
}


class Missing(Exception):
    """Something must be installed or started first; the message has one sentence for each."""


def helm(root: Path) -> str:
    """Helm as it is installed, else the one that `make chart` has fetched for its own checks, else ""."""
    fetched = root / ".tools" / "helm"
    return shutil.which("helm") or (str(fetched) if fetched.exists() else "")


def check(root: Path, *programs: str) -> None:
    """Raises Missing with all that is missing, not only the first."""
    found = {name: helm(root) if name == "helm" else shutil.which(name) for name in programs}
    sentences = [REMEDIES[name] for name in programs if not found[name]]
    if "docker" in programs and found["docker"]:
        try:
            answer(["docker", "info", "--format", "{{.ServerVersion}}"])
        except Failed as error:
            why = str(error).splitlines()[-1]
            sentences.append(f"docker is installed but its daemon does not answer; start it ({why}).")
    if sentences:
        raise Missing("\n".join(sentences))
