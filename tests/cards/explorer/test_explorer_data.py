"""What the page is told: columns, leaves, pictures, records, questions, pairs."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medloom.cards.explorer import pairs as pairing
from medloom.cards.explorer.about import about
from medloom.cards.explorer.index import index_pack, keys_pack, suite_sets
from medloom.cards.explorer.leaves import FIELDS, leaves
from medloom.cards.explorer.members import contents
from medloom.cards.explorer.packing import column_pack, json_pack, narrowest
from medloom.cards.explorer.rows import BLOCK, Rows, coded
from medloom.cards.explorer.sights import NOT_GRANTED, REASONS, SIDE_PX, Sights, thumb_size
from medloom.cards.explorer.told import ANNOTATIONS, DERIVED_TEXT, Told, asked, questions, records
from medloom.schema.errors import ReleaseError
from medloom.schema.gate_overrides import Override, record_overrides
from medloom.schema.lexicon import Lexicon
from medloom.schema.pixels import pixel_sha256
from medloom.schema.release import Release


def unpacked(pack: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Columns and words of a pack, as the page reads them."""
    body = gzip.decompress(pack)
    (size,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + size])
    kinds = {"u8": "<u1", "u16": "<u2", "u32": "<u4"}
    columns = {
        name: np.frombuffer(body, kinds[one["type"]], one["length"], 4 + size + one["at"])
        for name, one in header["columns"].items()
    }
    return columns, header["words"]


@given(st.dictionaries(st.text("abc", min_size=1), st.lists(st.integers(0, 2**32 - 1)), max_size=4))
def test_columns_come_back_in_the_narrowest_type_at_aligned_places(columns: dict[str, list[int]]):
    arrays = {name: np.array(values, np.int64) for name, values in columns.items()}
    found, words = unpacked(column_pack(arrays, {"a": ["b", None]}))
    assert words == {"a": ["b", None]}
    assert {name: values.tolist() for name, values in found.items()} == columns
    for name, values in arrays.items():
        assert found[name].itemsize == np.dtype(narrowest(values)[0]).itemsize


def test_the_same_data_give_the_same_bytes(rows: Rows):
    again = Rows.of(rows.release)
    assert index_pack(Sights(rows), Told(rows)) == index_pack(Sights(again), Told(again))
    assert json_pack({"b": 1, "a": 2}) == json_pack({"b": 1, "a": 2})


def test_rows_are_all_that_stand_in_a_split_in_the_order_of_the_shards(rows: Rows):
    keys = list(Lexicon.open(rows.release.root).select().keys())
    assert sorted(rows.table["key"].to_pylist()) == sorted(keys)
    assert orjson.loads(gzip.decompress(keys_pack(rows))) == rows.table["key"].to_pylist()
    shards = rows.table["shard"].to_pylist()
    assert shards == sorted(shards)
    assert [place["row"] for number in range(rows.blocks) for place in rows.block(number)] == list(range(len(rows)))


def test_codes_have_sorted_words_and_null_last():
    column = pa.chunked_array([["b", None, "a"], ["b"]])
    codes, words = coded(column)
    assert (codes.tolist(), words) == ([1, 2, 0, 1], ["a", "b", None])


def test_leaves_are_those_of_the_annotations_table(rows: Rows):
    tree = leaves(rows)
    starts, held, of_row = (tree.columns[name] for name in ("set_start", "set_leaf", "set"))
    keys = rows.table["key"].to_pylist()
    stated: dict[str, set[tuple[Any, ...]]] = {key: set() for key in keys}
    for row in pq.read_table(rows.release.index_path("phantom", "annotations"), columns=["key", *FIELDS]).to_pylist():
        if row["key"] in stated:
            stated[row["key"]].add(tuple(tuple(row[name]) if name == "departments" else row[name] for name in FIELDS))
    for number, key in enumerate(keys):
        found = {
            tuple(
                tuple(words) if isinstance(words := tree.words[name][tree.columns[f"leaf_{name}"][leaf]], list) else words
                for name in FIELDS
            )
            for leaf in held[starts[of_row[number]] : starts[of_row[number] + 1]]
        }
        assert found == stated[key], key
    assert len(starts) - 1 < len(keys) / 2


def test_records_and_questions_of_a_block_are_the_release_s(rows: Rows):
    told, ask = records(rows, 3), questions(rows, 3)
    places = rows.block(3)
    assert [record["key"] for record in told] == [place["key"] for place in places]
    every = [row for path in (rows.release.root / "questions").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    for place, found in zip(places, ask, strict=True):
        wanted = {one["id"]: one for one in every if one["key"] == place["key"]}
        assert {one["id"] for one in found} == set(wanted)
        assert all(one["question"] == wanted[one["id"]]["question"] for one in found)


def test_withheld_answers_stay_withheld(rows: Rows):
    of_test = [
        number for number in range(rows.blocks) if rows.block(number)[0]["split"] == rows.block(number)[-1]["split"] == "test"
    ]
    found = [one for number in of_test for some in questions(rows, number) for one in some if one["suite"] == "mimoseg"]
    assert found
    assert not [one for one in found if one["answer"] is not None or one["letters"] or one["targets"] or one["spans"]]
    assert about(Sights(rows), Told(rows), sheets=False, images=True)["suites"][1]["withheld"] == ["test"]


def test_suites_of_samples_are_those_that_ask_about_them(rows: Rows):
    codes, sets = suite_sets(rows, asked(rows))
    files = {suite: list((rows.release.root / "questions" / suite).rglob("*.parquet")) for suite in ("medmat", "mimoseg")}
    keys = {suite: {key for path in some for key in pq.read_table(path)["key"].to_pylist()} for suite, some in files.items()}
    for key, code in zip(rows.table["key"].to_pylist(), codes.tolist(), strict=True):
        assert sets[code] == [suite for suite in ("medmat", "mimoseg") if key in keys[suite]]


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_thumbnails_keep_their_shape_within_the_square(height: int, width: int):
    found = thumb_size(height, width)
    assert 1 <= min(found) <= max(found) <= SIDE_PX
    assert max(found) == min(SIDE_PX, max(height, width))
    assert abs(found[0] / width * height - found[1]) <= 1 + height / width


def test_pictures_are_the_stored_ones_and_thumbnails_look_like_them(rows: Rows):
    sights = Sights(rows)
    stored = sights.stored(5)
    assert stored is not None
    assert stored[1] == "image/png"
    picture = Image.open(io.BytesIO(stored[0]))
    assert pixel_sha256(np.asarray(picture)) == rows.one(5)["provenance_pixel_sha256"]
    thumb, sheet = sights.thumb(5), sights.sheet(0)
    assert thumb is not None
    assert sheet is not None
    small, laid = Image.open(io.BytesIO(thumb)), Image.open(io.BytesIO(sheet))
    assert small.size == thumb_size(picture.height, picture.width)
    place = laid.crop((SIDE_PX, SIDE_PX, SIDE_PX + small.width, SIDE_PX + small.height))
    for one in (small, place):
        wanted = np.asarray(picture.convert("L").resize(small.size, Image.Resampling.BOX), np.int16)
        assert np.abs(np.asarray(one.convert("L"), np.int16) - wanted).mean() < 3


def withholding(demo: Release, folder: Path, **facts: Any) -> Release:
    shutil.copytree(demo.root, folder / "demo")
    path = folder / "demo/recipes/phantom.json"
    recipe = json.loads(path.read_text())
    recipe["facts"] |= facts
    path.write_text(json.dumps(recipe))
    return Release.open(folder / "demo")


def test_pictures_without_rights_are_left_out_unless_all_are_asked_for(demo: Release, tmp_path: Path):
    release = withholding(demo, tmp_path, licence="CC-BY-ND-4.0", rights={})
    table = pq.read_table(release.index_path("phantom"))
    licences = pa.array(["CC-BY-ND-4.0"] * len(table))
    pq.write_table(
        table.set_column(table.schema.get_field_index("licence"), "licence", licences), release.index_path("phantom")
    )
    rows = Rows.of(release)
    sights, every = Sights(rows), Sights(rows, every=True)
    assert set(sights.reasons.tolist()) == {list(REASONS).index(NOT_GRANTED)}
    assert sights.withheld() == {"phantom": len(rows)}
    assert (sights.stored(0), sights.thumb(0), sights.sheet(0)) == (None, None, None)
    assert (every.withheld(), every.stored(0) is not None) == ({}, True)
    told = about(sights, Told(rows), sheets=True, images=True)
    assert f"{len(rows)} pictures" in told["notice"]
    assert "--all-pictures" in told["notice"]


def of_rights(demo: Release, folder: Path, **narrow: str) -> Release:
    """The phantom with other licences of some subjects."""
    evidence = {"address": "https://example.org", "words": "as stated", "read_on": None}
    rights = {name: {"licence": licence, "evidence": evidence, "allowed": None} for name, licence in narrow.items()}
    return withholding(demo, folder, rights=rights)


@pytest.mark.parametrize(
    ("subject", "reason", "records_too"), [("annotations", ANNOTATIONS, True), ("derived_text", DERIVED_TEXT, False)]
)
def test_records_and_questions_without_rights_are_left_out(
    demo: Release, tmp_path: Path, subject: str, reason: int, records_too: bool
):
    rows = Rows.of(of_rights(demo, tmp_path, **{subject: "unstated"}))
    told, every = Told(rows), Told(rows, every=True)
    assert set(told.reasons.tolist()) == {reason}
    assert not every.reasons.any()
    whole, found = records(rows, 3), told.records(3)
    assert every.records(3) == whole
    assert (found != whole) is records_too
    assert any(one["labels"] or one["annotations"] or one["texts"] for one in found) is not records_too
    assert [one["key"] for one in found] == [one["key"] for one in whole]
    assert (any(questions(rows, 3)), any(told.questions(3)), every.questions(3)) == (True, False, questions(rows, 3))
    columns, words = unpacked(index_pack(Sights(rows), told))
    assert (set(columns["untold"].tolist()), words["label"] == [None]) == ({reason}, records_too)


def test_what_isnt_told_is_said_with_counts_unless_a_reason_is_recorded(demo: Release, tmp_path: Path):
    release = of_rights(demo, tmp_path, annotations="unstated")
    rows = Rows.of(release)
    keys = set().union(*asked(rows).values())
    assert Told(rows).withheld() == {"records": {"phantom": len(rows)}, "questions": {"phantom": len(keys)}}
    said = about(Sights(rows), Told(rows), sheets=True, images=True)["notice"]
    assert f"records of {len(rows)} samples (phantom" in said
    assert f"questions of {len(keys)} samples (phantom" in said
    override = Override(gate="licence", code="annotations-not-granted", source="phantom", reason="the owner wrote so")
    record_overrides(release.root, [override])
    assert Told(rows).withheld() == {"records": {}, "questions": {}}
    assert about(Sights(rows), Told(rows), sheets=True, images=True)["notice"] == ""


def test_pairs_come_from_the_best_account_there_is(twins: Any, tmp_path: Path):
    shutil.copytree(twins.release, tmp_path / "twins")
    release = Release.open(tmp_path / "twins")
    rows = Rows.of(release)
    exact = pairing.pairs(rows)
    assert (exact.origin, {one.kind for one in exact.list}) == (pairing.INDEX, {"exact"})
    assert exact.total == 5
    hashes = rows.table["provenance_pixel_sha256"].to_pylist()
    assert all(hashes[one.a] == hashes[one.b] for one in exact.list)
    from medloom.cli import main

    with pytest.raises(SystemExit):
        main(["certificate", str(release.root), "--workers", "1"])
    certified = pairing.pairs(rows)
    assert (certified.origin, {one.kind for one in certified.list}) == (pairing.CERTIFICATE, {"exact", "near"})
    with pytest.raises(SystemExit):
        main(["duplicates", str(release.root), "--workers", "1"])
    report = pairing.pairs(rows)
    wanted = json.loads((release.work / "duplicates/duplicates.json").read_text())
    assert (report.origin, report.total, report.unknown) == (pairing.REPORT, wanted["pairs"]["all"]["pairs"], 0)
    assert {frozenset((one.a, one.b)) for one in certified.list} <= {frozenset((one.a, one.b)) for one in report.list}
    assert [one.crosses for one in report.list] == sorted((one.crosses for one in report.list), reverse=True)
    assert len(report.as_json()["a"]) == report.total


def test_a_shard_that_ends_early_or_is_gone_is_said(demo: Release, tmp_path: Path):
    shutil.copytree(demo.root, tmp_path / "demo")
    rows = Rows.of(Release.open(tmp_path / "demo"))
    place = rows.block(rows.blocks - 1)[-1]
    path = rows.release.root / place["shard"]
    path.write_bytes(path.read_bytes()[: place["image_offset"] + 10])
    with pytest.raises(ReleaseError, match="ends early"):
        contents(rows.release, [place], "image")
    path.unlink()
    with pytest.raises(ReleaseError, match="expected a shard"):
        contents(rows.release, [place], "image")
    assert len(rows.block(0)) == BLOCK
