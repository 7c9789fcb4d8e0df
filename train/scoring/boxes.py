"""How well a set of boxes or points fits the true ones; plain numbers in, plain numbers out.

Boxes are (x0, y0, x1, y1) in px with exclusive ends. Nothing ranks the boxes of a reply, so that COCO's average
precision has no meaning here: F1 at each of its ten IoU steps and their mean stand in for it. Found are as many boxes as
can be paired one to one at an IoU of the step or more, whichever pairing that takes; COCO's greedy pairing never finds more.
Nothing given where nothing is true is right: 1 everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .measures import IOU_STEPS

COCO_STEPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
POINT_SHARE = 0.025
"""Of the picture's diagonal: how far a point may lie from the true one."""


def iou_matrix(given: Sequence[Sequence[float]], true: Sequence[Sequence[float]]) -> np.ndarray:
    """IoU of every given box (row) with every true one (column), float64; 0 where neither has area."""
    one, other = _array(given)[:, None], _array(true)[None]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    joint = _areas(one) + _areas(other) - shared
    return np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)


def mean_iou(iou: np.ndarray) -> float:
    """The greatest mean IoU that pairing one to one can give (Hungarian), over the larger of the two counts."""
    from scipy.optimize import linear_sum_assignment

    if not max(iou.shape):
        return 1.0
    return float(iou[linear_sum_assignment(iou, maximize=True)].sum()) / max(iou.shape)


def most_pairs(fits: np.ndarray) -> int:
    """The most rows and columns of a boolean matrix that can be paired one to one where it is true."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not fits.any() or min(fits.shape) == 1:
        return int(fits.any())
    return int((maximum_bipartite_matching(csr_array(fits), perm_type="column") >= 0).sum())


def found(fits: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 of given (rows) and true (columns) that fit one to one.

    All are 1 where both are empty, and 0 where one of them is.
    """
    given, true = fits.shape
    hits = most_pairs(fits)
    both = given + true
    return (
        hits / given if given else float(not true),
        hits / true if true else float(not given),
        2 * hits / both if both else 1.0,
    )


def box_measures(given: Sequence[Sequence[float]], true: Sequence[Sequence[float]]) -> dict[str, float]:
    """All measures of `measures.MEASURES` that begin with `box_`."""
    iou = iou_matrix(given, true)
    precision, recall, f1 = found(iou >= 0.5)
    every = {step: found(iou >= step)[2] for step in IOU_STEPS}
    return {
        "box_iou": mean_iou(iou),
        "box_precision_50": precision,
        "box_recall_50": recall,
        "box_f1_50": f1,
        "box_f1_50_95": float(np.mean([found(iou >= step)[2] for step in COCO_STEPS])),
        **{f"box_accuracy_{round(100 * step)}": float(score == 1.0) for step, score in every.items()},
    }


def point_f1(given: Sequence[Sequence[float]], true: Sequence[Sequence[float]], *, size_hw_px: tuple[int, int]) -> float:
    """F1 of points (x, y) that lie near each other, paired one to one."""
    return found(near(given, true, size_hw_px=size_hw_px))[2]


def near(given: Sequence[Sequence[float]], true: Sequence[Sequence[float]], *, size_hw_px: tuple[int, int]) -> np.ndarray:
    """Whether each given point (row) lies within `POINT_SHARE` of the diagonal of each true one (column): bool."""
    one = np.asarray(given, np.float64).reshape(-1, 1, 2)
    other = np.asarray(true, np.float64).reshape(1, -1, 2)
    return np.linalg.norm(one - other, axis=-1) <= POINT_SHARE * np.hypot(*size_hw_px)


def centres(boxes: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """The centres (x, y) of boxes."""
    return [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in boxes]


def inside(points: Sequence[Sequence[float]], boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """Whether each point (row) lies in each box (column): bool; ends are exclusive."""
    at, within = np.asarray(points, np.float64).reshape(-1, 1, 2), _array(boxes)[None]
    return np.all((at >= within[..., :2]) & (at < within[..., 2:]), axis=-1)


def _array(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    return np.asarray(boxes, np.float64).reshape(-1, 4)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(axis=-1)
