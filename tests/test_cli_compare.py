"""`medloom report` and `medloom compare` as people and scripts meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scored_runs import folder, run

from medloom.cli import main


def called(*arguments: Any) -> int:
    """The exit code of the command line in this very process."""
    with pytest.raises(SystemExit) as left:
        main([*map(str, arguments)])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    made = (("tuned", [True] * 24), ("base", [True, False] * 12))
    first, second = (folder(tmp_path / name, run(hits, kind="single_choice"), model=f"[red]{name}") for name, hits in made)
    return first, second


def test_reports_are_written_beside_their_results(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
    assert called("report", *runs) == 0
    said = capsys.readouterr().out.replace("\n", "")
    for one in runs:
        assert (one / "report.html").is_file()
        assert (one / "report.md").is_file()
        assert str(one / "report.html") in said
    assert called("report", runs[0], "--json") == 0
    (written,) = json.loads(capsys.readouterr().out)
    assert written["html"] == str(runs[0] / "report.html")
    assert all(Path(path).is_file() for path in written.values())


def test_a_comparison_is_printed_and_written(runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    assert called("compare", *runs, "--out", out, "--resamples", 199, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((out / "comparison.json").read_text())
    one = found["pairs"][0]["measures"]["accuracy"]
    assert (one["a"], one["b"], one["mcnemar"]["only_a"], one["mcnemar"]["only_b"]) == (1.0, 0.5, 12, 0)
    assert {path.name for path in out.iterdir()} == {"comparison.json", "comparison.md", "comparison.html", "comparison-plots"}
    assert called("compare", *runs, "--out", out, "--resamples", 199) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("24 questions from 12 groups", "accuracy", "+0.500", "tuned", "base", "backend.model"))


def test_what_cannot_be_told_is_exit_code_2(runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert called("report", tmp_path, "--json") == 2
    assert "no results.json" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert called("compare", runs[0], "--out", tmp_path / "out", "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "UsageError"
    part = folder(tmp_path / "part", run([True] * 6, kind="single_choice"), digest="e" * 64)
    assert called("compare", runs[0], part, "--out", tmp_path / "out", "--json") == 2
    assert "--shared" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert called("compare", runs[0], part, "--out", tmp_path / "out", "--shared", "--resamples", 9) == 0
    assert "18 questions aren't in all runs" in capsys.readouterr().out
