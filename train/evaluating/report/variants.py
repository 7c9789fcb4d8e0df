"""The same questions asked otherwise: robustness, counterfactuals and probes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import numbers
from .document import Column, Figure, Section, Table
from .plots import Estimate, Pair, dumbbells

Variants = Mapping[str, Mapping[str, Any]]
_NONE = "Nothing was asked otherwise in this run; `--robustness`, `--counterfactual` and `--probe` do."


def variants(results: Mapping[str, Any]) -> Section:
    """What they tell, each aim by itself."""
    every: Variants = results["variants"]
    by_aim = {aim: {name: one for name, one in every.items() if one["aim"] == aim} for aim in _ABOUT}
    parts = [_section(aim, some) for aim, some in by_aim.items() if some]
    return Section("variants", "The same questions asked otherwise", tuple(parts) or (_NONE,))


def _section(aim: str, some: Variants) -> Section:
    title, text = _ABOUT[aim]
    parts: list[Any] = [text, _asked(some)]
    if aim == "robustness":
        parts += list(_robustness(some))
    shares = tuple(_shares(some))
    if shares:
        parts.append(Table("Every share with its interval", _SHARES, shares, folded=len(shares) > 25))
    return Section(aim, title, tuple(parts))


def _asked(some: Variants) -> Table:
    columns = (
        Column("variant", code=True),
        Column("what was changed"),
        Column("replies", number=True),
        Column("doesn't apply to", number=True),
        Column("statuses"),
        Column("windows"),
    )
    rows = tuple(
        (name, one["about"], numbers.count(one["n"]), numbers.count(one["not_applicable"]), _counts(one["statuses"]),
         _counts(one.get("windows", {})))
        for name, one in some.items()
    )  # fmt: skip
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], tuple(row[:-1] for row in rows)
    return Table("What was asked", columns, rows)


def _robustness(some: Variants) -> Iterator[Table | Figure]:
    columns = (
        Column("variant", code=True),
        *(Column(name, number=True) for name in ("n", "flips", "interval", "flips of answered", "right before", "right after")),
        *(Column(name, number=True) for name in ("right → wrong", "wrong → right")),
    )
    yield Table("How often answers flip, beside how often they are right", columns, tuple(_flips(some)))
    pairs = [
        Pair(
            f"{name} (n {one['flips']['n']:,})",
            one["plain_right"]["value"],
            one["right"]["value"],
            _estimate(name, one["flips"]),
        )
        for name, one in some.items()
        if one["flips"]["value"] is not None
    ]
    if pairs:
        title = "Right answers before and after, and answers that changed"
        alt = "; ".join(
            f"{one.name}: right {numbers.value(one.before)} before, {numbers.value(one.after)} after, "
            f"{numbers.value(one.flips.value)} of answers changed"
            for one in pairs
        )
        yield Figure("robustness", title, alt, dumbbells(pairs, label="share of right answers"), _data(title, pairs))


def _flips(some: Variants) -> Iterator[tuple[str, ...]]:
    for name, one in some.items():
        rest = ("flips_answered", "plain_right", "right", "right_to_wrong", "wrong_to_right")
        flips = one["flips"]
        cells = (numbers.value(one[what]["value"]) for what in rest)
        yield (name, numbers.count(flips["n"]), numbers.value(flips["value"]), numbers.ends(flips), *cells)


def _data(title: str, pairs: list[Pair]) -> Table:
    columns = (
        Column("variant", code=True),
        *(Column(one, number=True) for one in ("before", "after", "changed", "low", "high")),
    )
    rows = ((one.before, one.after, one.flips.value, one.flips.low, one.flips.high) for one in pairs)
    return Table(title, columns, tuple((one.name, *map(numbers.value, row)) for one, row in zip(pairs, rows, strict=True)))


def _estimate(name: str, one: Mapping[str, Any]) -> Estimate:
    return Estimate(name, one["value"], one["low"], one["high"])


_SHARES = (
    Column("variant", code=True),
    Column("share of replies that …"),
    Column("n", number=True),
    Column("value", number=True),
    Column("interval", number=True),
)
SAID = {
    "plain_right": "are right as the questions stand",
    "right": "are right when asked so",
    "flips": "give another answer",
    "flips_answered": "give another answer, both being answered",
    "right_to_wrong": "turn from right to wrong",
    "wrong_to_right": "turn from wrong to right",
    "abstention": "say that it isn't there",
    "invention": "give a region all the same (less is better)",
    "follows": "follow the prompt",
    "stays": "give the answer of before (less is better)",
    "follows_of_right": "follow the prompt, of those right before",
    "stays_of_right": "give the answer of before, of those right before (less is better)",
}


def _shares(some: Variants) -> Iterator[tuple[str, ...]]:
    for name, one in some.items():
        for what, said in SAID.items():
            if what in one:
                yield (name, said, *_cells(one[what]))
        for scores, word in (("plain_score", "as the questions stand"), ("score", "when asked so")):
            for measure, share in one.get(scores, {}).items():
                yield (name, f"mean {measure}, {word}", *_cells(share))


def _cells(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return numbers.count(one["n"]), numbers.value(one["value"]), numbers.ends(one)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


_ABOUT = {
    "robustness": (
        "Robustness",
        "A sound answer doesn't hang on the window, the colour of a prompt or the order of options. Flips are counted beside "
        "right answers, since a model that always says the same never flips: a low flip rate alone is no merit. What was "
        "compared is what was chosen, not its letter; of regions, whether they are right.",
    ),
    "counterfactual": (
        "Counterfactual grounding",
        "Here the right answer is another one. `moved`: the prompt shows another structure, and the answer has to follow it. "
        "`absent`: something is asked for that is known not to be there, and the answer has to say so; a region given all the "
        "same is invented. Read abstention beside denial of what is there: a model that always says no abstains perfectly.",
    ),
    "probe": (
        "Probes",
        "A part of the answer is told in words. Where a wrong answer turns right once the name is told, seeing it was what "
        "failed in questions of knowledge, and knowing it in questions that describe by function; these counts stand under "
        "kinds of error.",
    ),
}
