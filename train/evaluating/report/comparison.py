"""A comparison of runs as a document: who was compared, what differs and how surely, and what the numbers don't say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...scoring.columns import FACETS, TREE
from ...scoring.measures import LESS_IS_BETTER
from . import numbers
from .branches import LONGEST, MOST_DRAWN, called_so
from .cautions import ALPHA, how, limits
from .document import Column, Document, Figure, Section, Table
from .measured import FEW, about, few_pairs, speaking
from .plots import Estimate, forest
from .variants import SAID

Pair = Mapping[str, Any]


def comparison(found: Mapping[str, Any]) -> Document:
    """The document of what `comparison.json` holds."""
    runs = found["runs"]
    title = "Comparison: " + " · ".join(one["name"] for one in runs)
    who = tuple((one["name"], one["model"]) for one in runs)
    called = found["labels"]
    pairs = (_pair(number, one, called) for number, one in enumerate(found["pairs"], start=1))
    return Document(title, who, (_runs(found), *pairs, how(found), limits(found)))


def verdict(measure: str, one: Mapping[str, Any], names: tuple[str, str]) -> str:
    """Which run is better, as far as the adjusted p value tells."""
    p = one.get("p_holm", one["p"])
    if p is None or one["difference"] is None:
        return ""
    if p >= ALPHA or not one["difference"]:
        return "can't be told apart"
    return names[(one["difference"] < 0) is not (measure in LESS_IS_BETTER)] + " is better"


def _runs(found: Mapping[str, Any]) -> Section:
    runs = found["runs"]
    text = (
        f"{numbers.count(found['questions'])} questions from {numbers.count(found['groups'])} groups (patients where they are "
        "known, else studies or pictures) were asked in all runs as they stand; they alone are compared, reply by reply."
    )
    heads = ("model", "questions", "not in all runs", "answered")
    columns = (Column("run"), *(Column(name, number=name != "model") for name in heads))
    rows = tuple(
        (one["name"], one["model"], numbers.count(one["questions"]), numbers.count(one["left_out"]["n"]),
         numbers.share(one["statuses"].get("answered", 0), found["questions"]))
        for one in runs
    )  # fmt: skip
    parts: list[Any] = [
        text,
        Table("Runs", columns, rows),
        _statuses(runs),
        *_settings(found),
        *_asked(found),
        *_shares(runs),
        *_alone(runs),
    ]
    return Section("runs", "What is compared", tuple(parts))


def _statuses(runs: Sequence[Mapping[str, Any]]) -> Table:
    every = sorted({status for one in runs for status in one["statuses"]})
    columns = (Column("run"), *(Column(name, number=True) for name in every))
    rows = ((one["name"], *(numbers.count(one["statuses"].get(name, 0)) for name in every)) for one in runs)
    return Table("Statuses of the replies that are compared", columns, tuple(rows))


def _settings(found: Mapping[str, Any]) -> Iterator[str | Table]:
    differ = found["settings_that_differ"]
    if not differ:
        yield "All settings are the same."
        return
    yield "The runs differ in these settings; a difference of scores may come of any of them."
    columns = (Column("setting", code=True), *(Column(one["name"], code=True) for one in found["runs"]))
    rows = tuple((name, *(numbers.NONE if one is None else one for one in values)) for name, values in differ.items())
    yield Table("Settings that differ", columns, rows)


def _asked(found: Mapping[str, Any]) -> Iterator[Table]:
    if found["variants"]:
        columns = (Column("variant", code=True), *(Column(one["name"], number=True) for one in found["runs"]))
        rows = tuple((name, *map(numbers.count, counts)) for name, counts in found["variants"].items())
        yield Table("Replies to the same questions asked otherwise", columns, rows)


def _shares(runs: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """What changes did to each run by itself: flips beside right answers, abstention, invention."""
    in_all = [name for name in runs[0]["shares"] if all(name in one["shares"] for one in runs)]
    rows = [
        (name, said, *(f"{numbers.value(one['value'])} ({numbers.ends(one)}; n {one['n']:,})" for one in some))
        for name in in_all
        for what, said in SAID.items()
        if len(some := [one["shares"][name][what] for one in runs if what in one["shares"][name]]) == len(runs)
    ]
    if rows:
        columns = (Column("variant", code=True), Column("share of replies that …"))
        columns += tuple(Column(one["name"], number=True) for one in runs)
        title = "What changes did to each run by itself, with intervals of its own"
        yield Table(title, columns, tuple(rows), folded=len(rows) > 25)


def _alone(runs: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    rows = tuple((id, one["name"]) for one in runs for id in one["left_out"]["first"])
    if rows:
        every = sum(one["left_out"]["n"] for one in runs)
        title = f"Questions that aren't in all runs: {numbers.count(len(rows))} of {numbers.count(every)}"
        yield Table(title, (Column("question", code=True), Column("in the run")), rows, folded=len(rows) > 10)


def _pair(number: int, pair: Pair, called: Mapping[str, str]) -> Section:
    names = (pair["a"], pair["b"])
    speak = speaking(pair["by"]["kind"])
    text = (
        "Differences are the first run minus the second; where less is better, a negative one speaks for the first. `right in "
        "one only` counts the questions that the first alone, and that the second alone has right."
    )
    parts: list[Any] = [text, _kinds(pair, names)]
    parts += [_figure(number, pair, one) for one in speak if len(list(_drawn(pair, one))) > 1]
    if pair["variants"]:
        parts.append(_variants(pair, names))
    order = (*TREE, *(one for one in FACETS if one not in TREE))
    parts += [_facet(one, pair, speak, called=called if one == "label" else {}) for one in order if pair["by"][one]]
    parts.append(_every(pair, names))
    return Section(f"pair-{number}", f"{names[0]} against {names[1]}", tuple(parts))


def _columns(*first: Column, names: tuple[str, str], last: str) -> tuple[Column, ...]:
    heads = ("n", *names, "difference", "interval", "p", "p (Holm)")
    paired = (Column("right in one only", number=True), Column("McNemar p", number=True))
    return (*first, *(Column(name, number=True) for name in heads), Column(last), *paired)


def _cells(one: Mapping[str, Any], last: str) -> tuple[str, ...]:
    tested = one.get("mcnemar")
    paired = (
        (f"{tested['only_a']:,} : {tested['only_b']:,}", numbers.probability(tested["p"])) if tested else (numbers.NONE,) * 2
    )
    return (
        numbers.count(one["n"]),
        numbers.value(one["a"]),
        numbers.value(one["b"]),
        numbers.signed(one["difference"]),
        numbers.ends(one, numbers.signed),
        numbers.probability(one["p"]),
        numbers.probability(one.get("p_holm")),
        last,
        *paired,
    )


def _kinds(pair: Pair, names: tuple[str, str]) -> Table:
    columns = _columns(Column("kind of question"), Column("measure", code=True), names=names, last="verdict")
    rows = [
        (numbers.words(kind), name, *_cells(one, verdict(name, one, names)))
        for kind, branch in pair["by"]["kind"].items()
        for name, one in branch["measures"].items()
        if name in speaking({kind: branch})
    ]
    return Table("Headline measures by kind of question", columns, tuple(rows))


def _variants(pair: Pair, names: tuple[str, str]) -> Table:
    speak = {*speaking(pair["by"]["kind"]), "abstention", "invention"}
    columns = _columns(Column("variant", code=True), Column("measure", code=True), names=names, last="verdict")
    rows = [
        (variant, name, *_cells(one, verdict(name, one, names)))
        for variant, branch in pair["variants"].items()
        for name, one in branch["measures"].items()
        if name in speak
    ]
    return Table("The same questions asked otherwise", columns, tuple(rows), folded=len(rows) > 25)


def _facet(facet: str, pair: Pair, speak: Sequence[str], *, called: Mapping[str, str]) -> Table:
    branches, names = pair["by"][facet], (pair["a"], pair["b"])
    kept = set(sorted(branches, key=lambda word: (-branches[word]["n"], word))[:LONGEST])
    title = f"By {numbers.words(facet)}"
    if len(kept) < len(branches):
        title += f": the {len(kept)} largest of {len(branches)}, all stand in comparison.json"
    columns = _columns(Column(numbers.words(facet)), Column("measure", code=True), names=names, last="note")
    rows = [
        (called_so(word, called), name, *_cells(one, FEW if few_pairs(branch, one) else ""))
        for word, branch in branches.items()
        if word in kept
        for name, one in branch["measures"].items()
        if name in speak
    ]
    return Table(title, columns, tuple(rows), folded=len(rows) > 12)


def _every(pair: Pair, names: tuple[str, str]) -> Table:
    columns = _columns(Column("measure", code=True), Column("what counts"), names=names, last="verdict")
    rows = [(name, about(name), *_cells(one, verdict(name, one, names))) for name, one in pair["measures"].items()]
    return Table("All measures, over all kinds", columns, tuple(rows), folded=len(rows) > 12)


def _drawn(pair: Pair, measure: str) -> Iterator[Estimate]:
    """The whole, then the largest branches of every level of the tree."""
    yield _estimate("all", pair, measure, heading=False)
    for facet in TREE:
        having = {word: one for word, one in pair["by"][facet].items() if measure in one["measures"]}
        having = {word: one for word, one in having.items() if one["measures"][measure]["difference"] is not None}
        kept = set(sorted(having, key=lambda word: (-having[word]["n"], word))[: MOST_DRAWN // len(TREE)])
        for number, word in enumerate(one for one in having if one in kept):
            yield _estimate(word, having[word], measure, heading=number == 0)


def _estimate(name: str, branch: Mapping[str, Any], measure: str, *, heading: bool) -> Estimate:
    one = branch["measures"][measure]
    few = few_pairs(branch, one)
    return Estimate(f"{name} (n {one['n']:,})", one["difference"], one["low"], one["high"], few=few, heading=heading)


def _figure(number: int, pair: Pair, measure: str) -> Figure:
    rows = list(_drawn(pair, measure))
    title = f"Difference in {measure}, {pair['a']} minus {pair['b']}, by modality, clinical task, department and granularity"
    spread = f"from {numbers.signed(min(one.value for one in rows))} to {numbers.signed(max(one.value for one in rows))}"
    whole = f"{numbers.signed(rows[0].value)} ({numbers.ends({'low': rows[0].low, 'high': rows[0].high}, numbers.signed)})"
    alt = f"Points with intervals around a line at no difference; over all {whole}; {len(rows) - 1} branches {spread}"
    png = forest(rows, label=f"difference in {measure}: right of 0 the first run has more", zero=True)
    heads = ("difference", "low", "high")
    columns = (Column("of"), *(Column(name, number=True) for name in heads), Column("note"))
    cells = ((one.name, *map(numbers.signed, (one.value, one.low, one.high)), FEW if one.few else "") for one in rows)
    return Figure(f"differences-{number}-{measure}", title, alt, png, Table(title, columns, tuple(cells)))
