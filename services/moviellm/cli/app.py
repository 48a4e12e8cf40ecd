"""Where the `moviellm` command begins."""

import os
import sys


def main() -> None:
    """Run the command and exit: 0 done, 1 refused or failed, 2 used wrongly, 130 interrupted."""
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # read when grpc is imported; its notes are not for people
    try:
        from moviellm.cli.commands import run_command

        sys.exit(run_command(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
