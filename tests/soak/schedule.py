"""Which fault happens when: the same seed gives the same schedule."""

import random
from dataclasses import dataclass

SERVICES = ("controller", "controller-2", "scripting", "inversion", "rendering", "qa", "export")
KILLS = (*SERVICES, "replica", "ray head", "store")
STOPS = SERVICES
PAUSES = ("controller", "scripting", "rendering", "replica", "qa", "export", "store")
TROUBLES = ("store 500", "store 503", "store slow", "store reset", "store deaf", "store full", "disk full", "llm cut")


@dataclass(frozen=True)
class Fault:
    """`kind` is "kill", "stop", "pause" or "trouble", `what` is it done to; `at` and `lasts` in seconds."""

    at: float
    kind: str
    what: str
    lasts: float

    @property
    def name(self):
        return name(self.kind, self.what)


def kinds(without=(), only=()):
    """All faults as pairs of kind and what, but for those of what is not there; or only those named."""
    every = [("kill", what) for what in KILLS]
    every += [("stop", what) for what in STOPS]
    every += [("pause", what) for what in PAUSES]
    every += [("trouble", what) for what in TROUBLES]
    return [pair for pair in every if pair[1] not in without and (not only or name(*pair) in only)]


def name(kind, what):
    """What people call it."""
    return what if kind == "trouble" else f"{kind} {what}"


def schedule(seed, seconds, *, every, without=(), only=()):
    """Faults until `seconds`, one about every `every` seconds; all kinds come before any comes again."""
    choose = random.Random(seed)
    faults, at, bag = [], 0.0, []
    while True:
        at += every * choose.uniform(0.6, 1.4)
        if at >= seconds:
            return faults
        if not bag:
            bag = kinds(without, only)
            choose.shuffle(bag)
        kind, what = bag.pop()
        faults.append(Fault(round(at, 2), kind, what, round(choose.uniform(0.5, 1.5) * every, 2)))
