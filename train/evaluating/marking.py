"""Predictions scored: the question and record of each are read again, and a changed question is changed again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...schema.errors import UsageError
from ...schema.question import Question
from ..asked import Asked, AskedSet
from ..conversation import Style
from ..coordinates.dialects import dialect
from ..coordinates.place import Frame
from ..prediction import Prediction
from ..scoring.score import score
from ..scoring.scored import Scored
from . import windows
from .asking import changed_by, plain_asked
from .error_kinds import kind_of
from .parts import Sizes
from .right import decision

STAYS = "stays"
"""After a variant's id: the same reply, scored against the answer that was right before."""
FACTORS = {"window:narrow": 0.5, "window:wide": 2.0}


@dataclass(frozen=True, slots=True)
class Marked:
    """A scored reply, and what it decided."""

    scored: Scored
    decision: str
    """See `right.decision`."""
    kind: str
    """See `error_kinds.kind_of`."""
    told: str | None = None
    """What was changed, in the picture's own units."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the labels that the answer is about are called, by id, as far as the record says."""


@dataclass(frozen=True, slots=True)
class Marker:
    """What all predictions of an evaluation are scored with."""

    style: Style
    sizes: Sizes
    seed: int
    judge: Any = None

    def marked(
        self, asked: AskedSet, predictions: Sequence[Prediction], *, progress: Callable[[int, int], None]
    ) -> list[Marked]:
        """All predictions scored, question by question in their order, each with its variants in theirs.

        Raises:
            UsageError: a prediction of a question that isn't asked here.
        """
        by_id: dict[str, list[Prediction]] = {}
        for one in predictions:
            by_id.setdefault(one.id, []).append(one)
        places = {one.id: place for place, one in enumerate(asked.questions()) if one.id in by_id}
        if strange := sorted(set(by_id) - set(places)):
            raise UsageError(f"{len(strange)} predictions such as of {strange[0]}; expected only those of {asked.name}")
        found: list[Marked] = []
        for number, (id, place) in enumerate(places.items(), start=1):
            plain = asked[place]
            for prediction in by_id[id]:
                found += self._marked(plain, prediction)
            progress(number, len(places))
        return found

    def _marked(self, plain: Asked, prediction: Prediction) -> list[Marked]:
        variant = prediction.variant
        changed = changed_by(variant, plain, seed=self.seed, style=self.style)
        if changed is None:
            raise UsageError(f"{prediction.id}: a reply to variant {variant}, which doesn't apply; expected the same questions")
        asked = plain_asked(plain, changed)
        scored = self._scored(asked.question, asked.record, prediction)
        told = windows.told(asked.record, FACTORS[variant]) if variant in FACTORS else None
        kind = kind_of(scored, prediction.text, asked.question)
        names = {one["label_id"]: one["label"] for one in asked.record["labels"] if one["label_id"] in scored.labels}
        found = [Marked(scored, decision(scored, asked.question), kind, told, names)]
        if changed.stays is not None:
            again = self._scored(changed.stays, asked.record, prediction)
            found.append(Marked(replace(again, variant=f"{variant}:{STAYS}"), decision(again, changed.stays), kind))
        return found

    def _scored(self, question: Question, record: Mapping[str, Any], prediction: Prediction) -> Scored:
        size = record["size_hw_px"][0], record["size_hw_px"][1]
        frame = Frame(size, self.sizes.get(size, size))
        way = dialect(self.style.dialect)
        return score(question, record, prediction, dialect=way, frame=frame, judge=self.judge, masks=self.style.masks)
