"""Tenants on a cluster: both doors agree whose a dataset is."""

import pytest
from api_server import ApiServer
from guarded import bearer, write_tokens
from kubernetes_stage import ACCOUNT, Stage, api_at

from moviellm import errors, rpc
from moviellm.controller.kubernetes.resource import Key
from moviellm.v1 import movie_dataset_service_pb2 as pb

HOME = "films"
TOONS, PLAIN = "t" * 32, "p" * 32


@pytest.fixture
async def stage(store):
    server = await ApiServer().start()
    hand = api_at(server.url)
    stage = Stage(hand, lambda: api_at(server.url, account=f"{HOME}:{ACCOUNT}"), store, HOME)
    yield stage
    await stage.close()
    await hand.close()
    await server.stop()


async def ask(controller, token, method, request):
    return await rpc.call("controller", getattr(controller.stub, method)(request, metadata=bearer(token)))


async def names(controller, token):
    page = await ask(controller, token, "ListMovieDatasets", pb.ListMovieDatasetsRequest())
    return {dataset.name.removeprefix("movieDatasets/") for dataset in page.movie_datasets}


async def test_a_tenants_dataset_has_its_name_and_its_owner_in_both_doors(stage, tmp_path):
    tokens = write_tokens(tmp_path / "tokens.json", (TOONS, "toons", "writer"), (PLAIN, "default", "writer"))
    controller = await stage.make(tokens_file=tokens, kubernetes_all_namespaces=True, kubernetes_lease_seconds=30)
    spec = pb.MovieDatasetSpec(theme="a storm", chapters=1, scenes=1, frames=2)
    wish = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id="demo")
    assert (await ask(controller, TOONS, "CreateMovieDataset", wish)).name == "movieDatasets/demo"
    assert (await stage.state("Succeeded", name="toons--demo"))["status"]["dataset"] == "toons--demo"

    await stage.apply("applied")
    await stage.apply("elsewhere", namespace="toons")
    await stage.state("Succeeded", name="applied")
    marked = (await stage.state("Succeeded", name="elsewhere", namespace="toons"))["status"]["dataset"]
    assert await names(controller, TOONS) == {"demo", marked}
    assert await names(controller, PLAIN) == {"applied"}
    get = pb.GetMovieDatasetRequest(name="movieDatasets/applied")
    with pytest.raises(errors.NotFound):
        await ask(controller, TOONS, "GetMovieDataset", get)

    delete = pb.DeleteMovieDatasetRequest(name="movieDatasets/demo")
    await ask(controller, TOONS, "DeleteMovieDataset", delete)
    assert await stage.find("toons--demo") is None


def test_a_resource_belongs_to_its_namespace_or_at_home_to_whom_its_name_tells():
    assert Key(HOME, "demo").owner(HOME) == "default"
    assert Key(HOME, "toons--demo").owner(HOME) == "toons"
    assert Key("toons", "demo").owner(HOME) == "toons"
