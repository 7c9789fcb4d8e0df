"""All built-in suites on every source of the catalogue: how many questions of each kind, stated as a table."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medloom.builders import catalog
from medloom.generation.asking.ask import ask
from medloom.generation.suite import built_in
from medloom.schema.check_questions import faults_of
from medloom.schema.release import Release

STATED = Path(__file__).with_name("golden") / "question_counts.json"
"""Source → suite → kind → questions, and rule → code of what validators left out; `MEDLOOM_GOLDEN=1` writes it anew."""


def counted(release: Path) -> dict[str, dict[str, Any]]:
    """Suite → what was asked, and what was left out."""
    found = {}
    for suite in built_in():
        report = ask(release, suite, withhold=["test"])
        found[suite] = {"asked": report["counts"]["kind"], "left_out": report["left_out"]}
        assert sum(report["counts"]["kind"].values()) == report["questions"]
    assert list(faults_of(Release.open(release))) == []
    return found


@pytest.mark.slow
@pytest.mark.parametrize("source", catalog.names())
def test_every_source_is_asked_by_every_suite(source: str, built: Callable[[str], tuple[Path, Any]], tmp_path: Path):
    shutil.copytree(built(source)[0], tmp_path / "release", copy_function=os.link)
    found = counted(tmp_path / "release")
    stated = json.loads(STATED.read_text()) if STATED.exists() else {}
    if os.environ.get("MEDLOOM_GOLDEN"):
        stated = dict(sorted({**stated, source: found}.items()))
        STATED.write_text(json.dumps(stated, indent=1) + "\n")
    assert stated.get(source) == found


def test_the_table_names_every_source_and_every_suite():
    stated = json.loads(STATED.read_text())
    assert sorted(stated) == catalog.names()
    assert all(sorted(suites) == built_in() for suites in stated.values())
