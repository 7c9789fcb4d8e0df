"""Numbers as reports write them: three decimals, intervals in words, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "–"


def value(number: float | None) -> str:
    """A measure or share: `0.512`."""
    return NONE if number is None else f"{number:.3f}"


def signed(number: float | None) -> str:
    """A difference: `+0.012`."""
    return NONE if number is None else f"{number:+.3f}"


def ends(one: Mapping[str, Any] | None, write: Any = value) -> str:
    """An interval: `0.481 to 0.543`."""
    low = None if one is None else one.get("low")
    return NONE if one is None or low is None else f"{write(low)} to {write(one['high'])}"


def probability(number: float | None) -> str:
    """A p value with three digits that count: `0.0123`, `0.000999`."""
    if number is None:
        return NONE
    return f"{number:.3f}" if number >= 0.1 else f"{number:.2e}" if number < 1e-4 else f"{number:.3g}"


def count(number: int | None) -> str:
    """A whole number with separators: `1,200`."""
    return NONE if number is None else f"{number:,}"


def share(part: int, whole: int) -> str:
    """A part in per cent: `12.5 %`."""
    return f"{100 * part / whole:.1f} %" if whole else NONE


def words(name: str) -> str:
    """A name of ours in words: `single_choice` is `single choice`."""
    return name.replace("_", " ")
