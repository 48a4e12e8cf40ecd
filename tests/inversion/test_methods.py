"""Looks by LoRA and by IP-Adapter, learnt on tiny pipelines of both shapes."""

import json
from pathlib import Path

import classroom as room
import pytest
import torch
from classroom import tiny
from PIL import Image
from safetensors.torch import load

from moviellm import errors
from moviellm.dataset import StyleMethod
from moviellm.inversion.diffusers_teacher import load_teacher
from moviellm.inversion.lora_recipe import LoraRecipe
from moviellm.inversion.settings import InversionSettings
from moviellm.pipelines.diffusers_image_prompts import read_image_look
from moviellm.pipelines.diffusers_lora import read_low_rank

RECIPE = LoraRecipe(steps=8, learning_rate=0.05, batch_size=4, rank=2, evaluate_every=4, held_out=16, patience=9)
SHAPES = {"sd": tiny.sd, "sdxl": tiny.sdxl, "pocket": lambda: tiny.sd(pocket=True)}


def teacher_of(pipe, **changes):
    return room.teacher_of(pipe, lora=LoraRecipe(**(vars(RECIPE) | changes)))


async def lora_in(store, **changes):
    return await room.task_in(store, method=StyleMethod.LORA, **changes)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_lora_lowers_the_held_out_loss_and_diffusers_loads_it(shape, tmp_path):
    pipe = SHAPES[shape]()
    before, store = room.weights_of(pipe), room.store_in(tmp_path)
    _, result = await room.learnt(room.school_of(store, teacher_of(pipe)), await lora_in(store))
    assert result.final_loss < result.initial_loss
    assert all(torch.equal(value, before[name]) for name, value in room.weights_of(pipe).items())
    assert not any(layer._forward_hooks for layer in pipe.unet.modules())
    assert await room.keys_in(store) == ["styles/abc/pytorch_lora_weights.safetensors", "styles/abc/style.json"]
    learned = result.learned_style
    assert (learned.token, learned.uri) == ("Gothic", store.uri("styles/abc/pytorch_lora_weights.safetensors"))
    record = json.loads(await store.get("styles/abc/style.json"))
    assert (record["method"], record["settings"]["rank"]) == ("lora", 2)
    data = await store.get(store.key(learned.uri))
    plain = pipe(
        "a picture", generator=torch.Generator().manual_seed(1), num_inference_steps=2, output_type="np"
    ).images
    pipe.load_lora_weights(str(tmp_path / "store" / room.OUTPUT), weight_name="pytorch_lora_weights.safetensors")
    loaded = pipe(
        "a picture", generator=torch.Generator().manual_seed(1), num_inference_steps=2, output_type="np"
    ).images
    assert abs(loaded - plain).max() > 0
    assert set(pipe.unet.peft_config) == {"default_0"}
    assert len(read_low_rank(data).down) == sum(name.endswith("lora_A") for name, _ in pipe.unet.named_modules())


async def test_a_style_learnt_by_lora_is_returned_without_work_and_is_another_than_the_embedding(tmp_path):
    store = room.store_in(tmp_path)
    school = room.school_of(store, teacher_of(tiny.sd()))
    _, first = await room.learnt(school, await lora_in(store))
    progress, again = await room.learnt(school, await lora_in(store))
    assert (progress, again.learned_style) == ([], first.learned_style)
    _, embedding = await room.learnt(school, await room.task_in(store, output="styles/other"))
    assert embedding.learned_style.token == "<gothic>"


async def test_a_resumed_lora_ends_as_an_uninterrupted_one(tmp_path):
    teacher = teacher_of(tiny.sd())
    ends = []
    for stops in (False, True):
        store = room.store_in(tmp_path / str(stops))
        task = await lora_in(store)
        pictures = tuple(
            [room.square(await store.get(store.key(file.uri)), teacher.picture_size) for file in task.references]
        )
        lesson = teacher.begin(task, pictures, "same", None)
        while not lesson.done:
            progress = lesson.advance()
            if stops and progress.step == 5:
                lesson = teacher.begin(task, pictures, "same", lesson.checkpoint())
        ends.append(load(lesson.finish().files["pytorch_lora_weights.safetensors"]))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-3, atol=1e-5)  # the last bits depend on where arrays lie


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
async def test_half_precision_learns_a_lora_too(dtype, tmp_path):
    store = room.store_in(tmp_path)
    teacher = teacher_of(tiny.sdxl().to(dtype=dtype))
    _, result = await room.learnt(room.school_of(store, teacher), await lora_in(store))
    assert result.final_loss < result.initial_loss


async def test_settings_that_save_memory_change_no_lora(tmp_path):
    tiny.sdxl().save_pretrained(tmp_path / "model")
    losses = []
    for saving in (False, True):
        store = room.store_in(tmp_path / str(saving))
        settings = InversionSettings(
            model=str(tmp_path / "model"),
            device="cpu",
            lora_learning_rate=0.05,
            lora_rank=3,
            gradient_checkpointing=saving,
            attention_slicing=saving,
            vae_tiling=saving,
        )
        _, result = await room.learnt(room.school_of(store, load_teacher(settings)), await lora_in(store, steps=4))
        losses.append((result.initial_loss, result.final_loss))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0][1] < losses[0][0]


@pytest.mark.parametrize("what", ["runs away", "is none from the start"])
async def test_a_lora_whose_loss_is_not_a_number_stores_nothing(what, tmp_path):
    store, pipe = room.store_in(tmp_path), tiny.sd()
    if what != "runs away":
        pipe.unet.conv_out.bias.fill_(float("nan"))
    school = room.school_of(store, teacher_of(pipe, learning_rate=1e37), checkpoint_every=1)
    with pytest.raises(errors.Unsatisfied, match="MOVIELLM_INVERSION_LORA_LEARNING_RATE"):
        await room.learnt(school, await lora_in(store))
    assert await room.keys_in(store) == []


@pytest.mark.parametrize("shape", ["sd", "sdxl"])
async def test_an_ip_adapters_look_is_what_its_encoder_sees_in_the_references(shape, tmp_path):
    pipe = SHAPES[shape]()
    pipe.save_pretrained(tmp_path / "model")
    adapter = tiny.save_ip_adapter(tmp_path / "adapter", pipe)
    teacher = load_teacher(InversionSettings(model=str(tmp_path / "model"), device="cpu", ip_adapter=str(adapter)))
    assert StyleMethod.IP_ADAPTER in teacher.methods
    store = room.store_in(tmp_path)
    task = await room.task_in(store, method=StyleMethod.IP_ADAPTER)
    progress, result = await room.learnt(room.school_of(store, teacher), task)
    assert [(one.step, one.steps) for one in progress] == [(1, 1)]
    assert await room.keys_in(store) == ["styles/abc/image_embeds.safetensors", "styles/abc/style.json"]
    look = read_image_look(await store.get(store.key(result.learned_style.uri)))
    pipe.load_ip_adapter(str(adapter.parent), subfolder="", weight_name=adapter.name)
    files = [Path(store.key(file.uri)) for file in task.references]
    squares = [Image.fromarray(room.square((tmp_path / "store" / file).read_bytes(), 32)) for file in files]
    seen = torch.cat([pipe.encode_image(square, "cpu", 1)[0] for square in squares])
    assert torch.allclose(look.embedding, seen.mean(dim=0), atol=1e-4)


async def test_a_method_that_is_not_configured_is_one_sentence(tmp_path):
    store = room.store_in(tmp_path)
    task = await room.task_in(store, method=StyleMethod.IP_ADAPTER)
    with pytest.raises(
        errors.InvalidInput, match="method: must be one of those configured here: textual_inversion, lora"
    ):
        await room.learnt(room.school_of(store, teacher_of(tiny.sd())), task)
    tiny.sd().save_pretrained(tmp_path / "model")
    with pytest.raises(errors.Unsatisfied, match=r"^MOVIELLM_INVERSION_IP_ADAPTER: x is no \.safetensors file"):
        load_teacher(InversionSettings(model=str(tmp_path / "model"), device="cpu", ip_adapter="x"))
