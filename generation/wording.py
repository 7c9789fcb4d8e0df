"""Wordings: sentences with gaps, kept as data in `wordings/<set>.yaml`, each with an id that a question records.

    detection:
      - id: detection-1
        question: "Mark every {name} on this {modality} with a box."
        answer: "There are {count} of them: {boxes}."

A wording may have more texts than `question` (`answer`, `none`, …), or an `answer` alone; which gaps it may use is stated by
whoever fills them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from ..schema.errors import UsageError
from .chance import Chance

FOLDER = Path(__file__).with_name("wordings")
_ROOM = FOLDER.parent
Filled = str | int | float


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """One way to put a question; wordings are told apart by identity, so that what one says can be remembered by it."""

    id: str
    texts: Mapping[str, str]

    def fill(self, text: str = "question", **gaps: Filled) -> str:
        """One of its texts with the gaps filled.

        Raises:
            UsageError: it has no such text, or a gap that nobody fills.
        """
        if text not in self.texts:
            raise UsageError(f"wording {self.id}: no text {text!r}; expected one of {sorted(self.texts)}")
        try:
            return self.texts[text].format(**gaps)
        except KeyError as error:
            raise UsageError(f"wording {self.id}: gap {error} in {text}; expected one of {sorted(gaps)}") from None


@cache
def wordings(name: str, part: str) -> tuple[Wording, ...]:
    """The wordings of one part of a built-in set.

    Raises:
        UsageError: there is no such set or part.
    """
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise UsageError(f"wordings {name!r}; expected one of {sorted(one.stem for one in FOLDER.glob('*.yaml'))}")
    parts = yaml.safe_load(path.read_text(encoding="utf-8"))
    if part not in parts:
        raise UsageError(f"wordings {name!r}: no part {part!r}; expected one of {sorted(parts)}")
    return of(parts[part], where=f"wordings {name} {part}")


def of(entries: Any, *, where: str) -> tuple[Wording, ...]:
    """Wordings from a list of mappings, as a suite's own file may hold them.

    Raises:
        UsageError: an entry has no id, or neither question nor answer, or an id stands twice.
    """
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{where}: {type(entries).__name__}; expected a list of wordings with id and question")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or not _named(entry) or not all(map(_is_text, entry.values())):
            raise UsageError(f"{where}: {entry!r:.80}; expected texts with id and question (or answer)")
        found.append(Wording(entry["id"], {name: text for name, text in entry.items() if name != "id"}))
    ids = [one.id for one in found]
    if len(set(ids)) < len(ids):
        raise UsageError(f"{where}: ids {ids}; expected each once")
    return tuple(found)


def gaps(text: str) -> set[str]:
    """Names of the gaps in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def pick(some: Sequence[Wording], chance: Chance) -> Wording:
    """One of the wordings."""
    return chance.one(some)


def _named(entry: dict[str, Any]) -> bool:
    """Whether it has an id and something to say; answers may be worded apart from questions."""
    return "id" in entry and bool({"question", "answer"} & entry.keys())


def sha256_of_texts(*names: str) -> str:
    """SHA-256 over what rules say and know: every YAML file of this room but the suites, or those of some names."""
    files = sorted(path for path in _ROOM.rglob("*.yaml") if path.parent.name != "suites")
    digest = hashlib.sha256()
    for path in files:
        if not names or path.name in names:
            digest.update(f"{path.relative_to(_ROOM).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
