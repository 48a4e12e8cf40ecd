"""What the question service can be told by its environment (MOVIELLM_QA_…)."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
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

    questions_per_movie: int = Field(default=30, ge=1, le=200)
    """The most questions that are kept about a movie as a whole."""

    questions_per_chapter: int = Field(default=12, ge=1, le=100)
    """The most questions that are kept about each chapter."""

    questions_per_scene: int = Field(default=5, ge=1, le=50)
    """The most questions that are kept about each scene."""

    questions_of_order: int = Field(default=110, ge=1, le=1000)
    """The most temporal questions that are kept over the whole script of a movie."""

    multiple_choice_share: float = Field(default=0.5, ge=0, le=1)
    """The share of questions that are posed with answers to choose from, where the movie has enough wrong ones."""

    prompts_folder: Path | None = None
    """A folder whose .md files replace the built-in prompts of the same name (questions, scene, answer, judge, …)."""

    @field_validator("prompts_folder")
    @classmethod
    def _is_folder(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            raise PydanticCustomError("folder", "must be a folder")
        return path
