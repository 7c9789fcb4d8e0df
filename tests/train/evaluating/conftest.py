"""Questions about the drawn phantoms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asked_phantoms import Phantoms, asked_phantoms

from medloom.train.asked import ReleaseAsked


@pytest.fixture(scope="session")
def phantoms(shared_folder: Path, built: Callable[[str], tuple[Path, Any]]) -> Phantoms:
    return asked_phantoms(shared_folder / "evaluated", built("phantom")[0])


@pytest.fixture
def some(phantoms: Phantoms) -> ReleaseAsked:
    """40 choices of the test split, of all rules."""
    asked = phantoms.asked()
    return asked.taken(range(0, len(asked), len(asked) // 40)[:40])
