"""Siemens mosaics against the NIfTI that dcm2niix made of them, and against tiles laid by hand."""

from __future__ import annotations

import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from medloom.builders.formats import dicom, mosaic
from medloom.builders.picture import Volume
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

REFERENCES = {
    "axasc35": "ax_asc_35sl_6",
    "axasc36": "ax_asc_36sl_9",
    "axasc36b": "ax_asc_36sl_11",
    "axdesc35": "ax_desc_35sl_7",
    "axdesc36": "ax_desc_36sl_10",
    "axint35": "ax_int_35sl_8",
    "axint36": "ax_int_36sl_12",
}
"""Folder → the reference of the same series number: two series bear the same description."""
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _read(paths: list[Path]) -> list[Volume]:
    issues: list[Issue] = []
    found = list(dicom.read(paths, reading=Reading(), report=issues.append))
    assert not issues
    assert all(isinstance(one, Volume) for one in found)
    return [one for one in found if isinstance(one, Volume)]


@pytest.mark.parametrize("folder", REFERENCES)
def test_every_voxel_and_place_equals_the_reference(real_data: Path, folder: str):
    root = real_data / "dcm_qa_siemens"
    volumes = _read(sorted((root / "In/Orientation/ax" / folder).glob("MR*"), reverse=True))
    reference = nibabel.load(root / "Ref" / f"{REFERENCES[folder]}.nii")
    assert isinstance(reference, nibabel.Nifti1Image)
    voxels = np.asanyarray(reference.dataobj)
    assert [volume.volume_index for volume in volumes] == [0, 1]
    for volume in volumes:
        # The reference is (column, row from below, slice, time).
        expected = voxels[:, ::-1, :, volume.volume_index].transpose(2, 1, 0)
        assert volume.array.dtype == np.int16
        assert volume.array.flags.c_contiguous
        np.testing.assert_array_equal(volume.array, expected)
        up = np.eye(4)
        up[1, 1], up[1, 3] = -1, volume.array.shape[1] - 1
        assert reference.affine is not None
        # dcm2niix computes in 32 bits: its last digits stand for 0.02 µm.
        np.testing.assert_allclose(LPS_TO_RAS @ volume.affine_lps @ up, reference.affine, rtol=0, atol=2e-5)


def test_the_reference_tells_series_apart(real_data: Path):
    root = real_data / "dcm_qa_siemens"
    (first, _) = _read(sorted((root / "In/Orientation/ax/axasc36").glob("MR*")))
    other = nibabel.load(root / "Ref" / "ax_asc_36sl_11.nii")
    assert isinstance(other, nibabel.Nifti1Image)
    assert not np.array_equal(first.array, np.asanyarray(other.dataobj)[:, ::-1, :, 0].transpose(2, 1, 0))


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 5))
def test_tiles_come_back_in_order(count: int, rows: int, columns: int):
    slices = np.arange(count * rows * columns, dtype=np.int16).reshape(count, rows, columns)
    side = math.ceil(math.sqrt(count))
    laid = np.full((side * rows, side * columns), -1, np.int16)
    for index, one in enumerate(slices):
        top, left = index // side * rows, index % side * columns
        laid[top : top + rows, left : left + columns] = one
    cut = mosaic.tiles(laid, count)
    np.testing.assert_array_equal(cut, slices)
    assert cut.flags.c_contiguous


def test_a_mosaic_that_cannot_be_cut_is_refused():
    with pytest.raises(UnreadableError, match="mosaic"):
        mosaic.tiles(np.zeros((64, 65), np.int16), 35)


def _header(count: object, vr: str = "US") -> Dataset:
    header = Dataset()
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    header.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, vr, count)
    return header


@pytest.mark.parametrize(("count", "vr"), [(35, "US"), (b"\x23\x00", "UN"), (b"35 ", "UN"), ("35", "IS")])
def test_the_count_is_found_in_any_form(count: object, vr: str):
    assert mosaic.tile_count(_header(count, vr)) == 35


def test_without_a_count_it_is_no_mosaic():
    header = Dataset()
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    assert not mosaic.is_mosaic(header)
    assert mosaic.is_mosaic(_header(4))


def test_the_first_tile_lies_inside_the_square():
    header = _header(4)
    header.Rows = header.Columns = 20
    header.ImagePositionPatient, header.ImageOrientationPatient = [-50, -60, 70], [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.SpacingBetweenSlices = [3, 2], 4
    affine = mosaic.affine_lps(header, 4)
    np.testing.assert_array_equal(affine @ [0, 0, 0, 1], [-50 + 2 * 5, -60 + 3 * 5, 70, 1])
    np.testing.assert_array_equal(affine @ [1, 1, 1, 1], [-38, -42, 74, 1])


def test_a_mosaic_without_place_is_refused():
    header = _header(4)
    header.Rows = header.Columns = 20
    with pytest.raises(UnreadableError, match="place"):
        mosaic.affine_lps(header, 4)
