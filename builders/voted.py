"""What a vote overrides of one source's labels, and what its labels mean: both are part of a build's plan."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..schema.errors import Issue, Severity
from ..schema.labels import Label, Overrides
from ..schema.labels.overrides import read
from ..schema.labels.table import table
from .source import Source


@dataclass(frozen=True, slots=True)
class Voted:
    """The rows of an override file that a source's labels use."""

    overrides: Overrides = field(default_factory=dict)
    sha256: str | None = None
    """Of the whole file; None without one."""
    issues: tuple[Issue, ...] = ()
    """A row that neither the table nor the source has a label for."""

    def row(self) -> dict[str, Any] | None:
        """As the plan and the recipe state it: digest and rows, enough to build again without the file."""
        if self.sha256 is None:
            return None
        rows = [
            {"name": name, "departments": list(one.departments), "clinical_task": one.clinical_task}
            for name, one in self.overrides.items()
        ]
        return {"sha256": self.sha256, "rows": rows}


def voted(source: Source, path: Path | None) -> Voted:
    """What the file says of the source's labels; nothing without a file.

    Raises:
        UsageError: the file can't be used; the message names the row.
    """
    if path is None:
        return Voted()
    overrides, sha256 = read(path, table())
    names = {label.name for label in _labels(source)}
    strangers = [name for name in overrides if name not in names and name not in table()]
    expected = "a name of the canonical table or of the source's LABELS"
    issues = [
        Issue("unknown-label", path.name, f"label {name!r}", expected, "its row was passed over", Severity.INFO)
        for name in strangers
    ]
    return Voted({name: one for name, one in overrides.items() if name in names}, sha256, tuple(issues))


def meaning_sha256(source: Source) -> str:
    """SHA-256 over what the canonical table makes of the source's labels; it moves when a row does that they use."""
    rows = sorted((one.id, one.name, one.entry.departments, one.entry.clinical_task) for one in _labels(source) if one.entry)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _labels(source: Source) -> list[Label]:
    return [label for label in source.labels.values() if label is not None]
