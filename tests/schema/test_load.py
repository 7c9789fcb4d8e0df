"""`load`: the rows that the index selects, map-style and streamed, and words that nothing has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, load_dataset

import medloom
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.load import load, select_rows
from medloom.schema.release import DEFAULT, Release
from medloom.schema.shard import pairs


@pytest.fixture(scope="module")
def records(marked: Path) -> dict[str, dict[str, Any]]:
    """Every record by key, straight from the tars."""
    import orjson

    return {key: orjson.loads(record) for path in marked.rglob("*.tar") for key, _, record, _ in pairs(path)}


def keys(marked: Path, **select: Any) -> set[str]:
    return set(select_rows(Release.open(marked), DEFAULT, select)["key"].to_pylist())


def test_the_package_loads_lazily(marked: Path):
    assert medloom.load is load


@pytest.mark.parametrize("streaming", [False, True])
def test_rows_are_those_of_load_dataset(marked: Path, streaming: bool):
    ours = load(marked, split="train", streaming=streaming)
    theirs = load_dataset(str(marked), split="train")
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine["__key__"], mine["json"]) == (other["__key__"], other["json"])
        assert Path(mine["__url__"]).resolve() == Path(other["__url__"]).resolve()
        assert np.array_equal(np.asarray(mine["image"]), np.asarray(other["image"]))


def test_rows_can_be_asked_for_out_of_order(marked: Path):
    rows = load(marked, split="train")
    assert isinstance(rows, Dataset)
    assert rows[3]["__key__"] == rows[[5, 3]]["__key__"][1] == rows.select([3])[0]["__key__"]


def test_every_config_and_split_is_there(marked: Path):
    for config, splits in Release.open(marked).configs().items():
        found = load(marked, config)
        assert {split: len(found[split]) for split in found} == {
            split: sum(shard["samples"] for shard in shards) for split, shards in splits.items()
        }


@pytest.mark.parametrize(
    ("select", "test"),
    [
        ({"modality": "CT"}, lambda record: True),
        ({"modality": "Computed Tomography"}, lambda record: True),
        ({"modality": "CTA"}, lambda record: record["modality_detail"] == "CTA"),
        ({"modality": ["CTA", "MRI"]}, lambda record: record["modality_detail"] == "CTA"),
        ({"modality": "MRI"}, lambda record: False),
        ({"area": "chest"}, lambda record: True),
        ({"area": "brain"}, lambda record: False),
        ({"department": "PM"}, lambda record: True),
        ({"department": "Pulmonary Medicine"}, lambda record: True),
        ({"department": "Ophthalmology"}, lambda record: False),
        ({"source": "marked"}, lambda record: True),
        ({"granularity": "mask"}, lambda record: any(one["granularity"] == "mask" for one in record["annotations"])),
        ({"granularity": ("box", "point")}, lambda record: bool(record["annotations"])),
        ({"subset": "ct-lung-unlabelled"}, lambda record: "ct-lung-unlabelled" in record["subsets"]),
        ({"label": "opacity"}, lambda record: state(record, "opacity") == "present"),
        ({"label": ["opacity", "kidney"]}, lambda record: "present" in (state(record, "opacity"), state(record, "kidney"))),
        ({"label": "opacity", "modality": "CTA"}, lambda r: state(r, "opacity") == "present" and r["modality_detail"] == "CTA"),
        ({"label": None}, lambda record: True),
        ({"area": "heart"}, lambda record: any(one["area"] == "heart" for one in record["labels"])),
        ({"state": "absent"}, lambda record: "absent" in {one["state"] for one in record["labels"]}),
        ({"label": "opacity", "state": "absent"}, lambda record: state(record, "opacity") == "absent"),
        ({"label": "OPACITY", "department": "PM"}, lambda record: state(record, "opacity") == "present"),
        ({"label": "opacity", "granularity": "box"}, lambda record: False),
        ({"where": "subject_age_years >= 60"}, lambda record: record["subject"]["age_years"] >= 60),
        ({"source": "Marked", "where": "labels = 0"}, lambda record: not record["labels"]),
    ],
)
def test_a_selection(marked: Path, records: dict, select: dict, test: Callable[[dict], bool]):
    assert keys(marked, **select) == {key for key, record in records.items() if test(record)}


def state(record: dict[str, Any], label: str) -> str | None:
    return next((one["state"] for one in record["labels"] if one["label"] == label), None)


def test_a_selection_of_nothing_is_empty_in_every_form(marked: Path):
    assert len(load(marked, split="test", modality="MRI")) == 0
    assert list(load(marked, split="test", modality="MRI", streaming=True)) == []


def test_a_selection_with_splits_keeps_them_all(marked: Path):
    found = load(marked, label="opacity")
    assert set(found) == {"train", "validation", "test"}
    assert all(state(row["json"], "opacity") == "present" for rows in found.values() for row in rows)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"config": "nothing"}, r"config 'nothing'; expected one of \['ct-"),
        ({"split": "dev"}, r"split 'dev' of 'default'; expected one of \['train'"),
        ({"modality": "telepathy"}, "modality 'telepathy' is unknown"),
        ({"department": "Pulmonary"}, "department 'Pulmonary' is unknown"),
        ({"label": "opacitees"}, r"label 'opacitees' is nowhere in this release; expected a word such as 'opacity'"),
        ({"source": "other"}, "source 'other' is nowhere"),
        ({"granularity": "circle"}, "granularity 'circle' is unknown"),
        ({"detail": "CTA"}, r"select by 'detail'; expected one of \['area'"),
        ({"shard": "x"}, "select by 'shard'"),
        ({"state": "perhaps"}, "state 'perhaps' is unknown; expected one of present, absent, uncertain, not_assessed"),
        ({"where": "colour = 'red'"}, "where \"colour = 'red'\": Binder Error: .*the columns are key, source, split"),
        ({"where": ["true"]}, "expected one condition as a string"),
    ],
)
def test_a_word_that_the_release_does_not_have(marked: Path, call: dict, message: str):
    with pytest.raises(UsageError, match=message):
        load(marked, **call)


def test_what_is_no_release(tmp_path: Path):
    with pytest.raises(ReleaseError, match="expected a release folder"):
        load(tmp_path)
