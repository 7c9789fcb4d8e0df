"""How well a description agrees with a reference report: five attributes of 0 to 2 each, after MedTrinity's check.

- modality: the same one is 2, one of the same family 1, another or none 0.
- structures: what the reference states as present, absent or uncertain; all of it (or something narrower) is 2, half of it 1,
  and no more than 1 where most of what the description names isn't in the reference.
- region: side, place in the image, and share within five percentage points; all that the reference says is 2, half 1.
- texture: brightness, evenness, margin, shape and the like; all is 2, half 1.
- relation: how things lie to each other and to the image's edge; all is 2, half 1.

A rule decides wherever the reference says something of an attribute in words that it knows. Elsewhere the attribute has
no score, unless a judge gives one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ...schema.errors import UsageError
from ...schema.triplet import MODALITIES
from ..pools import kin
from ..validators.naming import wider
from .report_words import Entity, Place, Relation, Said, said

MOST = 2
SHARE_POINTS = 5.0
"""Percentage points that a share may be off."""
_HALF = 0.5
Judge = Callable[[str, str, str], int | None]
"""Attribute, description, reference → 0, 1 or 2, or None where it can't say."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Scores by attribute."""

    scores: Mapping[str, int | None]
    """0 to 2; None where nobody could decide."""
    judged: frozenset[str] = frozenset()
    """Attributes whose score is the judge's."""

    @property
    def total(self) -> int | None:
        """The sum, 0 to 10; None while an attribute has no score."""
        scores = [one for one in self.scores.values() if one is not None]
        return sum(scores) if len(scores) == len(self.scores) else None

    @property
    def share(self) -> float | None:
        """The sum as a share of what the scored attributes could give, 0 to 1; None where there are none."""
        scores = [one for one in self.scores.values() if one is not None]
        return sum(scores) / (MOST * len(scores)) if scores else None


def alignment(description: str, reference: str, *, judge: Judge | None = None) -> Alignment:
    """The scores of a description against a reference; the judge is asked only where no rule decides.

    Raises:
        UsageError: The judge gave something else than 0, 1, 2 or None.
    """
    ours, theirs = said(description), said(reference)
    scores: dict[str, int | None] = {}
    judged: set[str] = set()
    for attribute, rule in RULES.items():
        scores[attribute] = rule(ours, theirs)
        if scores[attribute] is None and judge is not None:
            scores[attribute] = _verdict(judge, attribute, description, reference)
            judged |= {attribute} if scores[attribute] is not None else set()
    return Alignment(MappingProxyType(scores), frozenset(judged))


def _verdict(judge: Judge, attribute: str, description: str, reference: str) -> int | None:
    score = judge(attribute, description, reference)
    if score is not None and (isinstance(score, bool) or score not in range(MOST + 1)):
        raise UsageError(f"judge: {score!r} for {attribute}; expected 0, 1, 2 or None")
    return score


def _modality(ours: Said, theirs: Said) -> int | None:
    if not theirs.modalities:
        return None
    if theirs.modalities <= ours.modalities:
        return MOST
    roots = {MODALITIES.root(one).code for one in theirs.modalities}
    return 1 if roots <= {MODALITIES.root(one).code for one in ours.modalities} else 0


def _structures(ours: Said, theirs: Said) -> int | None:
    hits = [any(state == other and one in wider(label) for label, other in ours.statements) for one, state in theirs.statements]
    score = _graded(hits)
    strange = [one for one, _ in ours.statements if not any(kin(one, label) for label, _ in theirs.statements)]
    return min(score, 1) if score is not None and len(strange) > _HALF * len(ours.statements) else score


def _region(ours: Said, theirs: Said) -> int | None:
    shared = _labels(ours) & _labels(theirs)
    told = [(place.about & shared, place) for place in ours.places]
    return _graded(any(_agree(place, one, shared=shared, about=about) for about, one in told) for place in theirs.places)


def _agree(theirs: Place, ours: Place, *, shared: frozenset[str], about: frozenset[str]) -> bool:
    """Whether one claim of the description is a claim of the reference, of the same thing where both name it."""
    wanted = theirs.about & shared
    if theirs.kind != ours.kind or (wanted and not wanted & about) or bool(wanted) != bool(about):
        return False
    if isinstance(theirs.value, float) and isinstance(ours.value, float):
        return abs(theirs.value - ours.value) <= SHARE_POINTS
    return theirs.value == ours.value


def _texture(ours: Said, theirs: Said) -> int | None:
    return _graded(one in ours.textures for one in theirs.textures)


def _relation(ours: Said, theirs: Said) -> int | None:
    shared, two = _labels(ours) & _labels(theirs), _two_sided(theirs)
    told = {_known(one, shared, two) for one in ours.relations}
    return _graded(_known(one, shared, two) in told for one in theirs.relations)


def _known(one: Relation, shared: frozenset[str], two: frozenset[str]) -> Relation:
    """The relation between things that both texts name; what only one names is left open."""
    return Relation(_kept(one.one, shared, two), one.kind, _kept(one.other, shared, two))


def _kept(entity: Entity | None, shared: frozenset[str], two: frozenset[str]) -> Entity | None:
    """The thing, with its side where the reference has both: else a wrong side is the region's fault alone."""
    if entity is None or entity[1] not in shared:
        return None
    return entity if entity[1] in two else (None, entity[1])


def _two_sided(text: Said) -> frozenset[str]:
    """Labels of which a text names both sides."""
    sides = {(label, place.value) for place in text.places if place.kind == "patient" for label in place.about}
    return frozenset(label for label, side in sides if side == "left" and (label, "right") in sides)


def _labels(text: Said) -> frozenset[str]:
    return frozenset(label for label, _ in text.statements)


def _graded(hits: Iterable[bool]) -> int | None:
    """2 for all, 1 for half or more, 0 for less; None for none to hit."""
    every = list(hits)
    if not every:
        return None
    return MOST if all(every) else int(sum(every) >= _HALF * len(every))


RULES: Mapping[str, Callable[[Said, Said], int | None]] = MappingProxyType(
    {"modality": _modality, "structures": _structures, "region": _region, "texture": _texture, "relation": _relation}
)
"""Attribute → rule."""
ATTRIBUTES = tuple(RULES)
