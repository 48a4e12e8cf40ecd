"""Whether the service in this container serves, for container health checks: exit code 0 or 1.

Asks grpc.health.v1 in the clear on the port that the service's own settings name: the one for health alone, where there
is one, since the other may want TLS. The messages are spelt out (an empty request; a
reply whose field 1 is 1 for SERVING), since importing their classes would take most of the time.
"""

import os
import sys

import grpc

SERVING = b"\x08\x01"


def main() -> None:
    """Ask once."""
    prefix = f"MOVIELLM_{os.environ['SERVICE'].upper()}_"
    address = os.environ.get(prefix + "HEALTH_LISTEN") or os.environ[prefix + "LISTEN"]
    port = address.rpartition(":")[2]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            reply = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=4)
        except grpc.RpcError as error:
            sys.exit(str(error.code()))
    sys.exit(0 if reply == SERVING else "not serving")


if __name__ == "__main__":
    main()
