"""Looks that are no vectors in prompts, few-step sampling, the refiner and savings of memory, on SD and SDXL shapes."""

import json

import numpy as np
import pytest
import torch

from moviellm.errors import Broken, Unsatisfied
from moviellm.pipelines.diffusers_image_prompts import ImageLook, ImagePrompts, write_image_look
from moviellm.pipelines.diffusers_loading import save_memory
from moviellm.pipelines.diffusers_lora import LowRank, LowRankAttention, write_low_rank
from moviellm.pipelines.diffusers_prompts import LearnedVectors
from moviellm.pipelines.image_adapters import adapter_place
from moviellm.rendering.diffusers_assembly import load_painter
from moviellm.rendering.diffusers_painter import DiffusersPainter
from moviellm.rendering.diffusers_refiner import Refiner
from moviellm.rendering.picture import Job, RenderOptions
from moviellm.rendering.settings import RenderingSettings

ROUNDING = 2
PROMPT = "a picture in gothic style"


@pytest.fixture(params=["sd", "sdxl"])
def shape(request):
    return request.param


@pytest.fixture
def pipe(tiny, shape):
    return getattr(tiny, shape)()


def low_rank(pipe, seed, token="gothic", rank=2, size=0.5):
    generator = torch.Generator().manual_seed(seed)
    layers = LowRankAttention(pipe.unet).layers
    down = {name: size * torch.randn(rank, one.in_features, generator=generator) for name, one in layers.items()}
    up = {name: size * torch.randn(one.out_features, rank, generator=generator) for name, one in layers.items()}
    return LowRank(token, down, up)


def painted(painter, *jobs):
    results = painter.paint(jobs)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return [result.pixels.astype(int) for result in results]


def job(painter, *learned, seed=7, prompt=PROMPT, **options):
    return Job(prompt, seed, painter.recipe(RenderOptions(**({"steps": 2} | options))), learned)


def differ(left, right):
    return np.abs(left - right).max()


def image_painter(tmp_path, tiny, pipe, scale=0.6):
    place = adapter_place(str(tiny.save_ip_adapter(tmp_path / "adapter", pipe)))
    return DiffusersPainter(pipe, model="tiny", images=ImagePrompts(pipe, place, scale=scale, setting="S"))


def image_look(seed, token="gothic", dim=12):
    return ImageLook(token, torch.randn(dim, generator=torch.Generator().manual_seed(seed)))


# ---- LoRA ----


def test_a_lora_does_what_diffusers_does_with_its_file(tmp_path, pipe):
    painter = DiffusersPainter(pipe, model="tiny")
    look = low_rank(pipe, 1)
    plain, changed = painted(painter, job(painter), job(painter, look))
    (tmp_path / "lora.safetensors").write_bytes(write_low_rank(look))
    pipe.load_lora_weights(str(tmp_path), weight_name="lora.safetensors")
    own = pipe(PROMPT, generator=torch.Generator().manual_seed(7), num_inference_steps=2, output_type="np").images[0]
    assert differ(changed, own * 255) <= ROUNDING
    assert differ(plain, changed) > 10


def test_loras_of_any_rank_vectors_and_nothing_mix_in_one_batch(tiny, pipe):
    painter = DiffusersPainter(pipe, model="tiny")
    one, two = low_rank(pipe, 1), low_rank(pipe, 2, rank=4)
    face = LearnedVectors("<clara>", tuple(torch.ones(1, size) for size in painter._encoder.dims))
    learned = [(one,), (), (two,), (face,), (face, one)]
    jobs = [job(painter, *looks, prompt=f"{PROMPT} <clara>") for looks in learned]
    mixed = painted(painter, *jobs)
    for alone, picture in zip(jobs, mixed, strict=True):
        assert differ(painted(painter, alone)[0], picture) <= ROUNDING
    for left, right in ((0, 1), (0, 2), (1, 3), (0, 4), (3, 4)):
        assert differ(mixed[left], mixed[right]) > 0, (left, right)
    assert not any(layer._forward_hooks for layer in painter._low_rank.layers.values()), "nothing stays behind"


def test_a_lora_comes_from_its_file_and_must_fit_the_model(tiny, pipe, shape):
    painter = DiffusersPainter(pipe, model="tiny")
    look = painter.read_style([write_low_rank(low_rank(pipe, 1))])
    assert isinstance(look, LowRank)
    assert look.token == "gothic"
    foreign = low_rank(tiny.sdxl() if shape == "sd" else tiny.sd(), 1)
    with pytest.raises(Unsatisfied, match="learn the style with this model"):
        painter.read_style([write_low_rank(foreign)])
    name = next(iter(look.up))
    poisoned = LowRank("gothic", look.down, look.up | {name: look.up[name] * float("nan")})
    for bad in (write_low_rank(poisoned), write_low_rank(LowRank("", look.down, look.up)), b"nonsense", b""):
        with pytest.raises(Broken, match="is damaged"):
            painter.read_style([bad])


# ---- IP-Adapter ----


def test_an_ip_adapter_does_what_diffusers_does_with_its_embedding(tmp_path, tiny, pipe):
    painter = image_painter(tmp_path, tiny, pipe)
    look = image_look(1)
    picture = painted(painter, job(painter, look))[0]
    embeds = torch.stack([torch.zeros(12), look.embedding])[:, None]
    pipe.set_ip_adapter_scale(0.6)
    own = pipe(
        PROMPT,
        generator=torch.Generator().manual_seed(7),
        num_inference_steps=2,
        output_type="np",
        ip_adapter_image_embeds=[embeds],
    ).images[0]
    assert differ(picture, own * 255) <= ROUNDING


@pytest.mark.parametrize("guidance_scale", [1.0, 5.0])
def test_pictures_to_look_at_mix_with_none_in_one_batch(tmp_path, tiny, shape, pipe, guidance_scale):
    untouched = DiffusersPainter(getattr(tiny, shape)(), model="tiny")
    painter = image_painter(tmp_path, tiny, pipe)
    learned = [(image_look(1),), (), (image_look(2),), (low_rank(pipe, 1),)]
    jobs = [job(painter, *looks, guidance_scale=guidance_scale) for looks in learned]
    mixed = painted(painter, *jobs)
    for alone, picture in zip(jobs, mixed, strict=True):
        assert differ(painted(painter, alone)[0], picture) <= ROUNDING
    assert differ(mixed[1], painted(untouched, jobs[1])[0]) <= ROUNDING, "without a look it is as without the adapter"
    assert min(differ(mixed[0], mixed[1]), differ(mixed[0], mixed[2])) > 0


def test_a_look_of_pictures_must_fit_the_adapter(tmp_path, tiny, pipe):
    data = write_image_look(image_look(1))
    with pytest.raises(Unsatisfied, match="set MOVIELLM_RENDERING_IP_ADAPTER"):
        DiffusersPainter(pipe, model="tiny").read_style([data])
    painter = image_painter(tmp_path, tiny, pipe)
    assert torch.equal(painter.read_style([data]).embedding, image_look(1).embedding)
    with pytest.raises(Unsatisfied, match="the same adapter in inversion and rendering"):
        painter.read_style([write_image_look(image_look(1, dim=5))])
    with pytest.raises(Broken, match="no finite embedding"):
        painter.read_style([write_image_look(ImageLook("gothic", torch.full((12,), float("nan"))))])


def test_an_adapter_of_another_kind_or_model_is_refused(tmp_path, tiny):
    place = adapter_place(str(tiny.save_ip_adapter(tmp_path, tiny.sd())))
    with pytest.raises(Unsatisfied, match=r"^S: .* does not fit the model"):
        ImagePrompts(tiny.sdxl(), place, scale=0.6, setting="S")
    for path, says in ((tmp_path / "none.safetensors", "is no .safetensors file"), (tmp_path, "is no .safetensors")):
        with pytest.raises(Unsatisfied, match=f"^S: .*{says}"):
            adapter_place(str(path), "S")
    (tmp_path / "image_encoder" / "config.json").write_text("{}")
    with pytest.raises(Unsatisfied, match="holds no CLIPVisionModelWithProjection"):
        adapter_place(str(place.weights))


# ---- few steps ----


@pytest.mark.parametrize("name", ["turbo", "lcm", "lightning"])
def test_a_profile_samples_with_few_steps_and_without_guidance(tiny, pipe, name):
    painter = DiffusersPainter(pipe, model="tiny", profiles={name: ""})
    recipe = painter.recipe(RenderOptions(profile=name))
    assert (recipe.steps, recipe.guidance_scale, recipe.profile) == (4, 1.0, name)
    jobs = [job(painter, steps=0, profile=name, seed=seed) for seed in (1, 2)]
    own = job(painter, seed=1, steps=4, guidance_scale=1.0)
    pictures = painted(painter, *jobs, own)
    assert differ(pictures[0], pictures[2]) > 0, "another scheduler"
    assert differ(painted(painter, jobs[1])[0], pictures[1]) <= ROUNDING, (
        "noise between steps has the picture's seed too"
    )
    assert differ(painted(painter, own)[0], pictures[2]) <= ROUNDING


def test_a_profiles_lora_works_for_its_profile_alone_and_beside_a_styles(tmp_path, tiny, shape, pipe):
    file = str(tiny.save_lora(tmp_path / "lcm.safetensors", pipe))
    bare = DiffusersPainter(getattr(tiny, shape)(), model="tiny", profiles={"lcm": ""})
    painter = DiffusersPainter(pipe, model="tiny", profiles={"lcm": file})
    style = low_rank(tiny.sd() if shape == "sd" else tiny.sdxl(), 1)
    for learned in ((), (style,)):
        plain, fast = job(painter, *learned), job(painter, *learned, profile="lcm")
        for one in (plain, fast, plain):
            same = differ(painted(painter, one)[0], painted(bare, one)[0])
            assert same > 5 if one is fast else same <= ROUNDING


def test_the_default_profile_is_for_requests_that_name_none(tiny):
    painter = DiffusersPainter(tiny.sd(), model="tiny", profiles={"turbo": "", "lcm": ""}, profile="turbo")
    assert painter.recipe(RenderOptions()).profile == "turbo"
    assert painter.recipe(RenderOptions(profile="lcm", steps=7)).steps == 7
    said = painter.renderer
    assert (said.own.name, said.own.steps, [one.name for one in said.profiles]) == ("turbo", 4, ["turbo", "lcm"])


# ---- refiner ----


def test_the_refiner_takes_the_last_steps_as_diffusers_does(tiny):
    base, second = tiny.sdxl(), tiny.refiner()
    painter = DiffusersPainter(base, model="tiny", refiner=Refiner(second, base, setting="S"))
    whole = job(painter, steps=8, negative_prompt="dark")
    shared = job(painter, steps=8, negative_prompt="dark", refiner_share=0.25)
    plain, refined, other = painted(painter, whole, shared, job(painter, steps=8, refiner_share=0.25, seed=8))
    words = {"prompt": PROMPT, "negative_prompt": "dark", "num_inference_steps": 8}
    latents = base(**words, generator=torch.Generator().manual_seed(7), denoising_end=0.75, output_type="latent").images
    own = second(**words, guidance_scale=5.0, image=latents, denoising_start=0.75, output_type="np",
                 original_size=(32, 32), target_size=(32, 32)).images[0]  # fmt: skip
    assert differ(refined, own * 255) <= ROUNDING
    assert min(differ(plain, refined), differ(refined, other)) > 5


def test_a_learnt_token_means_the_style_to_the_refiner_too(tiny):
    base = tiny.sdxl()
    painter = DiffusersPainter(base, model="tiny", refiner=Refiner(tiny.refiner(), base, setting="S"))
    first = torch.randn(1, 16)
    looks = [LearnedVectors("gothic", (first, torch.full((1, 24), size))) for size in (-9.0, 9.0)]
    encoded = [
        painter._refiner._encoder.encode([PROMPT], [painter._refiner._looks(job(painter, one))]) for one in looks
    ]
    assert not torch.equal(encoded[0].prompt_embeds, encoded[1].prompt_embeds)


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_a_share_too_small_or_large_for_the_steps_leaves_a_picture(tiny, share):
    base = tiny.sdxl()
    painter = DiffusersPainter(base, model="tiny", refiner=Refiner(tiny.refiner(), base, setting="S"))
    assert painted(painter, job(painter, steps=3, refiner_share=share))[0].shape == (32, 32, 3)


def test_only_sdxl_has_a_refiner(tiny):
    with pytest.raises(Unsatisfied, match=r"^S: is a StableDiffusionXLImg2ImgPipeline for a StableDiffusionPipeline"):
        Refiner(tiny.refiner(), tiny.sd(), setting="S")


# ---- the whole, from settings ----


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_everything_set_at_once_paints(tmp_path, tiny, shape, pipe, dtype):
    pipe.save_pretrained(tmp_path / "model")
    tiny.refiner().save_pretrained(tmp_path / "refiner")
    settings = RenderingSettings(
        model=str(tmp_path / "model"),
        dtype=dtype,
        refiner=str(tmp_path / "refiner") if shape == "sdxl" else "",
        ip_adapter=str(tiny.save_ip_adapter(tmp_path / "adapter", pipe)),
        profiles={"lcm": str(tiny.save_lora(tmp_path / "lcm.safetensors", pipe, size=0.1)), "turbo": ""},
        vae_slicing=True,
        vae_tiling=True,
        max_batch_size=2,
    )
    painter = load_painter(settings)
    share = 0.5 if shape == "sdxl" else 0.0
    looks = [low_rank(pipe, 1, size=0.1).to(painter._low_rank.like), image_look(1)]
    jobs = [job(painter, look, profile=name, steps=4, refiner_share=share) for look in looks for name in ("", "lcm")]
    for picture in painted(painter, *jobs):
        assert picture.shape == (32, 32, 3)
        assert picture.std() > 0
    assert painter.renderer.ip_adapter
    assert painter.renderer.refiner is (shape == "sdxl")


@pytest.mark.parametrize("saving", ["attention_slicing", "vae_slicing", "vae_tiling"])
def test_saving_memory_paints_the_same(tiny, shape, pipe, saving):
    plain = DiffusersPainter(getattr(tiny, shape)(), model="tiny")
    save_memory(pipe, **{saving: True})
    sparing = DiffusersPainter(pipe, model="tiny")
    jobs = [job(plain, low_rank(pipe, 1), seed=seed) for seed in (1, 2)]
    for one, two in zip(painted(plain, *jobs), painted(sparing, *jobs), strict=True):
        assert differ(one, two) <= ROUNDING


def test_settings_that_cannot_work_say_which(tmp_path, tiny):
    tiny.sd().save_pretrained(tmp_path / "sd")
    tiny.refiner().save_pretrained(tmp_path / "refiner")
    (tmp_path / "other.safetensors").write_bytes(b"nonsense")
    cases = (
        (
            {"model": str(tmp_path / "refiner")},
            "MOVIELLM_RENDERING_MODEL: .* is a StableDiffusionXLImg2ImgPipeline; the",
        ),
        ({"refiner": str(tmp_path / "sd")}, "MOVIELLM_RENDERING_REFINER: .* is a StableDiffusionPipeline; the"),
        ({"refiner": str(tmp_path / "refiner")}, "MOVIELLM_RENDERING_REFINER: .* for a StableDiffusionPipeline"),
        ({"profiles": {"lcm": str(tmp_path / "other.safetensors")}}, "MOVIELLM_RENDERING_PROFILES: lcm: .* not fit"),
    )
    for settings, says in cases:
        with pytest.raises(Unsatisfied, match=f"^{says}"):
            load_painter(RenderingSettings(**({"model": str(tmp_path / "sd")} | settings)))
    with pytest.raises(ValueError, match="attention in slices cannot look at pictures"):
        RenderingSettings(attention_slicing=True, ip_adapter="x")
    assert RenderingSettings(profiles=json.loads('{"turbo": ""}'), profile="turbo").profiles == {"turbo": ""}
