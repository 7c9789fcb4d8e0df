"""BibTeX of several sources: every work once, and no two works under one key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_ENTRY = re.compile(r"(?m)^(?=@)")
_KEY = re.compile(r"@(\w+)\s*\{\s*([^,\s{}]+)\s*(?=[,}])")


def bibliography(facts: Iterable[Mapping[str, Any]]) -> str:
    """The entries of all sources in their order; a work that several cite comes once.

    Two works under one key keep apart: the later one's key ends in its source's name. A source that states no BibTeX gets an
    entry made of its title and address.
    """
    found: dict[str, str] = {}
    for one in facts:
        for text in entries(one):
            key = key_of(text)
            if key in found and _bare(found[key]) != _bare(text):
                key, text = _renamed(text, key, one["name"], found)
            found.setdefault(key, text)
    return "\n\n".join(found.values())


def entries(facts: Mapping[str, Any]) -> list[str]:
    """The BibTeX entries of one source, each as it is written there."""
    stated = [part.strip() for part in _ENTRY.split(facts["citation"]) if _KEY.match(part)]
    return [_keyed(text) for text in stated] or [_made(facts)]


def key_of(entry: str) -> str:
    """The key under which an entry is cited."""
    match = _KEY.match(entry)
    assert match is not None
    return match[2]


def _keyed(text: str) -> str:
    """The entry, at least with an empty list of fields: `@misc{key}` alone is none that BibTeX reads."""
    return re.sub(r"^(@\w+\s*\{[^,\s{}]+)\s*\}$", r"\1,\n}", text)


def _made(facts: Mapping[str, Any]) -> str:
    address = facts["cite"] if facts["cite"].startswith("http") else facts["homepage"]
    where = [f"howpublished = {{\\url{{{address}}}}}"] if address.startswith("http") else []
    fields = ",\n  ".join([f"title = {{{facts['title']}}}", *where])
    return f"@misc{{{facts['name']},\n  {fields}\n}}"


def _renamed(text: str, key: str, source: str, found: Mapping[str, str]) -> tuple[str, str]:
    """The entry under a key that no other work has."""
    new, number = f"{key}-{source}", 2
    while new in found and _bare(found[new]) != _bare(_with_key(text, new)):
        new, number = f"{key}-{source}-{number}", number + 1
    return new, _with_key(text, new)


def _with_key(text: str, key: str) -> str:
    return _KEY.sub(lambda match: f"@{match[1]}{{{key}", text, count=1)


def _bare(text: str) -> str:
    """The entry without what only lays it out."""
    return re.sub(r"\s+", " ", text)
