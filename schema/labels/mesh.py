"""The descriptors of Medical Subject Headings (MeSH) that our labels use: id, preferred term and places in the tree.

`mesh.csv` holds a selection, not MeSH itself. `since` is the year of the MeSH version that a row was taken from: 2017, or,
in the dated supplement, the year in which MeSH introduced a descriptor that 2017 lacks (such as COVID-19). Tree numbers are
those of 2017; later years renumbered the tree, so supplement rows have none.

Terms of use: source of the descriptors is MeSH 2017, courtesy of the U.S. National Library of Medicine. The selection was
modified (a few descriptors and columns of it, with a supplement), is not the most current version that the library
offers, and the library hasn't endorsed it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import UsageError
from .sheet import rows_of

BUILT_IN = Path(__file__).with_name("mesh.csv")
COLUMNS = ("descriptor", "term", "tree_numbers", "since")
ID = re.compile(r"D\d{6}(\d{3})?")
_YEAR = re.compile(r"(19|20)\d\d")
_TREE_NUMBER = re.compile(r"[A-Z]\d\d(\.\d{3})*")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One heading of MeSH."""

    id: str
    """Such as D004912; it never changes."""
    term: str
    """The preferred term, as MeSH prints it: often plural, often inverted at a comma."""
    tree_numbers: tuple[str, ...]
    """Places in the tree of 2017; empty in the supplement."""
    since: int

    @property
    def words(self) -> tuple[str, ...]:
        """The preferred term, and its natural order where it is inverted: `Pneumonia, Viral` is also `Viral Pneumonia`."""
        parts = self.term.split(", ")
        return (self.term,) if len(parts) == 1 else (self.term, " ".join(reversed(parts)))

    def lies_under(self, other: Descriptor) -> bool:
        """Whether one of its places is one of the other's, or below it."""
        return any(f"{mine}.".startswith(f"{wider}.") for mine in self.tree_numbers for wider in other.tree_numbers)


@cache
def mesh() -> Mapping[str, Descriptor]:
    """Descriptor id → descriptor, of the built-in selection."""
    return read(BUILT_IN)


def read(path: Path) -> dict[str, Descriptor]:
    """Descriptor id → descriptor, of a CSV file with the columns of `COLUMNS`, sorted by the ids' numbers.

    Raises:
        UsageError: A column or cell is missing, or an id, tree number or year can't be one, stands twice or out of order.
    """
    found: dict[str, Descriptor] = {}
    last = 0
    for row, cells in rows_of(path, COLUMNS):
        descriptor = _descriptor(cells, f"{path.name} row {row}")
        if int(descriptor.id[1:]) <= last:
            raise UsageError(f"{path.name} row {row}: {descriptor.id} after D{last:06d}; expected ids in order; sort the rows")
        found[descriptor.id], last = descriptor, int(descriptor.id[1:])
    return found


def _descriptor(cells: Mapping[str, str], where: str) -> Descriptor:
    numbers = tuple(number.strip() for number in cells["tree_numbers"].split(";") if number.strip())
    wrong = [number for number in numbers if not _TREE_NUMBER.fullmatch(number)]
    if not ID.fullmatch(cells["descriptor"]) or wrong or not cells["term"] or not _YEAR.fullmatch(cells["since"]):
        expected = "an id like D004912, a term, tree numbers like A15.145, and a year"
        raise UsageError(f"{where}: {list(cells.values())}; expected {expected}; correct the row")
    return Descriptor(cells["descriptor"], cells["term"], numbers, int(cells["since"]))
