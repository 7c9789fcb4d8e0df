"""Kvasir-SEG: colonoscopy frames with polyp masks; five of the 1000, or the owner's whole archive.

    images/cju0qkwl35piu0993l0dewei2.jpg, masks/cju0qkwl35piu0993l0dewei2.jpg
    Kvasir-SEG/kavsir_bboxes.json: {"cju0…": {"height": 529, "width": 622, "bbox": [{"label": "polyp", "xmin": 38, …}]}}

Masks are lossy JPEG with 16 to 18 grey values, and the owner's file of boxes bears a slip in its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from ...schema.errors import Issue
from ...schema.labels import Label
from ...schema.sample import Origin
from ...schema.triplet import Triplet
from ..formats import folders, json_records
from ..formats.table import Row
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Mark, Marks, MaskImage, Target, Unit

FACTS = Facts(
    name="kvasir_seg_mini",
    title="Kvasir-SEG: polyps in colonoscopy frames",
    homepage="https://datasets.simula.no/kvasir-seg/",
    licence="LicenseRef-Kvasir-SEG-research-and-education",
    licence_evidence="Doubtful. The repository that hosts the five frames states nothing; HyperKvasir, of which the images are "
    "part, states CC BY 4.0 on its card; Kvasir-SEG's own page is understood to grant research and education, and to ask "
    "for permission for other uses. The narrower reading is taken: read the page before republishing.",
    citation="@inproceedings{jha2020kvasir,\n  title = {Kvasir-SEG: A Segmented Polyp Dataset},\n"
    "  author = {Jha, Debesh and Smedsrud, Pia H. and Riegler, Michael A. and Halvorsen, P{\\aa}l and de Lange, Thomas and\n"
    "            Johansen, Dag and Johansen, H{\\aa}vard D.},\n"
    "  booktitle = {MultiMedia Modeling},\n  pages = {451--462},\n  year = {2020},\n"
    "  doi = {10.1007/978-3-030-37734-2_37}\n}",
    cite="doi:10.1007/978-3-030-37734-2_37",
    access=Access.OPEN,
    triplet=Triplet("End", "intestine", "polyp-segmentation"),
    clinical_task="Disease Diagnosis",
    department="Gastroenterology and Hepatology",
    group_kind="image",
    collection="kvasir",
    oddities=(
        "No patient or video ids: frames of one examination may stand in several splits.",
        "Masks are lossy JPEG and cut at half of the range (127); a mask may hold several polyps.",
        "Boxes of the owner's archive were made from the masks and are marked as derived.",
        "Some frames carry burned-in text and a position picture of the endoscope.",
    ),
    images_stated=1000,
)

LABELS = {"polyp": Label("colonic polyp")}

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per frame, with its mask and, in the owner's archive, the boxes made of it."""
    images = raw.glob("**/images/*.jpg")
    pairs, _, _ = folders.pair(images, raw.glob("**/masks/*.jpg"), report=raw.report)
    masks = dict(pairs)
    boxes = dict(_boxes(raw))
    for image in images:
        targets: list[Target] = []
        if image in masks:
            targets.append(MaskImage(path=masks[image], label="polyp", threshold=127.0))
        if PurePosixPath(image).stem in boxes:
            targets.append(boxes[PurePosixPath(image).stem])
        yield Unit(files=(image,), reader="raster", modality_detail="Colonoscopy", targets=tuple(targets))


def _boxes(raw: Raw) -> Iterator[tuple[str, Marks]]:
    """Image stem and boxes of the owner's JSON, where there is one."""
    for path in raw.glob("**/kavsir_bboxes.json", "**/kvasir_bboxes.json"):
        for row in json_records.records(raw, path, fields=("bbox",), key="image"):
            boxes = row["bbox"] if isinstance(row["bbox"], list) else [row["bbox"]]
            found = [_mark(box, row, raw) for box in boxes]
            yield row["image"], Marks(tuple(mark for mark in found if mark is not None))


def _mark(box: Any, row: Row, raw: Raw) -> Mark | None:
    try:
        x0, y0, x1, y1 = (float(box[corner]) for corner in CORNERS)
        return Mark(label=str(box["label"]), where=row.where, box_xyxy_px=(x0, y0, x1, y1), origin=Origin.DERIVED)
    except (KeyError, TypeError, ValueError):
        raw.report(Issue("bad-row", row.where, str(box)[:80], f"label, {', '.join(CORNERS)}", "it was left out"))
        return None


FRAMES = Expect(pattern="**/images/*.jpg", what="colonoscopy frames")
MASKS = Expect(pattern="**/masks/*.jpg", what="polyp masks of the same names")

SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the owner's archive (Kvasir-SEG)",
            expects=(FRAMES, MASKS, Expect(pattern="**/kavsir_bboxes.json", what="boxes made of the masks")),
        ),
        Layout(name="frames and masks", expects=(FRAMES, MASKS)),
    ),
)
