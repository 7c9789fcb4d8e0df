"""Names with their regions, both right: MIMO's F1.

A hit is a given name that means a true one, with a region whose IoU with the true region is above 0.5. Precision is hits
over given, recall hits over true, pairs being one to one. Masks are compared name by name, all that is given under a name
as one mask; boxes are compared one by one, each with its name. Over a set of questions hits and counts are added up first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .boxes import most_pairs
from .names import Name

ABOVE = 0.5


@dataclass(frozen=True, slots=True)
class Hits:
    """Counts of one question, or of many."""

    hits: int
    given: int
    true: int

    @property
    def f1(self) -> float:
        """Twice the hits over all given and all true; 1 where there is nothing of either."""
        both = self.given + self.true
        return 2 * self.hits / both if both else 1.0


def entity_hits(given: Sequence[Name], true: Sequence[Name], iou: np.ndarray) -> Hits:
    """The hits among given (rows of `iou`) and true (columns) entities."""
    same = np.array([[one.means(other) for other in true] for one in given], bool).reshape(iou.shape)
    return Hits(most_pairs(same & (iou > ABOVE)), len(given), len(true))


def entity_tallies(one: Hits, name: str) -> dict[str, float]:
    """What precision, recall and F1 over a set add up, named `entity_hits` and the like."""
    counts = {"hits": one.hits, "given": one.given, "true": one.true}
    return {f"{name}_{count}": float(value) for count, value in counts.items()} | {
        f"{name}_twice_hits": 2.0 * one.hits,
        f"{name}_both": float(one.given + one.true),
    }
