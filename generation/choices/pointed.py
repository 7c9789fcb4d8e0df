"""On how many images one label could be asked about by a region, with another label that isn't there as a wrong option."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

POINTED = {"box": ("box",), "mask": ("mask", "contour", "box"), "contour": ("mask", "contour", "box")}
"""Granularity of an annotation → ways of pointing at it."""
Place = tuple[str, str, str, str]
"""Modality (detail where there is one), clinical task, way of pointing, split."""
Pairs = Mapping[Place, Mapping[tuple[str, str], int]]
"""Place → ids of a label with a region and of one that isn't present → images."""


class Tally:
    """Counts images by what is on them. Rows of one image come one after the other."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._present: set[str] = set()
        self._regions: dict[Place, set[str]] = {}
        self._found: dict[Place, Counter[tuple[frozenset[str], frozenset[str]]]] = {}

    def add(self, row: Mapping[str, Any], modality: str) -> None:
        """Take a row of the index, of a present label or of a region."""
        if row["key"] != self._key:
            self._close()
            self._key = row["key"]
        if row["granularity"] == "image":
            self._present.add(row["label_id"])
        for kind in POINTED.get(row["granularity"], ()):
            place = modality, row["clinical_task"], kind, row["split"]
            self._regions.setdefault(place, set()).add(row["label_id"])

    def pairs(self) -> Pairs:
        """How often each pair of a place's labels could meet, in either role."""
        self._close()
        return {place: self._pairs(patterns) for place, patterns in sorted(self._found.items())}

    def _pairs(self, patterns: Counter[tuple[frozenset[str], frozenset[str]]]) -> Mapping[tuple[str, str], int]:
        every = frozenset[str]().union(*(labels for labels, _ in patterns))
        counts = Counter[tuple[str, str]]()
        for (labels, present), images in patterns.items():
            for label in labels:
                counts.update({(label, other): images for other in every - present})
        return dict(sorted(counts.items()))

    def _close(self) -> None:
        for place, labels in self._regions.items():
            self._found.setdefault(place, Counter())[frozenset(labels), frozenset(self._present)] += 1
        self._present, self._regions = set(), {}
