"""What came out, beside what would have come out undisturbed."""

import io
import json
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from moviellm.artifacts import DatasetKeys, digest

ROUNDING = 2.0
"""Mean difference of two pictures' pixels, of 255, that a batch of another size may make."""

TEXTS = ("qa.json", ".srt", ".vtt")


@dataclass
class Verdict:
    """Figures of one run; `wrong` is empty where every promise was kept."""

    figures: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)

    def expect(self, holds, sentence):
        if not holds:
            self.wrong.append(sentence)

    def table(self):
        width = max(map(len, self.figures))
        lines = [f"  {name:<{width}}  {value}" for name, value in self.figures.items()]
        return "\n".join([*lines, *(f"  WRONG: {sentence}" for sentence in self.wrong)])


async def files_of(store, identifier):
    """Every file that a requester downloads: path → bytes."""
    root = DatasetKeys(identifier).files
    return {entry.key.removeprefix(f"{root}/"): await store.get(entry.key) async for entry in store.list(root)}


async def scripts_of(store, identifier):
    """Scripts and questions as the stages handed them on, without what tells how they came about."""
    root = f"{DatasetKeys(identifier).root}/work"
    found = {}
    async for entry in store.list(root):
        path = entry.key.removeprefix(f"{root}/")
        if any(part in path for part in ("outline.json", "chapters/", "scenes/", "questions/")):
            record = json.loads(await store.get(entry.key))
            found[path] = record.get("value", record) if isinstance(record, dict) else record
    return {path: _without_provenance(record) for path, record in found.items()}


def _without_provenance(record):
    return {name: value for name, value in record.items() if name not in ("provenance", "work", "mends", "made")}


def manifest_errors(files):
    """Files that the manifests name and that are missing or different."""
    wrong = []
    for name in [name for name in files if name.rpartition("/")[2] == "manifest.json"]:
        folder = name.rpartition("/")[0]
        listed = json.loads(files[name])
        for path, entry in {**listed["files"], **listed.get("movies", {})}.items():
            whole = f"{folder}/{path}".lstrip("/")
            if whole not in files:
                wrong.append(f"{whole} is missing")
            elif digest(files[whole]) != entry["sha256"] or len(files[whole]) != entry["bytes"]:
                wrong.append(f"{whole} differs from the manifest")
    return wrong


def compare(verdict, undisturbed, disturbed):
    """Both as (files, scripts)."""
    (files_one, scripts_one), (files_two, scripts_two) = undisturbed, disturbed
    verdict.expect(set(files_one) == set(files_two), f"other files: {sorted(set(files_one) ^ set(files_two))[:5]}")
    verdict.expect(scripts_one == scripts_two, f"other scripts or questions: {_differing(scripts_one, scripts_two)}")
    texts = [path for path in files_one if path.endswith(TEXTS)]
    other = [path for path in texts if files_one[path] != files_two.get(path)]
    verdict.expect(not other, f"other texts: {other[:5]}")
    frames = [path for path in files_one if "/frames/" in path]
    differences = [difference(files_one[path], files_two[path]) for path in frames if path in files_two]
    equal = sum(files_one[path] == files_two.get(path) for path in frames)
    verdict.expect(max(differences, default=0) <= ROUNDING, f"frames differ by up to {max(differences, default=0):.1f}")
    verdict.figures |= {
        "frames": len(frames),
        "frames equal to the bit": equal,
        "largest difference of a frame, of 255": round(max(differences, default=0), 3),
        "scripts and question sets": len(scripts_one),
    }


def _differing(one, two):
    return [path for path in sorted({*one, *two}) if one.get(path) != two.get(path)][:5]


def difference(one, two):
    """Mean absolute difference of two pictures, of 255."""
    if one == two:
        return 0.0
    first, second = (np.asarray(Image.open(io.BytesIO(data)), dtype=float) for data in (one, two))
    return float(np.abs(first - second).mean()) if first.shape == second.shape else 255.0
