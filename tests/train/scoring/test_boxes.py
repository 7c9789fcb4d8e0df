"""Sets of boxes and points, against pycocotools, brute force and plain loops."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from medloom.train.scoring.boxes import box_measures, centres, found, inside, iou_matrix, mean_iou, most_pairs, point_f1

WHOLE = (0.0, 0.0, 60.0, 40.0)
ends = st.floats(0, 60, allow_subnormal=False)
boxes = st.tuples(ends, ends, ends, ends).map(lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])))
sets = st.lists(boxes | st.just(WHOLE) | st.just((5.0, 5.0, 5.0, 9.0)), max_size=4)
"""With the whole picture, and a box without area, so that duplicates and nothing come up."""
matrices = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: st.lists(
        st.sampled_from([0.0, 0.3, 0.5, 0.6, 1.0]), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
    ).map(lambda values: np.array(values, float).reshape(shape))
)


def pairings(shape: tuple[int, int]):
    """All ways to pair the fewer with the more, one to one."""
    rows, columns = shape
    if rows <= columns:
        return [list(enumerate(places)) for places in permutations(range(columns), rows)]
    return [[(row, column) for column, row in enumerate(places)] for places in permutations(range(rows), columns)]


@given(given=sets, true=sets)
@settings(deadline=None)
def test_iou_is_cocos(given: list, true: list):
    ours = iou_matrix(given, true)
    assert ours.shape == (len(given), len(true))
    if given and true:
        wide = [[[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in some] for some in (given, true)]
        has_area = np.array([[(a[2] * a[3] + b[2] * b[3]) > 1e-9 for b in wide[1]] for a in wide[0]])
        theirs = coco.iou(np.array(wide[0]), np.array(wide[1]), [0] * len(true))
        assert ours[has_area] == pytest.approx(theirs[has_area], abs=1e-6)
        assert (ours[~has_area] < 1e-6).all() or ours[~has_area].max() <= 1


def test_iou_of_plain_cases():
    assert iou_matrix([WHOLE], [WHOLE]) == pytest.approx(1)
    assert iou_matrix([(0, 0, 2, 2)], [(1, 0, 3, 2)]) == pytest.approx(1 / 3)
    assert iou_matrix([(0, 0, 2, 2)], [(2, 0, 4, 2)]) == 0
    assert iou_matrix([(3, 3, 3, 3)], [(3, 3, 3, 3)]) == 0


@given(matrix=matrices)
@settings(deadline=None)
def test_the_pairing_is_the_best_of_all(matrix: np.ndarray):
    best = max((sum(matrix[pair] for pair in pairing) for pairing in pairings(matrix.shape)), default=0.0)
    most = max((sum(matrix[pair] >= 0.5 for pair in pairing) for pairing in pairings(matrix.shape)), default=0)
    assert mean_iou(matrix) == pytest.approx(best / max(matrix.shape) if max(matrix.shape) else 1.0)
    assert most_pairs(matrix >= 0.5) == most


def greedy(matrix: np.ndarray, step: float) -> int:
    """COCO's pairing with all scores alike: each given box takes the best true one that is left."""
    left, hits = set(range(matrix.shape[1])), 0
    for row in matrix:
        best = max(left, key=lambda column: row[column], default=None)
        if best is not None and row[best] >= step:
            left.discard(best)
            hits += 1
    return hits


@given(matrix=matrices)
@settings(deadline=None)
def test_greedy_pairing_never_finds_more(matrix: np.ndarray):
    assert greedy(matrix, 0.5) <= most_pairs(matrix >= 0.5)


def test_greedy_pairing_finds_less_where_one_box_fits_two():
    matrix = np.array([[0.6, 0.9], [0.0, 0.8]])
    assert (greedy(matrix, 0.5), most_pairs(matrix >= 0.5)) == (1, 2)


@given(given=sets, true=sets)
@settings(max_examples=60, deadline=None)
def test_measures_agree_with_counts(given: list, true: list):
    from sklearn.metrics import precision_recall_fscore_support

    measures = box_measures(given, true)
    hits = most_pairs(iou_matrix(given, true) >= 0.5)
    if given and true:
        said = [1] * len(given) + [0] * (len(true) - hits)
        are = [1] * hits + [0] * (len(given) - hits) + [1] * (len(true) - hits)
        expected = precision_recall_fscore_support(are, said, average="binary", zero_division=0.0)[:3]
        assert tuple(measures[f"box_{name}_50"] for name in ("precision", "recall", "f1")) == pytest.approx(expected)
    assert all(0 <= value <= 1 for value in measures.values())
    assert measures["box_accuracy_50"] == (hits == len(given) == len(true))
    assert measures["box_accuracy_75"] <= measures["box_accuracy_50"] <= measures["box_accuracy_25"]
    assert measures["box_f1_50_95"] <= measures["box_f1_50"] + 1e-12


def test_nothing_given_where_nothing_is_true_is_right():
    assert set(box_measures([], []).values()) == {1.0}
    assert set(box_measures([WHOLE], []).values()) == {0.0} == set(box_measures([], [WHOLE]).values())


def test_a_box_given_twice_is_found_once():
    measures = box_measures([WHOLE, WHOLE], [WHOLE])
    assert (measures["box_iou"], measures["box_precision_50"], measures["box_recall_50"]) == (0.5, 0.5, 1.0)
    assert measures["box_accuracy_50"] == 0.0


def test_an_iou_of_just_a_step_is_found():
    measures = box_measures([(0, 0, 10, 5)], [(0, 0, 10, 10)])
    assert (measures["box_accuracy_50"], measures["box_accuracy_75"], measures["box_f1_50_95"]) == (1.0, 0.0, 0.1)


@given(st.lists(boxes, max_size=4))
@settings(deadline=None)
def test_the_order_of_boxes_does_not_matter(some: list):
    assert box_measures(some, some[::-1]) == pytest.approx(box_measures(some, some))


def test_points_within_a_short_distance_are_found_once_each():
    size = (300, 400)
    true = [(100.0, 100.0), (200.0, 200.0)]
    assert point_f1([(112.5, 100.0), (200.0, 200.0)], true, size_hw_px=size) == 1.0
    assert point_f1([(112.6, 100.0), (200.0, 200.0)], true, size_hw_px=size) == 0.5
    assert point_f1([(100.0, 100.0), (101.0, 100.0)], true, size_hw_px=size) == 0.5
    assert point_f1([], [], size_hw_px=size) == 1.0
    assert point_f1([], true, size_hw_px=size) == 0.0


def test_points_lie_in_boxes_whose_ends_are_exclusive():
    assert inside([(0, 0), (10, 5)], [(0, 0, 10, 10)]).tolist() == [[True], [False]]
    assert centres([(0, 0, 10, 4)]) == [(5, 2)]
    assert found(inside([], [(0, 0, 1, 1)])) == (0.0, 0.0, 0.0)
