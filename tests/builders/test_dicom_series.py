"""Folders of DICOM to series, and labels to the images they refer to."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset, FileMetaDataset, uid
from pydicom.sequence import Sequence as Items

from medloom.builders.formats import dicom
from medloom.builders.formats.dicom_series import Series, referencing, series
from medloom.builders.picture import Volume
from medloom.builders.raw import Raw
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, Severity

SLICE: dict[str, Any] = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1]}


def _write(path: Path, *, preamble: bool = True, **elements: Any) -> Path:
    """A 3×4 MR slice, or what `elements` make of it."""
    header = Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "SOPInstanceUID": uid.generate_uid(entropy_srcs=[str(path)]),
        "StudyInstanceUID": "1.2",
        "SeriesInstanceUID": "1.2.3",
        "PatientID": "P1",
        "Modality": "MR",
        "Rows": 3,
        "Columns": 4,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        **elements,
    }
    for keyword, value in values.items():
        setattr(header, keyword, value)
    header.PixelData = np.zeros((values["Rows"], values["Columns"]), np.uint16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not preamble:
        header.save_as(path, implicit_vr=True, little_endian=True)
        return path
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    header.save_as(path, enforce_file_format=True)
    return path


def _series(root: Path, *patterns: str) -> tuple[list[Series], list[Issue]]:
    issues: list[Issue] = []
    found = list(series(Raw(root, report=issues.append), *(patterns or ("**/*",))))
    return found, issues


def test_slices_are_sorted_by_position_then_instance(tmp_path: Path):
    for name, z, number in (("b", 4, 1), ("a", 0, 2), ("c", 2, 3)):
        _write(tmp_path / f"{name}.dcm", ImagePositionPatient=[0, 0, z], InstanceNumber=number, **SLICE)
    (found,), issues = _series(tmp_path)
    assert found.files == ("a.dcm", "c.dcm", "b.dcm")
    assert len(found.sop_instances) == 3
    assert (found.kind, found.modality, found.patient_id, found.study_uid) == ("image", "MR", "P1", "1.2")
    assert not issues


def test_ids_do_not_show(tmp_path: Path):
    _write(tmp_path / "a.dcm", PatientID="CANARY", ImagePositionPatient=[0, 0, 0], **SLICE)
    (found,), _ = _series(tmp_path)
    assert found.patient_id == "CANARY"
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize(
    "other",
    [
        {"SeriesInstanceUID": "1.2.4"},
        {"StudyInstanceUID": "1.3"},
        {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]},
        {"Rows": 5},
        {"PixelSpacing": [2, 2]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"FrameOfReferenceUID": "1.9"},
    ],
)
def test_what_keeps_slices_apart(tmp_path: Path, other: dict[str, Any]):
    for z in range(3):
        _write(tmp_path / f"{z}.dcm", ImagePositionPatient=[0, 0, z], **SLICE)
        _write(tmp_path / f"other{z}.dcm", ImagePositionPatient=[0, 0, z], **{**SLICE, **other})
    found, _ = _series(tmp_path)
    assert [len(one.files) for one in found] == [3, 3]
    assert any(one.localizer for one in found) == ("ImageType" in other)


def test_volumes_that_share_positions_are_one_unit_and_two_volumes(tmp_path: Path):
    for time in (1, 2):
        for z in range(3):
            path, place = tmp_path / f"{time}-{z}.dcm", [0, 0, 2 * z]
            _write(path, ImagePositionPatient=place, TemporalPositionIdentifier=time, InstanceNumber=time, **SLICE)
    (found,), _ = _series(tmp_path)
    assert found.files == ("1-0.dcm", "1-1.dcm", "1-2.dcm", "2-0.dcm", "2-1.dcm", "2-2.dcm")
    paths = [tmp_path / name for name in found.files]
    volumes = list(dicom.read(paths, reading=Reading(), report=lambda issue: None))
    assert [one.volume_index for one in volumes if isinstance(one, Volume)] == [0, 1]


def test_views_are_units_of_their_own(tmp_path: Path):
    for name in "ab":
        _write(tmp_path / f"{name}.dcm", Modality="DX")
    found, _ = _series(tmp_path)
    assert [one.files for one in found] == [("a.dcm",), ("b.dcm",)]


def test_a_second_copy_is_left_out_and_told(tmp_path: Path):
    for z in range(3):
        _write(tmp_path / f"a{z}.dcm", ImagePositionPatient=[0, 0, z], InstanceNumber=z, **SLICE)
    shutil.copy(tmp_path / "a1.dcm", tmp_path / "copy.dcm")
    (found,), issues = _series(tmp_path)
    assert found.files == ("a0.dcm", "a1.dcm", "a2.dcm")
    assert [(issue.code, issue.where) for issue in issues] == [("duplicate-id", "copy.dcm")]


def test_one_sop_instance_for_all_slices_loses_none(tmp_path: Path):
    for z in range(3):
        _write(tmp_path / f"{z}.dcm", ImagePositionPatient=[0, 0, z], SOPInstanceUID="1.2.3.4", **SLICE)
    (found,), issues = _series(tmp_path)
    assert len(found.files) == 3
    assert not issues


def test_files_without_preamble_or_suffix_count_and_others_are_told(tmp_path: Path):
    _write(tmp_path / "IM1", preamble=False, Modality="DX")
    (tmp_path / "README.md").write_text("# Not DICOM")
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\0")
    (tmp_path / "text.dcm").write_text("hello")
    _write(tmp_path / "report.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR")
    found, issues = _series(tmp_path)
    assert [(one.kind, one.files) for one in found] == [("image", ("IM1",)), ("other", ("report.dcm",))]
    told = {issue.where: (issue.code, issue.severity) for issue in issues}
    assert told == {
        "README.md": ("not-an-image", Severity.INFO),
        "broken.dcm": ("unreadable", Severity.ERROR),
        "text.dcm": ("unreadable", Severity.ERROR),
        "report.dcm": ("not-an-image", Severity.INFO),
    }


def test_only_what_matches_is_read(tmp_path: Path):
    _write(tmp_path / "in/a.dcm", Modality="DX")
    _write(tmp_path / "out/a.dcm", Modality="DX")
    found, _ = _series(tmp_path, "in/*.dcm")
    assert [one.files for one in found] == [("in/a.dcm",)]


def _seg(path: Path, *references: str, series_uid: str = "") -> Path:
    named = []
    for reference in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", reference
        named.append(item)
    about = Dataset()
    about.SeriesInstanceUID = series_uid
    about.ReferencedInstanceSequence = Items(named)
    elements: dict[str, Any] = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "Modality": "SEG", "SeriesInstanceUID": "1.2.99"}
    return _write(path, **elements, ReferencedSeriesSequence=Items([about]))


def test_labels_find_their_images(tmp_path: Path):
    for name in ("one", "two"):
        common: dict[str, Any] = {"SeriesInstanceUID": "1.2.1" if name == "one" else "1.2.2", **SLICE}
        for z in range(2):
            instance = f"1.{len(name)}.{ord(name[0])}.{z}"
            _write(tmp_path / f"{name}{z}.dcm", ImagePositionPatient=[0, 0, z], SOPInstanceUID=instance, **common)
    _seg(tmp_path / "seg1.dcm", f"1.3.{ord('o')}.1")
    _seg(tmp_path / "seg2.dcm", series_uid="1.2.2")
    _seg(tmp_path / "seg3.dcm", "1.2.3.4.5", series_uid="1.2.2")
    found, issues = _series(tmp_path)
    matched = referencing(found)
    pairs = {image.files: [label.files[0] for label in labels] for image, labels in matched.pairs}
    assert pairs == {("one0.dcm", "one1.dcm"): ["seg1.dcm"], ("two0.dcm", "two1.dcm"): ["seg2.dcm"]}
    assert [label.files for label in matched.orphans] == [("seg3.dcm",)]
    assert not issues


def test_levels_of_a_slide_are_one_unit(tmp_path: Path):
    slide: dict[str, Any] = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6", "Modality": "SM"}
    for name, size in (("small", 4), ("large", 16), ("middle", 8)):
        _write(tmp_path / f"{name}.dcm", TotalPixelMatrixRows=size, TotalPixelMatrixColumns=size, **slide)
    label = ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    _write(tmp_path / "label.dcm", ImageType=label, TotalPixelMatrixRows=2, TotalPixelMatrixColumns=2, **slide)
    found, issues = _series(tmp_path)
    slides = [one for one in found if one.kind == "slide"]
    assert [one.files for one in slides] == [("large.dcm", "middle.dcm", "small.dcm")]
    assert [(issue.code, issue.where) for issue in issues] == [("not-an-image", "label.dcm")]


# --- real folders


def test_real_ct_folder(real_data: Path):
    found, issues = _series(real_data / "dcm_qa_ct", "In/**/*", "DICOMDIR")
    assert [(one.kind, one.localizer, len(one.files)) for one in found] == [
        ("image", False, 28),
        ("image", True, 1),
        ("image", False, 5),
    ]
    assert {issue.where for issue in issues} == {
        "DICOMDIR",
        "In/Philips/S21570/S1000/DIRFILE",
        "In/Philips/S21570/S2010/DIRFILE",
    }
    assert {issue.code for issue in issues} == {"not-an-image"}


def test_real_mosaics_are_seven_runs_of_two(real_data: Path):
    found, issues = _series(real_data / "dcm_qa_siemens", "In/Orientation/ax/*/MR*")
    assert [len(one.files) for one in found] == [2] * 7
    assert len({one.patient_id for one in found}) == 1
    assert not issues


def test_real_segs_find_their_ct(real_data: Path):
    found, _ = _series(real_data / "dcmqi_seg", "data/segmentations/**/*.dcm", "data/segmentations/**/*.seg")
    matched = referencing(found)
    folder = "data/segmentations"
    pairs = {image.files[0]: [label.files[0] for label in labels] for image, labels in matched.pairs if labels}
    assert pairs == {
        f"{folder}/23x38x3/image/IMG0001.dcm": [f"{folder}/23x38x3/seg/label.seg"],
        f"{folder}/24x38x3/image/IMG0001.dcm": [
            f"{folder}/24x38x3/seg/label.seg",
            f"{folder}/sparse-labelmap-noppv.dcm",
            f"{folder}/sparse-labelmap-ppv5.dcm",
        ],
        f"{folder}/ct-3slice/03.dcm": [f"{folder}/liver.dcm", f"{folder}/partial_overlaps.dcm"],
    }
    assert not matched.orphans


def test_real_structure_sets_find_their_ct(real_data: Path):
    found, _ = _series(real_data / "rt_utils_rtstruct", "**/*.dcm")
    matched = referencing(found)
    pairs = {image.files: [label.files[0] for label in labels] for image, labels in matched.pairs if labels}
    ours = ("mock_data/ct_1.dcm", "mock_data/ct_2.dcm")
    assert pairs[ours][0] == "empty/dummy_rt.dcm"
    assert "mock_data/rt.dcm" in pairs[ours]


def test_every_bundled_file_is_a_series_or_an_issue():
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    issues: list[Issue] = []
    raw = Raw(folder, report=issues.append)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = list(series(raw, "*.dcm"))
    listed = [path for one in found for path in one.files]
    told = [issue.where for issue in issues if issue.code in ("not-an-image", "unreadable", "duplicate-id")]
    assert len(listed) == len(set(listed))
    assert set(listed) | set(told) == set(raw.glob("*.dcm"))
