"""What requesters may wish for beyond a theme: a plot of their own, a budget, better frames, faces that hold."""

from dataclasses import replace

import pytest

from moviellm import errors, wire
from moviellm.artifacts import MovieKeys
from moviellm.controller.stages import RenderProfile
from moviellm.dataset import NOT_MEASURED, Mends, MovieQuality, Questions, RenderedScene, StyleMethod
from moviellm.movie import Outline
from moviellm.v1 import movie_dataset_service_pb2 as pb

State = pb.MovieDataset.State
KEYS = MovieKeys("demo", 1)


async def stored(controller, key, cls):
    return wire.from_json(await controller.store.get(key), cls)


async def test_a_plot_of_ones_own_takes_the_place_of_writing(controller):
    dataset = await controller.create(plot=b"a plot", movies=2)
    assert (dataset.spec.chapters, dataset.spec.scenes, dataset.spec.frames) == (2, 2, 3)
    assert dataset.spec.plot.level == "story"
    outlines = controller.stages.calls["outline"]
    assert (await controller.ended()).state == State.STATE_SUCCEEDED
    assert controller.stages.calls["outline"] == outlines, "the outline came with the plot"
    assert controller.stages.calls["chapter 1"] == controller.stages.calls["chapter 2"] == 2
    assert controller.stages.calls["scene 1-2"] == 2
    assert controller.stages.calls["scene 1-1"] == 1, "written once by the fake that reads plots, then taken from there"
    assert (await stored(controller, KEYS.outline, Outline)).title == "Title 99"
    assert (await stored(controller, KEYS.imported_mends, Mends)).mends[0].rule == "a-rule"
    assert "imported" in [question.category for question in controller.stages.reviewed]


async def test_a_bad_plot_is_refused_at_the_door(controller):
    with pytest.raises(errors.InvalidInput, match=r"plot\.frames: must be a list"):
        await controller.create(plot=b"bad")
    assert not [entry async for entry in controller.store.list("datasets")]


async def test_a_spec_cannot_claim_a_plot(controller):
    spec = pb.MovieDatasetSpec(theme="a storm", chapters=1, scenes=1, frames=1, plot=pb.PlotSpec(level="story"))
    request = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id="demo")
    dataset = await controller.ask("CreateMovieDataset", request)
    assert dataset.spec.plot.level == ""


async def test_used_up_tokens_stop_politely_and_a_higher_limit_goes_on(controller):
    controller.stages.tokens = 100
    await controller.create(max_llm_tokens=300)
    stopped = await controller.ended()
    assert (stopped.state, stopped.trouble.reason) == (State.STATE_FAILED, "LLM_BUDGET_USED_UP")
    assert "retry with a higher max_llm_tokens" in stopped.trouble.message
    spent = sum(use.prompt_tokens + use.completion_tokens for use in stopped.model_use)
    assert 300 <= spent <= 300 + 4 * 200, "calls under way are paid for, no more begin"
    assert [use.cost for use in stopped.model_use] == [pytest.approx(spent / 2 * 6000 / 1e6)]

    def retry(most=None):
        request = pb.RetryMovieDatasetRequest(name="movieDatasets/demo", max_llm_tokens=most)
        return controller.ask("RetryMovieDataset", request)

    with pytest.raises(errors.InvalidInput, match="max_llm_tokens: must be 0"):
        await retry(200)
    before = controller.stages.calls.copy()
    await retry()
    assert (await controller.ended()).state == State.STATE_FAILED
    paid = [call for call in controller.stages.calls - before if call.split(" ")[0] in ("chapter", "scene", "ask")]
    assert not paid, "the limit still stands"
    assert (await retry(5000)).spec.max_llm_tokens == 5000
    ended = await controller.ended()
    assert ended.state == State.STATE_SUCCEEDED
    assert sum(use.prompt_tokens for use in ended.model_use) == 100 * (2 + 4)


async def test_what_was_spent_survives_a_restart(controllers):
    first = await controllers()
    first.stages.tokens = 100
    await first.create()
    before = await first.ended()
    await first.stop()
    assert list((await (await controllers()).get()).model_use) == list(before.model_use) != []


async def test_questions_are_reviewed_over_the_whole_movie(controller):
    await controller.create()
    await controller.ended()
    assert len(controller.stages.reviewed) == 1 + 2 + 4 + 1
    kept = await stored(controller, KEYS.reviewed, Questions)
    assert (len(kept.questions), kept.dropped[0].count) == (1, 7)


async def test_pictures_are_measured_and_attempts_recorded(controller):
    await controller.create(quality=pb.QualitySpec(attempts=3, min_score=0.3))
    await controller.ended()
    quality = await stored(controller, KEYS.quality, MovieQuality)
    assert (quality.measures.pictures, quality.plain) == (12, None)
    scene = await stored(controller, KEYS.rendered(1, 1), RenderedScene)
    assert [attempt.score for frame in scene.frames for attempt in frame.attempts] == [0.4] * 3


async def test_a_deployment_without_a_scorer_measures_nothing(controller):
    controller.stages.fail = {"measure": [errors.Unsatisfied("no scorer", reason="NO_SCORER")]}
    await controller.create(quality=pb.QualitySpec(ablation=True))
    assert (await controller.ended()).state == State.STATE_SUCCEEDED
    assert (await stored(controller, KEYS.quality, MovieQuality)).measures == NOT_MEASURED


async def test_the_ablation_renders_a_sample_without_the_learnt_style(controller):
    await controller.create(quality=pb.QualitySpec(ablation=True))
    await controller.ended()
    quality = await stored(controller, KEYS.quality, MovieQuality)
    assert quality.sample.pictures == quality.plain.pictures == 12
    plain = [entry.key async for entry in controller.store.list(f"{KEYS.work}/plain")]
    assert len(plain) == 12
    assert sum("in noir style" in prompt and "generate" in prompt for prompt in controller.stages.prompts) == 12


async def test_a_look_held_by_words_alone_is_not_learnt(controller):
    await controller.create(style=pb.StyleSpec(preset="noir", method=pb.STYLE_METHOD_PROMPT))
    dataset = await controller.ended()
    assert (dataset.state, dataset.spec.style.method) == (State.STATE_SUCCEEDED, pb.STYLE_METHOD_PROMPT)
    assert controller.stages.calls["style"] == 0
    assert controller.stages.calls["reference"] == 3, "pictures to compare the frames with"
    frames = [prompt for prompt in controller.stages.prompts if prompt.startswith("generate an image in noir style")]
    assert len(frames) == 12


async def test_a_lora_is_learnt_where_the_deployment_can_and_the_order_says_so(controller):
    await controller.create(style=pb.StyleSpec(preset="noir", method=pb.STYLE_METHOD_LORA), learn_characters=True)
    assert (await controller.ended()).state == State.STATE_SUCCEEDED
    methods = {order.subject: order.method for order in controller.stages.style_orders}
    assert methods == {"style": StyleMethod.LORA, "character": StyleMethod.TEXTUAL_INVERSION}


async def test_a_method_that_is_not_configured_is_refused_at_the_door(controller):
    spec = {"style": pb.StyleSpec(method=pb.STYLE_METHOD_IP_ADAPTER)}
    refused = (
        r"spec\.style\.method: ip_adapter is not configured here; configured: textual_inversion, prompt, lora; for an "
        "IP-Adapter the operator sets MOVIELLM_INVERSION_IP_ADAPTER and MOVIELLM_RENDERING_IP_ADAPTER"
    )
    with pytest.raises(errors.InvalidInput, match=refused):
        await controller.create(**spec)
    controller.stages.methods = tuple(StyleMethod)
    with pytest.raises(errors.InvalidInput, match="not configured"):
        await controller.create(**spec)
    controller.stages.described = replace(controller.stages.described, ip_adapter=True)
    assert (await controller.create(**spec)).estimate.gpu_seconds == pytest.approx(12 * 0.1), "nothing is learnt"


async def test_frames_are_sampled_as_asked_and_the_estimate_takes_account(controller):
    wish = pb.RenderSpec(profile="lcm", width=256, negative_prompt="text", refiner_share=0.25)
    controller.stages.described = replace(controller.stages.described, profiles=(RenderProfile("turbo", 1, 1.0),))
    with pytest.raises(errors.InvalidInput, match=r"spec\.render\.profile: lcm is not configured here.*: turbo"):
        await controller.create(render=wish)
    lcm = RenderProfile("lcm", 4, 1.0)
    controller.stages.described = replace(controller.stages.described, profiles=(lcm,))
    with pytest.raises(errors.InvalidInput, match=r"spec\.render\.refiner_share: must be 0.*no refiner"):
        await controller.create(render=wish)
    controller.stages.described = replace(controller.stages.described, refiner=True)
    plain = await controller.create("plain")
    asked = controller.stages.calls["renderer"]
    dataset = await controller.create(render=wish)
    assert controller.stages.calls["renderer"] == asked + 1 == 3, "plain requests ask nobody"
    frames = [d.estimate.gpu_seconds - 10 for d in (plain, dataset)]
    assert frames[1] / frames[0] == pytest.approx((4 * 1 * 2) / (5 * 2)), "4 steps without guidance, twice the pixels"
    await controller.ended()
    assert {(o.profile, o.width, o.negative_prompt, o.refiner_share) for o in controller.stages.options} == {
        ("lcm", 256, "text", 0.25),
        ("", 0, "", 0.0),
    }


async def test_learnt_faces_stand_in_the_prompts(controller):
    await controller.create(learn_characters=True)
    dataset = await controller.ended()
    assert controller.stages.calls["style"] == 2
    frames = [prompt for prompt in controller.stages.prompts if "<noir>" in prompt]
    assert len(frames) == 12
    assert all("<mara-person> a young woman in a red coat stands" in prompt for prompt in frames)
    assert [(stage.done, stage.total) for stage in dataset.stages if stage.unit == "styles"] == [(1, 1)]


async def test_files_are_listed_in_pages_ordered_by_path(controller):
    await controller.create()
    await controller.ended()
    await controller.store.put("datasets/demo/files/movies-list.txt", b"x")
    await controller.store.put("datasets/demo/files/movies/0001-extra.txt", b"x")
    for size in (1, 2, 5, 100):
        paths, token = [], ""
        while True:
            request = pb.ListArtifactsRequest(parent="movieDatasets/demo", page_size=size, page_token=token)
            page = await controller.ask("ListArtifacts", request)
            paths += [artifact.path for artifact in page.artifacts]
            token = page.next_page_token
            if not token:
                break
        assert paths == sorted(paths)
        assert len(paths) == len(set(paths)) == 12 + 4
