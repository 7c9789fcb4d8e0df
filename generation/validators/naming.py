"""Which labels a text names: by canonical name, alias or MeSH term."""

from __future__ import annotations

from functools import cache, lru_cache

from ...schema.labels.table import Entry, table
from .finding import Names, tokens_of


@cache
def labels() -> Names:
    """The names of all canonical labels; what they stand for are label ids."""
    return Names((name, table().id_of(entry.name)) for entry in table() for name in _names(entry))


@lru_cache(1 << 14)
def named(text: str) -> frozenset[str]:
    """Ids of the labels that a text names."""
    return frozenset([one.meant for one in labels().within(text)])


@lru_cache(1 << 14)
def bag(text: str) -> frozenset[str]:
    """The words of a text, case folded, without the -s of a plural."""
    return frozenset(tokens_of(text))


@lru_cache(1 << 14)
def line(text: str) -> str:
    """The words of a text in their order between blanks, case folded, without the -s of a plural."""
    return f" {' '.join(tokens_of(text))} "


def holds(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase word by word; plurals count."""
    return bool(phrase) and line(phrase) in line(text)


@cache
def names_of(label_id: str) -> tuple[str, ...]:
    """Everything that a canonical label is called, its name first; nothing for a user's own label."""
    entry = table().find(label_id)
    return () if entry is None else _names(entry)


@cache
def wider(label_id: str) -> frozenset[str]:
    """The label id and those of everything above it."""
    entry = table().find(label_id)
    if entry is None:
        return frozenset({label_id})
    return frozenset(table().id_of(name) for name in (entry.name, *table().ancestors(entry.name)))


def _names(entry: Entry) -> tuple[str, ...]:
    descriptor = table().descriptors.get(entry.mesh) if entry.mesh else None
    owned = descriptor is not None and table().id_of(entry.name) == f"mesh:{entry.mesh}"
    return (*entry.words, *(descriptor.words if descriptor is not None and owned else ()))
