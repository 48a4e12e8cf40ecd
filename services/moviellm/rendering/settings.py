"""What the rendering service can be told by its environment."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from moviellm.settings import ServiceSettings


class RenderingSettings(ServiceSettings):
    """Settings of the rendering service; environment variables start with MOVIELLM_RENDERING_."""

    model_config = SettingsConfigDict(
        env_prefix="MOVIELLM_RENDERING_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    listen: str = Field(default="127.0.0.1:8603", pattern=r"^.+:\d{1,5}$")
    """Address and port of Ray Serve's gRPC proxy; port 0 takes a free one and logs it."""

    metrics_listen: str = Field(default="127.0.0.1:8703", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint, which passes on the figures of a Ray of the service's own."""

    model: str = Field(default="pocket", min_length=1)
    """"pocket", a directory that holds a Stable-Diffusion-family pipeline, or a hub id such as org/name."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the pipeline runs; cuda needs gpus_per_replica above 0."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the weights; auto is float32 on a CPU and half precision on a GPU."""

    offline: bool = False
    """Load the model from local files only, never from a hub."""

    replicas: int = Field(default=1, ge=1)
    """How many copies of the pipeline are loaded."""

    cpus_per_replica: float = Field(default=1.0, gt=0)
    """CPUs that Ray reserves for one replica."""

    gpus_per_replica: float = Field(default=0.0, ge=0)
    """GPUs that Ray reserves for one replica; a replica with 0 sees no GPU; fractions share one."""

    torch_threads: int = Field(default=1, ge=0)
    """CPU threads of torch in one replica; 0 leaves the choice to torch."""

    max_batch_size: int = Field(default=8, ge=1, le=256)
    """The most pictures that are denoised together."""

    pad_batches: bool = True
    """Fill every batch up to its full size, so that a picture's bytes do not depend on what it was batched with."""

    batch_wait_seconds: float = Field(default=0.02, ge=0, le=10)
    """How long a batch that is not full waits for more pictures."""

    max_waiting: int = Field(default=1024, ge=1)
    """The most pictures that may wait in one replica; further scenes are told to come back later."""

    profile: Literal["", "turbo", "lcm", "lightning"] = ""
    """The way of sampling of requests that name none; empty for the model's own."""

    profiles: dict[str, str] = Field(default_factory=dict)
    """Few-step ways of sampling as JSON: turbo, lcm, lightning, each with its LoRA file, or "" for a model made so."""

    refiner: str = ""
    """The refiner of an SDXL model, a directory or hub id; empty for none. Requests say which share it takes."""

    ip_adapter: str = ""
    """The .safetensors file of an IP-Adapter that holds looks by their pictures; empty for none."""

    ip_adapter_scale: float = Field(default=0.6, gt=0, le=1)
    """How much pictures attend to an IP-Adapter's look beside the prompt's words."""

    attention_slicing: bool = False
    """Save GPU memory by computing attention in slices; does not go with ip_adapter."""

    vae_slicing: bool = False
    """Save GPU memory by decoding the pictures of a batch one by one."""

    vae_tiling: bool = False
    """Save GPU memory by decoding large pictures in tiles."""

    styles_kept: int = Field(default=64, ge=1)
    """How many learnt styles a replica keeps in memory."""

    scorer: str = Field(default="pocket", min_length=1)
    """The CLIP that scores pictures: "pocket", the directory of a CLIPModel, or "none"; loaded when first needed."""

    safety_checker: str = ""
    """The directory of diffusers' StableDiffusionSafetyChecker, such as a pipeline's safety_checker; empty for none."""

    ray_address: str = ""
    """A Ray cluster to join, such as 10.0.0.5:6379; empty to start one of its own that ends with the service."""

    object_store_mb: int = Field(default=100, ge=80)
    """Memory in MiB that the service's own Ray reserves for objects; pictures do not travel through it."""

    @model_validator(mode="after")
    def _cuda_needs_a_gpu(self) -> Self:
        if self.device == "cuda" and self.gpus_per_replica == 0:
            raise ValueError("device cuda needs MOVIELLM_RENDERING_GPUS_PER_REPLICA above 0, such as 1")
        return self

    @model_validator(mode="after")
    def _slices_or_adapter(self) -> Self:
        if self.attention_slicing and self.ip_adapter:
            raise ValueError(
                "attention in slices cannot look at pictures: leave MOVIELLM_RENDERING_ATTENTION_SLICING or "
                "MOVIELLM_RENDERING_IP_ADAPTER out"
            )
        return self
