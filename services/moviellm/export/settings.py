"""What the export service can be told by its environment (MOVIELLM_EXPORT_…)."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from moviellm.settings import ServiceSettings


class ExportSettings(ServiceSettings):
    """Settings of the export service."""

    model_config = SettingsConfigDict(env_prefix="MOVIELLM_EXPORT_", frozen=True, extra="ignore", env_ignore_empty=True)

    listen: str = Field(default="127.0.0.1:8605", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server."""

    metrics_listen: str = Field(default="127.0.0.1:8705", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    max_concurrent: int = Field(default=1, ge=1, le=64)
    """Exports that may run at once; further calls wait for their turn."""

    video_height: int = Field(default=512, ge=64, le=4320)
    """Least height of movie.mp4 in pixels: smaller pictures are enlarged to it, larger ones keep their size."""

    video_rate: float = Field(default=2, gt=0, le=60)
    """Least pictures a second of movie.mp4: key frames are repeated until there are so many, as some players need."""

    shard_megabytes: int = Field(default=64, ge=1, le=4000)
    """A shard or table of a format is closed before it would grow beyond this size."""

    sample_frames: int = Field(default=16, ge=2, le=256)
    """Most pictures in a record that shows its evidence as pictures, spread evenly over the evidence."""

    validation_share: float = Field(default=0.05, ge=0, le=0.4)
    """Share of movies that validate, rounded down; with few movies all of them train."""

    test_share: float = Field(default=0.05, ge=0, le=0.4)
    """Share of movies that test, rounded down."""

    feature_encoder: str = ""
    """Folder of a vision encoder (CLIP or EVA, transformers layout) for feature files; empty for none."""

    license: str = Field(default="apache-2.0", pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    """Licence identifier for the dataset card; set it to what the deployment's models allow."""

    model_licenses: dict[str, str] = Field(default_factory=dict)
    """Licences of the models in use, for the dataset card: a JSON object from a model's name to its licence."""
