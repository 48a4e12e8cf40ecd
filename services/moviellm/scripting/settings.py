"""What the scripting service can be told by its environment."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from moviellm.llm.settings import LlmSettings
from moviellm.settings import ServiceSettings


class ScriptingSettings(LlmSettings, ServiceSettings):
    """Variables are named MOVIELLM_SCRIPTING_<FIELD>."""

    model_config = SettingsConfigDict(
        env_prefix="MOVIELLM_SCRIPTING_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    llm_choice: ClassVar[str] = "writer"

    listen: str = Field(default="127.0.0.1:8601", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server."""

    metrics_listen: str = Field(default="127.0.0.1:8701", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    tokenizer: Path | None = None
    """The picture model's tokenizer.json, or its folder, to measure prompts with; a careful guess for CLIP without."""

    writer: Literal["storyteller", "openai"] = "storyteller"
    """Who writes: storyteller needs no network and no key, openai asks an OpenAI-compatible endpoint."""
