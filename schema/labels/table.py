"""The table of canonical labels: one name for one thing, whatever a source calls it.

`labels.csv` is made to be edited by a person, in a spreadsheet or an editor: one row per label, sorted by name, several
aliases or departments in one cell separated by "; ". Names are lower case, without side, in the singular but for vessels
and the like that are labelled as one. Whatever stands twice, points nowhere or contradicts itself is refused with its row.

Two rows may share a MeSH descriptor only as parent and child ("lung tumor" and "lung cancer"): the parent then bears the
descriptor as its id, and the child an id of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import UsageError
from ..vocabulary import Vocabulary, fold, slug
from . import mesh
from .mesh import Descriptor
from .sheet import rows_of

BUILT_IN = Path(__file__).with_name("labels.csv")
COLUMNS = ("name", "mesh", "parent", "aliases", "departments", "clinical_task", "note")
_SIDE = re.compile(r"(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One canonical label."""

    name: str
    mesh: str | None = None
    """MeSH descriptor id, such as D004912."""
    parent: str | None = None
    """Name of the wider label."""
    aliases: tuple[str, ...] = ()
    """Abbreviations, British spelling, other words that sources print; MeSH's own term needs none."""
    departments: tuple[str, ...] = ("None",)
    """Full names, primary first; `None` alone where it belongs to none."""
    clinical_task: str = "None"
    """Full name."""
    note: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Name and aliases, as printed."""
        return (self.name, *self.aliases)


class LabelTable:
    """Entries in the order of the table, found by any of their words.

    Raises:
        UsageError: Rows clash, aren't sorted, or point to what isn't there; the message names file and row.
    """

    def __init__(
        self, entries: Iterable[Entry], *, where: str = "labels.csv", descriptors: Mapping[str, Descriptor] | None = None
    ):
        self.where = where
        self.descriptors = mesh.mesh() if descriptors is None else descriptors
        self._by_name = self._names(entries)
        self._row = {name: row for row, name in enumerate(self._by_name, start=2)}
        self._check_parents()
        self._children = self._families()
        self._owners = self._descriptor_owners()
        self._ids = {entry.name: self._id(entry) for entry in self}
        self._by_word = self._words()

    def __getitem__(self, name: str) -> Entry:
        if name not in self._by_name:
            close = get_close_matches(name, self._by_name, n=3)
            raise UsageError(f"label {name!r} is no name of {self.where}; expected {' or '.join(map(repr, close)) or 'a name'}")
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"LabelTable({self.where!r}, {len(self)} labels)"

    def find(self, word: str) -> Entry | None:
        """The entry that a name, alias, MeSH term, MeSH id or label id stands for, however it is spaced and cased.

        A plural in -s is found by its singular ("Kidneys"); other plurals are aliases.
        """
        folded = fold(word)
        plural = len(folded) > 3 and folded.endswith("s") and folded not in self._by_word
        return self._by_word.get(folded[:-1] if plural else folded)

    def sided(self, word: str) -> tuple[Entry, str | None] | None:
        """The entry of a word and the side in it: "Left Lung", "lung_left" and "left-lung" are ("lung", "left").

        Where name or alias hold the side themselves ("left ventricle"), the alias gives it, and the name keeps it.
        """
        entry = self.find(word)
        sides = _SIDE.findall(word)
        if entry is None and len(sides) == 1:
            entry = self.find(_SIDE.sub("", word))
        if entry is None:
            return None
        return entry, sides[0].lower() if len(sides) == 1 and not _SIDE.search(entry.name) else None

    def id_of(self, name: str) -> str:
        """`mesh:<descriptor>`, or `medloom:<slug>` where there is none of its own.

        Raises:
            UsageError: No entry has this name.
        """
        return self._ids[self[name].name]

    def children(self, name: str) -> tuple[str, ...]:
        """Names directly below, in the order of the table."""
        return self._children.get(self[name].name, ())

    def descendants(self, name: str) -> tuple[str, ...]:
        """All names below, depth first, without the name itself."""
        return tuple(word for child in self.children(name) for word in (child, *self.descendants(child)))

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The wider names, nearest first, without the name itself."""
        parent = self[name].parent
        return () if parent is None else (parent, *self.ancestors(parent))

    def _at(self, name: str) -> str:
        return f"{self.where} row {self._row[name]} ({name})"

    def _names(self, entries: Iterable[Entry]) -> dict[str, Entry]:
        by_name: dict[str, Entry] = {}
        last = ""
        for row, entry in enumerate(entries, start=2):
            if entry.name <= last:
                step = "keep one of them" if entry.name == last else "sort the rows by name"
                raise UsageError(f"{self.where} row {row}: {entry.name!r} after {last!r}; expected names in order; {step}")
            by_name[entry.name] = entry
            last = entry.name
        return by_name

    def _check_parents(self) -> None:
        for entry in self:
            passed, parent = {entry.name}, entry.parent
            while parent is not None:
                if parent not in self:
                    raise UsageError(f"{self._at(entry.name)}: parent {parent!r}; expected a name of the table; add its row")
                if parent in passed:
                    raise UsageError(f"{self._at(entry.name)}: {parent!r} is its own ancestor; expected a tree; cut the circle")
                passed.add(parent)
                parent = self._by_name[parent].parent

    def _families(self) -> dict[str, tuple[str, ...]]:
        families: dict[str, list[str]] = {}
        for entry in self:
            if entry.parent is not None:
                families.setdefault(entry.parent, []).append(entry.name)
        return {parent: tuple(children) for parent, children in families.items()}

    def _descriptor_owners(self) -> dict[str, Entry]:
        """Descriptor id → its only entry, or the parent of the two that share it."""
        holders: dict[str, list[Entry]] = {}
        for entry in self:
            if entry.mesh is not None:
                self._check_descriptor(entry)
                holders.setdefault(entry.mesh, []).append(entry)
        return {descriptor: self._owner(sharing) for descriptor, sharing in holders.items()}

    def _check_descriptor(self, entry: Entry) -> None:
        if entry.mesh not in self.descriptors:
            expected = "a descriptor of mesh.csv"
            raise UsageError(
                f"{self._at(entry.name)}: mesh {entry.mesh!r}; expected {expected}; correct it, or add its row there"
            )

    def _owner(self, sharing: list[Entry]) -> Entry:
        names = {entry.name for entry in sharing}
        owner = next((entry for entry in sharing if entry.parent not in names), sharing[0])
        if len(sharing) > 2 or any(entry.parent != owner.name for entry in sharing if entry is not owner):
            found = f"{owner.mesh} is also that of {sorted(names - {sharing[-1].name})}"
            expected = "a descriptor at one label, or at a parent and one child"
            raise UsageError(
                f"{self._at(sharing[-1].name)}: {found}; expected {expected}; empty one of the cells, or merge them"
            )
        return owner

    def _id(self, entry: Entry) -> str:
        owned = entry.mesh is not None and self._owners[entry.mesh] is entry
        return f"mesh:{entry.mesh}" if owned else f"medloom:{slug(entry.name)}"

    def _words(self) -> dict[str, Entry]:
        by_word: dict[str, Entry] = {}
        for entry in self:
            for word in (*entry.words, self._ids[entry.name]):
                self._add(by_word, word, entry)
        for descriptor, owner in self._owners.items():
            self._add(by_word, descriptor, owner)
            for word in self.descriptors[descriptor].words:
                self._add(by_word, word, owner)
        return by_word

    def _add(self, by_word: dict[str, Entry], word: str, entry: Entry) -> None:
        other = by_word.setdefault(fold(word), entry)
        if not fold(word):
            raise UsageError(f"{self._at(entry.name)}: the word {word!r} says nothing; expected letters; take it out")
        shared = entry.mesh is not None and entry.mesh == other.mesh and word in self.descriptors[entry.mesh].words
        if other is not entry and not shared:
            found = f"{word!r} is also a word of {self._at(other.name)}"
            raise UsageError(
                f"{self._at(entry.name)}: {found}; expected one label per word; take it from one, or merge the rows"
            )


@cache
def table() -> LabelTable:
    """The built-in table."""
    return read(BUILT_IN)


def read(path: Path) -> LabelTable:
    """The table of a CSV file: an edited copy of ours, or the like; a `mesh.csv` beside it replaces ours.

    Raises:
        UsageError: A column or cell is missing, or the rows clash; the message names file and row.
    """
    beside = path.with_name("mesh.csv")
    descriptors = mesh.read(beside) if beside.is_file() and path != BUILT_IN else mesh.mesh()
    entries = []
    for place, (row, cells) in enumerate(rows_of(path, COLUMNS), start=2):
        if row != place:
            raise UsageError(f"{path.name} row {place}: it is empty; expected rows without gaps; take it out")
        entries.append(_entry(cells, f"{path.name} row {row} ({cells['name']})"))
    return LabelTable(entries, where=path.name, descriptors=descriptors)


def _entry(cells: Mapping[str, str], where: str) -> Entry:
    for column in ("name", "departments", "clinical_task"):
        if not cells[column]:
            raise UsageError(f"{where}: no {column}; expected one, or `None` where it belongs to none; fill in the cell")
    return Entry(
        name=cells["name"],
        mesh=cells["mesh"] or None,
        parent=cells["parent"] or None,
        aliases=_several(cells["aliases"]),
        departments=_departments(cells["departments"], where),
        clinical_task=_full_name(CLINICAL_TASKS, cells["clinical_task"], where),
        note=cells["note"],
    )


def _several(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(";") if word.strip())


def _departments(cell: str, where: str) -> tuple[str, ...]:
    names = tuple(_full_name(DEPARTMENTS, word, where) for word in _several(cell))
    if len(set(names)) < len(names) or ("None" in names and len(names) > 1):
        raise UsageError(f"{where}: departments {cell!r}; expected each once, or `None` alone; take one out")
    return names


def _full_name(vocabulary: Vocabulary, word: str, where: str) -> str:
    try:
        return vocabulary.find(word).name
    except UsageError as error:
        raise UsageError(f"{where}: {error}; correct the cell") from None
