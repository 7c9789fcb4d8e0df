"""Results along the lexical tree and by every facet, as tables with intervals and as forest plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ...scoring.columns import FACETS, TREE
from . import numbers
from .document import Column, Figure, Section, Table
from .headline import data_of, estimate
from .measured import COLUMNS, Branch, few, rows, speaking
from .plots import Estimate, forest

LONGEST = 300
"""Rows of a facet's table; the largest branches are kept, the others stand in `results.json`."""
MOST_DRAWN = 40
FIRST = ("source", "kind", "label")
"""Facets that readers ask for first; the levels of the tree stand apart, with it."""
_UNCALLED: Mapping[str, str] = MappingProxyType({})


def tree(results: Mapping[str, Any]) -> Section:
    """The lexical tree, each level by itself, and all paths."""
    scores = results["scores"]
    names = speaking(scores["by"]["kind"])
    paths = scores["tree"]
    parts: list[Any] = [
        "Modality, clinical task, department and granularity, the outermost first. Every row is about all questions beneath "
        "it, with the measures that speak for their kinds; intervals are each row's own and not adjusted for how many rows "
        "there are: among twenty rows that differ by luck alone, one is expected to look different.",
        *_figures(scores["by"], names),
        *(_table(facet, scores["by"][facet], names) for facet in TREE),
        _paths(paths, names),
    ]
    return Section("tree", "Along the lexical tree", tuple(parts))


def facets(results: Mapping[str, Any]) -> Section:
    """By source, kind, label, and every other facet."""
    scores = results["scores"]
    names = speaking(scores["by"]["kind"])
    order = (*FIRST, *(one for one in FACETS if one not in (*FIRST, *TREE)))
    text = "A question belongs to each of the labels that its answer is about, so that the rows of labels may overlap."
    called = results.get("labels", {})
    tables = (_table(one, scores["by"][one], names, called=called if one == "label" else {}) for one in order)
    return Section("facets", "By source, kind, label and more", (text, *tables))


def called_so(word: str, called: Mapping[str, str]) -> str:
    """A label's name before its id, where it has one; any other word as it is."""
    return f"{called[word]} ({word})" if called.get(word, word) != word else word


def _table(
    facet: str, branches: Mapping[str, Branch], names: Sequence[str], *, called: Mapping[str, str] = _UNCALLED
) -> Table | str:
    """A facet's branches by name; only the largest where there are too many."""
    title = f"By {numbers.words(facet)}"
    if not branches:
        return f"{title}: no question says."
    kept = sorted(branches, key=lambda word: (-branches[word]["n"], word))[:LONGEST]
    if len(kept) < len(branches):
        title += f": the {len(kept)} largest of {len(branches)}, all stand in results.json"
    columns = (Column(numbers.words(facet)), *COLUMNS)
    shown = set(kept)
    found = [row for word in branches if word in shown for row in rows(called_so(word, called), branches[word], names)]
    return Table(title, columns, tuple(found), folded=len(found) > 25)


def _paths(paths: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table | str:
    if not paths:
        return "The tree has no branch."
    made = [(len(one["path"]) - 1, row) for one in paths for row in rows(one["path"][-1], one, names)]
    columns = (Column(" → ".join(map(numbers.words, TREE))), *COLUMNS)
    depths = tuple(depth for depth, _ in made)
    return Table("All paths of the tree", columns, tuple(row for _, row in made), depths=depths, folded=len(made) > 60)


def _figures(by: Mapping[str, Mapping[str, Branch]], names: Sequence[str]) -> Iterator[Figure]:
    for name in names:
        drawn = list(_drawn(by, name))
        if len(drawn) > 1:
            yield _figure(name, drawn)


def _drawn(by: Mapping[str, Mapping[str, Branch]], name: str) -> Iterator[Estimate]:
    """The largest branches of every level that have a measure."""
    for facet in TREE:
        having = {word: one for word, one in by[facet].items() if one["measures"].get(name, {}).get("value") is not None}
        kept = set(sorted(having, key=lambda word: (-having[word]["measures"][name]["n"], word))[: MOST_DRAWN // len(TREE)])
        for number, word in enumerate(one for one in having if one in kept):
            measure = having[word]["measures"][name]
            hollow = few(having[word], measure)
            yield estimate(f"{word} (n {measure['n']:,})", measure, hollow=hollow, heading=number == 0)


def _figure(name: str, drawn: Sequence[Estimate]) -> Figure:
    best, worst = max(drawn, key=lambda one: one.value), min(drawn, key=lambda one: one.value)
    title = f"{name} by modality, clinical task, department and granularity"
    alt = (
        f"Points with intervals for {len(drawn)} branches, from {worst.name} with {numbers.value(worst.value)} "
        f"to {best.name} with {numbers.value(best.value)}"
    )
    return Figure(
        f"tree-{name}", title, alt, forest(drawn, label=f"{name}, with chance where it has one"), data_of(title, drawn)
    )
