"""The index: every row is its record's, and its bytes are where it says."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq

from medloom.schema.index import ANNOTATIONS, SAMPLES, annotation_rows, annotation_table, sample_table
from medloom.schema.record import from_json
from medloom.schema.release import Release
from medloom.schema.sample import Provenance


def tables(release: Path):
    return (pq.read_table(Release(release).index_path("marked", name)) for name in ("samples", "annotations"))


def test_byte_ranges_hold_the_members(marked: Path):
    samples, _ = tables(marked)
    for row in samples.to_pylist():
        data = (marked / row["shard"]).read_bytes()
        image, record = (data[row[f"{kind}_offset"] :][: row[f"{kind}_size"]] for kind in ("image", "json"))
        sample = from_json(record)
        assert (sample.key, sample.split, sample.group) == (row["key"], row["split"], row["group"])
        assert image.startswith({"png": b"\x89PNG", "jpeg": b"\xff\xd8"}[sample.image_format])
        assert row["labels_present"] == sorted({one.label for one in sample.labels if one.state == "present"})
        assert row["granularities"] == sorted({"image", *(one.granularity for one in sample.annotations)})
        assert (row["height_px"], row["width_px"]) == sample.size_hw_px
        assert row["subject_age_years"] == sample.subject.age_years
        for name in Provenance.__dataclass_fields__:
            value = getattr(sample.provenance, name)
            assert row[f"provenance_{name}"] == (list(value) if isinstance(value, tuple) else value)


def test_rows_stand_in_the_order_of_the_shards(marked: Path):
    samples, annotations = tables(marked)
    order = list(zip(samples["shard"].to_pylist(), samples["key"].to_pylist(), strict=True))
    assert order == sorted(order)
    shards = [shard["path"] for shard in Release(marked).recipes()[0]["shards"]]
    assert list(dict.fromkeys(shard for shard, _ in order)) == shards
    place = {key: number for number, (_, key) in enumerate(order)}
    seen = [place[key] for key in annotations["key"].to_pylist()]
    assert seen == sorted(seen)


def test_annotation_rows_are_the_records(marked: Path):
    samples, annotations = tables(marked)
    wanted = []
    for row in samples.to_pylist():
        record = orjson.loads((marked / row["shard"]).read_bytes()[row["json_offset"] :][: row["json_size"]])
        for label in record["labels"]:
            wanted.append((row["key"], None, label["label"], label["state"], "image", None, None))
        for one in record["annotations"]:
            box = one["box_xyxy_px"] or [None]
            share = None if one["area_px"] is None else one["area_px"] / 600
            wanted.append((row["key"], one["id"], one["label"], "present", one["granularity"], box[0], share))
    names = ("key", "annotation", "label", "state", "granularity", "x0_px", "area_share")
    assert list(zip(*(annotations[name].to_pylist() for name in names), strict=True)) == wanted
    assert {row[4] for row in wanted} == {"image", "box", "mask", "contour", "point"}


def test_a_label_with_its_own_area_keeps_it(marked: Path):
    _, annotations = tables(marked)
    areas = set(zip(annotations["label"].to_pylist(), annotations["area"].to_pylist(), strict=True))
    assert ("opacity", "heart") in areas
    assert ("nodule", "lung") in areas


def test_no_rows_are_tables_too():
    assert sample_table([]).schema.equals(SAMPLES)
    assert annotation_table([]).schema.equals(ANNOTATIONS)


def test_columns_have_the_types_of_the_fields():
    kinds = {name: str(SAMPLES.field(name).type) for name in SAMPLES.names}
    assert kinds["provenance_index"] == "int64"
    assert kinds["provenance_spacing_mm"] == "list<item: double>"
    assert kinds["provenance_original_size_hw_px"] == "list<item: int64>"
    assert kinds["provenance_low_information"] == "bool"
    assert kinds["provenance_transformations"] == "list<item: string>"
    assert kinds["acquisition_um_per_px"] == kinds["subject_age_years"] == "double"
    assert kinds["provenance_burned_in"] == "string"


def test_an_annotation_takes_the_state_of_its_side():
    label = dict.fromkeys(("area", "task", "subset", "clinical_task", "departments", "value", "unit"))
    sides = [label | {"label": "kidney", "label_id": "k", "laterality": side, "state": "present"} for side in ("left", "right")]
    one = {"id": "a0", "label": "kidney", "label_id": "k", "laterality": "right", "granularity": "box"}
    one |= {"box_xyxy_px": [0.0, 0.0, 2.0, 2.0], "area_px": 4.0, "observer": None, "origin": "human"}
    record = {"key": "s-1", "size_hw_px": [4, 4], "labels": sides, "annotations": [one]}
    rows = [dict(zip(ANNOTATIONS.names, row, strict=True)) for row in annotation_rows(record, "train")]
    assert [(row["laterality"], row["granularity"]) for row in rows] == [
        ("left", "image"),
        ("right", "image"),
        ("right", "box"),
    ]
    assert rows[2]["area_share"] == 0.25
