"""Med-MAT: the 53 subsets of its table, and the names of the 109 datasets that they are made of.

`medmat_subsets.csv` and `medmat_datasets.csv` hold numbers and words as the paper prints them, its flaws included:

- `Co` is colposcopy in the table's legend and colonoscopy in the text; the one subset that has it (01) is of the cervix.
- Dataset 44 stands in subsets 18 (cells) and 22 (brain): in 18 it looks like a misprint of 43.
- Datasets 43, 64 and 83 stand in no subset; `LEFT_OUT` says where we would put them.
- Datasets 41 and 46 are one collection of lymphoma slides; 46 stands under the retina.
- Dataset 97 is of the breast (BUSI, as 48 in subset 24), and its subset 43 is printed under the chest.
- Dataset 54 is described as COVID-19 and holds tuberculosis.
- Kind and distribution: only the 37 classification subsets say whether they are in- or out-of-distribution.
- The paper counts 13 tasks and lists none; its table has 50 printed tasks and 16 areas, its text 14 areas. A subset's
  `broad_task` is our reading (`schema/triplet.py`), and the 16 areas of the table hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from ..errors import UsageError
from ..triplet import MODALITIES, TASKS, Triplet
from ..vocabulary import Term, fold
from .table import rows

_NUMBER = re.compile(r"(?:med-?\s?mat)?[\s:#_-]*(?:subset)?[\s:#_-]*(\d{1,2})", re.IGNORECASE)

LEFT_OUT = {43: "18", 64: "08", 83: "18"}
"""Datasets that the table puts in no subset, and the subset that each seems meant for: our reading, kept out of `SUBSETS`."""


@dataclass(frozen=True)
class Subset:
    """One row of Med-MAT's table."""

    number: str
    """Two digits, "01" to "53"."""
    modality_code: str
    modality: str
    area: str
    task: str
    """Modality, area and task as printed; `triplet` holds our codes."""
    kinds: tuple[str, ...]
    """`classification`, or `detection` and `segmentation`, or one of them."""
    distribution: str | None
    """`ID` or `OOD` for classification; None for the others, of which the paper doesn't say."""
    datasets: tuple[int, ...]
    """Numbers in `DATASETS`, as printed."""

    @cached_property
    def triplet(self) -> Triplet:
        """The same in our codes."""
        return Triplet.find(self.modality_code, self.area, self.task)

    @property
    def kind(self) -> str:
        """The kinds as the table prints them, joined by a semicolon."""
        return ";".join(self.kinds)

    @property
    def slug(self) -> str:
        """What MedLoom calls this subset, such as "ct-lung-covid-19"."""
        return self.triplet.subset

    @property
    def broad_task(self) -> Term:
        """Which of the 13 broad tasks it serves: our reading, since the paper never lists them."""
        return TASKS.root(self.triplet.task)

    @property
    def name(self) -> str:
        """What people call it, such as "Med-MAT 03"."""
        return f"Med-MAT {self.number}"


@dataclass(frozen=True)
class Dataset:
    """One of the 109 numbered datasets: its printed name, and the subsets whose rows give its number."""

    number: int
    name: str
    subsets: tuple[str, ...]
    """Two-digit numbers; empty for 43, 64 and 83."""


def _subset(row: dict[str, str]) -> Subset:
    return Subset(
        number=row["subset"],
        modality_code=row["modality_code"],
        modality=row["modality"],
        area=row["area"],
        task=row["task"],
        kinds=tuple(row["kind"].split(";")),
        distribution=row["distribution"] or None,
        datasets=tuple(map(int, row["datasets"].split())),
    )


SUBSETS: tuple[Subset, ...] = tuple(_subset(row) for row in rows("medmat_subsets.csv"))

DATASETS: tuple[Dataset, ...] = tuple(
    Dataset(number, row["name"], tuple(one.number for one in SUBSETS if number in one.datasets))
    for row in rows("medmat_datasets.csv")
    for number in [int(row["number"])]
)

AREAS: tuple[str, ...] = tuple(dict.fromkeys(one.area for one in SUBSETS))
"""The 16 printed areas."""

TASK_NAMES: tuple[str, ...] = tuple(dict.fromkeys(one.task for one in SUBSETS))
"""The 50 printed tasks of the 53 subsets."""

MODALITY_CODES: tuple[str, ...] = tuple(dict.fromkeys(one.modality_code for one in SUBSETS))
"""The 11 printed codes."""

_BY_NUMBER = {one.number: one for one in SUBSETS}
_BY_SLUG = {one.slug: one for one in SUBSETS}


def number_of(word: str) -> str | None:
    """The two digits that "03", "3", "Med-MAT 03" or "subset 3" means; None where the word has no such form."""
    match = _NUMBER.fullmatch(word.strip())
    return f"{int(match[1]):02d}" if match else None


def find(word: str) -> Subset:
    """The subset of a number ("03", "Med-MAT 3") or of our slug ("ct-lung-covid-19").

    Raises:
        UsageError: No row has this number or slug.
    """
    found = _BY_NUMBER.get(number_of(word) or "") or _BY_SLUG.get(word.strip().casefold())
    if found is None:
        close = get_close_matches(word.casefold(), _BY_SLUG, n=3, cutoff=0.6)
        expected = f"perhaps {' or '.join(close)}" if close else f"a number from 01 to {len(SUBSETS)}, or a slug"
        raise UsageError(f"Med-MAT subset {word!r} is unknown; expected {expected}")
    return found


def of_triplet(triplet: Triplet) -> tuple[Subset, ...]:
    """The subsets that a sample of this triplet belongs to: those whose task it serves in their modality and area.

    A narrower modality, area or task counts: CT angiography of the lung for COVID-19 belongs to subset 03.
    """
    return tuple(one for one in SUBSETS if _holds(one.triplet, triplet))


def _holds(wide: Triplet, narrow: Triplet) -> bool:
    from ..triplet import AREAS as PLACES

    return (
        MODALITIES.is_a(narrow.modality, wide.modality)
        and PLACES.is_a(narrow.area, wide.area)
        and TASKS.is_a(narrow.task, wide.task)
    )


def find_dataset(word: str) -> tuple[Dataset, ...]:
    """The datasets that a printed name or a number means; several where a name stands more than once ("BUSI").

    Raises:
        UsageError: No dataset has this name or number.
    """
    folded = fold(word)
    found = tuple(one for one in DATASETS if folded in (fold(one.name), str(one.number)))
    if not found:
        names = {fold(one.name): one.name for one in DATASETS}
        close = [names[match] for match in get_close_matches(folded, names, n=3, cutoff=0.6)]
        expected = f"perhaps {' or '.join(close)}" if close else f"one of {len(DATASETS)} names, or a number up to 109"
        raise UsageError(f"Med-MAT dataset {word!r} is unknown; expected {expected}")
    return found
