"""Splicing equals what diffusers does by changing tokenizer and encoder, and batches mix styles."""

import pytest
import tiny_pipelines as tiny
import torch

from moviellm import errors
from moviellm.pipelines.diffusers_prompts import LearnedVectors, PromptEncoder, read_learned, write_learned

torch.set_num_threads(1)

TOKEN = "<gothic>"
PROMPTS = [
    f"generate an image in {TOKEN} style: people walking in the library",
    f"{TOKEN}",
    f"a picture, in{TOKEN}-style, of {TOKEN} people",
    "no style at all",
    f"the library {'dark ' * 90} {TOKEN}",
]
PIPELINES = {"sd": tiny.sd, "pocket": lambda: tiny.sd(pocket=True), "sdxl": tiny.sdxl}


def style(pipe, token=TOKEN, vectors=1, seed=1):
    generator = torch.Generator().manual_seed(seed)
    dims = PromptEncoder(pipe).dims
    return LearnedVectors(token, tuple(torch.randn(vectors, dim, generator=generator) for dim in dims))


@torch.no_grad()
def encode(pipe, prompts, styles):
    return PromptEncoder(pipe).encode(prompts, styles)


@torch.no_grad()
def by_diffusers(pipe, prompts):
    """Prompt embeddings, and pooled ones of SDXL, of the pipeline itself."""
    if hasattr(pipe, "text_encoder_2"):
        embeds, _, pooled, _ = pipe.encode_prompt(prompts, device="cpu", do_classifier_free_guidance=False)
        return embeds, pooled
    return pipe.encode_prompt(prompts, "cpu", 1, False)[0], None


def load(pipe, learned, folder):
    for name, data in write_learned(learned).items():
        (folder / name).write_bytes(data)
    pipe.load_textual_inversion(str(folder), weight_name="learned_embeds.safetensors")
    if hasattr(pipe, "text_encoder_2"):
        pipe.load_textual_inversion(
            str(folder),
            weight_name="learned_embeds_2.safetensors",
            text_encoder=pipe.text_encoder_2,
            tokenizer=pipe.tokenizer_2,
        )


@pytest.mark.parametrize("vectors", [1, 3])
@pytest.mark.parametrize("kind", PIPELINES)
def test_splicing_equals_load_textual_inversion(kind, vectors, tmp_path):
    pipe = PIPELINES[kind]()
    learned = style(pipe, vectors=vectors)
    mine = encode(pipe, PROMPTS, [learned] * len(PROMPTS))
    unstyled = encode(pipe, PROMPTS, [None] * len(PROMPTS))
    load(pipe, learned, tmp_path)
    theirs, pooled = by_diffusers(pipe, PROMPTS)
    torch.testing.assert_close(mine.prompt_embeds, theirs, atol=2e-6, rtol=0)
    if pooled is not None:
        torch.testing.assert_close(mine.pooled, pooled, atol=2e-6, rtol=0)
    assert (mine.prompt_embeds[0] - unstyled.prompt_embeds[0]).abs().max() > 0.01
    assert mine.truncated == (4,)


@pytest.mark.parametrize("kind", PIPELINES)
def test_a_batch_mixes_the_styles_of_several_movies(kind):
    pipe = PIPELINES[kind]()
    one, other = style(pipe, seed=1, vectors=2), style(pipe, seed=2)
    third = style(pipe, token="<noir-style>", seed=3)
    prompts = [PROMPTS[0], PROMPTS[0], "a <noir-style> picture", PROMPTS[0], PROMPTS[2]]
    styles = [one, other, third, None, one]
    together = encode(pipe, prompts, styles)
    for i, (prompt, its_style) in enumerate(zip(prompts, styles, strict=True)):
        alone = encode(pipe, [prompt], [its_style])
        torch.testing.assert_close(together.prompt_embeds[i], alone.prompt_embeds[0], atol=2e-6, rtol=0)
        if together.pooled is not None:
            torch.testing.assert_close(together.pooled[i], alone.pooled[0], atol=2e-6, rtol=0)
    assert (together.prompt_embeds[0] - together.prompt_embeds[1]).abs().max() > 0.01


@pytest.mark.parametrize("kind", PIPELINES)
def test_a_prompt_holds_a_style_and_characters(kind, tmp_path):
    pipe = PIPELINES[kind]()
    noir, clara, clarabel = (
        style(pipe, token=token, seed=seed, vectors=vectors)
        for token, seed, vectors in (("<noir>", 1, 2), ("<clara", 2, 1), ("<clara>bel", 3, 3))
    )
    prompts = [
        "an image in <noir> style: <clara and <clara>bel in the library, <noir>",
        "<clara>bel<noir>",
        "a <clara picture",
        "nobody in the library",
        "<clara in <noir> style",
    ]
    learned = [(noir, clara, clarabel), [clarabel, noir], clara, None, (clara, noir)]
    together = encode(pipe, prompts, learned)
    for i, (prompt, its_own) in enumerate(zip(prompts, learned, strict=True)):
        alone = encode(pipe, [prompt], [its_own])
        torch.testing.assert_close(together.prompt_embeds[i], alone.prompt_embeds[0], atol=2e-6, rtol=0)
    swapped = encode(pipe, prompts[4:], [(noir, style(pipe, token="<clara", seed=9))])
    assert (swapped.prompt_embeds[0] - together.prompt_embeds[4]).abs().max() > 0.01
    for number, one in enumerate((noir, clara, clarabel)):
        folder = tmp_path / str(number)
        folder.mkdir()
        load(pipe, one, folder)
    theirs, pooled = by_diffusers(pipe, prompts)
    torch.testing.assert_close(together.prompt_embeds, theirs, atol=2e-6, rtol=0)
    if pooled is not None:
        torch.testing.assert_close(together.pooled, pooled, atol=2e-6, rtol=0)


@pytest.mark.parametrize("kind", PIPELINES)
def test_nothing_of_the_pipeline_changes(kind):
    pipe = PIPELINES[kind]()
    before = {name: value.clone() for name, value in pipe.text_encoder.state_dict().items()}
    words = len(pipe.tokenizer)
    encode(pipe, PROMPTS, [style(pipe)] * len(PROMPTS))
    assert len(pipe.tokenizer) == words
    assert all(torch.equal(value, before[name]) for name, value in pipe.text_encoder.state_dict().items())


def test_only_the_vectors_get_a_gradient():
    pipe = tiny.sdxl()
    learned = style(pipe)
    for vectors in learned.vectors:
        vectors.requires_grad_()
    encoded = PromptEncoder(pipe).encode(PROMPTS, [learned] * len(PROMPTS))
    (encoded.prompt_embeds.square().sum() + encoded.pooled.square().sum()).backward()
    assert all(vectors.grad.abs().sum() > 0 for vectors in learned.vectors)
    assert all(weight.grad is None for weight in pipe.text_encoder_2.parameters())


def test_encoders_that_pool_at_the_highest_id_still_pool_at_the_end():
    """The published SDXL configuration would otherwise pool at the style's token and lose the rest of the prompt."""
    modern, legacy = tiny.sdxl(), tiny.sdxl(legacy_eos=True)
    learned = style(modern)
    expected = encode(modern, PROMPTS, [learned] * len(PROMPTS))
    got = encode(legacy, PROMPTS, [learned] * len(PROMPTS))
    torch.testing.assert_close(got.pooled, expected.pooled, atol=2e-6, rtol=0)
    torch.testing.assert_close(got.prompt_embeds, expected.prompt_embeds, atol=2e-6, rtol=0)


def test_negative_prompts_are_the_pipelines_own():
    for pipe in (tiny.sd(), tiny.sdxl()):
        with torch.no_grad():
            mine = PromptEncoder(pipe).encode_negative([""])
            if hasattr(pipe, "text_encoder_2"):
                _, embeds, _, pooled = pipe.encode_prompt(["a"], device="cpu", do_classifier_free_guidance=True)
                torch.testing.assert_close(mine.pooled, pooled)
            else:
                embeds = pipe.encode_prompt(["a"], "cpu", 1, True)[1]
        torch.testing.assert_close(mine.prompt_embeds, embeds)


def test_files_come_back_as_they_went():
    learned = style(tiny.sdxl(), vectors=2)
    again = read_learned(*write_learned(learned).values())
    assert again.token == TOKEN
    assert all(torch.equal(a, b) for a, b in zip(again.vectors, learned.vectors, strict=True))


def test_a_damaged_file_is_told_by_its_name():
    data = write_learned(style(tiny.sd()))["learned_embeds.safetensors"]
    with pytest.raises(errors.Broken, match=r"learned_embeds\.safetensors is damaged"):
        read_learned(data[:-3])


def test_a_style_of_another_model_is_refused():
    with pytest.raises(errors.Unsatisfied, match="learn the style with this model"):
        encode(tiny.sd(), [TOKEN], [style(tiny.sdxl())])
