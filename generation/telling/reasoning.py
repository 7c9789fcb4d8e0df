"""Perspective III: a function, a place or a reason to care; the answer names what has it and shows its regions.

Facts come from the knowledge file. One is asked only where it holds for one alone of the labels that may be on the image,
and where none of that label's regions can be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...schema.errors import UsageError
from ...schema.question import Kind, Question
from ..case import Asking, Case
from ..chance import Chance
from ..choices.modality_words import picture
from ..pools import Pools, kin
from ..rules import Rule
from ..validators.naming import named
from ..wording import Wording, pick, wordings
from .grammar import Tied, capital, plural
from .knowledge import Fact, Known
from .seen import FINEST, Seen, called, complete, facts, seen

ACTS = {"mask": ("segment", ""), "box": ("mark", " with boxes"), "point": ("mark", " with points")}
"""What a question bids, before and after what it speaks of."""
INSTRUCTIONS = {
    "mask": "Answer with the name and a mask of every region.",
    "box": "Answer with the name and a box for every region.",
    "point": "Answer with the name and a point for every region.",
}
_UNFIT = ("phantom",)
"""Areas that hold no anatomy."""
_LEAST = 2


def reasoning(
    asking: Asking, pools: Pools, *, granularities: Sequence[str] = ("mask", "box"), most: int = 2, several: int = 1
) -> Rule:
    """The rule of perspective III.

    Args:
        asking: Who asks.
        pools: Unused: the knowledge file knows no release.
        granularities: What may be the answer.
        most: Questions for one label each, per sample.
        several: Questions for two or three labels at once, per sample.

    Raises:
        UsageError: a granularity that there isn't, or a negative number.
    """
    check(granularities, most, several)

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        sites = [one for one in sites_of(case, granularities) if complete(one, case)]
        own = facts(case) if sites else {}
        found = [(site, some) for site in sites if (some := _pointing(own.get(site.label_id, ())))]
        place = 0
        for site, some in chance.some(found, min(most, len(found))):
            yield _single(
                asking, case, site, chance.one(some), place=place, wording=pick(wordings("reasoning", "find"), chance)
            )
            place += 1
        for _ in range(several if len(found) >= _LEAST else 0):
            chosen = _unnamed([(site, chance.one(some)) for site, some in _together(found, chance)])
            if len(chosen) >= _LEAST:
                yield _multiple(asking, case, chosen, place=place, wording=pick(wordings("reasoning", "find-all"), chance))
                place += 1

    return rule


def check(words: Sequence[str], *numbers: int) -> None:
    """Nothing.

    Raises:
        UsageError: a granularity that there isn't, or a negative number.
    """
    if strange := sorted(set(words) - set(FINEST)):
        raise UsageError(f"granularity {', '.join(strange)}; expected some of {', '.join(FINEST)}")
    if any(number < 0 for number in numbers):
        raise UsageError(f"numbers of questions {numbers}; expected 0 or more")


def sites_of(case: Case, granularities: Sequence[str]) -> list[Seen]:
    """Labels with regions that a question may be about."""
    if case.record["area"] in _UNFIT or not case.record["annotations"]:
        return []
    return [one for one in seen(case) if one.granularity in granularities and one.known is not None and one.known.noun]


def _pointing(some: Sequence[Fact]) -> list[Fact]:
    return [fact for fact in some if not fact.general]


def _together(found: Sequence[tuple[Seen, list[Fact]]], chance: Chance) -> list[tuple[Seen, list[Fact]]]:
    """Two or three labels of one granularity, in drawn order."""
    first = chance.one(found)[0]
    alike = [one for one in found if one[0].granularity == first.granularity]
    return chance.some(alike, min(len(alike), _LEAST + chance.below(2)))


def _unnamed(chosen: list[tuple[Seen, Fact]]) -> list[tuple[Seen, Fact]]:
    """Those whose names no fact of the others holds, as "beside the spine" would."""
    told = [(site.label_id, named(fact.text)) for site, fact in chosen]
    ids = {site.label_id for site, _ in chosen}
    naming = {one for one, labels in told if any(kin(label, other) for label in labels for other in ids - {one})}
    return [(site, fact) for site, fact in chosen if site.label_id not in naming]


def _single(asking: Asking, case: Case, site: Seen, fact: Fact, *, place: int, wording: Wording) -> Question:
    act, how = ACTS[site.granularity]
    question = wording.fill(act=act, how=how, thing=_thing(known_of(site), fact), picture=picture(case.modality))
    return _found(asking, case, [(site, fact)], place=place, wording=wording, question=capital(question))


def _multiple(asking: Asking, case: Case, chosen: list[tuple[Seen, Fact]], *, place: int, wording: Wording) -> Question:
    things = "; ".join(_thing(known_of(site), fact) for site, fact in chosen)
    act, how = ACTS[chosen[0][0].granularity]
    question = wording.fill(act=act, how=how, things=things, picture=picture(case.modality))
    return _found(asking, case, chosen, place=place, wording=wording, question=capital(question))


def _found(
    asking: Asking, case: Case, chosen: list[tuple[Seen, Fact]], *, place: int, wording: Wording, question: str
) -> Question:
    """A question of perspective III."""
    before, after = wording.texts["answer"].split("{said}")
    answer = Tied(before)
    for number, (site, fact) in enumerate(chosen):
        _state(answer, site, fact, modality=case.modality, the="; the " if number else "The ")
    site = chosen[0][0]
    return asking.question(
        case,
        place=place,
        kind=Kind.REASONING,
        about=site.parts[0].state,
        granularity=site.granularity,
        perspective=3,
        question=question,
        instruction=INSTRUCTIONS[site.granularity],
        answer=str(answer.say(after)),
        labels=tuple([one.label_id for one, _ in chosen]),
        targets=tuple([name for one, _ in chosen for name in one.ids]),
        spans=tuple(answer.spans),
        wording=wording.id,
        flags=tuple(sorted({flag for one, _ in chosen for part in one.parts for flag in part.flags})),
    )


def _state(answer: Tied, site: Seen, fact: Fact, *, modality: str, the: str) -> None:
    """Says what has the fact: "The liver makes bile", "the left kidney and the right kidney: each filters the blood"."""
    for number, part in enumerate(site.parts):
        answer.say(" and the " if number else the).tie(called(part.state, modality), part.ids)
    answer.say(f"{': each of them' if len(site.parts) > 1 else ''} {fact.text}")


def _thing(known: Known, fact: Fact) -> str:
    return f"the {_noun(known)} that {fact.text}"


def _noun(known: Known) -> str:
    noun = known.noun or "structure"
    return plural(noun) if known.plural else noun


def known_of(site: Seen) -> Known:
    """What is known of a label that questions are made of."""
    assert site.known is not None
    return site.known
