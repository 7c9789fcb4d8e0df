"""Scored replies to Parquet and back."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow.parquet as parquet
from region_questions import question, record

from medloom.train.scoring.scored import Scored, placed, schema, scored_of, table


def one(**fields) -> Scored:
    asked = placed(question("grounding", labels=("mesh:D008099",), perspective=1), record())
    return Scored(
        **{**asked, "variant": "", "status": "answered", "said": "A", "parsed_by": "letter", "measures": {}, **fields}
    )


def test_round_trip_through_a_file(tmp_path: Path):
    every = [
        one(measures={"b": 1.0, "a": None}, tallies={"t": 3.0}, chance={"b": 0.25}, human={"b": 0.5}),
        one(id="q-2", perspective=None, labels=()),
    ]
    parquet.write_table(table(every), tmp_path / "scored.parquet")
    assert scored_of(parquet.read_table(tmp_path / "scored.parquet")) == every
    assert scored_of(table([])) == []
    assert table(every).schema == schema()


def test_rows_do_not_depend_on_the_order_of_measures():
    assert table([one(measures={"a": 1.0, "b": 2.0})]).equals(table([one(measures={"b": 2.0, "a": 1.0})]))


def test_a_row_travels_between_processes():
    assert pickle.loads(pickle.dumps(one(measures={"a": 1.0}))) == one(measures={"a": 1.0})


def test_a_foreign_record_is_its_own_group():
    assert placed(question("grounding"), record())["group"] == "g-1"
    assert placed(question("grounding"), record(group=None))["group"] == "s-1"
