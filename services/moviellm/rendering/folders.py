"""Directories that settings name, looked at before anything is started or loaded."""

from moviellm.pipelines.image_adapters import adapter_place
from moviellm.pipelines.scorers import NO_SCORER, checker_folder, scorer_folder
from moviellm.rendering.profiles import check_profiles
from moviellm.rendering.settings import RenderingSettings

SCORER = "MOVIELLM_RENDERING_SCORER"
SAFETY_CHECKER = "MOVIELLM_RENDERING_SAFETY_CHECKER"
IP_ADAPTER = "MOVIELLM_RENDERING_IP_ADAPTER"
PROFILES = "MOVIELLM_RENDERING_PROFILES"
REFINER = "MOVIELLM_RENDERING_REFINER"


def check_folders(settings: RenderingSettings) -> None:
    """Raise Unsatisfied, naming the setting and the remedy, for a model beside the picture model that is not there."""
    if settings.scorer != NO_SCORER:
        scorer_folder(settings.scorer, SCORER)
    if settings.safety_checker:
        checker_folder(settings.safety_checker, SAFETY_CHECKER)
    if settings.ip_adapter:
        adapter_place(settings.ip_adapter, IP_ADAPTER)
    check_profiles(settings.profiles, settings.profile, PROFILES)
