"""What the question service can be told by its environment (MOVIELLM_QA_…)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from moviellm.settings import ServiceSettings


class QaSettings(ServiceSettings):
    """Settings of the question service."""

    model_config = SettingsConfigDict(env_prefix="MOVIELLM_QA_", frozen=True, extra="ignore", env_ignore_empty=True)

    listen: str = Field(default="127.0.0.1:8604", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server; port 0 takes a free one and logs it."""

    metrics_listen: str = Field(default="127.0.0.1:8704", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    asker: Literal["facts", "openai"] = "facts"
    """facts asks from the script's own facts, openai has a language model ask and judge."""

    llm_base_url: str = Field(default="https://api.openai.com/v1", pattern=r"^https?://[^/\s]+")
    """The language model's endpoint, any that speaks OpenAI's chat completions with JSON schemas."""

    llm_model: str = Field(default="", validate_default=True)
    """The language model's name at the endpoint; needed with asker openai."""

    llm_api_key: SecretStr = SecretStr("")
    """The endpoint's key; empty for an endpoint that needs none."""

    llm_api_key_file: Path | None = Field(default=None, validate_default=True)
    """A file that holds the key, such as a mounted secret; wins over llm_api_key."""

    llm_timeout_seconds: float = Field(default=120.0, gt=0)
    """How long one answer of the language model may take."""

    @field_validator("llm_model")
    @classmethod
    def _named(cls, model: str, info: ValidationInfo) -> str:
        if info.data.get("asker") == "openai" and not model.strip():
            raise PydanticCustomError("model_missing", "asker openai needs the name of a language model")
        return model.strip()

    @field_validator("llm_api_key_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                path.read_text()
            except (OSError, UnicodeDecodeError):
                raise PydanticCustomError("key_file", "must be a readable text file that holds the key") from None
        return path

    def api_key(self) -> str:
        """The key, from its file where one is given; empty where the endpoint needs none."""
        if self.llm_api_key_file is not None:
            return self.llm_api_key_file.read_text().strip()
        return self.llm_api_key.get_secret_value().strip()
