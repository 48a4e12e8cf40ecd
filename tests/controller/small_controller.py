"""A controller over a real store, real gRPC at its door, and stage services in memory."""

from prometheus_client import CollectorRegistry

from moviellm import rpc
from moviellm.controller.admission import Admission
from moviellm.controller.estimate import Rates
from moviellm.controller.lanes import Lanes
from moviellm.controller.look_work import LookOptions
from moviellm.controller.metrics import Metrics
from moviellm.controller.policy import RetryPolicy
from moviellm.controller.reception import Reception
from moviellm.controller.registry import Registry
from moviellm.controller.servicer import MovieDatasetServicer
from moviellm.controller.tenancy.quotas import NO_QUOTAS
from moviellm.controller.workshop import Workshop
from moviellm.dataset import Stage
from moviellm.rpc.serving import OPEN
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

NAME = pb.DESCRIPTOR.services_by_name["MovieDatasetService"].full_name


PRICES = {"fake": (1000.0, 5000.0)}


class Controller:
    """One controller process's worth of parts; `stub` is a client of its real gRPC port."""

    def __init__(self, store, stages, *, patience=5.0, most=None, security=OPEN, quotas=NO_QUOTAS):
        self.security = security
        self.store = store
        self.stages = stages
        self.metrics_registry = CollectorRegistry()
        metrics = Metrics(self.metrics_registry)
        workshop = Workshop(
            store=store,
            stages=stages,
            lanes=Lanes(dict.fromkeys(Stage, 4), metrics=metrics),
            policy=RetryPolicy(first=0.01, longest=0.05, default_patience=patience, most=most or {}),
            metrics=metrics,
            look_options=LookOptions(references=3, inversion_steps=0),
            negative_prompt="",
            movies_in_flight=2,
        )
        self.registry = Registry(
            store=store,
            make=workshop.make,
            datasets_in_flight=4,
            quotas=quotas,
            on_states=metrics.count_datasets,
        )
        self.reception = Reception(
            admission=Admission(max_movies=10, max_side=11, models=("pocket",), styles=("gothic", "noir")),
            stages=stages,
            rates=Rates(0.1, 10.0, 1000, PRICES),
        )
        self.servicer = MovieDatasetServicer(
            registry=self.registry, store=store, reception=self.reception, prices=PRICES
        )

    async def start(self):
        await self.registry.load()
        add = pb_grpc.add_MovieDatasetServiceServicer_to_server
        self.server = rpc.Server(
            [rpc.Registration(NAME, lambda server: add(self.servicer, server))],
            listen="127.0.0.1:0",
            drain_seconds=1,
            on_drain=self.registry.close,
            security=self.security,
        )
        await self.server.start()
        self.channel = rpc.channel(f"127.0.0.1:{self.server.port}")
        self.stub = pb_grpc.MovieDatasetServiceStub(self.channel)
        return self

    async def stop(self):
        await self.channel.close()
        await self.server.stop()

    async def ask(self, method, request):
        return await rpc.call("controller", getattr(self.stub, method)(request))

    async def create(self, identifier="demo", plot=b"", **fields):
        shape = {} if plot else {"chapters": 2, "scenes": 2, "frames": 3}
        spec = pb.MovieDatasetSpec(**{"theme": "a storm", "movies": 1, **shape, **fields})
        request = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id=identifier, plot=plot)
        return await self.ask("CreateMovieDataset", request)

    async def get(self, identifier="demo"):
        return await self.ask("GetMovieDataset", pb.GetMovieDatasetRequest(name=f"movieDatasets/{identifier}"))

    async def watched(self, identifier="demo", token=""):
        request = pb.WatchMovieDatasetRequest(name=f"movieDatasets/{identifier}", resume_token=token)
        return [update async for update in rpc.stream("controller", self.stub.WatchMovieDataset(request))]

    async def ended(self, identifier="demo"):
        return (await self.watched(identifier))[-1].movie_dataset
