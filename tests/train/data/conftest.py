"""A release with two suites of questions, for all tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medloom.generation.asking.ask import ask


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory, built: Callable[[str], tuple[Path, dict[str, Any]]]) -> Path:
    """Phantoms with the questions of `gmai` and `mimoseg`. Copy it before changing it."""
    release = tmp_path_factory.mktemp("asked") / "release"
    shutil.copytree(built("phantom")[0], release)
    for suite in ("gmai", "mimoseg"):
        ask(release, suite)
    return release
