"""In the build of an image: install moviellm itself, take away what this service never loads, and compile.

Everything gets one time stamp and bytecode without time stamps, so that the same sources give the same layer.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bytecode import compile_all

TARGET = Path("/opt/moviellm")
PACKAGES = next(TARGET.glob("lib/python*/site-packages"))
STORE = Path("/data/moviellm")

#: Generated classes for every kind and every call of Kubernetes, loaded on their first use: 100 MB of which the
#: controller, which speaks JSON, uses none. prove.py holds a client to that.
KUBERNETES = (
    "kubernetes/client/models",
    "kubernetes/client/api",
    "kubernetes/aio/client/models",
    "kubernetes/aio/client/api",
)

#: Headers and tests of libraries; nothing compiles against them in a container.
DEVELOPMENT = ("torch/include", "torch/test", "pyarrow/include", "pyarrow/tests", "numpy/_core/include")

#: Pictures come and go as JPEG, PNG and WebP; Pillow does without its other codecs.
CODECS = ("PIL/_avif.*.so", "pillow.libs/libavif-*")

#: Services whose libraries lose their symbols, which takes a fifth off them; those with models have larger worries.
SMALL = ("controller", "scripting", "qa", "cli")
TOOLS = Path("/tools/usr")

#: Who paints or learns with the embedded model.
PAINTERS = ("inversion", "rendering")


def install() -> None:
    """moviellm without its dependencies, which are there already."""
    pip = [sys.executable, "-m", "pip", "--python", TARGET / "bin/python", "install", "--no-compile", "--no-deps"]
    wheel = next(Path("wheels").glob("*.whl"))
    subprocess.run([*pip, "--disable-pip-version-check", "--root-user-action=ignore", wheel], check=True)
    door = TARGET / "bin" / "healthy"
    door.write_text(f"#!{TARGET}/bin/python\n" + Path(__file__).with_name("healthy.py").read_text())
    door.chmod(0o755)


def strip(service: str) -> None:
    """Delete what the service never loads."""
    for folder in KUBERNETES:
        for module in (PACKAGES / folder).glob("*.py"):
            if module.name != "__init__.py":
                module.unlink()
    for pattern in CODECS:
        for library in PACKAGES.glob(pattern):
            library.unlink()
    if service in SMALL:
        search = os.pathsep.join(str(folder) for folder in TOOLS.glob("lib/*-linux-gnu"))
        libraries = [path for path in PACKAGES.rglob("*.so*") if path.is_file()]
        environ = os.environ | {"LD_LIBRARY_PATH": search}
        subprocess.run([TOOLS / "bin" / "strip", "--strip-unneeded", *libraries], env=environ, check=True)
    for folder in DEVELOPMENT:
        shutil.rmtree(PACKAGES / folder, ignore_errors=True)
    if service not in PAINTERS:
        for weights in (PACKAGES / "moviellm" / "pocket").glob("weights*"):
            shutil.rmtree(weights)


def stamp(moment: int) -> None:
    """One modification time for everything."""
    for path in [STORE, TARGET, *TARGET.rglob("*")]:
        os.utime(path, (moment, moment), follow_symlinks=False)


def main() -> None:
    """Install, strip, compile, stamp."""
    service = os.environ.get("SERVICE") or sys.exit("name a service: --build-arg SERVICE=scripting")
    install()
    strip(service)
    compile_all(PACKAGES)
    STORE.mkdir(parents=True)
    stamp(int(os.environ["SOURCE_DATE_EPOCH"]))


if __name__ == "__main__":
    main()
