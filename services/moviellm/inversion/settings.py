"""What the inversion service can be told by its environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from moviellm.settings import ServiceSettings


class InversionSettings(ServiceSettings):
    """Settings of the inversion service."""

    model_config = SettingsConfigDict(
        env_prefix="MOVIELLM_INVERSION_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    listen: str = Field(default="127.0.0.1:8602", pattern=r"^.+:\d{1,5}$")
    """Address and port of the gRPC server; port 0 takes a free one and logs it."""

    metrics_listen: str = Field(default="127.0.0.1:8702", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    model: str = Field(default="pocket", min_length=1)
    """The model whose style is learnt: "pocket", a pipeline directory, or a hub id; the renderer's own."""

    local_files_only: bool = False
    """Whether to load hub models from the local cache alone, never over the network."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes the GPU when there is one."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the frozen weights; auto is float32 on a CPU and bfloat16 on a GPU."""

    torch_threads: int = Field(default=1, ge=0, le=256)
    """CPU threads of the optimisation; on a shared machine one is faster than two. 0 leaves torch's own choice."""

    steps: int = Field(default=0, ge=0, le=10_000)
    """Optimisation steps of requests that name none; 0 is the model's own recipe (pocket 60, others 400)."""

    learning_rate: float = Field(default=0.0, ge=0, le=1)
    """First learning rate; 0 is the model's own recipe (pocket 0.004, others 0.001)."""

    batch_size: int = Field(default=0, ge=0, le=64)
    """Pictures a step; 0 is the model's own recipe (pocket 4, others 2)."""

    lora_rank: int = Field(default=0, ge=0, le=128)
    """Rank of a LoRA's changes of each layer; 0 is the model's own recipe (pocket 4, others 8)."""

    lora_learning_rate: float = Field(default=0.0, ge=0, le=1)
    """First learning rate of LoRAs; 0 is the model's own recipe (pocket 0.002, others 0.0001)."""

    ip_adapter: str = ""
    """The .safetensors file of an IP-Adapter with its image_encoder directory beside it; the renderer's own."""

    checkpoint_every: int = Field(default=50, ge=1)
    """Steps between checkpoints in the artifact store."""

    max_waiting: int = Field(default=8, ge=0)
    """Calls that may wait while one optimisation runs; more are told to come back later."""

    gradient_checkpointing: bool = False
    """Whether to save GPU memory by computing activations twice; for large models on small GPUs."""

    attention_slicing: bool = False
    """Whether to save GPU memory by computing attention in slices."""

    vae_tiling: bool = False
    """Whether to save GPU memory by encoding large reference pictures in tiles."""
