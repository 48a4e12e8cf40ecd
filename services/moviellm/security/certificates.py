"""gRPC credentials from certificate files, renewed when the files are."""

from typing import Any

import grpc

from moviellm.security.fresh_files import FreshFiles
from moviellm.security.pem import Pair, PairFiles


def server_credentials(files: PairFiles) -> grpc.ServerCredentials:
    """TLS with the certificate in `files`; with an authority, only for callers whose certificate it signed.

    Each new connection is served with the files as they are then. Raises OSError or ValueError for files that are no
    good at the start.
    """
    fresh = FreshFiles(files.paths, files.read)

    def renewed() -> Any:
        """None leaves gRPC with what it has."""
        return _configuration(fresh.value()) if fresh.renewed() else None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(fresh.value()), renewed, require_client_authentication=bool(files.authority)
    )


def _configuration(pair: Pair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.certificate)], pair.authority or None)


def channel_credentials(pair: Pair) -> grpc.ChannelCredentials:
    """TLS towards a server whose certificate the authority signed (one of the machine's own where there is none)."""
    return grpc.ssl_channel_credentials(pair.authority or None, pair.key or None, pair.certificate or None)
