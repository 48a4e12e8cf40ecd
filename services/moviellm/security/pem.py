"""Certificates and keys as PEM files, looked at without gRPC."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """A certificate chain, its key, and the authority that the other side's certificate must be signed by; PEM."""

    certificate: bytes = b""
    key: bytes = b""
    authority: bytes = b""


@dataclass(frozen=True)
class PairFiles:
    """Where these lie; empty for none."""

    certificate: str = ""
    key: str = ""
    authority: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Those that are set."""
        return tuple(path for path in (self.certificate, self.key, self.authority) if path)

    def read(self) -> Pair:
        """All of it. Raises OSError for what cannot be read, ValueError for what does not belong together."""
        pair = self._bytes()
        if bool(self.certificate) != bool(self.key):
            raise ValueError("a certificate and its key go together: set both files or none")
        if self.certificate:
            _check_chain(self.certificate, self.key)
        if self.authority:
            _check_authority(self.authority)
        if self._bytes() != pair:
            raise ValueError("the files changed while they were read")
        return pair

    def _bytes(self) -> Pair:
        return Pair(
            *(Path(path).read_bytes() if path else b"" for path in (self.certificate, self.key, self.authority))
        )


NO_FILES = PairFiles()


def _check_chain(certificate: str, key: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise ValueError(f"{certificate} and {key} are no certificate and its unencrypted key: {error}") from error


def _check_authority(path: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise ValueError(f"{path} holds no certificates: {error}") from error
