"""Canonical labels: what a source's raw words mean.

A source maps each of its raw labels to one `Label`. Names are lower case, in American MeSH spelling where MeSH has the
term, without side: left and right are kept as `laterality`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import UsageError
from ..triplet import AREAS, TASKS
from ..vocabulary import slug

LATERALITIES = ("left", "right", "both")


@dataclass(frozen=True, slots=True)
class Label:
    """One canonical label; fields left empty follow the source's Facts."""

    name: str
    mesh: str | None = None
    """MeSH descriptor id, such as D004912."""
    area: str | None = None
    """Code in `AREAS` where this label lies elsewhere than the source's default."""
    task: str | None = None
    """Code in `TASKS` where this label serves another task than the source's default."""
    clinical_task: str | None = None
    departments: tuple[str, ...] = ()
    """Primary first."""
    laterality: str | None = None

    def __post_init__(self) -> None:
        if self.laterality not in (None, *LATERALITIES):
            raise UsageError(f"label {self.name!r}: laterality {self.laterality!r}; expected one of {LATERALITIES}")
        for vocabulary, word in ((AREAS, self.area), (TASKS, self.task)):
            if word is not None and word not in vocabulary:
                raise UsageError(f"label {self.name!r}: {word!r} is no code of {vocabulary.kind}")
        if self.clinical_task is not None:
            CLINICAL_TASKS.find(self.clinical_task)
        for department in self.departments:
            DEPARTMENTS.find(department)

    @property
    def id(self) -> str:
        """The MeSH descriptor where there is one, else the name as a slug behind `medloom:`."""
        return f"mesh:{self.mesh}" if self.mesh else _own_id(self.name)


@cache
def _own_id(name: str) -> str:
    return f"medloom:{slug(name)}"
