"""DICOM SEG against dcmqi's label maps, highdicom's own reading and SimpleITK's resampling."""

from __future__ import annotations

import contextlib
import tracemalloc
from pathlib import Path

import highdicom as hd
import nrrd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from highdicom.sr.coding import CodedConcept
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from medloom.builders.formats import dicom_object, seg
from medloom.builders.formats.dicom_object import origin_of, tool_of
from medloom.builders.formats.layers import Region, pack_layers
from medloom.builders.picture import Layer, Picture, Volume
from medloom.builders.unit import SegObject
from medloom.schema.errors import Issue, UnreadableError
from medloom.schema.sample import Origin

TARGET = SegObject(path="seg.dcm")
LIVER_FILES = ["liver", "liver_rle", "liver_deflate", "liver_j2k", "liver_expb"]
CROPPED_FILES = [f"liver_nonbyte_aligned{ending}" for ending in ("", "_rle", "_deflate", "_j2k")]
ORGAN = CodedConcept("123037004", "SCT", "Anatomical Structure")


def volume_of(paths: list[Path]) -> Volume:
    """Single-frame slices as a volume, from the lowest along the normal up; built here, not by our reader."""
    slices = [pydicom.dcmread(path) for path in paths]
    along, down = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(along, down)
    slices.sort(key=lambda one: np.dot(one.ImagePositionPatient, normal))
    origins = np.array([one.ImagePositionPatient for one in slices], float)
    heights = (origins - origins[0]) @ normal
    affine = np.eye(4)
    affine[:3, 0] = along * slices[0].PixelSpacing[1]
    affine[:3, 1] = down * slices[0].PixelSpacing[0]
    affine[:3, 2] = (origins[-1] - origins[0]) / max(len(slices) - 1, 1)
    affine[:3, 3] = origins[0]
    return Volume(
        array=np.stack([one.pixel_array for one in slices]),
        affine_lps=affine,
        even=bool(np.ptp(np.diff(heights)) < 0.01) if len(slices) > 1 else True,
        positions_mm=tuple(heights.tolist()),
        sop_instances=tuple(str(one.SOPInstanceUID) for one in slices),
        frame_of_reference=str(slices[0].FrameOfReferenceUID),
    )


def read(path: Path, image: Volume | Picture, target: SegObject = TARGET) -> tuple[list[Layer], list[Issue]]:
    issues: list[Issue] = []
    return seg.layers(path, target, volume=image, report=issues.append), issues


def masks(layers: list[Layer]) -> dict[str, np.ndarray]:
    """Name → where any layer has it."""
    found: dict[str, np.ndarray] = {}
    for layer in layers:
        for value, name in layer.names.items():
            found[name] = found.get(name, False) | (layer.array == value)
    return found


def oracle(path: Path) -> np.ndarray:
    """An NRRD label map as (slices, rows, columns)."""
    return nrrd.read(str(path))[0].transpose(2, 1, 0)


def codes(issues: list[Issue]) -> list[str]:
    return sorted(issue.code for issue in issues)


@pytest.fixture(scope="session")
def dcmqi(real_data) -> Path:
    return real_data / "dcmqi_seg" / "data" / "segmentations"


@pytest.fixture(scope="session")
def slides(real_data) -> Path:
    return real_data / "highdicom_sm_seg" / "data" / "test_files"


@pytest.fixture(scope="session")
def abdomen(dcmqi) -> Volume:
    return volume_of(list((dcmqi / "ct-3slice").glob("*.dcm")))


@pytest.fixture(scope="session")
def phantom(dcmqi) -> Volume:
    return volume_of(list((dcmqi / "24x38x3" / "image").glob("*.dcm")))


@pytest.fixture(scope="session")
def uneven() -> Volume:
    """Four slices of 16×16, of which the first lies 200 mm away from the others."""
    names = ("17106", "17136", "17166", "17196")
    return volume_of([Path(str(get_testdata_file(f"dicomdirtests/77654033/CT2/{name}"))) for name in names])


# Against dcmqi


@pytest.mark.parametrize("name", LIVER_FILES)
def test_every_encoding_of_the_liver_equals_its_label_map(real_data, dcmqi, abdomen, name):
    layers, issues = read(real_data / "pydicom_data" / "data_store" / "data" / f"{name}.dcm", abdomen)
    (layer,) = layers
    assert np.array_equal(layer.array, oracle(dcmqi / "liver_seg.nrrd"))
    assert (layer.array != 0).sum() == 107098
    assert layer.names == {1: "Liver"}
    assert (layer.origin, layer.tool) == ({1: Origin.MODEL}, {1: "SlicerEditor"})
    assert not layer.partial
    assert not issues


@pytest.mark.parametrize("name", CROPPED_FILES)
def test_a_smaller_frame_finds_its_place_on_the_image(real_data, dcmqi, abdomen, name):
    layers, issues = read(real_data / "pydicom_data" / "data_store" / "data" / f"{name}.dcm", abdomen)
    assert np.array_equal(layers[0].array, oracle(dcmqi / "liver_seg.nrrd"))
    assert codes(issues) == ["grid-differs"]


@pytest.mark.parametrize("folder", ["23x38x3", "24x38x3"])
@pytest.mark.parametrize("multiframe", [False, True])
def test_frames_that_end_inside_a_byte(dcmqi, folder, multiframe):
    image = volume_of(list((dcmqi / folder / "image").glob("*.dcm")))
    if multiframe:  # one object whose slices share its UID, which the SEG never heard of
        image.sop_instances = ("1.2.3",) * 3
    layers, issues = read(dcmqi / folder / "seg" / "label.seg", image)
    assert np.array_equal(layers[0].array, oracle(dcmqi / folder / "nrrd" / "label.nrrd"))
    assert not issues


def test_overlapping_segments_lie_in_as_many_layers_as_dcmqi_needs(dcmqi, abdomen):
    layers, issues = read(dcmqi / "partial_overlaps.dcm", abdomen)
    expected = [oracle(dcmqi / f"partial_overlaps-{n}.nrrd") for n in (1, 2, 3)]
    assert len(layers) == 3
    for layer, label_map in zip(layers, expected, strict=True):
        assert np.array_equal(layer.array, label_map)
    assert layers[0].names == {1: "GREEN", 4: "LIGHT_BLUE", 5: "DARK_BLUE"}
    assert set(layers[0].origin.values()) == {Origin.HUMAN}
    assert not any(layer.tool for layer in layers)
    assert not issues


@pytest.mark.parametrize(("name", "padding"), [("noppv", 0), ("ppv5", 5)])
def test_label_maps_on_fewer_slices_than_the_image(dcmqi, phantom, name, padding):
    layers, issues = read(dcmqi / f"sparse-labelmap-{name}.dcm", phantom)
    expected = oracle(dcmqi / f"sparse_labelmap_{name}_seg.nrrd")
    (layer,) = layers
    assert np.array_equal(layer.array, np.where(expected == padding, 0, expected))
    assert layer.names == {1: "Liver"}
    assert (layer.partial, layer.assessed) == (True, frozenset({0, 2}))
    assert not issues
    assert seg.segments(dcmqi / f"sparse-labelmap-{name}.dcm") == [(1, "Liver")]


# Against highdicom


def described(number: int, label: str) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(number, label, ORGAN, ORGAN, hd.seg.SegmentAlgorithmTypeValues.MANUAL)


def written(path: Path, sources: list, pixels: np.ndarray, labels: list[str], **options) -> Path:
    """A SEG made by highdicom over single-frame sources, in their order."""
    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=options.pop("kind", hd.seg.SegmentationTypeValues.BINARY),
        segment_descriptions=[described(n, label) for n, label in enumerate(labels, start=1)],
        series_instance_uid=hd.UID(),
        series_number=1,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="m",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
        **options,
    )
    made.save_as(path)
    return path


@pytest.fixture(scope="session")
def abdomen_slices(dcmqi) -> list[pydicom.Dataset]:
    slices = [pydicom.dcmread(path) for path in (dcmqi / "ct-3slice").glob("*.dcm")]
    for one in slices:
        # highdicom warns of a name without parts and refuses an empty character set.
        one.PatientName, one.SpecificCharacterSet = "A^B", "ISO_IR 100"
    return sorted(slices, key=lambda one: one.ImagePositionPatient[2])


NATIVE, RLE, JPEG_2000 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"
WRITTEN = [("BINARY", NATIVE)]  # highdicom doesn't compress bits
WRITTEN += [(kind, syntax) for kind in ("LABELMAP", "FRACTIONAL") for syntax in (NATIVE, RLE, JPEG_2000)]


@pytest.mark.parametrize(("kind", "syntax"), WRITTEN)
def test_liver_and_spine_written_by_highdicom(dcmqi, abdomen, abdomen_slices, tmp_path, kind, syntax):
    label_map = oracle(dcmqi / "liver_spine_seg.nrrd").astype(np.uint8)
    pixels = label_map
    if kind == "FRACTIONAL":
        pixels = np.stack([label_map == 1, label_map == 2], axis=-1) * np.float32(0.75)
    kinds = hd.seg.SegmentationTypeValues
    path = written(tmp_path / "s.dcm", abdomen_slices, pixels, ["liver", "spine"], kind=kinds[kind], transfer_syntax_uid=syntax)
    layers, issues = read(path, abdomen)
    assert np.array_equal(layers[0].array, label_map)
    assert layers[0].names == {1: "liver", 2: "spine"}
    assert codes(issues) == (["fractional-mask"] if kind == "FRACTIONAL" else [])
    assert seg.segments(path) == [(1, "liver"), (2, "spine")]


def test_fractions_from_one_half_on_are_inside(abdomen, abdomen_slices, tmp_path):
    steps = np.zeros((3, 512, 512), np.float32)
    steps[:, :, :4] = (0.49, 0.5, 0.51, 1.0)
    kind = hd.seg.SegmentationTypeValues.FRACTIONAL
    path = written(tmp_path / "s.dcm", abdomen_slices, steps, ["x"], kind=kind, max_fractional_value=200)
    stored = pydicom.dcmread(path).pixel_array[0, 0, :4].tolist()
    layers, _ = read(path, abdomen)
    assert layers[0].array[0, 0, :5].tolist() == [int(value >= 100) for value in (*stored, 0)]
    assert layers[0].array.sum() == 3 * 512 * 3


@pytest.mark.parametrize("name", ["binary", "binary_fractional", "binary_overlap", "true_fractional"])
def test_uneven_slices_equal_highdicom_by_source_instance(slides, uneven, name):
    path = slides / f"seg_image_ct_{name}.dcm"
    layers, issues = read(path, uneven)
    theirs = hd.seg.segread(path)
    expected = theirs.get_pixels_by_source_instance(uneven.sop_instances, rescale_fractional=True)
    for number, label in seg.segments(path):
        assert np.array_equal(masks(layers)[label], expected[..., number - 1] >= 0.5)
    assert codes(issues) == ([] if name in ("binary", "binary_overlap") else ["fractional-mask"])


SLIDES = ["control", "control_labelmap", "control_labelmap_palette_color", "dots", "dots_tiled_full", "numbers"]


@pytest.mark.parametrize("name", SLIDES)
def test_slides_equal_highdicom_whole_and_by_tile(slides, name):
    path = slides / f"seg_image_sm_{name}.dcm"
    theirs = hd.seg.segread(path)
    expected = theirs.get_total_pixel_matrix(combine_segments=True)
    whole, issues = read(path, Picture(pixels=np.zeros((50, 50, 3), np.uint8)))
    assert len(whole) == 1
    assert np.array_equal(whole[0].array, expected)
    assert "Background" not in whole[0].names.values()
    assert not whole[0].partial
    assert not issues
    for x, y in ((0, 0), (13, 27), (35, 40)):
        tile = Picture(pixels=np.zeros((10, 15, 3), np.uint8), axis="tile", index=0, offset_xy_px=(x, y))
        (layer,), issues = read(path, tile)
        assert np.array_equal(layer.array, expected[y : y + 10, x : x + 15])
        assert not issues


def test_a_slide_at_half_the_resolution_takes_the_pixel_under_its_centres(slides):
    path = slides / "seg_image_sm_control.dcm"
    expected = hd.seg.segread(path).get_total_pixel_matrix(combine_segments=True)
    (layer,), issues = read(path, Picture(pixels=np.zeros((25, 25, 3), np.uint8)))
    assert np.array_equal(layer.array, expected[1::2, 1::2])
    assert codes(issues) == ["grid-differs"]
    assert codes(read(path, Picture(pixels=np.zeros((25, 50, 3), np.uint8)))[1]) == ["mask-size"]


# Single images


def test_a_radiograph_without_any_geometry(slides):
    path = slides / "seg_image_cr_binary.dcm"
    source = pydicom.dcmread(str(get_testdata_file("dicomdirtests/77654033/CR1/6154")))
    (layer,), issues = read(path, Picture(pixels=source.pixel_array, sop_instance=str(source.SOPInstanceUID)))
    assert np.array_equal(layer.array, pydicom.dcmread(path).pixel_array)
    assert layer.array.sum() == 151
    assert not issues
    assert codes(read(path, Picture(pixels=source.pixel_array, sop_instance="1.2.3"))[1]) == ["no-image"]
    assert codes(read(path, Picture(pixels=np.zeros((16, 17))))[1]) == ["mask-size"]


def test_one_slice_of_a_series_takes_the_frame_that_names_it(slides, uneven):
    path = slides / "seg_image_ct_binary.dcm"
    (whole,), _ = read(path, uneven)
    assert uneven.sop_instances is not None
    for at in (1, 2, 3):
        picture = Picture(pixels=uneven.array[at], sop_instance=uneven.sop_instances[at])
        assert np.array_equal(read(path, picture)[0][0].array, whole.array[at])
    assert codes(read(path, Picture(pixels=uneven.array[0]))[1]) == ["no-image"]


def test_frames_of_a_clip_by_their_number(slides, tmp_path):
    made = pydicom.dcmread(slides / "seg_image_cr_binary.dcm")
    made.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = [3, 5]
    made.save_as(tmp_path / "s.dcm")
    for index, there in ((0, False), (2, True), (4, True), (5, False)):
        picture = Picture(pixels=np.zeros((16, 16)), axis="frame", index=index)
        assert bool(read(tmp_path / "s.dcm", picture)[0]) is there


# Other grids


def test_another_grid_is_resampled_as_simpleitk_does(abdomen, abdomen_slices, dcmqi, tmp_path):
    label_map = oracle(dcmqi / "liver_spine_seg.nrrd").astype(np.uint8)
    path = written(tmp_path / "s.dcm", abdomen_slices, label_map, ["liver", "spine"])
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.02, -0.015, 0.3)
    axes = np.array(turn.GetMatrix()).reshape(3, 3)
    steps = axes * (1.37, 1.91, 0.613)
    affine = np.eye(4)
    affine[:3, :3] = steps
    middle = np.argwhere(label_map).mean(axis=0)[::-1]
    affine[:3, 3] = (abdomen.affine_lps @ [*middle, 1])[:3] - steps @ (115, 95, 6)
    image = Volume(array=np.zeros((12, 190, 230), np.int16), affine_lps=affine)
    layers, issues = read(path, image)
    source = sitk.GetImageFromArray(label_map)
    source.SetSpacing((0.810547, 0.810547, 1.0))
    source.SetOrigin((-235.199997, -226.800003, -128.690002))
    expected = sitk.Resample(
        source,
        (230, 190, 12),
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        affine[:3, 3].tolist(),
        (1.37, 1.91, 0.613),
        axes.ravel().tolist(),
        0,
    )
    assert np.array_equal(layers[0].array, sitk.GetArrayFromImage(expected))
    assert all((layers[0].array == value).sum() > 1000 for value in (1, 2))
    assert codes(issues) == ["grid-differs"]


def test_a_reversed_image_gets_reversed_slices(abdomen, dcmqi):
    reversed_stack = Volume(
        array=abdomen.array[::-1],
        affine_lps=abdomen.affine_lps @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 2], [0, 0, 0, 1.0]]),
        frame_of_reference=abdomen.frame_of_reference,
    )
    layers, issues = read(dcmqi / "liver.dcm", reversed_stack)
    assert np.array_equal(layers[0].array, oracle(dcmqi / "liver_seg.nrrd")[::-1])
    assert not issues


def test_a_flipped_image_is_another_grid(abdomen, dcmqi):
    mirror = np.diag([-1.0, 1, 1, 1])
    mirror[0, 3] = 511
    flipped = Volume(array=abdomen.array[:, :, ::-1], affine_lps=abdomen.affine_lps @ mirror)
    layers, issues = read(dcmqi / "liver.dcm", flipped)
    assert np.array_equal(layers[0].array, oracle(dcmqi / "liver_seg.nrrd")[:, :, ::-1])
    assert codes(issues) == ["grid-differs"]


def without(volume: Volume, **changes) -> Volume:
    fields = {
        name: getattr(volume, name)
        for name in ("array", "affine_lps", "positions_mm", "sop_instances", "frame_of_reference", "oriented")
    }
    return Volume(**{**fields, **changes})


def test_what_is_about_another_image_gives_nothing(dcmqi, abdomen, phantom):
    for image in (phantom, without(abdomen, sop_instances=None, frame_of_reference="1.2.3")):
        layers, issues = read(dcmqi / "liver.dcm", image)
        assert layers == []
        assert codes(issues) == ["no-image"]


def test_references_count_where_the_geometry_can_t(dcmqi, abdomen):
    expected = oracle(dcmqi / "liver_seg.nrrd")
    for changes, found in (
        ({"frame_of_reference": "1.2.3"}, ["frame-of-reference"]),
        ({"oriented": False}, []),
        ({"affine_lps": abdomen.affine_lps + np.outer([0, 0, 1, 0], [0, 0, 0, 500])}, ["position-differs"]),
    ):
        layers, issues = read(dcmqi / "liver.dcm", without(abdomen, **changes))
        assert np.array_equal(layers[0].array, expected)
        assert codes(issues) == found


def test_frames_beyond_the_image_are_counted_and_the_rest_used(dcmqi, abdomen):
    assert abdomen.sop_instances is not None
    part = without(abdomen, array=abdomen.array[:2], sop_instances=abdomen.sop_instances[:2], positions_mm=None)
    layers, issues = read(dcmqi / "liver.dcm", part)
    assert np.array_equal(layers[0].array, oracle(dcmqi / "liver_seg.nrrd")[:2])
    assert [(issue.code, issue.severity) for issue in issues] == [("no-image", "info")]


# Segments


def changed(path: Path, out: Path, change) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    implicit, little = dataset.original_encoding
    pydicom.dcmwrite(out, dataset, implicit_vr=implicit, little_endian=little, force_encoding=True)
    return out


def test_names_origins_and_tools_of_segments(dcmqi, abdomen, tmp_path):
    def rename(dataset):
        first, second, third, fourth, _ = dataset.SegmentSequence
        first.SegmentLabel = "  tumour "
        second.SegmentLabel = "tumour"
        third.SegmentLabel = ""
        fourth.SegmentAlgorithmType, fourth.SegmentAlgorithmName = "AUTOMATIC", "Net 2.1"

    path = changed(dcmqi / "partial_overlaps.dcm", tmp_path / "s.dcm", rename)
    layers, _ = read(path, abdomen)
    names = {value: name for layer in layers for value, name in layer.names.items()}
    assert names == {1: "tumour", 2: "tumour", 3: "Capillary", 4: "LIGHT_BLUE", 5: "DARK_BLUE"}
    assert layers[0].origin == {1: Origin.HUMAN, 4: Origin.MODEL, 5: Origin.HUMAN}
    assert layers[0].tool == {4: "Net 2.1"}
    told = SegObject(path="s.dcm", origin=Origin.DERIVED, observer="b")
    layers, _ = read(path, abdomen, told)
    assert {origin for layer in layers for origin in layer.origin.values()} == {Origin.DERIVED}
    assert {layer.observer for layer in layers} == {"b"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("TotalSegmentator v2", True),
        ("", False),
        ("x" * 65, False),
        ("Dr. Müller", False),
        ("run 20240131", False),
        ("a\nb", False),
    ],
)
def test_only_safe_tool_names_are_kept(name, kept):
    assert tool_of(name) == (name if kept else None)


def test_an_object_that_doesn_t_say_who_made_it():
    assert [origin_of(word) for word in ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC", "", None)] == [
        Origin.HUMAN,
        Origin.MODEL,
        Origin.MODEL,
        Origin.UNKNOWN,
        Origin.UNKNOWN,
    ]


def test_frames_and_values_of_unknown_segments_are_issues(dcmqi, abdomen, phantom, tmp_path):
    def forget(dataset):
        dataset.SegmentSequence = dataset.SegmentSequence[:4]

    layers, issues = read(changed(dcmqi / "partial_overlaps.dcm", tmp_path / "s.dcm", forget), abdomen)
    assert "DARK_BLUE" not in masks(layers)
    assert codes(issues) == ["unknown-label-value"]

    def replace(dataset):
        dataset.SegmentSequence[1].SegmentNumber = 7

    layers, issues = read(changed(dcmqi / "sparse-labelmap-noppv.dcm", tmp_path / "t.dcm", replace), phantom)
    assert codes(issues) == ["mask-empty", "unknown-label-value"]
    assert not layers[0].array.any()
    assert layers[0].assessed == {0, 2}


def test_a_segment_zero_that_is_no_background_gets_a_free_value(dcmqi, phantom, tmp_path):
    def swap(dataset):
        background, liver = dataset.SegmentSequence
        background.SegmentNumber, liver.SegmentNumber = 1, 0

    path = changed(dcmqi / "sparse-labelmap-noppv.dcm", tmp_path / "s.dcm", swap)
    layers, issues = read(path, phantom)
    expected = oracle(dcmqi / "sparse_labelmap_noppv_seg.nrrd")
    assert np.array_equal(layers[0].array[[0, 2]], (expected == 0)[[0, 2]])
    assert layers[0].names == {1: "Liver"}
    assert not issues


# Damage


CLAIMS = [
    {"NumberOfFrames": 2**31 - 1},
    {"Rows": 65535, "Columns": 65535},
    {"NumberOfFrames": 100_000, "Rows": 65535, "Columns": 65535},
]
COMPRESSED = ["liver_rle", "liver_j2k", "liver_deflate"]


@pytest.mark.parametrize(
    ("name", "claim"),
    [(name, claim) for name in ("liver", *COMPRESSED) for claim in CLAIMS] + [("liver", {"BitsAllocated": 16})],
)
def test_absurd_claims_are_refused_before_anything_is_allocated(real_data, abdomen, tmp_path, name, claim):
    def lie(dataset):
        for keyword, value in claim.items():
            setattr(dataset, keyword, value)

    path = changed(real_data / "pydicom_data" / "data_store" / "data" / f"{name}.dcm", tmp_path / "s.dcm", lie)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError) as raised:
            read(path, abdomen)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.code == "absurd-size"
    assert peak < 4_000_000


def test_damaged_files_are_unreadable_never_a_crash(dcmqi, abdomen, tmp_path):
    whole = (dcmqi / "liver.dcm").read_bytes()
    for length in (0, 1, 131, 400, 2000, 4000, len(whole) - 1, len(whole) // 2):
        path = tmp_path / f"{length}.dcm"
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableError):
            read(path, abdomen)
    (tmp_path / "text.dcm").write_text("no DICOM " * 100)
    with pytest.raises(UnreadableError):
        read(tmp_path / "text.dcm", abdomen)
    with pytest.raises(UnreadableError):
        read(tmp_path / "absent.dcm", abdomen)
    with pytest.raises(UnreadableError) as raised:
        read(dcmqi / "ct-3slice" / "01.dcm", abdomen)
    assert raised.value.code == "unsupported"


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_damaged_compressed_frame_is_unreadable(real_data, abdomen, tmp_path, name):
    whole = bytearray((real_data / "pydicom_data" / "data_store" / "data" / f"{name}.dcm").read_bytes())
    at = whole.rindex(b"\xe0\x7f\x10\x00") + 40
    whole[at : at + 600] = bytes(600)
    (tmp_path / "s.dcm").write_bytes(whole)
    with pytest.raises(UnreadableError):
        read(tmp_path / "s.dcm", abdomen)


def test_a_header_without_its_sequences_is_unreadable(dcmqi, abdomen, tmp_path):
    for keyword in ("SegmentSequence", "PerFrameFunctionalGroupsSequence", "Rows", "SegmentationType"):
        path = changed(dcmqi / "liver.dcm", tmp_path / f"{keyword}.dcm", lambda d, k=keyword: delattr(d, k))
        with pytest.raises(UnreadableError):
            read(path, abdomen)


def deflated(path: Path, out: Path) -> Path:
    """The same object as one deflated data set."""
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    dataset.save_as(out)
    return out


def test_a_deflated_data_set_is_read_and_a_bomb_refused(dcmqi, abdomen, tmp_path, monkeypatch):
    path = deflated(dcmqi / "liver.dcm", tmp_path / "s.dcm")
    assert path.stat().st_size < 20_000
    layers, issues = read(path, abdomen)
    assert np.array_equal(layers[0].array, oracle(dcmqi / "liver_seg.nrrd"))
    assert not issues
    monkeypatch.setattr(dicom_object, "MAX_INFLATED", 50_000)
    path = deflated(dcmqi / "partial_overlaps.dcm", tmp_path / "bomb.dcm")
    with pytest.raises(UnreadableError) as raised:
        read(path, abdomen)
    assert raised.value.code == "absurd-size"
    path.write_bytes(path.read_bytes()[:500] + bytes(2000))
    with pytest.raises(UnreadableError):
        read(path, abdomen)


def test_counts_that_disagree_are_unreadable(dcmqi, abdomen, tmp_path):
    def fewer(dataset):
        dataset.NumberOfFrames = 2

    def twice(dataset):
        dataset.SegmentSequence = [*dataset.SegmentSequence, *dataset.SegmentSequence]

    def other(dataset):
        dataset.SegmentationType = "BLURRY"

    for change in (fewer, twice, other):
        with pytest.raises(UnreadableError):
            read(changed(dcmqi / "liver.dcm", tmp_path / f"{change.__name__}.dcm", change), abdomen)


def test_frames_of_another_size_need_geometry(real_data, abdomen):
    path = real_data / "pydicom_data" / "data_store" / "data" / "liver_nonbyte_aligned.dcm"
    layers, issues = read(path, without(abdomen, oriented=False))
    assert layers == []
    assert codes(issues) == ["mask-size"]


def test_frames_that_don_t_stack_are_unsupported_on_another_grid(real_data, abdomen, tmp_path):
    def shift(dataset):
        dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient[0] += 7

    path = real_data / "pydicom_data" / "data_store" / "data" / "liver_nonbyte_aligned.dcm"
    layers, issues = read(changed(path, tmp_path / "s.dcm", shift), abdomen)
    assert layers == []
    assert codes(issues) == ["unsupported"]


def test_a_seg_that_references_nothing_is_about_the_only_image(slides, tmp_path):
    def forget(dataset):
        del dataset.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence

    path = changed(slides / "seg_image_cr_binary.dcm", tmp_path / "s.dcm", forget)
    assert read(path, Picture(pixels=np.zeros((16, 16))))[0][0].array.sum() == 151
    assert read(path, Picture(pixels=np.zeros((16, 16)), axis="frame", index=1))[0] == []


def test_tiles_of_another_resolution_by_their_spacing(slides):
    path = slides / "seg_image_sm_control.dcm"
    expected = hd.seg.segread(path).get_total_pixel_matrix(combine_segments=True)
    shared = pydicom.dcmread(path).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
    spacing = (2 * float(shared[0]), 2 * float(shared[1]))
    tile = Picture(pixels=np.zeros((10, 8)), axis="tile", offset_xy_px=(5, 12), spacing_mm=spacing)
    (layer,), issues = read(path, tile)
    assert np.array_equal(layer.array, expected[25:45:2, 11:27:2])
    assert codes(issues) == ["grid-differs"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(132, 4000), st.integers(0, 255)), min_size=1, max_size=20))
def test_flipped_bytes_give_masks_or_an_unreadable_file(dcmqi, phantom, tmp_path_factory, flips):
    damaged = bytearray((dcmqi / "sparse-labelmap-noppv.dcm").read_bytes())
    for at, byte in flips:
        damaged[at] = byte
    path = tmp_path_factory.mktemp("seg") / "s.dcm"
    path.write_bytes(damaged)
    layers = []
    with contextlib.suppress(UnreadableError):
        layers, _ = read(path, phantom)
    assert all(layer.array.shape == (3, 38, 24) for layer in layers)


def test_memory_doesn_t_grow_with_the_number_of_segments(abdomen, abdomen_slices, tmp_path):
    stripes = np.broadcast_to((np.arange(512, dtype=np.uint8) // 8 % 60 + 1)[:, None], (3, 512, 512))
    path = written(tmp_path / "s.dcm", abdomen_slices, np.ascontiguousarray(stripes), [f"s{n}" for n in range(60)])
    seg.segments(path)
    tracemalloc.start()
    try:
        layers, _ = read(path, abdomen)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(layers) == 1
    assert np.array_equal(layers[0].array, stripes)
    assert peak < 8 * stripes.size


# Layers


@st.composite
def region_lists(draw) -> list[Region]:
    count = draw(st.integers(0, 6))
    bits = st.integers(0, 2**24 - 1)
    found = []
    for value in range(1, count + 1):
        flat = np.array([draw(bits) >> n & 1 for n in range(24)], np.uint8).reshape(2, 3, 4)
        there = {at: mask for at, mask in enumerate(flat) if mask.any()}
        found.append(Region(value=value, name=f"n{value % 3}", origin=Origin.MODEL, masks=there))
    return found


@given(region_lists())
def test_packing_keeps_every_region_whole_in_one_layer(regions):
    layers = pack_layers(iter(regions), (2, 3, 4), highest=6)
    for region in regions:
        homes = [layer for layer in layers if region.value in layer.names]
        assert len(homes) == 1
        expected = np.stack([region.masks.get(at, np.zeros((3, 4))) for at in range(2)])
        assert np.array_equal(homes[0].array == region.value, expected != 0)
    assert len(layers) <= max(len(regions), 1)
    total = sum((np.stack([r.masks.get(at, np.zeros((3, 4), np.uint8)) for at in range(2)]) for r in regions), 0)
    assert len(layers) >= np.max(total)
    if np.max(total) <= 1:
        assert len(layers) == 1


def test_many_values_need_a_wider_layer():
    region = Region(value=300, name="a", origin=Origin.HUMAN, masks={0: np.ones((2, 2))})
    (layer,) = pack_layers([region], (2, 2), highest=300)
    assert layer.array.dtype == np.uint16
    assert layer.array.tolist() == [[300, 300], [300, 300]]
