"""The DICOM sources on the real folders: units, owners, labels, and every trap that `read` or a build can see."""

from __future__ import annotations

import pickle
import re
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
import SimpleITK as sitk

from medloom.builders import catalog
from medloom.builders.formats import rtstruct, seg
from medloom.builders.raw import Raw
from medloom.builders.source import Source
from medloom.builders.unit import SegObject, StructureSet, Target, Unit
from medloom.builders.verify import require
from medloom.schema.check import GROUP_KINDS
from medloom.schema.check_release import check
from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import Issue, RawRootError
from medloom.schema.record import from_json
from medloom.schema.region import mask_from_rle
from medloom.schema.release import Release
from medloom.schema.sample import Annotation, Sample
from medloom.schema.shard import pairs
from medloom.schema.triplet import MODALITIES

SPDX = {"MIT", "BSD-2-Clause", "BSD-3-Clause"}
Built = Callable[[str], tuple[Path, dict[str, Any]]]


@dataclass(frozen=True)
class Truth:
    units: int
    files: int
    groups: dict[str, int]
    """Kind of group → how many."""
    samples: int
    subsets: dict[str, int]
    targets: int = 0
    read_issues: dict[str, int] = field(default_factory=dict)
    build_issues: dict[str, int] = field(default_factory=dict)
    """Beyond those of `read`."""
    failed: int = 0
    annotations: dict[str, int] = field(default_factory=dict)


TRUTHS = {
    "dcm_qa_ct": Truth(
        units=3,
        files=34,
        groups={"patient": 2},
        samples=34,
        subsets={"ct-head-unlabelled": 28, "ct-phantom-unlabelled": 6},
        read_issues={"not-an-image": 3},
        build_issues={"gantry-tilt": 1, "uneven-slices": 1},
    ),
    "dcm_qa_siemens": Truth(
        units=7,
        files=14,
        groups={"patient": 1},
        samples=3 * 2 * 35 + 4 * 2 * 36,
        subsets={"mri-brain-unlabelled": 498},
    ),
    "pydicom_data": Truth(
        units=45,
        files=45,
        # Patients, without the study and the two scenes of the files that state none.
        groups={"patient": 13, "study": 4, "image": 2},
        samples=93,
        subsets={
            "ct-abdomen-unlabelled": 1,
            "ct-spine-unlabelled": 1,
            "mri-abdomen-unlabelled": 1,
            "mri-head-unlabelled": 50,
            "mri-shoulder-unlabelled": 2,
            "nm-whole-body-unlabelled": 1,
            "other-face-unlabelled": 1,
            "other-phantom-unlabelled": 14,
            "unspecified-other-unlabelled": 6,
            "unspecified-spine-unlabelled": 2,
            "us-heart-unlabelled": 3,
            "us-lymph-nodes-unlabelled": 3,
            "us-pelvis-unlabelled": 1,
            "us-unspecified-unlabelled": 6,
            "x-ray-leg-unlabelled": 1,
        },
        read_issues={"no-image": 9, "not-an-image": 2, "odd-header": 1},
        build_issues={"unreadable": 1, "odd-header": 1},
        failed=1,
    ),
    "dcmqi_seg": Truth(
        units=6,
        files=31,
        groups={"patient": 3},
        samples=20 + 3 + 2 + 2,
        subsets={
            "ct-abdomen-other": 3,
            "ct-liver-liver-segmentation": 3,
            "ct-phantom-liver-segmentation": 2,
            "ct-phantom-unlabelled": 2,
            "mri-prostate-unlabelled": 20,
        },
        targets=5,
        read_issues={"duplicate-id": 2, "no-image": 1, "not-an-image": 2},
        build_issues={"constant-slice": 8},
        annotations={
            "liver": 5,
            "green scribble": 1,
            "orange scribble": 1,
            "purple scribble": 1,
            "light blue scribble": 1,
            "dark blue scribble": 1,
        },
    ),
    "highdicom_sm_seg": Truth(
        units=10,
        files=10,
        groups={"patient": 3},
        samples=10,
        subsets={
            "ct-spine-tissue-segmentation": 1,
            "mic-phantom-unlabelled": 5,
            "mic-tissue-unlabelled": 3,
            "x-ray-chest-unlabelled": 1,
        },
        targets=1,
        read_issues={"no-image": 5, "not-an-image": 3, "position-differs": 6},
        annotations={"bone": 1},
    ),
    "rt_utils_rtstruct": Truth(
        units=4,
        files=5,
        groups={"patient": 1, "volume": 1},
        samples=5,
        subsets={"ct-phantom-other": 2, "ct-phantom-unlabelled": 3},
        targets=2,
        read_issues={"duplicate-id": 3},
        # One region of each of four has its third contour on a slice that isn't here.
        build_issues={"no-image": 4, "frame-of-reference": 1},
        annotations={"drawn region of a phantom": 9},
    ),
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

    def of_code(self, code: str) -> list[str]:
        return sorted(issue.where for issue in self.issues if issue.code == code)


@pytest.fixture(scope="module")
def reading(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Reading]:
    known: dict[str, Reading] = {}

    def one(name: str) -> Reading:
        if name not in known:
            source, issues = catalog.load(name), list[Issue]()
            raw = Raw(real_data / name, unpack_to=tmp_path_factory.mktemp(name), report=issues.append)
            require(source, raw)
            known[name] = Reading(source, raw, list(source.read(raw)), issues)
        return known[name]

    return one


def samples(release: Path, name: str) -> list[Sample]:
    shards = Release.open(release).recipe(name)["shards"]  # type: ignore[index]
    return [from_json(record) for shard in shards for _, _, record, _ in pairs(release / shard["path"])]


def counted(report: dict[str, Any]) -> dict[str, int]:
    codes = Counter[str]()
    for row in report["issues"]:
        codes[row["code"]] += row["count"]
    return dict(codes)


def words(raw: Raw, target: Target) -> set[str]:
    """The raw labels that a target's file holds."""
    if isinstance(target, SegObject):
        return {label for _, label in seg.segments(raw.path(target.path))}
    assert isinstance(target, StructureSet)
    return set(rtstruct.regions(raw.path(target.path)))


@pytest.mark.parametrize("name", NAMES)
def test_units_groups_and_issues_of_reading(name: str, reading) -> None:
    found, truth = reading(name), TRUTHS[name]
    units = found.units
    assert len(units) == truth.units
    assert sum(len(unit.files) for unit in units) == truth.files
    kinds = {(unit.group or unit.name): unit.group_kind for unit in units}
    assert Counter(kinds.values()) == truth.groups
    assert sum(len(unit.targets) for unit in units) == truth.targets
    assert Counter(issue.code for issue in found.issues) == truth.read_issues


@pytest.mark.parametrize("name", NAMES)
def test_units_are_sorted_unique_plain_and_there(name: str, reading) -> None:
    found = reading(name)
    firsts = [unit.files[0] for unit in found.units]
    assert firsts == sorted(set(firsts))
    assert all(found.raw.has(path) for unit in found.units for path in unit.paths())
    files = [file for unit in found.units for file in unit.files]
    assert len(files) == len(set(files))
    assert {unit.reader for unit in found.units} == {"dicom"}
    assert pickle.loads(pickle.dumps(found.units)) == found.units


@pytest.mark.parametrize("name", NAMES)
def test_units_keep_nothing_of_the_headers_but_their_owner(name: str, reading) -> None:
    for unit in reading(name).units:
        assert (unit.findings, unit.texts, unit.id) == ((), (), "")
        assert (unit.group_kind or reading(name).source.facts.group_kind) in GROUP_KINDS
        triplet = unit.triplet or reading(name).source.facts.triplet
        assert unit.modality_detail is None or MODALITIES.is_a(unit.modality_detail, triplet.modality)


@pytest.mark.parametrize("name", NAMES)
def test_every_word_is_known(name: str, reading) -> None:
    found = reading(name)
    used = {word for unit in found.units for target in unit.targets for word in words(found.raw, target)}
    assert used <= set(found.source.labels)
    orphans = [SegObject(path=path) for path in found.of_code("no-image")]
    assert {word for target in orphans for word in words(found.raw, target)} <= set(found.source.labels)


@pytest.mark.parametrize("name", NAMES)
def test_facts_and_labels_are_whole(name: str) -> None:
    source = catalog.load(name)
    facts = source.facts
    assert facts.name == name
    assert facts.licence in SPDX
    assert facts.citation.count("{") == facts.citation.count("}") > 0
    assert facts.oddities
    assert not facts.closed_sets
    labels = [label for label in source.labels.values() if label is not None]
    assert all(label.name == label.name.lower() and not re.search(r"\b(left|right)\b", label.name) for label in labels)
    assert all(CLINICAL_TASKS.find(label.clinical_task).name == label.clinical_task for label in labels if label.clinical_task)
    assert all(DEPARTMENTS.find(one).name == one for label in labels for one in label.departments)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_root_is_refused(name: str, tmp_path: Path) -> None:
    source = catalog.load(name)
    with pytest.raises(RawRootError, match=re.escape(source.layouts[0].expects[0].pattern)):
        require(source, Raw(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_a_build_counts_every_trap(name: str, built: Built) -> None:
    release, report = built(name)
    truth = TRUTHS[name]
    assert report["counts"] == {"units": truth.units, "failed": truth.failed, "samples": truth.samples, "excluded": {}}
    assert report["subsets"] == truth.subsets
    assert counted(report) == Counter(truth.read_issues) + Counter(truth.build_issues)
    assert check(release)["faults"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_build_places_the_labels(name: str, built: Built) -> None:
    release, _ = built(name)
    made = samples(release, name)
    assert Counter(one.label for sample in made for one in sample.annotations) == TRUTHS[name].annotations
    known = {label.name for label in catalog.load(name).labels.values() if label}
    assert {one.label for sample in made for one in (*sample.labels, *sample.annotations)} <= known
    assert {sample.citation for sample in made} == {catalog.load(name).facts.cite}


IDENTIFYING = ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "InstitutionName", "StudyID", "AccessionNumber")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_identifies_leaves(name: str, reading, built: Built) -> None:
    found, (release, _) = reading(name), built(name)
    secrets = set[str]()
    for path in {path for unit in found.units for path in unit.paths()}:
        secrets |= {path} | identifying(found.raw.path(path))
    index = "\n".join(
        str(pq.read_table(Release.open(release).index_path(name, t)).to_pylist()) for t in ("samples", "annotations")
    )
    records = b"\n".join(
        record for shard in Release.open(release).recipe(name)["shards"] for _, _, record, _ in pairs(release / shard["path"])
    )
    text = "\n".join((index, records.decode(), (release / "README.md").read_text()))
    assert len(secrets) > len(found.units)
    assert {secret for secret in secrets if secret in text} == set()


def identifying(path: Path) -> set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        values = {str(header.get(word) or "") for word in IDENTIFYING}
        uids = {str(element.value) for element in header if element.VR == "UI"}
    own = {uid for uid in uids if not uid.startswith("1.2.840.10008.")}
    return {value for value in values | own if len(value) >= 5}


def test_lists_of_files_are_no_images(reading) -> None:
    found = reading("dcm_qa_ct")
    folders = ("In/Philips/S21570/S1000", "In/Philips/S21570/S2010")
    assert found.of_code("not-an-image") == ["DICOMDIR", *(f"{folder}/DIRFILE" for folder in folders)]
    assert [len(unit.files) for unit in found.units] == [28, 1, 5]


def test_the_tilted_head_keeps_its_uneven_places(built: Built) -> None:
    release, report = built("dcm_qa_ct")
    made = [sample for sample in samples(release, "dcm_qa_ct") if sample.area == "head"]
    assert {sample.provenance.window_name for sample in made} == {"brain"}
    places = np.array(sorted(sample.provenance.slice_position_mm for sample in made))
    gaps = np.diff(places)
    assert gaps.min() == pytest.approx(1.08, abs=0.01)
    assert gaps.max() == pytest.approx(7.0, abs=0.01)
    assert {row["code"]: row["first"][0]["found"] for row in report["issues"]}["gantry-tilt"].endswith("18.5 degrees")


def test_a_localizer_is_no_slice_of_its_study(built: Built) -> None:
    release, _ = built("dcm_qa_ct")
    made = [sample for sample in samples(release, "dcm_qa_ct") if sample.area == "phantom"]
    assert Counter(sample.size_hw_px for sample in made) == {(512, 512): 5, (256, 512): 1}
    localizer = next(sample for sample in made if sample.size_hw_px == (256, 512))
    assert localizer.provenance.slice_position_mm is None
    assert localizer.provenance.window_name == "header"


def test_mosaics_hold_what_the_reference_holds(real_data: Path, reading, built: Built) -> None:
    expected = 0
    for path in sorted((real_data / "dcm_qa_siemens" / "Ref").glob("*.nii")):
        columns, rows, slices, volumes = sitk.ReadImage(path).GetSize()
        assert (columns, rows) == (64, 64)
        expected += slices * volumes
    release, report = built("dcm_qa_siemens")
    assert report["counts"]["samples"] == expected
    made = samples(release, "dcm_qa_siemens")
    assert Counter(sample.provenance.volume_index for sample in made) == {0: 249, 1: 249}
    assert {(sample.modality, sample.modality_detail) for sample in made} == {("MRI", "EPI")}
    assert not [file for unit in reading("dcm_qa_siemens").units for file in unit.files if file.endswith(".nii")]


def test_odd_files_of_pydicom(built: Built, reading) -> None:
    release, report = built("pydicom_data")
    faults = {row["code"]: [place["where"] for place in row["first"]] for row in report["issues"]}
    assert [where.split()[0] for where in faults["unreadable"]] == ["data_store/data/emri_small_jpeg_2k_lossless_too_short.dcm"]
    assert {Path(where.split()[0]).stem for where in faults["odd-header"]} == {"bad_sequence"}
    made = samples(release, "pydicom_data")
    face = reading("pydicom_data").unit("OT-PAL-8-face.dcm")
    assert "TransferSyntaxUID" not in pydicom.dcmread(reading("pydicom_data").raw.path(face.files[0]), force=True).file_meta
    assert [sample.size_hw_px for sample in made if sample.area == "face"] == [(480, 640)]
    assert sum(sample.modality == "unspecified" for sample in made) == 8


def test_segmentations_without_images_are_said_once_each(reading) -> None:
    liver = [f"data_store/data/liver{kind}.dcm" for kind in ("", "_deflate", "_expb", "_j2k", "_nonbyte_aligned")]
    liver += [f"data_store/data/liver_nonbyte_aligned_{kind}.dcm" for kind in ("deflate", "j2k", "rle")]
    assert reading("pydicom_data").of_code("no-image") == sorted([*liver, "data_store/data/liver_rle.dcm"])
    assert reading("dcmqi_seg").of_code("no-image") == ["data/sr-example/seg.dcm"]
    ct = [f"data/test_files/seg_image_ct_{kind}.dcm" for kind in ("binary", "binary_fractional", "binary_overlap")]
    orphans = ["data/test_files/seg_image_cr_binary.dcm", *ct, "data/test_files/seg_image_ct_true_fractional.dcm"]
    assert reading("highdicom_sm_seg").of_code("no-image") == orphans


def test_one_slice_in_two_sources_has_one_owner(reading) -> None:
    """The picture of JLSL_16_15_1_1F is ct_image's: the unnamed file belongs to the patient that the other names."""
    pydicom_data, highdicom = reading("pydicom_data"), reading("highdicom_sm_seg")
    unnamed, named = pydicom_data.unit("JLSL_16_15_1_1F.dcm"), highdicom.unit("ct_image.dcm")
    assert (unnamed.group, unnamed.group_kind) == (named.group, named.group_kind)
    assert pydicom_data.source.facts.collection == highdicom.source.facts.collection
    places = ((pydicom_data, unnamed), (highdicom, named))
    pictures = [pydicom.dcmread(one.raw.path(unit.files[0])).pixel_array.ravel().astype(float) for one, unit in places]
    assert np.corrcoef(*pictures)[0, 1] > 0.999999


def test_segs_of_dcmqi_lie_on_the_slices_they_name(reading) -> None:
    found = reading("dcmqi_seg")
    folder = "data/segmentations"
    assert {unit.files[0]: [target.path for target in unit.targets] for unit in found.units if unit.targets} == {
        f"{folder}/23x38x3/image/IMG0001.dcm": [f"{folder}/23x38x3/seg/label.seg"],
        f"{folder}/24x38x3/image/IMG0001.dcm": [f"{folder}/24x38x3/seg/label.seg", f"{folder}/sparse-labelmap-noppv.dcm"],
        f"{folder}/ct-3slice/03.dcm": [f"{folder}/liver.dcm", f"{folder}/partial_overlaps.dcm"],
    }
    assert found.of_code("duplicate-id") == ["data/paramaps/pm-example-slice.dcm", f"{folder}/sparse-labelmap-ppv5.dcm"]
    assert len(found.unit("pm-example-dcm/701-ADCb500/000000.dcm").files) == 20


def test_the_liver_is_that_of_the_label_map(real_data: Path, built: Built) -> None:
    release, _ = built("dcmqi_seg")
    truth = sitk.GetArrayFromImage(sitk.ReadImage(real_data / "dcmqi_seg/data/segmentations/liver_seg.nrrd"))
    made = {one.provenance.index: one for one in samples(release, "dcmqi_seg") if one.area == "liver"}
    assert sorted(made) == [0, 1, 2]
    for index, sample in made.items():
        np.testing.assert_array_equal(masks(sample, "liver")[0], truth[index] == 1)
    for number, name in ((1, "green"), (2, "orange"), (4, "light blue"), (5, "dark blue")):
        path = f"dcmqi_seg/data/segmentations/partial_overlaps-{2 if number == 2 else 1}.nrrd"
        drawn = sitk.GetArrayFromImage(sitk.ReadImage(real_data / path)) == number
        scribbles = {index: masks(sample, f"{name} scribble") for index, sample in made.items()}
        assert {index: len(found) for index, found in scribbles.items()} == {i: int(drawn[i].any()) for i in range(3)}
        assert all((found[0] == drawn[index]).all() for index, found in scribbles.items() if found)


def masks(sample: Sample, label: str) -> list[np.ndarray]:
    return [mask_of(one, sample) > 0 for one in sample.annotations if one.label == label]


def mask_of(annotation: Annotation, sample: Sample) -> np.ndarray:
    assert annotation.rle is not None
    return mask_from_rle(annotation.rle, sample.size_hw_px)


def test_a_trace_of_a_scribble_is_uncertain_never_absent(built: Built) -> None:
    """117 px on two slices are under 0.15 % of them."""
    release, _ = built("dcmqi_seg")
    states = Counter(
        label.state.value
        for sample in samples(release, "dcmqi_seg")
        for label in sample.labels
        if label.label == "purple scribble"
    )
    assert states == {"present": 1, "uncertain": 2}


def test_slide_segs_contradict_themselves(reading) -> None:
    """Placed by the frame that each tile names, the control mask is the drawing; placed by its stated corner it isn't."""
    found = reading("highdicom_sm_seg")
    assert len(found.of_code("position-differs")) == 6
    slide = pydicom.dcmread(found.raw.path("data/test_files/sm_image_control.dcm")).pixel_array
    drawing = matrix((frame < 195).any(-1) for frame in slide)
    labels = pydicom.dcmread(found.raw.path("data/test_files/seg_image_sm_control.dcm"))
    by_frame, by_corner = np.zeros((50, 50), bool), np.zeros((50, 50), bool)
    for mask, groups in zip(labels.pixel_array, labels.PerFrameFunctionalGroupsSequence, strict=True):
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        row, column = divmod(int(source.ReferencedFrameNumber) - 1, 5)
        by_frame[row * 10 : row * 10 + 10, column * 10 : column * 10 + 10] |= mask > 0
        place = groups.PlanePositionSlideSequence[0]
        top, left = place.RowPositionInTotalImagePixelMatrix - 1, place.ColumnPositionInTotalImagePixelMatrix - 1
        by_corner[top : top + 10, left : left + 10] |= mask > 0
    np.testing.assert_array_equal(by_frame, drawing)
    assert (by_corner != drawing).mean() > 0.2


def matrix(frames) -> np.ndarray:
    return np.block([[*row] for row in np.array(list(frames)).reshape(5, 5, 10, 10)])


def test_bone_is_where_the_threshold_found_it(reading, built: Built) -> None:
    release, _ = built("highdicom_sm_seg")
    sample = next(one for one in samples(release, "highdicom_sm_seg") if one.modality == "CT")
    assert (sample.provenance.window_name, sample.annotations[0].origin.value) == ("bone", "model")
    path = "data/test_files/seg_image_ct_binary_single_frame.dcm"
    frame = pydicom.dcmread(reading("highdicom_sm_seg").raw.path(path)).pixel_array
    np.testing.assert_array_equal(mask_of(sample.annotations[0], sample) > 0, np.squeeze(frame) > 0)


def test_structure_sets_are_read_once(reading, built: Built) -> None:
    found = reading("rt_utils_rtstruct")
    assert [target.path for unit in found.units for target in unit.targets] == ["empty/dummy_rt.dcm", "mock_data/rt.dcm"]
    assert found.of_code("duplicate-id") == [
        "mock_data/invalid_reference_rt.dcm",
        "mock_data/non_existent_reference_rt.dcm",
        "oriented_data/0.dcm",
    ]
    release, _ = built("rt_utils_rtstruct")
    made = {one.provenance.index: one for one in samples(release, "rt_utils_rtstruct") if one.annotations}
    assert {index: len(sample.annotations) for index, sample in made.items()} == {0: 5, 1: 4}
    # A square of 24 mm less an octagon inside it, on pixels of 0.488 mm
    square = next(one for one in made[0].annotations if one.box_xyxy_px == (152.0, 152.0, 201.0, 201.0))
    assert square.area_px == 1443
    assert square.origin.value == "human"
