"""All gates over one release, and their verdicts together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ...schema.errors import UsageError
from ...schema.gate_overrides import overrides_of
from ...schema.published import Mode
from ...schema.release import Release
from .verdict import Level, Progress, Verdict, overridden

GATES: tuple[str, ...] = ("licence", "privacy", "integrity")
GateProgress = Callable[[str, int, int], None]
"""Called with the gate's name, what it has looked at, and how much there is in all."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the gates say of a release."""

    release: Release
    verdicts: tuple[Verdict, ...]
    """Gate by gate, in the order in which they were asked."""

    @property
    def passed(self) -> bool:
        """Whether nothing keeps the release back."""
        return not self.refused

    @property
    def refused(self) -> tuple[Verdict, ...]:
        """The verdicts that keep it back."""
        return tuple(one for one in self.verdicts if one.refuses)

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        levels = Counter(one.level for one in self.verdicts)
        return {
            "release": str(self.release.root),
            "passed": self.passed,
            "counts": {level.value: levels[level] for level in Level}
            | {"overridden": sum(one.override is not None for one in self.verdicts), "refused": len(self.refused)},
            "verdicts": [asdict(one) | {"level": one.level.value, "where": list(one.where)} for one in self.verdicts],
        }


def gate(
    release: Release,
    *,
    modes: Mapping[str, Mode] | None = None,
    gates: Sequence[str] = GATES,
    ocr: bool = False,
    workers: int = 1,
    progress: GateProgress | None = None,
) -> Report:
    """The verdicts of the gates, with the reasons that the release's `overrides.json` gives.

    Args:
        release: The folder as it stands.
        modes: Source → how much of it would be published; sources that aren't named as much as the release holds.
        gates: Which to ask, of `GATES`.
        ocr: Whether a text detector looks for burned-in words; needs the extra `ocr`.
        workers: Processes for what reads pixels.
        progress: Called with the gate's name, done and all.

    Raises:
        UsageError: there is no such gate, or no such source.
    """
    _known("gate", gates, GATES)
    _known("source", modes or {}, release.sources)
    verdicts: list[Verdict] = []
    for name in (one for one in GATES if one in gates):
        told = None if progress is None else partial(progress, name)
        verdicts += _asked(name, release, modes=modes or {}, ocr=ocr, workers=workers, progress=told)
    return Report(release, tuple(overridden(verdicts, overrides_of(release.root))))


def _asked(
    name: str, release: Release, *, modes: Mapping[str, Mode], ocr: bool, workers: int, progress: Progress | None
) -> list[Verdict]:
    if name == "licence":
        from .licence import licence

        return licence(release, modes=modes)
    if name == "privacy":
        from .privacy import privacy

        return privacy(release, ocr=ocr, workers=workers, progress=progress)
    from .integrity import integrity

    return integrity(release, progress=progress)


def _known(what: str, given: Sequence[str] | Mapping[str, Mode], known: Sequence[str]) -> None:
    strange = sorted(set(given) - set(known))
    if strange:
        raise UsageError(f"{what} {strange[0]!r} is unknown; expected one of {', '.join(known)}; mend the name")
