"""Every RPC of every service under generated requests: refused with a sentence or answered, never broken.

`make fuzz` sends 10,000 to each; MOVIELLM_FUZZ_REQUESTS and MOVIELLM_FUZZ_SEED say otherwise.
"""

import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import grpc
import hostile
import psutil
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mutation import Mutator
from skeletons import Skeletons, methods

REQUESTS = int(os.environ.get("MOVIELLM_FUZZ_REQUESTS", "30"))
SEED = int(os.environ.get("MOVIELLM_FUZZ_SEED", "1"))
PATIENCE = 60.0
GROWTH_BYTES = 96 * 2**20
"""What the process may grow by over all requests, caches and datasets that were accepted included."""

FINE = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
pytestmark = pytest.mark.timeout(120 + REQUESTS)


class House:
    """The process under fire and a channel to each of its services."""

    def __init__(self, folder):
        command = [sys.executable, str(Path(__file__).with_name("house.py")), str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1].decode()
        told = json.loads(line)
        self.root = told["root"]
        self.channels = {name: grpc.insecure_channel(address) for name, address in told["addresses"].items()}
        self.memory = psutil.Process(self.process.pid)
        self._prepare()
        self.skeletons = Skeletons(self._ask, self.root)

    def _prepare(self):
        """Something to find: a picture to learn from, a dataset to name."""
        picture = Path(self.root.removeprefix("file://")) / "references" / "1.png"
        picture.parent.mkdir(parents=True)
        picture.write_bytes(hostile.pictures()[0])

    def _ask(self, request):
        method = next(method for method in methods() if method.request is type(request))
        return method.on(self.channels[method.service])(request.SerializeToString(), timeout=PATIENCE)

    def send(self, method, data):
        """The code and the error of one call; a stream is read up to its third message."""
        call = method.on(self.channels[method.service])
        try:
            if method.streams:
                responses = call(data, timeout=PATIENCE)
                for _, _ in zip(range(3), responses, strict=False):
                    pass
                responses.cancel()
            else:
                call(data, timeout=PATIENCE)
        except grpc.RpcError as error:
            return error.code(), error
        return grpc.StatusCode.OK, None

    def stop(self):
        for channel in self.channels.values():
            channel.close()
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors.decode(errors="replace")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    running = House(tmp_path_factory.mktemp("fuzz"))
    before = running.memory.memory_info().rss
    yield running
    growth = running.memory.memory_info().rss - before
    code, errors = running.stop()
    assert code == 0, errors[-3000:]
    assert growth < GROWTH_BYTES, f"{growth / 2**20:.0f} MB more than before"


def refusal(error):
    """The BadRequest of an INVALID_ARGUMENT, or what is wrong with the refusal."""
    status = rpc_status.from_call(error)
    assert status is not None, f"no details: {error.details()}"
    for packed in status.details:
        detail = error_details_pb2.BadRequest()
        if packed.Unpack(detail):
            return detail.field_violations[0]
    raise AssertionError(f"no field named: {error.details()}")


def leads_somewhere(path, message: type[Message]):
    """Whether a path such as spec.prompts[3].text names fields of the message, until it enters a plot's JSON."""
    descriptor = message.DESCRIPTOR
    for part in path.split("."):
        name = re.sub(r"(\[\d+\])+$", "", part)
        if descriptor is None or name not in descriptor.fields_by_name:
            return False
        field = descriptor.fields_by_name[name]
        if field.name == "plot" and field.message_type is None:
            return True
        descriptor = field.message_type
    return True


def check(method, code, error):
    """Raise AssertionError unless the call ended as a requester may expect."""
    if code not in FINE:
        raise AssertionError(f"{code}: {error.details()}")
    if error is None:
        return
    assert error.details(), "no sentence"
    assert "Traceback" not in error.details()
    assert len(error.details()) < 2_000, f"{len(error.details())} characters"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x1b]", error.details()), repr(error.details()[:300])
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        violation = refusal(error)
        assert violation.description
        assert leads_somewhere(violation.field, method.request) or violation.field == "request", violation.field


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.path)
def test_an_rpc_refuses_or_answers_whatever_comes(house, method):
    mutator = Mutator(
        f"{SEED} {method.path}", root=house.root, plots=house.skeletons.plots, pictures=hostile.pictures()
    )
    good = house.skeletons.of(method.request)
    codes, wrong = collections.Counter(), []
    for number in range(REQUESTS):
        request = mutator.request(good)
        data = mutator.garbage(good) if number % 8 == 7 else request.SerializeToString()
        code, error = house.send(method, data)
        codes[code.name] += 1
        try:
            check(method, code, error)
        except AssertionError as problem:
            wrong.append(f"{problem}\n{str(request)[:1500] if number % 8 != 7 else data[:200]}")
            if len(wrong) == 6:
                break
    print(f"{method.path}: {dict(codes)}")
    assert not wrong, "\n\n".join(wrong)
    assert house.process.poll() is None
