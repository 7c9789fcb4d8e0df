"""A mixture of parts of a release and a general set: its rows are the release's own, and its facts say what it was made of."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageChops

import medloom
from medloom.generation.asking.ask import ask
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.shard_bytes import LocalShards
from medloom.train.asked import ReleaseAsked
from medloom.train.conversation import conversation
from medloom.train.data.arguments import DataArguments, Part
from medloom.train.data.for_trl import mapped
from medloom.train.data.mixture import Mixture
from medloom.train.data.parts import PartRows, opened


@pytest.fixture
def general(tmp_path: Path) -> str:
    turns = [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Yes."}]
    (tmp_path / "talk.json").write_text(json.dumps([{"conversations": turns}] * 7))
    return str(tmp_path / "talk.json")


def opened_mixture(*parts: Any, general: list[Any] | None = None, seed: int = 5, **more: Any) -> Mixture:
    arguments = DataArguments(data=list(parts), general=general or [], **more)
    return Mixture.open(arguments, style=arguments.style("thousandths"), seed=seed)


def test_rows_are_conversations_about_the_release(asked: Path, general: str):
    mixed = opened_mixture(
        f"{asked}:gmai", {"release": str(asked), "suite": "mimoseg", "kinds": ["grounding"]}, general=[general]
    )
    parts = [
        ReleaseAsked.open(asked, suite="gmai", split="train"),
        ReleaseAsked.open(asked, suite="mimoseg", split="train", kinds=["grounding"]),
    ]
    begins = [0, len(parts[0]), len(parts[0]) + len(parts[1])]
    assert mixed.rows == begins[2] + 7
    style = DataArguments().style("thousandths")
    places = [begins[1] + 3, 4, begins[2] + 1, 5, begins[1] + 3, 0]
    expected = [parts[1][3], parts[0][4], None, parts[0][5], parts[1][3], parts[0][0]]
    rows = mixed.conversations(places)
    for row, one in zip(rows, expected, strict=True):
        if one is None:
            assert row == {"prompt": told("user", "Hello?"), "completion": told("assistant", "Yes."), "images": []}
            continue
        wanted = conversation(one, style)
        assert (row["prompt"], row["completion"]) == (wanted["prompt"], wanted["completion"])
        assert ImageChops.difference(row["images"][0], wanted["images"][0]).getbbox() is None
    assert rows[0]["images"][0] is not rows[4]["images"][0]


def told(role: str, words: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": [{"type": "text", "text": words}]}]


def test_selection_is_that_of_load(asked: Path):
    select = {"modality": "CT", "where": "height_px > 90"}
    mixed = opened_mixture(Part(str(asked), "mimoseg", select=select))
    expected: Any = medloom.load(asked, split="train", suite="mimoseg", modality="CT", where="height_px > 90")
    [part] = mixed.sets
    assert isinstance(part, PartRows)
    assert part.rows.with_format(None)["id"][:] == expected.with_format(None)["id"][:]
    assert 0 < len(mixed) < len(opened_mixture(f"{asked}:mimoseg"))


def test_weights_and_shares(asked: Path, general: str):
    whole = len(opened_mixture(f"{asked}:gmai"))
    parts = [Part(str(asked), "gmai", weight=0.25), Part(str(asked), "mimoseg", limit=100, weight=2)]
    mixed = opened_mixture(*parts, general=[{"path": general, "share": 0.2}])
    counts = [Counter(map(mixed_set(mixed), mixed.order(epoch).tolist())) for epoch in range(4)]
    assert all(one == {0: round(whole / 4), 1: 200, 2: round((round(whole / 4) + 200) / 4)} for one in counts)
    first = [row for epoch in range(4) for row in mixed.order(epoch).tolist() if row < whole]
    assert len(set(first)) == len(first) == 4 * round(whole / 4) > whole - 4


def mixed_set(mixed: Mixture) -> Callable[[int], int]:
    edges = [mixed.portions[0].rows, mixed.portions[0].rows + mixed.portions[1].rows]
    return lambda place: sum(place >= edge for edge in edges)


def test_a_larger_limit_takes_the_same_and_more(asked: Path):
    def ids(limit: int, seed: int) -> set[str]:
        return {one.id for one in opened(Part(str(asked), "gmai", limit=limit), seed=seed).questions()}

    assert len(ids(20, 1)) == 20
    assert ids(20, 1) < ids(50, 1)
    assert ids(20, 1) != ids(20, 2)


def test_the_fingerprint_tells_what_is_read_and_how(asked: Path, general: str):
    part = Part(str(asked), "gmai", select={"modality": "CT"})
    first = opened_mixture(part, general=[general]).fingerprint()
    assert first == json.loads(json.dumps(first)) == opened_mixture(part, general=[general]).fingerprint()
    assert str(asked.parent) not in json.dumps(first)
    others = [
        opened_mixture(part, general=[general], seed=6),
        opened_mixture(part, general=[general], block=4),
        opened_mixture(replace(part, select={"modality": "X-Ray"}), general=[general]),
        opened_mixture(replace(part, limit=30), general=[general]),
        opened_mixture(part),
    ]
    assert len({json.dumps(one.fingerprint()) for one in others} | {json.dumps(first)}) == 6


def test_workers_get_it_for_little(asked: Path):
    mixed = opened_mixture(f"{asked}:mimoseg")
    copied = pickle.loads(pickle.dumps(mixed))
    assert len(pickle.dumps(mixed)) < 150 * mixed.rows
    assert copied.row(17)["prompt"] == mixed.row(17)["prompt"]


def test_opening_and_drawing_an_order_read_no_shard(asked: Path, monkeypatch: pytest.MonkeyPatch):
    reads: list[int] = []
    plain = LocalShards.read

    def counted(self: LocalShards, shard: str, spans: Any) -> list[bytes]:
        reads.append(len(spans))
        return plain(self, shard, spans)

    monkeypatch.setattr(LocalShards, "read", counted)
    mixed = opened_mixture(f"{asked}:gmai")
    rows: Any = mapped(mixed)
    order = mixed.order(3).tolist()
    assert reads == []
    assert len(rows[order[:8]]["images"]) == 8
    assert sum(reads) <= 16


def test_what_can_t_be_trained_on(asked: Path, tmp_path: Path):
    import shutil

    with pytest.raises(UsageError, match="nothing to train on"):
        opened_mixture()
    with pytest.raises(UsageError, match="suite 'absent'"):
        opened_mixture(f"{asked}:absent")
    with pytest.raises(UsageError, match="no question of gmai in train of kinds grounding"):
        opened_mixture(Part(str(asked), "gmai", kinds=("grounding",)))
    with pytest.raises(ReleaseError, match="expected a release folder"):
        opened_mixture(f"{tmp_path}:gmai")
    shutil.copytree(asked, tmp_path / "copy")
    ask(tmp_path / "copy", "gmai", withhold=("test",))
    with pytest.raises(UsageError, match="answers of gmai in test are withheld"):
        opened_mixture(Part(str(tmp_path / "copy"), "gmai", split="test"))
