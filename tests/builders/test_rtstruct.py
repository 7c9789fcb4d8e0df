"""RTSTRUCT against shapes whose pixels can be counted by hand, in turned, flipped and uneven images, and real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

from medloom.builders.formats import rtstruct
from medloom.builders.formats.planes import planes_of
from medloom.builders.picture import Layer, Picture, Volume
from medloom.builders.unit import StructureSet
from medloom.schema.errors import Issue, UnreadableError
from medloom.schema.sample import Origin

TARGET = StructureSet(path="rt.dcm")
FRAME = "1.2.826.0.1.3680043.8.498.1"
SHAPE = (5, 40, 50)
SPACING_MM = (0.7, 1.3, 2.5)
"""Between columns, rows and slices."""


def turned(degrees: tuple[float, float, float]) -> np.ndarray:
    """A rotation about z, then y, then x."""
    made = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, other = [i for i in range(3) if i != axis]
        turn = np.eye(3)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        made = made @ turn
    return made


def volume(axes: np.ndarray | None = None, **changes) -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if axes is None else axes) * SPACING_MM
    affine[:3, 3] = (-101.3, 44.7, 12.9)
    fields = {
        "array": np.zeros(SHAPE, np.int16),
        "affine_lps": affine,
        "sop_instances": tuple(f"1.2.{n}" for n in range(SHAPE[0])),
        "frame_of_reference": FRAME,
    }
    return Volume(**{**fields, **changes})


def ring(image: Volume, points_xy: list[tuple[float, float]], at: float) -> np.ndarray:
    """Points in the frame of `schema/region.py`, where a pixel's centre is at + 0.5, as millimetres on a slice."""
    xy = np.array(points_xy, float) - 0.5
    ones = np.ones(len(xy))
    return (np.column_stack([xy, at * ones, ones]) @ image.affine_lps.T)[:, :3]


def square(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def contour(points_mm: np.ndarray, *, kind: str = "CLOSED_PLANAR", image: str = "") -> Dataset:
    made = Dataset()
    made.ContourGeometricType = kind
    made.NumberOfContourPoints = len(points_mm)
    made.ContourData = [f"{value:.12g}"[:16] for value in points_mm.ravel()]
    if image:
        made.ContourImageSequence = [referenced(image)]
    return made


def referenced(uid: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
    return made


def roi(name: str, contours: list[Dataset], *, frame: str = FRAME, algorithm: str = "MANUAL") -> dict:
    return {"name": name, "contours": contours, "frame": frame, "algorithm": algorithm}


def written(path: Path, rois: list[dict], *, listed: tuple[str, ...] = ()) -> Path:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPClassUID = rtstruct.STRUCTURE_SET
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    made = FileDataset(path, {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = rtstruct.STRUCTURE_SET, "1.2.3", "RTSTRUCT"
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, one in enumerate(rois, start=7):
        described, drawn = Dataset(), Dataset()
        described.ROINumber, described.ROIName = number, one["name"]
        described.ReferencedFrameOfReferenceUID, described.ROIGenerationAlgorithm = one["frame"], one["algorithm"]
        drawn.ReferencedROINumber, drawn.ContourSequence = number, one["contours"]
        made.StructureSetROISequence.append(described)
        made.ROIContourSequence.append(drawn)
    if listed:
        frame, study, series = Dataset(), Dataset(), Dataset()
        series.ContourImageSequence = [referenced(uid) for uid in listed]
        study.RTReferencedSeriesSequence = [series]
        frame.RTReferencedStudySequence = [study]
        made.ReferencedFrameOfReferenceSequence = [frame]
    made.save_as(path, enforce_file_format=True)
    return path


def read(path: Path, image: Volume | Picture, target: StructureSet = TARGET) -> tuple[list[Layer], list[Issue]]:
    issues: list[Issue] = []
    return rtstruct.layers(path, target, volume=image, report=issues.append), issues


def codes(issues: list[Issue]) -> list[str]:
    return sorted(issue.code for issue in issues)


def expected(slices: dict[int, np.ndarray], shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    made = np.zeros(shape, np.uint8)
    for at, mask in slices.items():
        made[at] = mask
    return made


def block(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    made = np.zeros(SHAPE[1:], np.uint8)
    made[y0:y1, x0:x1] = 1
    return made


ORIENTATIONS = {
    "axial": np.eye(3),
    "flipped columns": np.diag([-1.0, 1, 1]),
    "flipped rows": np.diag([1.0, -1, 1]),
    "flipped slices": np.diag([1.0, 1, -1]),
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
    "oblique": turned((20.0, -35.0, 50.0)),
    "nearly axial": turned((0.7, 1.1, -0.4)),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_squares_circles_and_holes_in_every_orientation(tmp_path, name):
    image = volume(ORIENTATIONS[name])
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = [(25 + 12 * np.cos(a), 20 + 12 * np.sin(a)) for a in angles]
    path = written(
        tmp_path / "rt.dcm",
        [
            roi("square", [contour(ring(image, square(10, 5, 30, 17), 1))]),
            roi("circle", [contour(ring(image, circle, 2))]),
            roi("frame", [contour(ring(image, square(*box), 3)) for box in ((10, 5, 30, 17), (14, 8, 20, 13))]),
        ],
    )
    layers, issues = read(path, image)
    (layer,) = layers
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]] + 0.5
    disc = ((x - 25) ** 2 + (y - 20) ** 2 < 144).astype(np.uint8)
    hollow = block(10, 5, 30, 17) - block(14, 8, 20, 13)
    assert (block(10, 5, 30, 17).sum(), hollow.sum()) == (240, 210)
    assert np.array_equal(layer.array, expected({1: block(10, 5, 30, 17), 2: 2 * disc, 3: 3 * hollow}))
    assert layer.names == {1: "square", 2: "circle", 3: "frame"}
    assert layer.granularity == "contour"
    assert not layer.partial
    assert not issues


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_rings_of_a_region_on_one_slice_are_even_odd_and_islands_both_count(tmp_path, kind):
    image = volume()
    boxes = [(2, 2, 22, 22), (5, 5, 19, 19), (9, 9, 12, 12), (30, 30, 40, 35)]
    rings = [contour(ring(image, square(*box), 2), kind=kind) for box in boxes]
    layers, _ = read(written(tmp_path / "rt.dcm", [roi("x", rings)]), image)
    even_odd = block(*boxes[0]) - block(*boxes[1]) + block(*boxes[2]) + block(*boxes[3])
    assert np.array_equal(layers[0].array, expected({2: even_odd}))


def test_a_keyhole_is_a_hole(tmp_path):
    image = volume()
    outer = [(5, 5), (25, 5), (25, 25), (5, 25), (5, 15)]
    inner = [(10, 15), (10, 20), (20, 20), (20, 10), (10, 10), (10, 15), (5, 15)]
    layers, issues = read(written(tmp_path / "rt.dcm", [roi("x", [contour(ring(image, outer + inner, 0))])]), image)
    assert np.array_equal(layers[0].array, expected({0: block(5, 5, 25, 25) - block(10, 10, 20, 20)}))
    assert not issues


@pytest.mark.parametrize("name", ["axial", "flipped columns", "flipped rows", "sagittal"])
def test_rings_through_voxel_centres_hold_their_left_and_upper_ends(tmp_path, name):
    """Where contours were made from masks, points lie on centres: the noise of floats must not decide."""
    image = volume(ORIENTATIONS[name])
    path = written(tmp_path / "rt.dcm", [roi("x", [contour(ring(image, square(10.5, 5.5, 30.5, 17.5), 1))])])
    assert np.array_equal(read(path, image)[0][0].array, expected({1: block(10, 5, 30, 17)}))


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.floats(-80, 80)] * 3),
    st.tuples(st.integers(0, 20), st.integers(0, 15), st.integers(1, 25), st.integers(1, 20)),
    st.integers(0, SHAPE[0] - 1),
    st.sampled_from([(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)]),
    st.floats(-0.45, 0.45),
)
def test_any_orientation_gives_the_same_pixels(tmp_path_factory, degrees, box, at, flips, off):
    image = volume(turned(degrees) * flips)
    x, y, width, height = box
    path = tmp_path_factory.mktemp("rt") / "rt.dcm"
    drawn = ring(image, square(x + 0.1, y + 0.1, x + width + 0.1, y + height + 0.1), at + off)
    layers, issues = read(written(path, [roi("x", [contour(drawn)])]), image)
    assert np.array_equal(layers[0].array, expected({at: block(x, y, x + width, y + height)}))
    assert not issues


# Slices


def uneven(**changes) -> Volume:
    """Slices at 0, 2, 4, 12 and 14 mm; the affine goes from the first to the last by the mean step."""
    affine = volume().affine_lps.copy()
    affine[2, 2] = 14 / 4
    return volume(affine_lps=affine, even=False, positions_mm=(0.0, 2.0, 4.0, 12.0, 14.0), **changes)


def at_height(height_mm: float, **options) -> Dataset:
    drawn = ring(volume(), square(10, 5, 30, 17), 0)
    drawn[:, 2] += height_mm
    return contour(drawn, **options)


@pytest.mark.parametrize(
    ("height_mm", "at"),
    [(0, 0), (-0.9, 0), (-1.1, None), (2.9, 1), (4.9, 2), (5.1, None), (8, None), (11.2, 3), (14.9, 4), (15.1, None)],
)
def test_uneven_slices_reach_half_way_to_their_nearer_neighbour(tmp_path, height_mm, at):
    layers, issues = read(written(tmp_path / "rt.dcm", [roi("x", [at_height(height_mm)])]), uneven())
    if at is None:
        assert layers == []
        assert codes(issues) == ["contour-off-slice", "no-image"]
    else:
        assert np.array_equal(layers[0].array, expected({at: block(10, 5, 30, 17)}))
        assert not issues


def test_a_leaning_stack_keeps_its_shear(tmp_path):
    affine = volume().affine_lps.copy()
    affine[1, 2] = 1.3
    image = volume(affine_lps=affine, even=False, positions_mm=tuple(2.5 * n for n in range(5)))
    rois = [roi("x", [contour(ring(image, square(10, 5, 30, 17), at)) for at in range(5)])]
    layers, issues = read(written(tmp_path / "rt.dcm", rois), image)
    assert np.array_equal(layers[0].array, expected(dict.fromkeys(range(5), block(10, 5, 30, 17))))
    assert not issues


def test_positions_counted_either_way_mean_the_same_planes():
    affine = volume(np.diag([1.0, 1, -1])).affine_lps.copy()
    affine[2, 2] = -14 / 4
    up, down = (0.0, 2.0, 4.0, 12.0, 14.0), (0.0, -2.0, -4.0, -12.0, -14.0)
    planes = [planes_of(volume(affine_lps=affine, positions_mm=p)) for p in (up, down)]
    for one in planes:
        assert one is not None
        assert np.allclose(one.origins_mm[:, 2], 12.9 - np.array(up))


def test_the_referenced_slice_wins_where_the_contour_lies_on_its_border(tmp_path):
    half = SPACING_MM[2] / 2
    for at in (1, 2):
        rois = [roi("x", [at_height(SPACING_MM[2] + half, image=f"1.2.{at}")])]
        layers, issues = read(written(tmp_path / "rt.dcm", rois), volume())
        assert np.array_equal(layers[0].array, expected({at: block(10, 5, 30, 17)}))
        assert not issues


def test_a_wrong_reference_gives_way_to_the_position(tmp_path):
    rois = [roi("x", [at_height(2 * SPACING_MM[2], image="1.2.4")])]
    layers, issues = read(written(tmp_path / "rt.dcm", rois), volume())
    assert np.array_equal(layers[0].array, expected({2: block(10, 5, 30, 17)}))
    assert codes(issues) == ["position-differs"]


def test_one_object_of_many_frames_is_placed_by_position(tmp_path):
    rois = [roi("x", [at_height(2 * SPACING_MM[2], image="1.2.9")])]
    layers, issues = read(written(tmp_path / "rt.dcm", rois), volume(sop_instances=("1.2.9",) * 5))
    assert np.array_equal(layers[0].array, expected({2: block(10, 5, 30, 17)}))
    assert not issues


def test_a_contour_across_the_slices_is_off_all_of_them(tmp_path):
    drawn = ring(volume(), square(10, 5, 30, 17), 2)
    drawn[:, 2] += (-4, 4, 4, -4)
    layers, issues = read(written(tmp_path / "rt.dcm", [roi("x", [contour(drawn), at_height(0)])]), volume())
    assert np.array_equal(layers[0].array, expected({0: block(10, 5, 30, 17)}))
    assert codes(issues) == ["contour-off-slice"]


# Frames of reference and regions


def test_another_frame_of_reference_leaves_references_alone(tmp_path):
    other = [at_height(0, image="1.2.0"), at_height(2.5), at_height(5.0, image="1.2.77"), at_height(7.5, image="1.2.0")]
    layers, issues = read(written(tmp_path / "rt.dcm", [roi("x", other, frame="9.9")]), volume())
    assert np.array_equal(layers[0].array, expected({0: block(10, 5, 30, 17)}))
    assert codes(issues) == ["frame-of-reference", "no-image"]
    assert "3 contours" in next(issue.found for issue in issues if issue.code == "no-image")
    assert read(written(tmp_path / "rt.dcm", [roi("x", other[1:], frame="9.9")]), volume())[0] == []
    layers, issues = read(written(tmp_path / "rt.dcm", [roi("x", other, frame="9.9")]), volume(frame_of_reference=None))
    assert layers[0].array.any(axis=(1, 2)).tolist() == [True, True, True, True, False]


def test_overlapping_regions_lie_in_two_layers(tmp_path):
    image = volume()
    boxes = {"a": (5, 5, 20, 20), "b": (10, 10, 30, 30), "c": (31, 31, 40, 38), "": (0, 0, 3, 3)}
    rois = [roi(f" {name} ", [contour(ring(image, square(*box), 2))]) for name, box in boxes.items()]
    path = written(tmp_path / "rt.dcm", rois)
    layers, issues = read(path, image)
    assert [layer.names for layer in layers] == [{1: "a", 3: "c", 4: "region 10"}, {2: "b"}]
    for value, box in enumerate(boxes.values(), start=1):
        found = sum((layer.array == value).astype(np.uint8) for layer in layers)
        assert np.array_equal(found, expected({2: block(*box)}))
    assert rtstruct.regions(path) == ["a", "b", "c", "region 10"]
    assert not issues


def test_origins_and_observer(tmp_path):
    image = volume()
    words = {"MANUAL": Origin.HUMAN, "SEMIAUTOMATIC": Origin.MODEL, "AUTOMATIC": Origin.MODEL, "": Origin.UNKNOWN}
    rois = [roi("x", [contour(ring(image, square(n * 9, 1, n * 9 + 5, 9), 0))], algorithm=word) for n, word in enumerate(words)]
    path = written(tmp_path / "rt.dcm", rois)
    (layer,), _ = read(path, image)
    assert layer.origin == dict(enumerate(words.values(), start=1))
    (layer,), _ = read(path, image, StructureSet(path="rt.dcm", origin=Origin.HUMAN, observer="r1"))
    assert set(layer.origin.values()) == {Origin.HUMAN}
    assert layer.observer == "r1"


def test_listed_images_were_assessed(tmp_path):
    rois = [roi("x", [at_height(2.5)])]
    path = written(tmp_path / "rt.dcm", rois, listed=("1.2.0", "1.2.3", "1.2.99"))
    (layer,), _ = read(path, volume())
    assert (layer.partial, layer.assessed) == (True, frozenset({0, 1, 3}))
    path = written(tmp_path / "rt.dcm", rois, listed=tuple(f"1.2.{n}" for n in range(5)))
    assert not read(path, volume())[0][0].partial


def test_what_can_t_be_filled_is_reported_and_the_rest_kept(tmp_path):
    image = volume()
    good = ring(image, square(10, 5, 30, 17), 1)
    rois = [
        roi("points", [contour(good[:1], kind="POINT"), contour(good[:2], kind="OPEN_PLANAR")]),
        roi("empty", []),
        roi("thin", [contour(ring(image, square(10.6, 5.6, 10.9, 5.9), 1))]),
        roi("line", [contour(good[:2])]),
        roi("outside", [contour(good + np.array([500.0, 0, 0]))]),
        roi("good", [contour(good)]),
    ]
    layers, issues = read(written(tmp_path / "rt.dcm", rois), image)
    (layer,) = layers
    assert layer.names == {6: "good"}
    assert np.array_equal(layer.array, expected({1: 6 * block(10, 5, 30, 17)}))
    found = sorted((issue.where.split()[-1], issue.code) for issue in issues)
    assert found == [
        ("10", "bad-polygon"),
        ("11", "mask-empty"),
        ("7", "unsupported"),
        ("7", "unsupported"),
        ("8", "mask-empty"),
        ("9", "mask-empty"),
    ]
    assert all(issue.where.startswith("rt.dcm region") for issue in issues)


def test_images_without_patient_geometry_take_no_contours(tmp_path):
    path = written(tmp_path / "rt.dcm", [roi("x", [at_height(0)])])
    for image in (Picture(pixels=np.zeros((4, 4))), volume(oriented=False)):
        layers, issues = read(path, image)
        assert layers == []
        assert codes(issues) == ["unsupported"]


# Damage


def test_damaged_files_are_unreadable_never_a_crash(tmp_path):
    path = written(tmp_path / "rt.dcm", [roi("x", [at_height(0)])])
    whole = path.read_bytes()
    for length in (0, 1, 131, 200):
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableError):
            read(path, volume())
    path.write_bytes(whole.replace(b"IS\x02\x007 ", b"IS\x02\x00x "))
    with pytest.raises(UnreadableError):
        rtstruct.regions(path)
    path.write_bytes(whole.replace(rtstruct.STRUCTURE_SET.encode(), b"1.2.840.10008.5.1.4.1.1.481.2"))
    with pytest.raises(UnreadableError) as raised:
        read(path, volume())
    assert raised.value.code == "unsupported"
    with pytest.raises(UnreadableError):
        read(tmp_path / "absent.dcm", volume())


# Real files


@pytest.fixture(scope="session")
def folder(real_data) -> Path:
    return real_data / "rt_utils_rtstruct"


@pytest.fixture(scope="session")
def head(folder) -> Volume:
    slices = [pydicom.dcmread(folder / "mock_data" / f"ct_{n}.dcm") for n in (1, 2)]
    affine = np.diag([0.488281, 0.488281, 5.0, 1.0])
    affine[:3, 3] = (-125.0, -125.0, 60.0)
    return Volume(
        array=np.stack([one.pixel_array for one in slices]),
        affine_lps=affine,
        sop_instances=tuple(str(one.SOPInstanceUID) for one in slices),
        frame_of_reference=str(slices[0].FrameOfReferenceUID),
    )


NAMES = ["ROI-1", "ROI-2", "ROI-3", "ROI-4"]


@pytest.mark.parametrize("name", ["mock_data/invalid_reference_rt", "mock_data/non_existent_reference_rt", "empty/dummy_rt"])
def test_structures_that_reference_absent_slices_keep_the_others(folder, head, name):
    path = folder / f"{name}.dcm"
    (layer,), issues = read(path, head)
    assert [int((layer.array == value).sum()) for value in (1, 2, 3, 4)] == [4976, 3697, 4519, 6954]
    assert layer.array.any(axis=(1, 2)).all()
    assert layer.names == dict(enumerate(NAMES, start=1))
    assert set(layer.origin.values()) == {Origin.HUMAN}
    assert [(issue.code, issue.severity, issue.found.split()[0]) for issue in issues] == [("no-image", "info", "1")] * 4
    assert rtstruct.regions(path) == NAMES


def test_a_square_with_a_square_hole_of_rt_utils(folder, head):
    """Corners at voxel centres 151.55… and 163.83…: inside are the centres between them."""
    path = folder / "mock_data" / "rt.dcm"
    (layer,), issues = read(path, head)
    rings = [
        (np.array(one.ContourData, float).reshape(-1, 3)[:, :2] + 125) / 0.488281
        for one in pydicom.dcmread(path).ROIContourSequence[0].ContourSequence
    ]
    low, high = rings[0].min(axis=0), rings[0].max(axis=0)
    count = np.floor(high).astype(int) - np.ceil(low).astype(int) + 1
    outer = (layer.array[0] != 0).nonzero()
    assert [np.ptp(axis) + 1 for axis in outer] == count[::-1].tolist()
    assert (layer.array[0] != 0).sum() < np.prod(count)
    assert not layer.array[1].any()
    assert codes(issues) == ["frame-of-reference"]


def test_structures_of_another_patient_give_nothing(folder, head):
    layers, issues = read(folder / "mock_data" / "invalid_reference_rt.dcm", volume())
    assert layers == []
    assert codes(issues) == ["frame-of-reference", *["no-image"] * 5]
