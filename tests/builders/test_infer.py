"""What a look at a folder proposes, the evidence it gives, and what it makes of broken files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medloom.builders.infer import infer
from medloom.builders.proposal import Proposal, labels_from, listed
from medloom.builders.raw import Raw
from medloom.builders.survey import Survey, groups_in_paths, split_word, splits_in_paths, stem_of, suffix_of
from medloom.schema.errors import RawRootError, UsageError
from medloom.schema.labels import Label


def picture(path: Path, *, value: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)
    return path


def chosen(proposal: Proposal, what: str) -> str:
    return next(one.choice for one in proposal.evidence if one.what == what)


def seen(proposal: Proposal, what: str) -> str:
    return next(one.seen for one in proposal.evidence if one.what == what)


def test_evidence_counts_what_was_seen(tmp_path: Path):
    for word, count in (("cyst", 3), ("stone", 2)):
        for number in range(count):
            picture(tmp_path / word / f"{number}.png")
    proposal = infer(tmp_path)
    assert seen(proposal, "layout") == "5 images in 2 folders, no table beside them"
    assert seen(proposal, "label") == "3 in 'cyst', 2 in 'stone'"
    assert proposal.exclusive


def test_patient_folders_are_groups_and_no_classes(tmp_path: Path):
    for patient in range(4):
        for word in ("pos", "neg"):
            for number in range(2):
                picture(tmp_path / word / f"patient_{patient:03d}" / f"{number}.png")
    proposal = infer(tmp_path)
    assert set(proposal.labels) == {"pos", "neg"}
    assert proposal.constants["DEPTH"] == -2
    assert proposal.group_kind == "patient"
    assert "4 ids such as 'patient_000'" in seen(proposal, "group")


def test_one_split_alone_is_no_split(tmp_path: Path):
    for number in range(3):
        picture(tmp_path / "train" / f"{number}.png")
    proposal = infer(tmp_path)
    assert proposal.constants["SPLIT_FOLDERS"] == {}
    assert seen(proposal, "split") == "only 'train'"


def test_a_table_in_another_encoding(tmp_path: Path):
    for number in range(4):
        picture(tmp_path / f"{number}.png")
    rows = ["bild;diagnose", *(f"{n}.png;{word}" for n, word in enumerate(["Gefäß", "gesund", "Gefäß", "gesund"]))]
    (tmp_path / "t.csv").write_bytes("\n".join(rows).encode("cp1252"))
    proposal = infer(tmp_path)
    assert proposal.constants["ENCODING"] == "cp1252"
    assert proposal.labels == {"Gefäß": "gefäss", "gesund": "gesund"}


def test_cells_that_hold_several_labels_and_cells_that_hold_none(tmp_path: Path):
    words = ["a", "b", "a, b", "todo", "unknown", *"abababababababababababab"]
    for number in range(len(words)):
        picture(tmp_path / f"{number}.png")
    rows = "".join(f'{number}.png,"{word}"\n' for number, word in enumerate(words))
    (tmp_path / "t.csv").write_text("file,finding\n" + rows)
    proposal = infer(tmp_path)
    assert proposal.constants["SEPARATOR"] == ","
    assert proposal.labels == {"a": "a", "b": "b", "todo": None, "unknown": None}
    assert not proposal.exclusive


def test_a_comma_inside_a_label_parts_nothing(tmp_path: Path):
    for number in range(40):
        picture(tmp_path / f"{number}.png")
    rows = "".join(f'{number}.png,"{"fracture, open" if number == 7 else "none"}"\n' for number in range(40))
    (tmp_path / "t.csv").write_text("file,finding\n" + rows)
    proposal = infer(tmp_path)
    assert set(proposal.labels) == {"fracture, open", "none"}
    assert proposal.exclusive


def test_a_table_per_split(tmp_path: Path):
    for number in range(4):
        picture(tmp_path / "img" / f"{number}.png")
    (tmp_path / "train_labels.csv").write_text("name,label\n0,a\n1,b\n2,a\n")
    (tmp_path / "test_labels.csv").write_text("name,label\n3,b\n")
    proposal = infer(tmp_path)
    assert proposal.constants["TABLES"] == {"test_labels.csv": "test", "train_labels.csv": "train"}
    assert proposal.constants["FILE_IS"] == "stem"
    assert chosen(proposal, "split") == "the owner's, by table"


def test_excel_tables_are_read(tmp_path: Path):
    from openpyxl import Workbook

    book = Workbook()
    for row in (["file", "class"], ["0.png", "a"], ["1.png", "b"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "t.xlsx")
    for number in range(2):
        picture(tmp_path / f"{number}.png")
    proposal = infer(tmp_path)
    assert (proposal.layout, proposal.labels) == ("csv", {"a": "a", "b": "b"})


def test_a_table_that_names_no_image_is_only_mentioned(tmp_path: Path):
    for word in ("a", "b"):
        for number in range(2):
            picture(tmp_path / word / f"{number}.png")
    (tmp_path / "notes.csv").write_text("person,comment\nme,hello\n")
    proposal = infer(tmp_path)
    assert proposal.layout == "class-folders"
    assert "notes.csv" in seen(proposal, "also seen")


def test_names_that_stand_twice_are_not_matched_by_name(tmp_path: Path):
    for folder in ("left", "right"):
        for number in range(3):
            picture(tmp_path / folder / f"{number}.png")
    rows = "".join(f"{folder}/{number}.png,{folder}\n" for folder in ("left", "right") for number in range(3))
    (tmp_path / "t.csv").write_text("path,side_label\n" + rows)
    assert infer(tmp_path).constants["FILE_IS"] == "path"


def test_lossy_masks_get_a_threshold(tmp_path: Path):
    for number in range(3):
        picture(tmp_path / "images" / f"{number}.png")
        path = tmp_path / "masks" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray((np.indices((16, 16)).sum(0) > 15).astype(np.uint8) * 255).save(path, quality=60)
    proposal = infer(tmp_path)
    assert (proposal.layout, proposal.constants["THRESHOLD"]) == ("pairs", 127.0)


def test_masks_by_folder_alone(tmp_path: Path):
    for name in ("a", "b"):
        picture(tmp_path / name / "images" / f"{name}.png")
        for number in range(3):
            picture(tmp_path / name / "masks" / f"{name}{number}x.png", value=255)
    proposal = infer(tmp_path)
    assert proposal.constants["RULE"] == {"folders": (-2,), "stem": False}


def test_voc_that_counts_from_zero(tmp_path: Path):
    picture(tmp_path / "0.png")
    box = "<bndbox><xmin>0</xmin><ymin>3</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>"
    (tmp_path / "0.xml").write_text(f"<annotation><object><name>x</name>{box}</object></annotation>")
    proposal = infer(tmp_path)
    assert proposal.constants["OPTIONS"] == {"one_based": False}
    assert proposal.constants["SWAP"] == {}


def test_images_inside_an_archive(tmp_path: Path):
    picture(tmp_path / "x" / "0.png")
    picture(tmp_path / "x" / "1.png")
    root = tmp_path / "raw"
    root.mkdir()
    with zipfile.ZipFile(root / "images.zip", "w") as archive:
        for number in range(2):
            archive.write(tmp_path / "x" / f"{number}.png", f"{number}.png")
    (root / "t.csv").write_text("file,label\n0.png,a\n1.png,b\n")
    proposal = infer(root)
    assert (proposal.layout, set(proposal.labels)) == ("csv", {"a", "b"})
    assert sorted(path.name for path in root.iterdir()) == ["images.zip", "t.csv"], "a look changes nothing"


def test_nothing_to_propose_says_what_is_there(tmp_path: Path):
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"1 × \.docx; expected images"):
        infer(tmp_path)
    with pytest.raises(RawRootError):
        infer(tmp_path / "absent")


def test_a_layout_that_does_not_fit_is_refused(tmp_path: Path):
    picture(tmp_path / "0.png")
    with pytest.raises(UsageError, match="expected the layout 'coco'"):
        infer(tmp_path, layout="coco")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=300), st.sampled_from([b"", b"{}", b"[]", b'{"images": [1], "annotations": [null]}']))
)
def test_broken_label_files_are_passed_over(tmp_path: Path, content: bytes):
    for number in range(2):
        picture(tmp_path / f"{number}.png")
    for name in ("t.csv", "a.json", "0.xml", "data.yaml", "classes.txt", "dataset.json"):
        (tmp_path / name).write_bytes(content)
    assert infer(tmp_path).layout in ("class-folders", "csv")


def test_coco_without_its_images_is_no_coco(tmp_path: Path):
    picture(tmp_path / "0.png")
    document = {"images": [{"id": 1, "file_name": "other.png"}], "annotations": [], "categories": []}
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert infer(tmp_path).layout == "class-folders"


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("Train", "train"),
        ("TRAINING", "train"),
        ("val", "validation"),
        ("Valid", "validation"),
        ("imagesTs", "test"),
        ("x", None),
    ],
)
def test_words_of_splits(word: str, split: str | None):
    assert split_word(word) == split


def test_paths_tell_splits_and_groups():
    paths = [f"{split}/sub-{n:02d}_{view}.png" for split in ("train", "test") for n in range(3) for view in "ab"]
    assert splits_in_paths(paths)[0] == {"test": "test", "train": "train"}
    pattern, kind, _ = groups_in_paths(paths)
    assert (bool(pattern), kind) == (True, "patient")
    assert groups_in_paths(["a/1.png", "b/2.png"])[:2] == ("", "image")


def test_suffixes_and_stems():
    assert (suffix_of("a/B.NII.GZ"), stem_of("a/B.NII.GZ")) == (".nii.gz", "B")
    assert (suffix_of("a.b/c"), stem_of("a.b/c")) == ("", "c")


def test_dicom_is_known_by_its_bytes(tmp_path: Path):
    (tmp_path / "IM1").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 20)
    (tmp_path / "README").write_bytes(b"\0" * 200)
    assert Survey(Raw(tmp_path)).dicoms == ["IM1"]


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=8))
def test_every_word_becomes_a_label_with_an_id(words: list[str]):
    for raw, name in labels_from(words).items():
        assert raw in words
        assert name is None or Label(name).id.startswith(("medloom:", "mesh:"))


def test_long_lists_are_cut():
    assert listed([str(n) for n in range(10)], most=2) == "'0', '1' and 8 more"
