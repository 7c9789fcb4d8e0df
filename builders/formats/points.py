"""Lists of points: one text file per image, one point and its type per line.

    594 95 0

`{"columns": ("x", "y", "label")}` says what stands where; other names are skipped, and without a `label` column every
point is of the option `label`. `{"delimiter": ","}` splits at a character instead of white space, `{"header": 1}` skips
lines at the top, `{"one_based": True}` counts pixels from 1. Coordinates are taken as they stand in the frame of
`schema.region`: a tool that wrote pixel indices means the pixel whose upper-left corner that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...schema.errors import Issue, RegionError, Severity, UsageError
from ...schema.region import check_point
from ..picture import Report
from ..unit import LabelFile, Mark
from .label_text import check_options, lines, number, raw_label, report_empty

OPTIONS = ("columns", "delimiter", "header", "label", "one_based")


def marks(path: Path, target: LabelFile, *, size_hw_px: tuple[int, int], report: Report) -> list[Mark]:
    """One point per line, in px, in the order of the file.

    Raises:
        UnreadableError: the file isn't text.
        UsageError: the options name no x, no y, or no label.
    """
    columns = _columns(target)
    skipped = int(target.options.get("header", 0))
    rows = [(index, line) for index, line in lines(path) if index > skipped]
    if not rows:
        report_empty(path, found="no lines", severity=Severity.WARNING, report=report)
    found = []
    for index, line in rows:
        where = f"{path.name} line {index}"
        try:
            word, point = _point(line, columns, target)
            point = check_point(*point, size_hw_px)
        except RegionError as error:
            report(error.issue(where, severity=Severity.WARNING))
            continue
        except ValueError:
            report(Issue("bad-row", where, repr(line[:80]), " ".join(columns), "it was left out"))
            continue
        label = raw_label(word, target, where=where, report=report)
        if label is not None:
            made_by = {"observer": target.observer, "origin": target.origin}
            found.append(Mark(label=label, where=where, points_px=(point,), **made_by))
    return found


def _columns(target: LabelFile) -> tuple[str, ...]:
    check_options(target, OPTIONS)
    columns = tuple(target.options.get("columns", ("x", "y", "label")))
    if not {"x", "y"} <= set(columns) or ("label" in columns) == ("label" in target.options):
        raise UsageError(f"points with columns {columns}; expected x, y, and a label column or the option `label`")
    return columns


def _point(line: str, columns: Sequence[str], target: LabelFile) -> tuple[str, tuple[float, float]]:
    """Word and (x, y) of a line.

    Raises:
        ValueError: another number of words, or no numbers.
    """
    words = [word.strip() for word in line.split(target.options.get("delimiter"))]
    row = dict(zip(columns, words, strict=True))
    word = row.get("label") or target.options.get("label", "")
    if not word:
        raise ValueError("no label")
    first = 1.0 if target.options.get("one_based", False) else 0.0
    return word, (number(row["x"]) - first, number(row["y"]) - first)
