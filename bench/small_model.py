"""A real small model behind a real OpenAI-compatible server writes a movie.

The model is a Llama of some two million parameters, taught here for a few minutes on what the embedded storyteller
writes; `transformers serve` serves it. It knows how sentences of a script sound, and little of JSON.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bench.figure import Figure
from bench.local_stack import free_port
from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.scripting.by_model import prompts
from moviellm.scripting.by_model.chapter_level import ChapterLevel
from moviellm.scripting.by_model.experience import Experience
from moviellm.scripting.by_model.level import Level
from moviellm.scripting.by_model.openai_writer import OpenAIWriter
from moviellm.scripting.by_model.outline_level import OutlineLevel
from moviellm.scripting.by_model.reply_samples import as_reply
from moviellm.scripting.by_model.scene_level import SceneLevel
from moviellm.scripting.checker import rules
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

TEACHING_SECONDS = float(os.environ.get("MOVIELLM_BENCH_TEACHING_SECONDS", "180"))
STORIES = 24
WINDOW = 320
WHOLE_PROMPT = 400
"""Characters of the prompt of a whole part that the model is taught to look back to."""

VOCABULARY = 4_000
CHAPTERS, SCENES, FRAMES, LINES = 2, 2, 3, 3
THEME = "a love story about a duchess and a commoner"
SERVER_SECONDS = 240.0
_END, _USER, _ASSISTANT = "<|end|>", "<|user|>", "<|assistant|>"
_TEMPLATE = (
    "{% for message in messages %}{{ '<|assistant|>' if message.role == 'assistant' else '<|user|>' "
    "if loop.first or loop.previtem.role == 'assistant' else '' }}{{ message.content }}"
    "{{ '\\n' if not loop.last and loop.nextitem.role != 'assistant' and message.role != 'assistant' else '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


async def lessons() -> list[str]:
    """Conversations: every piece of a script asked for alone, and whole replies."""
    teller, told = Storyteller(), list[str]()
    templates = prompts.chosen(())
    for seed in range(STORIES):
        request = OutlineRequest(THEME, 3, seed)
        outline = (await teller.outline(request)).value
        told += _of_level(OutlineLevel(request, templates), outline)
        for number in range(1, 4):
            asked = ChapterRequest(outline, number, 3, seed)
            chapter = (await teller.chapter(asked)).value
            told += _of_level(ChapterLevel(asked, templates), chapter)
            for scene in range(1, 4):
                wanted = SceneRequest(outline, chapter, scene, 6, 6, seed)
                told += _of_level(SceneLevel(wanted, templates), (await teller.scene(wanted)).value)
    return told


def _of_level(level: Level[Any], part: Any) -> Iterator[str]:
    yield _said(level.whole()[1][-WHOLE_PROMPT:], as_reply(part))
    for piece, text in level.pieces(part).items():
        yield _said("\n".join(level.one(part, piece)), text)


def _said(user: str, assistant: str) -> str:
    return f"{_USER}{user}{_END}{_ASSISTANT}{assistant}{_END}"


def teach(folder: Path) -> int:
    """Make tokenizer and model, and leave them in the folder; returns the number of parameters."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    texts = asyncio.run(lessons())
    tokenizer = _tokenizer(texts)
    tokens = torch.tensor([token for text in texts for token in tokenizer.encode(text)])
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=160,
        intermediate_size=448,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=4096,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    model: Any = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    picked, started = random.Random(0), time.process_time()
    while (share := (time.process_time() - started) / TEACHING_SECONDS) < 1:
        starts = [picked.randrange(len(tokens) - WINDOW) for _ in range(8)]
        batch = torch.stack([tokens[start : start + WINDOW] for start in starts])
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (1 - 0.9 * share)
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.generation_config.max_new_tokens = 96
    model.generation_config.do_sample = True
    model.generation_config.temperature = 0.7
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(value.numel() for value in model.parameters())


def _tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[_END, _USER, _ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token=_END, pad_token=_END)
    tokenizer.chat_template = _TEMPLATE
    return tokenizer


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The base URL of `transformers serve`, once it answers."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(folder / "cache")}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own interpreter
    try:
        _await(f"http://127.0.0.1:{port}/health", server, folder / "server.log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def _await(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < give_up and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a loopback address
                return
        except OSError:
            time.sleep(0.5)
    raise errors.Unavailable(f"transformers serve does not answer:\n{log.read_text()[-2000:]}")


async def movie(url: str, model: str) -> tuple[int, int, int]:
    """Broken rules, tokens received and mends of one small movie."""
    chat = OpenAIChat(base_url=url, model=model, timeout_seconds=120.0, max_concurrency=2, max_tokens=96)
    writer = OpenAIWriter(chat=chat, experience=Experience())
    request = OutlineRequest(THEME, CHAPTERS, 7)
    outline = await writer.outline(request)
    written: list[Any] = [outline]
    breaches = list(rules.breaches_of_outline(outline.value, request))
    for number in range(1, CHAPTERS + 1):
        asked = ChapterRequest(outline.value, number, SCENES, 10 * number)
        chapter = await writer.chapter(asked)
        breaches += rules.breaches_of_chapter(chapter.value, asked)
        written.append(chapter)
        for scene in range(1, SCENES + 1):
            wanted = SceneRequest(outline.value, chapter.value, scene, FRAMES, LINES, 100 * number + scene)
            told = await writer.scene(wanted)
            breaches += rules.breaches_of_scene(told.value, wanted)
            written.append(told)
            for frame in told.value.frames:
                print(f"  {frame.description}")
    return len(breaches), sum(one.completion_tokens for one in written), sum(len(one.mends) for one in written)


def measure() -> list[Figure]:
    """Broken rules in a movie of a real small model."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="moviellm-small-") as name:
        folder = Path(name)
        parameters = teach(folder)
        with served(folder) as url:
            started = time.monotonic()
            breaches, tokens, mends = asyncio.run(movie(url, str(folder)))
            seconds = time.monotonic() - started
    what = f"rules broken in a {CHAPTERS} × {SCENES} × {FRAMES} script of a {parameters / 1e6:.1f} M model"
    details = {"completion_tokens": tokens, "mends": mends, "seconds": round(seconds, 1)}
    return [Figure(what, "transformers serve", (float(breaches),), "breaches", 0, False, details)]
