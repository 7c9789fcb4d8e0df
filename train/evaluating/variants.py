"""The same question asked otherwise: what must not change a sound answer (robustness), and what must (counterfactual).

A variant is a pure function of a question and a seed. Where it doesn't apply it gives None, and the question is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from types import MappingProxyType

from ...schema.errors import UsageError
from ...schema.prompt_drawing import PALETTE, drawn
from ...schema.question import Kind, Question
from ..asked import Asked
from ..conversation import Style
from . import counterfactual
from .orders import reordered
from .probes import probed
from .windows import rewindowed


class Aim(StrEnum):
    """What a variant is asked for."""

    ROBUSTNESS = "robustness"
    COUNTERFACTUAL = "counterfactual"
    PROBE = "probe"


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """A question as a variant asks it."""

    asked: Asked
    """Its answer is the one that is right now."""
    scored_as: Question | None = None
    """The question as it is scored, where what was asked lacks something of it."""
    stays: Question | None = None
    """The same with the answer that was right before, to see who doesn't follow."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of asking otherwise."""

    id: str
    aim: Aim
    about: str
    change: Callable[[Asked, int], Changed | None]
    shown: frozenset[str] = frozenset(("drawn", "text", "both"))
    """For which `Style.prompts` it means anything."""
    kinds: frozenset[Kind] = frozenset(Kind)
    """Kinds of question to which it may apply."""

    def __call__(self, asked: Asked, *, seed: int, style: Style) -> Changed | None:
        """The question changed, None where this doesn't apply to it."""
        if asked.question.kind not in self.kinds or style.prompts not in self.shown:
            return None
        return self.change(asked, seed)


def chosen(ids: Iterable[str]) -> tuple[Variant, ...]:
    """Variants by their ids, each once, in the order of `VARIANTS`.

    Raises:
        UsageError: there is no such variant.
    """
    wanted = set(ids)
    if strange := sorted(wanted - set(VARIANTS)):
        raise UsageError(f"variants {', '.join(strange)}; expected some of {', '.join(VARIANTS)}")
    return tuple(one for one in VARIANTS.values() if one.id in wanted)


def of_aim(*aims: Aim) -> tuple[str, ...]:
    """Ids of all variants with some aims."""
    return tuple(one.id for one in VARIANTS.values() if one.aim in aims)


def _coloured(asked: Asked, seed: int, *, rank: int) -> Changed | None:
    """Prompts in a colour that stands out less: they are drawn on the picture already, and aren't drawn again."""
    if not asked.question.prompts:
        return None
    picture = drawn(asked.picture, asked.question.prompts, asked.record, rank=rank)
    shown = replace(asked, picture=picture, question=replace(asked.question, prompts=()))
    return Changed(shown, scored_as=asked.question)


def _windowed(asked: Asked, seed: int, *, factor: float) -> Changed | None:
    picture = rewindowed(asked.picture, factor)
    return None if picture is None else Changed(replace(asked, picture=picture))


def _reordered(asked: Asked, seed: int, *, number: int) -> Changed | None:
    question = reordered(asked.question, seed=seed, number=number)
    return None if question is None else Changed(replace(asked, question=question))


def _moved(asked: Asked, seed: int) -> Changed | None:
    found = counterfactual.moved(asked, seed)
    return None if found is None else Changed(replace(asked, question=found[0]), stays=found[1])


def _absent(asked: Asked, seed: int) -> Changed | None:
    question = counterfactual.absent(asked, seed)
    return None if question is None else Changed(replace(asked, question=question))


def _probed(asked: Asked, seed: int) -> Changed | None:
    question = probed(asked.question)
    return None if question is None else Changed(replace(asked, question=question))


_CHOICES = frozenset((Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE))
_DRAWN = frozenset(("drawn",))
_ALL = (
    Variant("window:narrow", Aim.ROBUSTNESS, "grey levels of the middle half spread over all", partial(_windowed, factor=0.5)),
    Variant("window:wide", Aim.ROBUSTNESS, "grey levels drawn together into the middle half", partial(_windowed, factor=2.0)),
    *(
        Variant(
            f"colour:{rank}",
            Aim.ROBUSTNESS,
            f"prompts drawn in the colour that stands out {('second', 'third', 'fourth')[rank - 1]} best",
            partial(_coloured, rank=rank),
            shown=_DRAWN,
        )
        for rank in range(1, len(PALETTE))
    ),
    *(
        Variant(
            f"order:{number}", Aim.ROBUSTNESS, "options in another order", partial(_reordered, number=number), kinds=_CHOICES
        )
        for number in (1, 2)
    ),
    Variant(
        "moved",
        Aim.COUNTERFACTUAL,
        "the prompt shows another annotation, whose label is known: the answer has to follow",
        _moved,
        kinds=frozenset((Kind.SINGLE_CHOICE, Kind.REFERRING)),
    ),
    Variant(
        "absent",
        Aim.COUNTERFACTUAL,
        "something is asked for that is known not to be there: the answer has to say so",
        _absent,
        kinds=frozenset((Kind.DETECTION, Kind.GROUNDING)),
    ),
    Variant(
        "probe",
        Aim.PROBE,
        "what is seen, or what is looked for, is told in words: what is still wrong isn't for want of that",
        _probed,
        kinds=frozenset((Kind.PROMPTED, Kind.REASONING)),
    ),
)
VARIANTS: Mapping[str, Variant] = MappingProxyType({one.id: one for one in _ALL})
