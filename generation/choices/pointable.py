"""Which annotations of a sample can be pointed at, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..case import Case, Record
from .pointed import POINTED


def regions_of(case: Case, min_area_share: float) -> Mapping[tuple[str, str], Sequence[Record]]:
    """Annotations that are large enough, by label id and granularity."""
    height, width = case.size_hw_px
    smallest = min_area_share * height * width
    found: dict[tuple[str, str], list[Record]] = {}
    for one in case.record["annotations"]:
        if not smallest or _area_px(one) >= smallest:
            found.setdefault((one["label_id"], one["granularity"]), []).append(one)
    return found


def pointable(
    label_id: str, regions: Mapping[tuple[str, str], Sequence[Record]], ways: Mapping[str, Sequence[str]]
) -> Mapping[str, Sequence[Record]]:
    """Way of pointing → the label's annotations: given boxes rather than derived ones."""
    found: dict[str, Sequence[Record]] = {}
    for given, shown in ways.items():
        for kind in shown if (label_id, given) in regions else ():
            found.setdefault(kind, regions[label_id, given])
    return found


def allowed(given: str, granularities: Sequence[str], derived_boxes: bool) -> tuple[str, ...]:
    """Ways of pointing that are wanted, at annotations of a granularity."""
    return tuple(one for one in POINTED[given] if one in granularities and (one != "box" or given == "box" or derived_boxes))


def _area_px(region: Record) -> float:
    if region["area_px"] is not None or region["box_xyxy_px"] is None:
        return region["area_px"] or 0.0
    x0, y0, x1, y1 = region["box_xyxy_px"]
    return (x1 - x0) * (y1 - y0)
