"""The samples of installed packages: copied byte for byte, read as declared, and mostly readable by others too."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from medloom.builders.raw import Raw
from medloom.builders.read import contents
from medloom.builders.source import Access
from medloom.builders.sources.package_samples import FACTS, LICENCES, SOURCE, draw, read
from medloom.builders.verify import require
from medloom.schema.errors import DataError

PACKAGES = {"pydicom": Path(pydicom.__file__).parent, "nibabel": Path(nibabel.__file__).parent}
BROKEN = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "absurd-size",
    "chrJapMulti.dcm": "unreadable",
    "chrKoreanMulti.dcm": "unreadable",
    "no_meta_group_length.dcm": "unreadable",
}
"""Files that can't be used in any version of the packages."""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("package_samples")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def found(root):
    issues = []
    return list(read(Raw(root, report=issues.append))), issues


def pieces(unit, root: Path) -> list:
    return list(contents(unit, SOURCE, raw=Raw(root), reading=SOURCE.reading, report=lambda _: None))


def digests(root: Path) -> dict[Path, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_files_are_the_packages_own(root):
    copies = [path for path in root.rglob("*") if path.is_file()]
    assert len(copies) > 100
    for copy in copies:
        package, *inside = copy.relative_to(root).parts
        assert copy.read_bytes() == PACKAGES[package].joinpath(*inside).read_bytes()


def test_two_draws_are_alike(root, tmp_path):
    draw(tmp_path)
    first, second = digests(root), digests(tmp_path)
    assert first == second


def test_what_is_left_out(root):
    names = {path.name for path in root.rglob("*") if path.is_file()}
    assert {"MR_small.dcm", "6154", "anatomical.nii", "example4d.nii.gz"} <= names
    assert not {"693_J2KI.dcm", "row_major.dconn.nii", "DICOMDIR", "README.txt", "small.mnc", "0.py"} & names


def test_verify_passes(root):
    assert require(SOURCE, Raw(root)) == "as shipped"


def test_units(found):
    units, _ = found
    readers = Counter(unit.reader for unit in units)
    assert readers["volume"] >= 6
    assert readers["dicom"] >= 80
    assert len({unit.name for unit in units}) == len(units)
    assert all(not unit.targets and not unit.findings and unit.split is None for unit in units)
    series = next(unit for unit in units if len(unit.files) == 5)
    assert all("dicomdirtests/98892001/CT5N/" in file for file in series.files)


def test_groups(found):
    groups = {unit.files[0].rpartition("/")[2]: (unit.group, unit.group_kind) for unit in found[0]}
    assert groups["SC_rgb_rle.dcm"] == groups["SC_rgb_gdcm_KY.dcm"] == ("ID1", "patient")
    assert groups["anatomical.nii"] == groups["functional.nii"] == ("anatomical", "")
    assert groups["15820"] == groups["3353"] == ("98890234", "patient")


def test_licences(found):
    own = {unit.files[0].rpartition("/")[2]: unit.licence for unit in found[0] if unit.licence}
    assert own == LICENCES
    assert "License :: OSI Approved :: MIT License" in importlib.metadata.metadata("pydicom").get_all("Classifier", [])
    assert importlib.metadata.metadata("nibabel")["License-Expression"] == "MIT"
    assert (FACTS.licence, FACTS.access) == ("MIT", Access.GENERATED)


def test_issues_name_what_is_no_unit(found):
    codes = {}
    for issue in found[1]:
        codes.setdefault(issue.code, set()).add(issue.where.rpartition("/")[2])
    assert "MR_small_RLE.dcm" in codes["duplicate-id"]
    assert {"rtplan.dcm", "rtdose.dcm", "test-SR.dcm", "waveform_ecg.dcm"} <= codes["not-an-image"]
    assert {"liver_1frame.dcm", "rtstruct.dcm"} <= codes["no-image"]
    assert {"no_meta.dcm", "rtplan_truncated.dcm"} <= codes["unreadable"]


def test_broken_units_stay_under_the_share(found, root):
    failed = {}
    for unit in found[0]:
        try:
            assert pieces(unit, root)
        except DataError as error:
            failed[unit.files[0].rpartition("/")[2]] = error.code
    assert BROKEN.items() <= failed.items()
    assert 0.05 < len(failed) / len(found[0]) < FACTS.max_bad_share


@pytest.mark.parametrize("name", ["anatomical.nii", "example4d.nii.gz", "functional.nii"])
def test_volumes_by_simpleitk(found, root, name):
    unit = next(unit for unit in found[0] if unit.files[0].endswith(f"/{name}"))
    oracle = sitk.GetArrayFromImage(sitk.ReadImage(str(root / unit.files[0])))
    oracle = oracle if oracle.ndim == 4 else oracle[None]
    volumes = pieces(unit, root)
    assert len(volumes) == len(oracle)
    for volume, expected in zip(volumes, oracle, strict=True):
        assert volume.array.shape == expected.shape
        assert np.allclose(volume.array, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "SC_rgb_rle.dcm", "SC_rgb_small_odd.dcm", "chrArab.dcm"])
def test_pictures_by_simpleitk(found, root, name):
    unit = next(unit for unit in found[0] if unit.files[0].endswith(f"/{name}"))
    (picture,) = pieces(unit, root)
    image = sitk.ReadImage(str(root / unit.files[0]))
    oracle = np.squeeze(sitk.GetArrayFromImage(image))
    assert np.array_equal(getattr(picture, "pixels", None), oracle)
