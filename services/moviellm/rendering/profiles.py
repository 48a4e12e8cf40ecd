"""Few-step ways of sampling and what each samples with, by name."""

from collections.abc import Mapping
from pathlib import Path

from moviellm.errors import Unsatisfied
from moviellm.rendering.picture import RenderProfile

PROFILES: Mapping[str, RenderProfile] = {
    profile.name: profile
    for profile in (
        RenderProfile("turbo", steps=4, guidance_scale=1.0),
        RenderProfile("lcm", steps=4, guidance_scale=1.0),
        RenderProfile("lightning", steps=4, guidance_scale=1.0),
    )
}
"""Steps and guidance as published with the models of those names: distilled so that they need no guidance."""


def check_profiles(configured: Mapping[str, str], default: str, setting: str) -> None:
    """Raise Unsatisfied, naming the setting and the remedy, for profiles that cannot be had.

    `configured` has the LoRA file of each, "" where the model was distilled that way itself.
    """
    if unknown := sorted(configured.keys() - PROFILES.keys()):
        raise Unsatisfied(f"{setting}: {unknown[0]} is unknown; known profiles: {', '.join(PROFILES)}")
    for name, file in configured.items():
        if file and not (Path(file).is_file() and file.endswith(".safetensors")):
            raise Unsatisfied(
                f'{setting}: {name}: {file} is no .safetensors file: give the LoRA of the profile, or "" where the '
                "model itself was distilled that way"
            )
    if default and default not in configured:
        raise Unsatisfied(f"{setting}: has no {default}, which is the default profile: add it")
