"""What a gate says of a source or of the whole release: what it found, whether that may pass, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from ...schema.gate_overrides import Override, reason_of

MOST_PLACES = 20
Progress = Callable[[int, int], None]
"""Called by a gate with what it has looked at, and how much there is in all."""


class Level(StrEnum):
    """How much a verdict weighs."""

    PASS = "pass"
    WARN = "warn"
    """It may go out, but people must know."""
    REFUSE = "refuse"
    """It mustn't go out, unless somebody says why it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing that a gate looked at."""

    gate: str
    """licence, privacy or integrity."""
    code: str
    """Kebab-case and stable: overrides name it."""
    source: str | None
    """None: the release as a whole."""
    level: Level
    found: str
    expected: str
    next: str
    """What to do about it."""
    count: int = 1
    """How many samples, files or rows it is about."""
    where: tuple[str, ...] = ()
    """The first of them, at most `MOST_PLACES`."""
    override: str | None = None
    """The reason somebody gave why it may pass nevertheless."""

    @property
    def refuses(self) -> bool:
        """Whether it keeps the release back."""
        return self.level is Level.REFUSE and self.override is None


def overridden(verdicts: Iterable[Verdict], overrides: Iterable[Override]) -> list[Verdict]:
    """The verdicts, with the reasons that were given for those that don't pass by themselves."""
    given = list(overrides)
    return [
        one
        if one.level is Level.PASS
        else replace(one, override=reason_of(given, gate=one.gate, code=one.code, source=one.source))
        for one in verdicts
    ]
