"""Filling on shapes whose pixels are known, tiling without gap or overlap, and contours that refill exactly."""

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from medloom.schema import polygon
from medloom.schema.errors import RegionError
from medloom.schema.region import (
    contours_from_mask,
    fill_polygons,
    mask_from_rle,
    rle_area,
    rle_from_coco_segmentation,
    rle_from_mask,
)

shapes = st.tuples(st.integers(1, 16), st.integers(1, 16))
masks = shapes.flatmap(lambda shape: hnp.arrays(np.bool_, shape))
quarters = st.integers(-8, 72).map(lambda n: n / 4)
rings = st.lists(st.tuples(quarters, quarters), min_size=3, max_size=8).map(np.array)
fine = st.floats(-10, 40, allow_subnormal=False)
CHECKERS = np.indices((6, 7)).sum(axis=0) % 2 == 0


def square(low: float, high: float) -> np.ndarray:
    return np.array([(low, low), (high, low), (high, high), (low, high)])


def circle(radius: float, *, points: int = 720) -> np.ndarray:
    turn = np.linspace(0, 2 * math.pi, points, endpoint=False)
    return 64 + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def shoelace(ring: np.ndarray) -> float:
    (x, y), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    return float((x * y1 - x1 * y).sum() / 2)


def inside_exactly(ring: np.ndarray, column: int, row: int) -> bool:
    """Even-odd by exact fractions: edges at or left of the centre, each from its upper end to before its lower one."""
    cx, cy = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
    odd = False
    for (ax, ay), (bx, by) in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True):
        (x0, y0), (x1, y1) = sorted([(Fraction(ax), Fraction(ay)), (Fraction(bx), Fraction(by))], key=lambda p: p[1])
        if y0 <= cy < y1:
            odd ^= x0 + (cy - y0) * (x1 - x0) / (y1 - y0) <= cx
    return odd


def test_a_square_holds_its_area():
    filled = fill_polygons([square(10, 60)], (80, 80))
    assert filled.dtype == np.uint8
    assert filled.sum() == 2500
    np.testing.assert_array_equal(np.argwhere(filled)[[0, -1]], [[10, 10], [59, 59]])


def test_a_second_ring_is_a_hole_in_either_direction():
    for hole in (square(20, 40), square(20, 40)[::-1]):
        filled = fill_polygons([square(10, 60), hole], (80, 80))
        assert filled.sum() == 2500 - 400
        assert not filled[20:40, 20:40].any()


def test_a_third_ring_is_an_island():
    assert fill_polygons([square(10, 60), square(20, 40), square(25, 30)], (80, 80)).sum() == 2500 - 400 + 25


def test_a_circle_holds_its_area():
    area = fill_polygons([circle(50)], (128, 128)).sum()
    assert area == pytest.approx(math.pi * 50**2, rel=0.005)
    ring = fill_polygons([circle(50), circle(20)], (128, 128)).sum()
    assert ring == pytest.approx(math.pi * (50**2 - 20**2), rel=0.005)


def test_a_keyhole_is_a_square_with_a_hole():
    """One ring that goes in to the hole and comes back on the same line, as radiotherapy contours do."""
    outer, hole = square(10, 60), square(20, 40)[::-1]
    keyhole = np.concatenate([outer, outer[:1], hole, hole[:1]])
    np.testing.assert_array_equal(fill_polygons([keyhole], (80, 80)), fill_polygons([outer, hole], (80, 80)))


def test_a_closed_ring_fills_as_an_open_one():
    ring = circle(30, points=17)
    closed = np.concatenate([ring, ring[:1]])
    np.testing.assert_array_equal(fill_polygons([closed], (128, 128)), fill_polygons([ring], (128, 128)))


def test_half_pixel_edges_belong_right_and_below():
    filled = fill_polygons([square(1.5, 3.5)], (6, 6))
    np.testing.assert_array_equal(np.argwhere(filled), [[1, 1], [1, 2], [2, 1], [2, 2]])


def test_what_lies_outside_is_cut_off():
    assert fill_polygons([square(-1000, 1000)], (7, 9)).all()
    assert fill_polygons([square(-1e8, 3)], (7, 9)).sum() == 9
    assert not fill_polygons([square(20, 30)], (7, 9)).any()
    assert not fill_polygons([square(-30, -20)], (7, 9)).any()
    assert fill_polygons([], (7, 9)).shape == (7, 9)


def test_a_sliver_between_centres_is_empty():
    assert not fill_polygons([square(2.6, 3.4)], (7, 9)).any()


@given(rings)
def test_filling_agrees_with_exact_fractions(ring: np.ndarray):
    exact = [[inside_exactly(ring, column, row) for column in range(16)] for row in range(12)]
    np.testing.assert_array_equal(fill_polygons([ring], (12, 16)), exact)


@given(rings, rings)
def test_rings_add_up_even_odd_and_direction_is_free(first: np.ndarray, second: np.ndarray):
    both = fill_polygons([first, second[::-1]], (12, 16))
    np.testing.assert_array_equal(both, fill_polygons([first], (12, 16)) ^ fill_polygons([second], (12, 16)))


@given(st.lists(st.floats(0, 30), min_size=2, max_size=2), st.lists(st.tuples(fine, fine), max_size=6))
def test_neighbours_share_no_pixel_and_leave_no_gap(ends: list[float], bends: list[tuple[float, float]]):
    """A frame cut in two by any line, however it bends and crosses itself, as long as it stays inside."""
    bends = [(min(max(x, 0.0), 30.0), min(max(y, 0.0), 20.0)) for x, y in bends]
    cut = [(ends[0], 0.0), *bends, (ends[1], 20.0)]
    left = np.array([*cut, (0.0, 20.0), (0.0, 0.0)])
    right = np.array([*cut[::-1], (30.0, 0.0), (30.0, 20.0)])
    once = fill_polygons([left], (20, 30)) + fill_polygons([right], (20, 30))
    np.testing.assert_array_equal(once, 1)


@given(st.lists(st.tuples(st.floats(1, 29), st.floats(1, 19)), min_size=1, max_size=1), st.integers(3, 9))
def test_a_fan_of_triangles_tiles_its_hull(centre: list[tuple[float, float]], spokes: int):
    turn = np.linspace(0, 2 * math.pi, spokes, endpoint=False)
    hull = np.stack([15 + 60 * np.cos(turn), 10 + 60 * np.sin(turn)], axis=1)
    triangles = [np.array([centre[0], hull[i], hull[(i + 1) % spokes]]) for i in range(spokes)]
    total = sum(fill_polygons([triangle], (20, 30)).astype(int) for triangle in triangles)
    np.testing.assert_array_equal(total, fill_polygons([hull], (20, 30)))


def test_many_edges_go_in_pieces_with_the_same_result(monkeypatch: pytest.MonkeyPatch):
    whole = fill_polygons([circle(50), circle(20)], (128, 128))
    monkeypatch.setattr(polygon, "CROSSINGS_AT_ONCE", 1)
    np.testing.assert_array_equal(fill_polygons([circle(50), circle(20)], (128, 128)), whole)


@pytest.mark.parametrize(
    "ring",
    [
        [(0, 0), (1, 1)],
        [(0, 0, 0)] * 3,
        [],
        [(0, 0), (1, 0), (math.nan, 1)],
        [(0, 0), (1, 0), (1, math.inf)],
        [(0, 0), (1, 0), (1, 1e12)],
        [(0, 0), (1,), (1, 1)],
        "ring",
    ],
)
def test_what_is_no_ring_is_refused(ring):
    with pytest.raises(RegionError) as caught:
        fill_polygons([ring], (9, 9))
    assert caught.value.code == "bad-polygon"


@given(masks)
@example(np.eye(5, dtype=bool))
@example(CHECKERS)
@example(~CHECKERS)
@example(np.ones((3, 4), bool))
@example(np.zeros((3, 4), bool))
def test_contours_refill_to_the_same_mask(mask: np.ndarray):
    contours = contours_from_mask(mask)
    np.testing.assert_array_equal(fill_polygons(contours, mask.shape), mask)
    assert sum(map(shoelace, contours)) == mask.sum()


@given(masks)
def test_rings_count_as_components_do(mask: np.ndarray):
    """Outer rings: parts joined by sides. Holes: parts of the background, joined by sides or corners, that don't reach out."""
    turns = [shoelace(ring) > 0 for ring in contours_from_mask(mask)]
    padded = np.pad(mask, 1).astype(np.uint8)
    assert turns.count(True) == cv2.connectedComponents(padded, connectivity=4)[0] - 1
    assert turns.count(False) == cv2.connectedComponents(1 - padded, connectivity=8)[0] - 2


@given(masks)
def test_points_stand_on_the_lattice_where_a_ring_turns(mask: np.ndarray):
    for ring in contours_from_mask(mask):
        assert ring.dtype == np.float64
        step = np.roll(ring, -1, axis=0) - ring
        assert ((step == 0).sum(axis=1) == 1).all()
        horizontal = step[:, 1] == 0
        assert (horizontal != np.roll(horizontal, 1)).all()
        np.testing.assert_array_equal(ring, np.round(ring))


def test_a_ring_is_written_clockwise_from_its_first_corner():
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 1:6] = 255
    mask[4, 3] = 0
    outer, hole = contours_from_mask(mask)
    np.testing.assert_array_equal(outer, [(1, 2), (6, 2), (6, 7), (1, 7)])
    assert shoelace(hole) == -1
    assert set(map(tuple, hole.tolist())) == {(3, 4), (4, 4), (4, 5), (3, 5)}


def test_a_large_mask_of_many_parts_refills():
    noise = np.random.default_rng(7).random((300, 400)) > 0.5
    np.testing.assert_array_equal(fill_polygons(contours_from_mask(noise), (300, 400)), noise)


def test_coco_forms_of_one_square_agree():
    filled = fill_polygons([square(10, 60)], (80, 90))
    expected = rle_from_mask(filled)
    flat = square(10, 60).reshape(-1).tolist()
    compressed = coco.encode(np.asfortranarray(filled))
    text = {"size": [80, 90], "counts": compressed["counts"].decode()}
    runs = np.diff(np.flatnonzero(np.diff(np.r_[9, filled.reshape(-1, order="F"), 9].astype(int)))).tolist()
    for form in ([flat], compressed, text, {"size": (80, 90), "counts": runs}):
        assert rle_from_coco_segmentation(form, (80, 90)) == expected


def test_coco_polygons_unite():
    parts = [square(0, 6).reshape(-1).tolist(), square(4, 8).reshape(-1).tolist()]
    assert rle_area(rle_from_coco_segmentation(parts, (9, 9)), (9, 9)) == 36 + 16 - 4


def test_a_coco_polygon_between_centres_is_an_empty_mask():
    counts = rle_from_coco_segmentation([square(2.6, 3.4).reshape(-1).tolist()], (9, 9))
    assert not mask_from_rle(counts, (9, 9)).any()


@pytest.mark.parametrize(
    ("segmentation", "code"),
    [
        ([[0, 0, 5, 5]], "bad-polygon"),
        ([[0, 0, 5, 5, 5]], "bad-polygon"),
        ([["a", 0, 5, 5, 5, 0]], "bad-polygon"),
        ([0, 0, 5, 5, 5, 0], "bad-polygon"),
        ({"size": [9, 8], "counts": [72]}, "mask-size"),
        ({"size": 9, "counts": [81]}, "mask-size"),
        ({"size": [9, 9], "counts": [80]}, "bad-rle"),
        ({"size": [9, 9], "counts": "~"}, "bad-rle"),
        ({"size": [9, 9], "counts": b"\xff"}, "bad-rle"),
        ({"size": [9, 9], "counts": None}, "bad-rle"),
        ({"counts": [81]}, "bad-segmentation"),
        ([], "bad-segmentation"),
        (None, "bad-segmentation"),
        ("polygon", "bad-segmentation"),
    ],
)
def test_coco_segmentations_that_are_refused(segmentation, code: str):
    with pytest.raises(RegionError) as caught:
        rle_from_coco_segmentation(segmentation, (9, 9))
    assert caught.value.code == code
