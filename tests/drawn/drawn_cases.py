"""Cases made by hand for the tests of questions: label states, boxes and masks of rectangles, records read from shards."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medloom.generation.case import Case
from medloom.schema.labels.table import table
from medloom.schema.mask import rle_from_mask

SIZE = (100, 200)
"""Height and width of every image here."""


def state(label: str, is_: str = "present", *, side: str | None = None, **more: Any) -> dict[str, Any]:
    label_id = table().id_of(label) if label in table() else f"medloom:{label.replace(' ', '-')}"
    return {
        "label": label, "label_id": label_id, "state": is_,
        "area": "abdomen", "task": "organ-segmentation", "subset": "ct-abdomen-organ-segmentation",
        "clinical_task": "Organ Recognition - Abdomen", "departments": ["Gastroenterology and Hepatology"],
        "laterality": side, "value": None, "unit": None, **more,
    }  # fmt: skip


def region(number: int, of: dict[str, Any], box: Sequence[float], granularity: str = "mask", **more: Any) -> dict[str, Any]:
    """An annotation that fills a box (x0, y0, x1, y1) in whole px; a point is the box's middle."""
    x0, y0, x1, y1 = box
    mask = np.zeros(SIZE, np.uint8)
    mask[int(y0) : int(y1), int(x0) : int(x1)] = 1
    point = granularity == "point"
    return {
        "id": f"a{number}", "label": of["label"], "label_id": of["label_id"], "granularity": granularity,
        "box_xyxy_px": None if point else [float(one) for one in box],
        "rle": rle_from_mask(mask) if granularity in ("mask", "contour") else None,
        "points": [[(x0 + x1) / 2, (y0 + y1) / 2]] if point else [],
        "area_px": None if point else float((x1 - x0) * (y1 - y0)), "laterality": of["laterality"],
        "observer": None, "origin": "human", "tool": None, **more,
    }  # fmt: skip


def case(states: Sequence[dict[str, Any]], annotations: Sequence[dict[str, Any]] = (), **more: Any) -> Case:
    acquisition = {"plane": None, "view": None, "contrast": None, "stain": None, "um_per_px": None}
    record = {
        "key": "drawn-0", "split": "test", "source": "drawn", "modality": "CT", "modality_detail": None, "area": "abdomen",
        "task": "organ-segmentation", "subsets": ["ct-abdomen-organ-segmentation"], "department": "Radiology",
        "clinical_task": "Organ Recognition - Abdomen", "size_hw_px": list(SIZE), "labels": list(states),
        "annotations": list(annotations), "acquisition": acquisition, "provenance": {"orientation": None}, **more,
    }  # fmt: skip
    return Case(record)


def records(release: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(release.glob("data/**/*.tar")):
        with tarfile.open(path) as shard:
            for member in shard:
                if member.name.endswith(".json"):
                    file = shard.extractfile(member)
                    assert file is not None
                    yield json.load(file)
