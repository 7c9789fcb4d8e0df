"""Tiny models with the processors of their families, and a few turns to answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from drawn_turns import WORDS, some_turns
from tiny_models import tiny

from medloom.train.predicting.backend import Turns


@pytest.fixture(scope="session")
def model(shared_folder: Path) -> Callable[[str], Path]:
    """The folder of a family's tiny model, made once for all tests of the run."""
    from filelock import FileLock

    def one(family: str) -> Path:
        folder = shared_folder / "predicting-models" / family
        folder.parent.mkdir(exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.exists():
                tiny(family, folder, WORDS)
        return folder

    return one


@pytest.fixture
def some() -> list[Turns]:
    return some_turns()
