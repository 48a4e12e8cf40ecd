"""What the scripting service can be told by its environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from moviellm.settings import ServiceSettings


class ScriptingSettings(ServiceSettings):
    """Variables are named MOVIELLM_SCRIPTING_<FIELD>."""

    model_config = SettingsConfigDict(
        env_prefix="MOVIELLM_SCRIPTING_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    listen: str = Field(default="127.0.0.1:8601", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server."""

    metrics_listen: str = Field(default="127.0.0.1:8701", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    writer: Literal["storyteller", "openai"] = "storyteller"
    """Who writes: storyteller needs no network and no key, openai asks an OpenAI-compatible endpoint."""

    llm_base_url: str = Field(default="https://api.openai.com/v1", pattern=r"^https?://.+")
    """The endpoint's base URL, such as http://vllm:8000/v1."""

    llm_model: str = Field(default="", validate_default=True)
    """The model's name at the endpoint; needed for the openai writer."""

    llm_api_key: SecretStr = SecretStr("")
    """The endpoint's key; empty for endpoints that want none."""

    llm_api_key_file: Path | None = None
    """A file that holds the key, such as a mounted secret; used when llm_api_key is empty."""

    llm_timeout_seconds: float = Field(default=120.0, gt=0)
    """How long one request to the endpoint may take."""

    llm_max_concurrency: int = Field(default=8, ge=1)
    """How many requests to the endpoint may be under way at once."""

    @field_validator("llm_model")
    @classmethod
    def _model_is_named(cls, model: str, info: ValidationInfo) -> str:
        if info.data.get("writer") == "openai" and not model.strip():
            raise ValueError("the openai writer needs the name of a model at the endpoint")
        return model.strip()

    @field_validator("llm_api_key_file")
    @classmethod
    def _key_file_is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"there is no file {path}")
        return path

    def api_key(self) -> str:
        """The key from the setting, else from the file, else empty."""
        if self.llm_api_key.get_secret_value() or self.llm_api_key_file is None:
            return self.llm_api_key.get_secret_value()
        return self.llm_api_key_file.read_text().strip()
