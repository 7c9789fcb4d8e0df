"""DATASHEET.md: the seven sections of Datasheets for Datasets (Gebru et al., 2021), filled from facts.

What only people know is asked for in marked gaps. Every question stands in a block, behind a comment with its name and the
digest of the words under its heading. When the sheet is made again, blocks that still have their digest follow the facts;
those that don't were written by people, and stay as they are. Nothing that people wrote is dropped: words under a question
that is no longer asked move to the end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ...schema.sample import SPLITS
from .facts import CardFacts
from .header import task_categories
from .pages import page

GAP = "⟨to be filled in by the maintainer: "
PEOPLE = "people"
_MARK = re.compile(r"<!-- medloom:([a-z0-9-]+)(?: ([0-9a-f]{16}|people))? -->\n?")
_LAST = "notes"
_LAST_HEADING = "### Notes that people wrote elsewhere in an earlier version of this sheet"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The datasheet, and what became of what people had written."""

    text: str
    gaps: int
    """Questions that still wait for people."""
    kept: tuple[str, ...]
    """Names of the blocks whose words are people's."""


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    digest: str | None
    heading: str
    """The first line where it is a heading; else empty."""
    body: str

    @property
    def by_people(self) -> bool:
        """Whether somebody wrote under it since it was made."""
        return self.digest == PEOPLE or (self.digest is not None and self.digest != _digest(self.body))


def datasheet(facts: CardFacts, earlier: str | None, **more: Any) -> Sheet:
    """The sheet of a release.

    Args:
        facts: What is known.
        earlier: The sheet that lies there; what people wrote in it survives.
        more: Further values for the template.
    """
    values = {"facts": facts, "numbers": facts.numbers, "gap": gap, "tasks": task_categories(facts), "splits": SPLITS}
    blocks = list(_blocks(page("datasheet.md.jinja", **values, **more)))
    words = _by_people(earlier or "")
    made = [_merged(block, words) for block in blocks]
    left = {name: body for name, body in words.items() if name not in {block.name for block in blocks}}
    if left:
        made.append(_Block(_LAST, PEOPLE, _LAST_HEADING, "\n\n".join(left.values())))
    text = "\n\n".join(map(_text, made)) + "\n"
    return Sheet(text, sum(GAP in block.body for block in made), tuple(sorted(words)))


def gap(what: str) -> Markup:
    """The mark that asks people for something."""
    return Markup(f"{GAP}{what}⟩")


def _blocks(text: str) -> Iterator[_Block]:
    """The blocks of a sheet; what stands before the first mark is a block without a name."""
    before, *parts = _MARK.split(text)
    yield from [_Block("", None, "", before.strip())] if before.strip() else []
    for name, digest, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        first, _, rest = body.strip().partition("\n")
        heading, words = (first, rest) if first.startswith("#") else ("", body)
        yield _Block(name, digest, heading, words.strip())


def _by_people(text: str) -> dict[str, str]:
    """Block → words that people wrote there. A sheet without our marks is theirs altogether."""
    found: dict[str, str] = {}
    for block in _blocks(text):
        if not block.name or (block.by_people and block.body):
            name = block.name or _LAST
            found[name] = "\n\n".join(filter(None, (found.get(name), block.body)))
    return found


def _merged(block: _Block, words: Mapping[str, str]) -> _Block:
    if block.name in words:
        return _Block(block.name, PEOPLE, block.heading, words[block.name])
    return _Block(block.name, _digest(block.body), block.heading, block.body)


def _text(block: _Block) -> str:
    mark = f"<!-- medloom:{block.name} {block.digest} -->"
    return "\n".join(filter(None, (mark, block.heading))) + (f"\n\n{block.body}" if block.body else "")


def _digest(body: str) -> str:
    """16 hex digits over the words, whatever their line ends and outer blanks."""
    plain = "\n".join(line.rstrip() for line in body.strip().splitlines())
    return hashlib.sha256(plain.encode()).hexdigest()[:16]
