"""Volumes against nibabel, pynrrd and bytes written by hand; broken headers and streams give a reason."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.formats import volume
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

RNG = np.random.default_rng(11)
STORED = RNG.integers(-1000, 2000, (4, 5, 6), dtype=np.int16)
"""x, y, z as nibabel and pynrrd have it; ours is the transpose."""
OBLIQUE = np.array([[0.8, 0.3, 0.1, -40], [-0.3, 0.8, 0.2, 12], [0.0, -0.2, 2.9, 7], [0, 0, 0, 1.0]])
RAS_TO_LPS = np.diag([-1.0, -1, 1, 1])


def read(path: Path, *, every_nth: int = 1, values: str = "stored"):
    issues: list[Issue] = []
    found = list(volume.read([path], reading=Reading(every_nth=every_nth), report=issues.append, values=values))
    assert all(one.array.flags.c_contiguous and one.array.dtype.isnative for one in found)
    return found, [issue.code for issue in issues]


def read_one(path: Path, **options):
    (found,), issues = read(path, **options)
    return found, issues


def nifti(path: Path, array=STORED, *, affine=OBLIQUE, dtype=None, cls=nibabel.Nifti1Image, **fields) -> Path:
    """Writes the array as stored values, then patches raw header fields."""
    header = cls.header_class(endianness=">" if np.dtype(dtype or array.dtype).byteorder == ">" else "<")
    image = cls(array, affine, header, dtype=np.dtype(dtype or array.dtype))
    image.header.set_data_dtype(np.dtype(dtype or array.dtype))
    for name, value in fields.items():
        if not name.startswith("scl_"):
            image.header[name] = value
    plain = path.with_name("plain.nii")
    nibabel.save(image, plain)
    block = bytearray(plain.read_bytes())
    order = ">" if np.dtype(dtype or array.dtype).byteorder == ">" else "<"
    if "scl_slope" in fields:
        struct.pack_into(order + "ff", block, 112, fields["scl_slope"], fields.get("scl_inter", 0.0))
    path.write_bytes(gzip.compress(bytes(block)) if path.suffix == ".gz" else bytes(block))
    return path


def assert_like_nibabel(path: Path, **options):
    image = nibabel.load(path)
    found, _ = read_one(path, **options)
    expected = np.asarray(image.dataobj).T
    np.testing.assert_allclose(found.array, expected, rtol=1e-6, atol=1e-3)
    np.testing.assert_allclose(found.affine_lps, RAS_TO_LPS @ image.affine, atol=1e-5)
    return found


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", ">i2", "u2", "i4", "u4", "f4", ">f4"])
def test_nifti_keeps_its_dtype_in_either_byte_order(tmp_path, suffix, dtype):
    values = np.abs(STORED // 20) if np.dtype(dtype).kind == "u" else STORED // 20
    path = nifti(tmp_path / f"a{suffix}", values.astype(dtype), dtype=dtype)
    found = assert_like_nibabel(path)
    assert found.array.dtype == np.dtype(dtype).newbyteorder("=")
    assert (found.values, found.oriented, found.even, found.volume_index) == ("stored", True, True, None)


@pytest.mark.parametrize(
    ("dtype", "slope", "inter", "expected"),
    [
        ("i2", 1.0, -1024.0, np.int16),
        ("u2", 1.0, -1024.0, np.int16),
        ("i2", 40.0, 0.0, np.int32),
        ("i2", 0.25, 3.0, np.float32),
        ("f4", 2.0, 1.0, np.float32),
        ("i2", 0.0, 5.0, np.int16),
        ("i4", 1e6, 0.0, np.int32),
    ],
)
def test_slope_and_intercept_are_applied_and_whole_numbers_stay_whole(tmp_path, dtype, slope, inter, expected):
    stored = np.abs(STORED).astype(dtype)
    found = assert_like_nibabel(nifti(tmp_path / "a.nii", stored, scl_slope=slope, scl_inter=inter), values="hu")
    assert found.array.dtype == expected
    assert found.values == "hu"


def test_nifti_2_wide_types_and_the_callers_meaning_of_values(tmp_path):
    found = assert_like_nibabel(nifti(tmp_path / "a.nii.gz", STORED.astype(np.float64), cls=nibabel.Nifti2Image))
    assert found.array.dtype == np.float32
    assert assert_like_nibabel(nifti(tmp_path / "b.nii", STORED.astype(np.int64))).array.dtype == np.int32
    huge, _ = read_one(nifti(tmp_path / "c.nii", STORED.astype(np.int64) * 2**40))
    assert huge.array.dtype == np.float32


def test_a_sheared_sform_is_taken_as_it_is_where_itk_refuses(tmp_path):
    sheared = np.array([[1, 0.4, 0, 3], [0, 1, 0, 4], [0, 0, 2, 5], [0, 0, 0, 1.0]])
    path = nifti(tmp_path / "a.nii", affine=sheared, qform_code=0)
    with pytest.raises(RuntimeError, match="orthonormal"):
        sitk.ReadImage(str(path))
    assert_like_nibabel(path)


def test_the_sform_wins_then_the_qform_then_sizes_alone(tmp_path):
    image = nibabel.Nifti1Image(STORED, OBLIQUE)
    image.set_qform(np.diag([2.0, 3, 4, 1]), 1)
    for sform_code, oriented in ((1, True), (0, True)):
        image.set_sform(OBLIQUE, sform_code)
        nibabel.save(image, tmp_path / "a.nii")
        assert assert_like_nibabel(tmp_path / "a.nii").oriented is oriented
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "a.nii")
    assert assert_like_nibabel(tmp_path / "a.nii").oriented is False


def test_a_form_without_inverse_is_reported_and_the_next_one_used(tmp_path):
    image = nibabel.Nifti1Image(STORED, np.diag([2.0, 3, 4, 1]))
    image.set_qform(np.diag([2.0, 3, 4, 1]), 1)
    image.set_sform(OBLIQUE, 1)
    block = bytearray(image.to_bytes())
    block[280:296] = bytes(16)
    (tmp_path / "a.nii").write_bytes(block)
    found, issues = read_one(tmp_path / "a.nii")
    assert issues == ["bad-affine"]
    np.testing.assert_allclose(found.affine_lps, np.diag([-2.0, -3, 4, 1]))


@pytest.mark.parametrize(
    ("unit", "scale", "note"),
    [(1, 1000.0, ("unit-metre-to-mm",)), (3, 0.001, ("unit-micron-to-mm",)), (0, 1.0, ()), (2, 1.0, ())],
)
def test_declared_units_become_millimetres(tmp_path, unit, scale, note):
    found, _ = read_one(nifti(tmp_path / "a.nii", xyzt_units=unit))
    np.testing.assert_allclose(found.affine_lps, np.diag([scale] * 3 + [1]) @ RAS_TO_LPS @ OBLIQUE, rtol=1e-5)
    assert found.transformations == note


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_time_points_are_volumes_and_every_nth_is_kept(tmp_path, suffix):
    series = RNG.integers(0, 99, (3, 4, 5, 7), dtype=np.uint8)
    path = nifti(tmp_path / f"a{suffix}", series)
    found, _ = read(path, every_nth=3)
    assert [one.volume_index for one in found] == [0, 3, 6]
    for one in found:
        np.testing.assert_array_equal(one.array, series[..., one.volume_index].T)


def test_rgb_is_colour_and_rgba_is_refused_with_advice(tmp_path, real_data):
    colour = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name in "RGB":
        colour[name] = RNG.integers(0, 255, colour.shape)
    found, _ = read_one(nifti(tmp_path / "a.nii.gz", colour))
    assert (found.array.shape, found.values) == ((5, 4, 3, 3), "rgb")
    np.testing.assert_array_equal(found.array[..., 1], colour["G"].T)
    with pytest.raises(UnreadableError, match="RGBA") as caught:
        read(real_data / "niivue_atlases" / "CIT168" / "CIT168.nii.gz")
    assert caught.value.code == "unsupported"


def test_a_single_slice_is_a_volume_of_one(tmp_path):
    found, _ = read_one(nifti(tmp_path / "a.nii", STORED[:, :, 0]))
    np.testing.assert_array_equal(found.array, STORED[:, :, 0].T[None])


def test_not_finite_voxels_become_the_least_value(tmp_path):
    values = STORED.astype(np.float32)
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    found, issues = read_one(nifti(tmp_path / "a.nii", values))
    assert issues == ["not-finite"]
    np.testing.assert_array_equal(found.array[:3, 0, 0], np.full(3, values[np.isfinite(values)].min()))
    nothing, issues = read_one(nifti(tmp_path / "b.nii", np.full((2, 3, 4), np.nan, np.float32)))
    assert issues == ["not-finite"]
    assert not nothing.array.any()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.97])
def test_truncated_nifti_is_unreadable(tmp_path, suffix, share):
    path = nifti(tmp_path / f"a{suffix}")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UnreadableError):
        read(path)


def test_a_flipped_bit_in_a_gzip_stream_is_found(tmp_path):
    path = nifti(tmp_path / "a.nii.gz")
    block = bytearray(path.read_bytes())
    block[-6] ^= 1
    path.write_bytes(block)
    with pytest.raises(UnreadableError):
        read(path)


@pytest.mark.parametrize(
    ("at", "form", "value", "code"),
    [
        (42, "<h", 32767, "absurd-size"),
        (42, "<h", -3, "absurd-size"),
        (40, "<h", 9, "absurd-size"),
        (70, "<h", 1, "unsupported"),
        (70, "<h", 32, "unsupported"),
        (70, "<h", 999, "unreadable"),
        (108, "<f", 40.0, "unreadable"),
        (108, "<f", float("nan"), "unreadable"),
        (344, "<4s", b"ni1\0", "unsupported"),
        (344, "<4s", b"zzzz", "unsupported"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_absurd_headers_are_refused(tmp_path, suffix, at, form, value, code):
    block = bytearray(nifti(tmp_path / "a.nii").read_bytes())
    struct.pack_into(form, block, at, value)
    if at == 42 and value > 0:
        struct.pack_into("<hh", block, 44, value, value)
    path = tmp_path / f"b{suffix}"
    path.write_bytes(gzip.compress(bytes(block)) if suffix == ".nii.gz" else bytes(block))
    with pytest.raises(UnreadableError) as caught:
        read(path)
    assert caught.value.code == code


def test_content_decides_over_names(tmp_path):
    path = nifti(tmp_path / "a.nii.gz").rename(tmp_path / "a.nrrd")
    found, issues = read_one(path)
    assert (found.raw_format, issues) == ("nifti", ["wrong-extension"])
    nrrd.write(str(tmp_path / "b.nrrd"), STORED)
    found, issues = read_one((tmp_path / "b.nrrd").rename(tmp_path / "b.nii"))
    assert (found.raw_format, issues) == ("nrrd", ["wrong-extension"])
    np.testing.assert_array_equal(found.array, STORED.T)


HEADER = nibabel.Nifti1Image(STORED, OBLIQUE).to_bytes()


@given(st.data())
def test_damaged_nifti_never_crashes(tmp_path_factory, data):
    block = bytearray(HEADER)
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(0, 351))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.nii"
    path.write_bytes(block)
    try:
        found, _ = read(path)
    except UnreadableError:
        return
    assert all(np.isfinite(one.affine_lps).all() for one in found)


LPS = {"space": "left-posterior-superior", "space directions": OBLIQUE[:3, :3].T, "space origin": OBLIQUE[:3, 3]}


@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
def test_nrrd_in_every_encoding(tmp_path, encoding):
    path = tmp_path / "a.nrrd"
    nrrd.write(str(path), STORED, LPS | {"encoding": encoding})
    found, issues = read_one(path, values="hu")
    np.testing.assert_array_equal(found.array, STORED.T)
    np.testing.assert_allclose(found.affine_lps, OBLIQUE, atol=1e-9)
    assert (found.oriented, found.values, found.raw_format, issues) == (True, "hu", "nrrd", [])


def test_nrrd_in_ras_turns_to_lps_and_without_space_is_not_oriented(tmp_path):
    path = tmp_path / "a.nrrd"
    nrrd.write(str(path), STORED, LPS | {"space": "right-anterior-superior"})
    found, _ = read_one(path)
    np.testing.assert_allclose(found.affine_lps, RAS_TO_LPS @ OBLIQUE, atol=1e-9)
    nrrd.write(str(path), STORED, {"spacings": [1.0, 2.0, 3.0]})
    found, _ = read_one(path)
    assert found.oriented is False
    np.testing.assert_allclose(np.linalg.norm(found.affine_lps[:3, :3], axis=0), [1, 2, 3])


def test_nrrd_colour_series_and_planes(tmp_path):
    path = tmp_path / "a.nrrd"
    colour = RNG.integers(0, 255, (3, 4, 5, 6), dtype=np.uint8)
    directions = np.vstack([np.full(3, np.nan), np.eye(3)])
    nrrd.write(str(path), colour, LPS | {"space directions": directions, "kinds": ["RGB-color", *["domain"] * 3]})
    found, _ = read_one(path)
    assert found.values == "rgb"
    np.testing.assert_array_equal(found.array, colour.T)
    nrrd.write(str(path), colour, LPS | {"space directions": directions, "kinds": ["list", *["domain"] * 3]})
    many, _ = read(path, every_nth=2)
    assert [one.volume_index for one in many] == [0, 2]
    np.testing.assert_array_equal(many[1].array, colour[2].T)
    nrrd.write(str(path), colour, LPS | {"space directions": directions, "kinds": ["vector", *["domain"] * 3]})
    with pytest.raises(UnreadableError, match="vector"):
        read(path)
    nrrd.write(str(path), STORED[:, :, 0])
    flat, _ = read_one(path)
    np.testing.assert_array_equal(flat.array, STORED[:, :, 0].T[None])
    assert flat.oriented is False


def test_detached_nrrd_data_stay_beside_their_header(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    nrrd.write(str(folder / "a.nhdr"), STORED, LPS | {"encoding": "raw"})
    found, issues = read_one(folder / "a.nhdr")
    np.testing.assert_array_equal(found.array, STORED.T)
    assert issues == []
    text = (folder / "a.nhdr").read_text()
    (tmp_path / "secret.raw").write_bytes((folder / "a.raw").read_bytes())
    for name, code in (
        ("../secret.raw", "unsafe-path"),
        ("/etc/hosts", "unsafe-path"),
        ("none.raw", "missing-file"),
        ("LIST", "unsupported"),
        ("a%02d.raw 1 3 1", "unsupported"),
    ):
        (folder / "a.nhdr").write_text(text.replace("a.raw", name))
        with pytest.raises(UnreadableError) as caught:
            read(folder / "a.nhdr")
        assert caught.value.code == code


def test_broken_nrrd_is_unreadable(tmp_path):
    path = tmp_path / "a.nrrd"
    for encoding in ("raw", "gzip"):
        nrrd.write(str(path), STORED, LPS | {"encoding": encoding})
        whole = path.read_bytes()
        for size in (12, len(whole) // 2, len(whole) - 30):
            path.write_bytes(whole[:size])
            with pytest.raises(UnreadableError):
                read(path)
    for old, new, code in (
        (b"sizes: 4 5 6", b"sizes: 4000 5000 6000", "absurd-size"),
        (b"sizes: 4 5 6", b"sizes: 4 5", "absurd-size"),
        (b"sizes: 4 5 6", b"sizes: 4 -5 6", "absurd-size"),
        (b"type: int16", b"type: block", "unreadable"),
        (b"type: int16", b"kind: x", "unreadable"),
    ):
        assert old in whole
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(UnreadableError) as caught:
            read(path)
        assert caught.value.code == code


META = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = {msb}
CompressedData = False
TransformMatrix = 0 1 0 -1 0 0 0 0 1
Offset = -10 20 30.5
ElementSpacing = 0.5 0.75 2
DimSize = 4 5 6
ElementType = MET_SHORT
ElementDataFile = {data}
"""
META_AFFINE = np.array([[0, -0.75, 0, -10], [0.5, 0, 0, 20], [0, 0, 2, 30.5], [0, 0, 0, 1.0]])
"""Each row of TransformMatrix is one axis' direction: x runs along +y, y along -x."""


@pytest.mark.parametrize("msb", [False, True])
def test_metaimage_from_bytes_written_by_hand(tmp_path, msb):
    voxels = STORED.T.astype(">i2" if msb else "<i2").tobytes()
    (tmp_path / "a.mha").write_bytes(META.format(msb=msb, data="LOCAL").encode() + voxels)
    (tmp_path / "b.mhd").write_text(META.format(msb=msb, data="b.raw"))
    (tmp_path / "b.raw").write_bytes(voxels)
    for name in ("a.mha", "b.mhd"):
        found, issues = read_one(tmp_path / name)
        np.testing.assert_array_equal(found.array, STORED.T)
        np.testing.assert_allclose(found.affine_lps, META_AFFINE)
        assert (found.raw_format, found.oriented, issues) == ("metaimage", True, [])


@pytest.mark.parametrize("compressed", [False, True])
def test_metaimage_written_by_simpleitk(tmp_path, compressed):
    image = sitk.GetImageFromArray(STORED.T)
    image.SetSpacing((0.5, 0.6, 3.0))
    image.SetOrigin((1.0, 2.0, 3.0))
    image.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    sitk.WriteImage(image, str(tmp_path / "a.mha"), compressed)
    found, _ = read_one(tmp_path / "a.mha")
    np.testing.assert_array_equal(found.array, STORED.T)
    corner = np.array([3, 2, 1])
    np.testing.assert_allclose(found.affine_lps @ [*corner, 1], [*image.TransformIndexToPhysicalPoint(corner.tolist()), 1])
    colour = sitk.GetImageFromArray(RNG.integers(0, 255, (2, 3, 4, 3), dtype=np.uint8), isVector=True)
    sitk.WriteImage(colour, str(tmp_path / "c.mha"), compressed)
    assert read_one(tmp_path / "c.mha")[0].values == "rgb"
    series = RNG.integers(0, 9, (3, 4, 5, 6), dtype=np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(series, isVector=False), str(tmp_path / "t.mha"), compressed)
    many, _ = read(tmp_path / "t.mha", every_nth=2)
    assert [one.volume_index for one in many] == [0, 2]
    np.testing.assert_array_equal(many[1].array, series[2])


def test_broken_metaimages_are_unreadable(tmp_path):
    whole = META.format(msb=False, data="LOCAL").encode() + STORED.T.astype("<i2").tobytes()
    path = tmp_path / "a.mha"
    cases = (
        (whole[:-5], "unreadable"),
        (whole[:40], "unreadable"),
        (whole.replace(b"4 5 6", b"4000 5000 6000"), "absurd-size"),
        (whole.replace(b"4 5 6", b"4 5"), "absurd-size"),
        (whole.replace(b"MET_SHORT", b"MET_WORDS"), "unreadable"),
        (whole.replace(b"LOCAL", b"../x.raw"), "unsafe-path"),
        (whole.replace(b"LOCAL", b"LIST"), "unsupported"),
    )
    for block, code in cases:
        path.write_bytes(block)
        with pytest.raises(UnreadableError) as caught:
            read(path)
        assert caught.value.code == code


def test_other_content_is_unreadable(tmp_path):
    for content in (b"", b"hello, this is no volume at all" * 20, gzip.compress(b"nor this" * 99)):
        (tmp_path / "a.nii.gz").write_bytes(content)
        with pytest.raises(UnreadableError):
            read(tmp_path / "a.nii.gz")


def test_real_nifti_equals_nibabel(real_data):
    paths = [
        *sorted((real_data / "msd_hippocampus").rglob("*.nii.gz")),
        *sorted((real_data / "niivue_atlases").rglob("*.nii.gz")),
        *sorted((real_data / "dcm_qa_siemens").rglob("*.nii")),
        *sorted((Path(nibabel.__file__).parent / "tests" / "data").glob("[a-s]*[!n].nii*")),
    ]
    assert len(paths) > 130
    for path in paths:
        if path.name in ("CIT168.nii.gz", "row_major.dconn.nii"):
            continue
        found, _ = read(path)
        image = nibabel.load(path)
        expected = np.asarray(image.dataobj).T
        for one, truth in zip(found, expected if expected.ndim == 4 else expected[None], strict=True):
            least = np.float32(truth[np.isfinite(truth)].min())
            np.testing.assert_allclose(one.array, np.where(np.isfinite(truth), truth, least), rtol=1e-6)
            np.testing.assert_allclose(one.affine_lps, RAS_TO_LPS @ image.affine, rtol=1e-6, atol=1e-5)


def test_real_nrrd_equals_pynrrd(real_data):
    paths = [*sorted((real_data / "pyradiomics_nrrd").rglob("*.nrrd")), *sorted((real_data / "dcmqi_seg").rglob("*.nrrd"))]
    assert len(paths) > 20
    for path in paths:
        found, issues = read_one(path)
        voxels, header = nrrd.read(str(path))
        np.testing.assert_array_equal(found.array, voxels.T)
        np.testing.assert_allclose(found.affine_lps[:3, :3], header["space directions"].T, atol=1e-9)
        np.testing.assert_allclose(found.affine_lps[:3, 3], header["space origin"], atol=1e-9)
        assert issues == []
