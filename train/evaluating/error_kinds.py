"""What wrong replies are wrong for: no answer, none to what was asked, or a wrong one, and why as far as a probe can tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...schema.question import Question
from ..answers.kinds import WrongKind, wrong_kind
from ..answers.status import Status
from ..scoring.scored import Scored
from .probes import reason
from .right import primary, right

RIGHT, UNMEASURED = "right", "not measured"
_LOST = frozenset({Status.EMPTY, Status.FAILED})
_PLACES = re.compile(r"(\d+) places")


def kind_of(scored: Scored, reply: str | None, question: Question) -> str:
    """Right, refusal, irrelevant, misread, empty, failed, wrong, or not measured."""
    if right(scored):
        return RIGHT
    if scored.status in _LOST:
        return scored.status
    if primary(scored) is None:
        return UNMEASURED
    found = _PLACES.match(scored.said)
    return wrong_kind(reply, question, places=int(found[1]) if found else 0).value


def counted(plain: Sequence[tuple[Scored, str]], probes: Mapping[str, Scored]) -> dict[str, Any]:
    """How many replies are of each kind, in all and by kind of question; wrong ones with what a probe says of them."""
    every = [(one.kind, _told(one, kind, probes)) for one, kind in plain]
    return {
        "all": _sorted(Counter(error for _, error in every)),
        "by_kind": {
            kind: _sorted(Counter(error for own, error in every if own == kind)) for kind in sorted({kind for kind, _ in every})
        },
    }


def _told(scored: Scored, kind: str, probes: Mapping[str, Scored]) -> str:
    return f"{kind}: {reason(scored, probes.get(scored.id))}" if kind == WrongKind.WRONG else kind


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
