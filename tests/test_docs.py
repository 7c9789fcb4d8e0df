"""Docs that tell the truth: their code blocks run, their links lead somewhere, and they name every verb and field."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

import medloom
from medloom.cli import app
from medloom.schema.sample import Annotation, LabelState, Sample

ROOT = Path(medloom.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RUN = [page for page in PAGES if re.search(r"^```(bash|python)$", page.read_text(encoding="utf-8"), re.MULTILINE)]

LEFT_HALF_READ = (-signal.SIGABRT, "terminate called without an active exception")
"""How pyarrow may end an interpreter that is done, where a stream of Parquet wasn't read to its end (apache/arrow#45214)."""


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and code of every block that is meant to run."""
    yield from re.findall(r"^```(bash|python)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_code_blocks_run_one_after_the_other(page: Path, tmp_path: Path):
    """All blocks of a page in one folder, each by itself, as a reader pastes them."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"HF_HOME": str(tmp_path / "hf"), "PYTHONWARNINGS": "error"}
    folder = tmp_path / "reader"
    folder.mkdir()
    for language, code in blocks(page):
        command = [sys.executable, "-c", code] if language == "python" else ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        if language == "python" and (done.returncode, done.stderr.strip()) == LEFT_HALF_READ:
            continue
        assert done.returncode == 0, f"{page.name}:\n{code}\n{done.stdout}\n{done.stderr}"


def test_at_least_the_guides_are_run():
    assert {page.name for page in RUN} >= {"README.md", "your-own-source.md", "release-format.md", "sources.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_that_are_there(page: Path):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert broken == []


def test_the_readme_names_every_verb_and_every_room():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert verbs
    assert [verb for verb in verbs if f"`medloom {verb}" not in text] == []
    rooms = [path.parent.name for path in ROOT.glob("*/__init__.py")]
    assert [room for room in rooms if f"`{room}/`" not in text] == []


def test_the_format_page_names_every_field():
    text = (ROOT / "docs" / "release-format.md").read_text(encoding="utf-8")
    names = {field.name for cls in (Sample, LabelState, Annotation) for field in fields(cls)}
    assert sorted(name for name in names if f"`{name}`" not in text) == []


def test_citation_and_changelog_agree_with_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == medloom.__version__
    assert citation["license"] == "Apache-2.0"
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
