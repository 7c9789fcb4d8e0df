"""The questions of an evaluation: of a release's suite, a selection, a sample of it, and their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...generation.chance import Chance
from ...schema.errors import UsageError
from ...schema.processing_rights import CODE, kept_here
from ...schema.release import Release
from ..asked import AskedSet, ReleaseAsked
from .shots import Shots
from .truth import answered, withheld


def questions(
    release: str | Path,
    *,
    suite: str,
    split: str,
    config: str = "default",
    select: Mapping[str, Any] | None = None,
    kinds: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    answers: Path | None = None,
) -> AskedSet:
    """The questions, with withheld answers where `answers` holds them; at most `limit`, drawn by seed and id.

    Raises:
        ReleaseError: no release there, or the Hub can't be reached or refuses.
        UsageError: a word that isn't there, or nothing is left, or answers to other questions.
    """
    asked: AskedSet = ReleaseAsked.open(release, suite=suite, split=split, config=config, select=select, kinds=kinds)
    if limit is not None and limit < len(asked):
        asked = asked.taken(sampled([one.id for one in asked.questions()], limit, seed=seed))
    return asked if answers is None else answered(asked, answers)


def sampled(ids: Sequence[str], count: int, *, seed: int) -> list[int]:
    """Places of `count` of the ids, in order; who is drawn depends on seed and id, and larger samples hold smaller ones."""
    drawn = sorted(range(len(ids)), key=lambda place: (Chance("sample", seed, ids[place]).bits64(), ids[place]))
    return sorted(drawn[:count])


def shots_from(asked: AskedSet, release: str | Path, *, split: str, count: int, seed: int, **how: Any) -> Shots | None:
    """Examples from another split of the same suite; None for a count of 0.

    Raises:
        UsageError: the split is that of the questions.
    """
    if not count:
        return None
    own = {one.split for one in asked.questions()}
    if split in own:
        raise UsageError(f"examples from {split}, which is asked about; expected another split; give --shots-split")
    return Shots(ReleaseAsked.open(release, split=split, **how), count, seed)


def may_leave(asked: AskedSet, release: str | Path, *, allowed: Sequence[str] = ()) -> None:
    """Nothing, where the pictures of all sources asked about may be sent to another machine.

    Raises:
        UsageError: nobody grants that for one, and the call doesn't allow it.
    """
    opened = Release.open(release)
    if strange := sorted(set(allowed) - set(opened.sources)):
        raise UsageError(f"sources {', '.join(strange)}; expected some of {', '.join(opened.sources)}")
    sources = {one.source for one in asked.questions()}
    closed = {name: why for name, why in kept_here(opened).items() if name in sources and name not in allowed}
    if closed:
        name, why = min(closed.items())
        expected = f"an endpoint on this machine, --allow-credentialed {name}, or a reason for {CODE} in overrides.json"
        raise UsageError(f"{name}: {why}; its pictures stay on this machine; expected {expected}")


def counted(asked: AskedSet, variants: Sequence[str]) -> dict[str, Any]:
    """What would be asked: questions by kind, source and modality, and the most requests that may come of them."""
    every = asked.questions()
    by = {name: Counter(str(getattr(one, name)) for one in every) for name in ("kind", "source", "modality")}
    return {
        "asked": asked.name,
        "questions": len(every),
        "withheld": withheld(asked),
        "by": {name: dict(counts.most_common()) for name, counts in by.items()},
        "variants": list(variants),
        "requests_at_most": len(every) * (1 + len(variants)),
    }
