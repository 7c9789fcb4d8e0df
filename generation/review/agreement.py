"""How far annotators agree beyond chance: Cohen's kappa for two of them, Fleiss' for more, by statsmodels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from ...schema.errors import UsageError
from .votes import VERDICTS

Ballots = Sequence[Mapping[str, str]]
"""Per question: annotator → verdict."""


def agreement(ballots: Ballots) -> dict[str, Any]:
    """Measure, kappa and what it was measured on; kappa is None where it has no meaning, and `note` says why.

    Fleiss' kappa needs equally many votes on each question: it is measured on the number of votes that most questions
    have, the larger one of two such numbers. `pairs_agree` is the share of equal pairs of votes on the same question.

    Raises:
        UsageError: statsmodels isn't installed.
    """
    people = sorted({who for said in ballots for who in said})
    shared = [said for said in ballots if len(said) > 1]
    found: dict[str, Any] = {"measure": None, "kappa": None, "annotators": len(people), "questions": 0, "votes_each": 0}
    found |= {"pairs_agree": _pairs_agree(shared), "note": None}
    if not shared:
        return found | {"note": "no question has two votes"}
    sizes = Counter(map(len, shared))
    each = max(sizes, key=lambda size: (sizes[size], size))
    used = [[said[who] for who in sorted(said)] for said in shared if len(said) == each]
    found |= {"measure": "cohen" if len(people) == 2 else "fleiss", "questions": len(used), "votes_each": each}
    if len({verdict for said in used for verdict in said}) == 1:
        return found | {"note": "all votes are the same, so that chance alone explains them"}
    return found | {"kappa": _cohen(used) if len(people) == 2 else _fleiss(used)}


def _cohen(used: Sequence[Sequence[str]]) -> float:
    cells = Counter(map(tuple, used))
    return float(_library().cohens_kappa([[cells[a, b] for b in VERDICTS] for a in VERDICTS], return_results=False))


def _fleiss(used: Sequence[Sequence[str]]) -> float:
    return float(_library().fleiss_kappa([[said.count(verdict) for verdict in VERDICTS] for said in used]))


def _pairs_agree(shared: Ballots) -> float | None:
    pairs = [a == b for said in shared for a, b in combinations(said.values(), 2)]
    return sum(pairs) / len(pairs) if pairs else None


def _library() -> Any:
    try:
        from statsmodels.stats import inter_rater
    except ImportError as error:
        raise UsageError('kappa needs statsmodels, which isn\'t installed; `pip install "medloom[review]"`') from error
    return inter_rater
