"""Knowledge: short facts of canonical labels that any textbook holds, in our own words, kept as data in `knowledge.yaml`.

A text is a predicate that goes on from the label ("makes bile …"): the same words serve a question that names nothing
("the organ that makes bile …") and the answer that does ("It is the liver that makes bile …"). So a text that is asked
must not hold the label's name or another word for it; the loader refuses one that does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ...schema.errors import UsageError
from ...schema.labels.table import Entry, LabelTable, table
from ...schema.triplet import MODALITIES
from ...schema.vocabulary import slug

BUILT_IN = Path(__file__).with_name("knowledge.yaml")
ASKED = ("function", "location", "origin", "relevance", "appearance", "trait")
"""Kinds of fact that questions are made of."""
KINDS = (*ASKED, "meaning")
SORTS = {
    "organ": "organ",
    "structure": "structure",
    "finding": "finding",
    "cell": "kind of cell",
    "artifact": "artifact",
    "object": "object",
    "quality": None,
    "grade": None,
    "negative": None,
    "mark": None,
}
"""Sort of label → what a question may call it without naming it; None where nobody asks for it."""
_FLAGS = ("plural", "mass", "many", "pair")
_FIELDS = {"id", "kind", "text", "modalities", "general", "also"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of one label."""

    id: str
    kind: str
    text: str
    """A predicate without full stop: "makes bile and takes up nutrients"."""
    modalities: frozenset[str] = frozenset()
    """Codes of the modalities of which it is true, narrower ones included; empty for any."""
    general: bool = False
    """True of so many things that nothing can be found by it."""
    also: frozenset[str] = frozenset()
    """Ids of other labels of which it is true."""

    @property
    def asked(self) -> bool:
        """Whether questions may be made of it."""
        return self.kind in ASKED


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of one label; equal to itself alone, so that caches find it fast."""

    label: str
    label_id: str
    sort: str
    facts: tuple[Fact, ...]
    plural: bool = False
    """The name is a plural."""
    mass: bool = False
    """The name takes no article and has no plural."""
    many: bool = False
    """A structure of which a body has many."""
    pair: bool = False
    """People have one on either side."""

    @property
    def noun(self) -> str | None:
        """What it may be called without being named."""
        return SORTS[self.sort]

    def asked(self, modality: str) -> tuple[Fact, ...]:
        """Its facts that may be asked on a picture of this modality."""
        return tuple(fact for fact in self.facts if fact.asked and (not fact.modalities or modality in fact.modalities))


Knowledge = Mapping[str, Known]
"""Label id → what is known of it."""


@cache
def knowledge() -> Knowledge:
    """The built-in knowledge."""
    return read(BUILT_IN)


def read(path: Path, labels: LabelTable | None = None) -> Knowledge:
    """The knowledge of a YAML file.

    Raises:
        UsageError: It isn't of the form that `knowledge.yaml` shows, a label is unknown, an id stands twice, or a text that is
            asked names its label.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}; expected YAML of labels with sort and facts") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path}: {type(data).__name__}; expected labels with sort and facts")
    names = table() if labels is None else labels
    known = {one.label_id: one for one in (_known(name, entry, names) for name, entry in data.items())}
    _check_ids(known)
    return known


def leak(text: str, entry: Entry) -> str | None:
    """The first of a label's names that a text holds, whatever its case and in singular or plural; None where it holds none."""
    for word, pattern in _patterns(entry):
        if pattern.search(text):
            return word
    return None


@cache
def _patterns(entry: Entry) -> tuple[tuple[str, re.Pattern[str]], ...]:
    words = dict.fromkeys((*entry.words, *(word.removesuffix("s") for word in entry.words if len(word) > 4)))
    return tuple((word, re.compile(rf"(?<!\w){_loose(word)}(?:s|es)?(?!\w)", _case(word))) for word in words)


def _case(word: str) -> int:
    """Abbreviations such as "DR" are read as printed; all else in any case."""
    return 0 if word.isupper() else re.IGNORECASE


def _loose(word: str) -> str:
    return r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", word)))


def _known(name: str, data: Any, labels: LabelTable) -> Known:
    if name not in labels:
        raise UsageError(f"knowledge: label {name!r}; expected a name of {labels.where}")
    if not isinstance(data, dict) or not {"sort", "facts"} <= data.keys() <= {"sort", "facts", *_FLAGS}:
        raise UsageError(f"knowledge of {name}: {data!r:.60}; expected sort and facts, and perhaps plural, mass, many or pair")
    if data["sort"] not in SORTS:
        raise UsageError(f"knowledge of {name}: sort {data['sort']!r}; expected one of {', '.join(SORTS)}")
    if not isinstance(data["facts"], list) or not data["facts"]:
        raise UsageError(f"knowledge of {name}: facts {data['facts']!r:.60}; expected a list of them")
    facts = tuple(_fact(labels[name], fact, labels) for fact in data["facts"])
    flags = {flag: bool(data.get(flag, False)) for flag in _FLAGS}
    return Known(name, labels.id_of(name), data["sort"], facts, **flags)


def _fact(entry: Entry, data: Any, labels: LabelTable) -> Fact:
    where = f"knowledge of {entry.name}"
    if not isinstance(data, dict) or not {"id", "kind", "text"} <= data.keys() <= _FIELDS:
        raise UsageError(f"{where}: {data!r:.80}; expected id, kind and text, and perhaps modalities, general or also")
    if data["kind"] not in KINDS:
        raise UsageError(f"{where}: kind {data['kind']!r}; expected one of {', '.join(KINDS)}")
    if not str(data["id"]).startswith(f"{slug(entry.name)}-"):
        raise UsageError(f"{where}: id {data['id']!r}; expected it to begin with {slug(entry.name)}-")
    also = frozenset(labels.id_of(name) for name in data.get("also", ()))
    fact = Fact(
        data["id"], data["kind"], data["text"], _modalities(data.get("modalities", ())), bool(data.get("general")), also
    )
    _check_text(fact, entry)
    return fact


def _check_text(fact: Fact, entry: Entry) -> None:
    if fact.text != fact.text.strip(" .") or not fact.text[:1].islower():
        raise UsageError(f"fact {fact.id}: {fact.text!r}; expected a predicate in lower case without a full stop")
    if fact.asked and (word := leak(fact.text, entry)):
        raise UsageError(f"fact {fact.id}: {fact.text!r} holds {word!r}; expected words that don't name {entry.name}")


def _modalities(codes: list[str] | tuple[str, ...]) -> frozenset[str]:
    narrower = (MODALITIES.descendants(code) for code in codes)
    return frozenset(codes) | frozenset(term.code for terms in narrower for term in terms)


def _check_ids(known: Knowledge) -> None:
    seen: set[str] = set()
    for fact in (fact for one in known.values() for fact in one.facts):
        if fact.id in seen:
            raise UsageError(f"fact {fact.id}: it stands twice; expected each id once")
        seen.add(fact.id)
