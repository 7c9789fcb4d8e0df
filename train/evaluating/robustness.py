"""What variants tell: how often an answer flips, how good it still is, and whether it follows what was changed.

Every share comes with an interval of 95 % over whole groups (patients where they are known).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..answers.status import Status
from ..scoring.scored import Scored
from ..scoring.statistics import interval, sums
from .marking import STAYS, Marked
from .right import primary, right
from .variants import Aim, Variant


@dataclass(frozen=True, slots=True)
class Shares:
    """How shares are told."""

    seed: int
    resamples: int

    def of(self, values: Iterable[float], groups: Iterable[str]) -> dict[str, Any]:
        """The mean of values, its interval, and how many there are; None where there are none or one group alone."""
        numbers, of = np.array(list(values), float), list(groups)
        if not len(numbers):
            return {"n": 0, "value": None, "low": None, "high": None}
        made = sums(numbers[:, None], np.ones((len(numbers), 1)), of)
        low, high = interval(made, seed=self.seed, resamples=self.resamples)[:, 0]
        ends = {"low": None, "high": None} if np.isnan(low) else {"low": float(low), "high": float(high)}
        return {"n": len(numbers), "value": float(numbers.mean()), **ends}


def told(variant: Variant, marked: Sequence[Marked], *, asked: int, shares: Shares) -> dict[str, Any]:
    """What `results.json` says of a variant.

    Args:
        variant: Which.
        marked: All marked replies of the evaluation.
        asked: Questions in all; those without a reply here are the ones to which it doesn't apply.
        shares: How shares are told.
    """
    plain = {one.scored.id: one for one in marked if one.scored.variant == ""}
    own = [one for one in marked if one.scored.variant == variant.id]
    found: dict[str, Any] = {
        "aim": variant.aim.value,
        "about": variant.about,
        "n": len(own),
        "not_applicable": asked - len(own),
    }
    found["statuses"] = dict(sorted(Counter(one.scored.status for one in own).items()))
    if windows := Counter(one.told for one in own if one.told):
        found["windows"] = dict(windows.most_common())
    if variant.aim is Aim.ROBUSTNESS:
        return found | _flips(own, plain, shares)
    if variant.id == "absent":
        return found | _absent(own, shares)
    if variant.id == "moved":
        stays = {one.scored.id: one for one in marked if one.scored.variant == f"{variant.id}:{STAYS}"}
        return found | _moved(own, plain, stays, shares)
    return found | {"right": _right([one.scored for one in own], shares)}


def _flips(own: Sequence[Marked], plain: Mapping[str, Marked], shares: Shares) -> dict[str, Any]:
    """Scores of both on the questions that have both, and flips: of all, and of those answered both times."""
    pairs = [(plain[one.scored.id], one) for one in own if one.scored.id in plain]
    groups = [one.scored.group for _, one in pairs]
    said = [(a, b) for a, b in pairs if a.scored.status == b.scored.status == Status.ANSWERED]
    return {
        "score": _scores([one.scored for _, one in pairs], shares),
        "plain_score": _scores([one.scored for one, _ in pairs], shares),
        "right": _right([one.scored for _, one in pairs], shares),
        "plain_right": _right([one.scored for one, _ in pairs], shares),
        "flips": shares.of((a.decision != b.decision for a, b in pairs), groups),
        "flips_answered": shares.of((a.decision != b.decision for a, b in said), [b.scored.group for _, b in said]),
        "right_to_wrong": shares.of((right(a.scored) and not right(b.scored) for a, b in pairs), groups),
        "wrong_to_right": shares.of((right(b.scored) and not right(a.scored) for a, b in pairs), groups),
    }


def _absent(own: Sequence[Marked], shares: Shares) -> dict[str, Any]:
    """Who says that it isn't there, and who invents a place for it."""
    groups = [one.scored.group for one in own]
    return {
        name: shares.of((one.scored.measures.get(name) or 0.0 for one in own), groups) for name in ("abstention", "invention")
    }


def _moved(own: Sequence[Marked], plain: Mapping[str, Marked], stays: Mapping[str, Marked], shares: Shares) -> dict[str, Any]:
    """Who follows the prompt, who stays; over all, and over those who were right before it moved."""
    before = [one for one in own if one.scored.id in plain and right(plain[one.scored.id].scored)]
    found: dict[str, Any] = {}
    for word, some in (("", own), ("_of_right", before)):
        groups = [one.scored.group for one in some]
        found[f"follows{word}"] = shares.of((right(one.scored) for one in some), groups)
        found[f"stays{word}"] = shares.of((right(stays[one.scored.id].scored) for one in some), groups)
    return found


def _right(scored: Sequence[Scored], shares: Shares) -> dict[str, Any]:
    return shares.of((right(one) for one in scored), [one.group for one in scored])


def _scores(scored: Sequence[Scored], shares: Shares) -> dict[str, Any]:
    """The primary measure by kind of question and measure."""
    by_name: dict[str, list[tuple[float, str]]] = {}
    for one in scored:
        if found := primary(one):
            by_name.setdefault(f"{one.kind}.{found[0]}", []).append((found[1], one.group))
    return {
        name: shares.of([value for value, _ in some], [group for _, group in some]) for name, some in sorted(by_name.items())
    }
