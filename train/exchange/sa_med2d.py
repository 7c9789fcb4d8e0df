"""The layout of SA-Med2D-20M: pictures, one binary mask per class and instance, and two JSON files.

    images/{modality}--{source}--{id}--{plane}_{number}.png
    masks/{the same}--{class}_{instance}.png           0 and 255
    SAMed2D_v1.json                                    picture → its masks
    SAMed2D_v1_class_mapping_id.json                   source → class name → "0003"

Owners' file names aren't in a release, so `id` is the key's digits. Planes are x (sagittal), y (coronal), z (axial); pictures
that aren't slices have `2d_none`. Boxes and points have no place in this layout and are counted as left out. The published
set also has `union_*` classes, which this doesn't make. After the description and examples of OpenGVLab's SAM-Med2D repository.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image

from ...schema.errors import UsageError
from ...schema.mask import mask_from_rle
from ...schema.triplet import MODALITIES
from .folder import Folder, Progress, save_png, silent
from .samples import Samples

INDEX, CLASSES = "SAMed2D_v1.json", "SAMed2D_v1_class_mapping_id.json"
_PREFIXES = {
    "CT": "ct",
    "MRI": "mr",
    "PET": "pet",
    "US": "ultrasound",
    "X-ray": "x_ray",
    "Der": "dermoscopy",
    "End": "endoscopy",
    "FP": "fundus_photography",
    "Mic": "microscopy",
}
"""Modality at the root of its branch → what a file's name begins with; others by their own code."""
_AXES = {"sagittal": "x", "coronal": "y", "axial": "z"}


def export(samples: Samples, folder: Folder, *, progress: Progress = silent) -> dict[str, Any]:
    """Counts, once pictures, masks and both JSON files are in the folder.

    Raises:
        UsageError: no mask is left.
    """
    index: dict[str, list[str]] = {}
    classes: dict[str, dict[str, str]] = {}
    for number, (record, picture) in enumerate(samples, 1):
        stem = stem_of(record)
        path = f"images/{stem}.png"
        if path in index:
            raise UsageError(f"{path}: two samples have this name; expected one; report it with their keys ({record['key']})")
        with Image.open(io.BytesIO(picture)) as opened:
            save_png(opened, folder.root / path)
        index[path] = _masks(record, stem, folder=folder, ids=classes.setdefault(record["source"], {}))
        progress(number, len(samples))
    masks = sum(map(len, index.values()))
    if not masks:
        raise UsageError(
            f"{samples.name}: no mask is left; expected one or more; other annotations have no place in this layout"
        )
    for name, value in ((INDEX, index), (CLASSES, classes)):
        (folder.root / name).write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
    return {"samples": len(index), "masks": masks, "classes": sum(map(len, classes.values())), "file": INDEX}


def stem_of(record: Mapping[str, Any]) -> str:
    """The name of a sample's picture without its ending; no part of it holds two hyphens in a row."""
    source = record["source"]
    identity = record["key"].removeprefix(f"{source}-")
    return "--".join((modality_of(record), source, identity, _slice(record)))


def modality_of(record: Mapping[str, Any]) -> str:
    """Such as `ct_00`, `mr_t1ce`, `x_ray`: the branch, and the detail or 00 where there is none."""
    term = MODALITIES[record["modality"]]
    root = term
    while root.parent is not None:
        root = MODALITIES[root.parent]
    detail = record["modality_detail"] or (term.code if term is not root else None)
    prefix = _PREFIXES.get(root.code, _plain(root.code))
    return prefix if prefix == "x_ray" and detail is None else f"{prefix}_{_plain(detail) if detail else '00'}"


def _plain(code: str) -> str:
    return code.lower().replace("-", "_")


def _slice(record: Mapping[str, Any]) -> str:
    axis = _AXES.get(record["acquisition"]["plane"] or "")
    index = record["provenance"]["index"]
    return f"{axis}_{index:04d}" if axis and index is not None else "2d_none"


def _masks(record: Mapping[str, Any], stem: str, *, folder: Folder, ids: dict[str, str]) -> list[str]:
    height, width = record["size_hw_px"]
    found: list[str] = []
    instances: dict[str, int] = {}
    for one in record["annotations"]:
        if one["rle"] is None:
            folder.left_out[f"a {one['granularity']}, which is no mask"] += 1
            continue
        label = ids.setdefault(one["label"], f"{len(ids):04d}")
        number = instances[label] = instances.get(label, -1) + 1
        path = f"masks/{stem}--{label}_{number:03d}.png"
        save_png(Image.fromarray(mask_from_rle(one["rle"], (height, width)) * 255), folder.root / path)
        found.append(path)
    return found
