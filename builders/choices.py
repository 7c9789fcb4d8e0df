"""What a user says on the command line, as the fields of `Reading` that override a source's."""

from __future__ import annotations

from typing import Any

from ..schema.errors import UsageError
from .source import BONE, BRAIN, LUNG, SOFT_TISSUE, Window

AXES = ("axial", "coronal", "sagittal")
WINDOWS = {window.name: window for window in (SOFT_TISSUE, LUNG, BONE, BRAIN)}


def reading_choices(*, axes: str | None = None, window: str | None = None, **others: Any) -> dict[str, Any]:
    """Only the fields that were chosen; `others` are taken as they are, None meaning the source's own.

    Raises:
        UsageError: an axis or window that doesn't exist.
    """
    chosen: dict[str, Any] = {name: value for name, value in others.items() if value is not None}
    if axes is not None:
        chosen["axes"] = _axes(axes)
    if window is not None:
        chosen["window"] = _window(window)
    return chosen


def _axes(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in words if word not in AXES]
    if unknown or not words:
        raise UsageError(f"--axes {text!r}; expected some of {', '.join(AXES)}, with commas between")
    return words


def _window(text: str) -> Window:
    if text in WINDOWS:
        return WINDOWS[text]
    expected = f"expected one of {', '.join(WINDOWS)}, or LOW,HIGH in HU such as -160,240"
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--window {text!r}; {expected}") from error
    if not -1e6 < low < high < 1e6:
        raise UsageError(f"--window {text!r}: from {low:g} to {high:g}; {expected}")
    return Window(name=f"{low:g} to {high:g}", low=low, high=high)
