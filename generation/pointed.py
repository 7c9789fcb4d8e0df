"""On how many images a label could be asked about by one of its regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Place = tuple[str, str, str]
"""Modality (detail where there is one), clinical task and granularity."""


class Tally:
    """Counts images by what is on them. Rows of one image come one after the other."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._present: set[str] = set()
        self._regions: dict[tuple[str, str, str, str], set[str]] = {}
        self._found: Counter[tuple[tuple[str, str, str, str], frozenset[str], frozenset[str]]] = Counter()

    def add(self, row: Mapping[str, Any], modality: str) -> None:
        """Take a row of the index, of a present label or of a region."""
        if row["key"] != self._key:
            self._close()
            self._key = row["key"]
        if row["granularity"] == "image":
            self._present.add(row["label_id"])
        else:
            place = modality, row["clinical_task"], row["granularity"], row["split"]
            self._regions.setdefault(place, set()).add(row["label_id"])

    def counts(
        self, pools: Mapping[Place, Iterable[str]], kin: Callable[[str, str], bool]
    ) -> dict[tuple[str, str, str, str], Counter[str]]:
        """Place and split → label id → images with such a region on which some label of the pool is kin to nothing present."""
        self._close()
        found: dict[tuple[str, str, str, str], Counter[str]] = {}
        for (place, labels, present), images in sorted(self._found.items(), key=_order):
            strangers = (one for one in pools[place[:3]] if not any(kin(one, other) for other in present))
            counts = found.setdefault(place, Counter())
            for label in labels if next(strangers, None) else ():
                counts[label] += images
        return found

    def _close(self) -> None:
        for place, labels in self._regions.items():
            self._found[place, frozenset(labels), frozenset(self._present)] += 1
        self._present, self._regions = set(), {}


def _order(item: tuple[tuple[Any, frozenset[str], frozenset[str]], int]) -> tuple[Any, ...]:
    (place, labels, present), _ = item
    return place, sorted(labels), sorted(present)
