"""Words of place, size and relation: their thresholds, and that a mirrored image swaps left and right and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medloom.generation.regions.place_words import (
    INSIDE,
    OVERLAP,
    PLACES,
    centroid,
    patient_side,
    place,
    relation,
    relation_between,
    rle_centroid,
    share_words,
    size_words,
)
from medloom.generation.regions.run_lengths import run_lengths
from medloom.schema.box import Box
from medloom.schema.errors import RegionError
from medloom.schema.mask import rle_from_mask
from medloom.schema.rle import lengths_from_rle

SIZE = (90, 120)
edges = st.integers(0, 60)
lengths = st.integers(1, 40)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(edges), draw(edges)
    return float(x), float(y), float(min(x + draw(lengths), SIZE[1])), float(min(y + draw(lengths), SIZE[0]))


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    mask = np.zeros(draw(st.tuples(st.integers(2, 12), st.integers(2, 12))), np.uint8)
    flat = draw(st.sets(st.integers(0, mask.size - 1), min_size=1))
    mask.reshape(-1)[list(flat)] = 1
    return mask


def mirrored(box: Box) -> Box:
    return SIZE[1] - box[2], box[1], SIZE[1] - box[0], box[3]


def swapped(words: str | None) -> str | None:
    return words and words.replace("left", "\0").replace("right", "\1").translate(str.maketrans({"\0": "right", "\1": "left"}))


@given(boxes())
def test_mirroring_swaps_left_and_right_of_a_place_and_nothing_else(box: Box) -> None:
    assert place(mirrored(box), SIZE) == swapped(place(box, SIZE))


@given(boxes(), boxes())
def test_mirroring_swaps_left_and_right_of_a_relation_and_nothing_else(a: Box, b: Box) -> None:
    assert relation(mirrored(a), mirrored(b)) == swapped(relation(a, b))


@given(boxes(), st.sampled_from(["LP", "RP", "LF", "RH", "PH", "AF", None]))
def test_mirroring_picture_and_orientation_keeps_the_side_of_the_patient(box: Box, orientation: str | None) -> None:
    turned = orientation and orientation.replace("L", "\0").replace("R", "L").replace("\0", "R")
    assert patient_side(mirrored(box), SIZE, orientation=turned) == patient_side(box, SIZE, orientation=orientation)


def test_the_nine_places() -> None:
    found = [[place((x, y), SIZE) for x in (10, 60, 110)] for y in (10, 45, 80)]
    assert found == [list(row) for row in PLACES]


@pytest.mark.parametrize(
    ("point", "orientation", "side"),
    [
        ((10, 45), "LP", "right"),
        ((110, 45), "LP", "left"),
        ((10, 45), "RF", "left"),
        ((60, 45), "LP", None),
        ((10, 45), "PF", None),
        ((10, 45), None, None),
    ],
)
def test_side_of_the_patient(point: tuple[int, int], orientation: str | None, side: str | None) -> None:
    assert patient_side(point, SIZE, orientation=orientation) == side


@given(st.floats(0.0001, 1))
def test_shares_in_words_are_within_five_percent_of_themselves(share: float) -> None:
    words = share_words(share)
    number = float(words.removeprefix("more than ").removesuffix("%")) / 100
    assert abs(number - share) <= 0.0501 * share
    assert words.startswith("more than") == (0.995 < share < 1)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "less than 0.01%"), (0.00005, "less than 0.01%"), (0.00043, "0.043%"), (0.0043, "0.43%"), (0.0317, "3.2%"),
        (0.0996, "10%"), (0.374, "37%"), (0.999, "more than 99%"), (1.0, "100%"),
    ],
)  # fmt: skip
def test_shares_in_words(share: float, words: str) -> None:
    assert share_words(share) == words


@given(st.floats(0, 1), st.floats(0, 1))
def test_larger_shares_never_have_smaller_words(one: float, other: float) -> None:
    order = ["tiny", "small", "medium-sized", "large", "very large"]
    low, high = sorted((one, other))
    assert order.index(size_words(low)) <= order.index(size_words(high))


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ((0, 0, 10, 10), (20, 0, 30, 10), "image left of"),
        ((0, 0, 10, 10), (0, 20, 10, 30), "above"),
        ((20, 20, 30, 30), (0, 0, 10, 10), "below and image right of"),
        ((2, 2, 4, 4), (0, 0, 10, 10), "inside"),
        ((0, 0, 10, 10), (2, 2, 4, 4), "around"),
        ((0, 0, 10, 10), (0, 0, 10, 10), "overlapping"),
        ((0, 0, 10, 10), (5, 5, 15, 15), "overlapping"),
        ((0, 0, 10, 10), (9.5, 0, 30, 10), "image left of"),
        (None, (0, 0, 10, 10), None),
        ((0, 0, 0, 10), (0, 0, 10, 10), None),
    ],
)
def test_relations(a: Box | None, b: Box | None, words: str | None) -> None:
    assert relation(a, b) == words


def turned_round(words: str) -> str:
    opposite = {"above": "below", "below": "above", "image left of": "image right of", "image right of": "image left of"}
    opposite |= {"inside": "around", "around": "inside", "overlapping": "overlapping"}
    return " and ".join(opposite[word] for word in words.split(" and "))


@given(boxes(), boxes())
def test_a_relation_holds_the_other_way_round(a: Box, b: Box) -> None:
    words, back = relation(a, b), relation(b, a)
    assert (words is None) == (back is None)
    assert words is None or back == turned_round(words)


@given(boxes(), boxes())
def test_words_of_direction_are_true_of_both_centres(a: Box, b: Box) -> None:
    words = relation(a, b)
    assume(words is not None)
    (ax, ay), (bx, by) = (((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (a, b))
    truths = {"above": ay < by, "below": ay > by, "image left of": ax < bx, "image right of": ax > bx}
    assert all(truths.get(word, True) for word in str(words).split(" and "))


@given(masks())
def test_centroid_of_runs_is_that_of_the_painted_mask(mask: np.ndarray) -> None:
    rows, columns = np.nonzero(mask)
    found = rle_centroid(rle_from_mask(mask), (mask.shape[0], mask.shape[1]))
    assert found == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5))


def annotation(mask: np.ndarray) -> dict[str, Any]:
    rows, columns = np.nonzero(mask)
    box = [float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)]
    return {"rle": rle_from_mask(mask), "box_xyxy_px": box, "points": []}


def test_masks_are_compared_by_pixels_where_their_boxes_meet() -> None:
    ring, core = np.zeros((2, 30, 30), np.uint8)
    ring[2:28, 2:28], ring[8:22, 8:22], core[10:20, 10:20] = 1, 0, 1
    assert relation_between(annotation(core), annotation(ring), size_hw_px=(30, 30)) is None
    filled = ring.copy()
    filled[8:22, 8:22] = 1
    assert relation_between(annotation(core), annotation(filled), size_hw_px=(30, 30)) == "inside"
    assert relation_between(annotation(filled), annotation(core), size_hw_px=(30, 30)) == "around"


@given(masks())
def test_shared_pixels_decide_over_inside_and_overlapping(mask: np.ndarray) -> None:
    other = np.roll(mask, 1, axis=1)
    size = (mask.shape[0], mask.shape[1])
    words = relation_between(annotation(mask), annotation(other), size_hw_px=size)
    share = int((mask & other).sum()) / int(mask.sum())
    assert (words == "overlapping") == (share >= OVERLAP)
    assert share < INSIDE or words == "overlapping"


def test_centroid_of_boxes_and_points() -> None:
    assert centroid({"rle": None, "box_xyxy_px": [0, 10, 20, 30], "points": []}, SIZE) == (10, 20)
    assert centroid({"rle": None, "box_xyxy_px": None, "points": [[1, 2], [3, 6]]}, SIZE) == (2, 4)


@given(masks())
def test_run_lengths_are_those_of_the_checked_reader(mask: np.ndarray) -> None:
    counts, size = rle_from_mask(mask), (mask.shape[0], mask.shape[1])
    assert list(run_lengths(counts, size)) == lengths_from_rle(counts, size).tolist()


@given(st.text(max_size=12))
def test_what_is_no_run_length_encoding_is_refused_as_the_checked_reader_does(counts: str) -> None:
    try:
        expected = lengths_from_rle(counts, (6, 8)).tolist()
    except RegionError:
        with pytest.raises(RegionError):
            run_lengths(counts, (6, 8))
    else:
        assert list(run_lengths(counts, (6, 8))) == expected


def test_masks_of_many_runs_have_the_same_centroid() -> None:
    mask = (np.random.default_rng(5).random((70, 90)) < 0.3).astype(np.uint8)
    rows, columns = np.nonzero(mask)
    assert rle_centroid(rle_from_mask(mask), (70, 90)) == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5))
