"""DICOM to pictures and volumes, on synthetic objects whose truth is known, and on every file at hand against GDCM."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, FileMetaDataset, uid
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items

from medloom.builders.formats import dicom
from medloom.builders.picture import Picture, Volume
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

BUNDLE = Path(pydicom.__file__).parent / "data" / "test_files"
NO_IMAGE = {
    **dict.fromkeys(("liver_1frame.dcm", "liver_expb_1frame.dcm", "rtplan.dcm", "rtplan_truncated.dcm"), "not-an-image"),
    **dict.fromkeys(("rtstruct.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm"), "not-an-image"),
    **dict.fromkeys(("test-SR.dcm", "waveform_ecg.dcm"), "not-an-image"),
    **dict.fromkeys(("ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm"), "not-an-image"),
    **dict.fromkeys(("UN_sequence.dcm", "empty_charset_LEI.dcm", "meta_missing_tsyntax.dcm"), "unreadable"),
    **dict.fromkeys(("nested_priv_SQ.dcm", "priv_SQ.dcm", "no_meta.dcm", "no_meta_group_length.dcm"), "unreadable"),
}
"""Bundled files without an image, and their issue."""
UNREADABLE = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "absurd-size",  # overwritten bytes claim 7 TB
    "MR_truncated.dcm": "unreadable",
    "badVR.dcm": "unreadable",  # "1A" frames
    "emri_small_jpeg_2k_lossless_too_short.dcm": "unreadable",
}
"""Files with pixels that can't be decoded, and their issue."""


def _read(paths: Path | Sequence[Path], **options: Any) -> tuple[list[Picture | Volume], list[Issue]]:
    issues: list[Issue] = []
    listed = [paths] if isinstance(paths, Path) else list(paths)
    return list(dicom.read(listed, reading=Reading(**options), report=issues.append)), issues


def _picture(path: Path, **options: Any) -> Picture:
    (found,), _ = _read(path, **options)
    assert isinstance(found, Picture)
    return found


def _volume(paths: Path | Sequence[Path]) -> tuple[Volume, list[Issue]]:
    (found,), issues = _read(paths)
    assert isinstance(found, Volume)
    return found, issues


def _code(path: Path) -> str | None:
    """The code of the issue that stops a file, None where it is read."""
    try:
        found, _ = _read(path)
    except UnreadableError as error:
        return error.code
    assert found
    return None


def _write(path: Path, pixels: np.ndarray, **elements: Any) -> Path:
    """A DICOM file of these pixels: (rows, columns), (rows, columns, 3), or with frames in front if NumberOfFrames says so."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    size = pixels.shape[1:] if "NumberOfFrames" in elements else pixels.shape
    bits = pixels.dtype.itemsize * 8
    values: dict[str, Any] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "SOPInstanceUID": uid.generate_uid(),
        "SeriesInstanceUID": "1.2.3",
        "Modality": "MR",
        "Rows": size[0],
        "Columns": size[1],
        "SamplesPerPixel": 3 if len(size) == 3 else 1,
        "PhotometricInterpretation": "RGB" if len(size) == 3 else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        **({"PlanarConfiguration": 0} if len(size) == 3 else {}),
        **elements,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(header, keyword, value)
    header.file_meta.MediaStorageSOPClassUID = values["SOPClassUID"]
    header.file_meta.MediaStorageSOPInstanceUID = values["SOPInstanceUID"]
    data = pixels.tobytes()
    header.PixelData = data + b"\0" * (len(data) % 2)
    header["PixelData"].VR = "OB" if bits == 8 else "OW"
    header.save_as(path, enforce_file_format=True)
    return path


def _slices(folder: Path, positions: Sequence[Sequence[float]], **elements: Any) -> list[Path]:
    """One file per position; slice k holds k everywhere."""
    return [
        _write(
            folder / f"{index:03}.dcm",
            np.full((4, 5), index, np.int16),
            ImagePositionPatient=list(position),
            InstanceNumber=index + 1,
            **{"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [2, 3], **elements},
        )
        for index, position in enumerate(positions)
    ]


# --- every file at hand


@pytest.mark.parametrize("path", sorted(BUNDLE.glob("*.dcm")), ids=lambda path: path.name)
def test_every_bundled_file_is_read_or_refused_by_name(path: Path):
    assert _code(path) == {**NO_IMAGE, **UNREADABLE}.get(path.name)


def test_every_file_of_pydicom_data_is_read_or_refused_by_name(real_data: Path):
    paths = sorted((real_data / "pydicom_data/data_store/data").glob("*.dcm"))
    labels = {path.name: "not-an-image" for path in paths if path.name.startswith("liver")}
    refused = {path.name: code for path in paths if (code := _code(path)) is not None}
    assert len(paths) == 56
    assert refused == {**labels, **{name: code for name, code in UNREADABLE.items() if name.startswith("emri")}}


OTHERWISE = {
    "mlut_18.dcm",  # GDCM ignores the modality LUT sequence
    "vlut_04.dcm",  # GDCM ignores the VOI LUT sequence
    "rtdose_expb.dcm",  # GDCM doesn't swap 32-bit big endian
    "SC_rgb_rle_16bit.dcm",  # GDCM mixes up the bytes of deep colour in RLE
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_32bit.dcm",  # GDCM gives other values than the bytes hold
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
}
"""Files on which GDCM and the standard differ; each has its own test here."""


def _gdcm(path: Path) -> np.ndarray | None:
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO")).squeeze()
    except RuntimeError:
        return None


def _as_gdcm(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Our pixels and GDCM's, of files that both read; colour of more bits is cut to 8 as ours is."""
    expected = _gdcm(path)
    if expected is None or path.name in OTHERWISE or _code(path) is not None:
        return None
    found, _ = _read(path)
    ours = np.stack([one.array if isinstance(one, Volume) else one.pixels for one in found]).squeeze()
    if any("to-8-bit" in step for step in found[0].transformations) and expected.dtype == np.uint16:
        expected = expected >> 8
    return ours, expected


def _check_against_gdcm(paths: Sequence[Path]) -> int:
    checked = 0
    for path in paths:
        pair = _as_gdcm(path)
        if pair is None:
            continue
        ours, expected = pair
        assert ours.shape == expected.shape, path.name
        off = np.abs(ours.astype(np.float64) - expected)
        if path.name == "693_J2KI.dcm":  # the only one with padding (-2000, rescaled by -1024), which GDCM keeps
            off = off[expected != -3024]
        allowed = 1e-3 if ours.dtype == np.float32 else 0.0
        assert off.max() <= allowed, path.name
        checked += 1
    return checked


def test_bundled_pixels_are_those_of_gdcm():
    assert _check_against_gdcm(sorted(BUNDLE.glob("*.dcm"))) > 45


def test_real_pixels_are_those_of_gdcm(real_data: Path):
    assert _check_against_gdcm(sorted((real_data / "pydicom_data/data_store/data").glob("*.dcm"))) > 35


@pytest.mark.parametrize("name", ["rtdose_expb.dcm", "rtdose_rle.dcm"])
def test_encodings_of_one_dose_agree(name: str):
    first, _ = _volume(BUNDLE / "rtdose.dcm")
    other, _ = _volume(BUNDLE / name)
    np.testing.assert_array_equal(first.array, other.array)
    np.testing.assert_array_equal(first.affine_lps, other.affine_lps)
    assert first.array.shape == (15, 10, 10)


@pytest.mark.parametrize("name", ["SC_rgb_rle_32bit.dcm", "SC_rgb_rle_16bit.dcm"])
def test_deep_colour_keeps_its_upper_bits(name: str):
    np.testing.assert_array_equal(_picture(BUNDLE / name).pixels, _picture(BUNDLE / "SC_rgb_rle.dcm").pixels)


def test_twelve_bits_are_read_despite_a_wrong_scan_header():
    broken, mended = _picture(BUNDLE / "JPEG-lossy.dcm"), _picture(BUNDLE / "JPGExtended.dcm")
    np.testing.assert_array_equal(broken.pixels, mended.pixels)


def test_philips_series_is_that_of_gdcm(real_data: Path):
    paths = sorted((real_data / "dcm_qa_ct/In/Philips/S21570/S2010").glob("I*"))
    volume, issues = _volume(paths[::-1])
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in paths])
    image = reader.Execute()
    np.testing.assert_array_equal(volume.array, SimpleITK.GetArrayFromImage(image))
    corner = image.TransformIndexToPhysicalPoint((511, 511, 4))
    np.testing.assert_allclose((volume.affine_lps @ [511, 511, 4, 1])[:3], corner, atol=1e-4)
    assert (volume.values, volume.even, volume.slice_files) == ("hu", True, tuple(path.name for path in paths))
    assert volume.window == ("header", 0.0, 79.0)
    assert not issues


def test_oblique_series_is_that_of_gdcm(real_data: Path):
    paths = sorted((real_data / "rt_utils_rtstruct/oriented_data").glob("*.dcm"))
    volume, issues = _volume(paths)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in paths])
    image = reader.Execute()
    corner = image.TransformIndexToPhysicalPoint((99, 49, 2))
    np.testing.assert_allclose((volume.affine_lps @ [99, 49, 2, 1])[:3], corner, atol=1e-3)
    assert (volume.values, volume.even) == ("stored", True)  # its rescale type is unspecified, so these are no HU
    assert not issues


def test_real_gantry_tilt_and_uneven_gaps(real_data: Path):
    volume, issues = _volume(sorted((real_data / "dcm_qa_ct/In/GE").glob("*.dcm")))
    assert [issue.code for issue in issues] == ["gantry-tilt", "uneven-slices"]
    assert "18.5 degrees" in issues[0].found
    assert not volume.even
    assert volume.array.shape == (28, 512, 512)
    assert volume.positions_mm is not None
    gaps = np.diff(volume.positions_mm)
    assert (gaps.min().round(2), gaps.max().round(2)) == (1.08, 7.0)


def test_real_enhanced_object_equals_its_slices(real_data: Path):
    folder = real_data / "dcmqi_seg/data/segmentations/24x38x3"
    enhanced, _ = _volume(folder / "multiframe/mf.dcm")
    classic, _ = _volume(sorted((folder / "image").glob("*.dcm")))
    np.testing.assert_array_equal(enhanced.array, classic.array)
    np.testing.assert_allclose(enhanced.affine_lps, classic.affine_lps)
    assert enhanced.slice_files is None
    assert len(set(enhanced.sop_instances or ())) == 1


def test_a_clip_without_places_is_frames():
    found, _ = _read(BUNDLE / "examples_ybr_color.dcm", every_nth=7)
    assert [(one.axis, one.index) for one in found if isinstance(one, Picture)] == [("frame", n) for n in range(0, 30, 7)]
    whole, _ = _read(BUNDLE / "examples_ybr_color.dcm")
    assert len(whole) == 30
    for one, other in zip(found, whole[::7], strict=True):
        assert isinstance(one, Picture)
        assert isinstance(other, Picture)
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_the_decoder_is_named():
    libraries = {
        "CT_small.dcm": "pydicom",
        "MR_small_RLE.dcm": "pylibjpeg-rle",
        "MR_small_jpeg_ls_lossless.dcm": "pyjpegls",
        "JPEG2000.dcm": "pylibjpeg-openjpeg",
        "JPGExtended.dcm": "imagecodecs",
        "SC_rgb_jpeg_dcmtk.dcm": "pillow",
    }
    for name, library in libraries.items():
        named, number = _picture(BUNDLE / name).decoder.split()
        assert named == library
        assert number[0].isdigit()


# --- values


def test_monochrome1_is_mirrored_with_its_window(tmp_path: Path):
    pixels = np.array([[0, 100], [1000, 4095]], np.uint16)
    path = _write(
        tmp_path / "a.dcm",
        pixels,
        Modality="DX",
        PhotometricInterpretation="MONOCHROME1",
        BitsStored=12,
        HighBit=11,
        WindowCenter=1000.5,
        WindowWidth=401,
    )
    picture = _picture(path)
    np.testing.assert_array_equal(picture.pixels, 4095 - pixels.astype(int))
    assert picture.window == ("header", 4095 - 1200, 4095 - 800)
    assert picture.transformations == ("monochrome1-inverted",)


def test_signed_monochrome1_stays_in_its_range(tmp_path: Path):
    pixels = np.array([[-128, -1], [0, 127]], np.int8)
    path = _write(tmp_path / "a.dcm", pixels, Modality="DX", PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(_picture(path).pixels, [[127, 0], [-1, -128]])


def test_hounsfield_units_are_never_mirrored(tmp_path: Path):
    pixels = np.array([[0, 1024], [1064, 2048]], np.uint16)
    path = _write(
        tmp_path / "a.dcm",
        pixels,
        Modality="CT",
        PhotometricInterpretation="MONOCHROME1",
        RescaleSlope=1,
        RescaleIntercept=-1024,
    )
    (picture,), issues = _read(path)
    assert isinstance(picture, Picture)
    assert (picture.values, [issue.code for issue in issues]) == ("hu", ["odd-header"])
    np.testing.assert_array_equal(picture.pixels, [[-1024, 0], [40, 1024]])


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"), [(1, -1024, np.int16), (3, -7, np.int32), (0.5, 0, np.float32), (1, 0.25, np.float32)]
)
def test_rescaled_integers_stay_integers(tmp_path: Path, slope: float, intercept: float, dtype: type):
    pixels = np.array([[0, 1], [1000, 20000]], np.uint16)
    path = _write(tmp_path / "a.dcm", pixels, RescaleSlope=slope, RescaleIntercept=intercept)
    picture = _picture(path)
    assert picture.pixels.dtype == dtype
    np.testing.assert_array_equal(picture.pixels, pixels.astype(np.float64) * slope + intercept)


@pytest.mark.parametrize(
    ("elements", "values"),
    [
        ({"RescaleType": "HU"}, "hu"),
        ({}, "hu"),
        ({"RescaleType": "US"}, "stored"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "stored"),
        ({"Modality": "MR", "RescaleType": "HU"}, "stored"),
    ],
)
def test_what_counts_as_hounsfield_units(tmp_path: Path, elements: dict[str, Any], values: str):
    common = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, **elements}
    assert _picture(_write(tmp_path / "a.dcm", np.zeros((2, 2), np.uint16), **common)).values == values


@pytest.mark.parametrize(
    ("centre", "width", "function", "window"),
    [
        (40, 400, None, ("header", -160.0, 239.0)),
        (40, 400, "LINEAR_EXACT", ("header", -160.0, 240.0)),
        (40, 400, "SIGMOID", ("header-sigmoid", -160.0, 240.0)),
        ([40, 300], [400, 2000], None, ("header", -160.0, 239.0)),
        (40, 0, None, None),
        (40, -5, "LINEAR_EXACT", None),
    ],
)
def test_header_windows(tmp_path: Path, centre: Any, width: Any, function: str | None, window: Any):
    elements = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    path = _write(tmp_path / "a.dcm", np.zeros((2, 2), np.int16), **elements)
    (picture,), issues = _read(path)
    assert picture.window == window
    assert [issue.code for issue in issues] == ([] if window else ["odd-header"])


def _lut(first: int, entries: Sequence[int], bits: int, vr: str = "US") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries), first, bits])
    item.add_new("LUTData", "OW", np.array(entries, np.uint16).tobytes())
    return item


def test_a_modality_lut_is_applied(tmp_path: Path):
    pixels = np.array([[0, 1], [2, 3]], np.uint16)
    path = _write(tmp_path / "a.dcm", pixels, ModalityLUTSequence=Items([_lut(1, [10, 300, 7000], 16)]))
    np.testing.assert_array_equal(_picture(path).pixels, [[10, 10], [300, 7000]])


def test_a_voi_lut_is_applied_to_pictures_and_told(tmp_path: Path):
    pixels = np.array([[0, 1], [2, 9]], np.uint16)
    lut = Items([_lut(0, [5, 1000, 4095], 12)])
    picture = _picture(_write(tmp_path / "a.dcm", pixels, Modality="DX", VOILUTSequence=lut))
    np.testing.assert_array_equal(picture.pixels, [[5, 1000], [4095, 4095]])
    assert (picture.window, picture.transformations) == (("voi-lut", 0.0, 4095.0), ("voi-lut",))


def test_a_voi_lut_leaves_hounsfield_units_alone(tmp_path: Path):
    lut = Items([_lut(0, [5, 1000, 4095], 12)])
    elements = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1, "VOILUTSequence": lut}
    picture = _picture(_write(tmp_path / "a.dcm", np.array([[0, 1]], np.uint16), **elements))
    np.testing.assert_array_equal(picture.pixels, [[-1, 0]])
    assert picture.transformations == ()


def test_real_modality_lut_by_its_own_table(real_data: Path):
    path = real_data / "pydicom_data/data_store/data/mlut_18.dcm"
    header = pydicom.dcmread(path)
    count, first, _ = header.ModalityLUTSequence[0].LUTDescriptor
    table = np.asarray(header.ModalityLUTSequence[0].LUTData)
    expected = table[np.clip(header.pixel_array.astype(int) - first, 0, count - 1)]
    np.testing.assert_array_equal(_picture(path).pixels, expected)


def test_real_voi_lut_by_its_own_table(real_data: Path):
    path = real_data / "pydicom_data/data_store/data/vlut_04.dcm"
    header = pydicom.dcmread(path)
    count, first, _ = header.VOILUTSequence[0].LUTDescriptor
    table = np.frombuffer(np.asarray(header.VOILUTSequence[0].LUTData, np.uint16).tobytes(), np.uint16)
    expected = table[np.clip(header.pixel_array.astype(int) - first, 0, (count or 65536) - 1)]
    np.testing.assert_array_equal(_picture(path).pixels, expected)


def test_palettes_become_colour(tmp_path: Path):
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR", "Modality": "US"}
    tables = {"Red": [0, 65535, 256], "Green": [0, 0, 512], "Blue": [65280, 0, 768]}
    for colour, entries in tables.items():
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [3, 0, 16]
        elements[f"{colour}PaletteColorLookupTableData"] = np.array(entries, np.uint16).tobytes()
    picture = _picture(_write(tmp_path / "a.dcm", np.array([[0, 1], [2, 2]], np.uint8), **elements))
    expected = [[[0, 0, 255], [255, 0, 0]], [[1, 2, 3], [1, 2, 3]]]
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.values, picture.pixels.dtype) == ("rgb", np.uint8)


def test_planes_of_colour_are_woven(tmp_path: Path):
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    planar = np.ascontiguousarray(pixels.transpose(2, 0, 1)).reshape(4, 5, 3)
    path = _write(tmp_path / "a.dcm", planar, PlanarConfiguration=1)
    np.testing.assert_array_equal(_picture(path).pixels, pixels)


@pytest.mark.parametrize("value", [-2000, 3000])
def test_padding_is_as_dark_as_the_darkest_tissue(tmp_path: Path, value: int):
    pixels = np.array([[value, 10], [20, 30]], np.int16)
    elements = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -100, "PixelPaddingValue": value}
    picture = _picture(_write(tmp_path / "a.dcm", pixels, **elements))
    np.testing.assert_array_equal(picture.pixels, [[-90, -90], [-80, -70]])
    assert picture.transformations == ("padding-to-minimum",)


def test_padding_of_mirrored_values_is_dark_too(tmp_path: Path):
    pixels = np.array([[0, 10], [20, 250]], np.uint8)
    elements = {"Modality": "DX", "PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 0}
    picture = _picture(_write(tmp_path / "a.dcm", pixels, **elements))
    np.testing.assert_array_equal(picture.pixels, [[5, 245], [235, 5]])


def test_eight_bits_of_display_stay_eight_bits(tmp_path: Path):
    pixels = np.array([[0, 255]], np.uint8)
    plain = _picture(_write(tmp_path / "a.dcm", pixels, Modality="OT"))
    spanning = _picture(_write(tmp_path / "b.dcm", pixels, Modality="OT", WindowCenter=128, WindowWidth=256))
    narrow = _picture(_write(tmp_path / "c.dcm", pixels, Modality="OT", WindowCenter=100, WindowWidth=50))
    measured = _picture(_write(tmp_path / "d.dcm", pixels, Modality="MR"))
    assert (plain.values, spanning.values, narrow.values, measured.values) == ("grey", "grey", "stored", "stored")
    assert plain.pixels.dtype == spanning.pixels.dtype == np.uint8
    assert narrow.window == ("header", 75.0, 124.0)


def test_one_bit_becomes_black_and_white(tmp_path: Path):
    bits = np.array([[1, 0, 0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 0, 1]], np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little")
    path = _write(tmp_path / "a.dcm", packed.reshape(1, 2), Modality="OT", BitsAllocated=1, BitsStored=1, HighBit=0)
    header = pydicom.dcmread(path)
    header.Rows, header.Columns = 2, 8
    header.save_as(path)
    np.testing.assert_array_equal(_picture(path).pixels, bits * 255)


def test_values_that_are_no_numbers_become_the_minimum(tmp_path: Path):
    path = _write(tmp_path / "a.dcm", np.zeros((2, 2), np.uint16))
    header = pydicom.dcmread(path)
    del header.PixelData
    header.FloatPixelData = np.array([1.5, np.nan, np.inf, 4.0], np.float32).tobytes()
    header.BitsAllocated = 32
    header.save_as(path)
    (picture,), issues = _read(path)
    assert isinstance(picture, Picture)
    np.testing.assert_array_equal(picture.pixels, [[1.5, 1.5], [1.5, 4.0]])
    assert [issue.code for issue in issues] == ["not-finite"]


def test_overlays_are_not_drawn(real_data: Path):
    path = real_data / "pydicom_data/data_store/data/MR-SIEMENS-DICOM-WithOverlays.dcm"
    header = pydicom.dcmread(path)
    assert header.overlay_array(0x6000).any()
    np.testing.assert_array_equal(_picture(path).pixels, header.pixel_array)


# --- PET


def _pet(folder: Path, tracer: dict[str, Any] | None = None, **elements: Any) -> list[Path]:
    dose = Dataset()
    given = {
        "RadionuclideTotalDose": 370e6,
        "RadionuclideHalfLife": 6588.0,
        "RadiopharmaceuticalStartTime": "100000",
        **(tracer or {}),
    }
    for keyword, value in given.items():
        setattr(dose, keyword, value)
    common = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START",
        "PatientWeight": 74.0,
        "SeriesDate": "20200102",
        "SeriesTime": "110000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "110030",
        "RescaleSlope": 2.5,
        "RescaleIntercept": 0,
        "RadiopharmaceuticalInformationSequence": Items([dose]),
    }
    return _slices(folder, [(0, 0, 0), (0, 0, 4), (0, 0, 8)], **{**common, **elements})


def test_suv_by_body_weight(tmp_path: Path):
    volume, issues = _volume(_pet(tmp_path))
    # 3600 s after 370 MBq at a half-life of 6588 s; slice k holds k × 2.5 Bq/ml.
    left = 370e6 * 0.5 ** (3600 / 6588)
    np.testing.assert_allclose(volume.array[:, 0, 0], [k * 2.5 * 74000 / left for k in range(3)], rtol=1e-6)
    assert (volume.values, volume.array.dtype) == ("suv", np.float32)
    assert not issues


def test_suv_of_a_dose_corrected_to_its_giving(tmp_path: Path):
    volume, _ = _volume(_pet(tmp_path, DecayCorrection="ADMIN"))
    np.testing.assert_allclose(volume.array[1, 0, 0], 2.5 * 74000 / 370e6, rtol=1e-6)


def test_suv_of_a_series_made_later_counts_from_the_acquisition(tmp_path: Path):
    volume, _ = _volume(_pet(tmp_path, SeriesTime="150000"))
    left = 370e6 * 0.5 ** (3630 / 6588)
    np.testing.assert_allclose(volume.array[1, 0, 0], 2.5 * 74000 / left, rtol=1e-6)


def test_suv_of_a_dose_given_before_midnight(tmp_path: Path):
    tracer = {"RadiopharmaceuticalStartTime": "233000"}
    volume, _ = _volume(_pet(tmp_path, tracer, SeriesTime="003000", AcquisitionTime="003000"))
    left = 370e6 * 0.5 ** (3600 / 6588)
    np.testing.assert_allclose(volume.array[1, 0, 0], 2.5 * 74000 / left, rtol=1e-6)


def test_values_in_suv_stay(tmp_path: Path):
    volume, _ = _volume(_pet(tmp_path, Units="GML"))
    assert (volume.values, volume.array[2, 0, 0]) == ("suv", 5.0)


@pytest.mark.parametrize(
    ("tracer", "elements"),
    [
        ({}, {"PatientWeight": 0}),
        ({}, {"Units": "CNTS"}),
        ({}, {"CorrectedImage": ["ATTN"]}),
        ({}, {"DecayCorrection": "NONE"}),
        ({"RadionuclideTotalDose": 0}, {}),
        ({"RadionuclideHalfLife": 0}, {}),
        ({"RadiopharmaceuticalStartTime": "nonsense"}, {}),
        ({}, {"Units": "GML", "SUVType": "LBM"}),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
def test_without_all_facts_pet_stays_as_stored(tmp_path: Path, tracer: dict[str, Any], elements: dict[str, Any]):
    volume, issues = _volume(_pet(tmp_path, tracer, **elements))
    assert (volume.values, volume.array[2, 0, 0]) == ("stored", 5.0)
    assert "no-suv" in [issue.code for issue in issues]


# --- geometry


def test_the_affine_maps_to_patient_space(tmp_path: Path):
    paths = _slices(tmp_path, [(-10, -20, 30), (-10, -20, 35), (-10, -20, 40)])
    volume, issues = _volume(paths)
    np.testing.assert_allclose(volume.affine_lps @ [0, 0, 0, 1], [-10, -20, 30, 1])
    np.testing.assert_allclose(volume.affine_lps @ [1, 0, 0, 1], [-7, -20, 30, 1])
    np.testing.assert_allclose(volume.affine_lps @ [0, 1, 0, 1], [-10, -18, 30, 1])
    np.testing.assert_allclose(volume.affine_lps @ [0, 0, 2, 1], [-10, -20, 40, 1])
    assert volume.even
    assert volume.volume_index is None
    assert not issues


@given(st.permutations(range(5)))
def test_files_in_any_order_make_one_volume(order: list[int]):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        paths = _slices(Path(folder), [(0, 0, 2 * z) for z in order])
        volume, _ = _volume(paths)
    expected = np.argsort(order)
    np.testing.assert_array_equal(volume.array[:, 0, 0], expected)
    assert volume.slice_files == tuple(f"{index:03}.dcm" for index in expected)


def test_tilt_is_seen_and_told(tmp_path: Path):
    tilted = [1, 0, 0, 0, np.cos(np.deg2rad(20)), -np.sin(np.deg2rad(20))]
    paths = _slices(tmp_path, [(0, 0, 5 * k) for k in range(4)], ImageOrientationPatient=[round(x, 6) for x in tilted])
    volume, issues = _volume(paths)
    assert [issue.code for issue in issues] == ["gantry-tilt"]
    assert "20.0 degrees" in issues[0].found
    assert not volume.even
    np.testing.assert_allclose(volume.positions_mm or (), 5 * np.cos(np.deg2rad(20)) * np.arange(4), atol=1e-3)


def test_uneven_gaps_are_seen_and_told(tmp_path: Path):
    volume, issues = _volume(_slices(tmp_path, [(0, 0, z) for z in (0, 5, 10, 16, 21)]))
    assert [issue.code for issue in issues] == ["uneven-slices"]
    assert (volume.even, volume.positions_mm) == (False, (0.0, 5.0, 10.0, 16.0, 21.0))


def test_rounded_positions_are_even(tmp_path: Path):
    volume, issues = _volume(_slices(tmp_path, [(0, 0, round(k * 1.3333, 2)) for k in range(8)]))
    assert volume.even
    assert not issues


@pytest.mark.parametrize(
    "mark", [{"EchoTime": (10, 80)}, {"TemporalPositionIdentifier": (1, 2)}, {"AcquisitionNumber": (4, 9)}, {}]
)
def test_slices_that_share_positions_are_two_volumes(tmp_path: Path, mark: dict[str, tuple]):
    paths = []
    for time in range(2):
        (tmp_path / str(time)).mkdir()
        common = {keyword: values[time] for keyword, values in mark.items()}
        made = _slices(tmp_path / str(time), [(0, 0, 3 * k) for k in range(4)], **common)
        for path in made:
            header = pydicom.dcmread(path)
            header.InstanceNumber = int(header.InstanceNumber) * 2 + time
            header.PixelData = (header.pixel_array + 100 * time).astype(np.int16).tobytes()
            header.save_as(path)
        paths += made
    found, _ = _read(paths[::-1])
    volumes = [one for one in found if isinstance(one, Volume)]
    assert [volume.volume_index for volume in volumes] == [0, 1]
    for time, volume in enumerate(volumes):
        np.testing.assert_array_equal(volume.array[:, 0, 0], 100 * time + np.arange(4))


def test_an_acquisition_number_per_slice_does_not_cut_a_stack(tmp_path: Path):
    paths = _slices(tmp_path, [(0, 0, 3 * k) for k in range(4)])
    for index, path in enumerate(paths):
        header = pydicom.dcmread(path)
        header.AcquisitionNumber = index
        header.save_as(path)
    assert _volume(paths)[0].array.shape == (4, 4, 5)


def test_orientations_are_not_mixed(tmp_path: Path):
    for name in ("axial", "coronal"):
        (tmp_path / name).mkdir()
    axial = _slices(tmp_path / "axial", [(0, 0, z) for z in (0, 1, 2)])
    turned = [1, 0, 0, 0, 0, -1]
    coronal = _slices(tmp_path / "coronal", [(0, y, 0) for y in (0, 1)], ImageOrientationPatient=turned)
    found, _ = _read([*axial, *coronal])
    assert sorted(len(one.array) for one in found if isinstance(one, Volume)) == [2, 3]


def test_views_without_places_are_pictures(tmp_path: Path):
    paths = [_write(tmp_path / f"{n}.dcm", np.full((3, 3), n, np.uint16), Modality="DX") for n in range(3)]
    found, _ = _read(paths)
    assert [one.pixels[0, 0] for one in found if isinstance(one, Picture)] == [0, 1, 2]


def test_a_broken_slice_is_left_out_and_told(tmp_path: Path):
    paths = _slices(tmp_path, [(0, 0, 2 * k) for k in range(5)])
    paths[2].write_bytes(paths[2].read_bytes()[:-10])
    volume, issues = _volume(paths)
    assert [issue.code for issue in issues] == ["unreadable", "uneven-slices"]
    assert issues[0].where == "002.dcm"
    np.testing.assert_array_equal(volume.array[:, 0, 0], [0, 1, 3, 4])
    assert volume.slice_files == ("000.dcm", "001.dcm", "003.dcm", "004.dcm")
    assert len(volume.sop_instances or ()) == 4


def test_slices_with_own_rescale_are_widened_together(tmp_path: Path):
    paths = _slices(tmp_path, [(0, 0, 2 * k) for k in range(3)])
    for path, slope in zip(paths, (1, 20000, 0.5), strict=True):
        header = pydicom.dcmread(path)
        header.RescaleSlope, header.RescaleIntercept = slope, 0
        header.PixelData = np.full((4, 5), 5, np.int16).tobytes()
        header.save_as(path)
    volume, _ = _volume(paths)
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array[:, 0, 0], [5, 100000, 2.5])


def test_windows_that_differ_are_none_but_for_hounsfield_units(tmp_path: Path):
    paths = _slices(tmp_path, [(0, 0, 2 * k) for k in range(3)], WindowWidth=100)
    for path, centre in zip(paths, (40, 50, 50), strict=True):
        header = pydicom.dcmread(path)
        header.WindowCenter = centre
        header.save_as(path)
    assert _volume(paths)[0].window is None
    for path in paths:
        header = pydicom.dcmread(path)
        header.Modality, header.RescaleSlope, header.RescaleIntercept = "CT", 1, 0
        header.save_as(path)
    assert _volume(paths)[0].window == ("header", 0.0, 99.0)


def _enhanced(path: Path, places: Sequence[Sequence[float]], times: Sequence[int]) -> Path:
    """An enhanced object: frame k holds k, shared orientation and spacing, own position, time and rescale."""
    shared, measures, turned = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1, 1], 2
    turned.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Items([measures]), Items([turned])
    frames = []
    for place, time in zip(places, times, strict=True):
        frame, position, content, rescale = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = list(place)
        content.TemporalPositionIndex = time
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 2, time, "US"
        frame.PlanePositionSequence, frame.FrameContentSequence = Items([position]), Items([content])
        frame.PixelValueTransformationSequence = Items([rescale])
        frames.append(frame)
    pixels = np.arange(len(frames), dtype=np.uint16)[:, None, None] * np.ones((1, 3, 4), np.uint16)
    return _write(
        path,
        pixels.astype(np.uint16),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        NumberOfFrames=len(frames),
        SharedFunctionalGroupsSequence=Items([shared]),
        PerFrameFunctionalGroupsSequence=Items(frames),
    )


def test_enhanced_frames_become_a_volume_in_frame_order(tmp_path: Path):
    volume, _ = _volume(_enhanced(tmp_path / "a.dcm", [(0, 0, z) for z in (9, 6, 3, 0)], [1, 1, 1, 1]))
    np.testing.assert_array_equal(volume.array[:, 0, 0], [1, 3, 5, 7])
    np.testing.assert_allclose(volume.affine_lps @ [0, 0, 3, 1], [0, 0, 0, 1])
    assert volume.even
    assert len(volume.sop_instances or ()) == 4


def test_enhanced_times_become_volumes(tmp_path: Path):
    places = [(0, 0, z) for z in (0, 2, 4)] * 2
    found, _ = _read(_enhanced(tmp_path / "a.dcm", places, [1, 1, 1, 2, 2, 2]))
    volumes = [one for one in found if isinstance(one, Volume)]
    assert [(v.volume_index, v.array[:, 0, 0].tolist()) for v in volumes] == [(0, [1, 3, 5]), (1, [8, 10, 12])]
    assert [volume.sop_instances for volume in volumes] == [None, None]  # slice n isn't frame n


def test_interleaved_enhanced_frames_are_sorted(tmp_path: Path):
    volume, _ = _volume(_enhanced(tmp_path / "a.dcm", [(0, 0, z) for z in (0, 4, 2, 6)], [1] * 4))
    np.testing.assert_array_equal(volume.array[:, 0, 0], [1, 5, 3, 7])


def test_a_ratio_of_pixel_sides_is_told_from_a_spacing(tmp_path: Path):
    ratio = _picture(_write(tmp_path / "a.dcm", np.zeros((2, 2), np.uint16), PixelAspectRatio=[4, 3]))
    assert ratio.spacing_mm == pytest.approx((4 / 3, 1.0))
    assert "spacing-from-aspect-ratio" in ratio.transformations
    square = _picture(_write(tmp_path / "b.dcm", np.zeros((2, 2), np.uint16), PixelAspectRatio=[1, 1]))
    assert square.spacing_mm is None
    imager = _picture(_write(tmp_path / "c.dcm", np.zeros((2, 2), np.uint16), ImagerPixelSpacing=[0.1, 0.2]))
    assert (imager.spacing_mm, imager.transformations) == ((0.1, 0.2), ())


# --- hostile files


def _claiming(path: Path, **claims: Any) -> Path:
    _write(path, np.zeros((8, 8), np.uint16))
    header = pydicom.dcmread(path)
    for keyword, value in claims.items():
        setattr(header, keyword, value)
    header.save_as(path)
    return path


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"Rows": 65535, "Columns": 65535}, "absurd-size"),
        ({"NumberOfFrames": 2000000000}, "absurd-size"),
        ({"Rows": 9}, "unreadable"),
        ({"Rows": 0}, "unreadable"),
        ({"NumberOfFrames": -3}, "unreadable"),
        ({"BitsStored": 0, "BitsAllocated": 0}, "unreadable"),
        ({"BitsAllocated": 60000}, "unreadable"),
        ({"SamplesPerPixel": 2}, "unsupported"),
    ],
)
def test_claims_are_weighed_before_anything_is_allocated(tmp_path: Path, claims: dict[str, int], code: str):
    assert _code(_claiming(tmp_path / "a.dcm", **claims)) == code


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEG2000Lossless])
def test_encoded_claims_are_weighed(tmp_path: Path, syntax: uid.UID):
    path = tmp_path / "a.dcm"
    _write(path, np.zeros((8, 8), np.uint16))
    header = pydicom.dcmread(path)
    header.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    header.file_meta.TransferSyntaxUID = syntax
    header.Rows, header.Columns, header.NumberOfFrames = 65535, 65535, 30
    header.save_as(path)
    assert _code(path) == "absurd-size"


def test_a_codestream_is_not_believed(tmp_path: Path):
    path = tmp_path / "a.dcm"
    _write(path, np.zeros((8, 8), np.uint16))
    header = pydicom.dcmread(path)
    stream = b"\xff\x4f\xff\x51" + struct.pack(">HHIIIIII", 41, 0, 60000, 60000, 0, 0, 60000, 60000) + b"\0" * 40
    header.file_meta.TransferSyntaxUID = uid.JPEG2000Lossless
    header.PixelData = encapsulate([stream])
    header["PixelData"].is_undefined_length = True
    header.save_as(path)
    assert _code(path) == "absurd-size"


def test_decoders_that_would_never_end_are_not_asked(tmp_path: Path):
    boxes = (BUNDLE / "GDCMJ2K_TextGBR.dcm").read_bytes()
    at = boxes.index(b"jp2h")
    (tmp_path / "box.dcm").write_bytes(boxes[: at - 4] + bytes(4) + boxes[at:])
    jpeg = (BUNDLE / "SC_rgb_dcmtk_+eb+cy+s2.dcm").read_bytes()
    at = jpeg.index(b"\xff\xc0")
    (tmp_path / "height.dcm").write_bytes(jpeg[: at + 5] + bytes(2) + jpeg[at + 7 :])
    assert [_code(tmp_path / name) for name in ("box.dcm", "height.dcm")] == ["unreadable", "unreadable"]


def test_a_panic_of_a_decoder_in_rust_costs_one_file(monkeypatch: pytest.MonkeyPatch):
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def fail(*_: object, **__: object) -> None:
        raise panic("index out of bounds")

    monkeypatch.setattr("imagecodecs.jpeg8_decode", fail)
    assert _code(BUNDLE / "JPGExtended.dcm") == "unreadable"


def test_an_interrupt_is_no_fault_of_a_file(monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("imagecodecs.jpeg8_decode", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _code(BUNDLE / "JPGExtended.dcm")


def test_an_element_longer_than_its_file_allocates_nothing(tmp_path: Path):
    path = _write(tmp_path / "a.dcm", np.zeros((8, 8), np.uint16))
    whole = path.read_bytes()
    at = whole.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(whole[: at + 8] + struct.pack("<I", 0xFFFFFFF0) + whole[at + 12 :])
    assert _code(path) in (None, "unreadable")


def test_a_deflated_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("medloom.builders.formats.dicom_header.MAX_INFLATED", 1 << 20)
    path = tmp_path / "a.dcm"
    _write(path, np.zeros((1024, 1024), np.uint16))
    header = pydicom.dcmread(path)
    header.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    header.save_as(path)
    assert path.stat().st_size < 1 << 16
    assert _code(path) == "absurd-size"


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b"\x08\0" * 100, b"\0" * 128 + b"DICM", zlib.compress(b"x" * 999)])
def test_no_dicom_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    assert _code(path) == "unreadable"


@given(st.integers(0, 100), st.binary(min_size=1, max_size=6))
def test_cut_and_changed_files_never_end_in_another_error(share: int, junk: bytes):
    import tempfile

    whole = bytearray((BUNDLE / "CT_small.dcm").read_bytes()[:6000])
    at = len(whole) * share // 100
    whole[at : at + len(junk)] = junk
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dcm"
        path.write_bytes(bytes(whole[: max(at, 300)]))
        assert _code(path) in ("unreadable", "absurd-size", "unsupported", "not-an-image")


@given(st.integers(130, 1900), st.binary(min_size=1, max_size=4))
def test_damaged_headers_are_read_or_refused(at: int, junk: bytes):
    import tempfile

    whole = bytearray((BUNDLE / "CT_small.dcm").read_bytes())
    whole[at : at + len(junk)] = junk
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dcm"
        path.write_bytes(bytes(whole))
        assert _code(path) in (None, "unreadable", "absurd-size", "unsupported", "not-an-image")


def test_odd_headers_are_told_once_per_unit_and_quote_nothing(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paths = _slices(tmp_path, [(0, 0, k) for k in range(3)], StudyInstanceUID="CANARY not a UID", PatientAge="old")
        for path in paths:
            header = pydicom.dcmread(path)
            header.SOPInstanceUID = "CANARY not a UID"
            header.save_as(path)
    _, issues = _read(paths)
    assert [issue.code for issue in issues] == ["odd-header"] * len(issues)
    assert len({issue.found for issue in issues}) == len(issues) > 0
    assert "CANARY" not in repr(issues)
