"""What the gate says of the real sources, pinned: everything but what is listed here passes in silence.

docs/gates.md explains each of these; a new one is either a leak or a false alarm to be explained there.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from medloom.builders.catalog import names
from medloom.cards.gates.privacy import privacy
from medloom.cards.gates.verdict import Level
from medloom.schema.release import Release

SUSPECTED, FACE, HEADS = "burned-in-suspected", "face-visible", "heads-not-rendered"
KNOWN: dict[str, dict[str, int]] = {
    "brain_tumor_mri": {HEADS: 163},
    "brain_tumor_yolo": {HEADS: 150},
    "covid_chestxray_boxes": {SUSPECTED: 42},
    "dcm_qa_ct": {FACE: 1},
    "hip_ultrasound_spj": {SUSPECTED: 51},
    "kvasir_seg_mini": {SUSPECTED: 5},
    "package_samples": {SUSPECTED: 76, HEADS: 63},
    "phantom": {SUSPECTED: 28},
    "pydicom_data": {SUSPECTED: 38, HEADS: 50},
    "pyradiomics_nrrd": {FACE: 2},
}
"""Source → code of what doesn't pass → count."""


@pytest.mark.parametrize("name", names())
def test_a_real_source_raises_no_alarm_that_isnt_explained(name: str, built):
    release, _ = built(name)
    verdicts = privacy(Release.open(release))
    assert [one.code for one in verdicts if one.level is Level.REFUSE] == []
    assert {one.code: one.count for one in verdicts if one.level is Level.WARN} == KNOWN.get(name, {})


def test_renderings_lie_beside_the_release_and_show_something(built):
    release, _ = built("pyradiomics_nrrd")
    before = sorted(path for path in release.rglob("*") if path.is_file())
    privacy(Release.open(release))
    assert sorted(path for path in release.rglob("*") if path.is_file()) == before
    renderings = sorted((release.with_name(release.name + ".work") / "gate" / "faces").glob("*.png"))
    assert [path.name.split("-")[0] for path in renderings] == ["face", "face"]
    for path in renderings:
        with Image.open(path) as picture:
            pixels = np.asarray(picture)
        assert pixels.shape[0] > 150
        assert (pixels > 100).mean() > 0.2


@pytest.mark.parametrize(("name", "volumes"), [("niivue_atlases", 2), ("msd_hippocampus", 60)])
def test_skull_stripped_and_cropped_heads_show_no_face(name: str, volumes: int, built):
    release, _ = built(name)
    (found,) = [one for one in privacy(Release.open(release)) if one.code == "no-face-seen"]
    assert found.count == volumes


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="needs the extra `ocr`")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_days_of_examinations_are_read_in_endoscopies(built):
    release, _ = built("kvasir_seg_mini")
    (found,) = [one for one in privacy(Release.open(release), ocr=True) if one.code == "burned-in-identifier"]
    assert found.level is Level.REFUSE
    assert found.count == 3
    assert "all 5 pictures" in found.found
