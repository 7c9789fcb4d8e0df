"""Strings of records, questions, recipes and tables, wherever they stand, and what in them looks like an identifier."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from .findings import Finding
from .words import AUTHORED, Hit, Kind, identifiers

_INDEX = re.compile(r"\[\d+\]")
NONE: frozenset[Kind] = frozenset()


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of every string in nested lists and objects, names of fields among them (path ending in `{}`)."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}{{}}", str(name)
            yield from strings(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from strings(inner, f"{path}[{place}]")


def field_of(path: str) -> str:
    """The path without the places in lists: `labels[3].label` → `labels[].label`."""
    return _INDEX.sub("[]", path)


def told(
    text: str, where: str, *, but: Collection[Kind] = NONE, own: str = "", code: str = "identifier-in-text"
) -> Iterator[Finding]:
    """A finding for each identifier in a text.

    Args:
        text: What is looked at.
        where: Its place.
        but: Kinds that mean nothing here.
        own: Words of the source's authors: those of `AUTHORED` kinds that stand there too are theirs.
        code: Of findings that are no mere suspicions.
    """
    for hit in identifiers(text):
        if hit.kind in but or _authored(hit, own):
            continue
        yield Finding("perhaps-an-identifier" if hit.suspicion else code, hit.kind, f"{where} {veiled(hit.text)!r}")


def veiled(text: str) -> str:
    """As much of an identifier as helps to find it: a report that repeats it would be a leak itself."""
    return f"{text[:2]}…" if len(text) > 2 else "…"


def _authored(hit: Hit, own: str) -> bool:
    return bool(own) and hit.kind in AUTHORED and hit.text in own
