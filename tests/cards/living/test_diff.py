"""What changed between two releases is found, all of it and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medloom.builders.withdrawing.withdraw import withdraw
from medloom.cards.living.change import SCHEMA, rows_of, written_as
from medloom.cards.living.diff import diff
from medloom.cards.living.overlays import overlays
from medloom.cards.living.record_diff import changed
from medloom.cards.living.region_diff import changed_regions
from medloom.cards.publishing.stage import stage
from medloom.schema.published import Mode
from medloom.schema.region import mask_iou, rle_box, rle_from_mask
from medloom.schema.release import Release
from medloom.schema.shard import pairs


def compared(old: Path, new: Path, folder: Path, *, most: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]], list]:
    table = folder / "changes.parquet"
    result, seen = diff(Release.open(old), Release.open(new), out=table, most=most)
    return result, rows_of(table), seen


def of(rows: list[dict[str, Any]], key: str) -> list[tuple[Any, ...]]:
    return [(row["kind"], row["what"], row["old"], row["new"], row["iou"]) for row in rows if row["key"] == key]


def test_every_change_is_found_and_no_other(versions, tmp_path: Path):
    result, rows, _ = compared(versions.old, versions.new, tmp_path)
    keys = versions.keys
    assert of(rows, keys["gone"]) == [("removed", None, "train", None, None)]
    assert of(rows, keys["come"]) == [("added", None, None, "train", None)]
    assert of(rows, keys["moved"]) == [
        ("moved", None, "train", "test", None),
        ("field", "original_split", "train", "test", None),
    ]
    assert of(rows, keys["older"]) == [("field", "subject.age_years", "40.0", "41.0", None)]
    assert [row[0] for row in of(rows, keys["boxed"])] == ["region-changed"]
    assert of(rows, keys["boxed"])[0][4] == pytest.approx(80 / 120)
    assert [(row[0], row[4]) for row in of(rows, keys["masked"])] == [("region-changed", 50 / 150), ("region-added", None)]
    assert ("region-relabelled", "nodule · box", "nodule", "opacity", 1.0) in of(rows, keys["renamed"])
    assert ("region-changed", "calcification · point", "points 5,5", "points 8,9", None) in of(rows, keys["pointed"])
    states = {row[1]: row[2:4] for row in of(rows, keys["relabelled"]) if row[0] == "label"}
    assert states == {"nodule": ("present", "absent"), "opacity": ("absent", "present")}
    touched = {"gone", "come", "moved", "older", "boxed", "masked", "renamed", "pointed", "relabelled", "repainted"}
    assert {row["key"] for row in rows} == {keys[name] for name in touched if name in keys} | _repainted(rows)
    assert result["different"]
    stand = {name: len(list(pairs_of(root))) for name, root in (("old", versions.old), ("new", versions.new))}
    assert result["sources"][0]["standing"] == stand
    assert sum(result["changes"].values()) == len(rows)


def pairs_of(root: Path):
    for shard in sorted(root.glob("data/**/*.tar")):
        yield from pairs(shard)


def _repainted(rows: list[dict[str, Any]]) -> set[str]:
    found = {row["key"] for row in rows if row["kind"] == "pixels"}
    assert len(found) == 1
    return found


def test_equal_releases_read_nothing(versions, tmp_path: Path):
    result, rows, _ = compared(versions.old, versions.old, tmp_path)
    assert (result["different"], rows) == (False, [])
    assert result["sources"][0]["records_read"] == 0


def test_equal_shards_are_not_read(versions, tmp_path: Path):
    shutil.copytree(versions.old, tmp_path / "new")
    shard = sorted((tmp_path / "new").glob("data/**/*.tar"))[0]
    key = next(key for key, *_ in pairs(shard))
    told = withdraw(tmp_path / "new", keys=[key], reason="test")
    result, rows, _ = compared(versions.old, tmp_path / "new", tmp_path)
    assert of(rows, key)[0][0] == "withdrawn"
    assert len(rows) == 1
    [source] = told["sources"].values()
    assert result["sources"][0]["records_read"] == (len(list(pairs(shard))) if source["shards_rewritten"] else 0)


@pytest.mark.parametrize("mode", [Mode.ANNOTATIONS, Mode.RECIPE])
def test_less_of_a_source_is_compared_as_far_as_it_goes(versions, tmp_path: Path, mode: Mode):
    stage(Release.open(versions.new), tmp_path / "published", modes={"drawn": mode})
    _, whole, _ = compared(versions.old, versions.new, tmp_path)
    _, rows, _ = compared(versions.old, tmp_path / "published", tmp_path)
    seen = ("added", "removed", "moved", "pixels") if mode is Mode.RECIPE else {row["kind"] for row in whole} - {"recoded"}
    assert [row for row in rows if row["kind"] != "recoded"] or mode is Mode.RECIPE
    assert sorted(map(str, rows)) == sorted(str(row) for row in whole if row["kind"] in seen)


def test_another_schema_version_is_a_field_that_changed(versions):
    [*_, (_, _, record, _)] = pairs_of(versions.old)
    old = orjson.loads(record)
    new = {**old, "schema_version": "2.0", "quality": "good"}
    del new["department"]
    found = {change.what: (change.old, change.new) for change in changed(old, new)}
    assert found == {"schema_version": ("1.0", "2.0"), "quality": (None, "good"), "department": (old["department"], None)}


def test_an_older_index_is_read_as_far_as_it_goes(versions, tmp_path: Path):
    shutil.copytree(versions.old, tmp_path / "old")
    path = tmp_path / "old/index/drawn/samples.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["licence", "image_format", "provenance_pixel_sha256"]), path)
    _, whole, _ = compared(versions.old, versions.new, tmp_path)
    _, rows, _ = compared(tmp_path / "old", versions.new, tmp_path)
    assert [row for row in whole if row["kind"] not in ("pixels", "recoded")] == rows


def test_sources_of_one_release_alone_come_or_go(versions, tmp_path: Path, tiny):
    from medloom.builders.build import Options, build

    shutil.copytree(versions.old, tmp_path / "both")
    build(tiny.spec, tiny.raw, tmp_path / "both", options=Options())
    result, rows, _ = compared(versions.old, tmp_path / "both", tmp_path)
    assert {(row["source"], row["kind"]) for row in rows} == {("tiny", "added")}
    assert [(one["source"], one["in"], one["different"]) for one in result["sources"]] == [
        ("drawn", "both", False),
        ("tiny", "new", True),
    ]


def test_tables_hold_every_change(versions, tmp_path: Path):
    _, rows, _ = compared(versions.old, versions.new, tmp_path)
    for name in ("a.parquet", "a.csv"):
        written_as(tmp_path / "changes.parquet", tmp_path / "out" / name)
    assert pq.read_table(tmp_path / "out/a.parquet").schema.equals(SCHEMA)
    assert len((tmp_path / "out/a.csv").read_text().splitlines()) == len(rows) + 1


def test_overlays_show_the_most_changed_first_and_obey_pixel_rights(versions, tmp_path: Path):
    old, new = Release.open(versions.old), Release.open(versions.new)
    _, _, seen = compared(versions.old, versions.new, tmp_path, most=4)
    assert [one.weight for one in seen] == sorted((one.weight for one in seen), reverse=True)
    told = overlays(old, new, seen, tmp_path / "page")
    assert (told["shown"], told["withheld"]) == (4, {})
    text = (tmp_path / "page/index.html").read_text()
    assert all(f'src="{one.key}.png"' in text for one in seen)
    with Image.open(tmp_path / "page" / f"{versions.keys['masked']}.png") as shown:
        assert shown.width > 1000
    closed = Release.open(versions.made(tmp_path, "closed", licence="nothing stated"))
    _, _, seen = compared(versions.old, closed.root, tmp_path, most=4)
    told = overlays(old, closed, seen, tmp_path / "withheld")
    assert (told["shown"], told["withheld"]) == (0, {"drawn": 4})
    assert not list((tmp_path / "withheld").glob("*.png"))
    assert overlays(old, closed, seen, tmp_path / "open", all_pictures=True)["shown"] == 4


def region(label: str, mask: np.ndarray) -> dict[str, Any]:
    rle = rle_from_mask(mask)
    who = {"label": label, "label_id": label, "laterality": None, "granularity": "mask", "observer": None}
    return {**who, "rle": rle, "box_xyxy_px": list(rle_box(rle, mask.shape)), "points": [], "area_px": float(mask.sum())}


@st.composite
def regions(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for label in draw(st.lists(st.sampled_from("ab"), max_size=5)):
        x, y = draw(st.integers(0, 20)), draw(st.integers(0, 20))
        mask = np.zeros((30, 30), np.uint8)
        mask[y : y + draw(st.integers(1, 9)), x : x + draw(st.integers(1, 9))] = 1
        found.append(region(label, mask))
    return found


@given(old=regions(), new=regions())
@settings(max_examples=150, deadline=None)
def test_every_region_is_accounted_for_once(old: list[dict[str, Any]], new: list[dict[str, Any]]):
    found = list(changed_regions(old, new, sizes=((30, 30), (30, 30))))
    kinds = [str(one[0]) for one in found]
    pairs = kinds.count("region-changed") + kinds.count("region-relabelled")
    equal = len(old) - pairs - kinds.count("region-removed")
    assert equal == len(new) - pairs - kinds.count("region-added")
    assert equal == sum(min(old.count(one), new.count(one)) for one in {json.dumps(o): o for o in old}.values())
    assert all(0 < one[4] <= 1 for one in found if one[4] is not None)


@given(some=regions(), seed=st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_and_ids_are_no_change(some: list[dict[str, Any]], seed: Any):
    other = [one | {"id": f"a{place}"} for place, one in enumerate(some)]
    seed.shuffle(other)
    assert list(changed_regions(some, other, sizes=((30, 30), (30, 30)))) == []


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=2)
)
@settings(max_examples=60, deadline=None)
def test_shared_pixels_are_those_of_whole_masks(boxes: list[tuple[int, int, int, int]]):
    masks = [np.zeros((30, 30), np.uint8) for _ in boxes]
    for mask, (x, y, w, h) in zip(masks, boxes, strict=True):
        mask[y : y + h, x : x + w] = 1
    found = list(changed_regions([region("a", masks[0])], [region("a", masks[1])], sizes=((30, 30), (30, 30))))
    expected = mask_iou(*masks)
    ious = [one[4] for one in found if one[4] is not None]
    assert ious == ([] if expected in (0.0, 1.0) else [pytest.approx(expected)])
