"""`medloom withdraw` and `medloom diff` at the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest


def medloom(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "medloom", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def told(*arguments: str | Path) -> dict[str, Any]:
    done = medloom(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def release(twins, tmp_path: Path) -> Path:
    shutil.copytree(twins.release, tmp_path / "release")
    return tmp_path / "release"


def test_what_is_withdrawn_shows_in_a_diff(release: Path, twins):
    rows = [row for row in pq.read_table(release / "index/owned/samples.parquet").to_pylist() if row["shard"]]
    named = (rows[0]["key"], "--group", rows[-1]["group"], "--reason", "consent withdrawn")
    planned = told("withdraw", release, *named, "--dry-run")
    done = told("withdraw", release, *named)
    assert (planned["withdrawn"], planned["dry_run"]) == (done["withdrawn"], True)
    assert medloom("check", release).returncode == 0
    found = told("diff", twins.release, release, "--out", release.with_name("changes.csv"))
    assert found["changes"] == {"withdrawn": done["withdrawn"]}
    assert len(found["list"]) == done["withdrawn"]
    assert len(release.with_name("changes.csv").read_text().splitlines()) == 1 + done["withdrawn"]
    assert medloom("diff", twins.release, release, "--fail").returncode == 1
    shown = medloom("diff", twins.release, release)
    assert (shown.returncode, "1 of 2 sources are the same" in shown.stdout) == (0, True)
    again = medloom("withdraw", release, *named)
    assert (again.returncode, "0 samples withdrawn" in again.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("withdraw", "RELEASE", "nobody"), "an empty reason"),
        (("withdraw", "RELEASE", "nobody", "--reason", "x"), "not in"),
        (("diff", "RELEASE", "RELEASE", "--out", "changes.xlsx"), "expected a name that ends in"),
    ],
)
def test_wrong_calls_are_exit_code_2(release: Path, arguments: tuple[str, ...], words: str):
    done = medloom(*(str(release) if one == "RELEASE" else one for one in arguments))
    assert done.returncode == 2
    assert words in done.stderr


def test_a_card_is_made_anew_and_a_release_without_one_gets_none(release: Path):
    key = next(row["key"] for row in pq.read_table(release / "index/owned/samples.parquet").to_pylist() if row["shard"])
    assert medloom("card", release).returncode == 0
    before = (release / "README.md").read_text()
    assert told("withdraw", release, key, "--reason", "test")["card"]
    assert (release / "DATASHEET.md").exists()
    assert (release / "README.md").read_text() != before
    assert told("check", release)["faults"] == []
