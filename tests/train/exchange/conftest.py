"""A release of the phantom with a few questions of two suites, to be exported."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medloom.generation.asking.ask import ask
from medloom.train.asked import ReleaseAsked

Built = Callable[[str], tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "release"
    shutil.copytree(built("phantom")[0], folder)
    for suite in ("gmai", "mimoseg"):
        ask(folder, suite)
    return folder


@pytest.fixture(scope="session")
def choices(phantom: Path) -> ReleaseAsked:
    """Every third choice of the test split."""
    asked = ReleaseAsked.open(phantom, suite="gmai", split="test")
    return asked.taken(range(0, len(asked), 3))


@pytest.fixture(scope="session")
def regions(phantom: Path) -> ReleaseAsked:
    """Every fifth question about regions of the test split."""
    asked = ReleaseAsked.open(phantom, suite="mimoseg", split="test")
    return asked.taken(range(0, len(asked), 5))
