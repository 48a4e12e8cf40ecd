"""The short form of `make soak`: services, store and language model fail while a small dataset is made."""

import pytest
from soak.running import Order, soak
from soak.schedule import kinds, schedule

SPEC = {"theme": "a blind clockmaker who repairs a map of the sea", "chapters": 3, "scenes": 2, "frames": 6, "seed": 5}
FAULTS = ("kill controller", "kill scripting", "store reset", "kill qa", "pause scripting", "llm cut")


def test_the_same_seed_gives_the_same_faults_and_every_kind_comes():
    first = schedule(3, 300, every=6)
    assert first == schedule(3, 300, every=6) != schedule(4, 300, every=6)
    assert {(fault.kind, fault.what) for fault in first} == set(kinds())
    assert {fault.name for fault in schedule(3, 60, every=6, only=FAULTS)} == set(FAULTS)
    assert all(0 < fault.at < 300 for fault in first)


@pytest.mark.timeout(300)
async def test_a_dataset_is_whole_and_the_same_whatever_fails_meanwhile(tmp_path):
    order = Order(SPEC, seed=2, seconds=20, every=0.4, is_small=True, only=FAULTS)
    verdict = await soak(tmp_path, order, say=lambda text: None)
    print(verdict.table())
    assert verdict.figures["faults injected"] >= 3
    assert verdict.wrong == []
