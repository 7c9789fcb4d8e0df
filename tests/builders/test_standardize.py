"""Pictures and volumes as they will be stored: turned, windowed, resampled, with their masks on the very pixels."""

from __future__ import annotations

import io
from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from medloom.builders.picture import HeaderFacts, Layer, Picture, Volume
from medloom.builders.source import Reading
from medloom.builders.standardize import Shape, Shown, nearest, resample, show_picture, show_volume, square_pixels
from medloom.builders.unit import Mark
from medloom.schema.errors import Issue, UsageError
from medloom.schema.region import mask_from_rle, rle_from_mask
from medloom.schema.sample import Acquisition, Origin

RANDOM = np.random.default_rng(11)
SMOOTH = np.add.outer(np.arange(24) * 4, np.arange(30) * 3).astype(np.uint8)


def volume_of(array: np.ndarray, *, spacing=(1.0, 1.0, 1.0), axes=(0, 1, 2), signs=(1, 1, 1), **more) -> Volume:
    """Spacing of columns, rows, slices."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for index in range(3):
        affine[axes[index], index] = signs[index] * spacing[index]
    return Volume(array=np.ascontiguousarray(array), affine_lps=affine, raw_format="nifti", decoder="test 1", **more)


def shown_of(volume: Volume, *, layers=(), issues: list[Issue] | None = None, **reading) -> list[Shown]:
    return list(
        show_volume(volume, layers=layers, reading=Reading(**reading), report=(issues if issues is not None else []).append)
    )


def decoded(shown: Shown) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(shown.encoded)))


# display: a body with a mark at each of its ends


def body() -> np.ndarray:
    """z, y, x in LPS order: uint8 with 50 at the right, 100 at the front, 150 at the top, 200 at right-front-top."""
    array = np.full((9, 10, 11), 10, np.uint8)
    array[:, :, 0], array[:, 0, :], array[-1, :, :] = 50, 100, 150
    array[-1, 0, 0] = 200
    array[0, -1, -1] = 250
    return array


EVERY_WAY = [(axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)]


def lying(axes: tuple[int, ...], signs: tuple[int, ...]) -> Volume:
    """The same body stored another way: columns, rows, slices run along these patient axes."""
    patient = body().transpose(2, 1, 0)  # x, y, z
    stored = patient.transpose(axes)[tuple(slice(None, None, sign) for sign in signs)]  # columns, rows, slices
    return volume_of(stored.transpose(2, 1, 0), axes=axes, signs=signs, values="grey")


@pytest.mark.parametrize(("axes", "signs"), EVERY_WAY)
def test_a_body_looks_the_same_however_it_was_stored(axes: tuple[int, ...], signs: tuple[int, ...]):
    straight = body()
    expected = {
        "axial": {straight[z].tobytes() for z in range(9)},  # rows to the back, columns to the left
        "coronal": {straight[::-1, y].tobytes() for y in range(10)},  # rows to the feet, columns to the left
        "sagittal": {straight[::-1, :, x].tobytes() for x in range(11)},  # rows to the feet, columns to the back
    }
    for plane, pictures in expected.items():
        found = shown_of(lying(axes, signs), axes=(plane,), min_mask_share=0.0)
        assert {shown.pixels.tobytes() for shown in found} == pictures
        assert all(np.array_equal(decoded(shown), shown.pixels) for shown in found)
        assert {(shown.plane, shown.rule.name, shown.axis) for shown in found} == {(plane, "unchanged", "slice")}


def test_corners_of_an_axial_slice():
    top = shown_of(volume_of(body(), values="grey"), axes=("axial",))[-1].pixels
    assert top[0, 0] == 200  # right, front, top: upper left
    assert top[-1, -1] == 150


def test_the_acquisition_plane_is_the_default():
    for axes, plane in (((0, 1, 2), "axial"), ((0, 2, 1), "coronal"), ((1, 2, 0), "sagittal")):
        found = shown_of(volume_of(RANDOM.integers(0, 255, (3, 20, 24)).astype(np.uint8), axes=axes, values="grey"))
        assert [shown.plane for shown in found] == [plane] * 3
        assert [shown.index for shown in found] == [0, 1, 2]


def test_masks_turn_with_their_image():
    array = RANDOM.integers(0, 40, (9, 10, 11)).astype(np.uint8)
    labels = np.zeros(array.shape, np.uint8)
    array[2:5, 1:7, 3:10] = labels[2:5, 1:7, 3:10] = 200
    labels[labels > 0] = 1
    for axes, signs in EVERY_WAY[::3]:
        volume = volume_of(array, axes=axes, signs=signs, values="grey")
        for shown in shown_of(volume, layers=[Layer(array=labels, names={1: "block"})], axes=("axial", "coronal", "sagittal")):
            mask = shown.pixels == 200
            assert bool(shown.placed) == mask.any()
            if shown.placed:
                assert np.array_equal(mask_from_rle(shown.placed[0].rle, mask.shape), mask)


# intensities and what is recorded


def test_before_resampling_arrays_are_equal():
    array = RANDOM.integers(-1000, 1000, (4, 20, 22)).astype(np.int16)
    found = shown_of(volume_of(array, values="hu"))
    expected = np.rint((np.clip(array.astype(float), -160, 240) + 160) / 400 * 255)
    assert np.array_equal(np.stack([shown.pixels for shown in found]), expected)
    assert {shown.rule.window for shown in found} == {(-160.0, 240.0)}
    assert {shown.transformations for shown in found} == {()}


def test_percentiles_are_of_the_whole_volume():
    array = np.stack([RANDOM.integers(0, 100, (20, 20)), RANDOM.integers(0, 1000, (20, 20))]).astype(np.uint16)
    rules = {shown.rule for shown in shown_of(volume_of(array))}
    assert len(rules) == 1
    assert rules.pop().name == "percentile"


def test_what_was_done_is_told():
    array = RANDOM.integers(0, 255, (12, 20, 24)).astype(np.uint8)
    volume = volume_of(
        array,
        spacing=(0.5, 0.5, 1.0),
        signs=(-1, 1, 1),
        values="grey",
        facts=HeaderFacts(modality="CT"),
        transformations=("mended",),
        volume_index=3,
    )
    shown = shown_of(volume, axes=("coronal",))[4]
    assert (shown.axis, shown.index, shown.volume_index, shown.plane) == ("slice", 4, 3, "coronal")
    assert shown.original_size_hw_px == (12, 24)
    assert shown.pixels.shape == (24, 24)
    assert shown.spacing_mm == (0.5, 0.5)
    assert shown.slice_position_mm == 2.0
    assert shown.orientation == "LI"
    assert shown.transformations == ("mended", "rows-reversed", "columns-reversed", "resampled-bilinear:24x24")
    assert (shown.raw_format, shown.decoder, shown.image_format) == ("nifti", "test 1", "png")
    assert shown.facts.modality == "CT"


# resampling


def by_sitk(pixels: np.ndarray, shape: Shape, spacing: tuple[float, float]) -> np.ndarray:
    """The picture on the new grid, linearly, by SimpleITK; grids share their outer edges."""
    image = sitk.GetImageFromArray(pixels.astype(np.float64))
    image.SetSpacing((spacing[1], spacing[0]))
    size = shape.size_hw_px[1], shape.size_hw_px[0]
    assert shape.spacing_mm is not None
    new = shape.spacing_mm[1], shape.spacing_mm[0]
    origin = tuple((one - old) / 2 for one, old in zip(new, image.GetSpacing(), strict=True))
    sampled = sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, origin, new, image.GetDirection(), -1.0)
    return sitk.GetArrayFromImage(sampled)


@pytest.mark.parametrize("spacing", [(1.0, 0.4), (0.4, 1.0), (2.5, 1.0), (1.0, 3.3), (5.0, 0.7)])
@pytest.mark.parametrize("seed", range(3))
def test_after_resampling_within_a_grey_level_of_sitk(spacing: tuple[float, float], seed: int):
    pixels = np.random.default_rng(seed).integers(0, 256, (31, 27), np.uint8)
    shape = square_pixels((31, 27), spacing)
    assert max(shape.spacing_mm) / min(shape.spacing_mm) < 1.05
    found, expected = resample(pixels, shape).astype(float), by_sitk(pixels, shape, spacing)
    inside = expected >= 0  # beyond the outermost centres SimpleITK has no value
    assert inside.mean() > 0.7
    assert np.abs(found - expected)[inside].max() <= 1.0


@pytest.mark.parametrize("spacing", [(1.0, 0.4), (2.5, 1.0), (1.0, 3.0)])
def test_nearest_is_that_of_sitk(spacing: tuple[float, float]):
    labels = RANDOM.integers(0, 5, (31, 27)).astype(np.uint8)
    shape = square_pixels((31, 27), spacing)
    rows, columns = ((np.arange(new) + 0.5) / new * old for new, old in zip(shape.size_hw_px, labels.shape, strict=True))
    expected = labels[np.floor(rows).astype(int)][:, np.floor(columns).astype(int)]
    assert np.array_equal(nearest(labels, shape), expected)


@pytest.mark.parametrize("spacing", [(3.0, 1.0, 1.0), (1.0, 3.0, 1.0), (0.8, 0.8, 2.4), (1.0, 2.3, 1.0)])
def test_a_block_and_its_mask_stay_congruent(spacing: tuple[float, float, float]):
    """An edge between two pixels is a ramp after linear resampling; its middle is where nearest puts the mask's edge."""
    array = np.zeros((12, 24, 30), np.uint8)
    array[2:9, 6:15, 8:21] = 255
    layer = Layer(array=(array > 0).astype(np.uint8), names={1: "block"})
    for plane in ("axial", "coronal", "sagittal"):
        found = shown_of(volume_of(array, spacing=spacing, values="grey"), layers=[layer], axes=(plane,))
        for shown in found:
            mask = mask_from_rle(shown.placed[0].rle, shown.pixels.shape)
            bright = shown.pixels > 127
            even = all(abs(factor - round(factor)) < 1e-9 for factor in _factors(shown))
            assert np.count_nonzero(mask != bright) <= (0 if even else 0.1 * np.count_nonzero(bright))


def _factors(shown: Shown) -> tuple[float, float]:
    new, old = shown.pixels.shape, shown.original_size_hw_px
    return new[0] / old[0], new[1] / old[1]


@pytest.mark.parametrize(
    ("size", "spacing", "expected"),
    [
        ((10, 20), None, ((10, 20), None)),
        ((10, 20), (1.0, 1.0), ((10, 20), (1.0, 1.0))),
        ((10, 20), (1.0, 1.005), ((10, 20), (1.0, 1.005))),
        ((10, 20), (2.0, 1.0), ((20, 20), (1.0, 1.0))),
        ((10, 20), (1.0, 2.5), ((10, 50), (1.0, 1.0))),
        ((10, 20), (0.0, 1.0), ((10, 20), None)),
        ((10, 20), (1.0, -1.0), ((10, 20), None)),
        ((10, 20), (1.0, 40.0), ((10, 20), None)),
        ((1, 1), (3.0, 1.0), ((3, 1), (1.0, 1.0))),
    ],
)
def test_square_pixels(size, spacing, expected):
    shape = square_pixels(size, spacing)
    assert shape.size_hw_px == expected[0]
    assert shape.spacing_mm == (pytest.approx(expected[1]) if expected[1] else None)
    assert shape.resampled == (size != expected[0])


# what is left out


def test_constant_slices_are_counted():
    array = RANDOM.integers(0, 255, (4, 20, 20)).astype(np.uint8)
    array[1] = 7
    array[3] = 0
    issues: list[Issue] = []
    found = shown_of(volume_of(array, values="grey"), issues=issues)
    assert [shown.index for shown in found] == [0, 2]
    assert [(issue.code, issue.where) for issue in issues] == [("constant-slice", "slice 1"), ("constant-slice", "slice 3")]


@pytest.mark.parametrize(("slices", "thickness", "planes"), [(9, 1.0, {"axial"}), (10, 1.0, {"axial", "coronal", "sagittal"})])
def test_thin_reformats_are_left_out(slices: int, thickness: float, planes: set[str]):
    """20 mm across: a reformatted slice needs a height of 10 mm."""
    array = RANDOM.integers(0, 255, (slices, 20, 20)).astype(np.uint8)
    issues: list[Issue] = []
    found = shown_of(
        volume_of(array, spacing=(1.0, 1.0, thickness), values="grey"), axes=("axial", "coronal", "sagittal"), issues=issues
    )
    assert {shown.plane for shown in found} == planes
    assert [issue.code for issue in issues] == ["thin-reformat"] * (3 - len(planes))


def test_an_acquired_slice_may_be_thin():
    array = RANDOM.integers(0, 255, (3, 5, 40)).astype(np.uint8)
    assert len(shown_of(volume_of(array, values="grey"), axes=("axial",))) == 3


@pytest.mark.parametrize(("axes", "count"), [((), 5), (("axial", "coronal"), 5), (("coronal",), 0)])
def test_uneven_volumes_give_the_acquired_plane_alone(axes: tuple[str, ...], count: int):
    array = RANDOM.integers(0, 255, (5, 20, 20)).astype(np.uint8)
    positions = (0.0, 1.0, 2.0, 7.0, 8.0)
    issues: list[Issue] = []
    volume = volume_of(array, values="grey", even=False, positions_mm=positions)
    found = shown_of(volume, axes=axes, issues=issues)
    assert [shown.plane for shown in found] == ["axial"] * count
    assert tuple(shown.slice_position_mm for shown in found) == (positions if count else ())
    assert [issue.code for issue in issues] == (["no-reformat"] if axes else [])


def test_a_volume_without_directions_is_shown_as_it_lies():
    array = RANDOM.integers(0, 255, (3, 20, 24)).astype(np.uint8)
    found = shown_of(volume_of(array, signs=(-1, -1, -1), values="grey", oriented=False), axes=("coronal",))
    assert all(np.array_equal(shown.pixels, array[shown.index]) for shown in found)
    assert {(shown.plane, shown.orientation) for shown in found} == {(None, None)}


def test_unknown_axes():
    with pytest.raises(UsageError, match=r"--axes oblique; expected some of sagittal, coronal, axial"):
        shown_of(volume_of(np.zeros((2, 2, 2))), axes=("oblique", "axial"))


# masks


def two_blocks() -> tuple[Volume, Layer]:
    array = RANDOM.integers(0, 255, (4, 100, 100)).astype(np.uint8)
    labels = np.zeros(array.shape, np.uint8)
    labels[1, 10:30, 10:30] = 1
    labels[1, 50:53, 50:54] = 2  # 12 of 10 000 px
    labels[2, 50:54, 50:54] = 2  # 16
    return volume_of(array, values="grey"), Layer(array=labels, names={1: "large", 2: "small"})


@pytest.mark.parametrize(
    ("share", "kept", "small"),
    [
        (None, {1: {"large"}, 2: {"small"}}, {1: {"small"}}),
        (0.0, {1: {"large", "small"}, 2: {"small"}}, {}),
        (0.002, {1: {"large"}}, {1: {"small"}, 2: {"small"}}),
    ],
)
def test_small_masks_are_left_out_and_remembered(share: float | None, kept: dict, small: dict):
    volume, layer = two_blocks()
    found = shown_of(volume, layers=[layer], min_mask_share=share)
    assert {shown.index: {placed.label for placed in shown.placed} for shown in found if shown.placed} == kept
    assert {shown.index: shown.too_small for shown in found if shown.too_small} == small


def test_slices_that_were_not_assessed():
    volume, layer = two_blocks()
    layer.partial, layer.assessed = True, frozenset({1, 2})
    found = shown_of(volume, layers=[layer])
    assert [shown.not_assessed for shown in found] == [{"large", "small"}, set(), set(), {"large", "small"}]


def test_a_reformatted_slice_crosses_slices_that_were_not_assessed():
    array = RANDOM.integers(0, 255, (20, 20, 20)).astype(np.uint8)
    labels = np.zeros(array.shape, np.uint8)
    labels[5, 8:12, 8:12] = 1
    layer = Layer(array=labels, names={1: "block"}, partial=True, assessed=frozenset({5}))
    found = shown_of(volume_of(array, values="grey"), layers=[layer], axes=("coronal",), min_mask_share=0.0)
    assert all(shown.not_assessed == {"block"} for shown in found)
    assert [shown.index for shown in found if shown.placed] == [8, 9, 10, 11]
    whole = Layer(array=labels, names={1: "block"}, partial=True, assessed=frozenset(range(20)))
    assert not any(shown.not_assessed for shown in shown_of(volume_of(array, values="grey"), layers=[whole], axes=("coronal",)))


def test_layers_say_who_drew_them():
    volume, layer = two_blocks()
    layer.origin, layer.tool, layer.observer, layer.granularity = {1: Origin.MODEL}, {1: "net 2"}, "reader 1", "contour"
    placed = {one.label: one for shown in shown_of(volume, layers=[layer]) for one in shown.placed}
    large, small = placed["large"], placed["small"]
    assert (large.origin, large.tool, large.observer, large.granularity) == (Origin.MODEL, "net 2", "reader 1", "contour")
    assert (small.origin, small.tool) == (Origin.HUMAN, None)


def test_a_layer_of_another_size_is_an_issue():
    picture = Picture(pixels=RANDOM.integers(0, 255, (20, 30)).astype(np.uint8))
    issues: list[Issue] = []
    layer = Layer(array=np.ones((10, 30), np.uint8), names={1: "x"})
    shown = show_picture(picture, marks=(), layers=[layer], reading=Reading(), report=issues.append)
    assert shown.placed == []
    assert [issue.code for issue in issues] == ["mask-size"]


# pictures


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def picture_shown(picture: Picture, *, marks=(), issues: list[Issue] | None = None, **reading) -> Shown:
    report = (issues if issues is not None else []).append
    return show_picture(picture, marks=marks, layers=(), reading=Reading(**reading), report=report)


def test_a_jpeg_is_kept_where_nothing_changes():
    coded = jpeg(SMOOTH)
    shown = picture_shown(Picture(pixels=np.asarray(Image.open(io.BytesIO(coded))), encoded=coded, raw_format="jpeg"))
    assert (shown.encoded, shown.image_format) == (coded, "jpeg")


@pytest.mark.parametrize("change", [{"spacing_mm": (2.0, 1.0)}, {"values": "stored"}])
def test_a_jpeg_that_changes_becomes_png(change: dict):
    coded = jpeg(SMOOTH)
    pixels = np.asarray(Image.open(io.BytesIO(coded)))
    shown = picture_shown(Picture(pixels=pixels, encoded=coded, **change))
    assert shown.image_format == "png"
    assert np.array_equal(decoded(shown), shown.pixels)


@pytest.mark.parametrize("encoder", ["isal", "pillow"])
def test_colour_is_left_alone(encoder: str):
    pixels = RANDOM.integers(0, 255, (13, 17, 3)).astype(np.uint8)
    shown = picture_shown(Picture(pixels=pixels, values="rgb"), png_encoder=encoder)
    assert np.array_equal(decoded(shown), pixels)
    assert shown.rule.name == "unchanged"


def test_a_constant_picture_is_kept():
    """Only slices of a volume are many enough to be left out."""
    assert picture_shown(Picture(pixels=np.zeros((4, 4), np.uint8))).pixels.shape == (4, 4)


def test_marks_move_with_the_pixels():
    pixels = np.zeros((20, 30), np.uint8)
    pixels[4:9, 6:16] = 255
    mask = (pixels > 0).astype(np.uint8)
    marks = [
        Mark(label="box", box_xyxy_px=(6.0, 4.0, 16.0, 9.0)),
        Mark(label="mask", mask=mask),
        Mark(label="rle", rle=rle_from_mask(mask)),
        Mark(label="polygon", polygons_px=(((6.0, 4.0), (16.0, 4.0), (16.0, 9.0), (6.0, 9.0)),)),
        Mark(label="point", points_px=((6.0, 4.0),)),
    ]
    shown = picture_shown(Picture(pixels=pixels, spacing_mm=(3.0, 1.0)), marks=marks)
    placed = {one.label: one for one in shown.placed}
    assert shown.pixels.shape == (60, 30)
    assert {one.box_xyxy_px for name, one in placed.items() if name != "point"} == {(6.0, 12.0, 16.0, 27.0)}
    assert placed["point"].points == ((6.0, 12.0),)
    for name in ("mask", "rle", "polygon"):
        assert np.array_equal(mask_from_rle(placed[name].rle, (60, 30)).astype(bool), shown.pixels > 127)


def test_small_masks_in_pictures_are_kept_unless_asked():
    pixels = RANDOM.integers(0, 255, (100, 100)).astype(np.uint8)
    mask = np.zeros((100, 100), np.uint8)
    mask[0, 0] = 1
    marks = [Mark(label="dot", mask=mask), Mark(label="box", box_xyxy_px=(0.0, 0.0, 1.0, 1.0))]
    assert [one.label for one in picture_shown(Picture(pixels=pixels), marks=marks).placed] == ["dot", "box"]
    shown = picture_shown(Picture(pixels=pixels), marks=marks, min_mask_share=0.01)
    assert ([one.label for one in shown.placed], shown.too_small) == (["box"], {"dot"})


def test_the_plane_of_a_single_slice_comes_from_its_header():
    facts = HeaderFacts(acquisition=Acquisition(plane="sagittal"))
    picture = Picture(pixels=SMOOTH, facts=facts, orientation="PI", axis="frame", index=2)
    shown = picture_shown(picture)
    assert (shown.plane, shown.orientation, shown.axis, shown.index) == ("sagittal", "PI", "frame", 2)
