"""Heads drawn with and without a face, turned every way a release can hold them."""

from __future__ import annotations

import numpy as np
import pytest

from medloom.cards.gates.privacy.heads import FACE_CM2, GRID_MM, measured
from medloom.cards.gates.privacy.rendering import rendered
from medloom.cards.gates.privacy.stacks import Stack, _turned

SHAPE = (110, 120, 96)
"""2 mm voxels, superior → inferior, anterior → posterior, right → left."""


def ball(centre, radii) -> np.ndarray:
    places = np.indices(SHAPE)
    return sum(((axis - middle) / radius) ** 2 for axis, middle, radius in zip(places, centre, radii, strict=True)) <= 1


def head(*, face: bool = True, stripped: bool = False, modality: str = "MRI") -> np.ndarray:
    """A brain with scalp and skull around it; a face with nose, chin and sinuses, or cut away as defacing does."""
    brain = ball((40, 60, 48), (32, 40, 34))
    volume = np.zeros(SHAPE, np.uint8)
    if not stripped:
        scalp, skull = ball((40, 60, 48), (39, 47, 41)), ball((40, 60, 48), (36, 44, 38))
        volume[scalp] = 180
        volume[skull] = 255 if modality == "CT" else 4
        neck = ball((95, 66, 48), (45, 22, 24)) & ~scalp
        volume[neck] = 120
        if not face:
            volume[34:, :66] = 0
        if face:
            front = (ball((78, 45, 48), (32, 34, 32)) | ball((70, 9, 48), (9, 9, 8))) & ~scalp
            volume[front] = 140
            volume[ball((72, 34, 48), (14, 14, 10))] = 0
    volume[brain] = 110
    return volume


@pytest.mark.parametrize("modality", ["MRI", "CT"])
def test_a_face_is_seen(modality: str):
    found = measured(head(modality=modality), modality=modality)
    assert found.whole
    assert found.shows_face
    assert found.face_cm2 > 2 * FACE_CM2


@pytest.mark.parametrize("modality", ["MRI", "CT"])
@pytest.mark.parametrize("without", [{"face": False}, {"stripped": True}])
def test_no_face_is_seen_where_there_is_none(modality: str, without: dict):
    found = measured(head(modality=modality, **without), modality=modality)
    assert found.whole
    assert not found.shows_face


@pytest.mark.parametrize("volume", [head()[20:45], head()[:, 30:80], head()[:, :, 30:60], np.zeros(SHAPE, np.uint8)])
def test_a_part_of_a_head_isnt_judged(volume: np.ndarray):
    found = measured(volume, modality="MRI")
    assert not found.whole
    assert found.face_cm2 == 0


def test_a_forehead_alone_is_no_face():
    found = measured(head()[:48], modality="MRI")
    assert found.whole
    assert not found.shows_face


def test_noise_in_the_air_is_no_face():
    speckled = head(stripped=True)
    places = np.random.default_rng(3).random(SHAPE) < 0.02
    found = measured(np.where(places, np.uint8(60), speckled), modality="MRI")
    assert not found.shows_face


def as_slices(volume: np.ndarray, orientation: str) -> np.ndarray:
    """(slices, rows, columns) along the right-handed normal, as a source with this orientation stores them."""
    if orientation == "LP":
        return volume[::-1]
    if orientation == "LI":
        return volume.transpose(1, 0, 2)
    return volume.transpose(2, 0, 1)[::-1]  # PI: the normal points to the right


@pytest.mark.parametrize("orientation", ["LP", "LI", "PI"])
@pytest.mark.parametrize("from_dicom", [True, False])
def test_slices_of_every_plane_are_turned_to_the_patients_axes(orientation: str, from_dicom: bool):
    from pathlib import Path

    stack = Stack(Path(), "drawn", "g", "r", "MRI", orientation, from_dicom, ())
    assert np.array_equal(_turned(as_slices(head(), orientation), stack), head())


def test_an_axial_stack_of_a_file_that_counts_from_the_top_is_turned_over():
    from pathlib import Path

    stack = Stack(Path(), "drawn", "g", "r", "MRI", "LP", False, ())
    assert np.array_equal(_turned(head()[:90], stack), head()[:90])


def test_the_rendering_shows_the_front_and_the_side():
    picture = rendered(measured(head(), modality="MRI").tissue)
    assert picture.dtype == np.uint8
    assert picture.shape == (3 * SHAPE[0], 3 * (SHAPE[2] + 4 + SHAPE[1]))
    side = picture[:, 3 * (SHAPE[2] + 4) :]
    assert side[3 * 70, 3 * 4] > 0  # the tip of the nose
    assert side[3 * 30, 3 * 4] == 0  # air before the forehead
    assert GRID_MM == 2.0
