"""Label volumes land on their image's grid, and every value has a name or is an issue."""

from __future__ import annotations

from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest

from medloom.builders.formats import label_map, volume
from medloom.builders.picture import Volume
from medloom.builders.source import Reading
from medloom.builders.unit import LabelMap
from medloom.schema.errors import Issue, Severity, UnreadableError
from medloom.schema.sample import Origin

NAMES = {1: "anterior", 2: "posterior"}
LABELS = np.zeros((8, 9, 10), np.uint8)
LABELS[2:4, 3:6, 4:9] = 1
LABELS[5:7, 1:4, 2:3] = 2
"""x, y, z, as nibabel has it."""


def saved(path: Path, array=LABELS, affine=None) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1, 2, 1]) if affine is None else affine), path)
    return path


def image(path: Path, shape=LABELS.shape, affine=None) -> Volume:
    (found,) = volume.read([saved(path, np.zeros(shape, np.int16), affine)], reading=Reading(), report=pytest.fail)
    return found


def read(path: Path, on: Volume, *, values=NAMES, origin=Origin.HUMAN):
    issues: list[Issue] = []
    target = LabelMap(path=path.name, values=values, observer="A", origin=origin)
    return label_map.layer(path, target, volume=on, report=issues.append), issues


def test_labels_on_the_same_grid_come_unchanged(tmp_path):
    layer, issues = read(saved(tmp_path / "l.nii.gz"), image(tmp_path / "i.nii"), origin=Origin.MODEL)
    assert layer is not None
    np.testing.assert_array_equal(layer.array, LABELS.T)
    assert (layer.array.dtype, layer.names, layer.observer, issues) == (np.uint8, NAMES, "A", [])
    assert layer.origin == {1: Origin.MODEL, 2: Origin.MODEL}


@pytest.mark.parametrize("dtype", ["i2", "i4", "u2", "f4", "f8", "i8"])
def test_any_type_with_whole_values_becomes_the_smallest(tmp_path, dtype):
    wide = LABELS.astype(dtype)
    wide[0, 0, 0] = 300
    path, on = saved(tmp_path / "l.nii", nibabel_safe(wide)), image(tmp_path / "i.nii")
    layer, issues = read(path, on, values={**NAMES, 300: "c"})
    assert layer is not None
    np.testing.assert_array_equal(layer.array, wide.T)
    assert (layer.array.dtype, issues) == (np.uint16, [])


def nibabel_safe(array: np.ndarray) -> np.ndarray:
    """The array without 64-bit integers, for which nibabel asks an explicit dtype."""
    return array.astype(np.int32) if array.dtype == np.int64 else array


def test_broken_numbers_are_no_labels(tmp_path):
    path = saved(tmp_path / "l.nii", LABELS.astype(np.float32) + np.float32(0.25))
    with pytest.raises(UnreadableError, match="whole label values"):
        read(path, image(tmp_path / "i.nii"))


def test_unknown_values_are_reported_once_each_and_become_background(tmp_path):
    odd = LABELS.astype(np.int16)
    odd[0, 0, :4], odd[1, 0, :2] = 77, -5
    layer, issues = read(saved(tmp_path / "l.nii", odd), image(tmp_path / "i.nii"))
    assert layer is not None
    np.testing.assert_array_equal(layer.array, LABELS.T)
    assert [(issue.code, issue.found) for issue in issues] == [
        ("unknown-label-value", "value -5 in 2 voxels"),
        ("unknown-label-value", "value 77 in 4 voxels"),
    ]


def test_an_empty_map_was_assessed(tmp_path):
    layer, issues = read(saved(tmp_path / "l.nii", LABELS * 0), image(tmp_path / "i.nii"))
    assert layer is not None
    assert not layer.array.any()
    assert [(issue.code, issue.severity) for issue in issues] == [("mask-empty", Severity.INFO)]


def test_a_cropped_map_is_put_where_it_belongs(tmp_path):
    crop = LABELS[2:7, 1:6, 2:9]
    affine = np.diag([1.0, 1, 2, 1])
    affine[:3, 3] = affine[:3, :3] @ (2, 1, 2)
    layer, issues = read(saved(tmp_path / "l.nii", crop, affine), image(tmp_path / "i.nii"))
    assert layer is not None
    np.testing.assert_array_equal(layer.array, LABELS.T)
    assert [issue.code for issue in issues] == ["grid-differs"]
    assert "5×5×7" in issues[0].found
    assert "8×9×10" in issues[0].expected


def test_flipped_and_sheared_grids_agree_with_a_plain_loop(tmp_path):
    flipped = np.diag([-1.0, 1, 2, 1])
    flipped[0, 3] = 7
    layer, _ = read(saved(tmp_path / "l.nii", LABELS[::-1].copy(), flipped), image(tmp_path / "i.nii"))
    assert layer is not None
    np.testing.assert_array_equal(layer.array, LABELS.T)
    sheared = np.array([[0.7, 0.21, 0, 0.3], [0, 1.3, 0.1, -0.2], [0, 0, 1.1, 1.7], [0, 0, 0, 1.0]])
    nifti = nibabel.Nifti1Image(LABELS, sheared)
    nifti.set_qform(None, 0)
    nibabel.save(nifti, tmp_path / "s.nii")
    on = image(tmp_path / "i.nii")
    layer, _ = read(tmp_path / "s.nii", on)
    assert layer is not None
    to_labels = np.linalg.inv(np.diag([-1.0, -1, 1, 1]) @ sheared.astype(np.float32).astype(float)) @ on.affine_lps
    expected = np.zeros(on.array.shape, np.uint8)
    for k, j, i in np.ndindex(*on.array.shape):
        x, y, z = np.floor((to_labels @ (i, j, k, 1))[:3] + 0.5).astype(int)
        if 0 <= x < 8 and 0 <= y < 9 and 0 <= z < 10:
            expected[k, j, i] = LABELS[x, y, z]
    assert (layer.array != expected).mean() < 0.002


def test_grids_without_a_common_space_are_left_out_unless_they_have_one_shape(tmp_path):
    nrrd.write(str(tmp_path / "l.nrrd"), LABELS, {"spacings": [3.0, 3.0, 3.0]})
    layer, issues = read(tmp_path / "l.nrrd", image(tmp_path / "i.nii"))
    assert layer is not None
    assert issues == []
    layer, issues = read(tmp_path / "l.nrrd", image(tmp_path / "j.nii", shape=(4, 4, 4)))
    assert layer is None
    assert [(issue.code, issue.severity) for issue in issues] == [("grid-differs", Severity.ERROR)]


def test_series_and_colours_are_no_label_map(tmp_path):
    on = image(tmp_path / "i.nii")
    with pytest.raises(UnreadableError, match="2 volumes"):
        read(saved(tmp_path / "t.nii", np.stack([LABELS, LABELS], axis=-1)), on)
    colour = np.zeros((2, 2, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(UnreadableError, match="colour"):
        read(saved(tmp_path / "c.nii", colour), on)


def test_names_from_a_slicer_segmentation(tmp_path):
    header = {
        "Segment0_Name": "left kidney",
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
        "Segment1_LabelValue": "4",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
    }
    nrrd.write(str(tmp_path / "a.seg.nrrd"), LABELS, header)
    assert label_map.names_from_nrrd(tmp_path / "a.seg.nrrd") == {1: "left kidney", 4: "Segment_1"}
    nrrd.write(str(tmp_path / "b.seg.nrrd"), LABELS, header | {"Segment1_LabelValue": "1"})
    with pytest.raises(UnreadableError, match="value 1"):
        label_map.names_from_nrrd(tmp_path / "b.seg.nrrd")


def test_names_from_text_and_json():
    text = '# a comment\n    0    0 0 0   0 0 0  "Clear Label"\n 12 255 0 0 0.5 1 1 "GPi - 10344"\nrubbish\n'
    assert label_map.names_from_itksnap(text) == {0: "Clear Label", 12: "GPi - 10344"}
    assert label_map.names_from_json('{"labels": ["air", "a", "b"]}') == {1: "a", 2: "b"}
    assert label_map.names_from_json('{"labels": ["a", "b"], "I": [7, 9]}') == {7: "a", 9: "b"}
    for broken in ("[]", "{", '{"labels": 3}', '{"labels": ["a"], "I": [1, 2]}', '{"labels": ["a", "b"], "I": [1, 1]}'):
        with pytest.raises(UnreadableError):
            label_map.names_from_json(broken)


def test_real_atlases_are_named_throughout(real_data):
    folder = real_data / "niivue_atlases"
    allen = label_map.names_from_json((folder / "Allen" / "AllenAtlas.json").read_text())
    snap = label_map.names_from_itksnap((folder / "Allen" / "itksnap_label_description_Br.txt").read_text())
    assert {value: name.rsplit(" - ", 1)[0] for value, name in snap.items() if value in allen and value < 139} == {
        value: name for value, name in allen.items() if value in snap and value < 139
    }
    (template,) = volume.read([folder / "PD25" / "PD25-fusion-template-1mm.nii.gz"], reading=Reading(), report=pytest.fail)
    path = folder / "PD25" / "PD25-subcortical-1mm.nii.gz"
    names = label_map.names_from_json((folder / "PD25" / "PD25-subcortical.json").read_text())
    layer, issues = read(path, template, values=names)
    assert layer is not None
    assert layer.array.shape == template.array.shape
    assert [issue.code for issue in issues] == ["grid-differs"]
    cropped = np.asarray(nibabel.load(path).dataobj)
    expected, values = np.unique(cropped, return_counts=True)
    for value, count in zip(expected.tolist(), values.tolist(), strict=True):
        assert value == 0 or int((layer.array == value).sum()) == count


def test_real_pairs_share_their_grid(real_data):
    folder = real_data / "msd_hippocampus" / "TrainingSet"
    for path in sorted((folder / "labels").glob("*.nii.gz"))[:12]:
        (on,) = volume.read([folder / "images" / path.name], reading=Reading(), report=pytest.fail)
        layer, issues = read(path, on)
        assert layer is not None
        np.testing.assert_array_equal(layer.array, np.asarray(nibabel.load(path).dataobj).T)
        assert issues == []
