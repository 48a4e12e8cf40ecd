"""What holds on every cluster, the one in memory and a real one; `stage` is a namespace of it."""

import asyncio

import pytest
from kubernetes_stage import PICTURE, condition, until

from moviellm import errors, rpc
from moviellm.rendering.ports import free_port
from moviellm.v1 import movie_dataset_service_pb2 as pb

State = pb.MovieDataset.State


async def test_a_resource_applied_by_hand_is_made_and_summed_up(stage):
    controller = await stage.make()
    await stage.apply()
    done = await stage.state("Succeeded")
    status = done["status"]
    assert (status["frames"], status["movies"], status["progress"]) == ("12/12", "1/1", "100%")
    assert status["observedGeneration"] == done["metadata"]["generation"] == 1
    assert condition(done, "Ready") == ("True", "Succeeded")
    assert condition(done, "Progressing")[0] == "False"
    assert condition(done, "Degraded") == ("False", "AsExpected")
    assert done["metadata"]["finalizers"] == ["moviellm.dev/artifacts"]
    assert status["artifacts"].endswith("/datasets/demo/files")
    assert (await controller.named("Get")).state == State.STATE_SUCCEEDED

    async def all_told():
        told = await stage.events()
        return told if {"Accepted", "Started", "MovieFinished", "Succeeded"} <= set(told) else None

    told = await until(all_told)
    assert len(told) == len(set(told)), "nothing is told twice"


async def test_a_resource_of_many_long_prompts_is_followed_too(stage):
    await stage.make()
    text = "Write $theme. " * 2300
    await stage.apply(prompts=[{"name": f"prompt-{number}", "text": text} for number in range(12)])
    await stage.state("Succeeded")
    await stage.apply("other")
    await stage.state("Succeeded", name="other")


async def test_a_dataset_made_over_grpc_is_a_resource(stage):
    controller = await stage.make()
    await controller.create(style={"preset": "noir"}, frames_per_second=2.5, request_id="r-1")
    resource = await stage.state("Succeeded")
    assert resource["spec"]["style"]["preset"] == "noir"
    assert resource["spec"]["style"]["method"] == "TextualInversion"
    assert resource["spec"]["framesPerSecond"] == 2.5
    assert resource["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "moviellm"
    again = await controller.create(style={"preset": "noir"}, frames_per_second=2.5, request_id="r-1", identifier="")
    assert again.name == "movieDatasets/demo"
    with pytest.raises(errors.AlreadyExists, match="movieDatasets/demo is taken"):
        await controller.create()


async def test_a_name_taken_by_hand_is_taken_over_grpc(stage):
    controller = await stage.make()
    await stage.apply(suspend=True)
    await stage.state("Suspended")
    with pytest.raises(errors.AlreadyExists, match="movieDatasets/demo is taken"):
        await controller.create()
    assert not [entry async for entry in stage.store.list("datasets")]


async def test_what_the_deployment_does_not_allow_is_refused_with_the_sentence(stage):
    await stage.make()
    await stage.apply(style={"preset": "cubism"})
    refused = await stage.state("Refused")
    assert condition(refused, "Ready") == ("False", "InvalidSpec")
    assert refused["status"]["message"].startswith('spec.style.preset: "cubism" is unknown; known styles: gothic')
    assert "InvalidSpec" in await until(lambda: stage.events())
    await stage.delete()
    await stage.gone()


async def test_pictures_cannot_come_by_hand(stage):
    await stage.make()
    await stage.apply(style={"pictures": 5})
    assert condition(await stage.state("Refused"), "Ready") == ("False", "UploadsMissing")


async def test_the_cluster_refuses_by_itself(stage):
    for spec, field in (
        ({"theme": ""}, "spec.theme"),
        ({"theme": " \n"}, "spec.theme"),
        ({"movies": 0}, "spec.movies"),
        ({"formats": ["avi"]}, "spec.formats[0]"),
        ({"quality": {"minScore": 0.5}}, "spec.quality"),
        ({"style": {"preset": "noir", "description": "dark"}}, "spec.style"),
    ):
        with pytest.raises(errors.InvalidInput) as caught:
            await stage.apply(**spec)
        assert caught.value.field == field
    with pytest.raises(errors.InvalidInput, match=r"metadata\.name must"):
        await stage.apply("1st")


async def test_defaults_are_filled_in_and_stay(stage):
    applied = await stage.apply("plain")
    assert (applied["spec"]["dialogueLines"], applied["spec"]["quality"]["attempts"]) == (6, 1)
    assert applied["spec"]["formats"] == ["llava_next", "webdataset"]
    for change in (
        {"theme": "a calm"},
        {"style": {"preset": "noir"}},
        {"formats": ["mds"]},
        {"plot": {"level": "story"}},
    ):
        with pytest.raises(errors.InvalidInput, match="cannot change"):
            await stage.patch("plain", **change)
    await stage.patch("plain", maxLlmTokens=100, deletionPolicy="Delete")
    with pytest.raises(errors.InvalidInput, match="can be raised"):
        await stage.patch("plain", maxLlmTokens=99)
    await stage.patch("plain", maxLlmTokens=0, suspend=True)


async def test_suspend_stops_the_work_and_its_end_goes_on(stage):
    controller = await stage.make()
    controller.stages.gate.clear()
    await stage.apply()
    await stage.state("Running")
    await stage.patch(suspend=True)
    await stage.state("Suspended")
    assert (await controller.named("Get")).state == State.STATE_CANCELLED
    controller.stages.gate.set()
    await stage.patch(suspend=False)
    done = await stage.state("Succeeded")
    assert "Suspended" in await stage.events()
    assert "Retried" in await stage.events()
    assert done["status"]["observedGeneration"] == 3


async def test_what_is_applied_suspended_waits(stage):
    controller = await stage.make()
    await stage.apply(suspend=True)
    await stage.state("Suspended")
    with pytest.raises(errors.NotFound):
        await controller.named("Get")
    await stage.patch(suspend=False)
    await stage.state("Succeeded")


async def test_cancel_and_retry_over_grpc_are_seen_in_the_resource(stage):
    controller = await stage.make()
    controller.stages.gate.clear()
    await controller.create()
    await stage.state("Running")
    assert (await controller.named("Cancel")).state == State.STATE_CANCELLED
    assert (await stage.state("Suspended"))["spec"]["suspend"] is True
    controller.stages.gate.set()
    await controller.named("Retry", max_llm_tokens=500)
    done = await stage.state("Succeeded")
    assert (done["spec"]["suspend"], done["spec"]["maxLlmTokens"]) == (False, 500)
    with pytest.raises(errors.Unsatisfied, match="nothing left to cancel"):
        await controller.named("Cancel")
    assert (await stage.get())["spec"]["suspend"] is False


async def test_a_failure_is_told_and_tried_again_when_asked(stage):
    controller = await stage.make()
    trouble = errors.Denied("the key is wrong", reason="LLM_UNAUTHORIZED")
    controller.stages.fail["chapter"] = [trouble] * 2
    await stage.apply()
    failed = await stage.state("Failed")
    assert condition(failed, "Degraded") == ("True", "LLM_UNAUTHORIZED")
    assert condition(failed, "Ready") == ("False", "LLM_UNAUTHORIZED")
    assert "the key is wrong" in failed["status"]["message"]
    controller.stages.fail["chapter"] = []
    await stage.patch(metadata={"annotations": {"moviellm.dev/retry": "1"}})
    done = await stage.state("Succeeded")
    assert condition(done, "Degraded") == ("False", "AsExpected")
    assert done["status"]["retried"] == "1"
    assert {"Failed", "Retried"} <= set(await stage.events())


async def test_a_request_to_try_again_is_followed_once(stage):
    controller = await stage.make()
    controller.stages.fail["chapter"] = [errors.Denied("no", reason="LLM_UNAUTHORIZED")] * 100
    await stage.apply()
    await stage.state("Failed")
    calls = controller.stages.calls["outline"] + controller.stages.calls["chapter"]
    await stage.patch(metadata={"annotations": {"moviellm.dev/retry": "1"}})

    async def followed():
        return (await stage.get())["status"].get("retried") == "1"

    await until(followed)
    await stage.state("Failed")
    await asyncio.sleep(0.5)
    calls = controller.stages.calls["chapter 1"]
    assert calls == 2


async def test_more_tokens_let_a_failed_dataset_go_on(stage):
    controller = await stage.make()
    controller.stages.tokens = 50
    await stage.apply(maxLlmTokens=120)
    failed = await stage.state("Failed")
    assert condition(failed, "Ready") == ("False", "LLM_BUDGET_USED_UP")
    assert failed["status"]["modelUse"][0]["promptTokens"] >= 50
    await stage.patch(maxLlmTokens=100_000)
    await stage.state("Succeeded")


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
async def test_deletion_keeps_or_removes_the_artifacts(stage, policy):
    controller = await stage.make()
    controller.stages.gate.clear()
    await stage.apply(deletionPolicy=policy)
    await stage.state("Running")
    await stage.delete()
    await stage.gone()
    kept = [entry async for entry in stage.store.list("datasets/demo")]
    assert bool(kept) is (policy == "Retain")
    if policy == "Delete":
        with pytest.raises(errors.NotFound):
            await controller.named("Get")
        return
    assert (await controller.named("Get")).state == State.STATE_CANCELLED
    controller.stages.gate.set()
    await stage.apply()
    await stage.state("Succeeded")


async def test_deletion_over_grpc_removes_both(stage):
    controller = await stage.make()
    await controller.create()
    await stage.state("Succeeded")
    await controller.named("Delete")
    assert await stage.find() is None
    assert not [entry async for entry in stage.store.list("datasets/demo")]
    await controller.create(theme="a calm")
    await stage.state("Succeeded")


async def test_another_request_of_a_kept_name_is_refused_and_takes_nothing_with_it(stage):
    await stage.make()
    await stage.apply()
    await stage.state("Succeeded")
    await stage.delete()
    await stage.gone()
    await stage.apply(theme="a calm", deletionPolicy="Delete")
    assert condition(await stage.state("Refused"), "Ready") == ("False", "NameTaken")
    await stage.delete()
    await stage.gone()
    assert await stage.store.exists("datasets/demo/request.json")


async def test_the_second_replica_stands_by_and_takes_over(stage):
    first = await stage.make()
    first.stages.gate.clear()
    await stage.apply()
    await stage.state("Running")
    second = stage.start(kubernetes_address="127.0.0.1:1")
    await until(lambda: second.controller.server.port)
    first.api.is_cut = True
    await second.leading()
    assert not first.controller.replica.leads, "the first has stopped before the second leads"
    assert await asyncio.wait_for(first.exit_code, 10) == 1
    await stage.state("Succeeded")
    assert (await second.named("Get")).state == State.STATE_SUCCEEDED


async def test_a_replica_that_stands_by_hands_calls_on_to_the_leader(stage):
    port = free_port()
    first = await stage.make(listen=f"127.0.0.1:{port}")
    second = stage.start()
    await until(lambda: second.controller.server.port)
    await until(lambda: rpc.is_serving(second.open_channel()))
    made = await second.create(request_id="r-1", pictures=[PICTURE, PICTURE, PICTURE])
    assert made.spec.style.pictures == 3
    request = pb.WatchMovieDatasetRequest(name=made.name)
    seen = [one async for one in rpc.stream("controller", second.stub.WatchMovieDataset(request))]
    assert seen[-1].movie_dataset.state == State.STATE_SUCCEEDED
    with pytest.raises(errors.InvalidInput) as caught:
        await second.create("other", movies=0)
    assert caught.value.field == "spec.movies"
    with pytest.raises(errors.Unsatisfied, match="nothing left to cancel"):
        await second.named("Cancel")
    assert first.controller.replica.leads
    assert not second.controller.replica.leads


async def test_a_replica_that_stands_by_and_reaches_no_leader_says_so(stage):
    await stage.make(kubernetes_address="127.0.0.1:1")
    second = stage.start()
    await until(lambda: second.controller.server.port)
    with pytest.raises(errors.Unavailable):
        await second.named("Get")
    assert not await rpc.is_serving(second.open_channel())
    forwarded = pb.GetMovieDatasetRequest(name="movieDatasets/demo")
    call = second.stub.GetMovieDataset(forwarded, metadata=(("moviellm-forwarded", "1"),))
    with pytest.raises(errors.Unavailable, match="stands by; the leader is") as caught:
        await rpc.call("controller", call)
    assert caught.value.reason == "STANDING_BY"
    assert caught.value.retry_after == pytest.approx(2.0)


async def test_a_leader_that_is_asked_to_stop_lets_go_at_once(stage):
    first = await stage.make(kubernetes_lease_seconds=600)
    second = stage.start(kubernetes_lease_seconds=4)
    await until(lambda: second.controller.server.port)
    await first.stop()
    await second.leading()
