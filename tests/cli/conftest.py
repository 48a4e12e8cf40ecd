"""A moviellm server in memory, served over real gRPC, and the command run against it as people run it."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field

import pytest
from google.protobuf import empty_pb2

from moviellm import errors, rpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

SERVICE = pb.DESCRIPTOR.services_by_name["MovieDatasetService"].full_name
State = pb.MovieDataset
FINAL = (State.STATE_SUCCEEDED, State.STATE_FAILED, State.STATE_CANCELLED)
UNITS = ((1, "scripts", 14), (2, "styles", 2), (3, "frames", 48), (4, "question sets", 14), (5, "exports", 3))


@dataclass
class Library(pb_grpc.MovieDatasetServiceServicer):
    """MovieDatasetService in memory; it outlives the servers that serve it, as a store would."""

    datasets: dict = field(default_factory=dict)
    history: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    cut: dict = field(default_factory=dict)
    limit: int = 3
    page: int = 2

    def change(self, name, **values):
        """Give a dataset new values; watchers hear of it."""
        changed = pb.MovieDataset()
        changed.CopyFrom(self.find(name))
        for key, value in values.items():
            setattr(changed, key, value)
        self.put(changed)

    def put(self, dataset):
        name = dataset.name
        self.datasets[name] = dataset
        self.history.setdefault(name, []).append(dataset)

    def progress(self, name, *done, trouble=None, titles=None):
        """Set the counts of the stages, in order."""
        changed = pb.MovieDataset()
        changed.CopyFrom(self.find(name))
        changed.state = State.STATE_RUNNING
        for stage, count in zip(changed.stages, done, strict=False):
            stage.done = count
        changed.trouble.CopyFrom(trouble or pb.Trouble())
        for number, title in (titles or {}).items():
            changed.titles[number] = title
        self.put(changed)

    def find(self, name):
        if name not in self.datasets:
            raise errors.NotFound(f"there is no dataset {name}")
        return self.datasets[name]

    @rpc.method
    async def CreateMovieDataset(self, request, context):
        self.requests.append(request)
        spec, id = request.spec, request.movie_dataset_id or "made-from-theme"
        if not 1 <= len(spec.theme) <= 500:
            raise errors.InvalidInput("spec.theme", f"must be 1 to 500 characters, got {len(spec.theme)}")
        for name, default in (("movies", 1), ("chapters", 3), ("scenes", 3), ("frames", 6)):
            count = getattr(spec, name) if spec.HasField(name) else default
            if not 1 <= count <= 11:
                raise errors.InvalidInput(f"spec.{name}", f"must be 1 to 11, got {count}")
            setattr(spec, name, count)
        if f"movieDatasets/{id}" in self.datasets:
            raise errors.AlreadyExists(f"there is a dataset {id} already")
        dataset = pb.MovieDataset(name=f"movieDatasets/{id}", spec=spec, state=State.STATE_PENDING)
        dataset.stages.extend(pb.StageProgress(stage=s, unit=unit, total=total) for s, unit, total in UNITS)
        dataset.create_time.GetCurrentTime()
        dataset.estimate.CopyFrom(pb.Estimate(frames=48, gpu_seconds=60, size_bytes=2_000_000))
        if not request.validate_only:
            self.put(dataset)
        return dataset

    @rpc.method
    async def GetMovieDataset(self, request, context):
        return self.find(request.name)

    @rpc.method
    async def ListMovieDatasets(self, request, context):
        start = int(request.page_token or 0)
        newest = list(reversed(self.datasets.values()))
        more = str(start + self.page) if start + self.page < len(newest) else ""
        page = newest[start : start + self.page]
        return pb.ListMovieDatasetsResponse(movie_datasets=page, next_page_token=more)

    @rpc.method
    async def CancelMovieDataset(self, request, context):
        self.change(request.name, state=State.STATE_CANCELLED)
        return self.find(request.name)

    @rpc.method
    async def RetryMovieDataset(self, request, context):
        if self.find(request.name).state not in FINAL[1:]:
            raise errors.Unsatisfied(f"{request.name} is neither failed nor cancelled; there is nothing to retry")
        self.change(request.name, state=State.STATE_RUNNING)
        return self.find(request.name)

    @rpc.method
    async def DeleteMovieDataset(self, request, context):
        self.find(request.name)
        del self.datasets[request.name]
        return empty_pb2.Empty()

    @rpc.method
    async def WatchMovieDataset(self, request, context):
        self.requests.append(request)
        self.find(request.name)
        seen = int(request.resume_token or 0)
        while True:
            history = self.history[request.name]
            if seen < len(history):
                seen = len(history)
                yield pb.WatchMovieDatasetResponse(movie_dataset=history[-1], resume_token=str(seen))
                if history[-1].state in FINAL:
                    return
            await asyncio.sleep(0.02)

    @rpc.method
    async def ListArtifacts(self, request, context):
        self.find(request.parent)
        start, paths = int(request.page_token or 0), sorted(self.files)
        page = [pb.Artifact(path=path, size_bytes=len(self.files[path])) for path in paths[start : start + self.page]]
        more = str(start + self.page) if start + self.page < len(paths) else ""
        return pb.ListArtifactsResponse(artifacts=page, next_page_token=more)

    @rpc.method
    async def DownloadArtifact(self, request, context):
        self.requests.append(request)
        data = self.files[request.path]
        if self.cut.get(request.path, 0) > 0:
            self.cut[request.path] -= 1
            yield pb.DownloadArtifactResponse(data=data[:1])
            raise errors.Unavailable("the store does not answer")
        for start in range(0, len(data), 1000):
            yield pb.DownloadArtifactResponse(data=data[start : start + 1000])


def server_of(library, listen="127.0.0.1:0"):
    add = pb_grpc.add_MovieDatasetServiceServicer_to_server
    registration = rpc.Registration(SERVICE, lambda server: add(library, server))
    return rpc.Server([registration], listen=listen, check_every=0.05, drain_seconds=0)


@dataclass
class Result:
    code: int
    out: str
    err: str


SCRIPT = {"GRPC_VERBOSITY": "ERROR"}  # as the entry point of the command sets it
MANY = """
import contextlib, io, json, sys
from moviellm.cli.commands import run_command
results = []
for line in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command(line)
    results.append((code, out.getvalue(), err.getvalue()))
print(json.dumps(results))
"""


class Command:
    """`moviellm` as a process in a folder of its own."""

    def __init__(self, folder, server):
        self.folder = folder
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("MOVIELLM_", "DISPLAY", "WAYLAND"))
        }
        self.environ = {**clean, "MOVIELLM_SERVER": server, "COLUMNS": "200"}

    async def start(self, *arguments, program=("-m", "moviellm.cli"), **environ):
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *map(str, arguments),
            cwd=self.folder,
            env={**self.environ, **(SCRIPT if program[0] == "-c" else {}), **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments, **environ):
        return await self.end(await self.start(*arguments, **environ))

    async def many(self, *lines):
        """Several command lines one after the other in one process, to save its start."""
        process = await self.start(json.dumps([[str(part) for part in line] for line in lines]), program=("-c", MANY))
        result = await self.end(process)
        return [Result(*fields) for fields in json.loads(result.out)]

    async def end(self, process):
        out, err = await asyncio.wait_for(process.communicate(), 120)
        result = Result(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in result.err, result.err
        return result

    async def until(self, condition):
        for _ in range(12000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not come to that")

    async def says(self, process, words):
        """Read standard output up to the line that holds `words`; the lines read."""
        read = []
        while not read or words not in read[-1]:
            line = await asyncio.wait_for(process.stdout.readline(), 120)
            assert line, f"ended without saying {words!r}: {read} {(await process.stderr.read()).decode()}"
            read.append(line.decode())
        return read

    async def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        return await self.end(process)


@pytest.fixture
def library():
    return Library()


@pytest.fixture
async def server(library):
    server = server_of(library)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def moviellm(tmp_path, server):
    return Command(tmp_path, f"127.0.0.1:{server.port}")


@pytest.fixture
def restart(library):
    """Serve the library again at an address whose server was stopped."""

    async def again(port):
        server = server_of(library, f"127.0.0.1:{port}")
        await server.start()
        return server

    return again


@pytest.fixture
def demo(library):
    """A dataset that is accepted and not begun."""
    dataset = pb.MovieDataset(name="movieDatasets/demo", state=State.STATE_PENDING)
    dataset.spec.CopyFrom(pb.MovieDatasetSpec(theme="a lighthouse", movies=2, chapters=2, scenes=2, frames=6, seed=1))
    dataset.stages.extend(pb.StageProgress(stage=s, unit=unit, total=total) for s, unit, total in UNITS)
    dataset.create_time.GetCurrentTime()
    library.put(dataset)
    return dataset.name
