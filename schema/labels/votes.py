"""What annotators' votes say of departments and clinical tasks: the majority of at least three, or nothing.

A vote file is a table in long form, `label, annotator, departments, clinical_task`: several departments in one cell separated
by "; ", the primary first, all in codes, names or aliases. Each field is decided by itself. A department has the majority
when more than half of the annotators named it, whatever else they named; the primary is the one that most of them put
first. Where nothing has a majority the field is unresolved, and what the table says stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import Issue, Severity, UsageError
from ..vocabulary import Vocabulary, fold
from .sheet import rows_of
from .spelling import Spelling
from .table import Entry, LabelTable

COLUMNS = ("label", "annotator", "departments", "clinical_task")
FEWEST = 3
"""Annotators per label, as GMAI-MMBench asked three."""
_NAMES = tuple(term.name for term in DEPARTMENTS)


@dataclass(frozen=True, slots=True)
class Vote:
    """What one annotator says of one label."""

    label: str
    """The canonical name, or a source's own."""
    annotator: str
    departments: tuple[str, ...]
    """Full names, primary first; `None` alone where the label belongs to none."""
    clinical_task: str
    """Full name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes on one label come to."""

    label: str
    entry: Entry | None
    """The table's row; None for a source's own label."""
    votes: tuple[Vote, ...]
    """In the order of the file."""

    @property
    def departments(self) -> tuple[str, ...]:
        """Those with a majority, primary first, ties in the table's order; empty where none has one."""
        named = Counter(name for vote in self.votes for name in vote.departments)
        first = Counter(vote.departments[0] for vote in self.votes)
        known = self.entry.departments if self.entry else ()
        place = {name: at for at, name in enumerate((*known, *(one for one in _NAMES if one not in known)))}
        winners = [name for name, count in named.items() if self._majority(count)]
        return tuple(sorted(winners, key=lambda name: (-first[name], -named[name], place[name])))

    @property
    def clinical_task(self) -> str | None:
        """The one with a majority, None where none has one."""
        name, count = Counter(vote.clinical_task for vote in self.votes).most_common(1)[0]
        return name if self._majority(count) else None

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Field → what the table has (None without a row) and what the majority says, where these differ."""
        old = {"departments": self.entry and self.entry.departments, "clinical_task": self.entry and self.entry.clinical_task}
        new = {"departments": self.departments, "clinical_task": self.clinical_task}
        return {field: (old[field], new[field]) for field in old if new[field] and new[field] != old[field]}

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Fields without a majority."""
        decided = {"departments": self.departments, "clinical_task": self.clinical_task}
        return tuple(field for field, value in decided.items() if not value)

    @property
    def unanimous(self) -> dict[str, bool]:
        """Field → whether all annotators say the same; of departments the set, and the primary."""
        said = {(frozenset(vote.departments), vote.departments[0]) for vote in self.votes}
        return {"departments": len(said) == 1, "clinical_task": len({vote.clinical_task for vote in self.votes}) == 1}

    def tally(self, field: str) -> dict[str, int]:
        """Answer → how many gave it, the most frequent first; departments as one answer, primary first."""
        said = [vote.clinical_task if field == "clinical_task" else "; ".join(vote.departments) for vote in self.votes]
        return dict(sorted(Counter(said).items(), key=lambda item: (-item[1], item[0])))

    def _majority(self, count: int) -> bool:
        return 2 * count > len(self.votes)


def read(path: Path, table: LabelTable, *, own: Iterable[str] = ()) -> tuple[list[Vote], list[Issue]]:
    """Votes of a file, and every fault in it; `own` are names of sources' own labels.

    Raises:
        UsageError: the file can't be read, or lacks a column.
    """
    ours = {fold(name): name for name in own}
    spelling = Spelling(
        [*((word, entry.name) for entry in table for word in entry.words), *((name, name) for name in ours.values())]
    )
    votes: dict[tuple[str, str], Vote] = {}
    faults: list[Issue] = []
    for row, cells in rows_of(path, COLUMNS):
        where = f"{path.name} row {row}"
        vote, found = _vote(cells, where, table=table, own=ours, spelling=spelling)
        faults += found
        if vote is None:
            continue
        place = (vote.label, fold(vote.annotator))
        if place in votes:
            faults.append(
                _fault("voted-twice", where, f"a second vote of {vote.annotator!r} on {vote.label!r}", "one", "take one out")
            )
        votes.setdefault(place, vote)
    faults += [] if faults else _too_few(path, list(votes.values()))
    return list(votes.values()), faults


def count(votes: Iterable[Vote], table: LabelTable) -> list[Verdict]:
    """A verdict per label, sorted by label."""
    by_label: dict[str, list[Vote]] = {}
    for vote in votes:
        by_label.setdefault(vote.label, []).append(vote)
    known = {entry.name: entry for entry in table}
    return [Verdict(label, known.get(label), tuple(by_label[label])) for label in sorted(by_label)]


def agreement(verdicts: list[Verdict]) -> dict[str, float | None]:
    """Share of labels on which all annotators agree: per field, and on both; None without labels."""
    same = [verdict.unanimous for verdict in verdicts]
    shares = {field: sum(one[field] for one in same) for field in ("departments", "clinical_task")}
    shares["both"] = sum(all(one.values()) for one in same)
    return {field: round(number / len(same), 4) if same else None for field, number in shares.items()}


def _vote(
    cells: Mapping[str, str], where: str, *, table: LabelTable, own: Mapping[str, str], spelling: Spelling
) -> tuple[Vote | None, list[Issue]]:
    faults = []
    for column in COLUMNS:
        if not cells[column]:
            faults.append(_fault("empty-cell", where, f"no {column}", "one; `None` says that it belongs to none", "fill it in"))
    entry = table.find(cells["label"])
    label = entry.name if entry else own.get(fold(cells["label"]))
    if label is None and cells["label"]:
        close = spelling.closest(cells["label"])
        expected = "a word of the table or a source's own name" + (f", perhaps {close!r}" if close else "")
        step = "correct it, or name its source with --source"
        faults.append(_fault("unknown-label", where, f"label {cells['label']!r}", expected, step))
    departments, wrong = _names(DEPARTMENTS, cells["departments"].split(";"), where)
    task, wrong_task = _names(CLINICAL_TASKS, [cells["clinical_task"]], where)
    faults += wrong + wrong_task
    empty = not departments and not wrong and bool(cells["departments"])
    if empty or len(set(departments)) < len(departments) or ("None" in departments and len(departments) > 1):
        found, expected = f"departments {cells['departments']!r}", "each once, or `None` alone"
        faults.append(_fault("bad-departments", where, found, expected, "correct the cell"))
    if faults or label is None:
        return None, faults
    return Vote(label, cells["annotator"], departments, task[0]), []


def _names(vocabulary: Vocabulary, words: list[str], where: str) -> tuple[tuple[str, ...], list[Issue]]:
    """Full names of the words that aren't empty, and a fault for each unknown one."""
    names, faults = [], []
    for word in filter(None, map(str.strip, words)):
        try:
            names.append(vocabulary.find(word).name)
        except UsageError as error:
            expected = str(error).partition("; expected ")[2] or "a word of the vocabulary"
            faults.append(_fault("unknown-word", where, f"{vocabulary.kind} {word!r}", expected, "correct it"))
    return tuple(names), faults


def _too_few(path: Path, votes: list[Vote]) -> list[Issue]:
    if not votes:
        return [_fault("no-votes", path.name, "no votes", f"rows of {', '.join(COLUMNS)}", "write them")]
    voted = Counter(vote.label for vote in votes)
    short = {label: number for label, number in voted.items() if number < FEWEST}
    return [
        _fault(
            "too-few-votes", f"{path.name} {label!r}", f"{number} annotators", f"at least {FEWEST}", "ask more, or take it out"
        )
        for label, number in sorted(short.items())
    ]


def _fault(code: str, where: str, found: str, expected: str, next: str) -> Issue:
    return Issue(code, where, found, expected, next, Severity.ERROR)
