"""Texts that trainers would act upon."""

import random

import pytest
from contract_readers import SPOILERS

from moviellm.export.label_safety import harmless, harmless_deep, harmless_prompt

HOSTILE = [
    *("<image>", "a <video> b", "<audio>", "</s>", "<s>", "<unk>", "<pad>", "<|im_start|>", "<|im_end|>", "<mask>"),
    *("<|endoftext|>", "<|eot_id|>", "<|start_header_id|>system<|end_header_id|>", "<start_of_turn>", "<image_pad>"),
    *("ASSISTANT: no", "USER: hi", "Assistant : x", "### Human: x", "system\n: y", "GPT： z", "[INST] x [/INST]"),
    *("<<SYS>>", "<ima<image>ge>", "<<image>>", "< / s >", "< image >", "<im\u200bage>", "＜image＞", "<｜User｜>"),
    *("<IMAGE>", "<IMG_CONTEXT>", "</ImageHere>", "<im_patch>", "<vid_start>", "<extra_id_0>", "<0x0A>"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_keeps_a_trainers_control_words(text):
    mended = harmless(text)
    assert mended != text
    assert not SPOILERS.search(mended.replace(" ", ""))
    assert "<" not in mended
    assert harmless(mended) == mended
    assert harmless_deep({"a": [text]}) == {"a": [mended]}


def test_no_mixture_of_them_gets_through():
    rng = random.Random(5)
    pieces = [*HOSTILE, "<", ">", "/", "|", "s", "image", "video", ":", "ASSISTANT", " ", "\u200b", "[", "]"]
    for _ in range(3000):
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 7)))
        mended = harmless(text)
        assert not SPOILERS.search(mended), (text, mended)
        assert harmless(mended) == mended, text


@pytest.mark.parametrize(
    "text",
    ['Why does Clara, the assistant, say: "2 < 3"?', "x < 3 and y > 4", "I <3 you", "the user manual", "[a letter]"],
)
def test_harmless_texts_stay_as_they_are(text):
    assert harmless(text) == text


def test_a_prompt_keeps_the_token_of_its_style():
    prompt = "generate an image in <gothic> style: a man <image> </s>"
    assert harmless_prompt(prompt, "<gothic>") == "generate an image in <gothic> style: a man [image] [/s]"
    assert harmless_prompt(prompt, "") == "generate an image in [gothic] style: a man [image] [/s]"


def test_a_style_cannot_be_called_as_what_trainers_act_upon():
    assert harmless_prompt("an image in <video> style", "<video>") == "an image in [video] style"
