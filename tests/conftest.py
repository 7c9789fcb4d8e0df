"""Fixtures for every room: where the real sources lie, if anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_root() -> Path | None:
    """The folder with one subfolder per real source: `MEDLOOM_DATA`, else `../shared/data` beside the checkout."""
    named = os.environ.get("MEDLOOM_DATA")
    root = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return root if root.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = data_root()
    if root is None:
        pytest.skip("real sources absent: set MEDLOOM_DATA to the folder that holds them")
    return root
