"""The index: two tables per source, without pixels or run lengths, that say where every sample lies.

`samples` has one row per sample, excluded ones too; `annotations` one row per label state (granularity `image`) and per
annotation. Byte ranges are those of the two members' contents inside their tar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pyarrow as pa

from .sample import Acquisition, Provenance, Subject

_STRINGS = pa.list_(pa.string())
_KINDS = {
    "float | None": pa.float64(),
    "int | None": pa.int64(),
    "bool": pa.bool_(),
    "tuple[int, int]": pa.list_(pa.int64()),
    "tuple[float, float] | None": pa.list_(pa.float64()),
    "tuple[str, ...]": _STRINGS,
}
"""Annotation text of a dataclass field → column type; every other field is a string."""


def _flat(cls: type, prefix: str) -> list[tuple[str, pa.DataType]]:
    return [(f"{prefix}{field.name}", _KINDS.get(str(field.type), pa.string())) for field in fields(cls)]


SAMPLES = pa.schema(
    [
        ("key", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("exclusion", pa.string()),
        ("shard", pa.string()),
        ("image_offset", pa.int64()),
        ("image_size", pa.int64()),
        ("json_offset", pa.int64()),
        ("json_size", pa.int64()),
        ("collection", pa.string()),
        ("group", pa.string()),
        ("group_kind", pa.string()),
        ("licence", pa.string()),
        ("modality", pa.string()),
        ("modality_detail", pa.string()),
        ("area", pa.string()),
        ("task", pa.string()),
        ("areas", _STRINGS),
        ("tasks", _STRINGS),
        ("subsets", _STRINGS),
        ("clinical_tasks", _STRINGS),
        ("departments", _STRINGS),
        ("granularities", _STRINGS),
        ("labels_present", _STRINGS),
        ("image_format", pa.string()),
        ("height_px", pa.int64()),
        ("width_px", pa.int64()),
        ("channels", pa.int64()),
        ("labels", pa.int64()),
        ("annotations", pa.int64()),
        ("texts", pa.int64()),
        ("original_split", pa.string()),
        *_flat(Subject, "subject_"),
        *_flat(Acquisition, "acquisition_"),
        *_flat(Provenance, "provenance_"),
    ]
)

ANNOTATIONS = pa.schema(
    [
        ("key", pa.string()),
        ("split", pa.string()),
        ("annotation", pa.string()),
        ("label", pa.string()),
        ("label_id", pa.string()),
        ("laterality", pa.string()),
        ("state", pa.string()),
        ("granularity", pa.string()),
        ("area", pa.string()),
        ("task", pa.string()),
        ("subset", pa.string()),
        ("clinical_task", pa.string()),
        ("departments", _STRINGS),
        ("x0_px", pa.float64()),
        ("y0_px", pa.float64()),
        ("x1_px", pa.float64()),
        ("y1_px", pa.float64()),
        ("area_share", pa.float64()),
        ("observer", pa.string()),
        ("origin", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
    ]
)


def sample_row(record: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """The row of a record; `place` has split, exclusion, shard and the four byte numbers."""
    labels, annotations = record["labels"], record["annotations"]
    height, width = record["size_hw_px"]
    row = {name: record[name] for name in SAMPLES.names if name in record and name not in ("labels", "annotations", "texts")}
    for prefix in ("subject", "acquisition", "provenance"):
        row |= {f"{prefix}_{name}": value for name, value in record[prefix].items()}
    return row | {
        "areas": sorted({label["area"] for label in labels} or {record["area"]}),
        "tasks": sorted({label["task"] for label in labels} or {record["task"]}),
        "clinical_tasks": sorted({label["clinical_task"] for label in labels} or {record["clinical_task"]}),
        "departments": sorted({one for label in labels for one in label["departments"]} or {record["department"]}),
        "granularities": sorted({"image"} | {one["granularity"] for one in annotations}),
        "labels_present": sorted({label["label"] for label in labels if label["state"] == "present"}),
        "height_px": height,
        "width_px": width,
        "labels": len(labels),
        "annotations": len(annotations),
        "texts": len(record["texts"]),
        **place,
    }


def annotation_rows(record: dict[str, Any], split: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a record's label states, then of its annotations, in the order of `ANNOTATIONS`."""
    key, (height, width) = record["key"], record["size_hw_px"]
    states = {}
    for label in record["labels"]:
        who = label["label"], label["label_id"], label["laterality"], label["state"]
        tree = tuple(label[name] for name in ("area", "task", "subset", "clinical_task", "departments"))
        states[label["label_id"], label["laterality"]] = who, tree
        yield key, split, None, *who, "image", *tree, *_NO_BOX, None, None, None, label["value"], label["unit"]
    for one in record["annotations"]:
        who, tree = states[one["label_id"], one["laterality"]]
        box = one["box_xyxy_px"] or _NO_BOX
        share = None if one["area_px"] is None else one["area_px"] / (height * width)
        origin = one["observer"], one["origin"]
        yield key, split, one["id"], *who, one["granularity"], *tree, *box, share, *origin, None, None


_NO_BOX = (None, None, None, None)


def sample_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Sample rows as an Arrow table; absent fields are null."""
    return pa.table({field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in SAMPLES})


def annotation_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    """Annotation rows as an Arrow table."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(ANNOTATIONS)
    return pa.table({field.name: pa.array(column, field.type) for field, column in zip(ANNOTATIONS, columns, strict=True)})
