"""What a word means in all vocabularies at once, ours and the four systems', and what each calls it.

Exact finds come first (a code, name or alias, whatever its case, spaces and hyphens), then terms of which the word is a part
("lung" in "Lung cancer classification"), then close spellings. Labels come from the built-in table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from ..errors import UsageError
from ..vocabulary import fold, slug
from . import clinical, mapping, medmat, medtrinity, mimoseg, resolve
from .mapping import Counterpart

EXACT, PART, CLOSE = "exact", "part", "close"
_LIKENESS = 0.8
_GAPS = re.compile(r"[-/_(,]")
_SHORTEST = 3
"""Letters that a word must have to be looked for inside others."""


@dataclass(frozen=True)
class Match:
    """One term that a word found."""

    field: str
    """modality, area, task, clinical_task, department, granularity, subset, dataset or label."""
    code: str
    """What a selection takes."""
    name: str
    word: str
    """Which of the term's words was found."""
    how: str
    """exact, part or close."""
    ours: bool
    """True where no paper or standard lists the term."""
    counterparts: dict[str, Counterpart]
    """System code → what it calls the term."""


@dataclass(frozen=True)
class _Entry:
    field: str
    code: str
    name: str
    words: tuple[str, ...]
    ours: bool


def words(text: str, *, most: int = 20) -> list[Match]:
    """All exact finds of a word, and up to `most` others, exact ones first, then by likeness.

    A word behind a system's name ("Med-MAT Bones") is looked for without it.

    Raises:
        UsageError: The text says nothing, or nothing like it is found.
    """
    wanted = resolve.by_system(text)[1]
    if not fold(wanted):
        raise UsageError(f"{text!r} says nothing; expected a word such as lung, MR or Med-MAT 03")
    found = [hit for entry in _entries() for hit in [_hit(entry, wanted)] if hit]
    found.sort(key=lambda hit: -hit[0])
    exact = sum(hit[0] == _EXACTLY for hit in found)
    if not found:
        raise UsageError(f"{text!r} is like no word of any vocabulary; expected one such as lung, MR, polyp or Med-MAT 03")
    return [_match(entry, word, score) for score, entry, word in found[: exact + most]]


_EXACTLY, _AS_PART = 2.0, 1.0


def _hit(entry: _Entry, text: str) -> tuple[float, _Entry, str] | None:
    """How well the best of an entry's words fits: 2 exact, above 1 a part (more where more of it), else the likeness."""
    number = medmat.number_of(text) if entry.field == "subset" else None
    scores = [(_EXACTLY if number == entry.code else _score(fold(text), word), word) for word in entry.words]
    score, word = max(scores, key=lambda pair: pair[0])
    return (score, entry, word) if score else None


def _score(text: str, word: str) -> float:
    whole, *parts = _parts(word)
    if text == whole:
        return _EXACTLY
    if len(text) >= _SHORTEST and any(part.startswith(text) for part in parts):
        return _AS_PART + len(text) / len(whole) / 2
    shorter, both = min(len(text), len(whole)), len(text) + len(whole)
    if shorter < _SHORTEST or 2 * shorter < _LIKENESS * both:
        return 0.0
    matcher = SequenceMatcher(None, text, whole, autojunk=False)
    likeness = matcher.ratio() if matcher.quick_ratio() >= _LIKENESS else 0.0
    return likeness if likeness >= _LIKENESS else 0.0


@cache
def _parts(word: str) -> tuple[str, ...]:
    """A word folded, then what follows each beginning of a word inside it: "cell type" is a part of "Blood cell type"."""
    pieces = _GAPS.sub(" ", word).split()
    return (fold(word), *(fold(" ".join(pieces[start:])) for start in range(len(pieces))))


def _match(entry: _Entry, word: str, score: float) -> Match:
    how = EXACT if score == _EXACTLY else PART if score >= _AS_PART else CLOSE
    return Match(entry.field, entry.code, entry.name, word, how, entry.ours, _counterparts(entry))


def _counterparts(entry: _Entry) -> dict[str, Counterpart]:
    if entry.field in mapping.VOCABULARIES:
        return mapping.counterparts(entry.field, entry.code)
    readers = {"subset": _of_subset, "dataset": _of_dataset, "label": _of_label}
    return readers[entry.field](entry.code)


def _entries() -> Iterator[_Entry]:
    for name, vocabulary in mapping.VOCABULARIES.items():
        for term in vocabulary:
            yield _Entry(name, term.code, term.name, term.words, term.ours)
    for one in medmat.SUBSETS:
        yield _Entry("subset", one.number, f"{one.name}: {one.modality}, {one.area}, {one.task}", _subset_words(one), False)
    for one in medmat.DATASETS:
        yield _Entry("dataset", str(one.number), f"{one.name}, Med-MAT dataset {one.number}", (one.name,), False)
    yield from _labels()


def _subset_words(one: medmat.Subset) -> tuple[str, ...]:
    return (one.slug, one.name, one.task, f"{one.modality}, {one.area}, {one.task}")


@cache
def _labels() -> tuple[_Entry, ...]:
    from ..labels.table import table

    known = table()
    return tuple(
        _Entry("label", entry.name, entry.name, tuple(filter(None, (*entry.words, entry.mesh))), entry.mesh is None)
        for entry in known
    )


def _of_subset(number: str) -> dict[str, Counterpart]:
    one = medmat.find(number)
    read, triplet = clinical.of_subset(one), one.triplet
    found = {
        "medmat": Counterpart((one.name,), "same", False, ""),
        "gmai": Counterpart(read.names, "related", True, read.reason),
    }
    for system in ("medtrinity", "mimoseg"):
        modality = mapping.counterpart("modality", triplet.modality, system)
        area = mapping.counterpart("area", triplet.area, system)
        near = (*modality.words, *area.words)
        reason = "its words for the subset's modality and area" if near else "it has neither this modality nor this area"
        found[system] = Counterpart(near, "related" if near else "none", bool(near), reason)
    return found


def _of_dataset(number: str) -> dict[str, Counterpart]:
    one = medmat.DATASETS[int(number) - 1]
    missing = medmat.LEFT_OUT.get(one.number)
    subsets = tuple(f"Med-MAT {subset}" for subset in one.subsets)
    if missing:
        own = Counterpart((f"Med-MAT {missing}",), "related", True, "it stands in no subset, and seems meant for this one")
    else:
        own = Counterpart(subsets, "related", False, "the subsets whose rows give its number")
    listed = {"medtrinity": medtrinity.SOURCES, "mimoseg": mimoseg.SOURCES}
    found = {"medmat": own, "gmai": Counterpart((), "none", False, "its datasets aren't listed here")}
    for system, sources in listed.items():
        names = tuple(dict.fromkeys(row.dataset for row in sources if fold(row.dataset) == fold(one.name)))
        reason = "a source of the same name" if names else "no source of this name"
        found[system] = Counterpart(names, "related" if names else "none", bool(names), reason)
    return found


def _of_label(name: str) -> dict[str, Counterpart]:
    from ..labels.table import table

    entry = table()[name]
    branch = tuple(word for word in (entry.clinical_task, *entry.departments) if word != "None")
    reason = "its clinical task and departments" if branch else "it belongs to no clinical task or department"
    printed = _mimoseg_labels().get(name, ())
    plain = all(fold(word) in map(fold, entry.words[:1]) for word in printed)
    return {
        "medmat": Counterpart((), "none", False, "it prints tasks, no labels"),
        "gmai": Counterpart(branch, "related" if branch else "none", True, reason),
        "medtrinity": Counterpart((), "none", False, "it prints structures, no labels"),
        "mimoseg": Counterpart(printed, "same", not plain, "" if plain else f"read as {name}")
        if printed
        else Counterpart((), "none", False, "it prints no such label"),
    }


@cache
def _mimoseg_labels() -> dict[str, tuple[str, ...]]:
    """Canonical label → the words that MIMOSeg prints for it, sides taken off."""
    from ..labels.table import table

    found: dict[str, tuple[str, ...]] = {}
    for word in mimoseg.LABEL_WORDS:
        known = table().sided(word)
        if known:
            found[known[0].name] = (*found.get(known[0].name, ()), word)
    return found


def selecting(match: Match) -> str:
    """The option of `medloom select` that takes this match, such as `--modality T1ce`; empty for a dataset's name."""
    if match.field == "dataset":
        return ""
    value = match.name if match.field in ("clinical_task", "department") else match.code
    if match.field == "subset":
        value = medmat.find(match.code).slug
    quoted = value if value.replace("-", "").isalnum() else f'"{value}"'
    return f"--{slug(match.field)} {quoted}"
