"""Numbers as dialects write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBER = r"\d+(?:\.\d*)?|\.\d+"
COMMA = r"\s*,\s*"
_NUMBER = re.compile(NUMBER)


def shown(step: float, decimals: int = 0) -> str:
    """A whole step as a number with so many digits after the point."""
    return f"{step / 10**decimals:.{decimals}f}"


def numbers_in(text: str) -> list[float]:
    """The numbers in a text, in order."""
    return [float(number) for number in _NUMBER.findall(text)]


def listed(numbers: Sequence[str], joint: str = ", ") -> str:
    """`[1, 2, 3, 4]`."""
    return "[" + joint.join(numbers) + "]"


def pairs(numbers: Sequence[str]) -> list[tuple[str, ...]]:
    """Each x with its y; what is left over (an ellipsis) alone."""
    return [tuple(numbers[place : place + 2]) for place in range(0, len(numbers), 2)]
