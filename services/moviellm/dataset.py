"""What a requester asks for, and how its units are numbered, seeded and counted. No I/O, no wire."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from moviellm.movie import Dropped, LearnedStyle, Mend, Prompt, Question, Shape, StoredFile, Work

#: What can be exported beside the movie folders: format name → who reads it.
FORMATS = {
    "llama_vid": "LLaMA-VID stage 3: conversations with movie.mp4, and with feature files where there is an encoder",
    "llama_factory": "LLaMA-Factory: messages and videos with dataset_info.json",
    "ms_swift": "ms-swift: messages and videos, one JSON a line",
    "llava_next": "LLaVA-NeXT: conversations with movie.mp4",
    "qwen_vl": "Qwen-VL finetuning: conversations with <video>",
    "video_chatgpt": "Video-ChatGPT: conversations with movie.mp4, and with feature files where there is an encoder",
    "hf_parquet": "Hugging Face datasets: parquet with pictures inside",
    "imagefolder": "Hugging Face datasets: imagefolder with metadata.jsonl",
    "webdataset": "webdataset: tar shards of frames with their records",
    "mds": "MosaicML streaming: MDS shards of questions with their pictures",
}

#: What is exported when a request names no formats.
DEFAULT_FORMATS = ("llava_next", "webdataset")

MAX_ATTEMPTS = 8
"""Most pictures rendered of one frame."""

MAX_VECTORS = 16
"""Most vectors learnt for one style."""

MAX_PLOT_BYTES = 8 * 1024 * 1024
"""Size of a requester's own plot at most."""


PICTURE_SIDES = range(64, 2049)
"""Widths and heights in pixels that may be asked for, those that are multiples of `SIDE_STEP`."""

SIDE_STEP = 8
"""Pixels of a picture to one of its latents."""

MAX_STEPS = 200
"""Most denoising steps of a picture."""

MAX_GUIDANCE = 30.0
"""Highest scale of classifier-free guidance."""

MAX_REFINER_SHARE = 0.9
"""Largest share of the steps that a refiner may take."""

MAX_NEGATIVE_PROMPT = 2000
"""Most characters of what pictures shall not show."""

RENDER_PROFILES = ("turbo", "lcm", "lightning")
"""Few-step ways of sampling by name; which of them a deployment has, it says itself."""


class StyleMethod(StrEnum):
    """How a look is held through a movie.

    By a learnt embedding (the paper's way), by words in every prompt, by learnt low-rank changes of the picture model,
    or by letting the picture model look at the references through an adapter.
    """

    TEXTUAL_INVERSION = "textual_inversion"
    PROMPT = "prompt"
    LORA = "lora"
    IP_ADAPTER = "ip_adapter"


@dataclass(frozen=True)
class StyleSpec:
    """The look that was asked for: a preset by name or a description; `pictures` counts the requester's own.

    `vectors` is how many vectors textual inversion learns, at most `MAX_VECTORS`; 0 is the model's own recipe.
    """

    preset: str = ""
    description: str = ""
    pictures: int = 0
    method: StyleMethod = StyleMethod.TEXTUAL_INVERSION
    vectors: int = 0


@dataclass(frozen=True)
class QualitySpec:
    """How good a frame must be: the best of `attempts` is kept, or the first with a CLIP-Score of `min_score` (0 to 1).

    With `ablation` a sample of frames is rendered without style immobilization too, and both are measured.
    """

    attempts: int = 1
    min_score: float = 0.0
    ablation: bool = False


@dataclass(frozen=True)
class RenderSpec:
    """How frames are sampled; 0 and empty mean the picture model's own.

    `refiner_share` is the share of the steps, 0 to `MAX_REFINER_SHARE`, that a refiner takes.
    """

    width: int = 0
    height: int = 0
    steps: int = 0
    guidance_scale: float = 0.0
    negative_prompt: str = ""
    profile: str = ""
    refiner_share: float = 0.0


@dataclass(frozen=True)
class PlotSpec:
    """The requester's own plot: how far it goes ("outline", "script", "story", or empty) and its digest."""

    level: str = ""
    digest: str = ""


@dataclass(frozen=True)
class MovieDatasetSpec:
    """A request with its defaults filled in; the same fields as the message of this name."""

    theme: str
    movies: int = 1
    chapters: int = 3
    scenes: int = 3
    frames: int = 6
    style: StyleSpec = StyleSpec()
    seed: int = 0
    formats: tuple[str, ...] = DEFAULT_FORMATS
    model: str = "pocket"
    frames_per_second: float = 1.0
    dialogue_lines: int = 6
    quality: QualitySpec = QualitySpec()
    max_llm_tokens: int = 0
    prompts: tuple[Prompt, ...] = ()
    plot: PlotSpec = PlotSpec()
    learn_characters: bool = False
    render: RenderSpec = RenderSpec()

    @property
    def shape(self) -> Shape:
        """The size of each movie."""
        return Shape(self.chapters, self.scenes, self.frames)


class Stage(StrEnum):
    """The stages of the pipeline, in order."""

    SCRIPTING = "scripting"
    INVERSION = "inversion"
    RENDERING = "rendering"
    QA = "qa"
    EXPORT = "export"


class State(StrEnum):
    """Where a dataset stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"

    @property
    def is_final(self) -> bool:
        """Whether the dataset stays so until somebody asks for something else."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Trouble:
    """What went wrong, where, after how many attempts, what to do, and under which trace the logs tell of it."""

    service: str
    reason: str
    message: str
    unit: str = ""
    attempts: int = 1
    remedy: str = ""
    trace: str = ""


@dataclass(frozen=True)
class StageProgress:
    """How far one stage of one dataset is; `partial` is the mean progress of units under way, 0 to 1."""

    stage: Stage
    unit: str
    done: int
    total: int
    in_progress: int = 0
    partial: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """What a request will cost, known before it runs."""

    frames: int
    llm_tokens: int
    gpu_seconds: float
    size_bytes: int
    cost: float = 0.0


@dataclass(frozen=True)
class ModelUse:
    """What one language model has been sent and has answered; `cost` is in the currency of the price table."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cost: float = 0.0


# ---- records the controller keeps in the store for itself and for the exporter ----


@dataclass(frozen=True)
class MovieStyle:
    """How a movie's look was fixed: the pictures it was learnt from and what was learnt (held-out losses)."""

    learned: LearnedStyle
    references: tuple[StoredFile, ...]
    initial_loss: float = 0.0
    final_loss: float = 0.0
    steps: int = 0


@dataclass(frozen=True)
class RenderedFrame:
    """One key frame as it was rendered; `number` counts through the movie, seconds are its share of the batch."""

    number: int
    prompt: str
    seed: int
    file: StoredFile
    model: str = ""
    node_pool: str = ""
    seconds: float = 0.0
    attempts: "tuple[Attempt, ...]" = ()


@dataclass(frozen=True)
class Attempt:
    """One try at a picture: its seed, its CLIP-Score against its text (0 to 1) and what is wrong with it, if any."""

    seed: int
    score: float = 0.0
    verdict: str = ""


@dataclass(frozen=True)
class PictureMeasures:
    """Figures of a sequence of pictures, as in the paper's table of ablations; `scores` has one entry a picture.

    Scores are cosines cut at 0, so 0 to 1; distances are 0 for equal pictures and have no upper bound.
    """

    pictures: int
    text_score: float
    neighbour_score: float
    neighbour_distance: float
    style_color_distance: float
    style_gram_distance: float
    scores: tuple[float, ...]
    scorer: str


NOT_MEASURED = PictureMeasures(0, 0.0, 0.0, 0.0, 0.0, 0.0, (), "")
"""What a deployment without a scorer finds."""


@dataclass(frozen=True)
class MovieQuality:
    """A movie's figures; of no pictures where the deployment has no scorer.

    `sample` and `plain` are the same frames with and without the learnt style (the ablation).
    """

    measures: PictureMeasures
    sample: PictureMeasures | None = None
    plain: PictureMeasures | None = None


@dataclass(frozen=True)
class Mends:
    """What was wrong with an imported plot."""

    mends: tuple[Mend, ...]


@dataclass(frozen=True)
class Provenance:
    """How an artifact came about: the SHA-256 of the request it was made from, what it cost, what had to be mended."""

    made_from: str
    work: Work = field(default_factory=Work)
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True)
class RenderedScene:
    """All key frames of one scene, in order."""

    frames: tuple[RenderedFrame, ...]


@dataclass(frozen=True)
class Questions:
    """The questions about one part of a movie, and how many were not good enough, by reason."""

    questions: tuple[Question, ...]
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True)
class Exported:
    """What an export made."""

    files: tuple[StoredFile, ...]


def derived_seed(seed: int, *path: int | str) -> int:
    """A seed for one part of a dataset, 0 ≤ value < 2**63, independent of order, batch and replica.

    `path` names the part: ("movie", 2, "scene", 1, 3). Neighbouring parts get unrelated seeds.
    """
    name = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
