"""The licence gate over the real sources: what each may publish, what it asks, and why some are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medloom.builders.catalog import names
from medloom.cards.gates.licence import families, licence, proposals
from medloom.cards.gates.verdict import Level
from medloom.schema.picture_rights import shareable
from medloom.schema.processing_rights import kept_here
from medloom.schema.release import Release

OPEN: tuple[str, str, set[str]] = ("full", "attribution", set())
UNREAD: tuple[str, str, set[str]] = ("full", "attribution", {"evidence-unread"})
VERDICTS: dict[str, tuple[str, str, set[str]]] = {
    "bccd": OPEN,
    "brain_tumor_mri": UNREAD,  # the repository has no licence file
    "brain_tumor_yolo": ("recipe", "unstated", {"annotations-not-granted", "evidence-unread"}),  # nobody licenses the boxes
    "chase_db1": UNREAD,  # its record isn't part of the download
    "chula_rbc12": OPEN,
    # The pictures' own licences let the 42 images here be shared, one of them alike; their table is non-commercial.
    "covid_chestxray_boxes": (
        "full",
        "CC-BY-NC-SA-4.0 + LicenseRef-CC-BY-SA-unversioned",
        {"mixed-licences", "non-commercial", "share-alike", "evidence-unread"},
    ),
    "dcm_qa_ct": OPEN,
    "dcm_qa_siemens": OPEN,
    "dcmqi_seg": OPEN,
    "dsb2018_nuclei": OPEN,
    "ham10000_artefacts": ("full", "CC-BY-NC-SA-4.0", {"non-commercial", "share-alike"}),
    "highdicom_sm_seg": OPEN,
    "hip_ultrasound_spj": OPEN,
    # Kvasir-SEG's page is understood to grant research and education, and nothing beyond; nobody has read it here.
    "kvasir_seg_mini": (
        "recipe",
        "LicenseRef-Kvasir-SEG-research-and-education",
        {"pixels-not-granted", "annotations-not-granted", "processing-not-granted", "evidence-unread"},
    ),
    "msd_hippocampus": ("full", "CC-BY-SA-4.0", {"share-alike", "evidence-unread"}),
    # One atlas asks for attribution alone: it goes where the other one, which asks for more, must go.
    "niivue_atlases": ("full", "CC-BY-NC-SA-3.0", {"non-commercial", "share-alike"}),
    "openslide_ometiff": ("full", "LicenseRef-OpenSlide-free-to-use-and-distribute", set()),
    "package_samples": UNREAD,
    "phantom": OPEN,
    "pydicom_data": OPEN,
    "pyradiomics_nrrd": OPEN,
    "rt_utils_rtstruct": OPEN,
}
"""Source → what may be published, with which others, and every code that doesn't pass."""


def test_every_source_of_the_catalogue_stands_in_the_table():
    assert set(VERDICTS) == set(names())


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts_of_real_sources(name: str, built: Callable[[str], tuple[Path, dict[str, Any]]]):
    release = Release.open(built(name)[0])
    mode, family, doubts = VERDICTS[name]
    found = licence(release)
    assert {one.code for one in found if one.level is not Level.PASS and one.source == name} == doubts
    assert proposals(release)[name].value == mode
    assert families(release) == {family: [name]}
    assert (name in shareable(release)) is ("pixels-not-granted" not in doubts)
    assert (name in kept_here(release)) is ("processing-not-granted" in doubts)
    assert all(one.found and one.expected and one.next for one in found)
