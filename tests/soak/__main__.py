"""`python -m soak [--seed N] [--minutes M]`: the long form; `make soak`."""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

from soak.running import Order, soak

THEME = "a blind clockmaker who repairs a map of the sea"
SPEC = {"theme": THEME, "movies": 2, "chapters": 3, "scenes": 4, "frames": 9}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the faults and of the dataset")
    parser.add_argument("--minutes", type=float, default=10.0, help="faults come for so long at most")
    parser.add_argument("--every", type=float, default=6.0, help="seconds between two faults, about")
    parser.add_argument("--movies", type=int, default=SPEC["movies"], help=f"of {3 * 4 * 9} frames each")
    parser.add_argument("--small", action="store_true", help="without Ray: one process stands in for the pictures")
    parser.add_argument("--only", nargs="*", default=(), help="these faults alone, by name")
    parser.add_argument("--folder", type=Path, help="where logs and the store stay; one that is removed by default")
    options = parser.parse_args()
    spec = SPEC | {"movies": options.movies, "seed": options.seed}
    order = Order(spec, options.seed, options.minutes * 60, options.every, options.small, tuple(options.only))
    with tempfile.TemporaryDirectory(prefix="moviellm-soak-") as folder:
        verdict = asyncio.run(stoppable(soak(options.folder or Path(folder), order)))
    print(f"\nsoak, seed {options.seed}\n{verdict.table()}")
    print(json.dumps(verdict.figures), file=sys.stderr)
    sys.exit(bool(verdict.wrong))


async def stoppable(work):
    """SIGTERM ends it as Ctrl-C does: everything is stopped first."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    return await work


if __name__ == "__main__":
    main()
