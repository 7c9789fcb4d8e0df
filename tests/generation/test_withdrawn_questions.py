"""Questions about withdrawn samples go, from suites, withheld answers and shards; all others stay as they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from medloom.builders.withdrawing.withdraw import withdraw
from medloom.generation.asking.embed import embed
from medloom.schema.check_release import check
from medloom.schema.release import Release


def asked(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Question file → rows."""
    return {path.relative_to(folder).as_posix(): pq.read_table(path).to_pylist() for path in sorted(folder.rglob("*.parquet"))}


def without(files: dict[str, list[dict[str, Any]]], gone: set[str]) -> dict[str, list[dict[str, Any]]]:
    left = {path: [row for row in rows if row["key"] not in gone] for path, rows in files.items()}
    return {path: rows for path, rows in left.items() if rows}


def info(root: Path) -> dict[str, Any]:
    return json.loads((root / "questions/toys/suite.json").read_text())


@pytest.fixture
def release(many_asked: Path, tmp_path: Path) -> Path:
    for folder in ("release", "release.work"):
        shutil.copytree(many_asked.with_name(folder), tmp_path / folder)
    return tmp_path / "release"


def some_keys(root: Path) -> set[str]:
    """Every fifth sample, and all of a whole shard."""
    rows = [row for row in pq.read_table(Release(root).index_path("phantom")).to_pylist() if row["shard"]]
    first = sorted(row["shard"] for row in rows)[0]
    return {row["key"] for place, row in enumerate(rows) if place % 5 == 0 or row["shard"] == first}


def test_questions_and_withheld_answers_go_and_no_others(release: Path):
    gone, before = some_keys(release), asked(release / "questions/toys")
    answers = asked(release.with_name("release.work") / "answers/toys")
    told = withdraw(release, keys=gone, reason="test")
    assert asked(release / "questions/toys") == without(before, gone)
    assert asked(release.with_name("release.work") / "answers/toys") == without(answers, gone)
    lost = sum(map(len, before.values())) - sum(map(len, without(before, gone).values()))
    hidden = sum(row["split"] == "validation" for rows in before.values() for row in rows if row["key"] in gone)
    assert {name: told["questions"]["toys"][name] for name in ("questions", "withheld", "answers_mended")} == {
        "questions": lost,
        "withheld": hidden,
        "answers_mended": True,
    }
    assert hidden
    assert check(release)["faults"] == []
    whole = [row for rows in asked(release / "questions/toys").values() for row in rows if row["split"] != "validation"]
    whole += [row for rows in asked(release.with_name("release.work") / "answers/toys").values() for row in rows]
    counts = {
        department: sum(row["department"] == department for row in whole)
        for department in info(release)["counts"]["department"]
    }
    assert counts == info(release)["counts"]["department"]


def test_answers_that_lie_elsewhere_are_named_and_counts_add_up(release: Path):
    shutil.rmtree(release.with_name("release.work") / "answers")
    told = withdraw(release, keys=some_keys(release), reason="test")["questions"]["toys"]
    assert "wherever --answers put them" in told["answers"]
    assert not told["answers_mended"]
    assert check(release)["faults"] == []


def test_untouched_question_files_keep_their_bytes(release: Path):
    rows = pq.read_table(Release(release).index_path("phantom")).to_pylist()
    row = next(row for row in rows if row["shard"])
    folder = release / "questions/toys"
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    withdraw(release, keys=[row["key"]], reason="test")
    changed = [path for path, body in before.items() if not path.exists() or path.read_bytes() != body]
    assert len(changed) <= 1
    assert all(path.stem in row["shard"] for path in changed)


def test_stale_questions_stay_visibly_stale(release: Path):
    stated = info(release)
    (release / "questions/toys/suite.json").write_text(json.dumps(stated | {"sources": {"phantom": "0" * 64}}))
    withdraw(release, keys=some_keys(release), reason="test")
    assert info(release)["sources"] == {"phantom": "0" * 64}
    assert {one["code"] for one in check(release)["faults"]} == {"stale-questions"}


def test_reviews_forget_them_too(release: Path):
    gone, files = some_keys(release), asked(release / "questions/toys")
    rows = [row for some in files.values() for row in some]
    told = [{"id": row["id"], "digest": "0" * 16, "verdict": "accept", "left_out": False} for row in rows]
    (release / "questions/toys/review.json").write_text(json.dumps({"questions": told, "people": 2}))
    withdraw(release, keys=gone, reason="test")
    review = json.loads((release / "questions/toys/review.json").read_text())
    assert [one["id"] for one in review["questions"]] == [row["id"] for row in rows if row["key"] not in gone]
    assert review["people"] == 2


def test_shards_that_hold_questions_keep_those_of_others(release: Path, tmp_path: Path):
    embed(release, "toys", tmp_path / "embedded")
    gone = some_keys(release)
    withdraw(tmp_path / "embedded", keys=gone, reason="test")
    assert check(tmp_path / "embedded")["faults"] == []
    recipe = Release(tmp_path / "embedded").recipe("phantom")
    left = without(asked(release / "questions/toys"), gone)
    assert recipe is not None
    assert recipe["embedded"]["questions"] == sum(map(len, left.values()))


def test_embedding_carries_tombstones_along(release: Path, tmp_path: Path):
    gone = sorted(some_keys(release))[:3]
    withdraw(release, keys=gone, reason="test")
    embed(release, "toys", tmp_path / "embedded")
    assert (tmp_path / "embedded/withdrawn.json").read_bytes() == (release / "withdrawn.json").read_bytes()
    assert check(tmp_path / "embedded")["faults"] == []
