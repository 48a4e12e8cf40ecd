"""The system under fault: a real S3 server and a language model's endpoint behind proxies, and all services."""

import asyncio
import contextlib
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import psutil
from openai_endpoint import Endpoint, serving

from moviellm.artifacts import ArtifactStore
from moviellm.cli.local_stack import LocalStack, Patience
from moviellm.cli.processes import marked
from moviellm.cli.settings import ROOMS, ServiceProcess, local_services
from moviellm.settings import StoreSettings
from soak.faulty_proxy import FaultyProxy
from soak.models import Bill, WholeModel
from soak.s3_server import S3Server, free_ports

PATIENCE = Patience(restarts=1_000_000, first_backoff=0.2, longest_backoff=0.5, poll=0.1)
SCRATCH_MB = 64
READY_WITHIN = 600


class House:
    """Everything that runs; one stack at a time on it, each on a part of the store of its own.

    With `is_small`, one cheap process stands in for rendering and inversion, and nothing needs Ray.
    """

    def __init__(self, folder, *, is_small, seed=0):
        self.folder = folder
        self.is_small = is_small
        self.s3 = S3Server(folder / "s3")
        self.store_door = FaultyProxy(self.s3.port, seed=seed)
        self.bill = Bill(WholeModel())
        self.endpoint = Endpoint([self.bill], usage=(100, 50))
        self.scratch = folder / "scratch"
        self.temporary = Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))
        self.stack = None
        self._left = contextlib.ExitStack()

    async def open(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._mount_scratch()
        await self.s3.start()
        await self._part("made").replace("bucket", b"")  # which makes the bucket
        await self.store_door.start()
        self._left.enter_context(serving(self.endpoint))
        llm_port = int(self.endpoint.url.rpartition(":")[2].removesuffix("/v1"))
        self.llm_door = await FaultyProxy(llm_port).start()
        return self

    async def close(self):
        if self.stack:
            await self.stop()
        self._left.close()
        for door in (self.store_door, self.llm_door):
            await door.stop()
        self.s3.stop()
        self._left.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _mount_scratch(self):
        """A small disk of its own for exports, where this user may mount one."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SCRATCH_MB}m", "tmpfs", str(self.scratch)]
        self.has_own_disk = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        if self.has_own_disk:
            self._left.callback(lambda: subprocess.run(["umount", "-l", str(self.scratch)], check=False))

    # ---- the services ----

    def _services(self, prefix):
        standby, standby_metrics, painter = free_ports(3)
        base = _free_base()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}
        environ |= self.s3.environment(self.store_door.port, prefix) | self._settings()
        rooms = [room for room in ROOMS if not (self.is_small and room in ("inversion", "rendering"))]
        services = list(local_services(base, self.folder / prefix, rooms, environ))
        if self.is_small:
            at = f"127.0.0.1:{painter}"
            services.insert(0, ServiceProcess("painter", "soak.painter", at, (painter,), {"SOAK_LISTEN": at}))
            controller = services.pop()
            aims = {f"MOVIELLM_CONTROLLER_{room}": at for room in ("INVERSION", "RENDERING")}
            services.append(dataclasses.replace(controller, environment={**controller.environment, **aims}))
        services = [
            dataclasses.replace(one, environment={**one.environment, **self._own(one.name)}) for one in services
        ]
        controller = services[-1]
        ports = {
            "MOVIELLM_CONTROLLER_LISTEN": f"127.0.0.1:{standby}",
            "MOVIELLM_CONTROLLER_METRICS_LISTEN": f"127.0.0.1:{standby_metrics}",
        }
        services.append(
            dataclasses.replace(
                controller,
                name="controller-2",
                address=f"127.0.0.1:{standby}",
                ports=(standby, standby_metrics),
                environment={**controller.environment, **ports},
            )
        )
        self.address = f"ipv4:{controller.address},127.0.0.1:{standby}"
        return services, environ

    def _settings(self):
        llm = {"LLM_BASE_URL": f"http://127.0.0.1:{self.llm_door.port}/v1", "LLM_MODEL": "tiny", "LLM_API_KEY": "k"}
        settings = {f"MOVIELLM_{room}_{name}": value for room in ("SCRIPTING", "QA") for name, value in llm.items()}
        return settings | {
            "MOVIELLM_SCRIPTING_WRITER": "openai",
            "MOVIELLM_QA_ASKER": "openai",
            "MOVIELLM_CONTROLLER_LEASE_SECONDS": "6",
            "MOVIELLM_CONTROLLER_REFERENCES": "3",
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "OMP_NUM_THREADS": "1",
        }

    def _own(self, name):
        prefix = "MOVIELLM_" + name.partition("-")[0].upper()
        return {f"{prefix}_LOG_FORMAT": "json"} | ({"TMPDIR": str(self.scratch)} if name == "export" else {})

    async def start(self, prefix):
        """A stack whose store is the part `prefix`; returns when all serve."""
        services, environ = self._services(prefix)
        self.prefix = prefix
        self.stack = LocalStack(
            services,
            data=self.folder / prefix,
            environ=environ,
            say=lambda text: None,
            echo=lambda service, line: None,
            patience=PATIENCE,
        )
        await self.stack.start()
        async with asyncio.timeout(READY_WITHIN):
            while not self.stack.is_ready:
                await self.stack.run(0.2)

    async def stop(self):
        """Stop the stack as its user does; what is left of it then, processes and files."""
        stack, self.stack = self.stack, None
        for member in stack.members:
            if member.child.is_running:
                os.kill(member.child.pid, signal.SIGCONT)
        family = [process for member in stack.members for process in _family(member.child.pid)]
        await stack.stop()
        await asyncio.sleep(0.5)
        orphans = {*marked(f"{os.getpid()}/"), *(process.pid for process in family if process.is_running())}
        files = [*self.temporary.glob("moviellm-*"), *self.scratch.glob("moviellm-*")]
        return sorted(orphans), sorted(path.name for path in files)

    def process(self, name):
        """The process of that name, None where it does not run now."""
        if name == "store":
            return psutil.Process(self.s3.process.pid)
        if name in ("replica", "ray head"):
            return self._of_ray("ray::ServeReplica" if name == "replica" else "gcs_server")
        child = next((member.child for member in self.stack.members if member.child.service.name == name), None)
        return psutil.Process(child.pid) if child and child.is_running else None

    def _of_ray(self, title):
        owner = self.process("rendering")
        for process in _family(owner.pid) if owner else ():
            with contextlib.suppress(psutil.Error):
                if any(title in word for word in process.cmdline()[:1]):
                    return process
        return None

    # ---- what is there to see ----

    @property
    def store(self):
        """The stack's part of the store, past the proxy."""
        return self._part(self.prefix)

    def _part(self, prefix):
        settings = self.s3.environment(self.s3.port, prefix)
        values = {name.removeprefix("MOVIELLM_STORE_").lower(): value for name, value in settings.items()}
        return ArtifactStore.open(StoreSettings(**values))

    def told(self):
        """What the controllers say: units made, and tries that failed, counted."""
        made, again = Counter(), Counter()
        for log in (self.folder / self.prefix / "logs").glob("controller*.log"):
            for line in log.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    entry = json.loads(line)
                    if entry.get("event") == "made":
                        made[entry["dataset"], entry["stage"], entry["unit"]] += 1
                    if entry.get("event") == "will try again":
                        again[entry["dataset"], entry["stage"]] += 1
        return made, again


def _family(pid):
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _free_base():
    """A base port as `moviellm up` takes one, away from Ray's."""
    for base in range(21000, 30000, 200):
        try:
            for offset in (*range(6), *range(100, 106)):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports")
