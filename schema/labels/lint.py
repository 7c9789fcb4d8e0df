"""What is doubtful about the label names of a source or a release, and what to write instead.

A name that the canonical table doesn't know is a source's own. That is right for a thing of its own, and then the source
says where it belongs; it is wrong for a thing that has a name already, since nobody will find it under the second one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from ..vocabulary import fold
from .spelling import Spelling, alike, opposed, side_of
from .table import Entry, LabelTable

CODES = {
    "alias": "an alias or abbreviation of a canonical name",
    "spelling": "a canonical name in other letters, spaces or hyphens",
    "near-synonym": "the words of a canonical name, otherwise written",
    "abbreviation": "a short form that no one can look up",
    "side-in-name": "left, right or both in a name; sides are kept apart",
    "unknown-label": "not in the canonical table, and the source doesn't say where it belongs",
    "mesh-of-another": "the descriptor of another label",
    "mesh-differs": "another descriptor, or id, than the canonical table has",
    "two-names": "two names of a source's own that are written from the same words",
    "two-things": "raw words that look like different things under one name",
    "side-lost": "raw words that name a side, under a label without one",
}
"""What each kind of remark is about."""
_SHORTEST_WORD = 4
"""Letters from which a raw word speaks for itself; shorter ones are abbreviations, which mean what the source says."""
_ABBREVIATION = re.compile(r"(?=.*[A-Za-z])(?:[A-Z0-9]{2,6}|[b-df-hj-np-tv-xz0-9]{2,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """One label as a source or a release uses it."""

    source: str
    name: str
    """As it is written."""
    raw: str | None = None
    """The source's own word; None where only the label is known."""
    mesh: str | None = None
    """Descriptor that the source states."""
    id: str | None = None
    """Label id, where a release holds one."""
    area: str | None = None
    task: str | None = None
    laterality: str | None = None
    placed: bool = False
    """Whether the source itself says which departments and clinical task the label has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One doubt: what was found, the canonical name that is closest, and what to write."""

    code: str
    source: str
    label: str
    found: str
    write: str
    closest: str | None = None

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def lint(used: Iterable[Used], table: LabelTable) -> list[Remark]:
    """Every remark on the labels, sorted by source, label and kind."""
    labels = list(used)
    spelling = spelling_of(table)
    remarks = [remark for one in labels for remark in _names(one, table, spelling)]
    for source in sorted({one.source for one in labels}):
        mine = [one for one in labels if one.source == source]
        remarks += [*_two_names(mine, table, spelling), *_two_things(mine, table), *_sides(mine, table)]
    return sorted(set(remarks), key=lambda remark: (remark.source, remark.label, remark.code, remark.found))


def spelling_of(table: LabelTable) -> Spelling:
    """All words of the table, MeSH's own terms among them, names first."""
    names = [(entry.name, entry.name) for entry in table]
    aliases = [(alias, entry.name) for entry in table for alias in entry.aliases]
    owned = [entry for entry in table if entry.mesh and table.id_of(entry.name) == f"mesh:{entry.mesh}"]
    terms = [(word, one.name) for one in owned for word in table.descriptors[one.mesh or ""].words]
    return Spelling([*names, *aliases, *terms])


def stated(text: str, source: str) -> list[Used]:
    """The labels that a builder file writes down, `Label("…")`, as they stand there, whatever becomes of them.

    Names that are computed aren't seen. Text that is no Python gives none.
    """
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return []
    calls = [call for call in calls if isinstance(call.func, ast.Name | ast.Attribute)]
    calls = [call for call in calls if (call.func.id if isinstance(call.func, ast.Name) else call.func.attr) == "Label"]  # type: ignore[union-attr]
    written = [(_written(call, 0, "name"), _written(call, 1, "mesh"), _written(call, 6, "laterality")) for call in calls]
    return [Used(source=source, name=name, mesh=mesh, laterality=side, placed=True) for name, mesh, side in written if name]


def _written(call: ast.Call, place: int, name: str) -> str | None:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    node = call.args[place] if place < len(call.args) else given.get(name)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _names(one: Used, table: LabelTable, spelling: Spelling) -> Iterator[Remark]:
    """Remarks on the label by itself."""
    entry = table.find(one.name)
    yield from _descriptors(one, entry, table)
    if entry is None:
        remark = _own_name(one, table, spelling) or _unknown(one, spelling)
        yield from () if remark is None else (remark,)
    elif one.name != entry.name:
        code = "spelling" if fold(one.name) == fold(entry.name) else "alias"
        yield _remark(one, code, f"a word of {entry.name!r}", f"Label({entry.name!r})", entry.name)


def _descriptors(one: Used, entry: Entry | None, table: LabelTable) -> Iterator[Remark]:
    known = None if entry is None else table.id_of(entry.name)
    if one.mesh is not None and (entry is None or one.mesh != entry.mesh):
        owner = table.find(one.mesh)
        if owner is not None:
            write = f"Label({owner.name!r}), or no mesh if it is another thing"
            yield _remark(one, "mesh-of-another", f"{one.mesh} is the descriptor of {owner.name!r}", write, owner.name)
        elif entry is not None:
            write = f"Label({entry.name!r}) without mesh, or correct the table"
            yield _remark(one, "mesh-differs", f"{one.mesh}, where the table has {entry.mesh or 'none'}", write, entry.name)
    if one.id is None or one.id == known:
        return
    owner = table.find(one.id)
    if owner is not None and owner is not entry:
        yield _remark(one, "mesh-of-another", f"{one.id} is the id of {owner.name!r}", f"Label({owner.name!r})", owner.name)
    elif entry is not None:
        found = f"id {one.id}, where the table has {known}"
        yield _remark(one, "mesh-differs", found, f"build {one.source} anew", entry.name)


def _own_name(one: Used, table: LabelTable, spelling: Spelling) -> Remark | None:
    """Why a name that the table doesn't have shouldn't stay as it is."""
    near = spelling.near(one.name)
    if near is not None:
        of = "" if near.word == near.name else f", a word of {near.name!r}"
        found = f"differs from {near.word!r}{of} by {near.how}"
        return _remark(one, "near-synonym", found, f"Label({near.name!r})", near.name)
    side = side_of(one.name)
    if side is not None:
        rest, laterality = side
        known = spelling.near(rest)
        write = f"Label({(known.name if known else rest)!r}, laterality={laterality!r})"
        return _remark(one, "side-in-name", f"the side {laterality!r} in its name", write, known and known.name)
    if _ABBREVIATION.fullmatch(one.name):
        meant = spelling.abbreviated(one.name)
        write = f"Label({meant!r}) if that is meant, else its full name" if meant else "its full name"
        return _remark(one, "abbreviation", "letters that look like an abbreviation", write, meant)
    return None


def _unknown(one: Used, spelling: Spelling) -> Remark | None:
    if one.placed:
        return None
    closest = spelling.closest(one.name)
    own = f"Label({one.name!r}, departments=(…), clinical_task=…)"
    write = f"Label({closest!r}) if that is meant, else {own}" if closest else own
    return _remark(one, "unknown-label", "not in the canonical table", write, closest)


def _two_names(mine: list[Used], table: LabelTable, spelling: Spelling) -> Iterator[Remark]:
    """Names of the source's own that are one."""
    own = sorted({one.name for one in mine if table.find(one.name) is None and spelling.near(one.name) is None})
    first = {one.name: one for one in reversed(mine)}
    for name, other in combinations(own, 2):
        how = alike(name, other)
        if how is not None:
            yield _remark(
                first[other], "two-names", f"differs from {name!r} of the same source by {how}", f"Label({name!r}) for both"
            )


def _two_things(mine: list[Used], table: LabelTable) -> Iterator[Remark]:
    """Pairs of raw words under one name that the table, a grade or an opposite tells apart."""
    meant = {one.raw: _meaning(one.raw, table) for one in mine if one.raw is not None}
    for one, other in _under_one_name(mine):
        first, second = one.raw or "", other.raw or ""
        names = (meant[first], meant[second])
        found = f"raw words {first!r} and {second!r} have one name"
        apart = opposed(first, second)
        if _are_two(*names, table):
            why = f"{found}, but are {names[0]!r} and {names[1]!r}, neither wider than the other"
            yield _remark(one, "two-things", why, f"Label({names[0]!r}) and Label({names[1]!r})")
        elif apart is not None and not set(apart) <= {"left", "right"}:
            why = f"{found}, but differ by {apart[0]!r} and {apart[1]!r}"
            yield _remark(one, "two-things", why, "a label for each, or the grade as the finding's value")


def _meaning(raw: str, table: LabelTable) -> str | None:
    """The canonical name that a raw word names by itself."""
    found = table.sided(raw) if sum(map(str.isalpha, raw)) >= _SHORTEST_WORD else None
    return None if found is None else found[0].name


def _are_two(one: str | None, other: str | None, table: LabelTable) -> bool:
    """Whether two canonical names are neither the same nor one above the other."""
    if one is None or other is None or one == other:
        return False
    return one not in table.ancestors(other) and other not in table.ancestors(one)


def _under_one_name(mine: list[Used]) -> Iterator[tuple[Used, Used]]:
    """Pairs of raw words that no field of their labels tells apart."""
    raws: dict[Used, list[Used]] = {}
    for one in mine:
        if one.raw is not None:
            raws.setdefault(replace(one, raw=None), []).append(one)
    for several in raws.values():
        yield from combinations(sorted(several, key=lambda one: one.raw or ""), 2)


def _sides(mine: list[Used], table: LabelTable) -> Iterator[Remark]:
    """Raw words that name a side which their label has lost."""
    for one in mine:
        side = side_of(one.raw) if one.raw and one.laterality is None else None
        entry = table.find(one.name)
        if side is not None and side_of(one.name) is None and (entry is None or not _has_side(entry)):
            write = f"Label({one.name!r}, laterality={side[1]!r})"
            yield _remark(one, "side-lost", f"raw word {one.raw!r} names a side, the label doesn't", write, None)


def _has_side(entry: Entry) -> bool:
    """Whether the side is a part of what it is, as in the left ventricle."""
    return any(side_of(word) for word in entry.words)


def _remark(one: Used, code: str, found: str, write: str, closest: str | None = None) -> Remark:
    return Remark(code=code, source=one.source, label=one.name, found=found, write=write, closest=closest)
