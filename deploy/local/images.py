"""Build the images of all services: `python3 deploy/local/images.py [SERVICE …] [--gpu]`, or `make images`.

Needs Docker, and git for the tag. Read from the environment: BASE_IMAGE, the base of all images; PIP_INDEX_URL,
PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS and TORCH_INDEX_URL, package indexes other than pip's own; DOCKER_BUILD_OPTIONS,
more options of `docker build`; TAG, a tag other than the sources' own.
"""

import argparse
import hashlib
import json
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import needs
from commands import Failed, answer, run

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("controller", "scripting", "qa", "export", "cli", "inversion", "rendering")
PAINTERS = ("inversion", "rendering")
BASE = "python:3.11-slim-bookworm"
INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "TORCH_INDEX_URL")
SOURCES = ("services", "docker", "pyproject.toml", "constraints.txt", ".dockerignore")
LABEL = "org.opencontainers.image"


def tag_of_sources(root: Path = ROOT) -> str:
    """A tag that never means anything else: the commit, and what differs from it where something does."""
    git = ["git", "-C", str(root)]
    commit = answer([*git, "rev-parse", "--short=12", "HEAD"]).strip()
    if not answer([*git, "status", "--porcelain", "--", *SOURCES]):
        return commit
    listing = answer([*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES])
    digest = hashlib.sha256()
    for name in sorted(set(listing.split("\0")) - {""}):
        path = root / name
        digest.update(f"{name}\0".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return f"{commit}-{digest.hexdigest()[:8]}"


def pinned(base: str) -> str:
    """The base by its digest, so that all images have the same one; by its name where it came from no registry."""
    if "@sha256:" in base:
        return base
    question = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", base]
    try:
        known = answer(question)
    except Failed:
        run(["docker", "pull", base])
        known = answer(question)
    digests = json.loads(known)
    return str(digests[0]) if digests else base


def name_of(service: str, tag: str, *, gpu: bool) -> str:
    """The image's name, as the chart has it."""
    return f"moviellm-{service}{'-gpu' if gpu else ''}:{tag}"


def exists(image: str) -> bool:
    """Whether Docker has the image."""
    try:
        answer(["docker", "image", "inspect", "--format", "{{.Id}}", image])
    except Failed:
        return False
    return True


def command(service: str, image: str, *, gpu: bool, base: str, revision: str, environ: Mapping[str, str]) -> list[str]:
    """The `docker build` of one image; revision is the commit it is made from."""
    recipe = f"docker/{'gpu' if gpu else 'cpu'}.Dockerfile"
    arguments = {"BASE": base, "SERVICE": service, "REVISION": revision}
    arguments |= {name: environ[name] for name in INDEXES if "://" in environ.get(name, "")}  # folders are not there
    words = ["docker", "build", "--file", recipe, "--tag", image]
    for name, value in arguments.items():
        words += ["--build-arg", f"{name}={value}"]
    words += ["--label", f"{LABEL}.base.name={environ.get('BASE_IMAGE') or BASE}"]
    if "@" in base:
        words += ["--label", f"{LABEL}.base.digest={base.partition('@')[2]}"]
    return [*words, *shlex.split(environ.get("DOCKER_BUILD_OPTIONS", "")), "."]


def build(
    services: Sequence[str], *, tag: str, gpu: bool, environ: Mapping[str, str], again: bool = False
) -> list[str]:
    """Build those that are not there (all, if `again`); returns the names of all. Raises Failed."""
    names = [name_of(service, tag, gpu=gpu) for service in services]
    wanted = [(s, name) for s, name in zip(services, names, strict=True) if again or not exists(name)]
    base = pinned(environ.get("BASE_IMAGE") or BASE) if wanted else ""
    for number, (service, name) in enumerate(wanted, start=1):
        print(f"building {name} ({number} of {len(wanted)}) …", flush=True)
        began = time.monotonic()
        words = command(service, name, gpu=gpu, base=base, revision=tag, environ=environ)
        run(words, cwd=ROOT, environ={"DOCKER_BUILDKIT": "1"})
        size = int(answer(["docker", "image", "inspect", "--format", "{{.Size}}", name]))
        print(f"{name}: {size / 1e6:.0f} MB, {time.monotonic() - began:.0f} s", flush=True)
    return names


def main() -> None:
    """Build what the arguments name."""
    parser = argparse.ArgumentParser(prog="images.py", description="Build moviellm's container images with Docker.")
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"default: {' '.join(SERVICES)}")
    parser.add_argument("--gpu", action="store_true", help=f"images for NVIDIA GPUs: {' '.join(PAINTERS)}")
    parser.add_argument("--again", action="store_true", help="build those too that are there with this tag")
    parser.add_argument("--latest", action="store_true", help="also tag them with the version, as the chart names them")
    arguments = parser.parse_args()
    allowed = PAINTERS if arguments.gpu else SERVICES
    for service in arguments.services:
        if service not in allowed:
            parser.error(f"{service!r} is none of {', '.join(allowed)}")
    try:
        needs.check(ROOT, "docker", "git")
        tag = os.environ.get("TAG") or tag_of_sources()
        chosen = arguments.services or allowed
        names = build(chosen, tag=tag, gpu=arguments.gpu, environ=os.environ, again=arguments.again)
        for service, name in zip(chosen, names, strict=True):
            if arguments.latest:
                run(["docker", "tag", name, name_of(service, version(), gpu=arguments.gpu)])
        print("\n".join(names))
    except Failed as error:
        sys.exit(str(error))
    except needs.Missing as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def version() -> str:
    """The project's version, which the chart and docker-compose.yaml take for a tag unless they are told another."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version"))


if __name__ == "__main__":
    main()
