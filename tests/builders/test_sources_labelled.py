"""What the non-DICOM sources read of the real folders: units, groups, splits, labels, and every trap that `read` can see."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from medloom.builders import catalog
from medloom.builders.formats import points, voc, yolo
from medloom.builders.raw import Raw
from medloom.builders.source import Source
from medloom.builders.unit import LabelFile, LabelMap, Marks, MaskImage, Target, Unit
from medloom.builders.verify import require
from medloom.schema.check import GROUP_KINDS
from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import Issue, RawRootError
from medloom.schema.triplet import MODALITIES

SPDX = re.compile(r"(MIT|Apache-2\.0|BSD-3-Clause|CC0-1\.0|CC-BY(-NC)?(-SA|-ND)?-[34]\.0|unstated|LicenseRef-[A-Za-z0-9.-]+)")
MARKS = {"voc": voc.marks, "yolo": yolo.marks, "points": points.marks}


@dataclass(frozen=True)
class Truth:
    units: int
    groups: int
    splits: dict[str | None, int]
    targets: int = 0
    findings: int = 0
    issues: dict[str, int] = field(default_factory=dict)
    kinds: tuple[type, ...] = ()


TRUTHS = {
    "bccd": Truth(364, 364, {"train": 205, "validation": 87, "test": 72}, targets=364, kinds=(LabelFile,)),
    "brain_tumor_mri": Truth(168, 168, {"train": 120, "test": 48}, findings=168),
    "brain_tumor_yolo": Truth(150, 150, {None: 150}, targets=150, kinds=(LabelFile,)),
    "chase_db1": Truth(28, 14, {None: 28}, targets=56, kinds=(MaskImage,)),
    "chula_rbc12": Truth(56, 56, {None: 56}, targets=50, issues={"missing-label": 6}, kinds=(LabelFile,)),
    "covid_chestxray_boxes": Truth(
        42,
        31,
        {None: 42},
        targets=42,
        findings=42,
        # 758 rows less 42 images and 21 volumes, and 4 images of the JSON that the table doesn't name
        issues={"missing-file": 695 + 4, "unsupported": 21, "no-category": 1, "column-name": 1},
        kinds=(Marks,),
    ),
    "dsb2018_nuclei": Truth(45, 45, {None: 45}, targets=1096, kinds=(MaskImage,)),
    # 33 images and all 51 Photoshop files
    "ham10000_artefacts": Truth(18, 18, {None: 18}, findings=18, issues={"missing-file": 33 + 51}),
    "hip_ultrasound_spj": Truth(51, 51, {None: 51}, findings=51),
    "kvasir_seg_mini": Truth(5, 5, {None: 5}, targets=5, kinds=(MaskImage,)),
    "msd_hippocampus": Truth(60, 60, {None: 60}, targets=59, issues={"missing-label": 1}, kinds=(LabelMap,)),
    "niivue_atlases": Truth(2, 2, {None: 2}, targets=1, issues={"no-image": 1, "unsupported": 1}, kinds=(LabelMap,)),
    "openslide_ometiff": Truth(3, 2, {None: 3}),
    "pyradiomics_nrrd": Truth(4, 4, {None: 4}, targets=4, kinds=(LabelMap,)),
}
NAMES = sorted(TRUTHS)


@dataclass(frozen=True)
class Reading:
    source: Source
    raw: Raw
    units: list[Unit]
    issues: list[Issue]

    def unit(self, end: str) -> Unit:
        return next(unit for unit in self.units if unit.files[0].endswith(end))


_read: dict[str, Reading] = {}


def reading(name: str, real_data: Path) -> Reading:
    if name not in _read:
        source, issues = catalog.load(name), list[Issue]()
        raw = Raw(real_data / name, report=issues.append)
        require(source, raw)
        _read[name] = Reading(source, raw, list(source.read(raw)), issues)
    return _read[name]


def words(target: Target) -> set[str]:
    """The raw labels that a target may bring."""
    if isinstance(target, Marks):
        return {mark.label for mark in target.marks}
    if isinstance(target, LabelFile):
        return set(target.names.values())
    if isinstance(target, LabelMap):
        return set(target.values.values())
    assert isinstance(target, MaskImage)
    return {target.label}


@pytest.mark.parametrize("name", NAMES)
def test_counts(name: str, real_data: Path) -> None:
    found, truth = reading(name, real_data), TRUTHS[name]
    units = found.units
    assert len(units) == truth.units
    assert len({unit.group or unit.name for unit in units}) == truth.groups
    assert Counter(unit.split for unit in units) == truth.splits
    assert sum(len(unit.targets) for unit in units) == truth.targets
    assert sum(len(unit.findings) for unit in units) == truth.findings
    assert Counter(issue.code for issue in found.issues) == truth.issues
    assert {type(target) for unit in units for target in unit.targets} == set(truth.kinds)


@pytest.mark.parametrize("name", NAMES)
def test_units_are_sorted_unique_plain_and_there(name: str, real_data: Path) -> None:
    found = reading(name, real_data)
    assert [unit.files for unit in found.units] == sorted(unit.files for unit in found.units)
    assert len({unit.name for unit in found.units}) == len(found.units)
    assert all(found.raw.has(path) for unit in found.units for path in unit.paths())
    assert pickle.loads(pickle.dumps(found.units)) == found.units


@pytest.mark.parametrize("name", NAMES)
def test_every_word_is_known(name: str, real_data: Path) -> None:
    found = reading(name, real_data)
    labels = found.source.labels
    named = {finding.label for unit in found.units for finding in unit.findings}
    named |= {word for unit in found.units for target in unit.targets for word in words(target)}
    assert named <= set(labels)
    for unit in found.units:
        assert set(unit.closed_sets or ()) <= set(found.source.facts.closed_sets)


@pytest.mark.parametrize("name", NAMES)
def test_label_files_hold_only_known_words(name: str, real_data: Path) -> None:
    found, seen, issues = reading(name, real_data), Counter[str](), list[Issue]()
    targets = [target for unit in found.units for target in unit.targets if isinstance(target, LabelFile)]
    for target in targets:
        for mark in MARKS[target.format](
            found.raw.path(target.path),
            target,
            size_hw_px=(512, 512) if target.format == "yolo" else (480, 640),
            report=issues.append,
        ):
            seen[mark.label] += 1
    assert set(seen) <= set(found.source.labels)
    truth: dict[str, tuple[int, dict[str, int]]] = {
        "bccd": (361 + 4119 + 372 + 36 - 2, {"box-without-area": 2}),
        "brain_tumor_yolo": (150, {}),
        "chula_rbc12": (1590, {"empty-label-file": 1}),
    }
    total, codes = truth.get(name, (0, {}))
    assert sum(seen.values()) == total
    assert Counter(issue.code for issue in issues) == codes


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_whole(name: str) -> None:
    source = catalog.load(name)
    facts = source.facts
    assert facts.name == name
    assert SPDX.fullmatch(facts.licence)
    assert facts.group_kind in GROUP_KINDS
    assert CLINICAL_TASKS.find(facts.clinical_task).name == facts.clinical_task
    assert DEPARTMENTS.find(facts.department).name == facts.department
    assert facts.homepage.startswith("http")
    assert facts.citation.count("{") == facts.citation.count("}") > 0
    assert facts.oddities
    assert source.layouts
    for words_of_set in facts.closed_sets.values():
        assert all(source.labels[word] is not None for word in words_of_set)


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_canonical(name: str) -> None:
    labels = [label for label in catalog.load(name).labels.values() if label is not None]
    assert all(label.name == label.name.lower() and not re.search(r"\b(left|right)\b", label.name) for label in labels)
    assert all(CLINICAL_TASKS.find(label.clinical_task).name == label.clinical_task for label in labels if label.clinical_task)
    assert all(DEPARTMENTS.find(one).name == one for label in labels for one in label.departments)
    by_id = {label.id: label.name for label in labels}
    assert all(by_id[label.id] == label.name for label in labels)


@pytest.mark.parametrize("name", NAMES)
def test_unit_facts_fit_their_vocabularies(name: str, real_data: Path) -> None:
    found = reading(name, real_data)
    for unit in found.units:
        triplet = unit.triplet or found.source.facts.triplet
        assert (unit.group_kind or found.source.facts.group_kind) in GROUP_KINDS
        assert unit.modality_detail is None or MODALITIES.is_a(unit.modality_detail, triplet.modality)
        assert SPDX.fullmatch(unit.licence or found.source.facts.licence)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_root_is_refused_with_its_patterns(name: str, tmp_path: Path) -> None:
    source = catalog.load(name)
    with pytest.raises(RawRootError) as refused:
        require(source, Raw(tmp_path))
    assert any(expect.pattern in str(refused.value) for layout in source.layouts for expect in layout.expects)


def test_bccd_reads_corners_not_pixels(real_data: Path) -> None:
    found, issues = reading("bccd", real_data), list[Issue]()
    target = found.unit("BloodImage_00000.jpg").targets[0]
    assert isinstance(target, LabelFile)
    boxes = [
        mark.box_xyxy_px for mark in voc.marks(found.raw.path(target.path), target, size_hw_px=(480, 640), report=issues.append)
    ]
    assert (260.0, 177.0, 491.0, 376.0) in boxes


def test_chase_keeps_both_eyes_of_a_child_together(real_data: Path) -> None:
    found = reading("chase_db1", real_data)
    groups = Counter(unit.group for unit in found.units)
    assert groups == {f"{child:02d}": 2 for child in range(1, 15)}
    observers = Counter(target.observer for unit in found.units for target in unit.targets if isinstance(target, MaskImage))
    assert observers == {"first observer": 28, "second observer": 28}
    left = found.unit("Image_01L.jpg").targets[0]
    assert isinstance(left, MaskImage)
    label = found.source.labels[left.label]
    assert label is not None
    assert label.laterality == "left"


def test_cells_without_a_mark_are_not_absent(real_data: Path) -> None:
    """White cells called platelets, unmarked red cells: seen by eye in both sources, so neither closes a set."""
    assert not reading("bccd", real_data).source.facts.closed_sets
    found = reading("chula_rbc12", real_data)
    assert Counter(unit.closed_sets for unit in found.units if unit.targets) == {(): 50}


def test_covid_takes_patients_licences_and_findings_from_the_table(real_data: Path) -> None:
    found = reading("covid_chestxray_boxes", real_data)
    assert Counter(finding.label for unit in found.units for finding in unit.findings) == {
        "COVID-19": 28,
        "todo": 9,
        "Pneumocystis": 2,
        "No Finding": 2,
        "ARDS": 1,
    }
    assert Counter(unit.closed_sets for unit in found.units) == {("normality",): 33, (): 9}
    assert Counter(unit.licence for unit in found.units) == {
        "CC-BY-3.0": 33,
        "CC-BY-4.0": 6,
        "LicenseRef-CC-BY-unversioned": 2,
        "LicenseRef-CC-BY-SA-unversioned": 1,
    }
    assert Counter(unit.subject.sex for unit in found.units) == {"male": 26, "female": 13, None: 3}
    assert sum(unit.subject.age_years is not None for unit in found.units) == 6
    assert Counter(unit.acquisition.view for unit in found.units) == {"PA": 35, "AP": 7}
    boxes = Counter(mark.label for unit in found.units for target in unit.targets for mark in target.marks)  # type: ignore[union-attr]
    assert boxes == {"Left Lung": 42, "Right Lung": 42}
    assert all(not unit.texts for unit in found.units)


def test_ham_names_artefacts(real_data: Path) -> None:
    found = reading("ham10000_artefacts", real_data)
    kinds = Counter(finding.label for unit in found.units for finding in unit.findings)
    assert kinds == {"bubble": 3, "marking": 8, "ruler": 7}
    assert all(unit.closed_sets == () for unit in found.units)


def test_hip_classes(real_data: Path) -> None:
    found = reading("hip_ultrasound_spj", real_data)
    kinds = Counter(unit.findings[0].label for unit in found.units)
    assert kinds.pop("standard_ultrasound") == 26
    assert sorted(kinds.values()) == [5] * 5


def test_atlases_bear_their_own_licences(real_data: Path) -> None:
    found = reading("niivue_atlases", real_data)
    assert {unit.group: unit.licence for unit in found.units} == {"CIT168": "CC-BY-4.0", "PD25": "CC-BY-NC-SA-3.0"}
    target = found.unit("PD25-fusion-template-1mm.nii.gz").targets[0]
    assert isinstance(target, LabelMap)
    assert sorted(target.values) == list(range(1, 17))
    assert target.values[13] == "Left globus pallidus interna"


def test_slides_bear_their_stain(real_data: Path) -> None:
    found = reading("openslide_ometiff", real_data)
    assert [(unit.group, unit.acquisition.stain) for unit in found.units] == [
        ("OS-1", "H&E"),
        ("OS-2", "Ki67"),
        ("OS-2", "Ki67"),
    ]


def test_pyradiomics_subjects(real_data: Path) -> None:
    found = reading("pyradiomics_nrrd", real_data)
    assert [unit.triplet.area for unit in found.units if unit.triplet] == ["brain", "brain", "breast", "phantom"]
    assert [target.path for unit in found.units for target in unit.targets if isinstance(target, LabelMap)] == [
        "data/brain1_label.nrrd",
        "data/brain2_label.nrrd",
        "data/breast1_label.nrrd",
        "data/prostate_phantom_subvolume-label.nrrd",
    ]
