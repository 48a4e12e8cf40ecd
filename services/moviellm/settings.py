"""What every service can be told by its environment; each room adds its own in its `settings.py`."""

import sys
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


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
                print(f"{variable_name(cls, problem['loc'])}: {problem['msg']}", file=sys.stderr)
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


def variable_name(cls: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind a field, for messages."""
    field = str(location[0]) if location else ""
    info = cls.model_fields.get(field)
    if info is None or info.validation_alias is not None:
        return field
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()
