"""Rewards that can be verified: what a reply says against what the question's record says, from 0 to 1.

    right       letters of a choice (single: right or not; multiple: F1 of the set), else IoU of places
    letters     all right letters and no other
    precision, recall, f1   of the set of letters
    iou         boxes paired one to one, masks by their pixels, points within a short distance; where the right answer has
                several names, only under its own
    form        the reply says what the instruction asks for, as the dialect writes it, and nothing else

Places are held against the right answer as the dialect writes it: what a grid or a polygon of few corners can't say is no
model's fault. A reply that can't be read, a refusal and an abstention earn nothing. A reward that has no meaning for a
question is None, which TRL leaves out of the sum.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...schema.errors import UsageError
from ...schema.question import NAMES, Kind, Question, question_of, row
from ..answers.choice import read_choice
from ..answers.entities import read_entities
from ..answers.final import final
from ..answers.status import Status
from ..asked import Asked
from ..conversation import IN_WORDS, Style, answer, frame
from ..coordinates import dialect
from ..coordinates.place import Frame, Place
from ..predicting.backend import SeenSize
from ..scoring.boxes import found, iou_matrix, mean_iou, near
from ..scoring.masks import filled_ring, overlap, united
from ..scoring.names import Name, name_of

CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE})
VERIFIABLE = frozenset(Kind) - (IN_WORDS - CHOICES)
"""Kinds whose replies are letters or places."""
LONGEST = 4.0
"""How many times as long as the right one an answer's words may be and still keep its form."""
Called = tuple[Name, Place]
_MARKS = re.compile(r"[\[\]{}<>`]")


@dataclass(frozen=True, slots=True)
class Truth:
    """A question with its right answer as a model should write it."""

    question: Question
    answer: str
    """In the dialect."""
    dialect: str
    frame: Frame

    @classmethod
    def of(cls, asked: Asked, style: Style, *, seen: SeenSize | None = None) -> Truth:
        """The truth of a question, put in a style.

        Raises:
            UsageError: its answer is withheld.
        """
        return cls(asked.question, answer(asked, style, seen=seen), style.dialect, frame(asked, seen))

    def text(self) -> str:
        """As JSON: the column that rewards read."""
        plain = dict(zip(NAMES, row(self.question), strict=True))
        sizes = {"size_hw_px": self.frame.size_hw_px, "seen_hw_px": self.frame.seen_hw_px}
        return json.dumps({"question": plain, "answer": self.answer, "dialect": self.dialect, **sizes}, sort_keys=True)


@lru_cache(maxsize=4096)
def truth_of(text: str) -> Truth:
    """The truth that a column's text holds."""
    data = json.loads(text)
    where = Frame(tuple(data["size_hw_px"]), tuple(data["seen_hw_px"]))
    return Truth(question_of(data["question"]), data["answer"], data["dialect"], where)


def right(reply: str, truth: Truth) -> float | None:
    """The reward that speaks for the question's kind: `letters` or `f1` of a choice, else `iou`."""
    if truth.question.kind == Kind.SINGLE_CHOICE:
        return letters(reply, truth)
    return f1(reply, truth) if truth.question.kind == Kind.MULTIPLE_CHOICE else iou(reply, truth)


def letters(reply: str, truth: Truth) -> float | None:
    """Whether a choice's right letters are given, all of them and no other."""
    said = _letters(reply, truth)
    return None if said is None else float(said == set(truth.question.letters))


def precision(reply: str, truth: Truth) -> float | None:
    """Share of the given letters that are right."""
    said = _letters(reply, truth)
    return None if said is None else _share(said & set(truth.question.letters), said)


def recall(reply: str, truth: Truth) -> float | None:
    """Share of the right letters that are given; alone it would reward naming them all."""
    said = _letters(reply, truth)
    return None if said is None else _share(said & set(truth.question.letters), set(truth.question.letters))


def f1(reply: str, truth: Truth) -> float | None:
    """Harmonic mean of precision and recall of the letters."""
    said, true = _letters(reply, truth), set(truth.question.letters)
    return None if said is None else 2 * len(said & true) / (len(said) + len(true))


def iou(reply: str, truth: Truth) -> float | None:
    """How well the places of the reply fit those of the right answer; the mean over the kinds of place in either.

    Where the right answer has several names, a place counts under its own name alone (`answers/entities.py`): a right box
    under another's name, or under none, earns nothing.
    """
    true = _called_places(truth.answer, truth)
    if not true:
        return None
    said = _called_places(reply, truth)
    if len({name for name, _ in true}) == 1:
        said, true = _nameless(said), _nameless(true)
    kinds = {place.kind for _, place in (*said, *true)}
    scores = [_FIT[kind](_of_kind(said, kind), _of_kind(true, kind), truth.frame.size_hw_px) for kind in kinds]
    return sum(scores) / len(scores)


def form(reply: str, truth: Truth) -> float | None:
    """Whether the reply keeps the form that was asked for: 1 or 0."""
    kind = truth.question.kind
    if kind in CHOICES:
        return float(_only_letters(final(reply), truth))
    asked = kind in VERIFIABLE and bool(_kinds(truth.answer, truth))
    return float(_only_places(final(reply), truth)) if asked else None


REWARDS: Mapping[str, Callable[[str, Truth], float | None]] = {
    one.__name__: one for one in (right, letters, precision, recall, f1, iou, form)
}


def for_trl(name: str) -> Callable[..., list[float | None]]:
    """A reward as `GRPOTrainer` calls it: `completions`, and the column `truth` beside others.

    Raises:
        UsageError: there is no such reward.
    """
    if name not in REWARDS:
        raise UsageError(f"reward {name!r}; expected one of {', '.join(REWARDS)}")
    one = REWARDS[name]

    def reward(completions: Sequence[Any], truth: Sequence[str], **_: Any) -> list[float | None]:
        return [one(said(reply), truth_of(text)) for reply, text in zip(completions, truth, strict=True)]

    reward.__name__ = name
    return reward


def said(completion: Any) -> str:
    """The text of a completion: a string, or messages whose contents are strings or parts."""
    if isinstance(completion, str):
        return completion
    contents = (message["content"] for message in completion)
    return "".join(one if isinstance(one, str) else "".join(part.get("text", "") for part in one) for one in contents)


def _letters(reply: str, truth: Truth) -> set[str] | None:
    """The letters that a reply to a choice gives, none where it isn't answered; None where there is nothing to choose."""
    if truth.question.kind not in CHOICES:
        return None
    choice = read_choice(reply, truth.question)
    return set(choice.letters) if choice.status is Status.ANSWERED else set()


def _share(part: set[str], whole: set[str]) -> float:
    return len(part) / len(whole) if whole else 0.0


def _called_places(text: str, truth: Truth) -> list[Called]:
    """The places that stand in a text, each with what it is called."""
    entities = read_entities(text, truth.question, dialect(truth.dialect), truth.frame)
    return [(name_of(one.name), place) for one in entities for place in one.places]


def _nameless(called: Sequence[Called]) -> list[Called]:
    return [(name_of(None), place) for _, place in called]


def _of_kind(called: Sequence[Called], kind: str) -> list[Called]:
    return [one for one in called if one[1].kind == kind]


def _kinds(text: str, truth: Truth) -> set[str]:
    """The kinds of place that stand in a text."""
    return {read.place.kind for read in dialect(truth.dialect).read(text, truth.frame)}


def _only_letters(text: str, truth: Truth) -> bool:
    """Known letters in the options' order, separated by commas; one of them in a single choice."""
    known = [option.letter for option in truth.question.options]
    given = [one.strip() for one in text.removesuffix(".").split(",")]
    several = truth.question.kind == Kind.MULTIPLE_CHOICE
    return set(given) <= set(known) and given == sorted(set(given), key=known.index) and (several or len(given) == 1)


def _only_places(text: str, truth: Truth) -> bool:
    """Places of the right kinds, nothing that looks like a place and is none, and words that are no essay."""
    way = dialect(truth.dialect)
    given, true = _kinds(text, truth), _kinds(truth.answer, truth)
    words, own = way.bare(text, truth.frame), way.bare(truth.answer, truth.frame)
    broken = Counter(_MARKS.findall(words)) - Counter(_MARKS.findall(own))
    return given == true and not broken and bool(words) >= bool(own) and len(words) <= LONGEST * max(len(own), 8)


def _boxes(given: Sequence[Called], true: Sequence[Called], size_hw_px: tuple[int, int]) -> float:
    return mean_iou(iou_matrix(_corners(given), _corners(true)) * _alike(given, true))


def _corners(called: Sequence[Called]) -> list[tuple[float, ...]]:
    return [place.box_xyxy_px for _, place in called if place.box_xyxy_px is not None]


def _polygons(given: Sequence[Called], true: Sequence[Called], size_hw_px: tuple[int, int]) -> float:
    """Of all that is outlined under a name as one mask."""
    ours, theirs = _masks(given, size_hw_px), _masks(true, size_hw_px)
    iou = [[overlap(mask, other).iou for _, other in theirs] for _, mask in ours]
    return mean_iou(np.array(iou, float).reshape(len(ours), len(theirs)) * _alike(ours, theirs))


def _points(given: Sequence[Called], true: Sequence[Called], size_hw_px: tuple[int, int]) -> float:
    ours, theirs = ([place.points_xy_px[0] for _, place in some] for some in (given, true))
    return found(near(ours, theirs, size_hw_px=size_hw_px) & _alike(given, true))[2]


def _masks(called: Sequence[Called], size_hw_px: tuple[int, int]) -> list[tuple[Name, np.ndarray]]:
    names = dict.fromkeys(name for name, _ in called)
    outlines = {name: [place.points_xy_px for one, place in called if one == name] for name in names}
    return [(name, united((filled_ring(one, size_hw_px) for one in some), size_hw_px)) for name, some in outlines.items()]


def _alike(given: Sequence[tuple[Name, Any]], true: Sequence[tuple[Name, Any]]) -> np.ndarray:
    """Whether each given one (row) is called as each true one (column): bool."""
    same = [[one == other or one.means(other) for other, _ in true] for one, _ in given]
    return np.array(same, bool).reshape(len(given), len(true))


_FIT = {"box": _boxes, "polygon": _polygons, "point": _points}
