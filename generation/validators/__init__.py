"""Checks that every question passes before it is written: one module per family of faults.

All of them look at one question and its sample alone, are pure, and fire on nothing but their own fault. What only shows
over a whole set (majority, length, position, wording) is `generation/baseline.py`'s.
"""

from __future__ import annotations

from ...schema.question import Question
from ..case import Case
from ..pools import Pools
from . import absence, claims, context, giveaway, home, options, pointing, references, sides, truth
from .fault import CODES, Check, Fault

__all__ = ["CHECKS", "CODES", "Fault", "validate"]

CHECKS: tuple[Check, ...] = (
    home.faults,
    options.faults,
    giveaway.faults,
    truth.faults,
    pointing.faults,
    references.faults,
    sides.faults,
    claims.faults,
    context.faults,
    absence.faults,
)


def validate(question: Question, case: Case, pools: Pools) -> list[Fault]:
    """Every fault of a question about a sample; none where it can stand."""
    return [fault for check in CHECKS for fault in check(question, case, pools)]
