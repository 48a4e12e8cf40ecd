"""The language model behind the endpoint, and the bill: every answer that was given is paid for."""

import hashlib
import json
import re
import threading
from collections import Counter

from storytelling_model import StorytellingModel


class Bill:
    """A model whose answers are counted by what was asked; `repeated` are answers that had been given before."""

    def __init__(self, model):
        self._model = model
        self._lock = threading.Lock()
        self.answers = Counter()

    def __call__(self, request):
        answer = self._model(request)
        asked = {name: value for name, value in request.items() if name in ("messages", "seed")}
        with self._lock:
            self.answers[hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()] += 1
        return answer

    @property
    def repeated(self):
        return sum(count - 1 for count in self.answers.values())

    def reset(self):
        with self._lock:
            self.answers.clear()


class WholeModel:
    """Writes plots as the storyteller does, and asks and answers questions, always the same to the same request."""

    def __init__(self):
        self._stories = StorytellingModel()

    def __call__(self, request):
        title = request.get("response_format", {}).get("json_schema", {}).get("name", "")
        user = request["messages"][-1]["content"]
        if title == "questions":
            return {"questions": [self._question(user, number) for number in (1, 2)]}
        if title == "same":
            return {"same": []}
        if title in ("answer", "blind"):
            lines = re.findall(r"^(\d+)\. (.*)$", user.rpartition("Questions:")[2], re.MULTILINE)
            return {"answers": [{"number": int(number), "answer": recalled(line, title)} for number, line in lines]}
        return self._stories(request)

    def _question(self, user, number):
        letter = int(hashlib.sha256(f"{user} {number}".encode()).hexdigest()[:8], 16)
        return {
            "category": "what",
            "question": f"What is written on letter {letter}?",
            "answer": f"The name of ship {letter}.",
            "wrong_answers": [],
            "first": 1,
            "last": 1,
        }


def recalled(question, title):
    """With the evidence it reads the letter, without it does not."""
    letter = re.search(r"letter (\d+)", question)
    return f"The name of ship {letter[1]}." if letter and title == "answer" else "unknown"
