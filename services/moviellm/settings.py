"""What every service can be told by its environment; each room adds its own in its `settings.py`."""

import sys
from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from moviellm.security.addresses import is_loopback
from moviellm.security.pem import PairFiles
from moviellm.security.tokens import read_service_tokens


class Settings(BaseSettings):
    """Frozen settings that say in one sentence what is wrong with the environment."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    @classmethod
    def load(cls) -> Self:
        """Read the environment; on a bad value, say which variable and what is allowed, and exit with code 2."""
        try:
            return cls()
        except ValidationError as error:
            for problem in error.errors():
                name = variable_name(cls, problem["loc"])
                print(f"{name}: {problem['msg']}" if name else _said(problem["msg"]), file=sys.stderr)
            raise SystemExit(2) from None


class ServiceSettings(Settings):
    """Settings that all services share. A room's subclass sets `env_prefix`, such as MOVIELLM_QA_."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    listen: str = Field(default="127.0.0.1:0", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server, such as 127.0.0.1:8601; port 0 takes a free one and logs it."""

    metrics_listen: str = Field(default="127.0.0.1:0", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log line that is written."""

    log_format: Literal["json", "console"] = "json"
    """json for machines, console for people."""

    otlp_endpoint: str = Field(default="", pattern=r"^(https?://[^@\s]+)?$")
    """Where spans go: an OpenTelemetry collector's OTLP/HTTP address, such as http://collector:4318; empty: nowhere."""

    tls_cert_file: str = ""
    """The server's certificate chain (PEM), read again when it changes; empty to serve in the clear."""

    tls_key_file: str = ""
    """The key of that certificate (PEM, not encrypted)."""

    tls_client_ca_file: str = ""
    """Authorities (PEM) one of which must have signed a caller's certificate (mTLS); empty to ask for none."""

    service_token_file: str = ""
    """Tokens of moviellm's own parts, one a line: the controller sends the first, services take any of them."""

    health_listen: str = Field(default="", pattern=r"^(.+:\d{1,5})?$")
    """A second address that answers health alone, in the clear, for kubelets, which speak no TLS; empty for none."""

    insecure: bool = False
    """Listen beyond this machine without TLS or without knowing who calls, because something else guards the port."""

    drain_seconds: float = Field(default=20.0, ge=0)
    """After SIGTERM, how long calls under way may go on before they are cut."""

    node_pool: str = Field(default="", validation_alias="NODE_POOL")
    """The node pool of this process; also read with the room's prefix before it. Empty to look it up."""

    node_name: str = Field(default="", validation_alias="NODE_NAME")
    """The Kubernetes node of this process (spec.nodeName by the downward API), whose labels tell the node pool."""

    node_pool_labels: tuple[str, ...] = (
        "moviellm.dev/node-pool",
        "cloud.google.com/gke-nodepool",
        "eks.amazonaws.com/nodegroup",
        "karpenter.sh/nodepool",
        "kubernetes.azure.com/agentpool",
    )
    """Labels of the node that name its pool; the first that it has is taken, "local" where it has none."""

    @property
    def server_files(self) -> PairFiles:
        """The files of the server's TLS."""
        return PairFiles(self.tls_cert_file, self.tls_key_file, self.tls_client_ca_file)

    @property
    def ways_to_know_callers(self) -> dict[str, bool]:
        """Variables by which callers prove who they are, and whether each is set."""
        return {
            self.variable("tls_client_ca_file"): bool(self.tls_client_ca_file),
            self.variable("service_token_file"): bool(self.service_token_file),
        }

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable of a field."""
        return variable_name(cls, (field,))

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        """Refuse what would let everybody in by mistake, and files that cannot be used."""
        self.usable("tls_cert_file", lambda: self.server_files.read())
        if self.service_token_file:
            self.usable("service_token_file", lambda: read_service_tokens(self.service_token_file))
        if self.tls_client_ca_file and not self.tls_cert_file:
            raise ValueError(f"{self.variable('tls_client_ca_file')} needs {self.variable('tls_cert_file')}")
        if self.insecure or is_loopback(self.listen):
            return self
        missing = [] if self.tls_cert_file else [f"{self.variable('tls_cert_file')} and its key"]
        if not any(self.ways_to_know_callers.values()):
            missing.append(" or ".join(self.ways_to_know_callers))
        if missing:
            raise ValueError(
                f"{self.variable('listen')}={self.listen} can be reached from other machines: set "
                f"{', and '.join(missing)}; or {self.variable('insecure')}=true where something else guards the port"
            )
        return self

    def usable(self, field: str, read: Callable[[], object]) -> None:
        """Read a field's files; ValueError, naming the variable, where that fails."""
        try:
            read()
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise ValueError(f"{self.variable(field)}: {error.filename}: {reason}") from error
        except ValueError as error:
            raise ValueError(f"{self.variable(field)}: {error}") from error


class StoreSettings(Settings):
    """Where the artifact store is; the same for all services, so its variables carry no room's name."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, env_prefix="MOVIELLM_STORE_")

    url: str = "file://.moviellm/store"
    """file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix."""

    endpoint: str = ""
    """The endpoint of an S3-compatible server, such as http://minio:9000; empty for the provider's own."""

    region: str = "us-east-1"
    """The S3 region."""

    access_key_id: SecretStr = SecretStr("")
    """S3 access key; empty to use the machine's own identity."""

    secret_access_key: SecretStr = SecretStr("")
    """S3 secret key."""


def _said(message: str) -> str:
    """What a validator said, without pydantic's own words before it."""
    return message.removeprefix("Value error, ")


def variable_name(cls: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind a field, for messages."""
    field = str(location[0]) if location else ""
    info = cls.model_fields.get(field)
    if info is None or info.validation_alias is not None:
        return field
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()
