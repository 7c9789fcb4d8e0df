"""A choice with its options in another order: letters belong to places, so the right ones change with them."""

from __future__ import annotations

from dataclasses import replace

from ...generation.chance import Chance
from ...schema.question import Option, Question


def reordered(question: Question, *, seed: int, number: int) -> Question | None:
    """The question with its options dealt anew, in an order that is none of the earlier numbers'; None where there is none.

    Orders are drawn from the seed and the question's id, and differ from the question's own.
    """
    letters = tuple(one.letter for one in question.options)
    seen, chance = {letters}, Chance("option-order", seed, question.id)
    if len(letters) < 2 or number >= _orders(len(letters)):
        return None
    order = letters
    while len(seen) <= number:
        order = tuple(chance.shuffled(letters))
        seen.add(order)
    return relettered(question, order)


def relettered(question: Question, order: tuple[str, ...]) -> Question:
    """The question whose options stand in an order, named by their letters of before."""
    letters = tuple(one.letter for one in question.options)
    now = dict(zip(order, letters, strict=True))
    by_letter = {one.letter: one for one in question.options}
    options = tuple(Option(new, by_letter[old].text, by_letter[old].label_id) for old, new in now.items())
    right = tuple(sorted((now[one] for one in question.letters), key=letters.index))
    answer = question.answer if question.answer is None else ",".join(right) if question.letters else question.answer
    return replace(question, options=options, letters=right, answer=answer)


def _orders(count: int) -> int:
    """How many orders so many options have, as far as anyone counts."""
    return {0: 1, 1: 1, 2: 2, 3: 6}.get(count, 24)
