"""A namespace of a cluster, the controllers that serve it, and a person's hand on it."""

import asyncio
import io

from fake_stages import FakeStages
from kubernetes.aio.client import ApiClient, Configuration
from PIL import Image
from prometheus_client import CollectorRegistry

from moviellm import errors, rpc
from moviellm.controller.admission import Admission
from moviellm.controller.estimate import Rates
from moviellm.controller.kubernetes.kubernetes_api import KubernetesApi
from moviellm.controller.kubernetes.kubernetes_app import KubernetesController
from moviellm.controller.lanes import Lanes
from moviellm.controller.leadership.fencing import Fence
from moviellm.controller.look_work import LookOptions
from moviellm.controller.metrics import Metrics
from moviellm.controller.policy import RetryPolicy
from moviellm.controller.reception import Reception
from moviellm.controller.registry import Registry
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.workshop import Workshop
from moviellm.dataset import Stage as Stages
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

ACCOUNT = "moviellm-controller"
PICTURE = io.BytesIO()
Image.new("RGB", (64, 64), "teal").save(PICTURE, "PNG")
PICTURE = PICTURE.getvalue()
SMALL = {"theme": "a storm", "chapters": 2, "scenes": 2, "frames": 3}


def api_at(url, *, account=""):
    """The API server at a URL, as an administrator or as a service account."""
    configuration = Configuration()
    configuration.host = url
    return impersonating(ApiClient(configuration), account)


def impersonating(client, account):
    if account:
        client.set_default_header("Impersonate-User", f"system:serviceaccount:{account}")
    return KubernetesApi(client)


class CutOff(KubernetesApi):
    """An API server that can get out of reach for one replica."""

    def __init__(self, api):
        super().__init__(api._client)
        self.is_cut = False

    async def _send(self, *args):
        if self.is_cut:
            raise errors.Unavailable("cut off", reason="CLUSTER_UNREACHABLE")
        return await super()._send(*args)


def workshop(store, stages):
    metrics = Metrics(CollectorRegistry())
    return Workshop(
        store=store,
        stages=stages,
        lanes=Lanes(dict.fromkeys(Stages, 4), metrics=metrics),
        policy=RetryPolicy(first=0.01, longest=0.05, default_patience=5.0),
        metrics=metrics,
        look_options=LookOptions(references=3, inversion_steps=0),
        negative_prompt="",
        movies_in_flight=2,
    )


class Process:
    """One replica in this process."""

    def __init__(self, api, store, **settings):
        self.api = CutOff(api)
        self.stages = FakeStages(store)
        self.registry = Registry(store=store, make=workshop(store, self.stages).make, datasets_in_flight=8)
        self.controller = KubernetesController(
            ControllerSettings(**({"listen": "127.0.0.1:0", "drain_seconds": 0.2} | settings)),
            self.api,
            store=store,
            registry=self.registry,
            reception=Reception(
                admission=Admission(max_movies=10, max_side=11, models=("pocket",), styles=("gothic", "noir")),
                stages=self.stages,
                rates=Rates(0.1, 10.0, 1000),
            ),
            fence=Fence(),
        )
        self.exit_code = asyncio.create_task(self.controller.run())

    async def leading(self):
        await until(lambda: self.controller.replica.leads and self.controller.server.port)
        await until(lambda: self.controller.replica._following.knows_all)
        return self

    def open_channel(self):
        self.channel = getattr(self, "channel", None) or rpc.channel(f"127.0.0.1:{self.controller.server.port}")
        return self.channel

    @property
    def stub(self):
        return pb_grpc.MovieDatasetServiceStub(self.open_channel())

    async def ask(self, method, request):
        return await rpc.call("controller", getattr(self.stub, method)(request))

    async def create(self, identifier="demo", request_id="", pictures=(), **fields):
        spec = pb.MovieDatasetSpec(**(SMALL | fields))
        request = pb.CreateMovieDatasetRequest(
            spec=spec, movie_dataset_id=identifier, request_id=request_id, style_pictures=pictures
        )
        return await self.ask("CreateMovieDataset", request)

    async def named(self, method, identifier="demo", **fields):
        request = getattr(pb, f"{method}MovieDatasetRequest")(name=f"movieDatasets/{identifier}", **fields)
        return await self.ask(f"{method}MovieDataset", request)

    async def stop(self):
        if hasattr(self, "channel"):
            await self.channel.close()
        self.exit_code.cancel()
        await asyncio.gather(self.exit_code, return_exceptions=True)
        await self.controller.server.stop()


class Stage:
    """`hand` is an administrator's client; `make` starts a replica."""

    def __init__(self, hand, account_api, store, namespace):
        self.hand = hand
        self.account_api = account_api
        self.store = store
        self.namespace = namespace
        self.processes = []
        self.pace = {"kubernetes_status_seconds": 0.05}

    def path(self, name="", namespace=""):
        return f"/apis/moviellm.dev/v1alpha1/namespaces/{namespace or self.namespace}/moviedatasets/{name}".rstrip("/")

    def start(self, **settings):
        settings = {"kubernetes_namespace": self.namespace, "kubernetes_lease_seconds": 2} | self.pace | settings
        self.processes.append(Process(self.account_api(), self.store, **settings))
        return self.processes[-1]

    async def make(self, **settings):
        return await self.start(**settings).leading()

    async def close(self):
        for process in self.processes:
            await process.stop()
            await process.api.close()

    # ---- what a person does with kubectl ----

    async def apply(self, name="demo", namespace="", metadata=None, **spec):
        namespace = namespace or self.namespace
        body = {
            "apiVersion": "moviellm.dev/v1alpha1",
            "kind": "MovieDataset",
            "metadata": {"name": name, "namespace": namespace} | (metadata or {}),
            "spec": SMALL | spec,
        }
        return await self.hand.call("POST", self.path(namespace=namespace), body)

    async def patch(self, name="demo", metadata=None, **spec):
        body = ({"metadata": metadata} if metadata else {}) | ({"spec": spec} if spec else {})
        return await self.hand.call("PATCH", self.path(name), body)

    async def delete(self, name="demo"):
        await self.hand.call("DELETE", self.path(name))

    async def get(self, name="demo", namespace=""):
        return await self.hand.call("GET", self.path(name, namespace))

    async def find(self, name="demo"):
        try:
            return await self.get(name)
        except errors.NotFound:
            return None

    async def state(self, *states, name="demo", namespace=""):
        """The resource once its state is one of these."""

        async def reached():
            found = await self.get(name, namespace)
            return found if found.get("status", {}).get("state") in states else None

        return await until(reached)

    async def gone(self, name="demo"):
        async def absent():
            return await self.find(name) is None

        await until(absent)

    async def events(self, name="demo"):
        found = await self.hand.call("GET", f"/api/v1/namespaces/{self.namespace}/events")
        mine = [one for one in found["items"] if one["involvedObject"]["name"] == name]
        return [one["reason"] for one in mine]


async def until(holds, within=30.0):
    """What `holds` gives once it is true."""
    async with asyncio.timeout(within):
        while True:
            found = holds()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.02)


def condition(resource, kind):
    found = next(one for one in resource["status"]["conditions"] if one["type"] == kind)
    return found["status"], found["reason"]
