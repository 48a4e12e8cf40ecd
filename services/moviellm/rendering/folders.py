"""Directories that settings name, looked at before anything is started or loaded."""

from moviellm.pipelines.scorers import NO_SCORER, checker_folder, scorer_folder
from moviellm.rendering.settings import RenderingSettings

SCORER = "MOVIELLM_RENDERING_SCORER"
SAFETY_CHECKER = "MOVIELLM_RENDERING_SAFETY_CHECKER"


def check_folders(settings: RenderingSettings) -> None:
    """Raise Unsatisfied, naming the setting and the remedy, for a scorer or a safety checker that is not there."""
    if settings.scorer != NO_SCORER:
        scorer_folder(settings.scorer, SCORER)
    if settings.safety_checker:
        checker_folder(settings.safety_checker, SAFETY_CHECKER)
