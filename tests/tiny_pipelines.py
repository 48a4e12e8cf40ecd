"""Stable-Diffusion-shaped pipelines of a few thousand random weights, for tests that need a real pipeline."""

import string

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

SIZE = 32
END = "<|endoftext|>"
WORDS = ("a", "picture", "image", "in", "style", "the", "gothic", "library", "people", "dark", "gloomy")


def tokenizer(pad_token=END):
    """A tokenizer of letters and a few whole words."""
    symbols = [letter + end for letter in string.printable.strip() for end in ("", "</w>")]
    merges = []
    vocabulary = dict.fromkeys(symbols)
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            if pair not in merges:
                merges.append(pair)
            parts[:2] = ["".join(pair)]
            vocabulary[parts[0]] = None
    vocabulary |= dict.fromkeys(["<|startoftext|>", END])
    ids = {token: number for number, token in enumerate(vocabulary)}
    return CLIPTokenizer(vocab=ids, merges=merges, model_max_length=77, pad_token=pad_token)


def text_config(vocabulary, *, dim, eos_token_id=None):
    return CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=dim,
        intermediate_size=2 * dim,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=dim,
        bos_token_id=vocabulary.bos_token_id,
        eos_token_id=vocabulary.eos_token_id if eos_token_id is None else eos_token_id,
        pad_token_id=vocabulary.pad_token_id,
    )


def vae():
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        sample_size=SIZE,
    )


def unet(cross_attention_dim, **options):
    return UNet2DConditionModel(
        sample_size=SIZE // 4,
        in_channels=4,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=cross_attention_dim,
        attention_head_dim=2,
        norm_num_groups=4,
        **options,
    )


def zero_snr_scheduler():
    """The pocket model's: v-prediction, zero terminal SNR, trailing steps."""
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def epsilon_scheduler():
    """Stable Diffusion 1.5's and SDXL's: ε-prediction."""
    return DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1
    )


def sd(seed=0, *, scheduler=None, pocket=False):
    """A StableDiffusionPipeline; `pocket` gives the U-Net the pooled prompt, as the pocket model has it."""
    torch.manual_seed(seed)
    words = tokenizer()
    extra = {"addition_embed_type": "text", "addition_embed_type_num_heads": 2} if pocket else {}
    pipe = StableDiffusionPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(text_config(words, dim=16)),
        tokenizer=words,
        unet=unet(16, **extra),
        scheduler=scheduler or (zero_snr_scheduler() if pocket else epsilon_scheduler()),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _frozen(pipe)


def sdxl(seed=0, *, legacy_eos=False, scheduler=None):
    """A StableDiffusionXLPipeline with two text encoders; `legacy_eos` as in the published SDXL configuration."""
    torch.manual_seed(seed)
    first, second = tokenizer(), tokenizer(pad_token="!")
    pipe = StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(text_config(first, dim=16)),
        tokenizer=first,
        text_encoder_2=CLIPTextModelWithProjection(text_config(second, dim=24, eos_token_id=2 if legacy_eos else None)),
        tokenizer_2=second,
        unet=unet(
            40,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=24 + 6 * 8,
        ),
        scheduler=scheduler or epsilon_scheduler(),
        add_watermarker=False,
    )
    return _frozen(pipe)


def _frozen(pipe):
    pipe.set_progress_bar_config(disable=True)
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False).eval()
    return pipe
