"""Parts: whole or not there; a unit is kept whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from medloom.builders.parts import ROWS, PartReader, PartWriter, chunks_of, rows_of, summary_of
from medloom.builders.read import Encoded
from medloom.schema.record import to_json
from medloom.schema.sample import Provenance, Sample

BLANK = Sample(
    key="s-0", source="s", collection="s", group="g0", group_kind="image", licence="x", citation="x", modality="CT",
    area="lung", task="unlabelled", subsets=("a", "b"), clinical_task="None", department="None", image_format="png",
    size_hw_px=(1, 1),
    channels=1,
    provenance=Provenance("r", "png", "d", "hash", "p", low_information=True, builder_version="0"),
)  # fmt: skip


def encoded(number: int) -> Encoded:
    split = "test" if number % 2 else None
    return Encoded(replace(BLANK, key=f"s-{number}", group=f"g{number % 3}", original_split=split), b"image %d" % number)


def test_what_goes_in_comes_out(tmp_path: Path):
    with PartWriter(tmp_path, 4) as part:
        for number in range(10):
            part.add(encoded(number), number / 10)
        assert summary_of(tmp_path, 4) is None
        part.finish({"number": 4, "units": 3})
    size = (tmp_path / "000004.bin").stat().st_size
    assert summary_of(tmp_path, 4) == {"number": 4, "units": 3, "bytes": size, "samples": 10}
    rows = rows_of(tmp_path, range(4, 5)).to_pylist()
    with PartReader(tmp_path) as reader:
        for number, row in enumerate(rows):
            image, record = reader.read(4, row["offset"], image_size=row["image_size"], json_size=row["json_size"])
            assert (image, record) == (encoded(number).image, to_json(encoded(number).sample))
            assert (row["key"], row["group"], row["share"]) == (f"s-{number}", f"g{number % 3}", number / 10)
            assert (row["original_split"], row["pixel_sha256"], row["blank"]) == ("test" if number % 2 else "", "hash", True)
            assert (row["subsets"], row["part"]) == ("a+b", 4)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_unit_that_fails_is_taken_back_whole(tmp_path: Path):
    with PartWriter(tmp_path, 0) as part:
        part.add(encoded(0), 0.0)
        mark = part.mark()
        for number in (1, 2, 3):
            part.add(encoded(number), 0.0)
        part.back_to(mark)
        part.add(encoded(4), 0.0)
        part.finish({})
    with PartWriter(tmp_path, 1) as part:
        for number in (0, 4):
            part.add(encoded(number), 0.0)
        part.finish({})
    for kind in ("bin", "arrow", "json"):
        assert (tmp_path / f"000000.{kind}").read_bytes() == (tmp_path / f"000001.{kind}").read_bytes()


def test_an_empty_part_is_a_part(tmp_path: Path):
    with PartWriter(tmp_path, 0) as part:
        part.finish({"units": 1})
    assert summary_of(tmp_path, 0) == {"units": 1, "bytes": 0, "samples": 0}
    assert rows_of(tmp_path, range(1)).schema.names == [*ROWS.names, "part"]
    assert rows_of(tmp_path, range(0)).schema.equals(rows_of(tmp_path, range(1)).schema)


@pytest.mark.parametrize("damage", ["no mark", "no bytes", "short", "unfinished"])
def test_a_part_that_is_not_whole_is_none(tmp_path: Path, damage: str):
    with PartWriter(tmp_path, 0) as part:
        part.add(encoded(0), 0.0)
        if damage != "unfinished":
            part.finish({})
    stored = tmp_path / "000000.bin"
    if damage == "no mark":
        (tmp_path / "000000.json").unlink()
    elif damage == "no bytes":
        stored.unlink()
    elif damage == "short":
        stored.write_bytes(stored.read_bytes()[:-1])
    assert summary_of(tmp_path, 0) is None


def add_and_fail(part: PartWriter) -> None:
    part.add(encoded(0), 0.0)
    raise RuntimeError


def test_an_exception_leaves_no_part(tmp_path: Path):
    with pytest.raises(RuntimeError), PartWriter(tmp_path, 0) as part:
        add_and_fail(part)
    assert [path.name for path in tmp_path.iterdir()] == ["000000.bin.tmp"]


def test_a_reader_of_many_parts_keeps_few_files_open(tmp_path: Path):
    for number in range(260):
        (tmp_path / f"{number:06d}.bin").write_bytes(b"%03d{}" % number)
    with PartReader(tmp_path) as reader:
        for number in [*range(260), 0, 259]:
            assert reader.read(number, 0, image_size=3, json_size=2) == (b"%03d" % number, b"{}")
        assert len(reader._open) <= 256


def test_chunks_are_bounded_and_in_order():
    sizes = [5, 5, 5, 100, 1, 1, 1, 1, 0, 12]
    chunks = list(chunks_of(iter([(place, size) for place, size in enumerate(sizes)]), max_units=4, max_bytes=12))
    assert [unit for chunk in chunks for unit in chunk] == list(range(10))
    assert chunks == [[0, 1], [2], [3], [4, 5, 6, 7], [8, 9]]
    assert list(chunks_of(iter([]), max_units=4, max_bytes=12)) == []


def test_summaries_are_json(tmp_path: Path):
    with PartWriter(tmp_path, 0) as part:
        part.finish({"issues": [{"where": "größe", "count": 1}]})
    assert json.loads((tmp_path / "000000.json").read_text())["issues"] == [{"where": "größe", "count": 1}]
