"""What a look at a folder proposes for a builder file: constants, labels, and the evidence for each."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

NO_LABELS = frozenset(
    {"todo", "unknown", "unlabeled", "unlabelled", "n/a", "na", "nan", "null", "missing", "not available", "unclear"}
)
"""Cells that state nothing of the image."""
LAYOUTS = ("class-folders", "csv", "pairs", "voc", "coco", "yolo", "nifti", "dicom")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One choice, and what was seen that speaks for it."""

    what: str
    choice: str
    seen: str

    def row(self) -> dict[str, str]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Enough to write a builder file for one folder."""

    layout: str
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Names of the builder file's constants → plain values; they go into the file by `repr` and nothing else."""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """Raw word → canonical name; None where the word says that nobody knows."""
    sides: Mapping[str, str] = field(default_factory=dict)
    """Raw word → left or right, where the word named a side that its canonical name doesn't."""
    evidence: tuple[Evidence, ...] = ()
    expects: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Pattern, what it is, columns: what `verify` will ask for beside the images."""
    exclusive: bool = False
    """True where every image has exactly one of the labels, so that the others are absent."""
    group_kind: str = "image"


def labels_from(words: Mapping[str, str] | list[str] | tuple[str, ...]) -> dict[str, str | None]:
    """Raw word → canonical name: lower case, single blanks; a word without ASCII letters or digits gets a number.

    Words such as `todo` and `unknown` are no labels, and get None.
    """
    given = words if isinstance(words, Mapping) else {word: word for word in words}
    named = {raw: _canonical(name) or f"class {place}" for place, (raw, name) in enumerate(given.items(), start=1)}
    return {raw: None if name in NO_LABELS else name for raw, name in named.items()}


def listed(words: list[str], *, most: int = 8) -> str:
    """A few words for a sentence, and how many more there are."""
    shown = ", ".join(repr(word[:40]) for word in words[:most])
    return shown + (f" and {len(words) - most} more" if len(words) > most else "")


def _canonical(word: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    if not any(letter.isalnum() for letter in ascii_text):
        return ""
    return " ".join(word.replace("_", " ").casefold().split())[:80]
