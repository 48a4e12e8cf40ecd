"""Tenants through the real door: every method of the contract, by everybody, for everybody's datasets."""

import importlib
import json
import pkgutil

import pytest

from moviellm import errors, v1
from moviellm.artifacts import DatasetKeys
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.tenancy.rights import ROLES, security_of
from moviellm.security.identity import Role
from moviellm.v1 import movie_dataset_service_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["MovieDatasetService"]
DEMO = "movieDatasets/demo"

REQUESTS = {
    "GetMovieDataset": lambda name: pb.GetMovieDatasetRequest(name=name),
    "CancelMovieDataset": lambda name: pb.CancelMovieDatasetRequest(name=name),
    "RetryMovieDataset": lambda name: pb.RetryMovieDatasetRequest(name=name),
    "DeleteMovieDataset": lambda name: pb.DeleteMovieDatasetRequest(name=name),
    "WatchMovieDataset": lambda name: pb.WatchMovieDatasetRequest(name=name),
    "ListArtifacts": lambda name: pb.ListArtifactsRequest(parent=name),
    "DownloadArtifact": lambda name: pb.DownloadArtifactRequest(parent=name, path="movies/00001/frames/00001.jpg"),
}
"""Every method that names a dataset."""

OTHERS = {
    "CreateMovieDataset": pb.CreateMovieDatasetRequest(),
    "ListMovieDatasets": pb.ListMovieDatasetsRequest(),
}
"""Every method that names none."""


async def ended(controller, somebody, name=DEMO):
    updates = await controller.ask_as(somebody, "WatchMovieDataset", pb.WatchMovieDatasetRequest(name=name))
    return updates[-1].movie_dataset


def services_of_the_contract():
    for found in pkgutil.iter_modules(v1.__path__, "moviellm.v1."):
        if found.name.endswith("_pb2"):
            yield from importlib.import_module(found.name).DESCRIPTOR.services_by_name.values()


def test_every_method_of_the_contract_has_a_rule_and_is_tried_here():
    behind = {f"{stage}Service" for stage in ("Scripting", "Inversion", "Rendering", "Question", "Export")}
    in_front = [service for service in services_of_the_contract() if service.name not in behind]
    methods = {f"/{service.full_name}/{method.name}" for service in in_front for method in service.methods}
    assert set(security_of(ControllerSettings()).roles) == methods
    assert {*REQUESTS, *OTHERS} == {method.name for method in SERVICE.methods}


@pytest.mark.parametrize("method", [*REQUESTS, *OTHERS])
async def test_nobody_gets_in_without_a_token(guarded, method):
    controller = await guarded()
    request = OTHERS[method] if method in OTHERS else REQUESTS[method]("no name at all")
    for stranger in ("", "made-up"):
        with pytest.raises(errors.Unauthenticated):
            await controller.ask_as(stranger, method, request)


@pytest.mark.parametrize("method", REQUESTS)
async def test_another_tenants_dataset_is_as_one_that_is_not_there(guarded, method):
    controller = await guarded()
    await controller.create_as("films-writes")
    assert (await ended(controller, "films-writes")).state == pb.MovieDataset.STATE_SUCCEEDED
    for stranger in ("toons-writes", "plain-writes"):
        told = []
        for name in (DEMO, "movieDatasets/films--demo"):
            with pytest.raises(errors.NotFound) as there:
                await controller.ask_as(stranger, method, REQUESTS[method](name))
            told.append(there.value.message.replace(name, "…"))
        missing = "movieDatasets/films--never"
        with pytest.raises(errors.NotFound) as not_there:
            await controller.ask_as(stranger, method, REQUESTS[method](missing))
        assert {*told} == {not_there.value.message.replace(missing, "…")}
    assert await controller.names("films-writes") == ["demo"]


@pytest.mark.parametrize("method", [name for name in ROLES if ROLES[name] is Role.WRITER])
async def test_a_reader_changes_nothing(guarded, method):
    controller = await guarded()
    await controller.create_as("films-writes")
    name = method.rpartition("/")[2]
    request = OTHERS[name] if name in OTHERS else REQUESTS[name](DEMO)
    with pytest.raises(errors.Denied, match=f"{name} needs the role writer; yours is reader"):
        await controller.ask_as("films-reads", name, request)
    assert (await ended(controller, "films-reads")).state == pb.MovieDataset.STATE_SUCCEEDED


async def test_a_reader_reads_what_the_tenant_has(guarded):
    controller = await guarded()
    await controller.create_as("films-writes")
    await ended(controller, "films-reads")
    listed = await controller.ask_as("films-reads", "ListArtifacts", pb.ListArtifactsRequest(parent=DEMO))
    wish = pb.DownloadArtifactRequest(parent=DEMO, path=listed.artifacts[0].path)
    data = b"".join(piece.data for piece in await controller.ask_as("films-reads", "DownloadArtifact", wish))
    assert len(data) == listed.artifacts[0].size_bytes


async def test_each_tenant_has_names_of_its_own(guarded, store):
    controller = await guarded()
    for somebody in ("films-writes", "toons-writes", "plain-writes"):
        made = await controller.create_as(somebody)
        assert made.name == DEMO
        assert (await ended(controller, somebody)).name == DEMO
        assert await controller.names(somebody) == ["demo"]
        with pytest.raises(errors.AlreadyExists):
            await controller.create_as(somebody)
    assert sorted(await store.folders("datasets")) == ["demo", "films--demo", "toons--demo"]
    assert await controller.names("operates") == ["demo", "films--demo", "toons--demo"]


async def test_an_operator_reaches_everybodys_datasets_by_their_whole_names(guarded):
    controller = await guarded()
    await controller.create_as("films-writes")
    await controller.create_as("plain-writes", "other")
    whole = "movieDatasets/films--demo"
    assert (await ended(controller, "operates", whole)).name == whole
    assert (await ended(controller, "operates", "movieDatasets/other")).name == "movieDatasets/other"
    own = await controller.create_as("operates", "mine")
    assert own.name == "movieDatasets/mine"
    await controller.ask_as("operates", "DeleteMovieDataset", pb.DeleteMovieDatasetRequest(name=whole))
    assert await controller.names("films-writes") == []


async def test_nobody_can_take_a_name_in_another_tenants_place(guarded):
    controller = await guarded()
    for somebody in ("plain-writes", "toons-writes", "operates"):
        with pytest.raises(errors.InvalidInput, match='single "-"'):
            await controller.create_as(somebody, "films--demo")
    await controller.create_as("films-writes")


async def test_a_tenants_names_leave_room_for_its_own(guarded):
    controller = await guarded()
    await controller.create_as("films-writes", "a" * 56)
    with pytest.raises(errors.InvalidInput, match="at most 56"):
        await controller.create_as("films-writes", "b" * 57)
    made = await controller.create_as("films-writes", "", theme="word " * 20)
    assert made.name in [f"movieDatasets/{name}" for name in await controller.names("films-writes")]


async def test_a_request_id_is_the_tenants_own(guarded):
    controller = await guarded()
    first = await controller.create_as("films-writes", "one", request_id="same")
    again = await controller.create_as("films-writes", "two", request_id="same")
    assert first.name == again.name == "movieDatasets/one"
    other = await controller.create_as("toons-writes", "two", request_id="same")
    assert other.name == "movieDatasets/two"


async def test_pages_hold_the_tenants_own_alone(guarded):
    controller = await guarded()
    for number in range(4):
        await controller.create_as("films-writes", f"a{number}")
        await controller.create_as("toons-writes", f"b{number}")
    found, token = [], ""
    while True:
        request = pb.ListMovieDatasetsRequest(page_size=3, page_token=token)
        page = await controller.ask_as("films-writes", "ListMovieDatasets", request)
        found += [dataset.name for dataset in page.movie_datasets]
        token = page.next_page_token
        if not token:
            break
    assert sorted(found) == [f"movieDatasets/a{number}" for number in range(4)]


async def test_owners_outlive_the_controller_and_old_stores_belong_to_the_default_tenant(guarded, store):
    first = await guarded()
    await first.create_as("films-writes")
    await first.create_as("plain-writes", "old")
    for somebody, name in (("films-writes", DEMO), ("plain-writes", "movieDatasets/old")):
        await ended(first, somebody, name)
    key = DatasetKeys("old").request
    request = json.loads(await store.get(key))
    assert request.pop("owner") == "default"
    await store.replace(key, json.dumps(request).encode())
    second = await guarded()
    assert await second.names("films-writes") == ["demo"]
    assert await second.names("plain-writes") == ["old"]
    assert await second.names("toons-writes") == []


async def test_gpu_seconds_are_the_tenants(guarded):
    controller = await guarded()
    await controller.create_as("films-writes")
    await ended(controller, "films-writes")
    samples = {
        sample.labels["tenant"]
        for family in controller.metrics_registry.collect()
        for sample in family.samples
        if sample.name == "moviellm_gpu_seconds_total"
    }
    assert samples == {"films"}
