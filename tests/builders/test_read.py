"""One unit to samples: which reader, whose options, and what a missing or broken file costs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medloom.builders.catalog import load
from medloom.builders.deidentify import salt_of
from medloom.builders.picture import Picture, Volume
from medloom.builders.raw import Raw
from medloom.builders.read import Encoded, contents, samples_of, unit_reading
from medloom.builders.source import Reading, Source
from medloom.builders.unit import LabelFile, LabelMap, Mark, Marks, MaskImage, SegObject, Unit
from medloom.schema.errors import DataError, Issue, UsageError
from medloom.schema.pixels import pixel_sha256
from medloom.schema.sample import State
from medloom.schema.triplet import Triplet

PIXELS = np.random.default_rng(2).integers(0, 255, (20, 30), np.uint8)


@pytest.fixture
def source(tiny) -> Source:
    return load(tiny.spec)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    Image.fromarray(PIXELS).save(folder / "a.png")
    Image.fromarray(((PIXELS > 200) * 255).astype(np.uint8)).save(folder / "mask.png")
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return folder


def read(source: Source, root: Path, unit: Unit, **reading) -> tuple[list[Encoded], list[Issue]]:
    issues: list[Issue] = []
    salt, raw = salt_of(source.facts), Raw(root)
    found = samples_of(unit, source, raw=raw, salt=salt, reading=Reading(**reading), report=issues.append)
    return list(found), issues


def unit_of(*targets, **more) -> Unit:
    return Unit(**{"files": ("a.png",), "reader": "raster", "targets": targets} | more)


def test_an_image_and_its_record(source: Source, root: Path):
    ((one,), issues) = read(source, root, unit_of())
    assert issues == []
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(one.image))), PIXELS)
    assert one.sample.provenance.pixel_sha256 == pixel_sha256(PIXELS)
    assert one.sample.split == ""


@pytest.mark.parametrize(
    ("target", "granularity"),
    [
        (Marks((Mark(label="red", box_xyxy_px=(1.0, 1.0, 5.0, 5.0)),)), "box"),
        (LabelFile(path="a.txt", format="yolo", names={"0": "red"}), "box"),
        (MaskImage(path="mask.png", label="red", threshold=127.0), "mask"),
    ],
)
def test_labels_of_a_picture(source: Source, root: Path, target, granularity: str):
    ((one,), issues) = read(source, root, unit_of(target))
    assert issues == []
    assert [(mark.label, mark.granularity) for mark in one.sample.annotations] == [("red blood cell", granularity)]
    assert [state.state for state in one.sample.labels] == [State.PRESENT, State.ABSENT]


@pytest.mark.parametrize(
    ("file", "code", "found"),
    [
        ("absent.png", "missing-file", "no such file"),
        ("empty.png", "unreadable", "empty"),
        ("text.png", "unreadable", "expected"),
    ],
)
def test_a_file_that_cannot_be_read(source: Source, root: Path, file: str, code: str, found: str):
    with pytest.raises(DataError, match=found) as error:
        read(source, root, unit_of(files=(file,)))
    assert error.value.code == code


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (LabelFile(path="absent.txt", format="yolo"), "missing-label"),
        (MaskImage(path="text.png", label="red"), "unreadable"),
    ],
)
def test_a_label_file_that_cannot_be_read_costs_its_labels_alone(source: Source, root: Path, target, code: str):
    found, issues = read(source, root, unit_of(target, closed_sets=()))
    assert len(found) == 1
    assert found[0].sample.annotations == ()
    assert [issue.code for issue in issues] == [code]
    assert issues[0].where.startswith(target.path)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (unit_of(reader="telepathy"), r"tiny: reader 'telepathy'; expected one of \('raster', "),
        (unit_of(reader="own"), "reader is `own`, but the source has no `pictures`"),
        (unit_of(options={"colour": 1}), r"unit a\.png: options \['colour'\]; expected fields of Reading"),
        (unit_of(LabelFile(path="a.txt", format="runes")), r"label format 'runes'; expected one of"),
        (unit_of(LabelMap(path="a.txt", values={})), "LabelMap on a 2-D picture"),
    ],
)
def test_a_unit_that_makes_no_sense_is_the_sources_fault(source: Source, root: Path, unit: Unit, message: str):
    with pytest.raises(UsageError, match=message):
        read(source, root, unit)


def test_the_units_options_win(source: Source):
    reading = unit_reading(unit_of(options={"every_nth": 5}), Reading(every_nth=2, tile_px=64))
    assert (reading.every_nth, reading.tile_px) == (5, 64)


def own(source: Source, *made: Picture | Volume) -> Source:
    return replace(source, pictures=lambda unit, raw, reading, report: iter(made))


def test_a_source_may_read_its_own_pictures(source: Source, root: Path):
    picture = Picture(pixels=PIXELS[::2], raw_format="own", decoder="own 1")
    ((one,), _) = read(own(source, picture), root, unit_of(reader="own"))
    assert (one.sample.provenance.decoder, one.sample.size_hw_px) == ("own 1", (10, 30))


def test_the_units_window_wins(source: Source, root: Path):
    volume = Volume(array=np.stack([PIXELS, PIXELS.T[:20, :20].repeat(2, 1)[:, :30]]).astype(np.int16), affine_lps=np.eye(4))
    found, _ = read(own(source, volume), root, unit_of(reader="own", window=("mine", 10.0, 99.0)))
    assert {(one.sample.provenance.window_name, one.sample.provenance.window) for one in found} == {("mine", (10.0, 99.0))}


@pytest.mark.parametrize(
    ("target", "message"),
    [(MaskImage(path="mask.png", label="red"), "MaskImage on a volume"), (Marks(()), "Marks on a volume")],
)
def test_labels_of_pictures_do_not_fit_volumes(source: Source, root: Path, target, message: str):
    volume = Volume(array=np.stack([PIXELS, PIXELS]), affine_lps=np.eye(4))
    with pytest.raises(UsageError, match=message):
        read(own(source, volume), root, unit_of(target, reader="own"))


def nifti(path: Path, array: np.ndarray) -> None:
    """Slices × rows × columns."""
    import SimpleITK as sitk

    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))


@pytest.mark.parametrize(("modality", "rule"), [("CT", "window"), ("MRI", "percentile")])
def test_volumes_of_ct_are_in_hounsfield_units(source: Source, root: Path, modality: str, rule: str):
    nifti(root / "v.nii.gz", np.random.default_rng(1).integers(-500, 500, (4, 20, 20)).astype(np.int16))
    labels = np.zeros((4, 20, 20), np.uint8)
    labels[2, 4:9, 4:9] = 3
    nifti(root / "l.nii.gz", labels)
    unit = unit_of(
        LabelMap(path="l.nii.gz", values={3: "red"}),
        LabelMap(path="l.nii.gz", values={3: "red"}, volume_index=5),
        LabelMap(path="absent.nii.gz", values={3: "red"}),
        files=("v.nii.gz",),
        reader="volume",
        triplet=Triplet(modality, "brain", "unlabelled"),
    )
    found, issues = read(source, root, unit)
    assert {one.sample.provenance.intensity for one in found} == {rule}
    assert [len(one.sample.annotations) for one in found] == [0, 0, 1, 0]
    assert [issue.code for issue in issues] == ["missing-label"]


def test_a_seg_of_nothing_is_told(source: Source, root: Path):
    found, issues = read(source, root, unit_of(SegObject(path="text.png"), closed_sets=()))
    assert len(found) == 1
    assert [issue.where.split(" ")[0] for issue in issues] == ["text.png"]


def test_contents_are_native_values(source: Source, root: Path):
    (picture,) = contents(unit_of(), source, raw=Raw(root), reading=Reading(), report=lambda issue: None)
    assert isinstance(picture, Picture)
    assert np.array_equal(picture.pixels, PIXELS)
