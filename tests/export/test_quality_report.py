"""quality.json, and what finds pictures that look alike."""

import asyncio
import io
import json
from dataclasses import replace

import pytest
from export_fixtures import stage_at, write_dataset
from PIL import Image, ImageEnhance
from sample_dataset import SPEC, jpeg, moment, write_sample

from moviellm.dataset import QualitySpec
from moviellm.errors import Broken
from moviellm.export.look_alikes import MOST_BITS, LookAlikes, Print, look_alikes
from moviellm.export.pillow_fingerprint import fingerprint

ONE = replace(SPEC, movies=1, formats=("llava_next",), quality=QualitySpec(2, 0.3))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a movie with bad attempts, measures and mends."""

    async def export():
        async with stage_at(tmp_path_factory.mktemp("quality")) as stage:
            await write_sample(stage.store, ONE, size=128, distinct=5)
            await stage.export_all(ONE)
            return json.loads((stage.files() / "quality.json").read_text())

    return asyncio.run(export())


def test_attempts_and_verdicts_are_counted(report):
    (movie,) = report["movies"]
    assert (movie["frames"], movie["rendered_again"], movie["kept_with_fault"]) == (54, 11, 1)
    assert movie["attempts"] == 54 + 11
    assert movie["verdicts"] == {"below threshold": 4, "black": 6, "flat": 2}
    assert movie["dropped"] == {"not unique": 14}
    assert movie["mends"] == {"unknown location": 1}
    assert report["asked"] == {"attempts": 2, "min_score": 0.3, "ablation": False}


def test_the_measures_stand_beside_the_papers(report):
    (movie,) = report["movies"]
    assert movie["measures"]["pictures"] == 54
    assert (movie["sample"]["pictures"], movie["plain"]["neighbour_score"]) == (12, 0.7012)
    assert report["dataset"]["measures"] == movie["measures"]
    assert report["paper"][-1] == {"what": "both", "clip_score": 0.8304, "lpips": 0.5316}


def test_pictures_that_are_used_again_in_other_scenes_are_found(report):
    (movie,) = report["movies"]
    assert movie["look_alikes"]["count"] > 30
    first = movie["look_alikes"]["pairs"][0]
    assert first["bits"] == 0
    assert first["second"] - first["first"] >= 5


async def test_without_measures_the_report_says_so(tmp_path):
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store)
        await stage.export_all()
        report = json.loads((stage.files() / "quality.json").read_text())
    assert report["dataset"]["measures"] is None
    assert [movie["number"] for movie in report["movies"]] == [1, 2]
    assert report["dataset"]["frames"] == report["dataset"]["attempts"] == 24


def changed(data, size=256, quality=90, brightness=1.0):
    image = Image.open(io.BytesIO(data)).resize((size, size))
    out = io.BytesIO()
    ImageEnhance.Brightness(image).enhance(brightness).save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.mark.parametrize("change", [{"size": 200}, {"quality": 50}, {"brightness": 0.8}])
def test_fingerprints_survive_small_changes_and_tell_pictures_apart(change):
    pictures = [jpeg(moment(1, chapter, scene, 1).picture, 256) for chapter in (1, 2, 3) for scene in (1, 2)]
    prints = [fingerprint(picture) for picture in pictures]
    for picture, bits in zip(pictures, prints, strict=True):
        assert (fingerprint(changed(picture, **change)) ^ bits).bit_count() <= MOST_BITS
    differences = [(one ^ other).bit_count() for index, one in enumerate(prints) for other in prints[:index]]
    assert min(differences) > MOST_BITS


def test_what_is_no_picture_has_no_fingerprint():
    with pytest.raises(Broken, match="not a picture"):
        fingerprint(b"GIF89a nothing")


def test_only_frames_of_other_scenes_are_compared():
    prints = [Print(1, (1, 1), 0b0), Print(2, (1, 1), 0b0), Print(3, (1, 2), 0b1), Print(4, (1, 3), 0b1)]
    assert look_alikes(prints, most_bits=0) == [LookAlikes(3, 4, 0)]
    assert look_alikes(prints, most_bits=1) == [LookAlikes(1, 3, 1), LookAlikes(3, 4, 0)]
