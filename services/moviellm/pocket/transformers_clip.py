"""A small CLIP that has seen the same pictures: it scores how well a picture fits its caption, and picks the best of k.

Contrastive training as in Radford et al. 2021 on drawn pictures. The text side is larger than the picture side needs,
because captions differ in single words.
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig

from moviellm.pocket import SIZE
from moviellm.pocket.captions import taught_words
from moviellm.pocket.diffusers_pipeline import TEXT_LENGTH, build_tokenizer
from moviellm.pocket.wordpieces import learn_pieces

Say = Callable[[str], None]

_WIDTH = 128
_KEPT = 250
"""Pictures kept out of training, to ask about."""


def build_clip(tokenizer: CLIPTokenizer) -> CLIPModel:
    """About two million parameters; patches of 16 pixels."""
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=4 * _WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=TEXT_LENGTH,
        projection_dim=_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    vision = CLIPVisionConfig(
        hidden_size=_WIDTH,
        intermediate_size=4 * _WIDTH,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=SIZE,
        patch_size=16,
        projection_dim=_WIDTH,
    )
    return CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=_WIDTH))


def train_clip(folder: Path, target: Path, say: Say, *, seconds: float = 300.0, batch: int = 48) -> None:
    """Learn for that many processor seconds and write a CLIPModel directory in half precision."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer, random = build_tokenizer(), np.random.default_rng(0)
    model = build_clip(tokenizer)
    _borrow_reading(model, folder)
    pictures, tokens = np.load(folder / "pictures.npy", mmap_mode="r"), np.load(folder / "tokens.npy", mmap_mode="r")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    started, steps = time.process_time(), 0
    while (share := (time.process_time() - started) / seconds) < 1:
        rows = random.integers(0, len(pictures) - _KEPT, batch)
        told = np.asarray(tokens[rows, random.integers(0, tokens.shape[1], batch)]).astype(np.int64)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1.0, (steps + 1) / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        loss = model(input_ids=torch.from_numpy(told), pixel_values=pixels(pictures[rows]), return_loss=True).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
        if steps % 100 == 0:
            say(f"clip: {steps} steps, {100 * share:.0f} %, loss {loss.item():.3f}")
    say(f"clip: finds {first_found(model, folder):.2f} of the captions among {_KEPT}")
    _save(model, tokenizer, target)


def _borrow_reading(model: CLIPModel, folder: Path) -> None:
    """Start from the text encoder that has learnt to read already, if it is there."""
    if not (folder / "artist.pt").exists():
        return
    mean = torch.load(folder / "artist.pt", map_location="cpu", weights_only=True)["mean"]
    prefix = "text_encoder."
    own = {name.removeprefix(prefix): value for name, value in mean.items() if name.startswith(prefix)}
    own = {name.removeprefix("text_model."): value for name, value in own.items()}
    model.text_model.load_state_dict(own)


def pixels(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, 128, 128, 3) to what the model expects, (N, 3, 128, 128), −1 to 1."""
    return torch.from_numpy(np.asarray(pictures).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


@torch.no_grad()
def first_found(model: CLIPModel, folder: Path) -> float:
    """Recall at one among pictures kept out of training."""
    pictures, tokens = np.load(folder / "pictures.npy", mmap_mode="r"), np.load(folder / "tokens.npy", mmap_mode="r")
    ids = torch.from_numpy(np.asarray(tokens[len(pictures) - _KEPT : len(pictures), 0]).astype(np.int64))
    scores = model(input_ids=ids, pixel_values=pixels(pictures[-_KEPT:])).logits_per_image
    return float((scores.argmax(dim=1) == torch.arange(_KEPT)).float().mean())


def _save(model: CLIPModel, tokenizer: CLIPTokenizer, target: Path) -> None:
    model.half().save_pretrained(target)
    tokenizer.save_pretrained(target)
    vocabulary, merges = learn_pieces(taught_words())
    (target / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
    (target / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]) + "\n")
    settings = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": SIZE},
        "do_center_crop": True,
        "crop_size": {"height": SIZE, "width": SIZE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (target / "preprocessor_config.json").write_text(json.dumps(settings, indent=2) + "\n")
