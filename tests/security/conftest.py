"""A controller behind a tokens file, and its tenants' ways to it."""

import pytest
from fake_stages import FakeStages
from guarded import bearer, write_tokens
from small_controller import Controller

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.controller.tenancy.quotas import Quotas
from moviellm.controller.tenancy.rights import ROLES
from moviellm.security.tokens import StaticTokens
from moviellm.settings import StoreSettings
from moviellm.v1 import movie_dataset_service_pb2 as pb

PEOPLE = (
    ("films-writes", "films", "writer"),
    ("films-reads", "films", "reader"),
    ("toons-writes", "toons", "writer"),
    ("plain-writes", "default", "writer"),
    ("operates", "ops", "operator"),
)


class Guarded(Controller):
    """The controller behind a tokens file; every call is made as somebody."""

    def call(self, somebody, method, request, **options):
        metadata = bearer(somebody) if somebody else ()
        return getattr(self.stub, method)(request, metadata=metadata, **options)

    async def ask_as(self, somebody, method, request):
        """A unary answer, or all of a stream's."""
        call = self.call(somebody, method, request)
        if hasattr(call, "__aiter__"):
            return [answer async for answer in rpc.stream("controller", call)]
        return await rpc.call("controller", call)

    async def create_as(self, somebody, identifier="demo", request_id="", **fields):
        spec = pb.MovieDatasetSpec(
            **{"theme": "a storm", "movies": 1, "chapters": 1, "scenes": 1, "frames": 2, "formats": []} | fields
        )
        request = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id=identifier, request_id=request_id)
        return await self.ask_as(somebody, "CreateMovieDataset", request)

    async def names(self, somebody):
        page = await self.ask_as(somebody, "ListMovieDatasets", pb.ListMovieDatasetsRequest())
        return sorted(dataset.name.removeprefix("movieDatasets/") for dataset in page.movie_datasets)


@pytest.fixture
def store(tmp_path):
    return ArtifactStore.open(StoreSettings(url=f"file://{tmp_path / 'store'}"))


@pytest.fixture
async def guarded(store, tmp_path):
    """Makes guarded controllers over one store; stops them at the end."""
    started = []
    tokens = write_tokens(tmp_path / "tokens.json", *PEOPLE)

    async def make(**quotas):
        security = rpc.Security(guard=StaticTokens(tokens), roles=ROLES)
        controller = Guarded(store, FakeStages(store), security=security, quotas=Quotas(quotas))
        started.append(await controller.start())
        return controller

    yield make
    for controller in started:
        await controller.stop()
