"""Drawn chest radiographs: grey PNG of 8 and 16 bits, an owner's table of classes and splits, and boxes in COCO.

A row of the table: `x01-1.png,CANARY-X01,train,nodule,44,F,PA`. A class holds for the image: normal, nodule (a bright disc
in one lung) or effusion (the lower part of one lung filled).
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .phantom_seed import CANARY, near, noise, seeded

CLASSES = ("normal", "nodule", "effusion")
COLUMNS = ("image", "patient", "split", "class", "age", "sex", "view")
PATIENTS = 20
TWICE = 8
"""The first so many patients have two images."""
SIZE_HW_PX = (224, 192)
GREYS = 4096


@dataclass(frozen=True, slots=True)
class Radiograph:
    """One image and what is true of it."""

    name: str
    patient: str
    split: str
    label: str
    age_years: int
    sex: str
    pixels: np.ndarray
    """H×W, uint8 or uint16."""
    box_xyxy_px: tuple[int, int, int, int] | None
    """Around the nodule or effusion, ends exclusive."""

    def row(self) -> tuple[str | int, ...]:
        """The image's row in the table, under `COLUMNS`."""
        return (f"{self.name}.png", self.patient, self.split, self.label, self.age_years, self.sex, "PA")


def radiographs() -> list[Radiograph]:
    """Every image of the set, in the order of the table."""
    return [_draw(p, shot) for p in range(1, PATIENTS + 1) for shot in range(1, 3 if p <= TWICE else 2)]


def write_radiographs(folder: Path) -> None:
    """Write `images/`, `labels.csv` and `boxes.json`."""
    shots = radiographs()
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for shot in shots:
        note = PngInfo()
        note.add_text("Comment", f"{CANARY} comment")
        Image.fromarray(shot.pixels).save(folder / "images" / f"{shot.name}.png", pnginfo=note)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(shot.row() for shot in shots)
    (folder / "boxes.json").write_text(json.dumps(_coco(shots), indent=1) + "\n", encoding="utf-8")


def _draw(patient: int, shot: int) -> Radiograph:
    label, name = CLASSES[(patient - 1) % len(CLASSES)], f"x{patient:02d}-{shot}"
    draw = seeded("x-ray", patient, shot)
    grey, lungs = _chest(draw)
    lesion = _lesion(label, lungs, draw)
    grey[lesion] += 900
    grey = np.clip(grey + noise(draw, SIZE_HW_PX, 30), 0, GREYS - 1)
    pixels = (grey * 16).astype(np.uint16) if patient % 2 else (grey // 16).astype(np.uint8)
    return Radiograph(
        name=name,
        patient=f"{CANARY}-X{patient:02d}",
        split="test" if patient % 4 == 0 else "train",
        label=label,
        age_years=30 + 3 * patient,
        sex="FM"[patient % 2],
        pixels=pixels,
        box_xyxy_px=_box(lesion),
    )


def _chest(draw: np.random.RandomState) -> tuple[np.ndarray, list[np.ndarray]]:
    """Grey values, int32, and the masks of the two lungs."""
    height, width = SIZE_HW_PX
    y, x = np.ogrid[:height, :width]
    middle, lift = near(draw, 96, 4), near(draw, 0, 6)
    grey = np.full(SIZE_HW_PX, 300, np.int32)
    grey[_ellipse(x, y, (middle, 150), (88, 160))] = 1900
    heart = _ellipse(x, y, (middle + 16, 140 + lift), (34, 38))
    lungs = [_ellipse(x, y, (middle + side * 42, 105 + lift), (32, 72)) & ~heart for side in (-1, 1)]
    ribs = (y + (x - middle) * (x - middle) // 120 + lift) % 26 < 7
    for lung in lungs:
        grey[lung] = 800
        grey[lung & ribs] += 250
    grey[heart] = 2300
    grey[np.broadcast_to(np.abs(x - middle) < 9, SIZE_HW_PX)] += 400
    return grey, lungs


def _lesion(label: str, lungs: list[np.ndarray], draw: np.random.RandomState) -> np.ndarray:
    height, width = SIZE_HW_PX
    y, x = np.ogrid[:height, :width]
    lung = lungs[draw.randint(2, dtype=np.int32)]
    rows, columns = np.nonzero(lung)
    if label == "nodule":
        centre = near(draw, int(columns.min() + columns.max()) // 2, 8), near(draw, 75, 15)
        radius = near(draw, 9, 2)
        return _ellipse(x, y, centre, (radius, radius))
    if label == "effusion":
        return lung & (y >= int(rows.max()) - near(draw, 38, 10))
    return np.zeros(SIZE_HW_PX, bool)


def _ellipse(x: np.ndarray, y: np.ndarray, centre: tuple[int, int], half_axes: tuple[int, int]) -> np.ndarray:
    (a, b), (u, v) = half_axes, (x - centre[0], y - centre[1])
    return u * u * b * b + v * v * a * a <= a * a * b * b


def _box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _coco(shots: list[Radiograph]) -> dict:
    height, width = SIZE_HW_PX
    images = [
        {"id": number, "file_name": f"{shot.name}.png", "width": width, "height": height}
        for number, shot in enumerate(shots, 1)
    ]
    annotations = []
    for image, shot in zip(images, shots, strict=True):
        if shot.box_xyxy_px is not None:
            x0, y0, x1, y1 = shot.box_xyxy_px
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": CLASSES.index(shot.label),
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": CLASSES.index(name), "name": name} for name in CLASSES[1:]]
    return {"images": images, "categories": categories, "annotations": annotations}
