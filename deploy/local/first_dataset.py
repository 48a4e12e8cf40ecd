"""The first dataset: asked for from a pod in the cluster, since nobody needs Python on the laptop, and fetched here."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from commands import Failed, answer, run, shown

HERE = Path(__file__).resolve().parent
NAMESPACE = "moviellm"
SIZE = ["--movies", "1", "--chapters", "2", "--scenes", "2", "--frames", "4"]
FOLDER = "/tmp/out"  # noqa: S108 - in the pod, where nothing else can be written


def make_first_dataset(kubectl: Sequence[str], *, image: str, theme: str, name: str, out: Path) -> Path:
    """Make it unless it is there, watch it, fetch it into OUT/NAME; returns its preview page. Raises Failed."""
    words = [*kubectl, "--namespace", NAMESPACE]
    run([*words, "delete", "pod", "client", "--ignore-not-found"])
    run([*words, "apply", "--filename", "-"], text=(HERE / "client.yaml").read_text().replace("IMAGE", image))
    run([*words, "wait", "--for=condition=Ready", "pod/client", "--timeout", "180s"])
    run([*words, "exec", "client", "--", "moviellm", "demo", "--theme", theme, "--id", name, *SIZE, "--out", FOLDER])
    out.mkdir(parents=True, exist_ok=True)
    _fetch([*words, "exec", "client", "--", "tar", "-C", FOLDER, "-c", "."], out)
    made = answer([*words, "exec", "client", "--", "ls", FOLDER]).split()
    run([*words, "delete", "pod", "client"])
    return out / made[0] / "index.html"


def _fetch(words: Sequence[str], out: Path) -> None:
    """Unpack here what a program packs there."""
    with subprocess.Popen(words, stdout=subprocess.PIPE) as packing:
        unpacked = subprocess.run(["tar", "-C", str(out), "-x"], stdin=packing.stdout, check=False)
    if packing.returncode or unpacked.returncode:
        raise Failed(f"could not fetch the dataset with: {shown(words)}")
