"""The layouts in which owners publish, made small: archives, deeper folders, the files that only the whole set has."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from medloom.builders import catalog
from medloom.builders.raw import Raw
from medloom.builders.unit import LabelMap, Marks, MaskImage, Unit
from medloom.builders.verify import require
from medloom.schema.errors import Issue, UnreadableError
from medloom.schema.sample import Origin


def picture(path: Path, *, grey: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 16), grey, np.uint8)).save(path)


def volume(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5), np.uint8)), path)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def zipped(folder: Path, archive: Path) -> None:
    """The folder's content at the root of a ZIP file."""
    with zipfile.ZipFile(archive, "w") as z:
        for path in sorted(folder.rglob("*")):
            z.write(path, path.relative_to(folder))


def read(name: str, root: Path, unpack_to: Path | None = None) -> tuple[str, list[Unit], list[Issue]]:
    """Layout, units and issues; order and presence of files are checked in passing."""
    issues: list[Issue] = []
    source, raw = catalog.load(name), Raw(root, unpack_to=unpack_to, report=issues.append)
    layout = require(source, raw)
    units = list(source.read(raw))
    assert [unit.files for unit in units] == sorted(unit.files for unit in units)
    assert all(raw.has(path) for unit in units for path in unit.paths())
    return layout, units, issues


def codes(issues: list[Issue]) -> dict[str, int]:
    return dict(Counter(issue.code for issue in issues))


def kvasir(root: Path, boxes: Mapping[str, object]) -> None:
    for stem in ("cju1", "cju2"):
        picture(root / "Kvasir-SEG" / "images" / f"{stem}.jpg")
        picture(root / "Kvasir-SEG" / "masks" / f"{stem}.jpg", grey=255)
    text(root / "Kvasir-SEG" / "kavsir_bboxes.json", json.dumps(boxes))


def box(**corners: object) -> dict[str, object]:
    return {"height": 12, "width": 16, "bbox": [{"label": "polyp", **corners}]}


@pytest.mark.parametrize("packed", [False, True])
def test_kvasir_of_the_owner(tmp_path: Path, packed: bool) -> None:
    root, made = tmp_path / "raw", tmp_path / "made"
    root.mkdir()
    boxes = {
        "cju1": box(xmin=1, ymin=2, xmax=9, ymax=8),
        "cju2": box(xmin=1, ymin=2),
        "gone": box(xmin=0, ymin=0, xmax=1, ymax=1),
    }
    kvasir(made if packed else root, boxes)
    if packed:
        zipped(made, root / "kvasir-seg.zip")
    layout, units, issues = read("kvasir_seg_mini", root, tmp_path / "unpacked")
    assert layout == "the owner's archive (Kvasir-SEG)"
    assert [unit.files[0].endswith(f"Kvasir-SEG/images/cju{n}.jpg") for n, unit in enumerate(units, start=1)] == [True, True]
    mask, marks = units[0].targets
    assert isinstance(mask, MaskImage)
    assert mask.threshold == 127
    assert isinstance(marks, Marks)
    assert marks.marks[0].box_xyxy_px == (1, 2, 9, 8)
    assert marks.marks[0].origin is Origin.DERIVED
    assert codes(issues) == {"bad-row": 1}


def test_kvasir_without_a_mask(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.jpg")
    picture(tmp_path / "images" / "b.jpg")
    picture(tmp_path / "masks" / "b.jpg")
    picture(tmp_path / "masks" / "c.jpg")
    layout, units, issues = read("kvasir_seg_mini", tmp_path)
    assert layout == "frames and masks"
    assert [len(unit.targets) for unit in units] == [0, 1]
    assert codes(issues) == {"missing-label": 1, "no-image": 1}


ROWS = """lesion_id,image_id,dx,dx_type,age,sex,localization
HAM_0000118,ISIC_0000001,bkl,histo,80.0,male,scalp
HAM_0000118,ISIC_0000002,bkl,histo,80.0,male,scalp
HAM_0000200,ISIC_0000003,mel,histo,,unknown,back
HAM_0000300,ISIC_0000009,nv,follow_up,30.0,female,back
"""


@pytest.mark.parametrize("table", ["HAM10000_metadata", "HAM10000_metadata.csv"])
def test_ham_of_the_dataverse(tmp_path: Path, table: str) -> None:
    root, made = tmp_path / "raw", tmp_path / "made"
    text(root / table, ROWS)
    picture(made / "ISIC_0000001.jpg")
    zipped(made, root / "HAM10000_images_part_1.zip")
    for number in (2, 3, 4):
        picture(root / "HAM10000_images_part_2" / f"ISIC_000000{number}.jpg")
    masks = root / "HAM10000_segmentations_lesion_tschandl" / "HAM10000_segmentations_lesion_tschandl"
    picture(masks / "ISIC_0000002_segmentation.png", grey=255)
    layout, units, issues = read("ham10000_artefacts", root, tmp_path / "unpacked")
    assert layout == "the owner's archives (Harvard Dataverse)"
    assert [unit.group for unit in units] == ["HAM_0000118", "HAM_0000118", "HAM_0000200", ""]
    assert [[finding.label for finding in unit.findings] for unit in units] == [["bkl"], ["bkl"], ["mel"], []]
    assert [(unit.subject.age_years, unit.subject.sex) for unit in units[1:3]] == [(80.0, "male"), (None, None)]
    assert [len(unit.targets) for unit in units] == [0, 1, 0, 0]
    assert [unit.closed_sets for unit in units] == [None, None, None, ()]
    assert codes(issues) == {"missing-file": 1, "missing-label": 1}


def decathlon(root: Path, **changes: object) -> None:
    task = root / "Task04_Hippocampus"
    for name in (
        "imagesTr/hippocampus_001",
        "labelsTr/hippocampus_001",
        "imagesTr/hippocampus_003",
        "imagesTs/hippocampus_002",
    ):
        volume(task / f"{name}.nii.gz")
    volume(task / "labelsTr" / "hippocampus_004.nii.gz")
    document = {
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
        "training": [{"image": f"./imagesTr/hippocampus_00{n}.nii.gz", "label": ""} for n in (1, 3, 4)],
        "test": ["./imagesTs/hippocampus_002.nii.gz"],
    }
    text(task / "dataset.json", json.dumps({**document, **changes}))


@pytest.mark.parametrize("packed", [False, True])
def test_hippocampus_of_the_decathlon(tmp_path: Path, packed: bool) -> None:
    root, made = tmp_path / "raw", tmp_path / "made"
    root.mkdir()
    decathlon(made if packed else root)
    if packed:
        with tarfile.open(root / "Task04_Hippocampus.tar", "w") as tar:
            tar.add(made / "Task04_Hippocampus", "Task04_Hippocampus")
    layout, units, issues = read("msd_hippocampus", root, tmp_path / "unpacked")
    assert layout == "the decathlon's archive (Task04_Hippocampus)"
    assert [(Path(unit.files[0]).name[12:15], unit.split, len(unit.targets)) for unit in units] == [
        ("001", "train", 1),
        ("003", "train", 0),
        ("002", "test", 0),
    ]
    target = units[0].targets[0]
    assert isinstance(target, LabelMap)
    assert target.values == {1: "Anterior", 2: "Posterior"}
    assert codes(issues) == {"missing-label": 1, "missing-file": 1, "no-image": 1}


@pytest.mark.parametrize(
    "changes", [{"labels": None}, {"labels": {"one": "a"}}, {"training": [{}]}, {"test": 3}, {"test": [3.5]}]
)
def test_a_dataset_json_of_another_form_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    decathlon(tmp_path, **changes)
    with pytest.raises(UnreadableError, match="the decathlon's training, test and labels"):
        read("msd_hippocampus", tmp_path)


def test_chula_smears_by_disease(tmp_path: Path) -> None:
    root = tmp_path / "Chula-RBC-12-Dataset-main"
    picture(root / "Dataset" / "1.jpg")
    text(root / "Label" / "1.txt", "3 4 0\n")
    text(root / "Label" / "9.txt", "3 4 0\n")
    for path in ("HE/a.JPG", "Iron deficiency anemia/Iron deficiency anemia_1.JPG"):
        (root / "RBC Diseases" / path).parent.mkdir(parents=True)
        picture(root / "x.jpg")
        (root / "x.jpg").rename(root / "RBC Diseases" / path)
    _, units, issues = read("chula_rbc12", tmp_path)
    assert [[finding.label for finding in unit.findings] for unit in units] == [[], ["HE"], ["Iron deficiency anemia"]]
    assert [unit.closed_sets for unit in units] == [(), ("diseases",), ("diseases",)]
    assert codes(issues) == {"no-image": 1}


def test_bccd_lists_may_name_what_is_absent(tmp_path: Path) -> None:
    root = tmp_path / "BCCD_Dataset-master" / "BCCD"
    for stem in ("a", "b", "c"):
        picture(root / "JPEGImages" / f"{stem}.jpg")
        text(root / "Annotations" / f"{stem}.xml", "<annotation></annotation>")
    for split, stems in {"train": "a\n", "val": "b\n", "test": "gone\n", "trainval": "a\nb\n"}.items():
        text(root / "ImageSets" / "Main" / f"{split}.txt", stems)
    _, units, issues = read("bccd", tmp_path)
    assert [unit.split for unit in units] == ["train", "validation", None]
    assert codes(issues) == {"missing-file": 1}


HEADER = "patientid,sex,age,finding,view,modality,folder,filename,license\n"
COVID = """7,F,45,Pneumonia/Viral/COVID-19,AP Supine,X-ray,images,a.PNG,CC BY-NC-SA
7,X,old,No Finding,Axial,CT,images,b.jpg,Some Terms 1.0
,M,93,Unknown,sideways,X-ray,images,c.jpg,
8,M,50,"COVID-19, ARDS",PA,CT,volumes,d.nii.gz,CC BY 4.0
"""


def test_covid_levels_words_and_images_without_a_row(tmp_path: Path) -> None:
    text(tmp_path / "metadata.csv", HEADER + COVID)
    for name in ("a.png", "b.jpg", "c.jpg", "e.jpeg"):
        picture(tmp_path / "images" / name)
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / "a.PNG")
    document = {
        "categories": [{"id": 1, "name": "Right Lung"}],
        "images": [{"id": 1, "file_name": "e.jpeg", "height": 12, "width": 16}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 6]}],
    }
    text(tmp_path / "annotations" / "annotations.json", json.dumps(document))
    _, units, issues = read("covid_chestxray_boxes", tmp_path)
    by_name = {Path(unit.files[0]).name: unit for unit in units}
    first = by_name["a.PNG"]
    assert [finding.label for finding in first.findings] == ["Pneumonia", "Viral", "COVID-19"]
    assert (first.licence, first.acquisition.view) == ("LicenseRef-CC-BY-NC-SA-unversioned", "AP")
    assert (first.group, first.group_kind, first.subject.sex) == ("7", "patient", "female")
    second = by_name["b.jpg"]
    assert second.triplet is not None
    assert (second.triplet.modality, second.acquisition.plane, second.licence) == ("CT", "axial", "LicenseRef-Some-Terms-1.0")
    assert (by_name["c.jpg"].group_kind, by_name["c.jpg"].closed_sets, by_name["c.jpg"].licence) == ("image", (), "unstated")
    assert (by_name["e.jpeg"].closed_sets, len(by_name["e.jpeg"].targets)) == ((), 1)
    # sex X, age old, view sideways, licence Some Terms
    assert codes(issues) == {"unknown-label-value": 4, "unsupported": 1, "missing-label": 1}


def test_masks_and_names_that_are_missing_are_told(tmp_path: Path) -> None:
    chase, dsb, phantom = tmp_path / "chase", tmp_path / "dsb", tmp_path / "phantom"
    for name in (
        "Image_01L.jpg",
        "Image_01L_1stHO.png",
        "Image_01R.jpg",
        "Image_01R_1stHO.png",
        "Image_01R_2ndHO.png",
        "Image_xL.jpg",
    ):
        picture(chase / name)
    _, units, issues = read("chase_db1", chase)
    assert ([len(unit.targets) for unit in units], codes(issues)) == ([1, 2], {"missing-label": 1, "bad-name": 1})

    picture(dsb / "stage1_train" / "a" / "images" / "a.png")
    picture(dsb / "stage1_train" / "b" / "masks" / "1.png")
    _, units, issues = read("dsb2018_nuclei", dsb)
    assert ([len(unit.targets) for unit in units], codes(issues)) == ([0], {"missing-label": 1, "no-image": 1})

    for name in ("brain1_image", "brain2_label", "prostate_phantom_subvolume"):
        volume(phantom / "data" / f"{name}.nrrd")
    _, units, issues = read("pyradiomics_nrrd", phantom)
    assert ([len(unit.targets) for unit in units], codes(issues)) == ([0, 0], {"missing-label": 2, "no-image": 1})


def test_brain_tumor_box_may_be_missing(tmp_path: Path) -> None:
    for number in "012":
        picture(tmp_path / "categorized" / number / "1.jpg")
        picture(tmp_path / "categorized" / number / "2.jpg")
        text(tmp_path / "categorized" / number / "1.txt", f"{number} 0.5 0.5 0.1 0.1")
    picture(tmp_path / "categorized" / "no tumor" / "1.jpg")
    _, units, issues = read("brain_tumor_yolo", tmp_path)
    assert [len(unit.targets) for unit in units] == [1, 0] * 3
    assert codes(issues) == {"missing-label": 3}


def test_the_atlas_needs_the_names_of_its_values(tmp_path: Path) -> None:
    volume(tmp_path / "CIT168" / "CIT168toMNI152-2009c_T1w_brain.nii.gz")
    volume(tmp_path / "PD25" / "PD25-fusion-template-1mm.nii.gz")
    volume(tmp_path / "PD25" / "PD25-subcortical-1mm.nii.gz")
    text(tmp_path / "PD25" / "PD25-subcortical.json", "[1]")
    with pytest.raises(UnreadableError, match="no list of labels"):
        read("niivue_atlases", tmp_path)
