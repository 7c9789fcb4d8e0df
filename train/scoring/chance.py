"""What blind guessing is expected to get at a question of choice, by the options that it shows."""

from __future__ import annotations

from math import comb

from ...schema.question import Kind, Question


def chance_of(question: Question) -> dict[str, float]:
    """Expected measures of a guess: one option, or any set of two or more options, all equally likely; nothing elsewhere."""
    options, right = len(question.options), len(question.letters)
    if not options or not right:
        return {}
    if question.kind is Kind.SINGLE_CHOICE:
        return {"accuracy": right / options}
    if question.kind is Kind.MULTIPLE_CHOICE:
        return multiple(options, right)
    return {}


def multiple(options: int, right: int) -> dict[str, float]:
    """Expected measures of a set of two or more of the options (of all, where there are fewer), if so many are right."""
    sizes = range(min(2, options), options + 1)
    sets = sum(comb(options, size) for size in sizes)
    f1 = sum(_hits(options, right, size) * 2 / (size + right) * comb(options, size) for size in sizes) / sets
    mean_size = sum(size * comb(options, size) for size in sizes) / sets
    return {
        "acc_mcq": right / options,
        "recall_mcq": mean_size / options,
        "f1_mcq": f1,
        "exact_mcq": (1 / sets) if right in sizes else 0.0,
    }


def _hits(options: int, right: int, size: int) -> float:
    """Expected right ones among so many drawn."""
    return size * right / options
