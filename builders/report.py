"""Issues counted as they come: how often each code, and the first few of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from ..schema.errors import Issue, Severity
from .picture import Report

FIRST = 20


@dataclass(slots=True)
class Tally:
    """A bounded memory of issues: exact counts by code, and the first `FIRST` of each in order of place."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[Issue]] = field(default_factory=dict)

    def add(self, issue: Issue, count: int = 1) -> None:
        """Count an issue."""
        self.counts[issue.code] += count
        kept = self.first.setdefault(issue.code, [])
        kept.append(issue)
        if len(kept) > 2 * FIRST:
            self.first[issue.code] = _earliest(kept)

    def within(self, unit: str) -> Report:
        """A report function that puts the unit's name before each issue's own place, unless that begins with it."""
        file = PurePosixPath(unit).name

        def report(issue: Issue) -> None:
            own = issue.where.removeprefix(file).strip() if issue.where.split(" ")[0] == file else issue.where
            self.add(replace(issue, where=f"{unit} {own}".strip()))

        return report

    def merge(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take up the rows that another tally's `rows` gave."""
        for row in rows:
            self.counts[row["code"]] += row["count"]
            kept = self.first.setdefault(row["code"], [])
            kept.extend(Issue(row["code"], **one, severity=Severity(row["severity"])) for one in row["first"])
            self.first[row["code"]] = _earliest(kept)

    def rows(self) -> list[dict[str, Any]]:
        """One row per code, sorted, as build-report.json holds them."""
        return [
            {
                "code": code,
                "severity": str(_earliest(self.first[code])[0].severity),
                "count": count,
                "first": [{name: asdict(issue)[name] for name in _FIELDS} for issue in _earliest(self.first[code])],
            }
            for code, count in sorted(self.counts.items())
        ]


_FIELDS = ("where", "found", "expected", "next")


def _earliest(issues: list[Issue]) -> list[Issue]:
    return sorted(issues, key=lambda issue: (issue.where, issue.found))[:FIRST]
