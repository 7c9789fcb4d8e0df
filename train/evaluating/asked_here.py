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
from ..exchange.gmai_tsv import SUITE, TsvAsked
from .shots import Shots
from .truth import answered, withheld


def questions(
    release: str | Path,
    *,
    suite: str | None,
    split: str,
    config: str = "default",
    select: Mapping[str, Any] | None = None,
    kinds: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    answers: Path | None = None,
) -> AskedSet:
    """The questions, with withheld answers where `answers` holds them; at most `limit`, drawn by seed and id.

    Instead of a release it may be a TSV in the form of GMAI-MMBench, of which all questions are taken.

    Raises:
        ReleaseError: no release there, or the Hub can't be reached or refuses.
        UsageError: a word that isn't there, no suite of a release or one of a TSV, or nothing is left, or answers to other
            questions.
    """
    asked: AskedSet
    if is_tsv(release):
        if suite is not None or select or kinds or config != "default":
            raise UsageError(f"{release} with a suite, config, selection or kind; expected none, since a TSV has no index")
        asked = TsvAsked.open(release)
    elif suite is None:
        raise UsageError(f"no --suite of {release}; expected one that it holds; `medloom ask` makes them")
    else:
        asked = ReleaseAsked.open(release, suite=suite, split=split, config=config, select=select, kinds=kinds)
    if limit is not None and limit < len(asked):
        asked = asked.taken(sampled([one.id for one in asked.questions()], limit, seed=seed))
    return asked if answers is None else answered(asked, answers)


def is_tsv(place: str | Path) -> bool:
    """Whether a place is a TSV, by its name."""
    return Path(place).suffix.lower() == ".tsv"


def sampled(ids: Sequence[str], count: int, *, seed: int) -> list[int]:
    """Places of `count` of the ids, in order; who is drawn depends on seed and id, and larger samples hold smaller ones."""
    drawn = sorted(range(len(ids)), key=lambda place: (Chance("sample", seed, ids[place]).bits64(), ids[place]))
    return sorted(drawn[:count])


def shots_from(asked: AskedSet, release: str | Path, *, split: str, count: int, seed: int, **how: Any) -> Shots | None:
    """Examples from another split of the same suite; None for a count of 0.

    Raises:
        UsageError: the split is that of the questions, or a TSV has none.
    """
    if not count:
        return None
    if is_tsv(release):
        raise UsageError(f"--shots of {release}; expected a release, which has other splits to take examples from")
    own = {one.split for one in asked.questions()}
    if split in own:
        raise UsageError(f"examples from {split}, which is asked about; expected another split; give --shots-split")
    return Shots(ReleaseAsked.open(release, split=split, **how), count, seed)


def may_leave(asked: AskedSet, release: str | Path, *, allowed: Sequence[str] = ()) -> None:
    """Nothing, where the pictures of all sources asked about may be sent to another machine.

    Raises:
        UsageError: nobody grants that for one, and the call doesn't allow it.
    """
    if is_tsv(release):
        if SUITE not in allowed:
            expected = f"an endpoint on this machine, or --allow-credentialed {SUITE}"
            raise UsageError(f"{release}: nothing is known of who may process its pictures; expected {expected}")
        return
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
