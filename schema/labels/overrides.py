"""The file that a vote leaves and a build obeys: rows of the table whose departments or clinical task are overridden.

It has the columns of `labels.csv`, so that a person can read it beside the table. A build takes departments and clinical
task from it; an empty cell leaves the field as it was. Name, descriptor and parent only say which label is meant, and must
agree with the table.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import UsageError
from ..vocabulary import Vocabulary
from .label import Override, Overrides
from .sheet import rows_of
from .table import COLUMNS, Entry, LabelTable
from .votes import Verdict


def text_of(verdicts: Iterable[Verdict]) -> str:
    """The file as CSV: a row for each label that the vote changes, sorted by name; fields it doesn't change are empty."""
    out = StringIO()
    lines = csv.DictWriter(out, list[str](COLUMNS), lineterminator="\n")
    lines.writeheader()
    for verdict in sorted((one for one in verdicts if one.changes), key=lambda one: one.label):
        lines.writerow(_row(verdict))
    return out.getvalue()


def read(path: Path, table: LabelTable) -> tuple[Overrides, str]:
    """What the file overrides, by canonical name, and the file's SHA-256.

    Raises:
        UsageError: the file can't be read, or a row says what it can't; the message names the row.
    """
    found: dict[str, Override] = {}
    for row, cells in rows_of(path, COLUMNS):
        where = f"{path.name} row {row} ({cells['name']})"
        name = _name(cells, where, table)
        if name in found:
            raise UsageError(f"{where}: {name!r} stands twice; expected one row per label; take one out")
        found[name] = _override(cells, where)
    return dict(sorted(found.items())), hashlib.sha256(path.read_bytes()).hexdigest()


def _row(verdict: Verdict) -> dict[str, str]:
    entry = verdict.entry or Entry(verdict.label)
    known = {"name": entry.name, "mesh": entry.mesh or "", "parent": entry.parent or "", "aliases": "; ".join(entry.aliases)}
    decided = {
        "departments": "; ".join(_code(DEPARTMENTS, name) for name in verdict.departments),
        "clinical_task": _code(CLINICAL_TASKS, verdict.clinical_task or ""),
    }
    changed = {field: cell if field in verdict.changes else "" for field, cell in decided.items()}
    return known | changed | {"note": f"vote of {len(verdict.votes)}"}


def _code(vocabulary: Vocabulary, name: str) -> str:
    """As the table writes it: the code, `None` for none, nothing for an open field."""
    return name if name in ("", "None") else vocabulary.find(name).code


def _name(cells: dict[str, str], where: str, table: LabelTable) -> str:
    if not cells["name"]:
        raise UsageError(f"{where}: no name; expected a label; fill it in, or take the row out")
    entry = table.find(cells["name"])
    if entry is None:
        return cells["name"]
    for column, stands in (("mesh", entry.mesh), ("parent", entry.parent)):
        if cells[column] and cells[column] != stands:
            found = f"{column} {cells[column]!r}; expected {stands or 'an empty cell'!r}, as the table has it"
            raise UsageError(f"{where}: {found}; only departments and clinical_task can be overridden; empty the cell")
    return entry.name


def _override(cells: dict[str, str], where: str) -> Override:
    try:
        words = [word.strip() for word in cells["departments"].split(";") if word.strip()]
        departments = tuple(DEPARTMENTS.find(word).name for word in words)
        task = CLINICAL_TASKS.find(cells["clinical_task"]).name if cells["clinical_task"] else None
    except UsageError as error:
        raise UsageError(f"{where}: {error}; correct the cell") from None
    if len(set(departments)) < len(departments) or ("None" in departments and len(departments) > 1):
        raise UsageError(f"{where}: departments {cells['departments']!r}; expected each once, or `None` alone; take one out")
    if not departments and task is None:
        raise UsageError(
            f"{where}: neither departments nor clinical_task; expected one of them; fill it in, or take the row out"
        )
    return Override(departments, task)
