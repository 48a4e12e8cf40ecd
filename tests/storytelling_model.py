"""What stands behind a language model's endpoint in tests: the embedded storyteller, or something very small.

Both are functions from a request of the protocol to a reply, for openai_endpoint.Endpoint.
"""

import json
import random
import re
import threading

from moviellm.scripting.by_model.reply_samples import as_reply
from moviellm.scripting.storyteller import chapter as chapters
from moviellm.scripting.storyteller import outline as outlines
from moviellm.scripting.storyteller import scene as scenes
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest


class StorytellingModel:
    """A capable model: writes every level as the storyteller would, and single pieces when they are asked for."""

    def __init__(self):
        self._outlines = {}
        self._chapters = {}
        self._lock = threading.Lock()

    def __call__(self, request):
        system, user = (request["messages"][i]["content"] for i in (0, 1))
        seed = request.get("seed", 0)
        if "Write the outline of a movie" in system:
            return self._outline(int(number_in(system, r"exactly (\d+) chapters")), user, seed)
        if "divides a chapter" in system:
            return self._chapter(json.loads(user), int(number_in(system, r"exactly (\d+) scenes")), seed)
        if "storyboard artist" in system:
            frames, lines = (int(number_in(system, rf"exactly (\d+) {what}")) for what in ("key frames", "lines"))
            return self._scene(json.loads(user), frames, lines, seed)
        if "correct parts" in system:
            parts = json.loads(user)["parts"]
            return json.dumps(
                {"parts": [{"where": p["where"], "text": piece(p["wanted"], seed + i)} for i, p in enumerate(parts)]}
            )
        return json.dumps({"text": piece(system, seed)})

    def _outline(self, count, user, seed):
        theme = re.search(r"Theme: (.*)", user)[1]
        outline = outlines.write(OutlineRequest(theme, count, seed))
        with self._lock:
            self._outlines[outline.title, outline.overview] = outline
        return as_reply(outline)

    def _chapter(self, told, scenes_wanted, seed):
        outline = self._outlines[told["movie"]["title"], told["movie"]["overview"]]
        number = told["chapter"]["number"]
        chapter = chapters.write(ChapterRequest(outline, number, scenes_wanted, seed))
        with self._lock:
            self._chapters[outline.title, number] = chapter
        return as_reply(chapter)

    def _scene(self, told, frames, lines, seed):
        outline = self._outlines[told["movie"]["title"], told["movie"]["overview"]]
        chapter = self._chapters[outline.title, told["chapter"]["number"]]
        number = told["scene"]["number"]
        return as_reply(scenes.write(SceneRequest(outline, chapter, number, frames, lines, seed)))


def piece(wanted, seed):
    """One sentence for a piece that is asked for alone."""
    who = re.search(r"(?:Name them: |picture: )(.*?)(?:\.| doing)", wanted)
    where = re.search(r"(?:The place is|face,? (?:in|on|at)) the ([\w ]+?)\.", wanted)
    doing = random.Random(seed).choice(["standing", "sitting", "walking", "kneeling", "talking", "waving"])
    if who and where:
        are = "are" if " and " in who[1] else "is"
        return f"{who[1]} {are} {doing} with a calm face in the {where[1]}, view {seed % 97}"
    return f"Somebody has to decide what to do now, and there are {seed % 97} ways to do it."


def number_in(text, pattern):
    return re.search(pattern, text)[1]


BABBLE = (
    '{"title": "The {theme}", "overview": "A story about {name} and {name}", "chapters": [{"title": ',
    "{name} is a {occupation} who wants to {goal}. {name} is happy. {name} is happy. {name} is happy.",
    '[{"frame": "{name} is in the {location}"}, {"frame":',
    "Once upon a time there was a little girl. She liked to play in the park.",
    "{'text': 'She was very happy and they lived'",
)
SENTENCES = (
    "{name} is walking in the {location}.",
    "She is very happy and she is smiling.",
    '{"text": "{character} sits down and looks at the sea',
    "A man and a woman are talking.",
    "He said that he was sad",
    '"Tom was standing in the park."',
    "they run and then they play and then they go home",
)


class TinyModel:
    """A model of the size of a telephone's keyboard: half JSON, placeholders in braces, single sentences.

    With `cut_off`, it does not know when to stop: the answer that makes of its endless text.
    """

    def __init__(self, window=8000, *, cut_off=None):
        self._window = window
        self._cut_off = cut_off

    def __call__(self, request):
        said = "".join(message["content"] for message in request["messages"])
        if len(said) > self._window:
            return 400, {"error": {"message": f"This model's maximum context length is {self._window // 4} tokens"}}
        seed = request.get("seed", 0) + len(request["messages"])
        system = request["messages"][0]["content"]
        if "Answer with that text alone" in system or "Answer with the sentence alone" in system:
            said = SENTENCES[seed % len(SENTENCES)]
            return self._cut_off(f"{said} {said} {said} And she") if self._cut_off else said
        return BABBLE[seed % len(BABBLE)]


class NgramModel:
    """A real language model, if an old one: which word follows two others, counted in some hundred scenes and plots.

    It has read no JSON, knows no instruction, mixes the people of all stories and does not know when to stop.
    """

    def __init__(self, stories=12, words=60):
        self._words = words
        self._after = {}
        for seed in range(stories):
            outline = outlines.write(OutlineRequest("a story about a baker and a sailor", 2, seed))
            chapter = chapters.write(ChapterRequest(outline, 1, 3, seed))
            scene = scenes.write(SceneRequest(outline, chapter, 1, 11, 6, seed))
            self._learn(outline.overview, *(part.content for part in (*outline.chapters, *chapter.scenes)))
            self._learn(*(f"{frame.description}." for frame in scene.frames), *(line.text for line in scene.dialogue))

    def __call__(self, request):
        rng = random.Random(json.dumps(request["messages"]) + str(request.get("seed")))
        context, said = ("", ""), []
        while len(said) < self._words:
            word = rng.choice(self._after.get(context) or self._after["", ""])
            said.append(word)
            context = (context[1], word) if not word.endswith((".", "!", "?")) else ("", "")
        return " ".join(said)

    def _learn(self, *texts):
        for text in texts:
            context = ("", "")
            for word in text.split():
                self._after.setdefault(context, []).append(word)
                context = (context[1], word) if not word.endswith((".", "!", "?")) else ("", "")
