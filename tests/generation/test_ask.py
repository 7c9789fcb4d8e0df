"""Asking a release: the same bytes whatever the workers and kills, answers that are withheld, and sets that load."""

from __future__ import annotations

import json
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

import medloom
from medloom.generation.asking.ask import ask, estimate
from medloom.generation.asking.withhold import TELLING
from medloom.schema.check_release import check
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.question import question_of
from medloom.schema.question_set import FIELDS, QuestionSet, file_of
from medloom.schema.release import Release
from medloom.schema.shard import pairs


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Every row of a folder of question files, in the order of the files."""
    return [row for path in sorted(folder.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def answered(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows_of(folder)}


def test_every_shard_is_asked_in_key_order_and_counted(release: Path, toys):
    report = toys.ask(release)
    rows, shards = rows_of(release / "questions/toys"), list((release / "data").rglob("*.tar"))
    assert report["questions"] == len(rows) > 100
    assert len(shards) > 8
    info = QuestionSet.open(release, "toys").info
    assert set(info) == set(FIELDS)
    assert {one["shard"] for one in info["files"]} == {path.relative_to(release).as_posix() for path in shards}
    for one in info["files"]:
        own = pq.read_table(release / "questions/toys" / one["path"]).to_pylist() if one["questions"] else []
        keys = [key for key, *_ in pairs(release / one["shard"])]
        asked = [row["key"] for row in own]
        assert (len(keys), len(asked)) == (one["samples"], one["questions"])
        assert asked == sorted(asked)
        assert set(asked) <= set(keys)
        assert one["path"] == file_of(one["shard"])
    for name in ("kind", "rule", "subset", "department", "granularity", "split"):
        found = {value: sum(row[name] == value for row in rows) for value in {row[name] for row in rows}}
        assert info["counts"][name] == report["counts"][name] == dict(sorted(found.items()))
    assert sum(row["questions"] for row in info["table"]) == len(rows)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(question_of(row).answer for row in rows)


def test_the_bytes_are_the_same_for_any_workers(many_shards: Path, tmp_path: Path, toys):
    found = []
    for workers in (1, 2, 3):
        release = tmp_path / str(workers) / "release"
        shutil.copytree(many_shards, release)
        toys.ask(release, workers=workers, withhold=["test"])
        assert not list(release.with_name("release.work").rglob("*.tmp"))
        found.append((contents(release), contents(release.with_name("release.work") / "answers")))
    assert found[0] == found[1] == found[2]


def test_another_seed_gives_other_wordings(release: Path, toys):
    toys.ask(release)
    first = answered(release / "questions/toys")
    assert not toys.ask(release)["made"]
    assert toys.ask(release, seed=1)["made"]
    second = answered(release / "questions/toys")
    assert first.keys() == second.keys()
    assert 0.4 < np.mean([first[one]["question"] != second[one]["question"] for one in first]) < 0.95
    assert [first[one]["targets"] for one in first] == [second[one]["targets"] for one in first]


@pytest.mark.slow
def test_kills_at_any_step_change_no_byte(many_shards: Path, tmp_path: Path, toys):
    whole, release, rng = tmp_path / "whole" / "release", tmp_path / "asked-here" / "release", random.Random(3)
    for folder in (whole, release):
        shutil.copytree(many_shards, folder)
    toys.ask(whole, withhold=["test"])
    codes = []
    while not codes or codes[-1] != 0:
        codes.append(toys.driven(release, kill_after=rng.randint(40, 200), withhold=["test"])[0])
        assert codes[-1] in (0, -signal.SIGKILL)
        assert len(codes) < 30
        if (release / "questions/toys").exists():
            assert contents(release / "questions") == contents(whole / "questions")
    assert codes.count(-signal.SIGKILL) >= 2
    assert contents(release) == contents(whole)
    places = [folder.with_name("release.work") for folder in (release, whole)]
    assert contents(places[0] / "answers") == contents(places[1] / "answers")
    assert sorted(contents(places[0])) == sorted(contents(places[1]))


def test_a_killed_ask_begins_anew_where_something_else_is_asked(release: Path, toys, tmp_path: Path):
    asked_here = tmp_path / "asked-here" / "release"
    shutil.copytree(release, asked_here)
    assert toys.driven(asked_here, kill_after=70)[0] == -signal.SIGKILL
    assert not (asked_here / "questions").exists()
    assert list((asked_here.with_name("release.work") / "questions/toys/staged").rglob("*.parquet"))
    toys.ask(asked_here, seed=5)
    toys.ask(release, seed=5)
    assert contents(asked_here) == contents(release)


def test_a_limit_takes_the_first_samples_of_every_shard(release: Path, toys):
    toys.ask(release)
    whole = rows_of(release / "questions/toys")
    report = toys.ask(release, limit=2)
    first = {key for path in (release / "data").rglob("*.tar") for key in [key for key, *_ in pairs(path)][:2]}
    assert rows_of(release / "questions/toys") == [row for row in whole if row["key"] in first]
    assert report["limit"] == 2


def test_a_released_file_tells_nothing_of_withheld_answers(release: Path, toys):
    toys.ask(release)
    known = answered(release / "questions/toys")
    report = toys.ask(release, withhold=["test"])
    released = rows_of(release / "questions/toys")
    private = rows_of(Path(report["answers"]))
    assert [row["id"] for row in released if row["split"] == "test"] == [row["id"] for row in private]
    assert all(row == known[row["id"]] for row in private)
    assert all(row == known[row["id"]] for row in released if row["split"] != "test")
    hidden = [row for row in released if row["split"] == "test"]
    assert len(hidden) > 20
    kept = {"id", "key", "split", "suite", "kind", "rule", "perspective", "source", "modality", "granularity"}
    kept |= {"question", "instruction", "options", "prompts", "maker"}
    assert kept | set(TELLING) == set(hidden[0])
    for row in hidden:
        truth = known[row["id"]]
        assert all(not row[name] for name in TELLING)
        assert [option["label_id"] for option in row["options"]] == [None] * len(row["options"])
        assert [option["text"] for option in row["options"]] == [option["text"] for option in truth["options"]]
        assert [prompt["annotation"] for prompt in row["prompts"]] == [""] * len(row["prompts"])
        if truth["kind"] == "referring":
            assert truth["answer"] not in json.dumps({name: row[name] for name in kept - {"subset", "id", "key"}})
    keys = [row["key"] for row in hidden if row["rule"] == "naming"]
    order = [row["id"] for row in hidden]
    assert all(order[n - 1] < order[n] for n in range(1, len(order)) if hidden[n - 1]["key"] == hidden[n]["key"])
    assert len(keys) > 3


def test_private_answers_go_where_they_should(release: Path, toys, tmp_path: Path):
    report = toys.ask(release, withhold=["test", "validation"], answers=str(tmp_path / "private"))
    assert Path(report["answers"]) == tmp_path / "private/toys"
    assert {row["split"] for row in rows_of(tmp_path / "private")} == {"test", "validation"}
    assert not (release.with_name("release.work") / "answers").exists()
    shutil.rmtree(tmp_path / "private")
    assert toys.ask(release, withhold=["test", "validation"], answers=str(tmp_path / "private"))["made"]
    assert rows_of(tmp_path / "private/toys")


def test_asking_again_does_nothing_and_mends_what_was_lost(release: Path, toys):
    toys.ask(release)
    before = contents(release)
    assert not toys.ask(release)["made"]
    next((release / "questions/toys").rglob("*.parquet")).unlink()
    assert toys.ask(release)["made"]
    assert contents(release) == before
    assert toys.ask(release, fresh=True)["made"]
    assert contents(release) == before


def test_a_review_outlives_asking_again_even_where_it_is_broken(release: Path, toys):
    toys.ask(release)
    review = release / "questions/toys/review.json"
    review.write_bytes(b'{"questions": [')
    toys.ask(release, seed=9)
    assert review.read_bytes() == b'{"questions": ['


def test_load_dataset_and_load_join_the_same_rows(release: Path, toys):
    toys.ask(release, withhold=["test"])
    root = str(release)
    for split in ("train", "test"):
        plain = load_dataset(root, data_dir="questions/toys", split=split)
        streamed = list(load_dataset(root, data_dir="questions/toys", split=split, streaming=True))
        assert list(plain) == streamed
        mapped = medloom.load(release, suite="toys", split=split)
        flowing = list(medloom.load(release, suite="toys", split=split, streaming=True))
        assert len(mapped) == len(flowing) == len(plain) > 20
        for row, other, question in zip(mapped, flowing, plain, strict=True):
            assert {name: row[name] for name in question} == {name: other[name] for name in question} == question
            assert row["json"] == other["json"]
            assert row["__key__"] == row["key"] == row["json"]["key"]
            assert np.array_equal(np.asarray(row["image"]), np.asarray(other["image"]))
        assert mapped[[4, 1]]["id"] == [plain[4]["id"], plain[1]["id"]]


def test_selection_words_choose_the_samples_that_are_asked_about(release: Path, toys):
    toys.ask(release)
    rows = [row for row in rows_of(release / "questions/toys") if row["split"] == "train"]
    keys = {row["__key__"] for row in medloom.load(release, split="train", modality="CT")}
    expected = sorted(row["id"] for row in rows if row["key"] in keys)
    for streaming in (False, True):
        found = medloom.load(release, suite="toys", split="train", modality="CT", streaming=streaming)
        assert sorted(row["id"] for row in found) == expected
        none = medloom.load(release, suite="toys", split="train", modality="End", streaming=streaming)
        assert list(none) == []
    assert 0 < len(expected) < len(rows)
    assert set(medloom.load(release, suite="toys")) == set(medloom.load(release))


def test_the_readme_names_the_suites_and_the_release_passes_its_check(release: Path, toys):
    assert Release(release).suites == []
    report = toys.ask(release, withhold=["test"])
    assert Release(release).suites == ["toys"]
    readme = (release / "README.md").read_text()
    assert f"| toys | Names and boxes of whatever is there | {report['questions']} | test |" in readme
    assert 'data_dir="questions/toys"' in readme
    found = check(release)
    assert found["faults"] == []
    assert found["questions"] == {"toys": report["questions"]}


def test_a_dry_run_writes_nothing_and_estimates(release: Path, toys, monkeypatch: pytest.MonkeyPatch):
    whole = toys.ask(release)["questions"]
    space: dict[str, Any] = {}
    exec((toys.folder / "driver.py").read_text().split("import json, os, signal")[0], space)  # registers the toys here
    before = contents(release)
    found = estimate(release, str(toys.suite), sampled=10**6)
    assert found["questions"] == found["estimated_questions"] == whole
    some = estimate(release, str(toys.suite), sampled=3)
    assert some["questions"] < whole
    assert 0.6 < some["estimated_questions"] / whole < 1.6
    assert contents(release) == before


def test_calls_that_cannot_be_served(release: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="suite 'nothing'"):
        ask(release, "nothing")
    suite = tmp_path / "own.yaml"
    suite.write_text('{name: own, version: "1", title: Own, rules: [{rule: guessing}]}')
    with pytest.raises(UsageError, match="guessing"):
        ask(release, str(suite))
    with pytest.raises(UsageError, match="to withhold"):
        ask(release, str(suite), withhold=["tests"])
    with pytest.raises(UsageError, match="inside the release"):
        ask(release, str(suite), withhold=["test"], answers=release / "answers")
    with pytest.raises(UsageError, match="isn't in"):
        medloom.load(release, suite="own")


def test_a_shard_that_the_index_does_not_know_is_refused(release: Path, toys):
    shard = next((release / "data").rglob("train-*.tar"))
    data = bytearray(shard.read_bytes())
    place = data.index(b'{"split":"train"')
    data[place : place + 16] = b'["split","train"'
    shard.write_bytes(bytes(data))
    code, _ = toys.driven(release)
    assert code == 1
    toys_rules: dict[str, Any] = {}
    exec((toys.folder / "driver.py").read_text().split("import json, os, signal")[0], toys_rules)
    with pytest.raises(ReleaseError, match="expected its record where the index says"):
        ask(release, str(toys.suite))
