"""How the tables of facts beside this file are read."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from ..vocabulary import fold


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one table, in its order: header word → cell, both as text."""
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Each word once, whatever its case, spaces and hyphens, as first printed."""
    first: dict[str, str] = {}
    for word in words:
        first.setdefault(fold(word), word)
    return tuple(first.values())
