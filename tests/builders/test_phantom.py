"""The phantom: drawn alike each time, its truth found by libraries that didn't draw it, its source read as declared."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image

from medloom.builders import phantom
from medloom.builders.formats import label_map, rtstruct, seg
from medloom.builders.orientation import views
from medloom.builders.phantom_body import ORGANS, draw_body, has_nodule
from medloom.builders.phantom_ct import affine_of, grid_of, patient_of, write_nifti, write_series
from medloom.builders.phantom_fundus import photographs
from medloom.builders.phantom_letters import SHOWN, SLAB, lettered_volume, letters_shown
from medloom.builders.phantom_seed import CANARIES
from medloom.builders.phantom_xray import radiographs
from medloom.builders.raw import Raw
from medloom.builders.read import contents
from medloom.builders.source import Access
from medloom.builders.sources.phantom import FACTS, LABELS, SOURCE, read
from medloom.builders.unit import LabelMap, Marks, MaskImage, SegObject, StructureSet
from medloom.builders.verify import require
from medloom.schema.labels.mesh import mesh

DRAWN = ["db99641e4fa3258d", "dcaaf408c57c9d74", "ccf3d74a61747fd6"]
SIDES = ("top", "bottom", "left", "right")
DICOM_SUBJECTS = [s for s in phantom.SUBJECTS if s.files != "nifti"]
SEG_SUBJECTS = [s for s in phantom.SUBJECTS if s.files == "seg"]
RT_SUBJECTS = [s for s in phantom.SUBJECTS if s.files == "rtstruct"]
NIFTI_SUBJECTS = [s for s in phantom.SUBJECTS if s.files == "nifti"]


def by_folder(subject: phantom.Subject) -> str:
    return subject.folder


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    phantom.draw(folder)
    return folder


@pytest.fixture(scope="module")
def units(root):
    issues = []
    found = list(read(Raw(root, report=issues.append)))
    assert not issues
    return found


def digests(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def series_of(root: Path, subject: phantom.Subject) -> list[pydicom.Dataset]:
    """In the order of the slices: along z."""
    files = [pydicom.dcmread(path) for path in (root / "ct" / subject.folder / "series").iterdir()]
    return sorted(files, key=lambda dataset: float(dataset.ImagePositionPatient[2]))


def never(issue) -> None:
    raise AssertionError(str(issue))


# Drawing


def test_two_draws_give_the_same_bytes(root, tmp_path):
    phantom.draw(tmp_path)
    assert digests(tmp_path) == digests(root)


def test_a_few_megabytes(root):
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) < 8e6


def test_pixels_are_those_of_every_machine():
    """Digests of what was drawn, before any library encodes it."""
    bodies = b"".join(phantom.body_of(subject).hu.astype("<i2").tobytes() for subject in phantom.SUBJECTS)
    shots = b"".join(shot.pixels.astype("<u2").tobytes() for shot in radiographs())
    photos = b"".join(photo.pixels.tobytes() + photo.disc.tobytes() + photo.vessels[1].tobytes() for photo in photographs())
    found = [hashlib.sha256(part).hexdigest()[:16] for part in (bodies, shots, photos)]
    assert found == DRAWN


def test_every_subject_has_its_organs():
    for subject in phantom.SUBJECTS:
        values = set(np.unique(phantom.body_of(subject).labels)) - {0}
        assert values == set(range(1, 9 if has_nodule(subject.number) else 8)), subject


def test_the_same_subject_lies_at_the_same_place_on_every_grid():
    tilted = next(s for s in phantom.SUBJECTS if s.variant == "tilted")
    for_tilted, upright = phantom.body_of(tilted), phantom.body_of(phantom.Subject(tilted.number, "rtstruct", "train"))
    for value in (1, 3, 4):
        at = [body.grid.centres()[body.labels == value].mean(axis=0) for body in (for_tilted, upright)]
        assert np.abs(at[0] - at[1]).max() < 3.0


def test_right_and_left_are_the_patients():
    body = phantom.body_of(phantom.SUBJECTS[0])
    x = body.grid.centres()[..., 0]
    for value, name in ORGANS.items():
        if name.startswith("right") or name == "liver":
            assert x[body.labels == value].mean() < -30
        if name.startswith("left") or name == "spleen":
            assert x[body.labels == value].mean() > 30


# CT files, by libraries that didn't write them


@pytest.mark.parametrize("subject", NIFTI_SUBJECTS, ids=by_folder)
def test_nifti_by_simpleitk(root, subject):
    body, folder = phantom.body_of(subject), root / "ct" / subject.folder
    for name, drawn in (("image", body.hu), ("labels", body.labels)):
        image = sitk.ReadImage(str(folder / f"{name}.nii.gz"))
        if subject.variant == "flipped":
            assert image.GetDirection() == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
        image = sitk.DICOMOrient(image, "LPS")
        assert np.array_equal(sitk.GetArrayFromImage(image), drawn)
        assert image.GetSpacing() == pytest.approx((3.5, 2.5, 9.0))
        assert image.GetOrigin() == pytest.approx(body.grid.origins[0])


@pytest.mark.parametrize("subject", [s for s in DICOM_SUBJECTS if s.variant in ("", "rle")], ids=by_folder)
def test_series_by_simpleitk(root, subject):
    body, folder = phantom.body_of(subject), root / "ct" / subject.folder / "series"
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    assert np.array_equal(sitk.GetArrayFromImage(image), body.hu)
    assert image.GetSpacing() == pytest.approx((3.5, 2.5, 9.0))
    assert image.GetOrigin() == pytest.approx(body.grid.origins[0])


@pytest.mark.parametrize("subject", DICOM_SUBJECTS, ids=by_folder)
def test_series_by_pydicom(root, subject):
    body, series = phantom.body_of(subject), series_of(root, subject)
    assert len(series) == len(body.hu)
    for index, dataset in enumerate(series):
        hu = dataset.pixel_array.astype(int) * int(dataset.RescaleSlope) + int(dataset.RescaleIntercept)
        assert np.array_equal(hu, body.hu[index])
        assert [float(x) for x in dataset.ImagePositionPatient] == pytest.approx(body.grid.origins[index], abs=1e-9)
    rle = {dataset.file_meta.TransferSyntaxUID.is_compressed for dataset in series}
    assert rle == {subject.variant == "rle"}


def test_the_tilted_series_leans_and_the_uneven_one_has_gaps(root):
    tilted, uneven = (next(s for s in phantom.SUBJECTS if s.variant == v) for v in ("tilted", "uneven"))
    dataset = series_of(root, tilted)[0]
    orientation = [float(x) for x in dataset.ImageOrientationPatient]
    assert orientation == [1, 0, 0, 0, 0.96, -0.28]
    normal = np.cross(orientation[:3], orientation[3:])
    assert np.rad2deg(np.arccos(normal[2])) == pytest.approx(float(dataset.GantryDetectorTilt), abs=1e-3)
    gaps = np.diff([float(d.ImagePositionPatient[2]) for d in series_of(root, uneven)])
    assert sorted(set(gaps)) == [9.0, 18.0]


@pytest.mark.parametrize("subject", SEG_SUBJECTS, ids=by_folder)
def test_seg_by_highdicom(root, subject):
    body, series = phantom.body_of(subject), series_of(root, subject)
    found = highdicom.seg.segread(root / "ct" / subject.folder / "seg.dcm")
    masks = found.get_pixels_by_source_instance(
        source_sop_instance_uids=[d.SOPInstanceUID for d in series], assert_missing_frames_are_empty=True
    )
    names = [found.get_segment_description(n).segment_label for n in found.segment_numbers]
    assert names == [ORGANS[v] for v in np.unique(body.labels) if v]
    for place, name in enumerate(names):
        value = next(v for v, organ in ORGANS.items() if organ == name)
        assert np.array_equal(masks[..., place], body.labels == value)


@pytest.mark.parametrize("subject", RT_SUBJECTS, ids=by_folder)
def test_structure_set_encloses_the_truth(root, subject):
    """By the area of its polygons alone: along pixel edges it is a whole number of pixels, and holes count against it."""
    body = phantom.body_of(subject)
    structures = pydicom.dcmread(root / "ct" / subject.folder / "rtstruct.dcm")
    names = {region.ROINumber: region.ROIName for region in structures.StructureSetROISequence}
    slices = {d.SOPInstanceUID: k for k, d in enumerate(series_of(root, subject))}
    for region in structures.ROIContourSequence:
        name = names[region.ReferencedROINumber]
        areas = np.zeros(len(slices))
        holes = 0
        for contour in region.ContourSequence:
            area = shoelace(np.array(contour.ContourData, float).reshape(-1, 3), body.grid)
            areas[slices[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]] += area
            holes += area < 0
        value = next(v for v, organ in ORGANS.items() if organ == name)
        assert areas == pytest.approx((body.labels == value).sum(axis=(1, 2)), abs=1e-6)
        assert (holes > 0) == (name in ("spine", "right kidney", "left kidney")) or name in ("right lung", "left lung")


def shoelace(points: np.ndarray, grid) -> float:
    """Signed area in pixels, of points in LPS mm that lie in one slice."""
    x = points @ grid.column_step / (grid.column_step @ grid.column_step)
    y = points @ grid.row_step / (grid.row_step @ grid.row_step)
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def test_canaries_stand_in_every_header(root):
    for subject in DICOM_SUBJECTS:
        for path in (root / "ct" / subject.folder).rglob("*.dcm"):
            data = path.read_bytes()
            assert data.count(b"CANARY") > 5
            assert b"18991231" in data
            assert b"19020304" in data
    assert sitk.ReadImage(str(root / "ct/p01/image.nii.gz")).GetMetaData("descrip").startswith("CANARY")
    for path in root.glob("fundus/t*/*/*.jpg"):
        with Image.open(path) as photo:
            assert photo.info["comment"] == b"CANARY comment"
            assert photo.getexif()[0x013B] == "CANARY^ARTIST"
            assert photo.getexif()[0x0132] == "1902:03:04 05:06:07"
    for path in root.glob("xray/images/*.png"):
        with Image.open(path) as shot:
            assert shot.info["Comment"] == "CANARY comment"


def test_no_uid_date_or_time_is_of_today(root):
    for subject in DICOM_SUBJECTS:
        for path in (root / "ct" / subject.folder).rglob("*.dcm"):
            dataset = pydicom.dcmread(path)
            for element in (*dataset.file_meta, *dataset.iterall()):
                if element.VR == "UI" and element.value:
                    assert str(element.value).startswith(("1.2.840.10008.", "2.25."))
                if element.VR in ("DA", "TM", "DT") and element.value:
                    assert str(element.value) in (*CANARIES, "19020304050607.080910")


# Radiographs and photographs


def test_radiographs_by_pillow(root):
    with (root / "xray/labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 28
    coco = json.loads((root / "xray/boxes.json").read_text())
    boxes = Counter(a["image_id"] for a in coco["annotations"])
    shots = radiographs()
    for number, (row, shot) in enumerate(zip(rows, shots, strict=True), 1):
        assert coco["images"][number - 1]["file_name"] == row["image"]
        assert boxes[number] == (row["class"] != "normal")
        assert np.array_equal(np.asarray(Image.open(root / "xray/images" / row["image"])), shot.pixels)
    assert {shot.pixels.dtype for shot in shots} == {np.dtype(np.uint8), np.dtype(np.uint16)}
    splits = {row["patient"]: {r["split"] for r in rows if r["patient"] == row["patient"]} for row in rows}
    assert all(len(split) == 1 for split in splits.values())
    assert {row["class"] for row in rows if row["split"] == "test"} == {"normal", "nodule", "effusion"}


def test_lesions_are_bright_inside_their_boxes():
    for shot in radiographs():
        if shot.box_xyxy_px is not None:
            x0, y0, x1, y1 = shot.box_xyxy_px
            inside, full = shot.pixels[y0:y1, x0:x1].astype(float), 65536 if shot.pixels.dtype == np.uint16 else 256
            assert 0 <= x0 < x1 <= 192
            assert 0 <= y0 < y1 <= 224
            assert inside.mean() > 0.3 * full


def test_photographs_and_masks_by_pillow(root):
    photos = {photo.name: photo for photo in photographs()}
    assert len(photos) == 16
    for path in root.glob("fundus/t*/*/*.jpg"):
        photo = photos[path.stem]
        assert path.parts[-3:-1] == (photo.split, photo.grade)
        decoded = np.asarray(Image.open(path)).astype(int)
        assert np.abs(decoded - photo.pixels).mean() < 6
        for name, mask in (("disc", photo.disc), ("vessels-1", photo.vessels[0]), ("vessels-2", photo.vessels[1])):
            stored = np.asarray(Image.open(root / "fundus" / name / f"{path.stem}.png"))
            assert set(np.unique(stored)) == {0, 255}
            assert np.array_equal(stored > 127, mask)
        assert decoded[photo.disc & ~photo.vessels[0]].mean() > decoded[~photo.disc].mean() + 50


def test_observers_differ_and_the_second_draws_less():
    for photo in photographs():
        first, second = photo.vessels
        assert (second & ~first).sum() == 0
        assert 0.4 * first.sum() < second.sum() < 0.95 * first.sum()


# Letters


@pytest.mark.parametrize("directions", ["LPS", "RAS", "LIP", "PIL", "SRA", "ILA", "RPI"])
def test_letters_in_every_plane_and_orientation(tmp_path, directions):
    array, affine = lettered_volume(directions)
    path = tmp_path / "letters.nii"
    write_nifti(path, array, affine)
    image = sitk.DICOMOrient(sitk.ReadImage(str(path)), "LPS")
    lps, _ = lettered_volume("LPS")
    assert np.array_equal(sitk.GetArrayFromImage(image), lps)
    pictures = {"axial": lps[SLAB], "coronal": lps[::-1, SLAB], "sagittal": lps[::-1, :, SLAB]}
    for plane, view in views(affine).items():
        rises = affine[:3, 2 - view.axis].sum() > 0
        shown = view.show(array, SLAB if rises else array.shape[view.axis] - 1 - SLAB)
        assert np.array_equal(shown, pictures[plane])
        assert letters_shown(shown) == dict(zip(SIDES, SHOWN[plane], strict=True))


def test_mirrored_letters_are_not_read():
    array, _ = lettered_volume()
    assert letters_shown(array[SLAB, :, ::-1]).get("right") != "R"
    assert letters_shown(array[SLAB, ::-1]).get("bottom") != "A"


@pytest.mark.parametrize("directions", ["LPS", "LIP", "PIL"])
def test_letters_as_dicom_series(tmp_path, directions):
    array, affine = lettered_volume(directions)
    write_series(tmp_path, array, grid_of(affine, array.shape), patient=patient_of("CANARY-L1", sex="O", age="030Y"))
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    image = sitk.DICOMOrient(sitk.ReadImage(names), "LPS")
    assert np.array_equal(sitk.GetArrayFromImage(image), lettered_volume("LPS")[0])
    assert image.GetOrigin() == pytest.approx(lettered_volume("LPS")[1][:3, 3])


# The source


def test_verify_passes(root):
    assert require(SOURCE, Raw(root)) == "as drawn"


def test_units_by_kind(units):
    assert Counter(unit.reader for unit in units) == {"volume": 6, "dicom": 8, "raster": 44}
    assert Counter(unit.triplet.modality if unit.triplet else "CT" for unit in units) == {"CT": 14, "FP": 16, "X-ray": 28}
    kinds = Counter(type(target) for unit in units for target in unit.targets)
    boxed = sum(shot.box_xyxy_px is not None for shot in radiographs())
    assert kinds == {LabelMap: 6, SegObject: 5, StructureSet: 3, MaskImage: 48, Marks: boxed}
    assert len({unit.name for unit in units}) == len(units)


def test_groups_are_patients_and_stay_in_one_split(units):
    groups = {unit.group: {u.split for u in units if u.group == unit.group} for unit in units}
    assert len(groups) == 14 + 20 + 8
    assert all(len(splits) == 1 for splits in groups.values())
    assert Counter(unit.split for unit in units) == {"train": 43, "validation": 1, "test": 14}


def test_samples_are_as_stated(units, root):
    raw = Raw(root)
    slices = 0
    for unit in units:
        assert all(raw.has(path) for path in unit.paths())
        if not unit.triplet:
            (volume,) = contents(unit, SOURCE, raw=raw, reading=SOURCE.reading, report=lambda _: None)
            slices += len(volume.array)
    assert slices + 44 == FACTS.images_stated == 322


@pytest.mark.parametrize("number", [1, 2, 7, 8, 11, 13, 14])
def test_our_readers_find_the_truth(units, root, number):
    """Voxel for voxel, on any grid, whichever way the labels were written."""
    unit = next(u for u in units if u.id == f"ct/p{number:02d}")
    body, raw = phantom.body_of(phantom.SUBJECTS[number - 1]), Raw(root)
    (volume,) = contents(unit, SOURCE, raw=raw, reading=SOURCE.reading, report=lambda _: None)
    assert volume.values == "hu"
    assert volume.even == (number not in (13, 14))
    found = labels_of(unit.targets[0], volume, raw)
    drawn, hu = body.labels, body.hu
    if number == 2:
        drawn, hu = drawn[:, ::-1, ::-1], hu[:, ::-1, ::-1]
    assert np.array_equal(volume.array, hu)
    assert np.array_equal(found, drawn)


def labels_of(target, volume, raw) -> np.ndarray:
    path = raw.path(target.path)
    if isinstance(target, LabelMap):
        layers = [label_map.layer(path, target, volume=volume, report=never)]
    elif isinstance(target, SegObject):
        layers = seg.layers(path, target, volume=volume, report=never)
    else:
        layers = rtstruct.layers(path, target, volume=volume, report=never)
    found = np.zeros(volume.array.shape, np.uint8)
    for layer in layers:
        for value, name in layer.names.items():
            found[layer.array == value] = next(v for v, organ in ORGANS.items() if organ == name)
    return found


def test_findings_and_boxes_agree(units):
    for unit in units:
        if unit.triplet and unit.triplet.modality == "X-ray":
            (finding,) = unit.findings
            marks = [mark.label for target in unit.targets for mark in target.marks]
            assert marks == ([] if finding.label == "normal" else [finding.label])


def test_every_word_has_a_label_and_every_closed_set_is_known(units):
    words = {finding.label for unit in units for finding in unit.findings} | set(ORGANS.values()) | {"disc", "vessels"}
    assert words == set(LABELS)
    assert {word for words in FACTS.closed_sets.values() for word in words} == set(LABELS)
    for unit in units:
        assert set(unit.closed_sets) <= set(FACTS.closed_sets)


def test_mesh_terms_are_those_of_the_structures():
    found = {label.name: mesh()[label.mesh].term for label in LABELS.values() if label.mesh}
    assert found == {
        "liver": "Liver",
        "kidney": "Kidney",
        "spleen": "Spleen",
        "lung": "Lung",
        "spine": "Spine",
        "pleural effusion": "Pleural Effusion",
        "optic disc": "Optic Disk",
        "retinal vessels": "Retinal Vessels",
    }


def test_facts_say_that_it_is_drawn():
    assert (FACTS.licence, FACTS.access) == ("CC0-1.0", Access.GENERATED)
    assert SOURCE.draw is phantom.draw
    assert "drawn" in FACTS.title.lower()


def test_a_grid_and_its_affine_are_one():
    body = draw_body(1, phantom.body_of(phantom.SUBJECTS[0]).grid)
    again = grid_of(affine_of(body.grid), body.hu.shape)
    assert np.array_equal(again.centres(), body.grid.centres())
