"""DICOM slides: the matrix against highdicom's, tiles against the matrix they were cut from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, FileMetaDataset, uid
from pydicom.sequence import Sequence as Items

from medloom.builders.formats import dicom
from medloom.builders.picture import Picture
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

REAL = ("sm_image", "sm_image_control", "sm_image_dots", "sm_image_numbers", "sm_image_grayscale", "sm_image_jpegls_nobot")
UM = 0.5


def _read(*paths: Path, **options: Any) -> tuple[list[Picture], list[Issue]]:
    issues: list[Issue] = []
    found = list(dicom.read(paths, reading=Reading(**options), report=issues.append))
    return [one for one in found if isinstance(one, Picture)], issues


def _tissue(rows: int, columns: int) -> np.ndarray:
    """A matrix in which every pixel is coloured, and differs from its neighbours."""
    pixels = np.zeros((rows, columns, 3), np.uint8)
    pixels[..., 0] = 120 + np.arange(columns) % 100
    pixels[..., 1] = np.arange(rows)[:, None] % 60
    return pixels


def _slide(path: Path, matrix: np.ndarray, *, frame: int = 8, um: float = UM, order: Sequence[int] = (), **more: Any) -> Path:
    """A slide of square frames: full, or sparse with only the frames of `order`, in that order."""
    rows, columns = matrix.shape[:2]
    across, down = -(-columns // frame), -(-rows // frame)
    padded = np.zeros((down * frame, across * frame, 3), np.uint8)
    padded[:rows, :columns] = matrix
    corners = [(y * frame, x * frame) for y in range(down) for x in range(across)]
    chosen = [corners[index] for index in order] if order else corners
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [um / 1000, um / 1000]
    shared.PixelMeasuresSequence = Items([measures])
    elements = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6",
        "SOPInstanceUID": uid.generate_uid(entropy_srcs=[str(path)]),
        "SeriesInstanceUID": "1.2.3",
        "Modality": "SM",
        "Rows": frame,
        "Columns": frame,
        "NumberOfFrames": len(chosen),
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "PhotometricInterpretation": "RGB",
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "TotalPixelMatrixRows": rows,
        "TotalPixelMatrixColumns": columns,
        "DimensionOrganizationType": "TILED_SPARSE" if order else "TILED_FULL",
        "SharedFunctionalGroupsSequence": Items([shared]),
        **more,
    }
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    if order:
        header.PerFrameFunctionalGroupsSequence = Items([_place(*corner) for corner in chosen])
    data = b"".join(padded[y : y + frame, x : x + frame].tobytes() for y, x in chosen)
    header.PixelData = data + b"\0" * (len(data) % 2)
    header["PixelData"].VR = "OB"
    header.save_as(path, enforce_file_format=True)
    return path


def _place(top: int, left: int) -> Dataset:
    position, group = Dataset(), Dataset()
    position.RowPositionInTotalImagePixelMatrix, position.ColumnPositionInTotalImagePixelMatrix = top + 1, left + 1
    group.PlanePositionSlideSequence = Items([position])
    return group


@pytest.mark.parametrize("name", REAL)
def test_the_whole_matrix_is_that_of_highdicom(real_data: Path, name: str):
    path = real_data / "highdicom_sm_seg/data/test_files" / f"{name}.dcm"
    (picture,), issues = _read(path)
    expected = highdicom.imread(path).get_total_pixel_matrix(apply_icc_profile=False)
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.axis, picture.index, picture.offset_xy_px) == ("tile", 0, (0, 0))
    assert picture.spacing_mm == pytest.approx((0.000499, 0.000499))
    assert picture.sop_instance
    assert picture.facts.acquisition.um_per_px == pytest.approx(0.499)
    assert not issues


def test_tiles_are_cut_where_they_say(tmp_path: Path):
    matrix = _tissue(44, 37)
    tiles, issues = _read(_slide(tmp_path / "a.dcm", matrix), whole_slide_px=20, tile_px=10)
    assert [tile.offset_xy_px for tile in tiles] == [(x, y) for y in (0, 10, 20, 30) for x in (0, 10, 20, 30)]
    for tile in tiles:
        x, y = tile.offset_xy_px
        np.testing.assert_array_equal(tile.pixels, matrix[y : y + 10, x : x + 10])
        assert tile.pixels.flags.c_contiguous
    # The fifth row of the grid holds 4 px: less than half a tile, though its places are counted.
    assert [issue.code for issue in issues] == ["tiles-left-out"]
    assert "4 narrow ones" in issues[0].found


def test_a_sparse_slide_lies_where_its_frames_say(tmp_path: Path):
    matrix = _tissue(16, 24)
    (picture,), _ = _read(_slide(tmp_path / "a.dcm", matrix, order=(5, 0, 1)))
    expected = np.full_like(matrix, 255)
    expected[:8, :16], expected[8:, 16:] = matrix[:8, :16], matrix[8:, 16:]
    np.testing.assert_array_equal(picture.pixels, expected)


def test_bare_tiles_are_left_out_and_told(tmp_path: Path):
    matrix = np.full((40, 40, 3), 240, np.uint8)
    matrix[20:30, 10:20] = _tissue(10, 10)
    tiles, issues = _read(_slide(tmp_path / "a.dcm", matrix), whole_slide_px=20, tile_px=10)
    assert [(tile.index, tile.offset_xy_px) for tile in tiles] == [(9, (10, 20))]
    assert "15 tiles of background" in issues[0].found
    everything, _ = _read(tmp_path / "a.dcm", whole_slide_px=20, tile_px=10, min_tissue_share=0.0)
    assert len(everything) == 16


def test_the_level_nearest_above_the_wanted_resolution_is_cut(tmp_path: Path):
    levels = [_slide(tmp_path / f"{factor}.dcm", _tissue(64 // factor, 64 // factor), um=UM * factor) for factor in (1, 2, 4)]
    tiles, _ = _read(*levels, whole_slide_px=20, tile_px=16, um_per_px=1.0)
    assert len(tiles) == 4
    np.testing.assert_array_equal(tiles[0].pixels, _tissue(32, 32)[:16, :16])
    assert tiles[0].spacing_mm == pytest.approx((0.001, 0.001))
    assert tiles[0].transformations == ()
    finest, _ = _read(*levels, whole_slide_px=20, tile_px=16)
    assert len(finest) == 16


def test_between_levels_tiles_are_brought_down(tmp_path: Path):
    matrix = _tissue(64, 64)
    tiles, _ = _read(_slide(tmp_path / "a.dcm", matrix), whole_slide_px=20, tile_px=16, um_per_px=1.0)
    expected = np.asarray(Image.fromarray(matrix).resize((32, 32), Image.Resampling.BOX))
    assert [tile.offset_xy_px for tile in tiles] == [(0, 0), (16, 0), (0, 16), (16, 16)]
    np.testing.assert_array_equal(tiles[3].pixels, expected[16:, 16:])
    assert tiles[3].transformations == ("box-filtered",)
    assert tiles[3].facts.acquisition.um_per_px == pytest.approx(1.0)


def test_nothing_is_enlarged(tmp_path: Path):
    path = _slide(tmp_path / "a.dcm", _tissue(32, 32))
    tiles, issues = _read(path, whole_slide_px=20, tile_px=16, um_per_px=0.1)
    assert len(tiles) == 4
    assert tiles[0].facts.acquisition.um_per_px == pytest.approx(UM)
    assert [issue.code for issue in issues] == ["resolution"]


def test_other_focal_planes_are_left_out_and_told(tmp_path: Path):
    path = _slide(tmp_path / "a.dcm", _tissue(16, 16))
    import pydicom

    header = pydicom.dcmread(path)
    header.PixelData = header.PixelData + bytes(len(header.PixelData))
    header.NumberOfFrames, header.TotalPixelMatrixFocalPlanes = 8, 2
    header.save_as(path)
    (picture,), issues = _read(path)
    np.testing.assert_array_equal(picture.pixels, _tissue(16, 16))
    assert [issue.code for issue in issues] == ["frames-left-out"]
    assert issues[0].found.startswith("4 frames")


@pytest.mark.parametrize("flavour", ["LABEL", "OVERVIEW"])
def test_photographs_of_labels_are_refused(tmp_path: Path, flavour: str):
    path = _slide(tmp_path / "a.dcm", _tissue(8, 8), ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"])
    with pytest.raises(UnreadableError) as caught:
        _read(path)
    assert caught.value.code == "not-an-image"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"TotalPixelMatrixRows": 90, "TotalPixelMatrixColumns": 90}, "unreadable"),
        ({"TotalPixelMatrixRows": 4000000000, "TotalPixelMatrixColumns": 4000000000}, "absurd-size"),
        ({"TotalPixelMatrixRows": 4000000000, "order": (0,)}, "absurd-size"),
        ({"NumberOfFrames": 2000000}, "absurd-size"),
    ],
)
def test_a_matrix_that_its_frames_cannot_fill_is_refused(tmp_path: Path, claims: dict[str, Any], code: str):
    path = _slide(tmp_path / "a.dcm", _tissue(16, 16), **claims)
    with pytest.raises(UnreadableError) as caught:
        _read(path)
    assert caught.value.code == code
