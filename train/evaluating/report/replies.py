"""What became of the replies: statuses, kinds of error, and some of them word for word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import numbers
from .document import Column, Example, Figure, Section, Table
from .plots import stacked

STATUSES = {
    "answered": "a stated rule read an answer of the form that was asked for",
    "refused": "it declines to answer, or says that it can't tell",
    "abstained": "it says that what is asked for isn't there, or that no option fits",
    "unparsed": "there is text, but no rule reads one answer in it",
    "empty": "there is no text, or none after the reasoning",
    "failed": "no reply came",
}
ERRORS = {
    "right": "the measure that speaks for it is 1, or half and more where it is a share",
    "wrong": "it answers what was asked, and not rightly",
    "wrong: perception": "wrong, and a probe says that it isn't seen",
    "wrong: knowledge": "wrong, and a probe says that it isn't known",
    "wrong: can't tell": "wrong, and no probe was asked or applies",
    "misread": "it answers another question",
    "irrelevant": "it names nothing that has to do with the question",
    "refusal": "it declines",
    "empty": "there is no text, or none after the reasoning",
    "failed": "no reply came",
    "not measured": "this question has no measure that could tell",
}
_NO_EXAMPLES = "No examples are kept beside these results; `medloom evaluate … --rescore` chooses some anew."
_WITHHELD = (
    "Answers of {n} questions are withheld from the release; no example of these is shown, so that this report tells none."
)
MOST_LETTERS = 1500


def replies(results: Mapping[str, Any], kept: Mapping[str, Any]) -> Section:
    """Statuses, errors and examples; where nothing was scored, what came back."""
    parts: list[Any] = [_came(results["replies"])]
    if results["scored"]:
        parts += [*_statuses(results["scores"]), *_errors(results["error_kinds"])]
        parts.append(_examples(kept))
    return Section("replies", "What became of the replies", tuple(parts))


def _came(said: Mapping[str, Any]) -> Table:
    rows = [("requests", numbers.count(said["n"])), ("without a reply", numbers.count(said["failed"]))]
    rows += [(f"no reply: {name}", numbers.count(n)) for name, n in said["errors"].items()]
    rows += [(f"ended by {name}", numbers.count(n)) for name, n in said["finish"].items()]
    rows += [(name.replace("_", " "), numbers.count(said[name])) for name in ("prompt_tokens", "reply_tokens")]
    return Table("Requests of the whole run, variants included", (Column("what"), Column("count", number=True)), tuple(rows))


def _statuses(scores: Mapping[str, Any]) -> Iterator[Table | Figure]:
    order = [name for name in STATUSES if name in scores["statuses"]]
    order += sorted(set(scores["statuses"]) - set(order))
    bars = {
        numbers.words(kind): {name: one["statuses"][name] for name in order if name in one["statuses"]}
        for kind, one in scores["by"]["kind"].items()
    }
    columns = (Column("status"), Column("what it means"), Column("replies", number=True), Column("share", number=True))
    counts = scores["statuses"]
    rows = tuple(
        (name, STATUSES.get(name, ""), numbers.count(counts[name]), numbers.share(counts[name], scores["n"])) for name in order
    )
    yield Table("Statuses of replies to questions as they stand", columns, rows)
    yield _bars("statuses", "Statuses by kind of question", bars, order=order, known=STATUSES)


def _errors(kinds: Mapping[str, Any]) -> Iterator[Table | Figure]:
    counts, whole = kinds["all"], sum(kinds["all"].values())
    order = [name for name in ERRORS if name in counts] + sorted(set(counts) - set(ERRORS))
    columns = (Column("kind"), Column("what it means"), Column("replies", number=True), Column("share", number=True))
    rows = tuple(
        (name, ERRORS.get(name, ""), numbers.count(counts[name]), numbers.share(counts[name], whole)) for name in order
    )
    yield Table("Right replies, and what the others are wrong for", columns, rows)
    bars = {numbers.words(kind): {name: one[name] for name in order if name in one} for kind, one in kinds["by_kind"].items()}
    yield _bars("errors", "Kinds of error by kind of question", bars, order=order, known=ERRORS)


def _bars(
    name: str, title: str, bars: Mapping[str, Mapping[str, int]], *, order: Sequence[str], known: Mapping[str, str]
) -> Figure:
    columns = (Column("kind of question"), *(Column(one, number=True) for one in order))
    rows = tuple((kind, *(numbers.count(bar.get(one, 0)) for one in order)) for kind, bar in bars.items())
    told = "; ".join(f"{kind}: {', '.join(f'{one} {n:,}' for one, n in bar.items())}" for kind, bar in bars.items())
    png = stacked(bars, known=list(dict.fromkeys([*known, *order])), label="share of replies")
    return Figure(name, title, f"A bar for each kind of question. {told}", png, Table(title, columns, rows))


def _examples(kept: Mapping[str, Any]) -> Section:
    some, withheld = kept.get("examples") or (), kept.get("withheld", 0)
    texts = [_WITHHELD.format(n=numbers.count(withheld))] if withheld else []
    if some:
        texts.append(
            "Drawn by the run's seed, a few of each status and kind of error; they show what can happen, not how often."
        )
    parts = (*texts, *(_example(number, one) for number, one in enumerate(some, start=1)))
    return Section("examples", "Examples", parts or (_NO_EXAMPLES,))


def _example(number: int, one: Mapping[str, Any]) -> Example:
    facts = [
        ("question", f"{one['id']} ({numbers.words(one['kind'])})"),
        ("asked", one["about"]),
        ("options", "; ".join(f"{letter}. {text}" for letter, text in one["options"])),
        ("right answer", one["right"]),
        ("what was read", f"{one['said'] or 'nothing'} (rule {one['parsed_by']})"),
        (one["measure"] or "measure", numbers.value(one["value"])),
    ]
    reply = "(no reply came)" if one["reply"] is None else _shortened(one["reply"]) or "(no text)"
    quotes = (("Question", _shortened(one["question"])), ("Reply", reply))
    title = f"Example {number}: {one['status']}, {one['error']}"
    return Example(title, tuple((name, said) for name, said in facts if said), quotes)


def _shortened(text: str) -> str:
    left = len(text) - MOST_LETTERS
    return text if left <= 0 else f"{text[:MOST_LETTERS]} … ({left:,} more characters)"
