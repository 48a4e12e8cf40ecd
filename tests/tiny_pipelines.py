"""Stable-Diffusion-shaped pipelines of a few thousand random weights, for tests that need a real pipeline."""

import string

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

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


def refiner(seed=3):
    """SDXL's refiner: an img2img pipeline with the second text encoder alone."""
    torch.manual_seed(seed)
    words = tokenizer(pad_token="!")
    pipe = StableDiffusionXLImg2ImgPipeline(
        vae=vae(),
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=CLIPTextModelWithProjection(text_config(words, dim=24)),
        tokenizer_2=words,
        unet=unet(
            24,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=24 + 5 * 8,
        ),
        scheduler=epsilon_scheduler(),
        requires_aesthetics_score=True,
        add_watermarker=False,
    )
    return _frozen(pipe)


def save_ip_adapter(folder, pipe, *, seed=4, dim=12):
    """An IP-Adapter for the pipeline's U-Net, with its image encoder beside it; returns the path of the weights."""
    torch.manual_seed(seed)
    width = pipe.unet.config.cross_attention_dim
    weights = {
        "image_proj.proj.weight": torch.randn(4 * width, dim),
        "image_proj.proj.bias": torch.randn(4 * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    hidden = (name for name in pipe.unet.attn_processors if name.endswith("attn2.processor"))
    for number, name in enumerate(hidden):
        to_k = pipe.unet.get_submodule(name.removesuffix(".processor")).to_k
        for kind in ("to_k_ip", "to_v_ip"):
            weights[f"ip_adapter.{2 * number + 1}.{kind}.weight"] = torch.randn(to_k.out_features, width)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "ip-adapter.safetensors")
    config = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
        projection_dim=dim,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(folder / "image_encoder")
    return folder / "ip-adapter.safetensors"


def save_lora(path, pipe, *, seed=5, size=0.3):
    """A LoRA of the U-Net's attention as a file that diffusers loads."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, layer in pipe.unet.named_modules():
        if isinstance(layer, torch.nn.Linear) and name.endswith(("to_q", "to_k", "to_v", "to_out.0")):
            tensors[f"unet.{name}.lora_A.weight"] = size * torch.randn(2, layer.in_features, generator=generator)
            tensors[f"unet.{name}.lora_B.weight"] = size * torch.randn(layer.out_features, 2, generator=generator)
    save_file(tensors, path)
    return path
