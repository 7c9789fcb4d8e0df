"""What came out: the measures that speak for each kind of question, beside chance and beside what people agree on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...scoring.measures import LESS_IS_BETTER
from . import numbers
from .document import Column, Figure, Section, Table
from .measured import FEW, Branch, about, bounds, few, speaking, told
from .plots import Estimate, forest

_COLUMNS = (
    Column("kind of question"),
    Column("measure", code=True),
    Column("n", number=True),
    Column("value", number=True),
    Column("interval", number=True),
    Column("macro over labels", number=True),
    Column("macro over subsets", number=True),
    Column("chance", number=True),
    Column("against chance"),
    Column("note"),
)
_EVERY = (
    Column("measure", code=True),
    *(Column(name, number=True) for name in ("n", "value", "interval", "Wilson", "macro over labels", "macro over subsets")),
    Column("chance", number=True),
    Column("what counts"),
)


def headline(results: Mapping[str, Any]) -> Section:
    """The first section."""
    scores = results["scores"]
    by_kind = scores["by"]["kind"]
    names = speaking(by_kind)
    found: list[Any] = [*_sentences(scores), Table("Headline measures by kind of question", _COLUMNS, tuple(_rows(by_kind)))]
    if estimates := list(_estimates(by_kind)):
        found.append(_figure(estimates))
    if human := tuple(_human(by_kind)):
        found += [_HUMAN_TEXT, Table("Beside people who outlined the same", _HUMAN, human)]
    found.append(Table("All measures, over all kinds", _EVERY, tuple(_every(scores))))
    if len(by_kind) > 1:
        rows = tuple((numbers.words(kind), *row) for kind, branch in by_kind.items() for row in _every(branch))
        found.append(Table("All measures, kind by kind", (Column("kind of question"), *_EVERY), rows, folded=True))
    if not names:
        found.insert(0, "No reply has any of the measures that speak for a kind of question.")
    return Section("headline", "What came out", tuple(found))


def verdict(one: Mapping[str, Any]) -> str:
    """How a measure stands to its chance level, as far as its intervals tell: both, where it has Wilson's too."""
    chance, ends = one.get("chance"), (one, one.get("wilson") or one)
    if chance is None or one["low"] is None:
        return ""
    if min(end["low"] for end in ends) > chance:
        return "above"
    return "below" if max(end["high"] for end in ends) < chance else "can't be told apart"


def _sentences(scores: Branch) -> Iterator[str]:
    answered = scores["statuses"].get("answered", 0)
    share = numbers.share(answered, scores["n"])
    yield (
        f"{numbers.count(scores['n'])} questions from {numbers.count(scores['groups'])} groups (patients where they are known, "
        f"else studies or pictures) were put as they stand. In {numbers.count(answered)} replies ({share}) a stated rule read "
        "an answer; the others are told apart below, and those that can't be read count as wrong wherever more is better."
    )
    level, small = round(100 * scores["intervals"]["level"]), scores["intervals"]["small"]
    yield (
        f"Values are from 0 to 1, and more is better unless a measure says otherwise. Intervals are of {level} % and made by "
        f"drawing whole groups, or Wilson's where all draws agree; `few` marks what has fewer than {small['n']} questions or "
        f"{small['groups']} groups, where they are too narrow to lean on. Chance is what blind guessing is expected to get, "
        "for questions of choice alone."
    )


def _rows(by_kind: Mapping[str, Branch]) -> Iterator[tuple[str, ...]]:
    for kind, branch in by_kind.items():
        for name, one in told(branch, speaking({kind: branch})):
            cells = numbers.count(one["n"]), numbers.value(one["value"]), numbers.ends(bounds(one))
            macros = (numbers.value(one.get(f"macro_{what}")) for what in ("labels", "subsets"))
            chance = numbers.value(one.get("chance"))
            yield (numbers.words(kind), name, *cells, *macros, chance, verdict(one), FEW if few(branch, one) else "")


def _estimates(by_kind: Mapping[str, Branch]) -> Iterator[Estimate]:
    for kind, branch in by_kind.items():
        for name, one in told(branch, speaking({kind: branch})):
            if one["value"] is not None:
                yield estimate(f"{numbers.words(kind)}: {name}", one, hollow=few(branch, one))


def estimate(name: str, one: Mapping[str, Any], *, hollow: bool, heading: bool = False) -> Estimate:
    """A measure as a row of a forest plot."""
    human = (one.get("human") or {}).get("value")
    beside = {"chance": one.get("chance"), "human": human}
    return Estimate(name, one["value"], **bounds(one), few=hollow, heading=heading, **beside)


def data_of(caption: str, rows: Sequence[Estimate]) -> Table:
    """The numbers of a forest plot."""
    heads = ("value", "low", "high", "chance", "other observers")
    columns = (Column("of"), *(Column(name, number=True) for name in heads), Column("note"))
    cells = ((one.value, one.low, one.high, one.chance, one.human) for one in rows)
    told_of = zip(rows, cells, strict=True)
    return Table(
        caption, columns, tuple((one.name, *map(numbers.value, some), FEW if one.few else "") for one, some in told_of)
    )


def _figure(estimates: Sequence[Estimate]) -> Figure:
    title = "Headline measures with their intervals"
    first = "; ".join(
        f"{one.name} {numbers.value(one.value)} ({numbers.ends({'low': one.low, 'high': one.high})})" for one in estimates
    )
    alt = f"Points with intervals, one for each kind of question: {first}"
    return Figure("headline", title, alt, forest(estimates, label="value (0 to 1)"), data_of(title, estimates))


_HUMAN_TEXT = (
    "Where several people outlined the same thing on the same picture, the others' regions are scored as though they were the "
    "reply. A model that gets as much on the same questions agrees with one of them as well as they do with each other."
)
_HUMAN = (
    Column("kind of question"),
    Column("measure", code=True),
    Column("questions with several observers", number=True),
    Column("the model on these", number=True),
    Column("other observers", number=True),
)


def _human(by_kind: Mapping[str, Branch]) -> Iterator[tuple[str, ...]]:
    for kind, branch in by_kind.items():
        for name, one in branch["measures"].items():
            if human := one.get("human"):
                both = numbers.value(human["model"]), numbers.value(human["value"])
                yield (numbers.words(kind), name, numbers.count(human["n"]), *both)


def _every(scores: Branch) -> Iterator[tuple[str, ...]]:
    for name, one in scores["measures"].items():
        less = " (less is better)" if name in LESS_IS_BETTER and "less is better" not in about(name) else ""
        macros = (numbers.value(one.get(f"macro_{what}")) for what in ("labels", "subsets"))
        middle = numbers.count(one["n"]), numbers.value(one["value"]), numbers.ends(one), numbers.ends(one.get("wilson"))
        yield (name, *middle, *macros, numbers.value(one.get("chance")), f"{about(name)}{less}")
