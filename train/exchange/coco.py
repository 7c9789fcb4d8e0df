"""COCO JSON of a release's annotations: boxes, and masks as run lengths or polygons.

    annotations.json    info, licenses, images, annotations, categories
    images/<key>.png    the stored bytes, .jpg or .webp where they are that

A mask is given as COCO's compressed run lengths, exactly as the record holds it, with `iscrowd` 0 (the format document uses
run lengths for crowds only; pycocotools reads both). Points stand in `keypoints` of categories of one keypoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...schema.errors import UsageError
from ...schema.licences import licence
from .folder import Folder, Progress, silent
from .samples import Samples

FILE = "annotations.json"
_ENDINGS = {"png": "png", "jpeg": "jpg", "webp": "webp"}


def export(samples: Samples, folder: Folder, *, progress: Progress = silent) -> dict[str, Any]:
    """Counts, once pictures and `annotations.json` are in the folder."""
    images, annotations = [], []
    categories: dict[tuple[str, bool], dict[str, Any]] = {}
    licences: dict[str, int] = {}
    for number, (record, picture) in enumerate(samples, 1):
        name = f"images/{record['key']}.{_ENDINGS[record['image_format']]}"
        path = folder.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture)
        named = licences.setdefault(record["licence"], len(licences) + 1)
        images.append(_image(number, name, record, licence_id=named))
        for one in record["annotations"]:
            made = _annotation(len(annotations) + 1, one, image=images[-1], categories=categories)
            if made is None:
                folder.left_out["an annotation without a place"] += 1
            else:
                annotations.append(made)
        progress(number, len(samples))
    if not images:
        raise UsageError(f"{samples.name}: no sample is left; expected one or more")
    whole = {
        "info": {"description": samples.name, "version": samples.version, "contributor": "medloom"},
        "licenses": [{"id": number, "name": name, "url": licence(name).address} for name, number in licences.items()],
        "images": images,
        "annotations": annotations,
        "categories": list(categories.values()),
    }
    (folder.root / FILE).write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    return {"samples": len(images), "annotations": len(annotations), "categories": len(categories), "file": FILE}


def _image(number: int, name: str, record: Mapping[str, Any], *, licence_id: int) -> dict[str, Any]:
    height, width = record["size_hw_px"]
    facts = {field: record[field] for field in ("key", "source", "split", "group", "modality", "area", "task")}
    return {"id": number, "file_name": name, "height": height, "width": width, "license": licence_id, **facts}


def _annotation(
    number: int, one: Mapping[str, Any], *, image: Mapping[str, Any], categories: dict[tuple[str, bool], dict[str, Any]]
) -> dict[str, Any] | None:
    points = bool(one["points"])
    if not points and one["box_xyxy_px"] is None:
        return None
    category = _category(one, points, categories)
    made = {"id": number, "image_id": image["id"], "category_id": category, "iscrowd": 0, "annotation": one["id"]}
    made |= {name: one[name] for name in ("observer", "laterality", "origin", "granularity")}
    if points:
        flat = [number for x, y in one["points"][:1] for number in (x, y, 2)]
        x, y = one["points"][0]
        return made | {"keypoints": flat, "num_keypoints": 1, "bbox": [x, y, 0.0, 0.0], "area": 0.0, "segmentation": []}
    x0, y0, x1, y1 = one["box_xyxy_px"]
    area = one["area_px"] if one["area_px"] is not None else (x1 - x0) * (y1 - y0)
    size = [image["height"], image["width"]]
    mask = {"size": size, "counts": one["rle"]} if one["rle"] is not None else []
    return made | {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": area, "segmentation": mask}


def _category(one: Mapping[str, Any], points: bool, known: dict[tuple[str, bool], dict[str, Any]]) -> int:
    place = one["label_id"], points
    if place not in known:
        form = {"keypoints": ["point"], "skeleton": []} if points else {}
        known[place] = {"id": len(known) + 1, "name": one["label"], "label_id": one["label_id"], **form}
    return known[place]["id"]
