"""Draw the raw root of the source `phantom`: CT, chest radiographs and fundus photographs that no patient ever had.

    README.txt
    ct/subjects.csv                  folder,patient,split,age,sex,files
    ct/p01/image.nii.gz labels.nii.gz
    ct/p07/series/im0001.dcm …       with seg.dcm or rtstruct.dcm beside the folder
    xray/labels.csv boxes.json images/x01-1.png …
    fundus/train/0-none/f03-left.jpg … disc/ vessels-1/ vessels-2/

The same root is drawn each time (see `phantom_seed.py`); it takes two or three seconds and 7 MB.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .phantom_body import Body, Grid, axial_grid, draw_body
from .phantom_ct import affine_of, patient_of, write_nifti, write_series
from .phantom_fundus import write_photographs
from .phantom_objects import write_rtstruct, write_seg
from .phantom_seed import CANARY
from .phantom_xray import write_radiographs

SIZE = (20, 96, 96)
"""Slices, rows, columns."""
SPACING_MM = (9.0, 2.5, 3.5)
MISSING_SLICES = (6, 13)
"""Of the unevenly spaced series."""
COLUMNS = ("folder", "patient", "split", "age", "sex", "files")
README = """Drawn, not taken: no patient stands behind any file here. CC0-1.0.
Every name, date and number in the headers is a canary: it must not be found in anything that is made of these files.
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """One CT subject, and how its files are written."""

    number: int
    files: str
    """`nifti`, `seg` or `rtstruct`."""
    split: str
    variant: str = ""
    """`flipped` (NIfTI that rises to right and anterior), `rle`, `tilted`, `uneven`, or as usual."""

    @property
    def folder(self) -> str:
        """Its folder under `ct/`."""
        return f"p{self.number:02d}"

    @property
    def patient(self) -> str:
        """The owner's id."""
        return f"{CANARY}-P{self.number:02d}"

    @property
    def sex(self) -> str:
        """F or M."""
        return "FM"[self.number % 2]

    @property
    def age_years(self) -> int:
        """The last but one is 93, to be pooled with all of 90 and over."""
        return 93 if self.number == 13 else 25 + 4 * self.number


SUBJECTS = (
    Subject(1, "nifti", "train"),
    Subject(2, "nifti", "train", "flipped"),
    Subject(3, "nifti", "train"),
    Subject(4, "nifti", "train", "flipped"),
    Subject(5, "nifti", "validation"),
    Subject(6, "nifti", "test", "flipped"),
    Subject(7, "seg", "train"),
    Subject(8, "seg", "train", "rle"),
    Subject(9, "seg", "train"),
    Subject(10, "seg", "test"),
    Subject(11, "rtstruct", "train"),
    Subject(12, "rtstruct", "test"),
    Subject(13, "rtstruct", "train", "tilted"),
    Subject(14, "seg", "train", "uneven"),
)


def draw(root: Path) -> None:
    """Draw the whole raw root into a folder, which is made."""
    (root / "ct").mkdir(parents=True, exist_ok=True)
    (root / "README.txt").write_text(README, encoding="utf-8")
    for subject in SUBJECTS:
        _write(root / "ct" / subject.folder, subject)
    with (root / "ct" / "subjects.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((s.folder, s.patient, s.split, s.age_years, s.sex, s.files) for s in SUBJECTS)
    write_radiographs(root / "xray")
    write_photographs(root / "fundus")


def body_of(subject: Subject) -> Body:
    """HU and ground truth of a subject, slices rising to the head: what its files must hold."""
    return draw_body(subject.number, _grid(subject.variant))


def _write(folder: Path, subject: Subject) -> None:
    folder.mkdir(exist_ok=True)
    body = body_of(subject)
    if subject.files == "nifti":
        _write_nifti(folder, body, flipped=subject.variant == "flipped")
        return
    patient = patient_of(subject.patient, sex=subject.sex, age=f"{subject.age_years:03d}Y")
    series = write_series(folder / "series", body.hu, body.grid, patient=patient, rle=subject.variant == "rle")
    if subject.files == "seg":
        write_seg(folder / "seg.dcm", body, series)
    else:
        write_rtstruct(folder / "rtstruct.dcm", body, series)


def _write_nifti(folder: Path, body: Body, *, flipped: bool) -> None:
    affine, arrays = affine_of(body.grid), {"image": body.hu, "labels": body.labels}
    if flipped:
        for column, size in enumerate(reversed(body.hu.shape[1:])):
            affine[:3, 3] += affine[:3, column] * (size - 1)
            affine[:3, column] *= -1
        arrays = {name: array[:, ::-1, ::-1] for name, array in arrays.items()}
    for name, array in arrays.items():
        write_nifti(folder / f"{name}.nii.gz", array, affine)


def _grid(variant: str) -> Grid:
    grid = axial_grid(SIZE, SPACING_MM)
    if variant == "tilted":
        # The gantry leans, the table doesn't: rows run along (0, 0.96, -0.28), slices still follow z.
        down = np.array([0.0, 0.96, -0.28]) * SPACING_MM[1]
        return Grid(grid.origins + grid.row_step * 47.5 - down * 47.5, grid.column_step, down, grid.size_hw_px)
    if variant == "uneven":
        kept = [k for k in range(SIZE[0]) if k not in MISSING_SLICES]
        return Grid(grid.origins[kept], grid.column_step, grid.row_step, grid.size_hw_px)
    return grid
