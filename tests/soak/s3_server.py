"""A real S3 server as a process of this machine, which can be killed and started again."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

CREDENTIALS = {"accessKey": "k", "secretKey": "s"}
READY_WITHIN = 60


def free_ports(count):
    """Ports that are free now, below those that connections take and apart from Ray's."""
    found = []
    for port in range(20100, 29900, 7):
        with socket.socket() as probe, socket.socket() as shifted:
            try:
                probe.bind(("127.0.0.1", port))
                shifted.bind(("127.0.0.1", port + 10000))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")


class S3Server:
    """SeaweedFS with its files in `folder`; `port` is that of S3."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.master, self.volume, self.filer, self.port, self.grpc, self.iam = free_ports(6)

    async def start(self):
        """Start it, once again after its end; returns when it answers."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        config = self.folder / "s3.json"
        identity = {
            "name": "soak",
            "credentials": [CREDENTIALS],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config.write_text(json.dumps({"identities": [identity]}))
        command = [
            str(Path(sys.executable).with_name("weed")),
            "-logtostderr",
            *("server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", "-filer", "-s3"),
            *(f"-master.port={self.master}", f"-volume.port={self.volume}", f"-filer.port={self.filer}"),
            *(f"-s3.port={self.port}", f"-s3.port.grpc={self.grpc}", f"-iam.port={self.iam}"),
            *(f"-s3.config={config}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=20"),
            *("-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=1", "-master.electionTimeout=1s"),
            "-master.telemetry=false",
        ]
        with (self.folder / "s3.log").open("ab") as log:
            self.process = await asyncio.to_thread(
                subprocess.Popen, command, stdout=log, stderr=log, start_new_session=True
            )
        await self._until_it_answers()
        return self

    async def _until_it_answers(self):
        async with asyncio.timeout(READY_WITHIN):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
                    if b" 200 " in await reader.readline():
                        return
                    writer.close()
                except OSError:
                    pass
                if self.process.poll() is not None:
                    raise RuntimeError(f"the S3 server ended: see {self.folder / 's3.log'}")
                await asyncio.sleep(0.2)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.resume()
            self.kill()

    def environment(self, port, prefix):
        """Settings of a store at that port, below `prefix`."""
        return {
            "MOVIELLM_STORE_URL": f"s3://films/{prefix}",
            "MOVIELLM_STORE_ENDPOINT": f"http://127.0.0.1:{port}",
            "MOVIELLM_STORE_ACCESS_KEY_ID": CREDENTIALS["accessKey"],
            "MOVIELLM_STORE_SECRET_ACCESS_KEY": CREDENTIALS["secretKey"],
        }
