"""Values to 8 bit against a plain reference in float64, for every type that a reader gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medloom.builders import intensity
from medloom.builders.intensity import UNCHANGED, Rule, foreground_percentiles, rule_for, to_8bit
from medloom.builders.source import BRAIN, LUNG, SOFT_TISSUE, Reading

READING = Reading()


def reference(array: np.ndarray, low: float, high: float) -> np.ndarray:
    """Low becomes 0, high 255, linearly, rounded to nearest (ties to even)."""
    return np.rint((np.clip(array.astype(np.float64), low, high) - low) / (high - low) * 255).astype(np.uint8)


WINDOWS = [(-160.0, 240.0), (-1350.0, 150.0), (0.0, 80.0), (-32768.0, 32767.0), (0.5, 0.75), (-1e6, 1e6), (40000.0, 50000.0)]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_every_16_bit_value(dtype: type, window: tuple[float, float]):
    values = np.arange(65536, dtype=np.uint16).view(dtype)
    found = to_8bit(values.reshape(256, 256), Rule("window", "x", window))
    assert np.array_equal(found.ravel(), reference(values, *window))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32, np.int64, np.float32, np.float64, ">i2", ">u2", bool])
def test_other_types(dtype: type):
    random = np.random.default_rng(3)
    array = (random.random((40, 50)) * 100).astype(dtype)
    found = to_8bit(array, Rule("window", "x", (10.0, 70.0)))
    assert (found.dtype, found.flags.c_contiguous) == (np.uint8, True)
    assert np.array_equal(found, reference(array, 10.0, 70.0))


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint8])
def test_colour_and_views(dtype: type):
    array = np.random.default_rng(4).integers(0, 100, (12, 14, 3)).astype(dtype)
    rule = Rule("window", "x", (10.0, 70.0))
    for view in (array, array[::-1, ::2], array.swapaxes(0, 1), array[..., 1]):
        found = to_8bit(view, rule)
        assert found.flags.c_contiguous
        assert np.array_equal(found, reference(view, 10.0, 70.0))


def test_many_windows_keep_few_tables():
    array = np.arange(100, dtype=np.int16).reshape(10, 10)
    for high in range(1, 40):
        assert np.array_equal(to_8bit(array, Rule("window", "x", (0.0, float(high)))), reference(array, 0.0, float(high)))
    assert len(intensity._tables) <= 9


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from([np.int16, np.uint16, np.uint8, np.int32, np.float32]).flatmap(
        lambda dtype: arrays(
            dtype,
            st.tuples(st.integers(1, 5), st.integers(1, 5)),
            elements=st.floats(-1e6, 1e6, width=32) if dtype == np.float32 else None,
        )
    ),
    st.sampled_from(["grey", "hu", "suv", "stored"]),
)
def test_any_array_becomes_8_bit_without_a_warning(array: np.ndarray, values: str):
    found = to_8bit(array, rule_for(array, values=values, window=None, reading=READING))
    assert (found.shape, found.dtype) == (array.shape, np.uint8)
    order = np.argsort(array, axis=None, kind="stable")
    assert (np.diff(found.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("dtype", "values", "own", "reading", "rule"),
    [
        (np.uint8, "grey", None, READING, UNCHANGED),
        (np.uint8, "rgb", ("w", 0.0, 9.0), READING, UNCHANGED),
        (np.int16, "hu", None, READING, Rule("window", "soft-tissue", (-160.0, 240.0))),
        (np.int16, "hu", ("header", -50, 350), READING, Rule("window", "header", (-50.0, 350.0))),
        (np.int16, "hu", ("header", -50, 350), Reading(window=LUNG), Rule("window", "lung", (-1350.0, 150.0))),
        (np.int16, "hu", None, Reading(window=BRAIN), Rule("window", "brain", (0.0, 80.0))),
        (np.float32, "suv", ("header", 0.0, 3.0), Reading(window=LUNG), Rule("suv", "suv", (0.0, 10.0))),
        (np.uint16, "stored", ("header", 10.0, 20.0), READING, Rule("window", "header", (10.0, 20.0))),
        (np.uint16, "grey", None, READING, Rule("range", "full", (0.0, 65535.0))),
        (np.uint16, "rgb", None, READING, Rule("range", "full", (0.0, 65535.0))),
        (np.float32, "grey", None, READING, Rule("range", "full", (0.0, 11.0))),
    ],
)
def test_which_rule(dtype: type, values: str, own, reading: Reading, rule: Rule):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    assert rule_for(array, values=values, window=own, reading=reading) == rule


def test_a_window_without_width_is_no_window():
    array = np.arange(12, dtype=np.int16).reshape(3, 4)
    rule = rule_for(array, values="stored", window=("header", 5.0, 5.0), reading=READING)
    assert rule.name == "percentile"


def test_unchanged_is_the_same_array():
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(to_8bit(array.T, UNCHANGED), array.T)
    assert to_8bit(array.T, UNCHANGED).flags.c_contiguous


def test_percentiles_look_at_the_foreground():
    """Half air, half tissue: air neither raises the lower end nor lowers the upper one."""
    random = np.random.default_rng(6)
    volume = np.zeros((20, 64, 64))
    volume[:, :, 32:] = random.normal(500, 50, (20, 64, 32))
    low, high = foreground_percentiles(volume, (0.5, 99.5))
    tissue = volume[:, :, 32:]
    assert low == pytest.approx(np.percentile(tissue, 0.5))
    assert high == pytest.approx(np.percentile(tissue, 99.5))


def test_one_hot_voxel_does_not_darken_the_rest():
    volume = np.random.default_rng(7).integers(0, 200, (30, 50, 50)).astype(np.uint16)
    volume[3, 3, 3] = 65535
    assert foreground_percentiles(volume, (0.5, 99.5))[1] < 200


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32, np.uint8])
def test_two_levels_stay_two_levels(dtype: type):
    volume = np.zeros((4, 8, 8), dtype)
    volume[:, 2:5, 2:5] = 5
    rule = rule_for(volume, values="stored", window=None, reading=READING)
    assert rule.window == (0.0, 5.0)
    assert set(np.unique(to_8bit(volume[1], rule))) == {0, 255}


@pytest.mark.parametrize("value", [0, 7, -3])
def test_a_constant_volume_is_black(value: int):
    volume = np.full((3, 4, 5), value, np.int16)
    rule = rule_for(volume, values="stored", window=None, reading=READING)
    assert rule.window == (value, value)
    assert not to_8bit(volume[0], rule).any()


def test_a_large_volume_is_sampled_across_all_columns(monkeypatch: pytest.MonkeyPatch):
    """The stride must not fall in with the rows: here each bright column lies at a multiple of 16."""
    monkeypatch.setattr(intensity, "_SAMPLE", 1 << 12)
    volume = np.zeros((16, 64, 64), np.float32)
    volume += np.arange(64, dtype=np.float32)
    low, high = foreground_percentiles(volume, (0.5, 99.5))
    assert low <= 2
    assert high >= 62


def test_windows_are_named():
    assert {window.name: (window.low, window.high) for window in (SOFT_TISSUE, LUNG, BRAIN)} == {
        "soft-tissue": (-160.0, 240.0),
        "lung": (-1350.0, 150.0),
        "brain": (0.0, 80.0),
    }
