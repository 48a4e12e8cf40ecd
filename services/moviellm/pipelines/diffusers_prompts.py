"""Prompts → text-encoder states, with learnt vectors of styles and characters in the place of their tokens' text.

Neither tokenizer nor text encoder is changed: the prompt is split at the tokens' texts, the pieces are tokenised, ids
beyond the vocabulary stand for the vectors, and the encoder runs once with its embedding table W replaced by
[W; vectors]. So one batch can mix the styles of several movies, and the same function trains the vectors, which are
then the only parameters with a gradient. It equals `pipe.load_textual_inversion`.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import safetensors
import safetensors.torch
import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from moviellm.errors import Broken, Unsatisfied
from moviellm.movie import LEARNED_FILES

LEGACY_EOS = 2
"""CLIP configurations with this eos_token_id pool at the highest id of the prompt instead of at the end mark."""


@dataclass(frozen=True, eq=False)
class LearnedVectors:
    """A style's vectors: one tensor (k, dim) for each text encoder, in the place of `token` in prompts."""

    token: str
    vectors: tuple[Tensor, ...]


Learned = LearnedVectors | Sequence[LearnedVectors] | None
"""What the tokens in one prompt stand for: one style, several styles and characters, or nothing."""


@dataclass(frozen=True)
class EncodedPrompts:
    """Text-encoder states of a batch: (n, length, dim), and (n, dim) pooled where the pipeline (SDXL) wants it.

    `truncated` holds the positions of prompts that were longer than the encoder reads; their ends are lost.
    """

    prompt_embeds: Tensor
    pooled: Tensor | None
    truncated: tuple[int, ...] = ()

    def repeated(self, count: int) -> "EncodedPrompts":
        """The states of one prompt, `count` times."""
        pooled = None if self.pooled is None else self.pooled.expand(count, -1)
        return EncodedPrompts(self.prompt_embeds.expand(count, -1, -1), pooled)


class PromptEncoder:
    """Encodes prompts as the pipeline `pipe` does: SD (one text encoder), SDXL (two, and pooled), its refiner (one).

    Gradients flow into the vectors unless the caller turns them off (`torch.no_grad`).
    """

    def __init__(self, pipe: DiffusionPipeline) -> None:
        self._device = pipe.device
        self._encoders = [
            _TextEncoder(getattr(pipe, f"tokenizer{end}"), getattr(pipe, f"text_encoder{end}"))
            for end in ("", "_2")
            if getattr(pipe, f"text_encoder{end}", None) is not None
        ]
        self._pooled = getattr(pipe, "text_encoder_2", None) is not None
        self._zero_empty = self._pooled and bool(pipe.config.force_zeros_for_empty_prompt)

    @property
    def dims(self) -> tuple[int, ...]:
        """Length of one vector for each text encoder."""
        return tuple(int(encoder.table.shape[1]) for encoder in self._encoders)

    def encode(self, prompts: Sequence[str], styles: Sequence[Learned] = ()) -> EncodedPrompts:
        """The states of `prompts`; `styles[i]` is what the tokens that may stand in `prompts[i]` stand for.

        No `styles` means nothing for any prompt; where one token begins another, the longer one is meant. Prompts
        longer than the encoder reads lose their end, as in pipelines, and are told in `truncated`. Raises Unsatisfied
        when a style was learnt for text encoders of other sizes.
        """
        chosen = [_several(learned) for learned in styles] or [()] * len(prompts)
        for style in {id(style): style for learned in chosen for style in learned}.values():
            self._check_shapes(style)
        states: list[Tensor] = []
        pooled: Tensor | None = None
        truncated: set[int] = set()
        for position, encoder in enumerate(self._encoders):
            rows = encoder.rows(prompts, chosen, position)
            output = encoder.run(rows, self._device, output_hidden_states=self._pooled)
            states.append(output.hidden_states[-2] if self._pooled else output[0])
            pooled = output[0] if self._pooled and output[0].ndim == 2 else pooled
            truncated |= set(rows.truncated)
        return EncodedPrompts(torch.cat(states, dim=-1), pooled, tuple(sorted(truncated)))

    def encode_negative(self, negative_prompts: Sequence[str]) -> EncodedPrompts:
        """The states for the unguided half of classifier-free guidance; SDXL takes zeros for an empty prompt."""
        encoded = self.encode(negative_prompts)
        if not self._zero_empty or encoded.pooled is None:
            return encoded
        said = torch.tensor([bool(prompt) for prompt in negative_prompts], device=encoded.prompt_embeds.device)
        return EncodedPrompts(
            encoded.prompt_embeds * said[:, None, None], encoded.pooled * said[:, None], encoded.truncated
        )

    def words(self, text: str) -> tuple[Tensor, ...]:
        """The vocabulary's vectors (n, dim) of the tokens of `text`, for each text encoder; n is 0 for no tokens."""
        return tuple(encoder.table[encoder.ids(text)].detach().clone() for encoder in self._encoders)

    def knows(self, token: str) -> bool:
        """Whether a vocabulary has this very text as one token, so that no style may be called so."""
        return any(token in encoder.tokenizer.get_vocab() for encoder in self._encoders)

    def _check_shapes(self, style: LearnedVectors) -> None:
        dims = tuple(int(vectors.shape[-1]) for vectors in style.vectors)
        if dims != self.dims:
            raise Unsatisfied(
                f"the style {style.token} was learnt for text encoders of {_sizes(dims)} numbers a token, this model's "
                f"have {_sizes(self.dims)}: learn the style with this model"
            )


def read_learned(*files: bytes) -> LearnedVectors:
    """The style in the embedding files (`LEARNED_FILES`), one for each text encoder.

    Each file is a safetensors with one tensor, whose key is the token. Raises Broken for anything else.
    """
    token = ""
    vectors: list[Tensor] = []
    for name, data in zip(LEARNED_FILES, files, strict=False):
        try:
            tensors: dict[str, Tensor] = safetensors.torch.load(data)
        except (safetensors.SafetensorError, ValueError, KeyError) as error:
            raise Broken(f"{name} is damaged: {error}") from error
        if len(tensors) != 1:
            raise Broken(f"{name} is damaged: it holds {len(tensors)} tensors, not one")
        key, tensor = next(iter(tensors.items()))
        if (token and key != token) or not key or tensor.ndim not in (1, 2) or not tensor.isfinite().all():
            raise Broken(f"{name} is damaged: {key!r} is not a finite embedding of one token")
        token = key
        vectors.append(tensor if tensor.ndim == 2 else tensor[None])
    return LearnedVectors(token, tuple(vectors))


def write_learned(style: LearnedVectors) -> dict[str, bytes]:
    """The embedding files of a style by name, as `pipe.load_textual_inversion` and `read_learned` read them."""
    return {
        name: safetensors.torch.save({style.token: vectors.detach().float().cpu().contiguous()})
        for name, vectors in zip(LEARNED_FILES, style.vectors, strict=False)
    }


@dataclass(frozen=True)
class _Rows:
    """Token ids (n, length), and the vectors that the ids beyond the vocabulary stand for."""

    ids: Tensor
    extra: tuple[Tensor, ...]
    truncated: tuple[int, ...]


class _TextEncoder:
    """One tokenizer with its text encoder."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self.tokenizer = tokenizer
        self.model = model
        self.table: Tensor = model.get_input_embeddings().weight
        self._table_name = next(name for name, value in model.named_parameters() if value is self.table)
        self._length = min(int(tokenizer.model_max_length), int(model.config.max_position_embeddings))

    def ids(self, text: str) -> list[int]:
        """The vocabulary's ids of a text, without begin and end marks."""
        found: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids if text else []
        return found

    def rows(self, prompts: Sequence[str], learned: Sequence[Sequence[LearnedVectors]], position: int) -> _Rows:
        """The padded ids of a batch; `position` is that of this encoder in the pipeline."""
        first_id: dict[int, int] = {}
        extra: list[Tensor] = []
        next_id = self.table.shape[0]
        for style in itertools.chain.from_iterable(learned):
            if id(style) not in first_id:
                first_id[id(style)] = next_id
                extra.append(style.vectors[position])
                next_id += style.vectors[position].shape[0]
        room = self._length - 2
        bodies = []
        for prompt, styles in zip(prompts, learned, strict=True):
            ids = {one.token: range(first_id[id(one)], first_id[id(one)] + _count(one, position)) for one in styles}
            bodies.append(list(self._body(prompt, ids)))
        padded = [self._padded(body[:room]) for body in bodies]
        truncated = tuple(i for i, body in enumerate(bodies) if len(body) > room)
        return _Rows(torch.tensor(padded), tuple(extra), truncated)

    def run(self, rows: _Rows, device: torch.device, *, output_hidden_states: bool) -> Any:
        """The encoder's output for a batch, its embedding table extended by the batch's style vectors."""
        extra = [vectors.to(self.table) for vectors in rows.extra]
        ids = rows.ids.to(device)
        if extra and self.model.config.eos_token_id == LEGACY_EOS:
            # These encoders pool at the highest id, which must stay the end mark's: give it a copy above the vectors.
            end = self.tokenizer.eos_token_id
            extra.append(self.table[end : end + 1])
            ids = ids.masked_fill(ids == end, self.table.shape[0] + sum(len(vectors) for vectors in extra) - 1)
        replaced = {self._table_name: torch.cat([self.table, *extra])} if extra else {}
        mask = None
        if not output_hidden_states and getattr(self.model.config, "use_attention_mask", False):
            mask = _attention_mask(rows.ids, self.tokenizer).to(device)
        return torch.func.functional_call(
            self.model, replaced, (ids,), {"attention_mask": mask, "output_hidden_states": output_hidden_states}
        )

    def _body(self, prompt: str, ids: Mapping[str, Sequence[int]]) -> Iterator[int]:
        """The ids of a prompt without marks; `ids` has those of each token's vectors."""
        longest_first = sorted(ids, key=len, reverse=True)
        pieces = re.split(f"({'|'.join(map(re.escape, longest_first))})", prompt) if ids else [prompt]
        for number, piece in enumerate(pieces):
            yield from ids[piece] if number % 2 else self.ids(piece)

    def _padded(self, body: list[int]) -> list[int]:
        marked = [self.tokenizer.bos_token_id, *body, self.tokenizer.eos_token_id]
        return marked + [self.tokenizer.pad_token_id] * (self._length - len(marked))


def _attention_mask(ids: Tensor, tokenizer: Any) -> Tensor:
    """1 up to and including the first end mark, 0 on the padding."""
    ends = (ids == tokenizer.eos_token_id).int()
    seen_before: Tensor = ends.cumsum(dim=1) - ends
    return (seen_before == 0).long()


def _count(style: LearnedVectors, position: int) -> int:
    return int(style.vectors[position].shape[0])


def _several(learned: Learned) -> Sequence[LearnedVectors]:
    if learned is None:
        return ()
    return (learned,) if isinstance(learned, LearnedVectors) else learned


def _sizes(dims: Sequence[int]) -> str:
    return " and ".join(map(str, dims)) or "no"
