"""One soak: the same dataset undisturbed and under fault, and the verdict."""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass

from moviellm.v1 import movie_dataset_service_pb2 as pb
from soak.client import Requester
from soak.house import House
from soak.injection import Injector
from soak.schedule import schedule
from soak.verdict import Verdict, compare, files_of, manifest_errors, scripts_of

NOT_SMALL = ("rendering", "inversion", "replica", "ray head")
"""What a small house does not have."""


@dataclass(frozen=True)
class Order:
    """What to run: the dataset, the seed of the faults, how long they go on at most, and how close together."""

    spec: dict
    seed: int
    seconds: float
    every: float
    is_small: bool = False
    only: tuple = ()


async def soak(folder, order, *, say=print):
    """Run it; the verdict. Raises TimeoutError where the dataset is not complete long after the faults."""
    house = await House(folder, is_small=order.is_small, seed=order.seed).open()
    try:
        return await _run(house, order, say)
    finally:
        await house.close()


async def _run(house, order, say):
    verdict = Verdict()
    say("making the undisturbed dataset …")
    await house.start("one" if order.is_small else "undisturbed")
    undisturbed, took = await _made(house, "undisturbed", order.spec, Requester(house.address))
    verdict.figures["seconds undisturbed"] = round(took)
    if not order.is_small:
        verdict.expect(await house.stop() == ([], []), "the undisturbed stack left something behind")
        await house.start("disturbed")
    await house.store.delete_all("replies")
    house.bill.reset()
    house.store_door.puts.clear()

    say("making it again under fault …")
    requester = Requester(house.address)
    in_flight = Counter()
    injector = Injector(house, on_fault=lambda fault: in_flight.update(requester.under_way()))
    faults = _faults(order)
    injecting = asyncio.create_task(injector.run(faults))
    watching = asyncio.create_task(_told(house, requester, say))
    try:
        async with asyncio.timeout(order.seconds + 600):
            disturbed, took = await _unless_failed(house, _made(house, "disturbed", order.spec, requester))
    finally:
        for task in (injecting, watching):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await injecting
        await injector.mend()
    verdict.figures["seconds under fault"] = round(took)
    compare(verdict, undisturbed, disturbed)
    _judge(verdict, house, injector, requester, in_flight, order)
    verdict.expect(not (wrong := manifest_errors(disturbed[0])), f"the manifest does not verify: {wrong[:3]}")
    processes, files = await house.stop()
    verdict.figures |= {"processes left behind": len(processes), "temporary files left behind": len(files)}
    verdict.expect(not processes, f"processes are left: {processes}")
    verdict.expect(not files, f"temporary files are left: {files}")
    return verdict


def _faults(order):
    without = NOT_SMALL if order.is_small else ()
    return schedule(order.seed, order.seconds, every=order.every, without=without, only=order.only)


async def _unless_failed(house, work):
    """What the work gives; raises StackFailed at once where a service cannot be kept running."""
    working, keeping = asyncio.ensure_future(work), asyncio.ensure_future(house.stack.run())
    try:
        await asyncio.wait((working, keeping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else keeping.result()
    finally:
        working.cancel()
        keeping.cancel()


async def _made(house, identifier, spec, requester):
    began = time.monotonic()
    try:
        await requester.create(identifier, spec)
        dataset = await requester.finished(identifier)
    finally:
        await requester.close()
    if dataset.state != pb.MovieDataset.STATE_SUCCEEDED:
        raise RuntimeError(f"{identifier} ended as {pb.MovieDataset.State.Name(dataset.state)}: {dataset.trouble}")
    took = time.monotonic() - began
    return (await files_of(house.store, identifier), await scripts_of(house.store, identifier)), took


async def _told(house, requester, say):
    while True:
        await asyncio.sleep(20)
        say("  " + ", ".join(f"{stage} {done}" for stage, done in requester.done.items()))


def _judge(verdict, house, injector, requester, in_flight, order):
    """Nothing was paid for twice but what was under way when a fault came."""
    made, again = house.told()
    lost = sum(count for (dataset, _), count in again.items() if dataset == "disturbed")
    twice = sum(count - 1 for (dataset, _, _), count in made.items() if dataset == "disturbed")
    puts = house.store_door.puts.items()
    painted_twice = sum(count - 1 for path, count in puts if "/files/movies/" in path and "/frames/" in path)
    scripts = in_flight["scripting"] + in_flight["qa"]
    pictures = in_flight["rendering"] * order.spec["frames"]
    verdict.figures |= {
        "faults injected": injector.done.total(),
        "faults by kind": dict(sorted(injector.done.items())),
        "faults without their process": injector.missed.total(),
        "store requests spoilt": dict(house.store_door.injected),
        "requests that got an error": dict(requester.refused),
        "tries lost": lost,
        "units made twice": twice,
        "replies of the language model": house.bill.answers.total(),
        "replies paid for twice": house.bill.repeated,
        "scripts and question sets under way at the faults": scripts,
        "frames written twice": painted_twice,
        "frames under way at the faults": pictures,
    }
    if all(name.startswith("stop ") for name in injector.done):
        scripts = pictures = 0
        verdict.expect(not requester.refused, "requesters saw errors while services were replaced one by one")
    verdict.expect(house.bill.repeated <= scripts, "more replies were paid for twice than units were under way")
    verdict.expect(painted_twice <= pictures, "more frames were made twice than were under way")
