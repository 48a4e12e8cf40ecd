"""What the question service can be told by its environment (MOVIELLM_QA_…)."""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from moviellm.llm.settings import LlmSettings
from moviellm.settings import ServiceSettings


class QaSettings(LlmSettings, ServiceSettings):
    """Settings of the question service."""

    model_config = SettingsConfigDict(env_prefix="MOVIELLM_QA_", frozen=True, extra="ignore", env_ignore_empty=True)

    llm_choice: ClassVar[str] = "asker"

    listen: str = Field(default="127.0.0.1:8604", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server; port 0 takes a free one and logs it."""

    metrics_listen: str = Field(default="127.0.0.1:8704", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    asker: Literal["facts", "openai"] = "facts"
    """facts asks from the script's own facts, openai has a language model ask and judge."""
