"""What wrong replies are wrong for: no answer, none to what was asked, or a wrong one, and why as far as a probe can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..answers.status import Status
from ..scoring.scored import Scored
from .probes import reason
from .right import primary, right

RIGHT, WRONG, UNMEASURED = "right", "wrong", "not measured"
NO_ANSWER = {
    Status.REFUSED: "refusal",
    Status.EMPTY: "empty",
    Status.FAILED: "failed",
    Status.UNPARSED: "irrelevant",
}
"""Status → kind of error, whatever was asked."""


def kind_of(scored: Scored, probe: Scored | None) -> str:
    """Right, or the kind of error: refusal, irrelevant, empty, failed, or `wrong: perception` and the like."""
    if right(scored):
        return RIGHT
    if scored.status in NO_ANSWER:
        return NO_ANSWER[Status(scored.status)]
    return f"{WRONG}: {reason(scored, probe)}" if primary(scored) else UNMEASURED


def counted(plain: Sequence[Scored], probes: Mapping[str, Scored]) -> dict[str, Any]:
    """How many replies are of each kind, in all and by kind of question."""
    every = [(one.kind, kind_of(one, probes.get(one.id))) for one in plain]
    kinds = sorted({kind for kind, _ in every})
    return {
        "all": _sorted(Counter(error for _, error in every)),
        "by_kind": {kind: _sorted(Counter(error for own, error in every if own == kind)) for kind in kinds},
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
