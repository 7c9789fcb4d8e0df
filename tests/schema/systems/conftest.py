"""The reference tables that the facts are read off, where they lie beside the checkout."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"


@pytest.fixture(scope="session")
def reference() -> Callable[[str], list[dict[str, str]]]:
    """The rows of a reference table, or a skip."""

    def rows(name: str) -> list[dict[str, str]]:
        if not (REFERENCE / name).is_file():
            pytest.skip(f"reference tables absent: {name} is looked for in ../shared/reference beside the checkout")
        with (REFERENCE / name).open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    return rows
