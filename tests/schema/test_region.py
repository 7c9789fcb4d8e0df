"""Boxes and points: every dialect and back, what is refused, and that the door names everything."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pycocotools import mask as coco

from medloom.schema import box, mask, polygon, region, rle
from medloom.schema.errors import RegionError
from medloom.schema.region import (
    Box,
    box_from_voc,
    box_from_xywh,
    box_from_yolo,
    box_iou,
    box_to_voc,
    box_to_xywh,
    box_to_yolo,
    check_box,
    check_point,
    scale_box,
    scale_points,
)

SIZE = (480, 640)
eighths = st.integers(-8_000, 8_000).map(lambda n: n / 8)  # sums and differences of these are exact in floats
sides = st.integers(1, 8_000).map(lambda n: n / 8)
boxes = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), eighths, eighths, sides, sides)
powers = st.integers(0, 12).map(lambda n: 2**n)
scales = st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.0])


def test_door_names_the_same_things_as_the_rooms_behind_it():
    for name in region.__all__:
        homes = [home for home in (box, mask, polygon, rle) if getattr(home, name, None) is getattr(region, name)]
        assert homes, name


@given(boxes)
def test_xywh_round_trip_is_exact(found: Box):
    assert box_from_xywh(*box_to_xywh(found)) == found


@given(boxes, powers, powers)
def test_yolo_round_trip_is_exact_where_shares_are_representable(found: Box, height: int, width: int):
    assert box_from_yolo(*box_to_yolo(found, (height, width)), (height, width)) == found


@given(boxes, st.integers(1, 5_000), st.integers(1, 5_000))
def test_yolo_round_trip_is_close_on_any_image(found: Box, height: int, width: int):
    back = box_from_yolo(*box_to_yolo(found, (height, width)), (height, width))
    assert back == pytest.approx(found, abs=1e-9)


@given(boxes, st.booleans(), st.booleans())
def test_voc_round_trip_is_exact_in_every_dialect(found: Box, one_based: bool, inclusive: bool):
    dialect = {"one_based": one_based, "inclusive": inclusive}
    assert box_from_voc(*box_to_voc(found, **dialect), **dialect) == found


def test_dialects_name_the_same_box():
    pixels_10_to_19_and_20_to_49 = (10.0, 20.0, 20.0, 50.0)
    assert box_from_xywh(10, 20, 10, 30) == pixels_10_to_19_and_20_to_49
    assert box_from_yolo(15 / 640, 35 / 480, 10 / 640, 30 / 480, SIZE) == pytest.approx(pixels_10_to_19_and_20_to_49)
    assert box_from_voc(11, 21, 20, 50) == pixels_10_to_19_and_20_to_49
    assert box_from_voc(10, 20, 19, 49, one_based=False) == pixels_10_to_19_and_20_to_49
    assert box_from_voc(10, 20, 20, 50, one_based=False, inclusive=False) == pixels_10_to_19_and_20_to_49
    assert all(isinstance(side, float) for side in box_from_voc(11, 21, 20, 50))


def test_equal_voc_columns_are_one_pixel_or_no_width_by_dialect():
    assert check_box(box_from_voc(240, 60, 240, 98), SIZE) == (239, 59, 240, 98)
    with pytest.raises(RegionError, match="no width"):
        check_box(box_from_voc(240, 60, 240, 98, one_based=False, inclusive=False), SIZE)


@given(st.floats(0, 639), st.floats(0, 479), st.floats(0.001, 640), st.floats(0.001, 480))
def test_check_box_leaves_a_box_inside_as_it_is(x: float, y: float, w: float, h: float):
    found = (x, y, min(x + w, 640.0), min(y + h, 480.0))
    assume(found[0] < found[2] and found[1] < found[3])
    assert check_box(found, SIZE) == found


def test_check_box_returns_floats():
    checked = check_box(np.array([1, 2, 3, 4]), SIZE)  # pyright: ignore[reportArgumentType]
    assert [type(side) for side in checked] == [float] * 4


@pytest.mark.parametrize(
    ("found", "clipped"),
    [
        ((-1, 0, 5, 5), (0, 0, 5, 5)),
        ((0, -0.5, 5, 5), (0, 0, 5, 5)),
        ((600, 400, 641, 480.25), (600, 400, 640, 480)),
        ((-1, -1, 641, 481), (0, 0, 640, 480)),
    ],
)
def test_check_box_clips_within_the_tolerance(found: Box, clipped: Box):
    assert check_box(found, SIZE) == clipped


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ((240, 60, 240, 98), "box-without-area"),
        ((240, 98, 260, 60), "box-without-area"),
        ((-1.5, 0, 5, 5), "box-outside"),
        ((0, 0, 5, 481.01), "box-outside"),
        ((700, 500, 710, 510), "box-outside"),
        ((-0.5, 0, 0, 5), "box-outside"),
        ((640, 0, 640.5, 5), "box-outside"),
        ((0, 0, math.nan, 5), "box-not-finite"),
        ((0, 0, math.inf, 5), "box-not-finite"),
        ((0, 0, 10**400, 5), "box-not-finite"),
        ((0, 0, 5), "box-not-finite"),
        (("a", 0, 5, 5), "box-not-finite"),
        (None, "box-not-finite"),
    ],
)
def test_check_box_refuses(found, code: str):
    with pytest.raises(RegionError) as caught:
        check_box(found, SIZE)
    assert caught.value.code == code
    assert caught.value.found.startswith("box ")
    assert len(str(caught.value)) < 300


def test_tolerance_is_the_callers():
    assert check_box((-5, 0, 5, 5), SIZE, tolerance_px=5) == (0, 0, 5, 5)
    with pytest.raises(RegionError):
        check_box((-0.01, 0, 5, 5), SIZE, tolerance_px=0)


@given(st.floats(0, 640, exclude_max=True), st.floats(0, 480, exclude_max=True))
def test_points_of_the_image_pass(x: float, y: float):
    assert check_point(x, y, SIZE) == (x, y)


@pytest.mark.parametrize("point", [(640, 0), (0, 480), (-0.01, 3), (3, -1), (math.nan, 1), (1, math.inf), ("a", 1)])
def test_points_off_the_image_do_not(point):
    with pytest.raises(RegionError) as caught:
        check_point(*point, SIZE)
    assert caught.value.code == "point-outside"


@given(boxes, boxes)
def test_box_iou_agrees_with_pycocotools(first: Box, second: Box):
    theirs = coco.iou(np.array([box_to_xywh(first)]), np.array([box_to_xywh(second)]), [0])[0][0]
    assert box_iou(first, second) == pytest.approx(theirs, abs=1e-9)
    assert box_iou(first, second) == box_iou(second, first)
    assert box_iou(first, first) == 1


def test_box_iou_of_nothing_is_0():
    assert box_iou((1, 1, 1, 1), (1, 1, 1, 1)) == 0
    assert box_iou((5, 5, 1, 1), (0, 0, 9, 9)) == 0


@given(boxes, scales, scales)
def test_box_scales_as_its_corners_do(found: Box, sy: float, sx: float):
    corners = scale_points(np.array(found).reshape(2, 2), sy, sx)
    assert scale_box(found, sy, sx) == tuple(corners.reshape(-1))


def test_scaling_keeps_the_box_of_an_enlarged_mask():
    small = np.zeros((6, 8), np.uint8)
    small[1:4, 2:7] = 1
    large = small.repeat(3, axis=0).repeat(2, axis=1)
    before, after = (region.label_masks(plane)[0].box for plane in (small, large))
    assert scale_box(before, 3, 2) == after == (4, 3, 14, 12)
