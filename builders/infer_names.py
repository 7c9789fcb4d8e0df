"""Canonical names for the words that a look at a folder found, where the table of labels knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..schema.labels.lint import spelling_of
from ..schema.labels.spelling import Near
from ..schema.labels.table import Entry, table
from .proposal import Evidence, Proposal

MOST = 12
"""Words that one line of evidence tells."""


def canonical_names(proposal: Proposal) -> Proposal:
    """The proposal with the table's names for words that it knows, and the evidence for each.

    Words that only look like one stay as they are: a person decides, and is told.
    """
    names = {raw: name for raw, name in proposal.labels.items() if name is not None}
    known = {raw: found for raw, name in names.items() if (found := table().sided(name)) is not None}
    spelling = spelling_of(table()) if len(known) < len(names) else None
    near = {raw: found for raw in names.keys() - known.keys() if spelling and (found := spelling.near(names[raw]))}
    told = [_told(raw, *known[raw], names) for raw in names if raw in known]
    evidence = [*proposal.evidence, *_evidence("name", "as the table of labels has it", list(filter(None, told)))]
    evidence += _evidence("perhaps", "another name", [_perhaps(raw, near[raw]) for raw in names if raw in near])
    return replace(
        proposal,
        labels={raw: known[raw][0].name if raw in known else name for raw, name in proposal.labels.items()},
        sides={raw: side for raw, (_, side) in known.items() if side is not None},
        evidence=tuple(evidence),
    )


def _told(raw: str, entry: Entry, side: str | None, names: Mapping[str, str]) -> str | None:
    """What became of a word; None where it is the canonical name."""
    if side is not None:
        return f"{raw[:40]!r}: {side} {entry.name!r}"
    return None if names[raw] == entry.name else f"{raw[:40]!r}: alias of {entry.name!r}"


def _perhaps(raw: str, near: Near) -> str:
    return f"{raw[:40]!r}: differs from {near.word!r}, a word of {near.name!r}, by {near.how}"


def _evidence(what: str, choice: str, told: list[str]) -> list[Evidence]:
    more = f" and {len(told) - MOST} more" if len(told) > MOST else ""
    return [Evidence(what, choice, "; ".join(told[:MOST]) + more)] if told else []
