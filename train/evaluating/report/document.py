"""A report before it is Markdown or HTML: sections of our own prose, tables, figures and examples.

Prose is ours alone and may hold `code` in backticks; what comes from data (names, questions, replies) stands in cells, facts
and quotes, which are escaped for the form that they are written in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    number: bool = False
    """Set flush right."""
    code: bool = False
    """Names of machines' making, not words."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption; the first cell names its row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    depths: tuple[int, ...] = ()
    """How far each row's name is indented; none where all stand alike."""
    folded: bool = False
    """Whether a page may show it on demand only."""

    def depth(self, row: int) -> int:
        """How far a row's name is indented."""
        return self.depths[row] if self.depths else 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot, what it shows for those who don't see it, and its numbers."""

    name: str
    """Of its files, without the ending."""
    title: str
    alt: str
    png: bytes
    data: Table


@dataclass(frozen=True, slots=True)
class Example:
    """One question and what became of it."""

    title: str
    facts: tuple[tuple[str, str], ...]
    quotes: tuple[tuple[str, str], ...]
    """What they are, and texts as they came, line ends and all."""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences of ours."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; a `str` is a paragraph of our prose."""

    id: str
    title: str
    parts: tuple[str | Bullets | Table | Figure | Example | Section, ...]

    def figures(self) -> Iterator[Figure]:
        """All plots, in their order."""
        for part in self.parts:
            if isinstance(part, Figure):
                yield part
            elif isinstance(part, Section):
                yield from part.figures()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    about: tuple[tuple[str, str], ...]
    """What it is about, in names and values."""
    sections: tuple[Section, ...] = field(default=())

    def figures(self) -> Iterator[Figure]:
        """All plots, in their order."""
        for section in self.sections:
            yield from section.figures()
