"""The lexical tree: distinct samples by modality, clinical task, department, granularity, label, or any other levels.

A sample stands under every value that one of its leaves has. A label's branch counts the samples on which it is present
(or in the states asked for); samples whose labels are all absent so count for their department, and for no label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .asked import EXCLUDED, LEAF_FIELDS, Asked
from .conditions import LISTS, any_of, leaf, lists_answer

if TYPE_CHECKING:
    from .selection import Selection

DEFAULT = ("modality", "clinical_task", "department", "granularity", "label")
_OF_SAMPLE = ("modality", "modality_detail", "source", "collection", "split", "licence", "group_kind")
LEVELS = (*_OF_SAMPLE, *LEAF_FIELDS)


@dataclass(frozen=True)
class Branch:
    """One value of one level, and what stands below it, the largest first."""

    level: str
    """Empty at the root."""
    value: str | None
    """None where the samples have no such fact."""
    count: int
    """Distinct samples."""
    children: tuple[Branch, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The branch as nested dicts."""
        own = {"level": self.level, "value": self.value} if self.level else {}
        below = {"children": [child.as_json() for child in self.children]} if self.children else {}
        return {**own, "count": self.count, **below}


def rows(selection: Selection, levels: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Depth, the values of all levels (None below the depth), distinct samples; per source, so the same may come again."""
    _known(levels, selection.asked)
    of_leaf = [level for level in levels if level in LEAF_FIELDS]
    if not of_leaf:
        query, alone = f"SELECT {', '.join((*levels, 'key'))} FROM ({selection.query})", None
    elif lists_answer(of_leaf, selection.asked):
        query, alone = _by_lists(selection, levels, of_leaf[0]), False
    else:
        query, alone = _by_leaves(selection, levels), False
    depth = len(levels)
    for mask, *values, count in selection.answers(_counted(query, levels, distinct=bool(of_leaf)), alone=alone):
        yield (depth - int(mask).bit_count(), *values, count)


def grown(found: Iterable[tuple[Any, ...]], levels: Sequence[str]) -> Branch:
    """The tree of rows as `rows` gives them."""
    counts: dict[tuple[Any, ...], int] = {(): 0}
    for depth, *values, count in found:
        path = tuple(values[:depth])
        if not any(level == "label" and value is None for level, value in zip(levels, path, strict=False)):
            counts[path] = counts.get(path, 0) + count
    below: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for path in counts:
        if path:
            below.setdefault(path[:-1], []).append(path)
    return _branch((), levels, counts, below)


def _branch(path: tuple[Any, ...], levels: Sequence[str], counts: dict, below: dict) -> Branch:
    order = sorted(below.get(path, ()), key=lambda child: (-counts[child], child[-1] is None, child[-1] or ""))
    children = tuple(_branch(child, levels, counts, below) for child in order)
    level, value = (levels[len(path) - 1], path[-1]) if path else ("", None)
    return Branch(level, value, counts[path], children)


def _known(levels: Sequence[str], asked: Asked) -> None:
    for level in levels:
        if level not in LEVELS:
            raise UsageError(f"level {level!r}; expected one of {', '.join(LEVELS)}")
        if levels.count(level) > 1:
            raise UsageError(f"level {level!r} stands twice; expected each once")
    leaves = [level for level in levels if level in LEAF_FIELDS]
    if EXCLUDED in asked.splits and not lists_answer(leaves, asked):
        raise UsageError(f"levels {', '.join(leaves)} of excluded samples; expected one of them: the index keeps no more")


def _counted(query: str, levels: Sequence[str], *, distinct: bool) -> str:
    """Counts at every depth. Rows are made distinct first: counting distinct keys of few rows is far cheaper."""
    if not levels:
        return f"SELECT 0, count(*) FROM ({query})"
    names = ", ".join(levels)
    some, count = ("DISTINCT ", "count(DISTINCT key)") if distinct else ("", "count(*)")
    rolled = f"FROM (SELECT {some}* FROM ({query})) GROUP BY ROLLUP ({names})"
    return f"SELECT grouping({names}), {names}, {count} {rolled}"


def _by_lists(selection: Selection, levels: Sequence[str], name: str) -> str:
    """One row per sample and value of its list; an empty list gives one without value."""
    column = LISTS[name]
    value = f"unnest(CASE WHEN len({column}) = 0 THEN [NULL] ELSE {column} END) AS {name}"
    own = ", ".join(f"{value if level == name else level}" for level in levels)
    query = f"SELECT key, {own} FROM ({selection.query})"
    wanted = selection.asked.leaf.get(name)
    return query if wanted is None else f"SELECT * FROM ({query}) WHERE {any_of(name, wanted)}"


def _by_leaves(selection: Selection, levels: Sequence[str]) -> str:
    """One row per leaf and department, of labelled samples and of those whose own triplet is their only leaf."""
    asked = selection.asked
    own = ["key", *(level for level in levels if level in _OF_SAMPLE)]
    alone = [f"{_ALONE[level]} AS {level}" if level in _ALONE else level for level in levels]
    shown = [_shown(level, asked) for level in levels]
    leaves = f"(SELECT * FROM annotations WHERE {leaf(asked)}) AS leaves"
    stated = f"SELECT chosen.key, {', '.join(shown)} FROM chosen JOIN {leaves} ON chosen.key = leaves.key"
    if "department" in levels and "department" in asked.leaf:
        stated = f"SELECT * FROM ({stated})"
        stated += f" WHERE {any_of('department', asked.leaf['department'])}"
    bare = f"SELECT key, {', '.join(alone)} FROM chosen WHERE labels = 0"
    columns = ", ".join(dict.fromkeys([*own, "labels", *_ALONE_COLUMNS]))
    return f"WITH chosen AS (SELECT {columns} FROM ({selection.query})) {stated} UNION ALL {bare}"


def _shown(level: str, asked: Asked) -> str:
    if level in _OF_SAMPLE:
        return f"chosen.{level}"
    if level == "department":
        return "unnest(leaves.departments) AS department"
    if level == "label" and "state" not in asked.leaf:
        return "CASE WHEN leaves.state = 'present' THEN leaves.label END AS label"
    return f"leaves.{level}"


_ALONE = {name: f"{column}[1]" for name, column in LISTS.items()} | {"label": "NULL", "state": "NULL"}
"""The one leaf of a sample without labels: its lists have one value each."""
_ALONE_COLUMNS = tuple(column for name, column in LISTS.items() if name != "label")
