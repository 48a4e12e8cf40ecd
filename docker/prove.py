"""In the build of an image: every module of SERVICE can be imported with what is installed, and torch is the right one.

The controller's client of Kubernetes, whose generated classes are not in the image, makes a call besides.
"""

import asyncio
import importlib
import os
import pkgutil
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

#: Modules for settings that need extras beyond the service's own, and who needs them.
OPTIONAL = {"moviellm.export.transformers_features": "torch"}


def import_all(room: str) -> int:
    """Import a room's every module; returns their number. Any that cannot be imported ends the build."""
    package = importlib.import_module(room)
    names = [module.name for module in pkgutil.walk_packages(package.__path__, room + ".")]
    for name in names:
        if name in OPTIONAL and importlib.util.find_spec(OPTIONAL[name]) is None:
            continue
        importlib.import_module(name)
    return len(names)


def check_torch(wants_cuda: str) -> None:
    """Exit where torch has CUDA and should not, or the other way round; "any" takes both."""
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    has_cuda = torch.version.cuda is not None
    print(f"torch {torch.__version__}", flush=True)
    if wants_cuda == "1" and not has_cuda:
        sys.exit("this torch knows no CUDA: give an index that carries one that does, or use cpu.Dockerfile")
    if wants_cuda == "0" and has_cuda:
        print("WARNING: this torch carries CUDA, gigabytes that a CPU does not need: set TORCH_INDEX_URL", flush=True)


class _ApiServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"metadata": {"resourceVersion": "7"}, "items": [{"kind": "MovieDataset"}]}')


async def call_kubernetes() -> None:
    """List resources at a server of our own, with a kubeconfig as people have it."""
    server = HTTPServer(("127.0.0.1", 0), _ApiServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        config.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
            "contexts: [{name: here, context: {cluster: here, user: me}}]\n"
            f"clusters: [{{name: here, cluster: {{server: 'http://127.0.0.1:{server.server_port}'}}}}]\n"
            "users: [{name: me, user: {token: t}}]\n"
        )
        os.environ["KUBECONFIG"] = str(config)  # read when the client is imported
        from moviellm.controller.kubernetes import kubernetes_api

        api = kubernetes_api.KubernetesApi(await kubernetes_api.connect())
        listing = await kubernetes_api.KubernetesDatasets(api, namespace="films", labels={}).list()
        await api.close()
    server.shutdown()
    if listing.version != "7":
        sys.exit(f"the client of Kubernetes does not work: {listing}")


def main() -> None:
    """Call, and import."""
    service = os.environ["SERVICE"]
    if service == "controller":
        asyncio.run(call_kubernetes())
    print(f"{import_all('moviellm.' + service)} modules of {service} imported", flush=True)
    check_torch(os.environ.get("WANTS_CUDA", "0"))


if __name__ == "__main__":
    main()
