"""YOLO: one text file per image, one object per line, coordinates as shares of the image's width and height.

    0 0.49 0.41 0.09 0.08          class, centre x, centre y, width, height
    1 0.1 0.1 0.4 0.1 0.4 0.5      class, then x and y of three corners or more: a polygon

Lines of both kinds may stand in one file. An odd number of words from seven on is read as a polygon, and a pose file's
keypoints look the same, so sources must not name one. An empty file means an image without objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from ...schema.errors import Issue, RegionError, Severity
from ...schema.region import box_from_yolo, check_box
from ..picture import Report
from ..unit import LabelFile, Mark
from .label_text import check_options, lines, number, raw_label, report_empty

EXPECTED = "a class number, then cx cy w h or three or more corners x y, as decimals"


def marks(path: Path, target: LabelFile, *, size_hw_px: tuple[int, int], report: Report) -> list[Mark]:
    """One box or polygon per line, in px, in the order of the file.

    Rounding moves an edge by up to 0.75 units of the last digit (half for the centre, a quarter for half the width);
    boxes that leave the image by no more are clipped to it. The digits are those of the file's most exact number.

    Raises:
        UnreadableError: the file isn't text.
    """
    check_options(target, ())
    rows = [(f"{path.name} line {index}", line.split()) for index, line in lines(path)]
    if not rows:
        report_empty(path, found="no lines", severity=Severity.INFO, report=report)
    slack = _slack(word for _, words in rows for word in words[1:])
    found = []
    for where, words in rows:
        try:
            place = _place(words, size_hw_px, slack=slack)
        except RegionError as error:
            report(error.issue(where, severity=Severity.WARNING))
            continue
        except ValueError:
            report(Issue("bad-row", where, repr(" ".join(words)[:80]), EXPECTED, "it was left out"))
            continue
        label = raw_label(str(int(number(words[0]))), target, where=where, report=report)
        if label is not None:
            found.append(Mark(label=label, where=where, observer=target.observer, origin=target.origin, **place))
    return found


def _place(words: Sequence[str], size_hw_px: tuple[int, int], *, slack: float) -> dict:
    """The geometry of a line as fields of a Mark.

    Raises:
        RegionError: it has no meaning on its image.
        ValueError: the line isn't one of YOLO's.
    """
    number_of_class, *shares = (number(word) for word in words)
    if not 0 <= number_of_class < 1e9 or number_of_class % 1:
        raise ValueError(words[0])
    height, width = size_hw_px
    if len(shares) == 4:
        cx, cy, w, h = shares
        x0, y0, x1, y1 = box_from_yolo(cx, cy, w, h, size_hw_px)
        box = (_snap(x0, width, slack), _snap(y0, height, slack), _snap(x1, width, slack), _snap(y1, height, slack))
        return {"box_xyxy_px": check_box(box, size_hw_px)}
    if len(shares) < 6 or len(shares) % 2:
        raise ValueError(len(words))
    xs = [_snap(share * width, width, slack) for share in shares[::2]]
    ys = [_snap(share * height, height, slack) for share in shares[1::2]]
    x0, y0, x1, y1 = check_box((min(xs), min(ys), max(xs), max(ys)), size_hw_px)
    ring = tuple((min(max(x, x0), x1), min(max(y, y0), y1)) for x, y in zip(xs, ys, strict=True))
    return {"polygons_px": (ring,)}


def _slack(words: Iterable[str]) -> float:
    """How far, as a share, rounding may have moved an edge; 0 where the file has too few digits to tell."""
    digits = max((_digits(word) for word in words), default=0)
    return 0.75 * 10.0**-digits if digits >= 2 else 0.0


def _digits(word: str) -> int:
    try:
        number(word)
    except ValueError:
        return 0
    exponent = Decimal(word).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _snap(edge_px: float, side_px: int, slack: float) -> float:
    """The edge, moved to the border it passes by no more than the slack (and the error of a float)."""
    allowed = slack * side_px + 1e-6
    if -allowed <= edge_px < 0:
        return 0.0
    return float(side_px) if side_px < edge_px <= side_px + allowed else edge_px
