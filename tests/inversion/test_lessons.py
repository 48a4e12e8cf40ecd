"""Learning on tiny pipelines: what falls, what stays, what is resumed and what is stored."""

import asyncio
import json

import classroom as room
import pytest
import torch
from classroom import tiny

from moviellm import errors
from moviellm.inversion.diffusers_teacher import load_teacher
from moviellm.inversion.recipe import Recipe
from moviellm.inversion.settings import InversionSettings
from moviellm.movie import StoredFile, Style
from moviellm.pipelines.diffusers_prompts import read_learned

PIPELINES = {
    "sd": tiny.sd,
    "pocket": lambda: tiny.sd(pocket=True),
    "sdxl": tiny.sdxl,
    "epsilon with zero terminal SNR": lambda: tiny.sd(scheduler=_zero_snr("epsilon")),
    "sample": lambda: tiny.sd(scheduler=_zero_snr("sample")),
}


def _zero_snr(prediction_type):
    scheduler = tiny.zero_snr_scheduler()
    return type(scheduler).from_config(scheduler.config, prediction_type=prediction_type)


@pytest.mark.parametrize("kind", PIPELINES)
async def test_the_held_out_loss_falls_and_nothing_else_changes(kind, tmp_path):
    pipe = PIPELINES[kind]()
    before, words = room.weights_of(pipe), len(pipe.tokenizer)
    store = room.store_in(tmp_path)
    _, result = await room.learnt(room.school_of(store, room.teacher_of(pipe)), await room.task_in(store, vectors=2))
    assert result.final_loss < result.initial_loss
    assert all(torch.equal(value, before[name]) for name, value in room.weights_of(pipe).items())
    assert len(pipe.tokenizer) == words
    assert not any(weight.requires_grad for weight in pipe.unet.parameters())


async def test_diffusers_own_loader_reads_the_result(tmp_path):
    pipe = tiny.sdxl()
    store = room.store_in(tmp_path)
    _, result = await room.learnt(room.school_of(store, room.teacher_of(pipe)), await room.task_in(store, vectors=2))
    assert result.learned_style.token == "<gothic>"
    assert result.learned_style.uri == store.uri("styles/abc/learned_embeds.safetensors")
    folder = tmp_path / "store" / room.OUTPUT
    pipe.load_textual_inversion(str(folder), weight_name="learned_embeds.safetensors")
    pipe.load_textual_inversion(
        str(folder),
        weight_name="learned_embeds_2.safetensors",
        text_encoder=pipe.text_encoder_2,
        tokenizer=pipe.tokenizer_2,
    )
    learned = read_learned(*((folder / name).read_bytes() for name in sorted(p.name for p in folder.glob("*.safet*"))))
    added = pipe.tokenizer_2.convert_tokens_to_ids(["<gothic>", "<gothic>_1"])
    assert torch.equal(pipe.text_encoder_2.get_input_embeddings().weight[added], learned.vectors[1])
    record = json.loads((folder / "style.json").read_text())
    assert record["token"] == "<gothic>"
    assert record["digests"]["learned_embeds.safetensors"] == result.learned_style.digest
    assert await room.keys_in(store) == [
        f"styles/abc/{name}" for name in ("learned_embeds.safetensors", "learned_embeds_2.safetensors", "style.json")
    ]


async def test_the_same_task_gives_the_same_style_and_another_seed_another(tmp_path):
    digests = []
    for number, seed in enumerate((5, 5, 6)):
        store = room.store_in(tmp_path / str(number))
        task = await room.task_in(store, seed=seed, steps=4)
        _, result = await room.learnt(room.school_of(store, room.teacher_of(tiny.sd())), task)
        digests.append(result.learned_style.digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
async def test_a_resumed_lesson_ends_as_an_uninterrupted_one(kind, tmp_path):
    teacher = room.teacher_of(PIPELINES[kind]())
    calm, rough = room.store_in(tmp_path / "calm"), room.store_in(tmp_path / "rough")
    references = await room.references_in(calm)
    captions = ("the library", "", "people", "a library")
    _, expected = await room.learnt(
        room.school_of(calm, teacher), await room.task_in(calm, references=references, captions=captions)
    )
    copies = [StoredFile(f.uri.replace("/calm/", "/rough/"), f.digest, f.size_bytes) for f in references]
    await room.references_in(rough)
    task = await room.task_in(rough, references=tuple(copies), captions=captions)
    school = room.school_of(rough, _Fragile(teacher, dies_at=7), checkpoint_every=5)
    with pytest.raises(KeyboardInterrupt):
        await room.learnt(school, task)
    assert await room.keys_in(rough) == ["styles/abc/checkpoint/state.safetensors"]
    counted = _Fragile(teacher)
    _, result = await room.learnt(room.school_of(rough, counted), task)
    assert counted.steps == room.RECIPE.steps - 5
    assert result.learned_style.digest == expected.learned_style.digest
    assert (result.initial_loss, result.final_loss) == (expected.initial_loss, expected.final_loss)


class _Fragile:
    """A teacher whose process dies after some steps."""

    def __init__(self, teacher, dies_at=None):
        self._teacher = teacher
        self._dies_at = dies_at
        self.steps = 0

    def __getattr__(self, name):
        return getattr(self._teacher, name)

    def begin(self, *arguments):
        lesson = self._teacher.begin(*arguments)
        advance = lesson.advance

        def counted():
            if self.steps == self._dies_at:
                raise KeyboardInterrupt
            self.steps += 1
            return advance()

        lesson.advance = counted
        return lesson


@pytest.mark.parametrize("damage", ["cut", "another task"])
async def test_a_checkpoint_of_no_use_is_left_aside(damage, tmp_path):
    teacher = room.teacher_of(tiny.sd())
    store = room.store_in(tmp_path)
    task = await room.task_in(store)
    with pytest.raises(KeyboardInterrupt):
        await room.learnt(room.school_of(store, _Fragile(teacher, dies_at=7), checkpoint_every=5), task)
    key = "styles/abc/checkpoint/state.safetensors"
    if damage == "cut":
        await store.replace(key, (await store.get(key))[:-20])
    else:
        task = await room.task_in(store, seed=77)
    counted = _Fragile(teacher)
    await room.learnt(room.school_of(store, counted), task)
    assert counted.steps == room.RECIPE.steps


async def test_a_learnt_style_is_returned_without_work(tmp_path):
    store = room.store_in(tmp_path)
    task = await room.task_in(store, steps=2)
    _, first = await room.learnt(room.school_of(store, room.teacher_of(tiny.sd())), task)

    def no_teacher():
        raise AssertionError("nobody needs to load a model for this")

    idle = room.school_of(store, None)
    idle._teacher = no_teacher
    progress, again = await room.learnt(idle, task)
    assert not progress
    assert again.learned_style == first.learned_style
    assert again.final_loss == first.final_loss


async def test_two_who_ask_for_the_same_style_share_one_lesson(tmp_path):
    store = room.store_in(tmp_path)
    task = await room.task_in(store, steps=3)
    counted = _Fragile(room.teacher_of(tiny.sd()))
    school = room.school_of(store, counted)
    (_, one), (_, other) = await asyncio.gather(room.learnt(school, task), room.learnt(school, task))
    assert one.learned_style == other.learned_style
    assert counted.steps == 3


async def test_too_many_waiting_calls_are_told_when_to_come_back(tmp_path):
    store = room.store_in(tmp_path)
    school = room.school_of(store, room.teacher_of(tiny.sd()), max_waiting=1)
    tasks = [await room.task_in(store, output=f"styles/{n}", steps=1) for n in range(3)]
    answers = await asyncio.gather(*(room.learnt(school, task) for task in tasks), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], errors.Exhausted)
    assert refused[0].retry_after > 0


async def test_it_stops_early_when_the_held_out_loss_no_longer_falls(tmp_path):
    store = room.store_in(tmp_path)
    recipe = Recipe(steps=400, learning_rate=1e-9, batch_size=1, evaluate_every=2, held_out=4, patience=3)
    _, result = await room.learnt(
        room.school_of(store, room.teacher_of(tiny.sd(), recipe)), await room.task_in(store, steps=300)
    )
    assert result.steps < 100


@pytest.mark.parametrize("what", ["runs away", "is none from the start"])
async def test_a_loss_that_is_not_a_number_stores_nothing(what, tmp_path):
    store, pipe = room.store_in(tmp_path), tiny.sd()
    if what != "runs away":
        pipe.unet.conv_out.bias.fill_(float("nan"))
    recipe = Recipe(steps=12, learning_rate=1e37, batch_size=2, evaluate_every=2)
    school = room.school_of(store, room.teacher_of(pipe, recipe), checkpoint_every=1)
    with pytest.raises(errors.Unsatisfied, match="not a number") as caught:
        await room.learnt(school, await room.task_in(store))
    assert "MOVIELLM_INVERSION_LEARNING_RATE" in caught.value.message
    assert await room.keys_in(store) == []


async def test_closing_saves_where_it_was(tmp_path):
    store = room.store_in(tmp_path)
    task = await room.task_in(store, steps=500)
    counted = _Fragile(room.teacher_of(tiny.sd()))
    school = room.school_of(store, counted)
    lesson = asyncio.create_task(room.learnt(school, task))
    await room.until(lambda: counted.steps > 2)
    school.close()
    with pytest.raises(errors.Interrupted):
        await lesson
    assert counted.steps < 500
    assert await room.keys_in(store) == ["styles/abc/checkpoint/state.safetensors"]


async def test_references_are_checked_by_name(tmp_path):
    store = room.store_in(tmp_path)
    task = await room.task_in(store)
    school = room.school_of(store, room.teacher_of(tiny.sd()))
    await store.put("references/bad", b"no picture")
    good = task.references
    wrong = {
        r"references\[1\]": StoredFile(store.uri("references/bad"), "", 0),
        r"references\[1\].digest": StoredFile(good[1].uri, "0" * 64, 0),
        r"references\[1\].uri": StoredFile("file:///etc/passwd", "", 0),
    }
    for field, file in wrong.items():
        with pytest.raises(errors.InvalidInput, match=field):
            await room.learnt(school, await room.task_in(store, references=(good[0], file, *good[2:])))
    missing = StoredFile(store.uri("references/none.png"), "", 0)
    with pytest.raises(errors.NotFound, match=r"references\[2\]"):
        await room.learnt(school, await room.task_in(store, references=(*good[:2], missing)))


async def test_a_keyword_of_any_script_and_a_style_without_words_are_fine(tmp_path):
    store = room.store_in(tmp_path)
    task = await room.task_in(store, style=Style("水墨"), steps=2)
    _, result = await room.learnt(room.school_of(store, room.teacher_of(tiny.sd())), task)
    assert result.learned_style.token.startswith("<style-")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
async def test_half_precision_learns_too(dtype, tmp_path):
    store = room.store_in(tmp_path)
    teacher = room.teacher_of(tiny.sdxl().to(dtype=dtype))
    _, result = await room.learnt(room.school_of(store, teacher), await room.task_in(store))
    assert result.final_loss < result.initial_loss


async def test_settings_that_save_memory_change_no_result(tmp_path):
    tiny.sdxl().save_pretrained(tmp_path / "model")
    losses = []
    for saving in (False, True):
        store = room.store_in(tmp_path / str(saving))
        settings = InversionSettings(
            model=str(tmp_path / "model"),
            device="cpu",
            learning_rate=0.1,
            gradient_checkpointing=saving,
            attention_slicing=saving,
            vae_tiling=saving,
        )
        _, result = await room.learnt(room.school_of(store, load_teacher(settings)), await room.task_in(store, steps=4))
        losses.append((result.initial_loss, result.final_loss))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0][1] < losses[0][0]


def test_a_scheduler_without_a_beta_schedule_is_refused():
    from diffusers import EDMEulerScheduler

    with pytest.raises(errors.Unsatisfied, match="EDMEulerScheduler"):
        room.teacher_of(tiny.sd(scheduler=EDMEulerScheduler()))
