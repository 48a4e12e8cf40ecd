"""Training: it resumes where it stopped, and refuses to go on with broken numbers."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

pytest.importorskip("diffusers")

from moviellm.pocket.dataset import TRAINING_SEED, scene_at
from moviellm.pocket.evaluation import FACTORS, labels, shares_right, table, told_apart
from moviellm.pocket.latents import CHANNELS
from moviellm.pocket.look_space import UNSAID
from moviellm.pocket.meaning import meaning


@pytest.fixture
def trainer():
    import torch

    from moviellm.pocket.diffusers_pipeline import build_text_encoder, build_tokenizer, build_unet
    from moviellm.pocket.torch_training import Artist, Lessons, Plan, Trainer
    from moviellm.pocket.torch_workshop import numbers_of, told, unsaid_of

    torch.manual_seed(0)
    torch.set_num_threads(1)
    tokenizer = build_tokenizer()
    scenes = [scene_at(TRAINING_SEED, index) for index in range(4)]
    tokens, spans = told(tokenizer, range(4))
    lessons = Lessons(
        np.random.default_rng(0).standard_normal((4, CHANNELS, 8, 8)).astype(np.float16),
        tokens,
        spans,
        np.stack([meaning(scene) for scene in scenes]),
        np.stack([unsaid_of(scene) for scene in scenes]),
        numbers_of(tokenizer, [""])[0],
    )
    plan = Plan(samples=4, batch=2, reading_seconds=0.1, checkpoint_seconds=0.0)
    return Trainer(Artist(build_unet(), build_text_encoder(tokenizer)), lessons, plan)


def test_a_checkpoint_brings_everything_back(trainer, tmp_path) -> None:
    import torch

    path, reports = tmp_path / "artist.pt", []
    trainer.run(path, lambda now: reports.append(now.state.samples))
    assert reports == [2, 4]
    assert trainer.rate() == pytest.approx(trainer.plan.rate * 0.02 * 4 / trainer.plan.warmup, rel=0.5)
    expected = trainer._step()
    trainer.resume(path)
    assert trainer.state.samples == 4
    assert trainer._step() == pytest.approx(expected, rel=1e-5)
    assert not torch.equal(trainer.mean["heads.weight"], trainer.artist.heads.weight)


def test_what_words_leave_unsaid_moves_the_words_for_the_look_alone(trainer) -> None:
    import torch

    artist, lessons = trainer.artist, trainer.lessons
    torch.nn.init.normal_(artist.exactly.weight)
    ids = torch.from_numpy(lessons.tokens[:1, 0].astype(np.int64))
    within = torch.zeros(ids.shape, dtype=torch.bool)
    within[0, 5:7] = True
    usual, other = torch.zeros(1, UNSAID), torch.ones(1, UNSAID)
    seen: list[torch.Tensor] = []
    table = artist.text_encoder.get_input_embeddings()
    artist.words(ids, other, within)
    hook = artist.text_encoder.embeddings.register_forward_hook(lambda *call: seen.append(call[-1]))
    plain, moved = artist.words(ids, usual, within), artist.words(ids, other, within)
    hook.remove()
    changed = (seen[0] != seen[1]).any(dim=-1)
    assert torch.equal(changed, within)
    assert torch.allclose(plain, artist.text_encoder(ids)[0])
    assert not torch.allclose(plain, moved)
    assert not table._forward_hooks


def test_the_words_for_a_look_are_found_in_the_tokens() -> None:
    from moviellm.pocket.captions import caption
    from moviellm.pocket.diffusers_pipeline import build_tokenizer
    from moviellm.pocket.torch_workshop import CAPTIONS, told

    tokenizer = build_tokenizer()
    tokens, spans = told(tokenizer, range(40))
    for index in range(40):
        for number in range(CAPTIONS):
            said = caption(scene_at(TRAINING_SEED, index), Random(f"caption {TRAINING_SEED} {index} {number}"))
            begin, end = spans[index, number]
            assert tokenizer.decode(tokens[index, number, begin:end].tolist()) == said.look.replace(",", " ,")


def test_most_lessons_are_at_the_noise_of_the_recipe(trainer) -> None:
    from moviellm.pocket import STEPS
    from moviellm.pocket.diffusers_pipeline import build_scheduler

    sampler = build_scheduler()
    sampler.set_timesteps(STEPS)
    times = trainer._times(4000)
    at_steps = np.isin(times.numpy(), sampler.timesteps.numpy()).mean()
    assert at_steps == pytest.approx(trainer.plan.sampled, abs=0.04)
    assert len(times.unique()) > 500


def test_broken_numbers_stop_the_training(trainer) -> None:
    trainer.lessons = replace(trainer.lessons, latents=np.full_like(trainer.lessons.latents, np.nan))
    with pytest.raises(FloatingPointError, match="lower the rate"):
        trainer._step()


def test_questions_are_asked_only_where_they_can_be_answered() -> None:
    scenes = [scene_at(2, index) for index in range(80)]
    truth = labels(scenes)
    for scene, asked in zip(scenes, truth["clothing colour"] >= 0, strict=True):
        assert not asked or (scene.people and scene.style != "noir")
    shares = shares_right(truth, truth)
    assert shares == {factor.name: 1.0 for factor in FACTORS}


def test_looks_are_measured_apart_from_taught_styles() -> None:
    scenes = [scene_at(2, index) for index in range(40)]
    truth = labels(scenes)
    named, looks = told_apart(scenes, truth)
    taught = [isinstance(scene.style, str) for scene in scenes]
    assert taught == (named["location"] >= 0).tolist() == (looks["location"] < 0).tolist()
    columns = {"generated": shares_right(truth, truth), "in looks": shares_right(truth, looks)}
    told = table(columns).splitlines()
    assert told[0] == "| factor | generated | in looks | goal |"
    assert "| location | 1.00 | 1.00 | 0.97 |" in told
    assert "| clothing colour | 1.00 | – | 0.90 |" in told
