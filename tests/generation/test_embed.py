"""Shards that hold the questions: pictures and records byte for byte, questions as their own files have them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import webdataset
from datasets import load_dataset

import medloom
from medloom.builders.cut import cut
from medloom.generation.asking.embed import embed
from medloom.schema.check_release import check
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.question_set import QuestionSet
from medloom.schema.release import Release
from medloom.schema.shard import QUESTIONS, pairs, questions


@pytest.fixture(scope="module")
def embedded(many_asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("embedded") / "release"
    embed(many_asked, "toys", out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def asked_of(release: Path) -> dict[str, list[dict[str, Any]]]:
    """Key → its rows in the question files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((release / "questions/toys").rglob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            found.setdefault(row["key"], []).append(row)
    return found


def test_shards_hold_samples_as_they_were_and_their_questions(many_asked: Path, embedded: Path):
    asked, seen = asked_of(many_asked), 0
    for path in sorted((many_asked / "data").rglob("*.tar")):
        other = embedded / path.relative_to(many_asked)
        assert [one[:3] for one in pairs(path)] == [one[:3] for one in pairs(other)]
        held = {key: orjson.loads(body) for key, body in questions(other)}
        assert list(held) == [key for key, *_ in pairs(path)]
        assert held == {key: asked.get(key, []) for key in held}
        assert list(questions(path)) == []
        seen += sum(map(len, held.values()))
    assert seen == QuestionSet.open(many_asked, "toys").info["questions"] > 100


def test_the_new_release_passes_its_check_and_says_what_it_holds(many_asked: Path, embedded: Path):
    found = check(embedded)
    assert found["faults"] == []
    assert found["samples"] == check(many_asked)["samples"]
    recipe = Release(embedded).recipes()[0]
    assert recipe["embedded"]["suite"]["name"] == "toys"
    assert recipe["embedded"]["withheld"] == ["validation"]
    readme = (embedded / "README.md").read_text()
    assert f"{recipe['embedded']['questions']} of the suite `toys`" in readme
    assert "Answers of validation are withheld" in readme


@pytest.mark.parametrize("streaming", [False, True])
def test_loaders_give_typed_questions(many_asked: Path, embedded: Path, streaming: bool):
    asked = asked_of(many_asked)
    plain = load_dataset(str(many_asked), split="train", streaming=streaming)
    rows = load_dataset(str(embedded), split="train", streaming=streaming)
    count = 0
    for row, other in zip(rows, plain, strict=True):
        assert {name: row[name] for name in ("json", "__key__")} == {name: other[name] for name in ("json", "__key__")}
        assert row[QUESTIONS] == asked.get(row["__key__"], [])
        count += len(row[QUESTIONS])
    assert count > 50


@pytest.mark.parametrize("streaming", [False, True])
def test_our_loader_gives_the_columns_and_values_of_load_dataset(embedded: Path, streaming: bool):
    ours = medloom.load(embedded, split="train", streaming=streaming)
    theirs = load_dataset(str(embedded), split="train", streaming=streaming)
    count = 0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.keys() == other.keys()
        assert json.dumps(mine[QUESTIONS]) == json.dumps(other[QUESTIONS])
        assert (mine["__key__"], mine["json"]) == (other["__key__"], other["json"])
        count += len(mine[QUESTIONS])
    assert count > 50
    some = medloom.load(embedded, split="train", modality="CT", streaming=streaming)
    assert [row[QUESTIONS] for row in some] == [row[QUESTIONS] for row in theirs if row["json"]["modality"] == "CT"] != []
    assert list(medloom.load(embedded, split="train", modality="End", streaming=streaming)) == []


@pytest.mark.parametrize("streaming", [False, True])
def test_questions_that_are_joined_stand_alone(many_asked: Path, embedded: Path, tmp_path: Path, streaming: bool):
    both = tmp_path / "release"
    shutil.copytree(embedded, both)
    shutil.copytree(many_asked / "questions", both / "questions")
    alone = medloom.load(many_asked, suite="toys", split="train", streaming=streaming)
    joined = medloom.load(both, suite="toys", split="train", streaming=streaming)
    for row, other in zip(joined, alone, strict=True):
        assert row.keys() == other.keys()
        assert QUESTIONS not in row
        assert row["id"] == other["id"]


def test_a_source_without_questions_beside_one_that_has_them(many_asked: Path, embedded: Path, tmp_path: Path):
    mixed = tmp_path / "release"
    shutil.copytree(embedded, mixed)
    shard = next(one for one in Release(mixed).recipes()[0]["shards"] if one["split"] == "train")["path"]
    shutil.copy(many_asked / shard, mixed / shard)
    index = Release(mixed).index_path("phantom")
    table, plain = pq.read_table(index), pq.read_table(Release(many_asked).index_path("phantom"))
    own = pc.equal(table["shard"], shard).combine_chunks()
    for name in ("image_offset", "image_size", "json_offset", "json_size"):
        values = plain.filter(own)[name].combine_chunks()
        places = pc.replace_with_mask(table[name].combine_chunks(), own, values)
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), places)
    pq.write_table(table, index)
    ours = [row[QUESTIONS] for row in medloom.load(mixed, split="train")]
    theirs = [row[QUESTIONS] for row in load_dataset(str(mixed), split="train")]
    assert ours == theirs
    assert ours.count(None) == pc.sum(own).as_py() > 0


def test_webdataset_reads_them(embedded: Path):
    shards = sorted(str(path) for path in embedded.rglob("train-*.tar"))
    rows = list(webdataset.WebDataset(shards, shardshuffle=False).decode())
    assert all(question["key"] == row["__key__"] for row in rows for question in row[QUESTIONS])
    assert sum(len(row[QUESTIONS]) for row in rows) > 50


DRIVER = """
import os, signal, sys
from medloom.generation.asking import embed as room

def progress(stage, done, total, samples):
    if done == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    room.embed(sys.argv[1], "toys", sys.argv[2], workers=int(sys.argv[3]), progress=progress)
"""


def test_workers_and_kills_change_no_byte(many_asked: Path, embedded: Path, tmp_path: Path):
    (tmp_path / "driver.py").write_text(DRIVER)
    out = tmp_path / "out"
    codes = []
    for stop in (3, 0):
        arguments = [sys.executable, tmp_path / "driver.py", many_asked, out, 2, stop]
        codes.append(subprocess.run(list(map(str, arguments)), check=False, env=os.environ).returncode)
        assert out.exists() == (not stop)
    assert codes == [-signal.SIGKILL, 0]
    assert contents(out) == contents(embedded)
    assert not (tmp_path / "out.work/embed").exists()


def test_a_cut_of_it_holds_no_questions_and_says_so(embedded: Path, tmp_path: Path):
    keys = pq.read_table(Release(embedded).index_path("phantom"), columns=["key", "split"])
    chosen = [row["key"] for row in keys.to_pylist() if row["split"] == "train"][:20]
    import pyarrow as pa

    cut(embedded, pa.table({"key": chosen}), tmp_path / "cut", why={"where": "some"})
    assert check(tmp_path / "cut")["faults"] == []
    assert "embedded" not in Release(tmp_path / "cut").recipes()[0]


def test_what_is_taken_or_stale_is_refused(many_asked: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="isn't in"):
        embed(many_asked, "other", tmp_path / "out")
    with pytest.raises(UsageError, match="inside it"):
        embed(many_asked, "toys", many_asked / "out")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").touch()
    with pytest.raises(UsageError, match="taken"):
        embed(many_asked, "toys", tmp_path / "taken")
    shutil.copytree(many_asked, tmp_path / "changed")
    recipe = Release(tmp_path / "changed").recipes()[0]
    Release(tmp_path / "changed").recipe_path("phantom").write_text(json.dumps(recipe | {"content_sha256": "0" * 64}))
    with pytest.raises(ReleaseError, match="other contents"):
        embed(tmp_path / "changed", "toys", tmp_path / "out")


@pytest.mark.parametrize("body", [b"{", b'[{"id": "q"}]', None])
def test_questions_that_are_broken_or_lost(embedded: Path, tmp_path: Path, body: bytes | None):
    import hashlib

    from medloom.builders.shards import ShardWriter
    from medloom.schema.embedded import faults_of

    release = tmp_path / "release"
    shutil.copytree(embedded, release)
    recipe = Release(release).recipes()[0]
    path = release / recipe["shards"][0]["path"]
    held, samples = dict(questions(path)), list(pairs(path))
    broken = samples[0][0]
    with ShardWriter(path, path.with_suffix(".tmp")) as writer:
        for key, image, record, _ in samples:
            writer.add(key, image, record, questions=body if key == broken else held[key])
        writer.finish()
    assert hashlib.sha256(path.read_bytes()).hexdigest() != recipe["shards"][0]["sha256"]
    assert {one.code for one in faults_of(Release(release))} == {"bad-question"}
