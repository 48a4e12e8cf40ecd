"""How an event feels and what people do in it: from its words to expressions and drawable actions. Pure data."""

import re
from typing import NamedTuple


class Mood(NamedTuple):
    """Expressions at the start and at the end of a scene, and actions for one and for two people."""

    before: str
    after: str
    one: tuple[str, ...]
    two: tuple[str, ...]


_CALM = Mood("calm", "happy", ("stand", "look", "walk", "think"), ("talk", "walk", "stand", "sit"))

_MOODS: tuple[tuple[str, Mood], ...] = (
    (r"hug|comfort|forgive|declare|ask \w+ to stay|dance|marry|holds? \w+'s hand",
     Mood("sad", "happy", ("look", "stand", "sit", "wave"), ("hug", "hold hands", "dance", "sit", "talk"))),
    (r"quarrel|argue|refuse|slam|insist|blame|trick|forbid|cross the line|insult|deny|exchange|talk \w+ out",
     Mood("calm", "angry", ("point", "stand", "walk", "kneel"), ("argue", "talk", "point", "stand"))),
    (r"danger|storm|trap|shadow|hide|follow|secret|fear|tremble|help;"
     r"|call for help|slip|thief|dark|run|warn|afraid|risk",
     Mood("afraid", "surprised", ("run", "look", "kneel", "walk", "stand"), ("run", "look", "hold hands", "walk"))),
    (r"lose|lost|despair|shame|goodbye|farewell|weep|cry"
     r"|turn back|alone|empty|give up|leave|miss|fail|sad|tears|part|ill|sell|stop the sale",
     Mood("calm", "sad", ("sit", "kneel", "walk", "think", "look"), ("talk", "sit", "look", "stand"))),
    (r"find|discover|notice|come upon|understand|catch|receive|open|confess|truth|answer|learn|see|mark|meet|idea",
     Mood("calm", "surprised", ("kneel", "look", "point", "stand", "think"), ("look", "point", "talk", "stand"))),
    (r"win|laugh|pass|reach|agree|celebrate|thank|begin|gather|get what|stand by|prove|return|build|honor|courage",
     Mood("afraid", "happy", ("cheer", "wave", "stand", "run"), ("cheer", "hug", "dance", "wave", "talk"))),
    (r"think|wait|wonder|plan|remember|write|read|decide|choose|promise|look",
     Mood("sad", "calm", ("think", "sit", "look", "walk"), ("sit", "talk", "look", "walk"))),
)  # fmt: skip

PLACE_PROPS: dict[str, tuple[str, ...]] = {
    "lighthouse": ("lantern", "bottle"), "harbor": ("box", "bottle"), "beach": ("bottle", "umbrella"),
    "ship deck": ("map", "lantern"), "forest": ("lantern", "flower"), "garden": ("flower", "cup"),
    "mountain": ("map", "lantern"), "desert": ("bottle", "map"), "village street": ("umbrella", "box"),
    "city street": ("umbrella", "letter"), "market": ("box", "flower"), "castle": ("sword", "key"),
    "ballroom": ("flower", "cup"), "library": ("book", "lantern"), "kitchen": ("cup", "bottle"),
    "bedroom": ("book", "letter"), "cafe": ("cup", "book"), "train station": ("umbrella", "letter"),
}  # fmt: skip
"""What people may well hold at a place."""


DRAWN_AS: dict[str, str] = {
    "message": "letter", "note": "letter", "photograph": "letter", "postcard": "letter", "invitation": "letter",
    "letters": "letter", "paper": "letter", "recipe": "book", "diary": "book", "manuscript": "book", "novel": "book",
    "treasure": "box", "chest": "box", "gift": "box", "trunk": "box", "violin": "box", "lamp": "lantern",
    "torch": "lantern", "candle": "lantern", "rose": "flower", "flowers": "flower", "trophy": "cup", "tea": "cup",
    "coffee": "cup", "scroll": "map", "chart": "map", "potion": "bottle", "wine": "bottle", "keys": "key",
}  # fmt: skip
"""Things of a story that the picture model knows under another name."""


SHOWN_AS: dict[str, str] = {
    "walk": "walk", "go": "walk", "follow": "walk", "leave": "walk", "come": "walk", "return": "walk", "arrive": "walk",
    "set": "walk", "turn": "walk", "enter": "walk", "cross": "walk", "climb": "walk", "lead": "walk", "take": "walk",
    "run": "run", "reach": "run", "hurry": "run", "flee": "run", "chase": "run",
    "sit": "sit", "wait": "sit", "rest": "sit", "stay": "sit", "lie": "sit",
    "kneel": "kneel", "beg": "kneel", "find": "kneel", "collapse": "kneel", "fall": "kneel", "search": "kneel",
    "look": "look", "see": "look", "watch": "look", "notice": "look", "stare": "look", "wonder": "look",
    "tell": "talk", "ask": "talk", "say": "talk", "speak": "talk", "explain": "talk", "promise": "talk", "warn": "talk",
    "confess": "talk", "admit": "talk", "suggest": "talk", "answer": "talk", "declare": "talk", "agree": "talk",
    "comfort": "hug", "hug": "hug", "forgive": "hug", "thank": "hug",
    "think": "think", "remember": "think", "plan": "think", "understand": "think", "decide": "think", "choose": "think",
    "point": "point", "show": "point", "discover": "point", "prove": "point", "demand": "point", "accuse": "point",
    "greet": "wave", "wave": "wave", "win": "cheer", "celebrate": "cheer", "dance": "dance", "laugh": "cheer",
    "argue": "argue", "quarrel": "argue", "refuse": "argue", "insist": "argue", "blame": "argue", "forbid": "argue",
}  # fmt: skip
"""The action that shows a deed best, by the deed's first word."""


def mood_of(text: str) -> Mood:
    """The mood of an event by the first of its telling words."""
    best: tuple[int, Mood] | None = None
    for pattern, mood in _MOODS:
        found = re.search(rf"\b(?:{pattern})", text)
        if found and (best is None or found.start() < best[0]):
            best = (found.start(), mood)
    return best[1] if best else _CALM
