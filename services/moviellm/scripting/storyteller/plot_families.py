"""The families of plots by the genre that a theme asks for."""

from moviellm.scripting.storyteller.plot_family import Family
from moviellm.scripting.storyteller.plots_of_deeds import MYSTERY, QUEST, RIVALRY
from moviellm.scripting.storyteller.plots_of_feeling import LOSS, LOVE

FAMILIES: dict[str, Family] = {"love": LOVE, "mystery": MYSTERY, "quest": QUEST, "rivalry": RIVALRY, "loss": LOSS}
