"""What the privacy gate found at single places, and the verdicts they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..verdict import MOST_PLACES, Level, Verdict

_MEND = "take it out where the source is read, and build again"
_CODES: dict[str, tuple[Level, str, str]] = {
    "identifier-in-text": (Level.REFUSE, "no name, date or number of a person in any text", _MEND),
    "perhaps-an-identifier": (Level.WARN, "no words that may name a person", "read them; " + _MEND + " where they do"),
    "identifier-in-name": (Level.REFUSE, "names of files and members that say nothing of a person", _MEND),
    "picture-carries-more": (Level.REFUSE, "pictures that hold pixels and nothing beside them", "build the source again"),
    "archive-carries-more": (Level.REFUSE, "tars that hold names, sizes and bodies of members alone", "build the source again"),
    "unknown-field": (Level.REFUSE, "the fields of schema/sample.py", "build the source again, with this version"),
    "header-fact": (Level.REFUSE, "values of the allow-list of header facts", _MEND),
    "opaque-file": (Level.REFUSE, "files whose every byte can be looked at", "remove it, or build the source again"),
}
"""Code → how much it weighs, what was expected, what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing at one place."""

    code: str
    """One of `_CODES`."""
    what: str
    """In a few words, and without the identifier itself."""
    where: str


@dataclass(slots=True)
class Tally:
    """Findings of one code about one source: counts of everything, the first places."""

    kinds: Counter[str] = field(default_factory=Counter)
    places: list[str] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        self.kinds[finding.what] += 1
        if len(self.places) < MOST_PLACES:
            self.places.append(f"{finding.where}: {finding.what}")

    def join(self, other: Tally) -> None:
        """Count those of another tally too."""
        self.kinds.update(other.kinds)
        self.places = sorted([*self.places, *other.places])[:MOST_PLACES]


Tallies = dict[str, Tally]
"""Code → its tally."""


def tallied(findings: Iterable[Finding]) -> Tallies:
    """Findings, counted by code."""
    tallies: Tallies = {}
    for finding in findings:
        tallies.setdefault(finding.code, Tally()).add(finding)
    return tallies


def joined(into: Tallies, more: Tallies) -> None:
    """Add tallies to others."""
    for code, tally in more.items():
        into.setdefault(code, Tally()).join(tally)


def verdicts_of(source: str | None, tallies: Tallies) -> list[Verdict]:
    """A verdict per code."""
    return [_verdict(source, code, tallies[code]) for code in _CODES if code in tallies]


def _verdict(source: str | None, code: str, tally: Tally) -> Verdict:
    level, expected, step = _CODES[code]
    told = [f"{what} ({count:,})" for what, count in tally.kinds.most_common(6)]
    more = f" and {len(tally.kinds) - 6} kinds more" if len(tally.kinds) > 6 else ""
    return Verdict(
        gate="privacy",
        code=code,
        source=source,
        level=level,
        found="; ".join(told) + more,
        expected=expected,
        next=step,
        count=tally.kinds.total(),
        where=tuple(sorted(tally.places)),
    )
