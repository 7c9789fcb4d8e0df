"""Whether a name in a reply means what is there: another word for the same label is right, a wider or narrower one isn't.

Sides are compared where both say one, so that "kidney" fits "left kidney" and "right kidney" doesn't.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ...generation.telling.report_words import said
from ...generation.validators.naming import holds, line, named
from ...schema.labels.table import table

_ARTICLES = ("the ", "a ", "an ", "any ", "each ", "every ", "this ", "that ", "one ")


@dataclass(frozen=True, slots=True)
class Name:
    """What some words mean."""

    words: str
    """Case folded, without article and the -s of a plural; "" where nothing is named."""
    label_id: str | None
    """Of the one canonical label that they name, where it is one."""
    side: str | None

    def means(self, other: Name) -> bool:
        """Whether both name the same thing."""
        if self.side and other.side and self.side != other.side:
            return False
        same_label = self.label_id is not None and self.label_id == other.label_id
        return same_label or (bool(self.words) and self.words == other.words)


@lru_cache(1 << 14)
def name_of(words: str | None) -> Name:
    """What words mean: a label's name, alias or MeSH term, with or without a side; else the words themselves."""
    bare = (words or "").strip().strip(".,:;").strip()
    for article in _ARTICLES:
        bare = bare[len(article) :] if bare.casefold().startswith(article) else bare
    sided = table().sided(bare) if bare else None
    if sided is not None:
        return Name(line(bare).strip(), table().id_of(sided[0].name), sided[1])
    every = named(bare)
    return Name(line(bare).strip(), next(iter(every)) if len(every) == 1 else None, _side(bare))


def true_name(label: str, label_id: str, laterality: str | None) -> Name:
    """The name of a record's label."""
    return Name(line(label).strip(), label_id, laterality if laterality in ("left", "right") else None)


def told(text: str, names: Iterable[Name]) -> float:
    """The share of names that a text says are there, 0 to 1, in whatever other words it says more; 1 for no name.

    Canonical labels are searched under all their names and don't count where the text denies them; a user's own label is
    searched by its name.
    """
    every = list(names)
    if not every:
        return 1.0
    present = {label_id for label_id, state in said(text).statements if state == "present"} if text else set()
    hits = [one.label_id in present or (not _canonical(one) and holds(text, one.words)) for one in every]
    return sum(hits) / len(hits)


def _canonical(one: Name) -> bool:
    return one.label_id is not None and table().find(one.label_id) is not None


def _side(words: str) -> str | None:
    found = {one for one in ("left", "right") if f" {one} " in f" {words.casefold()} "}
    return found.pop() if len(found) == 1 else None
