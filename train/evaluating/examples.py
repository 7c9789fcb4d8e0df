"""Some replies word for word, with what was asked: a few of each status and kind of error, for the report.

Where answers are withheld from the release none are kept, so that a report that is passed on tells none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...generation.chance import Chance
from ...schema.question import Question
from ..asked import AskedSet
from ..conversation import Style
from ..prediction import PLAIN, Prediction
from .asking import changed_by, plain_asked
from .marking import STAYS, Marked
from .right import primary
from .truth import Answered
from .variants import VARIANTS, Aim

OF_EACH, OF_CHANGED = 3, 1
"""Of the replies to questions as they stand with one status and error; and of those to a counterfactual."""


def examples(
    asked: AskedSet, marked: Sequence[Marked], predictions: Sequence[Prediction], *, style: Style, seed: int
) -> dict[str, Any]:
    """What `examples.json` holds: who is drawn depends on the seed and on ids alone.

    Args:
        asked: The questions.
        marked: All marked replies.
        predictions: Their texts.
        style: How questions were put.
        seed: Of the variants, and of the draw.
    """
    hidden = asked.whole if isinstance(asked, Answered) else {}
    shown = [one for one in marked if one.scored.id not in hidden and not one.scored.variant.endswith(f":{STAYS}")]
    texts = {(one.id, one.variant): one.text for one in predictions}
    places = {one.id: place for place, one in enumerate(asked.questions())}
    found = []
    for one in _chosen(shown, seed):
        question = _question(one, asked, places[one.scored.id], style=style, seed=seed)
        found.append(_told(one, question, texts[one.scored.id, one.scored.variant]))
    return {"withheld": len({one.scored.id for one in marked} & set(hidden)), "examples": found}


def _chosen(marked: Sequence[Marked], seed: int) -> Iterator[Marked]:
    """Of each status and error, unlike kinds of question first; then of counterfactuals."""
    piles: dict[tuple[str, str, str], list[Marked]] = {}
    for one in sorted(marked, key=lambda one: (one.scored.variant, one.scored.id)):
        variant = one.scored.variant
        if variant == PLAIN or VARIANTS[variant].aim is Aim.COUNTERFACTUAL:
            piles.setdefault((variant, one.scored.status, one.kind), []).append(one)
    for pile, some in sorted(piles.items()):
        yield from _drawn(some, Chance("examples", seed, *pile), OF_EACH if pile[0] == PLAIN else OF_CHANGED)


def _drawn(some: Sequence[Marked], chance: Chance, count: int) -> list[Marked]:
    left = chance.shuffled(some)
    first = {one.scored.kind: one for one in reversed(left)}
    spread = sorted(left, key=lambda one: first[one.scored.kind] is not one)
    return spread[:count]


def _question(one: Marked, asked: AskedSet, place: int, *, style: Style, seed: int) -> Question:
    """The question as it was put."""
    if one.scored.variant == PLAIN:
        return asked.questions()[place]
    plain = asked[place]
    changed = changed_by(one.scored.variant, plain, seed=seed, style=style)
    return plain.question if changed is None else plain_asked(plain, changed).question


def _told(one: Marked, question: Question, reply: str | None) -> dict[str, Any]:
    measure = primary(one.scored)
    return {
        "id": question.id,
        "variant": one.scored.variant,
        "about": _about(one.scored.variant),
        "kind": str(question.kind),
        "question": "\n".join(filter(None, (question.question, question.instruction))),
        "options": [[option.letter, option.text] for option in question.options],
        "right": _right(question),
        "reply": reply,
        "status": one.scored.status,
        "error": one.kind,
        "said": one.scored.said,
        "parsed_by": one.scored.parsed_by,
        "measure": measure and measure[0],
        "value": measure and measure[1],
    }


def _about(variant: str) -> str:
    return "as it stands" if variant == PLAIN else f"{variant}: {VARIANTS[variant].about}"


def _right(question: Question) -> str:
    texts: Mapping[str, str] = {option.letter: option.text for option in question.options}
    if question.letters:
        return "; ".join(f"{letter}. {texts.get(letter, '')}" for letter in question.letters)
    count = len(question.targets)
    places = f" ({count} region{'' if count == 1 else 's'})" if count else ""
    return f"{question.answer or ''}{places}"
