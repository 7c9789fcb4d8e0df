"""Run-length masks against pycocotools, label maps against a plain loop, and texts that must not reach C."""

import tracemalloc
from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from medloom.schema.errors import RegionError
from medloom.schema.region import (
    LabelMask,
    check_rle,
    label_masks,
    mask_from_rle,
    mask_iou,
    mask_window,
    rle_area,
    rle_box,
    rle_from_mask,
    rle_from_start_length,
    rle_from_uncompressed,
)

shapes = st.tuples(st.integers(1, 20), st.integers(1, 20))
masks = shapes.flatmap(lambda shape: hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))
label_dtypes = st.sampled_from(["uint8", "int8", "int16", ">i2", "uint16", "int32", "uint32", "int64", "uint64"])
label_maps = st.tuples(label_dtypes, shapes).flatmap(
    lambda form: hnp.arrays(np.dtype(form[0]), form[1], elements=st.integers(0, 4))
)


def theirs(mask: np.ndarray) -> str:
    return coco.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"].decode()


def tight_box(mask: np.ndarray) -> tuple[float, ...]:
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def plain_label_masks(labels: np.ndarray) -> list[LabelMask]:
    inside = ((value, labels == value) for value in np.unique(labels) if value)
    return [LabelMask(int(value), theirs(mask), tight_box(mask), int(mask.sum())) for value, mask in inside]  # pyright: ignore


def in_layout(array: np.ndarray, layout: str) -> np.ndarray:
    """The same array as the readers hand it over: rows first, columns first, a slice of a volume, or flipped."""
    if layout == "slice":
        volume = np.zeros((*array.shape, 3), array.dtype)
        volume[..., 1] = array
        return volume[..., 1]
    if layout == "flipped":
        return array[::-1, ::-1].copy()[::-1, ::-1]
    return np.asarray(array, order=layout)  # pyright: ignore


layouts = st.sampled_from(["C", "F", "slice", "flipped"])


@given(masks, layouts)
@example(np.ones((4, 3), np.uint8), "C")
@example(np.zeros((4, 3), np.uint8), "F")
def test_masks_encode_as_pycocotools_does_and_come_back(mask: np.ndarray, layout: str):
    counts = rle_from_mask(in_layout(mask, layout))
    assert counts == theirs(mask)
    back = mask_from_rle(counts, mask.shape)
    assert back.dtype == np.uint8
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, mask)


@given(masks)
def test_area_and_box_need_no_pixels(mask: np.ndarray):
    counts = rle_from_mask(mask)
    assert rle_area(counts, mask.shape) == mask.sum()
    if mask.any():
        assert rle_box(counts, mask.shape) == tight_box(mask)
    else:
        with pytest.raises(RegionError) as caught:
            rle_box(counts, mask.shape)
        assert caught.value.code == "empty-mask"


@given(masks, st.integers(0, 5))
@example(np.ones((4, 3), np.uint8), 2)
def test_a_window_is_the_mask_around_its_box(mask: np.ndarray, margin: int):
    window, (top, left) = mask_window(rle_from_mask(mask), mask.shape, margin_px=margin)
    assert window.dtype == np.uint8
    assert window.flags.c_contiguous
    if not mask.any():
        assert (window.shape, top, left) == ((0, 0), 0, 0)
        return
    x0, y0, x1, y1 = tight_box(mask)
    rows, columns = (slice(max(low - margin, 0), high + margin) for low, high in ((y0, y1), (x0, x1)))
    assert (top, left) == (rows.start, columns.start)
    np.testing.assert_array_equal(window, mask[rows, columns])


def test_long_runs_survive():
    mask = np.zeros((1500, 1100), np.uint8)
    mask[3:, 7:900] = 1
    mask[10, 20] = 0
    counts = rle_from_mask(mask)
    assert counts == theirs(mask)
    np.testing.assert_array_equal(mask_from_rle(counts, (1500, 1100)), mask)


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2)), np.zeros((0, 3), bool)])
def test_what_is_no_mask_is_refused(array: np.ndarray):
    with pytest.raises(RegionError) as caught:
        rle_from_mask(array)
    assert caught.value.code == "bad-mask"


@given(label_maps, layouts)
def test_label_masks_agree_with_a_plain_loop(labels: np.ndarray, layout: str):
    found = label_masks(in_layout(labels, layout))
    assert found == plain_label_masks(labels)
    assert all(type(one.value) is int and type(one.area_px) is int for one in found)
    assert all(type(side) is float for one in found for side in one.box)


@given(label_maps, st.sets(st.integers(-3, 6)))
def test_label_masks_keep_to_the_values_asked_for(labels: np.ndarray, values: set[int]):
    assert label_masks(labels, values) == [one for one in plain_label_masks(labels) if one.value in values]


def test_label_masks_of_negative_and_large_values():
    labels = np.array([[-5, 0], [2**40, -5]])
    assert [(one.value, one.area_px) for one in label_masks(labels)] == [(-5, 2), (2**40, 1)]


def test_label_masks_of_bool_and_of_nothing():
    assert [one.value for one in label_masks(np.eye(3, dtype=bool))] == [1]
    assert label_masks(np.zeros((5, 4), np.int16)) == []
    assert label_masks(np.zeros((0, 4), np.int16)) == []
    with pytest.raises(RegionError, match="integers"):
        label_masks(np.zeros((5, 4)))


@given(st.text(max_size=30), shapes)
@example("", (3, 3))
@example("o" * 30, (3, 3))
@example("o" * 8 + "1", (3, 3))
@example("9", (3, 3))
@example("P", (3, 3))
@example("0000000000", (3, 3))
@example("é", (3, 3))
@example("\ud800", (3, 3))
def test_any_text_is_a_mask_or_an_error(text: str, shape: tuple[int, int]):
    try:
        area, code = rle_area(check_rle(text, shape), shape), "bad-rle"
        painted = int(mask_from_rle(text, shape).sum())
    except RegionError as error:
        area, painted, code = 0, 0, error.code
    assert (painted, code) == (area, "bad-rle")


# pycocotools 2.0.11 hands numpy 2 an array without the copy keyword; only its decoder, our oracle here, does so.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.integers(1, 9))
@example([0, 0, 0, 4, 0, 0, 3], 1)
def test_any_true_encoding_passes_and_reads_as_in_pycocotools(runs: list[int], height: int):
    """Also those with empty runs, which pycocotools reads but never writes."""
    runs[-1] += height - sum(runs) % height
    size = [height, sum(runs) // height]
    counts = coco.frPyObjects({"counts": runs, "size": size}, *size)["counts"].decode()  # pyright: ignore
    assert check_rle(counts, (size[0], size[1])) == counts
    painted = mask_from_rle(counts, (size[0], size[1]))
    np.testing.assert_array_equal(painted, coco.decode({"counts": counts.encode(), "size": size}))  # pyright: ignore
    assert rle_area(counts, (size[0], size[1])) == painted.sum()
    assert rle_from_uncompressed(runs, (size[0], size[1])) == rle_from_mask(painted) == theirs(painted)


@given(masks, st.integers(0, 50), st.sampled_from("/0Ppo~\n"))
def test_damage_never_gives_another_size(mask: np.ndarray, place: int, character: str):
    counts = rle_from_mask(mask)
    place %= len(counts)
    damaged = counts[:place] + character + counts[place + 1 :]
    try:
        back, code = mask_from_rle(damaged, mask.shape), "bad-rle"
    except RegionError as error:
        back, code = mask, error.code
    assert (back.shape, code) == (mask.shape, "bad-rle")


@pytest.mark.parametrize("counts", [None, b"9", 9, ["9"]])
def test_only_text_is_an_rle(counts):
    with pytest.raises(RegionError) as caught:
        check_rle(counts, (3, 3))
    assert caught.value.code == "bad-rle"


def test_an_rle_of_another_size_is_refused():
    counts = rle_from_mask(np.eye(5, dtype=bool))
    with pytest.raises(RegionError, match="sum to 25; expected runs of 0 or more that sum to 30"):
        check_rle(counts, (5, 6))
    with pytest.raises(RegionError) as caught:
        check_rle(counts, (0, 5))
    assert caught.value.code == "bad-size"


def test_a_claim_of_a_huge_run_takes_no_memory():
    claims_33_bits, long = "o" * 6 + "1", "0" * 3_000_000
    tracemalloc.start()
    with pytest.raises(RegionError):
        check_rle(claims_33_bits, (512, 512))
    with pytest.raises(RegionError, match="characters"):
        check_rle(long, (512, 512))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@given(masks)
def test_uncompressed_runs(mask: np.ndarray):
    runs = [len(list(run)) for _, run in groupby(mask.reshape(-1, order="F").tolist())]
    runs = [0, *runs] if mask[0, 0] else runs
    assert rle_from_uncompressed(runs, mask.shape) == theirs(mask)


def test_uncompressed_runs_that_are_empty_are_joined():
    assert rle_from_uncompressed([1, 2, 0, 3, 0, 0, 6], (4, 3)) == rle_from_uncompressed([1, 5, 6], (4, 3))
    assert rle_from_uncompressed([0, 12, 0, 0], (4, 3)) == theirs(np.ones((4, 3)))
    assert rle_from_uncompressed([0, 0, 12], (4, 3)) == theirs(np.zeros((4, 3)))


@pytest.mark.parametrize("runs", [[], [11], [13], [-1, 13], [6.0, 6.0], [10**30], [[12]], [12, [0]], None, ["x"]])
def test_uncompressed_runs_that_are_no_mask(runs):
    with pytest.raises(RegionError) as caught:
        rle_from_uncompressed(runs, (4, 3))
    assert caught.value.code == "bad-rle"


@given(masks, st.sampled_from("FC"), st.randoms(use_true_random=False))
def test_start_length_text(mask: np.ndarray, order: str, random):
    flat = np.r_[0, mask.reshape(-1, order=order), 0].astype(int)  # pyright: ignore
    starts, ends = (np.flatnonzero(np.diff(flat) == sign) for sign in (1, -1))
    pairs = [f"{start + 1} {end - start}" for start, end in zip(starts, ends, strict=True)]
    random.shuffle(pairs)
    assert rle_from_start_length("  ".join(pairs), mask.shape, order=order) == theirs(mask)


@pytest.mark.parametrize("text", ["1", "0 3", "1 0", "1 3 3 2", "10 4", "13 1", "1 -1", "-1", "a b", "1.0 2", "9" * 5000])
def test_start_length_text_that_is_no_mask(text: str):
    for order in "FC":
        with pytest.raises(RegionError) as caught:
            rle_from_start_length(text, (4, 3), order=order)
        assert caught.value.code == "bad-rle"


def test_mask_iou():
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), np.uint8)
    assert mask_iou(first, second) == 1
    first[:2], second[1:3] = True, 255
    assert mask_iou(first, second) == pytest.approx(1 / 3)
    with pytest.raises(RegionError) as caught:
        mask_iou(first, second[:3])
    assert caught.value.code == "mask-size"
