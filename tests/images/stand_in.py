#!/usr/bin/env python3
"""Stands in for docker, kind, kubectl and helm: writes down how it was called and answers as they do.

The folder $WORLD holds `calls` (a JSON list a line) and what there is: `images`, `clusters`, `refuse` (lines that begin
like the calls that shall fail). Imports are few and late, since it is started hundreds of times.
"""

import json
import os
import sys
from pathlib import Path

WORLD = Path(os.environ["WORLD"])


def lines(name):
    path = WORLD / name
    return path.read_text().splitlines() if path.exists() else []


def add(name, line):
    with (WORLD / name).open("a") as file:
        file.write(line + "\n")


def after(words, option):
    return words[words.index(option) + 1]


def docker(words):
    if words[:2] == ["image", "inspect"]:
        image, wanted = words[-1], words[-2]
        if image not in lines("images"):
            return 1
        print(
            {"{{.Id}}": "sha256:1", "{{.Size}}": "224000000", "{{json .RepoDigests}}": '["python@sha256:ab"]'}[wanted]
        )
    elif words[0] in ("build", "pull"):
        add("images", after(words, "--tag") if words[0] == "build" else words[1])
    return 0


def kind(words):
    if words[:2] == ["get", "clusters"]:
        print("\n".join(lines("clusters")))
    elif words[:2] == ["get", "nodes"]:
        print("moviellm-worker2\nmoviellm-control-plane\nmoviellm-worker")
    elif words[:2] == ["create", "cluster"]:
        add("clusters", "moviellm")
        Path(after(words, "--kubeconfig")).write_text("a kubeconfig\n")
    elif words[:2] == ["delete", "cluster"]:
        (WORLD / "clusters").unlink()
    return 0


def deployment(name, available):
    status = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": available}
    return {"metadata": {"name": name, "generation": 1}, "spec": {"replicas": 1}, "status": status}


def kubectl(words):
    words = words[words.index("--kubeconfig") + 2 :]
    if words[:1] == ["--namespace"]:
        words = words[2:]
    if words[:1] == ["apply"] and words[-1] == "-":
        add("applied", json.dumps(sys.stdin.read()))
    elif words[:2] == ["get", "deployments"]:
        add("looks", "one")
        rendering = 1 if len(lines("looks")) > 2 else 0
        print(json.dumps({"items": [deployment("moviellm-qa", 1), deployment("moviellm-rendering", rendering)]}))
    elif words[:2] == ["get", "pods"]:
        print(json.dumps({"items": []}))
    elif words[:2] == ["get", "secret"]:
        print("sesame", end="")
    elif words[:1] == ["port-forward"]:
        import socket

        with socket.create_server(("127.0.0.1", int(words[-1].partition(":")[0]))) as server:
            while True:
                server.accept()[0].close()
    elif "ls" in words:
        print("first")
    elif "tar" in words:
        import io
        import tarfile

        with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
            page = tarfile.TarInfo("first/index.html")
            page.size = 5
            archive.addfile(page, io.BytesIO(b"films"))
    return 0


def helm(words):
    return 0


name, words = Path(sys.argv[0]).name, sys.argv[1:]
add("calls", json.dumps([name, *words]))
if any(" ".join([name, *words]).startswith(start) for start in lines("refuse")):
    sys.exit(f"{name} refuses")
sys.exit(globals()[name](words))
