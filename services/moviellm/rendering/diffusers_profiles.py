"""A pipeline that samples in several ways: each profile has a scheduler and, where it needs one, a LoRA."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffusers import (
    DiffusionPipeline,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
)

from moviellm.errors import Unsatisfied

_SCHEDULERS: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "turbo": (EulerAncestralDiscreteScheduler, {"timestep_spacing": "trailing"}),
    "lcm": (LCMScheduler, {}),
    "lightning": (EulerDiscreteScheduler, {"timestep_spacing": "trailing"}),
}


class Profiles:
    """Switches one pipeline between its own way of sampling, "", and the configured ones.

    LoRAs stay loaded beside the weights and are switched on for their profile alone.
    """

    def __init__(self, pipe: DiffusionPipeline, files: Mapping[str, str], *, setting: str) -> None:
        self._pipe = pipe
        self._schedulers: dict[str, Any] = {"": pipe.scheduler}
        self._with_lora = {name for name, file in files.items() if file}
        for name, file in files.items():
            cls, options = _SCHEDULERS[name]
            try:
                self._schedulers[name] = cls.from_config(pipe.scheduler.config, **options)
                if file:
                    path = Path(file)
                    pipe.load_lora_weights(
                        str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True
                    )
            except Exception as error:  # libraries read this file, each with errors of its own
                first = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise Unsatisfied(f"{setting}: {name}: {file} does not fit the model: {first}") from error
        self._used = ""
        self._switch("")

    @property
    def names(self) -> tuple[str, ...]:
        """Those beside the pipeline's own."""
        return tuple(name for name in self._schedulers if name)

    def use(self, name: str) -> None:
        """Sample so from now on."""
        if name != self._used:
            self._switch(name)

    def _switch(self, name: str) -> None:
        self._pipe.scheduler = self._schedulers[name]
        if self._with_lora:
            if name in self._with_lora:
                self._pipe.enable_lora()
                self._pipe.set_adapters(name)
            else:
                self._pipe.disable_lora()
        self._used = name
