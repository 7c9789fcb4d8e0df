"""What questions of choice share: which labels may be wrong options, how many are drawn, and where the right one stands.

A wrong option must be known not to hold. For whole images that is the state `absent`: where an owner's classes shut each
other out, its Facts declare a closed set, and the build has already written every class but the true one down as absent.
That each image of a pool *happens* to have one label doesn't prove it (a picture filed under COVID-19 may show respiratory
distress as well), so nothing is concluded from counts. Labels that are kin never stand beside each other, right or wrong,
and neither do two names of a normal state, as "no finding" and "no retinopathy". Of regions nobody states what they are
not: there, the pairs of `overlaps.yaml` don't meet either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import yaml

from ...schema.labels.table import table
from ...schema.question import Option
from ..case import Case
from ..chance import Chance
from ..pools import Named, Pool, Pools, kin
from ..wording import Wording, gaps

T = TypeVar("T")
_NOTHING = frozenset[str]()
LETTERS = "ABCDEFGH"
_OVERLAPS = Path(__file__).with_name("overlaps.yaml")
_NORMAL = re.compile(r"(no|normal|healthy)\b")
_WORD = re.compile(r"[a-z0-9]{3,}")
_SMALL_WORDS = frozenset(["and", "for", "from", "its", "not", "the", "which", "with", "without"])


def clash(one: Named, other: Named) -> bool:
    """Whether two labels can't stand beside each other, by what they mean."""
    return _clash(one.id, other.id, one.name, other.name)


@lru_cache(1 << 16)
def _clash(one_id: str, other_id: str, one: str, other: str) -> bool:
    return kin(one_id, other_id) or (normal(one) and normal(other))


def normal(name: str) -> bool:
    """Whether a label says that all is well."""
    return _NORMAL.match(name) is not None


@lru_cache(1 << 16)
def overlap(one: str, other: str) -> bool:
    """Whether two label ids may both hold for one region: see `overlaps.yaml`."""
    return any((one in some and other in others) or (other in some and one in others) for some, others in overlaps())


@cache
def overlaps() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Pairs of sets of label ids: each label of the one overlaps each of the other."""
    entries = yaml.safe_load(_OVERLAPS.read_text(encoding="utf-8"))
    return tuple((_with_narrower(one["some"]), _with_narrower(one.get("others", one["some"]))) for one in entries)


def _with_narrower(names: Iterable[str]) -> frozenset[str]:
    known = table()
    bare = [name.removesuffix("*") for name in names]
    below = [word for name in names if name.endswith("*") for word in known.descendants(name[:-1])]
    return frozenset(map(known.id_of, (*bare, *below)))


@dataclass(frozen=True, eq=False)
class Rivals:
    """The labels of a pool as wrong options."""

    pool: Pool
    regions: bool = False
    """Whether they name regions, of which nobody says what is absent."""
    _near: dict[str, frozenset[str]] = field(default_factory=dict)

    def near(self, label_id: str) -> frozenset[str]:
        """Ids of the labels that can't be wrong where this one is right."""
        if label_id not in self._near:
            name = next((one.name for one in self.pool if one.id == label_id), "")
            self._near[label_id] = frozenset(one.id for one in self.pool if self._meets(Named(name, label_id), one))
        return self._near[label_id]

    def _meets(self, one: Named, other: Named) -> bool:
        return clash(one, other) or (self.regions and overlap(one.id, other.id))

    def not_present(self, case: Case, *, apart: frozenset[str] = _NOTHING) -> Sequence[Named]:
        """Those that overlap nothing that is, or may be, on the image, but for labels that are known to lie `apart`."""
        return _clear(self, case.possible - apart if apart else case.possible)

    def absent(self, case: Case, pools: Pools, *, beside: Iterable[str]) -> list[Named]:
        """Those that are known to be absent from the whole image, and opposed to one of the right ones in its source."""
        absent, contrast = case.absent, pools.contrasts.get(case.record["source"])
        if contrast is not None:
            absent = absent & _NOTHING.union(*[contrast.opposed.get(one, ()) for one in beside])
        return [one for one in self.not_present(case) if one.id in absent] if absent else []


@lru_cache(1 << 12)
def _clear(rivals: Rivals, label_ids: frozenset[str]) -> tuple[Named, ...]:
    """Rivals that overlap none of some labels."""
    near = _NOTHING.union(*map(rivals.near, label_ids))
    return tuple([one for one in rivals.pool if one.id not in near])


def wrong_ones(
    candidates: Sequence[Named], most: int, chance: Chance, *, admits: Callable[[Named], bool] | None = None
) -> list[Named]:
    """Up to `most` candidates in drawn order that are admitted, none of them kin to another."""
    left, found = list(candidates), list[Named]()
    for place in range(len(left)):
        if len(found) == most:
            break
        other = place + chance.below(len(left) - place)
        left[place], left[other] = left[other], left[place]
        chosen = left[place]
        if not any(clash(chosen, one) for one in found) and (admits is None or admits(chosen)):
            found.append(chosen)
    return found


def some_wrong(
    candidates: Sequence[Named], most: int, chance: Chance, *, admits: Callable[[Named], bool] | None = None
) -> list[Named]:
    """Wrong options whose number is uniform from 1 to `most`, or to as many as there are."""
    found = wrong_ones(candidates, most, chance, admits=admits)
    return found[: 1 + chance.below(len(found))] if found else []


def clear_of(case: Case, label_id: str) -> frozenset[str]:
    """Ids of labels that are present and none of whose regions touches one of this label's: judged by their boxes.

    A label that also has a state other than present, on another side, or a region without a box isn't among them. Where one
    label lies clear of another, the other lies clear of it.
    """
    boxes: dict[str, list[Sequence[float] | None]] = {}
    for one in case.record["annotations"]:
        boxes.setdefault(one["label_id"], []).append(one["box_xyxy_px"])
    if len(boxes) < 2:
        return _NOTHING
    own, unsure = boxes.pop(label_id), {one["label_id"] for one in case.states if one["state"] != "present"}
    return frozenset([other for other, theirs in boxes.items() if other not in unsure and not _any_touch(own, theirs)])


def _any_touch(some: Iterable[Sequence[float] | None], others: Sequence[Sequence[float] | None]) -> bool:
    """Whether two boxes touch, or one is missing."""
    for one in some:
        for other in others:
            if one is None or other is None:
                return True
            if one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]:
                return True
    return False


def options(right: Sequence[Named], wrong: Sequence[Named], chance: Chance) -> tuple[tuple[Option, ...], tuple[str, ...]]:
    """Options in drawn order, and the letters of the right ones."""
    drawn = chance.shuffled([*right, *wrong])
    given = tuple([_option(letter, one.name, one.id) for letter, one in zip(LETTERS, drawn, strict=False)])
    true = {one.id for one in right}
    return given, tuple([one.letter for one in given if one.label_id in true])


_option = lru_cache(1 << 12)(Option)


def kept(items: Sequence[T], most: int | None, chance: Chance) -> Sequence[T]:
    """All items, or so many of them drawn by chance, in their order."""
    if most is None or len(items) <= most:
        return items
    places = set(chance.some(range(len(items)), most))
    return [one for place, one in enumerate(items) if place in places]


def telling(labels: Iterable[Named]) -> frozenset[str]:
    """Words that stand in some of the labels and not in all: in a question they would tell them apart."""
    every = [words(one.name) for one in labels]
    return frozenset().union(*every) - every[0].intersection(*every) if every else frozenset()


@lru_cache(1 << 14)
def words(text: str) -> frozenset[str]:
    """The words of a text that say something, case folded and without the plural's s."""
    return frozenset(word.removesuffix("s") for word in _WORD.findall(text.casefold())) - _SMALL_WORDS


class Ways:
    """Wordings with the words that each of them brings along."""

    def __init__(self, some: Sequence[Wording]):
        self.every = tuple((one, words(_without_gaps(one.texts["question"]))) for one in some)

    def silent(self, secrets: frozenset[str], chance: Chance) -> Wording | None:
        """A drawn wording whose own words tell nothing; None where all do."""
        start = chance.below(len(self.every))
        for turn in range(len(self.every)):
            one, own = self.every[(start + turn) % len(self.every)]
            if secrets.isdisjoint(own):
                return one
        return None


def _without_gaps(template: str) -> str:
    return template.format(**dict.fromkeys(gaps(template), " "))
