"""What every room that talks with a language model can be told by its environment."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from moviellm.settings import Settings


class LlmSettings(Settings):
    """Settings of a language model's endpoint, to be mixed into a room's own."""

    llm_choice: ClassVar[str]
    """The name of the room's setting that says openai where a language model is wanted."""

    llm_base_url: str = Field(default="https://api.openai.com/v1", pattern=r"^https?://[^/\s]+", repr=False)
    """The language model's endpoint, any that speaks OpenAI's chat completions, such as http://vllm:8000/v1."""

    llm_model: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    """The language model's name at the endpoint; needed where a language model is chosen."""

    llm_api_key: SecretStr = SecretStr("")
    """The endpoint's key; empty for an endpoint that needs none. Not used where llm_api_key_file is given."""

    llm_api_key_file: Path | None = None
    """A file that holds the key, such as a mounted secret; wins over llm_api_key."""

    llm_timeout_seconds: float = Field(default=120.0, gt=0)
    """How long one answer of the language model may take."""

    llm_max_concurrency: int = Field(default=8, ge=1)
    """How many requests to the endpoint may be under way at once."""

    llm_requests_per_minute: int = Field(default=0, ge=0)
    """The most requests this process sends in any minute; 0 for no limit."""

    llm_tokens_per_minute: int = Field(default=0, ge=0)
    """The most tokens, sent and received, this process uses in any minute; 0 for no limit."""

    llm_patience_seconds: float = Field(default=20.0, ge=0)
    """The longest wait that an endpoint may ask for (Retry-After) which is waited out; longer ones are handed on."""

    llm_max_tokens: int = Field(default=0, ge=0)
    """The most tokens one reply may have; 0 leaves that to the endpoint. Useful for small models that ramble."""

    llm_cache: bool = True
    """Whether accepted replies are kept in the artifact store, so that the same question is paid once."""

    @field_validator("llm_api_key")
    @classmethod
    def _sendable(cls, key: SecretStr) -> SecretStr:
        return SecretStr(_checked_key(key.get_secret_value()))

    @field_validator("llm_api_key_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                text = path.read_text()
            except (OSError, UnicodeDecodeError):
                raise PydanticCustomError("key_file", "must be a readable text file that holds the key") from None
            _checked_key(text)
        return path

    @model_validator(mode="after")
    def _model_is_named(self) -> Self:
        if getattr(self, self.llm_choice) == "openai" and not self.llm_model:
            missing = PydanticCustomError(
                "model_missing", "{choice} openai needs the name of a language model", {"choice": self.llm_choice}
            )
            problem = InitErrorDetails(type=missing, loc=("llm_model",), input=self.llm_model)
            raise ValidationError.from_exception_data(type(self).__name__, [problem])
        return self

    def api_key(self) -> str:
        """The key, from its file where one is given; empty where the endpoint needs none."""
        if self.llm_api_key_file is not None:
            return self.llm_api_key_file.read_text().strip()
        return self.llm_api_key.get_secret_value()


def _checked_key(key: str) -> str:
    """The key without white space around it; raises for one that no HTTP header can carry."""
    key = key.strip()
    if not all("!" <= character <= "~" for character in key):
        raise PydanticCustomError("key", "must be one line of printable ASCII without spaces")
    return key
