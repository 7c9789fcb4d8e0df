"""Display orientation of all 48 ways in which a volume can lie, judged by world coordinates alone."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from medloom.builders.orientation import PLANES, View, as_stored, patient_axes, spacings_mm, views

SIZE = (4, 5, 6)
"""Slices, rows, columns: all different, so that a swap shows."""
WAYS = [(axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)]


def affine_of(axes: tuple[int, ...], signs: tuple[int, ...], spacing=(1.5, 2.0, 3.5)) -> np.ndarray:
    """Column, row and slice index run along these patient axes, with these signs."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for index, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[axis, index] = sign * spacing[index]
    affine[:3, 3] = (-7.0, 11.0, 40.0)
    return affine


def world(affine: np.ndarray, size: tuple[int, int, int] = SIZE) -> np.ndarray:
    """LPS millimetres of every voxel centre: slices × rows × columns × 3."""
    slices, rows, columns = np.meshgrid(*map(np.arange, size), indexing="ij")
    index = np.stack([columns, rows, slices, np.ones_like(slices)], axis=-1)
    return (index @ affine.T)[..., :3]


DOWN_AND_ACROSS = {
    # plane → (patient axis and sign down the picture), (… to the right): x to the left, y to posterior, z to superior
    "axial": ((1, 1), (0, 1)),
    "coronal": ((2, -1), (0, 1)),
    "sagittal": ((2, -1), (1, 1)),
}


@pytest.mark.parametrize(("axes", "signs"), WAYS)
def test_every_way_of_lying_is_shown_alike(axes: tuple[int, ...], signs: tuple[int, ...]):
    affine = affine_of(axes, signs)
    places = world(affine)
    found = views(affine)
    assert sorted(view.axis for view in found.values()) == [0, 1, 2]
    for plane, ((down, down_sign), (across, across_sign)) in DOWN_AND_ACROSS.items():
        view = found[plane]
        assert (view.plane, view.oblique) == (plane, False)
        seen: set[float] = set()
        for index in range(SIZE[view.axis]):
            shown = view.show(places, index)
            assert (down_sign * np.diff(shown[..., down], axis=0) > 0).all()
            assert (across_sign * np.diff(shown[..., across], axis=1) > 0).all()
            normal = 3 - down - across
            assert np.ptp(shown[..., normal]) == 0
            seen.add(float(shown[0, 0, normal]))
        assert len(seen) == SIZE[view.axis]
        steps = np.abs(np.diff(shown[..., down], axis=0)).max(), np.abs(np.diff(shown[..., across], axis=1)).max()
        assert view.spacing_mm == pytest.approx(steps)


def test_axial_means_anterior_up_and_patient_right_on_image_left():
    """In words, on one volume: x grows to the patient's left, y to the back, z to the head."""
    affine = affine_of((0, 1, 2), (1, 1, 1))
    places = world(affine)
    axial, coronal, sagittal = (views(affine)[plane].show(places, 0) for plane in ("axial", "coronal", "sagittal"))
    right, left = axial[0, 0, 0], axial[0, -1, 0]
    assert right < left
    anterior, posterior = axial[0, 0, 1], axial[-1, 0, 1]
    assert anterior < posterior
    superior, inferior = coronal[0, 0, 2], coronal[-1, 0, 2]
    assert superior > inferior
    assert coronal[0, 0, 0] < coronal[0, -1, 0]
    assert sagittal[0, 0, 2] > sagittal[-1, 0, 2]
    assert sagittal[0, 0, 1] < sagittal[0, -1, 1]


@pytest.mark.parametrize(("plane", "letters"), [("axial", "LP"), ("coronal", "LI"), ("sagittal", "PI")])
@pytest.mark.parametrize(("axes", "signs"), WAYS[::7])
def test_letters_name_image_right_and_image_down(axes, signs, plane: str, letters: str):
    assert views(affine_of(axes, signs))[plane].orientation == letters


def turned(degrees: float, about: int) -> np.ndarray:
    """A rotation about a patient axis."""
    angle = np.deg2rad(degrees)
    one, two = (axis for axis in range(3) if axis != about)
    matrix = np.eye(4)
    matrix[[one, one, two, two], [one, two, one, two]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    return matrix


@pytest.mark.parametrize("about", range(3))
@pytest.mark.parametrize(("axes", "signs"), WAYS[::5])
def test_a_tilted_volume_counts_as_the_nearest_plane(axes, signs, about: int):
    straight = affine_of(axes, signs)
    for degrees, oblique in ((10, False), (20, True), (-40, True)):
        tilted = turned(degrees, about) @ straight
        for plane, view in views(tilted).items():
            same = views(straight)[plane]
            assert (view.axis, view.transpose, view.flip_rows, view.flip_columns) == (
                same.axis,
                same.transpose,
                same.flip_rows,
                same.flip_columns,
            )
            assert view.oblique is (oblique and PLANES.index(plane) != about)
        assert spacings_mm(tilted) == pytest.approx(spacings_mm(straight))


def test_each_patient_axis_is_used_once_even_when_two_axes_lie_near_one():
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (1, 0.9, 0), (0.9, 1, 0.1), (0.8, 0.8, 0.7)
    assert sorted(patient for patient, _ in patient_axes(affine)) == [0, 1, 2]


def test_an_affine_without_directions_gives_some_view():
    assert sorted(patient for patient, _ in patient_axes(np.zeros((4, 4)))) == [0, 1, 2]


def test_as_stored_turns_nothing():
    view = as_stored((0.5, 0.7))
    array = np.arange(24).reshape(2, 3, 4)
    assert np.array_equal(view.show(array, 1), array[1])
    assert (view.plane, view.spacing_mm, view.orientation) == (None, (0.5, 0.7), None)


def test_colours_stay_last():
    array = np.arange(4 * 5 * 6 * 3).reshape(4, 5, 6, 3)
    shown = View(plane="coronal", axis=1, transpose=True, flip_rows=True).show(array, 2)
    assert shown.shape == (6, 4, 3)
    assert np.array_equal(shown[0, 0], array[0, 2, 5])
