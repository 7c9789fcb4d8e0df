"""Every layout: a tiny folder, a look at it, the written builder, a build, and plain `datasets` at the end."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medloom.builders import catalog, scaffold
from medloom.builders.build import Options, build
from medloom.builders.infer import infer
from medloom.builders.proposal import LAYOUTS, Evidence, Proposal, labels_from
from medloom.schema.errors import UsageError
from medloom.schema.region import mask_from_rle
from medloom.schema.triplet import Triplet

RNG = np.random.default_rng(7)


def picture(path: Path, size: tuple[int, int] = (40, 60)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 255, (*size, 3), np.uint8)).save(path)
    return path


def mask(path: Path, *, value: int = 255) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((40, 60), np.uint8)
    pixels[5:15, 10:30] = value
    Image.fromarray(pixels).save(path)
    return pixels


def loaded(root: Path, *, layout: str | None = None, expect: str | None = None) -> list[dict[str, Any]]:
    """The records of a release that was built with nothing but what the look at the folder wrote."""
    proposal = infer(root, layout=layout)
    assert proposal.layout == (expect or layout)
    file = root.parent / "my_set.py"
    modality = "unspecified" if layout == "dicom" else "X-ray"
    triplet = scaffold.triplet_of(modality=modality, area="lung", task=None, labelled=bool(proposal.labels))
    scaffold.write(file, scaffold.text("my_set", proposal, triplet=triplet))
    release = root.parent / "release"
    build(str(file), root, release, options=Options())
    splits = load_dataset(str(release))
    return [row["json"] for split in splits.values() for row in split]


def present(record: dict[str, Any]) -> set[str]:
    return {label["label"] for label in record["labels"] if label["state"] == "present"}


def test_class_folders_with_the_owners_split(tmp_path: Path):
    root = tmp_path / "raw"
    for split, word in (("train", "benign"), ("train", "malignant"), ("test", "benign"), ("test", "malignant")):
        for number in range(3):
            picture(root / split / word / f"{word}{split}{number}.png")
    records = loaded(root, expect="class-folders")
    assert len(records) == 12
    assert {(record["split"], *present(record)) for record in records} == {
        (split, word) for split in ("train", "test") for word in ("benign", "malignant")
    }
    absent = {label["label"] for label in records[0]["labels"] if label["state"] == "absent"}
    assert present(records[0]) | absent == {"benign", "malignant"}


def test_images_alone_are_unlabelled(tmp_path: Path):
    for number in range(3):
        picture(tmp_path / "raw" / f"{number}.png")
    records = loaded(tmp_path / "raw", expect="class-folders")
    assert [record["labels"] for record in records] == [[], [], []]
    assert {record["task"] for record in records} == {"unlabelled"}


def write_table(path: Path, header: list[str], rows: list[list[Any]], *, delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([header, *rows])


def test_a_table_with_label_patient_split_age_and_sex(tmp_path: Path):
    root = tmp_path / "raw"
    rows = []
    for patient in range(8):
        for view in range(2):
            name = f"{patient}-{view}.png"
            picture(root / "files" / name)
            split = ["train", "val", "test"][patient % 3]
            rows.append([name, f"P{patient}", ["nevus", "melanoma"][patient % 2], split, 87 + patient, "FM"[patient % 2]])
    rows.append(["gone.png", "P99", "nevus", "train", 50, "F"])
    picture(root / "files" / "unlisted.png")
    write_table(root / "meta.csv", ["file", "patient_id", "dx", "split", "age", "sex"], rows, delimiter=";")
    records = loaded(root, expect="csv")
    assert len(records) == 17
    by_label = [record for record in records if present(record)]
    assert len(by_label) == 16
    assert len({record["group"] for record in by_label}) == 8
    assert {record["group_kind"] for record in by_label} == {"patient"}
    assert {record["split"] for record in records} == {"train", "validation", "test"}
    assert {record["subject"]["sex"] for record in by_label} == {"female", "male"}
    assert max(record["subject"]["age_years"] for record in by_label) == 90.0
    alone = next(record for record in records if not present(record))
    assert (alone["group_kind"], alone["labels"]) == ("image", [])


def test_a_table_with_a_column_per_label_and_paths(tmp_path: Path):
    root = tmp_path / "raw"
    cells = [["1", "0", ""], ["0", "1", "-1"], ["1", "1", "0"]]
    for number in range(3):
        picture(root / "data" / "images" / f"{number}.png")
    rows = [[f"images/{number}.png", *cells[number]] for number in range(3)]
    write_table(root / "data" / "labels.csv", ["path", "effusion", "mass", "nodule"], rows)
    states = sorted(
        tuple(sorted((label["label"], label["state"]) for label in record["labels"])) for record in loaded(root, expect="csv")
    )
    assert states == [
        (("effusion", "absent"), ("mass", "present"), ("nodule", "uncertain")),
        (("effusion", "present"), ("mass", "absent")),
        (("effusion", "present"), ("mass", "present"), ("nodule", "absent")),
    ]


def test_a_table_with_several_labels_in_a_cell(tmp_path: Path):
    root = tmp_path / "raw"
    words = ["Mass|Effusion", "Effusion", "Mass", "Mass|Nodule"]
    for number in range(4):
        picture(root / f"{number}.png")
    write_table(root / "t.csv", ["Image Index", "Finding Labels"], [[f"{n}.png", word] for n, word in enumerate(words)])
    found = sorted(sorted(present(record)) for record in loaded(root, expect="csv"))
    assert found == [["effusion"], ["effusion", "mass"], ["mass"], ["mass", "nodule"]]


def test_a_table_of_boxes(tmp_path: Path):
    root = tmp_path / "raw"
    for number in range(3):
        picture(root / f"{number}.png")
    rows = [["0.png", "cell", 1, 2, 11, 12], ["0.png", "Nucleus", 5, 5, 9, 9], ["1.png", "cell", 0, 0, 60, 40]]
    rows.append(["2.png", "", "", "", "", ""])
    write_table(root / "boxes.csv", ["image", "class", "xmin", "ymin", "xmax", "ymax"], rows)
    records = loaded(root, expect="csv")
    boxes = sorted((one["label"], *one["box_xyxy_px"]) for record in records for one in record["annotations"])
    assert boxes == [("cell", 0, 0, 60, 40), ("cell", 1, 2, 11, 12), ("cell nucleus", 5, 5, 9, 9)]


def test_pairs_of_images_and_masks(tmp_path: Path):
    root = tmp_path / "raw"
    pixels = None
    for number in range(3):
        picture(root / "images" / f"p{number}.jpg")
        pixels = mask(root / "masks" / f"p{number}_mask.png")
    records = loaded(root, expect="pairs")
    assert len(records) == 3
    for record in records:
        [one] = record["annotations"]
        assert (one["granularity"], one["label"]) == ("mask", "region of interest")
        assert np.array_equal(mask_from_rle(one["rle"], (40, 60)), pixels > 0)


def test_a_mask_of_several_values(tmp_path: Path):
    root = tmp_path / "raw"
    for number in range(2):
        picture(root / f"p{number}.png")
        pixels = mask(root / f"p{number}_seg.png", value=1)
        pixels[20:30, 20:30] = 2
        Image.fromarray(pixels).save(root / f"p{number}_seg.png")
    records = loaded(root, expect="pairs")
    assert [sorted(one["label"] for one in record["annotations"]) for record in records] == [["value 1", "value 2"]] * 2


VOC = """<annotation><size><width>60</width><height>40</height></size><object><name>{name}</name>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>"""


def test_voc_with_lists_of_splits(tmp_path: Path):
    root = tmp_path / "raw"
    for number in range(4):
        picture(root / "JPEGImages" / f"{number}.jpg")
        (root / "Annotations").mkdir(exist_ok=True)
        (root / "Annotations" / f"{number}.xml").write_text(VOC.format(name=["cat &amp; dog", "bird"][number % 2]))
    for name, stems in (("train", "0\n1\n2\n"), ("test", "3\n")):
        (root / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / "Main" / f"{name}.txt").write_text(stems)
    records = loaded(root, expect="voc")
    assert sorted((record["split"], *present(record)) for record in records) == [
        ("test", "bird"),
        ("train", "bird"),
        ("train", "cat & dog"),
        ("train", "cat & dog"),
    ]
    assert {tuple(one["box_xyxy_px"]) for record in records for one in record["annotations"]} == {(0.0, 0.0, 20.0, 30.0)}


def test_yolo_with_names(tmp_path: Path):
    root = tmp_path / "raw"
    for split in ("train", "val"):
        for number in range(2):
            picture(root / "images" / split / f"{split}{number}.png")
            label = root / "labels" / split / f"{split}{number}.txt"
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text("1 0.5 0.5 0.5 0.5\n" if number else "")
    (root / "data.yaml").write_text("names: [glioma, meningioma]\n")
    records = loaded(root, expect="yolo")
    assert sorted((record["split"], *present(record)) for record in records) == [
        ("train",), ("train", "meningioma"), ("validation",), ("validation", "meningioma"),
    ]  # fmt: skip
    boxes = {tuple(one["box_xyxy_px"]) for record in records for one in record["annotations"]}
    assert boxes == {(15.0, 10.0, 45.0, 30.0)}


def test_coco_with_a_file_per_split(tmp_path: Path):
    root = tmp_path / "raw"
    for split in ("train", "val"):
        picture(root / split / "a.png")
        document = {
            "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
            "categories": [{"id": 3, "name": "Left Lung"}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 3, "bbox": [2, 3, 10, 12], "segmentation": []},
                {
                    "id": 2,
                    "image_id": 1,
                    "category_id": 3,
                    "bbox": [5, 5, 10, 10],
                    "segmentation": [[5, 5, 15, 5, 15, 15, 5, 15]],
                },
            ],
        }
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(document))
    (root / "val" / "a.png").unlink()
    picture(root / "val" / "b.png")
    text = (root / "annotations" / "instances_val2017.json").read_text().replace("a.png", "b.png")
    (root / "annotations" / "instances_val2017.json").write_text(text)
    records = loaded(root, expect="coco")
    assert sorted(record["split"] for record in records) == ["train", "validation"]
    for record in records:
        found = {one["granularity"]: one for one in record["annotations"]}
        assert found["box"]["box_xyxy_px"] == [2.0, 3.0, 12.0, 15.0]
        assert found["contour"]["area_px"] == 100.0
        assert [(one["label"], one["laterality"]) for one in record["labels"]] == [("lung", "left")]


def test_nifti_with_names_from_the_decathlon(tmp_path: Path):
    import nibabel as nib

    root = tmp_path / "raw"
    for number in range(2):
        labels = np.zeros((24, 20, 3), np.uint8)
        labels[5:15, 5:15, 1] = 1
        for folder, array in (("imagesTr", RNG.integers(0, 900, (24, 20, 3)).astype(np.int16)), ("labelsTr", labels)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(array, np.diag([1.0, 1.0, 2.0, 1.0])), root / folder / f"case_{number}.nii.gz")
    (root / "dataset.json").write_text(json.dumps({"labels": {"0": "background", "1": "liver"}}))
    records = loaded(root, expect="nifti")
    assert len(records) == 6
    marked = [record for record in records if record["annotations"]]
    assert len(marked) == 2
    assert {record["annotations"][0]["label"] for record in marked} == {"liver"}
    assert {record["annotations"][0]["area_px"] for record in marked} == {100.0}


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("phantom")
    draw = catalog.load("phantom").draw
    assert draw is not None
    draw(root)
    return root


def test_dicom_with_its_seg_and_rtstruct(phantom: Path, tmp_path: Path):
    series = next(folder for folder in sorted({path.parent for path in phantom.rglob("*.dcm")}))
    root = tmp_path / "raw"
    root.symlink_to(series.parent, target_is_directory=True)
    proposal = infer(root, layout="dicom")
    assert proposal.labels
    records = loaded(root, layout="dicom")
    assert {record["modality"] for record in records} == {"CT"}
    assert {one["granularity"] for record in records for one in record["annotations"]} == {"mask", "contour"}
    assert {one["label"] for record in records for one in record["annotations"]} <= set(proposal.labels.values())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_for_each_layout_without_a_look(layout: str, tmp_path: Path):
    proposal = scaffold.blank(layout)
    file = tmp_path / "my_set.py"
    triplet = scaffold.triplet_of(modality="CT", area="lung", task=None, labelled=True)
    scaffold.write(file, scaffold.text("my_set", proposal, triplet=triplet))
    source = catalog.load(str(file))
    assert source.facts.name == "my_set"
    assert source.facts.licence == "unstated"
    assert source.facts.triplet == Triplet("CT", "lung", "other")
    assert source.layouts[0].expects


def test_it_never_writes_over_a_file(tmp_path: Path):
    (tmp_path / "a.py").write_text("mine")
    with pytest.raises(UsageError, match="stands already"):
        scaffold.write(tmp_path / "a.py", "other")
    assert (tmp_path / "a.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["My Set", "../x", "a.b", "1st", "", "x" * 60])
def test_a_name_must_be_snake_case(name: str):
    with pytest.raises(UsageError, match="snake_case"):
        scaffold.text(name, scaffold.blank("csv"), triplet=Triplet("CT", "lung", "other"))


HOSTILE = [
    '"""',
    "'''",
    "\\",
    "\n",
    "\r",
    "\u2028",
    "\x0c",
    "{}",
    "{name}",
    "@@FIELDS@@",
    "#",
    "\udcff",
    "'\"",
    "__import__('os')",
]


@given(words=st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), min_size=1, max_size=6, unique=True))
def test_words_found_in_a_folder_never_become_code(words: list[str]):
    hostile = "".join(words)
    proposal = Proposal(
        layout="csv",
        constants={
            **scaffold.blank("csv").constants,
            "TABLES": {hostile: None},
            "FILE": hostile,
            "COLUMNS": (hostile, *words),
            "IMAGES": (f"**/{hostile}",),
        },
        labels=labels_from([hostile, *(word for word in words if word != hostile)]),
        evidence=(Evidence("layout", hostile, hostile),),
        expects=((hostile, hostile, (hostile,)),),
        exclusive=True,
    )
    text = scaffold.text("my_set", proposal, triplet=Triplet("CT", "lung", "other"))
    space: dict[str, Any] = {"__name__": "made"}
    exec(compile(text.encode("utf-8"), "my_set.py", "exec"), space)
    assert space["FILE"] == hostile
    assert space["TABLES"] == {hostile: None}
    assert list(space["LABELS"]) == list(proposal.labels)
    assert space["SOURCE"].layouts[0].expects[-1].pattern == hostile
    plain = scaffold.text("my_set", scaffold.blank("csv"), triplet=Triplet("CT", "lung", "other"))
    assert _names(text) == _names(plain)


def _names(text: str) -> set[str]:
    """Every name that the code mentions."""
    import ast

    return {node.id for node in ast.walk(ast.parse(text.encode("utf-8"))) if isinstance(node, ast.Name)}
