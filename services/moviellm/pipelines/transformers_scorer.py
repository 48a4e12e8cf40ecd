"""A CLIP that looks at pictures and reads texts: CLIP-Score, embeddings and features of its vision tower."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import structlog
import torch
import transformers
from torch import Tensor

from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_loading import Device, resolve_device
from moviellm.pipelines.pillow_clip_input import ClipInput
from moviellm.pipelines.places import POCKET
from moviellm.pipelines.scorers import check_whole, scorer_folder
from moviellm.pipelines.torch_measures import Pixels, clip_scores
from moviellm.pipelines.torch_survey import Seen, Survey

LAYERS = 4
"""Layers of the vision tower whose features are given, evenly spaced, the last one among them."""

TEXTS_KEPT = 512
"""Embeddings of texts that are kept, because the attempts at a picture share one."""

log = structlog.get_logger()


class ClipScorer:
    """A CLIPModel in float32. Use it on one thread.

    `name` is what figures made with it are signed with.
    """

    def __init__(self, model: Any, tokenizer: Any, prepare: ClipInput, *, name: str) -> None:
        self._model = model.requires_grad_(False).eval()
        self._tokenizer = tokenizer
        self._prepare = prepare
        self._window = min(int(tokenizer.model_max_length), int(model.config.text_config.max_position_embeddings))
        self._texts: OrderedDict[str, Tensor] = OrderedDict()
        depth = int(model.config.vision_config.num_hidden_layers)
        self._depths = sorted({max(1, round(depth * step / LAYERS)) for step in range(1, LAYERS + 1)})
        self.name = name

    @classmethod
    def open(cls, scorer: str, *, device: Device = "auto", setting: str = "scorer") -> "ClipScorer":
        """The scorer "pocket" or that of a directory; nothing is asked of any hub.

        Raises Unsatisfied, naming the setting and the remedy, for a directory that is missing, damaged or another
        model's.
        """
        folder = scorer_folder(scorer, setting)
        place = resolve_device(device, setting)
        transformers.utils.logging.disable_progress_bar()
        try:
            model, loaded = transformers.CLIPModel.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            check_whole(loaded)
            tokenizer = transformers.CLIPTokenizer.from_pretrained(folder, local_files_only=True)
            prepare = ClipInput.of(folder, int(model.config.vision_config.image_size))
        except Exception as error:  # many libraries read these files, each with errors of its own
            first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Unsatisfied(f"{setting}: the scorer in {folder} cannot be loaded: {first_line}") from error
        return cls(model.to(place), tokenizer, prepare, name=scorer if scorer == POCKET else folder.name)

    @property
    def on_gpu(self) -> bool:
        """Whether it holds a GPU while it works."""
        return str(self._model.device.type) == "cuda"

    @torch.inference_mode()
    def see(self, pictures: Sequence[Pixels]) -> Seen:
        """What the vision tower makes of N pictures, each uint8 (H, W, 3) of any size, on the CPU."""
        inputs = torch.from_numpy(np.stack([self._prepare(pixels) for pixels in pictures]))
        found = self._model.vision_model(inputs.to(self._model.device), output_hidden_states=True)
        layers = tuple(found.hidden_states[depth][:, 1:].float() for depth in self._depths)
        return Seen(self._model.visual_projection(found.pooler_output).float(), layers)

    @torch.inference_mode()
    def read(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (N, width) of texts; of one that is longer than the window, its beginning is read, and logged."""
        encoded = self._tokenizer(list(texts), verbose=False)
        longest = max(len(ids) for ids in encoded.input_ids)
        if longest > self._window:
            log.warning("texts are longer than the scorer reads", tokens=longest, window=self._window)
        inputs = self._tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=self._window, return_tensors="pt"
        ).to(self._model.device)
        found = self._model.text_model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask)
        embeddings: Tensor = self._model.text_projection(found.pooler_output).float()
        return embeddings

    def score(self, pixels: Pixels, text: str) -> float:
        """CLIP-Score of one picture with its text, 0 to 1.

        Both go through the model alone, so that the score does not depend on what else is scored.
        """
        if text not in self._texts:
            self._texts[text] = self.read([text])
            if len(self._texts) > TEXTS_KEPT:
                self._texts.popitem(last=False)
        return float(clip_scores(self.see([pixels]).embeddings, self._texts[text])[0])

    def survey(self) -> Survey:
        """A new survey with this scorer."""
        return Survey(self)
