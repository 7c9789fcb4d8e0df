"""Canonical labels as a source states them: what each of its raw words means.

A source maps each of its raw labels to one `Label`. What the canonical table knows of it (descriptor, departments,
clinical task) isn't repeated: a source states it only where its own context truly differs. Names that the table doesn't
know are a user's own; `medloom labels lint` tells which of them it should.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import UsageError
from ..triplet import AREAS, TASKS
from ..vocabulary import slug
from .mesh import ID
from .table import Entry, table

LATERALITIES = ("left", "right", "both")


@dataclass(frozen=True, slots=True)
class Label:
    """One canonical label; fields left empty follow the canonical table, then the source's Facts.

    A word of the table becomes its canonical name at once, and a side in it the laterality: `Label("WBC").name` is "white
    blood cell", `Label("left lung")` is a "lung" of laterality "left". So no release holds two names for one thing.

    Raises:
        UsageError: A word is in no vocabulary, or contradicts the canonical table.
    """

    name: str
    mesh: str | None = None
    """MeSH descriptor id, such as D004912; stated only for names that the table doesn't know."""
    area: str | None = None
    """Code in `AREAS` where this label lies elsewhere than the source's default."""
    task: str | None = None
    """Code in `TASKS` where this label serves another task than the source's default."""
    clinical_task: str | None = None
    departments: tuple[str, ...] = ()
    """Primary first."""
    laterality: str | None = None

    def __post_init__(self) -> None:
        self._check_words()
        known = table().sided(self.name)
        if known is None:
            self._check_own_descriptor()
        else:
            self._become(*known)

    @property
    def id(self) -> str:
        """The table's id where it knows the name; else the MeSH descriptor, else the name as a slug behind `medloom:`."""
        return _id(self.name, self.mesh)

    @property
    def entry(self) -> Entry | None:
        """The table's row; None for a user's own label."""
        return table().find(self.name)

    def _check_words(self) -> None:
        if self.laterality not in (None, *LATERALITIES):
            raise UsageError(f"label {self.name!r}: laterality {self.laterality!r}; expected one of {LATERALITIES}")
        for vocabulary, word in ((AREAS, self.area), (TASKS, self.task)):
            if word is not None and word not in vocabulary:
                raise UsageError(f"label {self.name!r}: {word!r} is no code of {vocabulary.kind}")
        if isinstance(self.departments, str):
            raise UsageError(f"label {self.name!r}: departments {self.departments!r}; expected a tuple, the primary first")
        if self.clinical_task is not None:
            CLINICAL_TASKS.find(self.clinical_task)
        for department in self.departments:
            DEPARTMENTS.find(department)

    def _check_own_descriptor(self) -> None:
        if self.mesh is None:
            return
        if not ID.fullmatch(self.mesh):
            raise UsageError(f"label {self.name!r}: mesh {self.mesh!r}; expected a descriptor id such as D004912")
        other = table().find(self.mesh)
        if other is not None:
            found = f"{self.mesh} is the descriptor of {other.name!r}"
            raise UsageError(f"label {self.name!r}: {found}; expected one name for one thing; use that name, or state no mesh")

    def _become(self, entry: Entry, side: str | None) -> None:
        if self.mesh not in (None, entry.mesh):
            found = f"mesh {self.mesh!r}; expected {entry.mesh!r}, as the canonical table has it for {entry.name!r}"
            raise UsageError(f"label {self.name!r}: {found}; leave it out")
        if side is not None and self.laterality not in (None, side):
            raise UsageError(f"label {self.name!r}: laterality {self.laterality!r}; expected {side!r}, as its name says")
        object.__setattr__(self, "name", entry.name)
        object.__setattr__(self, "mesh", entry.mesh)
        object.__setattr__(self, "laterality", side or self.laterality)


@dataclass(frozen=True, slots=True)
class Override:
    """Departments and clinical task that win over a source's label and the table; what is empty stays as it was."""

    departments: tuple[str, ...] = ()
    clinical_task: str | None = None


Overrides = Mapping[str, Override]
"""Canonical name → what replaces its departments and clinical task, as a vote decided."""


@cache
def _id(name: str, mesh: str | None) -> str:
    if name in table():
        return table().id_of(name)
    return f"mesh:{mesh}" if mesh else f"medloom:{slug(name)}"
