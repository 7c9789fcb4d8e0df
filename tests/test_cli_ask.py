"""`medloom ask` as people and scripts meet it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from medloom.cli import main
from medloom.schema.release import Release
from medloom.schema.shard import QUESTIONS


def called(*arguments: Any) -> int:
    """The exit code of the command line in this very process."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture
def release(built: Callable[[str], tuple[Path, Any]], tmp_path: Path) -> Path:
    shutil.copytree(built("phantom")[0], tmp_path / "release")
    return tmp_path / "release"


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def one(*arguments: Any, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert called(*arguments, "--json") == code
        return json.loads(capsys.readouterr().out)

    return one


def test_json_is_what_was_written(release: Path, document: Callable):
    found = document("ask", release, "--suite", "mimoseg", "--workers", 2, "--seed", 3)
    rows = [row for path in (release / "questions").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert found["questions"] == len(rows) == sum(found["counts"]["kind"].values()) > 100
    assert (found["seed"], found["made"], found["preview"]) == (3, True, None)
    assert Release(release).suites == ["mimoseg"]
    assert not document("ask", release, "--suite", "mimoseg", "--seed", 3)["made"]


def test_the_table_tells_kinds_departments_and_subsets(release: Path, capsys: pytest.CaptureFixture[str]):
    assert called("ask", release, "--suite", "mimoseg", "--workers", 1) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("grounding", "Pulmonary Medicine", "ct-lung-lung-segmentation", "train", "mimoseg:"))
    assert called("ask", release, "--suite", "mimoseg", "--workers", 1) == 0
    assert "which were there already" in capsys.readouterr().out


def test_withheld_answers_go_into_the_private_folder(release: Path, document: Callable, tmp_path: Path):
    private = tmp_path / "private"
    found = document("ask", release, "--suite", "gmai", "--withhold-answers", "test", "--answers", private)
    assert found["withheld"] == ["test"]
    assert Path(found["answers"]) == private / "gmai"
    shown = [row for path in private.rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert {row["split"] for row in shown} == {"test"}
    assert all(row["letters"] for row in shown)
    released = [row for path in (release / "questions").rglob("test-*.parquet") for row in pq.read_table(path).to_pylist()]
    assert len(released) == len(shown) > 10
    assert not any(row["letters"] or row["answer"] for row in released)


def test_a_dry_run_writes_nothing(release: Path, document: Callable, capsys: pytest.CaptureFixture[str]):
    found = document("ask", release, "--suite", "medtrinity", "--dry-run", "--limit", 5)
    assert 0 < found["questions"] < found["estimated_questions"]
    assert not (release / "questions").exists()
    assert called("ask", release, "--suite", "medtrinity", "--dry-run", "--limit", 5) == 0
    assert "nothing was written" in capsys.readouterr().out


def test_a_preview_and_shards_that_hold_the_questions(release: Path, document: Callable, tmp_path: Path):
    out = tmp_path / "asked"
    found = document("ask", release, "--suite", "mimoseg", "--preview", 1, "--embed", "--out", out, "--limit", 3)
    page = Path(found["preview"])
    assert release not in page.parents
    assert "<html" in page.read_text()
    assert found["embedded"]["questions"] == found["questions"]
    rows = load_dataset(str(out), split="train")
    assert sum(len(row[QUESTIONS]) for row in rows) > 5
    assert document("check", out)["faults"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--suite", "nothing"),
        ("--suite", "gmai", "--withhold-answers", "tests"),
        ("--suite", "gmai", "--answers", "private"),
        ("--suite", "gmai", "--embed"),
        ("--suite", "gmai", "--out", "private"),
        ("--suite", "gmai", "--dry-run", "--fresh"),
        (),
    ],
)
def test_wrong_use(release: Path, document: Callable, arguments: tuple[str, ...]):
    assert document("ask", release, *arguments, code=2)["error"]["kind"] == "UsageError"
    assert not (release / "questions").exists()


def test_the_baseline_is_printed_and_decides_the_exit_code(release: Path, document: Callable, capsys, monkeypatch):
    found = document("ask", release, "--suite", "gmai", "--baseline")["baseline"]
    assert found["passed"]
    assert found["suites"]["gmai"]["tried"] > 50
    monkeypatch.setattr("medloom.generation.baseline.report.LEVEL", 1.1)
    assert called("ask", release, "--suite", "gmai", "--baseline") == 1
    assert "guessers in red are above chance" in capsys.readouterr().out
