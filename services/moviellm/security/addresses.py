"""Which addresses stay on this machine."""

import ipaddress


def is_loopback(address: str) -> bool:
    """Whether host:port, or a gRPC target such as dns:///host:port, is on this machine alone."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition("/")[2].rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
