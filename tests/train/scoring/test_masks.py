"""Masks against pycocotools, torchmetrics and scikit-learn, and what cIoU and gIoU are of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco
from region_questions import SIZE, square

from medloom.schema.mask import rle_from_mask
from medloom.schema.polygon import fill_polygons
from medloom.train.scoring.masks import Overlap, ciou, filled_box, filled_ring, giou, mask_measures, overlap, stored, united

masks = arrays.arrays(np.uint8, (6, 7), elements=st.integers(0, 1))
ends = st.floats(-5, 65, allow_subnormal=False)


@given(one=masks, other=masks)
@settings(max_examples=50, deadline=None)
def test_iou_and_dice_are_those_of_others(one: np.ndarray, other: np.ndarray):
    import torch
    from sklearn.metrics import f1_score, jaccard_score
    from torchmetrics.functional.classification import binary_f1_score, binary_jaccard_index

    ours = overlap(one, other)
    if one.any() or other.any():
        encoded = [coco.encode(np.asfortranarray(mask)) for mask in (one, other)]
        assert ours.iou == pytest.approx(coco.iou([encoded[0]], [encoded[1]], [0]).item())
        assert ours.iou == pytest.approx(jaccard_score(other.ravel(), one.ravel(), zero_division=0.0))
        assert ours.dice == pytest.approx(f1_score(other.ravel(), one.ravel(), zero_division=0.0))
        pair = torch.from_numpy(one), torch.from_numpy(other)
        assert ours.iou == pytest.approx(binary_jaccard_index(*pair).item(), abs=1e-6)
        assert ours.dice == pytest.approx(binary_f1_score(*pair).item(), abs=1e-6)
    else:
        assert (ours.iou, ours.dice) == (1.0, 1.0)
    assert ours.dice == pytest.approx(2 * ours.iou / (1 + ours.iou))


@given(st.lists(st.tuples(masks, masks), min_size=1, max_size=5))
def test_cumulative_iou_is_that_of_all_pictures_side_by_side(pairs: list):
    every = [overlap(one, other) for one, other in pairs]
    whole = overlap(np.hstack([one for one, _ in pairs]), np.hstack([other for _, other in pairs]))
    assert ciou(every) == pytest.approx(whole.iou)
    assert giou(every) == pytest.approx(np.mean([one.iou for one in every]))


def test_a_picture_without_the_thing_counts_one_or_nothing():
    right, wrong, half = Overlap(0, 0, 0), Overlap(0, 50, 0), Overlap(50, 50, 100)
    assert giou([right, half]) == 0.75
    assert giou([wrong, half]) == 0.25
    assert ciou([right, half]) == 0.5
    assert ciou([wrong, half]) == pytest.approx(50 / 150)
    assert ciou([]) == 1.0
    with pytest.raises(ValueError, match="no picture"):
        giou([])


def test_steps_are_reached_by_an_iou_that_is_just_as_large():
    measures = mask_measures(Overlap(50, 50, 100))
    assert measures["mask_iou"] == 0.5
    assert [measures[f"mask_accuracy_{step}"] for step in (25, 50, 75)] == [1.0, 1.0, 0.0]
    assert set(mask_measures(Overlap(1, 1, 1), "filled")) == {name.replace("mask", "filled") for name in measures}


@given(x=st.tuples(ends, ends), y=st.tuples(ends, ends))
def test_a_box_fills_what_its_polygon_fills(x: tuple[float, float], y: tuple[float, float]):
    (x0, x1), (y0, y1) = sorted(x), sorted(y)
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    assert (filled_box((x0, y0, x1, y1), SIZE) == fill_polygons([corners], SIZE)).all()


def test_whole_pixels_and_nothing():
    assert (filled_box((3, 4, 10, 9), SIZE) == square(3, 4, 10, 9)).all()
    assert filled_box((0, 0, SIZE[1], SIZE[0]), SIZE).all()
    assert not filled_box((5.6, 5.6, 6.4, 6.4), SIZE).any()
    assert not filled_ring([(1, 1), (9, 9)], SIZE).any()
    assert (filled_ring([(3, 4), (10, 4), (10, 9), (3, 9)], SIZE) == square(3, 4, 10, 9)).all()


def test_several_are_united_and_not_added():
    both = united([square(0, 0, 5, 5), square(3, 3, 8, 8)], SIZE)
    assert int(both.sum()) == 25 + 25 - 4
    kept = stored([rle_from_mask(square(0, 0, 5, 5)), rle_from_mask(square(3, 3, 8, 8))], SIZE)
    assert (kept == both).all()
    assert not stored([], SIZE).any()
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 0
