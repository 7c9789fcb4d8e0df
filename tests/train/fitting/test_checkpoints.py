"""Only a whole checkpoint of the same run is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medloom.schema.errors import ResumeError
from medloom.train.fitting.checkpoints import SEAL, Checkpoint, checkpoints, clear, newest, same, seal

OWN = {"training": {"learning_rate": 0.001, "seed": 1}, "data": {"sets": [{"rows": 5}]}}


def written(run: Path, step: int, *, sealed: bool = True) -> Path:
    folder = run / f"checkpoint-{step}"
    (folder / "global_step").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights" * step)
    (folder / "global_step" / "shard_0.pt").write_bytes(b"optimizer")
    if sealed:
        seal(folder, OWN)
    return folder


def test_the_newest_whole_one_is_taken_by_its_number(tmp_path: Path):
    for step in (9, 100, 20):
        written(tmp_path, step)
    assert newest(tmp_path, OWN) == Checkpoint(tmp_path / "checkpoint-100", 100)
    assert newest(tmp_path / "empty", OWN) is None


@pytest.mark.parametrize("damage", ["unsealed", "short", "missing", "missing deep", "no json"])
def test_one_that_is_not_whole_is_removed(tmp_path: Path, damage: str):
    written(tmp_path, 3)
    folder = written(tmp_path, 6, sealed=damage != "unsealed")
    if damage == "short":
        (folder / "model.safetensors").write_bytes(b"weights")
    elif damage == "missing":
        (folder / "model.safetensors").unlink()
    elif damage == "missing deep":
        (folder / "global_step" / "shard_0.pt").unlink()
    elif damage == "no json":
        (folder / SEAL).write_text('{"step": 6, "fi')
    assert newest(tmp_path, OWN) == Checkpoint(tmp_path / "checkpoint-3", 3)
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-3"]


def test_what_differs_is_named(tmp_path: Path):
    written(tmp_path, 3)
    other = {"training": {"learning_rate": 0.002, "seed": 1}, "data": {"sets": [{"rows": 5}, {"rows": 2}]}}
    with pytest.raises(ResumeError, match=r"data\.sets\.1\.rows was None, is 2; training\.learning_rate was 0\.001, is 0\.002"):
        newest(tmp_path, other)
    assert checkpoints(tmp_path)


def test_other_content_is_told_by_its_name_and_not_by_digests(tmp_path: Path):
    def told(digest: str, rows: int) -> dict[str, Any]:
        own = {"release": "r", "suite": "gmai", "split": "train", "rows": rows, "ids_sha256": digest}
        return {"data": {"sets": [{**own, "content_sha256": {"phantom": digest}, "suite_digest": digest}]}}

    with pytest.raises(ResumeError) as found:
        same(told("a" * 64, 5), told("b" * 64, 7), where=tmp_path / SEAL)
    assert "data.sets.0.rows was 5, is 7; the content of r:gmai train changed; expected" in str(found.value)
    assert "aaaa" not in str(found.value)
    same(told("a", 5), told("a", 5), where=tmp_path)


def test_a_fresh_start_forgets(tmp_path: Path):
    written(tmp_path, 3)
    written(tmp_path, 6, sealed=False)
    (tmp_path / "checkpoint-notes").mkdir()
    clear(tmp_path)
    assert newest(tmp_path, OWN) is None
    assert (tmp_path / "checkpoint-notes").is_dir()
