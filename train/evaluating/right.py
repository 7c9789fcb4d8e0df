"""Whether a scored reply counts as right, and what it decided: the plain facts that flips and error kinds are made of."""

from __future__ import annotations

import re

from ...schema.question import Kind, Question
from ..answers.status import Status
from ..scoring.measures import PRIMARY
from ..scoring.scored import Scored

LEAST = 0.5
"""A primary measure of this and more counts as right where it isn't all or nothing."""
_CHOICES = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE)


def primary(scored: Scored) -> tuple[str, float] | None:
    """Name and value of the measure that speaks for the reply, None where it has none."""
    for name in PRIMARY[Kind(scored.kind)]:
        value = scored.measures.get(name)
        if value is not None:
            return name, value
    if scored.measures.get("abstention") is not None:
        return "abstention", float(scored.measures["abstention"] or 0.0)
    return None


def right(scored: Scored) -> bool:
    """Whether the reply is right: its primary measure is 1, or half and more where it is a share."""
    found = primary(scored)
    return found is not None and found[1] >= (1.0 if scored.kind in _CHOICES else LEAST)


def decision(scored: Scored, question: Question) -> str:
    """What the reply decided, in a form that another order of options leaves as it is.

    Of a choice the texts that were chosen, else right or wrong; where nothing was answered, the status.
    """
    if scored.status != Status.ANSWERED:
        return f"({scored.status})"
    if scored.kind not in _CHOICES:
        return "right" if right(scored) else "wrong"
    texts = {one.letter: one.text for one in question.options}
    return "\n".join(sorted(texts[letter] for letter in re.findall(r"[A-Z]", scored.said) if letter in texts))
