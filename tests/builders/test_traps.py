"""Every trap of the real sources that a build can see, and how often it sees it; nothing else is an issue there.

Traps that are facts (licences, missing patient ids) stand in the sources' Facts and are tested with them.
"""

from __future__ import annotations

import pytest

ISSUES: dict[str, dict[str, int]] = {
    "bccd": {"box-without-area": 2},
    "brain_tumor_mri": {},
    "brain_tumor_yolo": {},
    "chase_db1": {},
    "chula_rbc12": {"empty-label-file": 1, "missing-label": 6, "wrong-extension": 2},
    "covid_chestxray_boxes": {"column-name": 1, "missing-file": 699, "no-category": 1, "unsupported": 21},
    "dcm_qa_ct": {"gantry-tilt": 1, "not-an-image": 3, "uneven-slices": 1},
    "dcm_qa_siemens": {},
    "dcmqi_seg": {"constant-slice": 8, "duplicate-id": 2, "no-image": 1, "not-an-image": 2},
    "dsb2018_nuclei": {},
    "ham10000_artefacts": {"missing-file": 84},
    "highdicom_sm_seg": {"no-image": 5, "not-an-image": 3, "position-differs": 6},
    "hip_ultrasound_spj": {},
    "kvasir_seg_mini": {},
    "msd_hippocampus": {"missing-label": 1},
    "niivue_atlases": {"constant-slice": 6, "grid-differs": 1, "no-image": 1, "unsupported": 1},
    "openslide_ometiff": {"tiles-left-out": 2},
    "pydicom_data": {"no-image": 9, "not-an-image": 2, "odd-header": 2, "unreadable": 1},
    "pyradiomics_nrrd": {},
    "rt_utils_rtstruct": {"duplicate-id": 3, "frame-of-reference": 1, "no-image": 4},
}
EXCLUDED = {"brain_tumor_mri": {"pixels-in-test": 5}}
"""Four copies of equal bytes and one of equal pixels, which stand in the owner's training set too."""
FAILED = {"pydicom_data": 1}
FACTS = {
    "bccd": "patient",
    "brain_tumor_mri": "patient",
    "brain_tumor_yolo": "patient",
    "covid_chestxray_boxes": "notes",
    "ham10000_artefacts": "licen",
    "kvasir_seg_mini": "burned-in text",
    "hip_ultrasound_spj": "identical",
    "niivue_atlases": "licen",
}
"""A word that the oddities must have, where a trap is a fact."""


@pytest.mark.parametrize("name", ISSUES)
def test_traps_are_counted(name: str, built):
    _, report = built(name)
    assert {row["code"]: row["count"] for row in report["issues"]} == ISSUES[name]
    assert report["counts"]["excluded"] == EXCLUDED.get(name, {})
    assert report["counts"]["failed"] == FAILED.get(name, 0)


@pytest.mark.parametrize("name", ISSUES)
def test_every_issue_says_where_what_and_what_next(name: str, built):
    _, report = built(name)
    for row in report["issues"]:
        assert len(row["first"]) == min(row["count"], 20)
        for issue in row["first"]:
            assert all(issue[field].strip() for field in ("where", "found", "expected", "next")), issue


@pytest.mark.parametrize(("name", "word"), FACTS.items())
def test_traps_that_are_facts_stand_in_the_facts(name: str, word: str):
    from medloom.builders.catalog import load

    assert any(word in oddity.casefold() for oddity in load(name).facts.oddities)
