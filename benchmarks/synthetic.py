"""Raw roots to build from: CT-like volumes with label maps, and photographs with boxes; and the sources that read them."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import nibabel
import numpy as np
from isal import igzip
from PIL import Image

LABELS = {value: f"organ {value}" for value in range(1, 9)}
SOURCE = """
from medloom.builders.source import SOFT_TISSUE, Access, Expect, Facts, Layout, Reading, Source
from medloom.builders.unit import LabelFile, LabelMap, Unit
from medloom.schema.labels import Label
from medloom.schema.triplet import Triplet

NAMES = {{value: f"organ {{value}}" for value in range(1, 9)}}
FACTS = Facts(
    name="{name}", title="Benchmark", homepage="none", licence="CC0-1.0", licence_evidence="drawn", citation="", cite="",
    access=Access.GENERATED, triplet=Triplet("{modality}", "{area}", "{task}"), clinical_task="{clinical_task}",
    department="None", group_kind="image", closed_sets={{"all": tuple(NAMES.values())}},
)

def volumes(raw):
    for image in raw.glob("images/*.nii.gz"):
        yield Unit(files=(image,), reader="volume", targets=(LabelMap(path=image.replace("images", "labels"), values=NAMES),))

def photographs(raw):
    for image in raw.glob("images/*.jpg"):
        label = image.replace("images", "labels").replace(".jpg", ".xml")
        yield Unit(files=(image,), reader="raster", targets=(LabelFile(path=label, format="voc"),))

SOURCE = Source(
    facts=FACTS, labels={{name: Label(name) for name in NAMES.values()}}, read={read}, reading=Reading(window=SOFT_TISSUE),
    layouts=(Layout(name="drawn", expects=(Expect(pattern="images/*", what="images"),)),),
)
"""


def write_source(folder: Path, kind: str) -> Path:
    """A builder file for `volumes` or `photographs`."""
    triplet = {"volumes": ("CT", "abdomen", "organ-segmentation"), "photographs": ("Mic", "cell", "cell-detection")}[kind]
    clinical_task = {"volumes": "Organ Recognition - Abdomen", "photographs": "Cell Recognition"}[kind]
    path = folder / f"bench_{kind}.py"
    names = dict(zip(("modality", "area", "task"), triplet, strict=True))
    path.write_text(SOURCE.format(name=f"bench_{kind}", read=kind, clinical_task=clinical_task, **names))
    return path


def draw_volumes(folder: Path, *, count: int, slices: int, size_px: int = 512, shown: int = 8) -> Path:
    """CT-like int16 volumes (slices × size × size, HU) as `.nii.gz`, with so many of eight labels on each slice.

    Every fourth one is drawn anew.
    """
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    affine = np.diag([0.8, 0.8, 2.5, 1.0])
    for number in range(count):
        if number % 4 == 0:
            image, labels = ct_like(number, slices=slices, size_px=size_px, shown=shown)
        for kind, array in (("images", image + np.int16(number % 4)), ("labels", labels)):
            volume = nibabel.Nifti1Image(array.transpose(2, 1, 0), affine)
            (folder / kind / f"case_{number:04d}.nii.gz").write_bytes(igzip.compress(volume.to_bytes(), compresslevel=1))
    return folder


def ct_like(seed: int, *, slices: int, size_px: int, shown: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """HU (slices, size, size) int16 with noise of tissue, and uint8 labels of eight ellipsoids."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px - 0.5
    image = np.full((slices, size_px, size_px), -1000, np.int16)
    labels = np.zeros(image.shape, np.uint8)
    body = (rows / 0.36) ** 2 + (columns / 0.44) ** 2 < 1
    centres = [(0.18 * np.sin(angle), 0.26 * np.cos(angle)) for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False)]
    for index in range(slices):
        image[index][body] = 40
        for value, (y, x) in enumerate(centres, start=1):
            if (index + value) % len(centres) >= shown:
                continue
            swell = 0.07 * (0.6 + 0.4 * np.sin(np.pi * (index + value) / slices))
            organ = (rows - y) ** 2 + (columns - x) ** 2 < swell**2
            labels[index][organ] = value
            image[index][organ] = 30 + 20 * value
        noise = cv2.GaussianBlur(random.normal(0, 30, body.shape).astype(np.float32), (0, 0), 1.0)
        image[index] += (noise * (0.3 + body)).astype(np.int16)
    return image, labels


def draw_photographs(folder: Path, *, count: int, size_hw_px: tuple[int, int] = (480, 640), shown: int = 8) -> Path:
    """Smear-like JPEGs (quality 92) with some twelve boxes each of so many of eight labels, as Pascal VOC."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    height, width = size_hw_px
    for number in range(count):
        random = np.random.default_rng(number)
        picture = np.full((height, width, 3), (225, 205, 215), np.uint8)
        boxes = []
        for _ in range(12):
            x, y, radius = (int(random.integers(40, limit)) for limit in (width - 40, height - 40, 41))
            cv2.circle(picture, (x, y), radius, tuple(int(c) for c in random.integers(90, 200, 3)), -1)
            boxes.append((max(x - radius, 0), max(y - radius, 0), min(x + radius, width), min(y + radius, height)))
        noise = random.normal(0, 6, picture.shape)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=92)
        (folder / "images" / f"smear_{number:05d}.jpg").write_bytes(buffer.getvalue())
        (folder / "labels" / f"smear_{number:05d}.xml").write_text(
            _voc(boxes, size_hw_px, [(number + place % shown) % 8 + 1 for place in range(12)])
        )
    return folder


def _voc(boxes: list[tuple[int, int, int, int]], size_hw_px: tuple[int, int], labels: list[int]) -> str:
    names = ("xmin", "ymin", "xmax", "ymax")
    objects = "".join(
        f"<object><name>organ {label}</name><bndbox>"
        + "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, box, strict=True))
        + "</bndbox></object>"
        for label, box in zip(labels, boxes, strict=True)
    )
    size = f"<size><width>{size_hw_px[1]}</width><height>{size_hw_px[0]}</height><depth>3</depth></size>"
    return f"<annotation>{size}{objects}</annotation>"
