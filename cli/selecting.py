"""Verbs that choose: tree, select."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import AsJson, ReleasePlace, Words, Workers, app, cores, show_as

if TYPE_CHECKING:
    from ..schema.lexicon import Lexicon, Selection
    from ..schema.protocols import Outcome
    from ..schema.release import Release


class ProtocolName(StrEnum):
    """Who is used for what, after which paper."""

    MEDMAT = "medmat"
    GMAI = "gmai"
    MIMOSEG = "mimoseg"


SAMPLES, PROTOCOL = "Which samples", "Protocol"


def _words(help: str) -> Any:
    return typer.Option(help=f"{help}; may be repeated.", rich_help_panel=SAMPLES)


Modality = Annotated[Words, _words("Code, name or alias of any system; what stands below it counts")]
Area = Annotated[Words, _words("Anatomical area")]
Task = Annotated[Words, _words("Task, or a clinical task that stands for several")]
Subset = Annotated[Words, _words("Such as ct-lung-covid-19, or a Med-MAT number")]
ClinicalTask = Annotated[Words, _words("One of GMAI's 18, or its abbreviation")]
Department = Annotated[Words, _words("One of GMAI's 18, or its abbreviation")]
Granularity = Annotated[Words, _words("image, box, mask, contour or point")]
Label = Annotated[
    Words, _words("Canonical label, alias or MeSH id; present unless --state says otherwise; narrower labels count")
]
State = Annotated[Words, _words("present, absent, uncertain or not_assessed")]
SourceName = Annotated[Words, _words("A source of the release")]
Split = Annotated[Words, _words("train, validation, test, or excluded, which otherwise never comes")]
Where = Annotated[
    str | None,
    typer.Option(
        help="A condition in SQL over the index (schema/index.py).", show_default=False, rich_help_panel="Which samples"
    ),
]
OWN = ("cap", "min_test_per_label", "cases", "min_cases")
"""Options that only some protocols have."""


@app.command()
def tree(
    context: typer.Context,
    release: ReleasePlace,
    by: Annotated[
        str | None,
        typer.Option(help="Levels and their order.", show_default="modality,clinical_task,department,granularity,label"),
    ] = None,
    depth: Annotated[int | None, typer.Option(min=1, help="Only so many levels.", show_default="all")] = None,
    modality: Modality = None,
    area: Area = None,
    task: Task = None,
    subset: Subset = None,
    clinical_task: ClinicalTask = None,
    department: Department = None,
    granularity: Granularity = None,
    label: Label = None,
    state: State = None,
    source: SourceName = None,
    split: Split = None,
    where: Where = None,
    json: AsJson = False,
) -> None:
    """Print the lexical tree of a release with distinct samples at every branch.

    A sample stands under every value that one of its labels or annotations has, so branches add up to more than their
    parent. Samples on which no label is present count for their department and for no label. Levels: modality,
    modality_detail, area, task, subset, clinical_task, department, granularity, label, state, source, collection, split,
    licence, group_kind.

    **Examples:**

    - `medloom tree releases/blood`
    - `medloom tree releases/blood --by department,label --split test`
    - `medloom tree releases/blood --granularity mask --depth 2 --json`
    """
    from ..cards.terminal import tree as cards
    from ..schema.lexicon import DEFAULT_LEVELS, Lexicon

    levels = tuple(name.strip().replace("-", "_") for name in by.split(",")) if by is not None else DEFAULT_LEVELS
    levels, given = levels[:depth], given_words(context)
    lexicon = Lexicon.open(release)
    root = lexicon.of(given, where=where).tree(levels)
    if not root.count:
        _why_empty(lexicon, given, where)
    result = {"release": str(release), "select": as_stated(given, where), "levels": list(levels), "tree": root.as_json()}
    show_as(result, json, lambda _, out: cards.tree(root, levels, out))


@app.command()
def select(
    context: typer.Context,
    release: ReleasePlace,
    modality: Modality = None,
    area: Area = None,
    task: Task = None,
    subset: Subset = None,
    clinical_task: ClinicalTask = None,
    department: Department = None,
    granularity: Granularity = None,
    label: Label = None,
    state: State = None,
    source: SourceName = None,
    split: Split = None,
    where: Where = None,
    keys: Annotated[
        Path | None, typer.Option(help="Write the keys, one per line; - is stdout. Of a protocol: key, tab, split.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a new release of them; nothing is encoded again.")] = None,
    protocol: Annotated[
        ProtocolName | None, typer.Option(help="Choose and split them after a paper.", rich_help_panel=PROTOCOL)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the protocol.", rich_help_panel=PROTOCOL)] = 0,
    cap: Annotated[
        int | None,
        typer.Option(min=1, help="medmat: most training samples of a subset.", show_default="3000", rich_help_panel=PROTOCOL),
    ] = None,
    min_test_per_label: Annotated[
        int | None,
        typer.Option(min=1, help="medmat: labels with fewer aren't tested.", show_default="1", rich_help_panel=PROTOCOL),
    ] = None,
    cases: Annotated[
        int | None, typer.Option(min=1, help="gmai: cases per answer.", show_default="30", rich_help_panel=PROTOCOL)
    ] = None,
    min_cases: Annotated[
        int | None,
        typer.Option(min=1, help="gmai: answers with fewer are left out.", show_default="1", rich_help_panel=PROTOCOL),
    ] = None,
    linked: Annotated[
        bool,
        typer.Option("--linked", help="Keep groups together that the release's certificate links.", rich_help_panel=PROTOCOL),
    ] = False,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Choose samples by any system's words: counts, a key list, or a new release.

    Of several words of one option any counts; of several options all must hold. Area, task, subset, clinical task,
    department, granularity, label and state must hold together on one label or annotation of the sample: `--department
    "Pulmonary Medicine" --granularity mask` finds masks of the lung, not a mask of the kidney beside a finding in the lung.
    A word that nothing knows is exit code 2; a word that occurs nowhere is a count of 0.

    **Examples:**

    - `medloom select releases/blood --label "white blood cell" --granularity box`
    - `medloom select releases/all --modality CT --department "Pulmonary Medicine" --keys keys.txt`
    - `medloom select releases/all --where "subject_age_years >= 65 AND width_px >= 512" --out releases/old`
    - `medloom select releases/all --protocol medmat --cap 3000 --out releases/medmat`
    """
    from ..cards.terminal import tree as cards
    from ..schema.lexicon import Lexicon

    piped = keys is not None and str(keys) == "-"
    if piped and json:
        raise UsageError("--keys - and --json both ask for stdout; expected one of them; --keys FILE goes with --json")
    given, own = given_words(context), _own_options(context)
    lexicon = Lexicon.open(release)
    if out is not None and lexicon.release.source is not None:
        raise UsageError(f"{release}: --out copies shards; expected a release folder; `hf download` fetches a repository's")
    chosen = lexicon.of(given, where=where)
    outcome = None if protocol is None else _outcome(chosen, protocol.value, linked=linked, options={"seed": seed, **own})
    result = {"release": str(release), "select": as_stated(given, where), **(_told(outcome) if outcome else _counted(chosen))}
    if not result["samples"]:
        _why_empty(lexicon, given, where)
    if keys is not None:
        _write_keys(None if piped else keys, _lines(chosen, outcome))
    result["keys"] = None if piped else keys and str(keys)
    if out is not None:
        rule = {} if protocol is None else {"protocol": protocol.value, "seed": seed, **own, "linked": linked}
        rows = chosen.batches(("key",)) if outcome is None else outcome.splits()
        result["cut"] = _cut(lexicon.release, rows, out, why={**as_stated(given, where), **rule}, workers=workers, json=json)
    if not piped:
        show_as(result, json, cards.selected)


def given_words(context: typer.Context) -> dict[str, list[str]]:
    """The words of this call, by field."""
    from ..schema.lexicon import FIELDS

    return {name: list(context.params[name]) for name in FIELDS if context.params[name]}


def _own_options(context: typer.Context) -> dict[str, int]:
    """Options of protocols that were given.

    Raises:
        UsageError: there are some, or a seed, and no protocol.
    """
    found = {name: context.params[name] for name in OWN if context.params[name] is not None}
    stray = [*found, *(name for name in ("seed", "linked") if context.params[name])]
    if stray and context.params["protocol"] is None:
        raise UsageError(f"--{stray[0].replace('_', '-')} without --protocol; expected both, or neither")
    return found


def as_stated(given: Mapping[str, list[str]], where: str | None) -> dict[str, Any]:
    """The selection as results tell it: words by field, and the condition where there is one."""
    return {**given, **({} if where is None else {"where": where})}


def _counted(chosen: Selection) -> dict[str, Any]:
    counts = chosen.counts("source", "split")
    rows = [{"source": source, "split": split, "samples": count} for (source, split), count in counts.items()]
    return {"samples": sum(counts.values()), "counts": rows}


def _outcome(chosen: Selection, name: str, *, linked: bool, options: Mapping[str, Any]) -> Outcome:
    from ..schema.protocols import of_release
    from ..schema.protocols.linked import of_certificate

    release = chosen.lexicon.release
    pairs = of_certificate(release) if linked else ()
    keys = None if chosen.is_whole else chosen.rows(("key",))["key"]
    return of_release(release, name, keys=keys, linked=pairs, **options)


def _told(outcome: Outcome) -> dict[str, Any]:
    protocol = {"options": dict(outcome.options), "splits": outcome.counts(), "digest": outcome.digest}
    protocol |= {"table": list(outcome.table), "details": list(outcome.details), "notes": list(outcome.notes)}
    return {"samples": sum(outcome.counts().values()), "protocol": protocol}


def _lines(chosen: Selection, outcome: Outcome | None) -> Iterable[str]:
    if outcome is None:
        return chosen.keys()
    rows = outcome.splits()
    return (f"{key}\t{split}" for key, split in zip(rows["key"].to_pylist(), rows["split"].to_pylist(), strict=True))


def _write_keys(path: Path | None, lines: Iterable[str]) -> None:
    """To a file that appears whole or not at all; without a path to stdout."""
    if path is None:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    from ..schema.disk import write_text

    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, (f"{line}\n" for line in lines))


def _cut(release: Release, rows: Any, out: Path, *, why: dict[str, Any], workers: int | None, json: bool) -> dict[str, Any]:
    from ..builders.cut import cut
    from ..cards.terminal.progress import shown

    with shown(out.name, plain=json) as progress:
        return cut(release.root, rows, out, why=why, workers=workers or cores(), progress=progress)


def _why_empty(lexicon: Lexicon, given: dict[str, list[str]], where: str | None) -> None:
    """Say on stderr which condition nothing meets, or that only all of them together leave nothing."""
    counts = lexicon.alone(given, where=where)
    nowhere = [name for name, count in counts.items() if not count]
    if nowhere:
        words = {**given, "where": [where or ""]}
        said = "; ".join(f"no sample has {name.replace('_', ' ')} {' or '.join(map(repr, words[name]))}" for name in nowhere)
    else:
        said = "no sample meets all of these; each alone is met by " + ", ".join(f"{n} {c:,}" for n, c in counts.items())
    print(f"medloom: {said if counts else 'the release is empty'}", file=sys.stderr)  # noqa: T201
