"""Doing to the house what the schedule says, and undoing it."""

import asyncio
import contextlib
import signal
from collections import Counter

import psutil

from soak.faulty_proxy import PASS, Mischief

STORE_TROUBLES = {
    "store 500": Mischief("status", status=500),
    "store 503": Mischief("status", status=503),
    "store slow": Mischief("slow", seconds=1.5),
    "store reset": Mischief("reset"),
    "store deaf": Mischief("lost", methods=(b"PUT", b"DELETE")),
    "store full": Mischief("status", status=507, share=1.0, methods=(b"PUT", b"POST")),
}


class Injector:
    """Injects faults into a house; `done` counts them by name, `missed` those whose process did not run then."""

    def __init__(self, house, *, on_fault=lambda fault: None):
        self._house = house
        self._on_fault = on_fault
        self._mending = set()
        self.done = Counter()
        self.missed = Counter()

    async def run(self, faults):
        """Inject at their times, until cancelled."""
        began = asyncio.get_running_loop().time()
        for fault in faults:
            await asyncio.sleep(max(0.0, began + fault.at - asyncio.get_running_loop().time()))
            self._on_fault(fault)
            is_done = await self._inject(fault)
            (self.done if is_done else self.missed)[fault.name] += 1

    async def mend(self):
        """Wait until all that was begun is undone."""
        await asyncio.gather(*self._mending, return_exceptions=True)
        self._house.store_door.mischief = PASS
        self._house.llm_door.mischief = PASS

    async def _inject(self, fault):
        if fault.kind == "trouble":
            return self._trouble(fault)
        process = self._house.process(fault.what)
        if process is None:
            return False
        with contextlib.suppress(psutil.Error):
            if fault.kind == "kill":
                process.kill()
                if fault.what == "store":
                    self._later(fault.lasts, self._restart_store)
            elif fault.kind == "stop":
                process.terminate()
            else:
                process.send_signal(signal.SIGSTOP)
                self._later(fault.lasts, lambda: _resume(process))
            return True
        return False

    def _trouble(self, fault):
        house = self._house
        if fault.what == "llm cut":
            house.llm_door.mischief = Mischief("reset", share=1.0)
            house.llm_door.cut()
            self._later(fault.lasts, lambda: _set(house.llm_door))
        elif fault.what == "disk full":
            return self._fill_disk(fault)
        else:
            house.store_door.mischief = STORE_TROUBLES[fault.what]
            self._later(fault.lasts, lambda: _set(house.store_door))
        return True

    def _fill_disk(self, fault):
        if not self._house.has_own_disk:
            return False
        ballast = self._house.scratch / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        self._later(fault.lasts, lambda: _removed(ballast))
        return True

    async def _restart_store(self):
        self._house.s3.process.wait()
        await self._house.s3.start()

    def _later(self, seconds, undo):
        async def wait():
            try:
                await asyncio.sleep(seconds)
            finally:
                await undo()

        task = asyncio.create_task(wait())
        self._mending.add(task)


async def _resume(process):
    with contextlib.suppress(psutil.Error):
        process.send_signal(signal.SIGCONT)


async def _set(door):
    door.mischief = PASS


async def _removed(path):
    path.unlink(missing_ok=True)
