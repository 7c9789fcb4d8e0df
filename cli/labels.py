"""Verbs of canonical labels: labels list, labels vote, labels lint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import FAULTS, WRONG_USE, AsJson, Words, app, print_json, show_as

labels = typer.Typer(
    name="labels",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The table of canonical labels: look into it, vote on it, hold sources against it.",
)
app.add_typer(labels)

OwnSources = Annotated[Words, typer.Option("--source", help="Your own builder file, whose own labels count; may be repeated.")]


@labels.command("list")
def list_(
    word: Annotated[str | None, typer.Argument(help="Name, alias, MeSH term or id: this label, and its branch.")] = None,
    json: AsJson = False,
) -> None:
    """List the canonical labels, or show one with its place in the tree.

    **Examples:**

    - `medloom labels list`
    - `medloom labels list WBC`
    - `medloom labels list D011014 --json`
    """
    from ..cards.terminal import labels as cards
    from ..schema.labels.lint import spelling_of
    from ..schema.labels.table import table

    known = table()
    if word is None:
        show_as([cards.entry_row(entry, known) for entry in known], json, cards.entries)
        return
    entry = known.find(word)
    if entry is None:
        close = spelling_of(known).closest(word)
        meant = f"did you mean {close!r}?" if close else "`medloom labels list` shows all"
        raise UsageError(f"label {word!r} is not in the table; expected a name, alias, MeSH term or id; {meant}")
    show_as(cards.entry_row(entry, known), json, lambda row, out: cards.entry(row, known, out))


@labels.command()
def vote(
    votes: Annotated[Path, typer.Argument(metavar="VOTES.csv", help="Columns: label, annotator, departments, clinical_task.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write what changes, for `medloom build --labels`.")] = None,
    source: OwnSources = None,
    json: AsJson = False,
) -> None:
    """Count annotators' votes on departments and clinical tasks: the majority of at least three decides.

    One row per label and annotator; several departments stand in one cell, separated by "; ", the primary first. What has
    no majority is listed, and stays as the table has it. Exit code 2 where the file can't be used: every fault is named.

    **Examples:**

    - `medloom labels vote votes.csv`
    - `medloom labels vote votes.csv --out overrides.csv`
    - `medloom labels vote votes.csv --source ./my_set.py --out overrides.csv`
    """
    from ..builders import catalog
    from ..builders.label_use import own_names
    from ..cards.terminal import labels as cards
    from ..schema.labels.overrides import text_of
    from ..schema.labels.table import table
    from ..schema.labels.votes import count, read

    given, faults = read(votes, table(), own=own_names([*catalog.names(), *(source or [])]))
    verdicts = [] if faults else count(given, table())
    result: dict[str, Any] = {"file": str(votes), **cards.verdict_rows(verdicts), "out": None}
    result["faults"] = [asdict(fault) for fault in faults]
    if faults:
        message = f"{votes}: {len(faults)} faults; expected a vote file without; the first: {faults[0]}"
        result["error"] = {"kind": "UsageError", "message": message}
    elif out is not None:
        _write(out, text_of(verdicts))
        result["out"] = str(out)
    show_as(result, json, cards.verdicts)
    if faults:
        raise typer.Exit(WRONG_USE)
    if out is not None and not json:
        print(f"{out}: written; `medloom build … --labels {out}` obeys it")  # noqa: T201


@labels.command()
def lint(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="Names, or paths to builder files; all catalogued ones without.", show_default=False
        ),
    ] = None,
    release: Annotated[Path | None, typer.Option("--release", help="Look at what a release's index holds instead.")] = None,
    ignore: Annotated[Words, typer.Option(help="A kind of remark to leave out; may be repeated.")] = None,
    json: AsJson = False,
) -> None:
    """Find names that should be another: near-synonyms, aliases, abbreviations, sides, one name for two things.

    Exit code 1 with remarks, 0 without. A name that the table lacks passes where the source itself gives it departments
    and a clinical task, and nothing in the table looks like it.

    **Examples:**

    - `medloom labels lint ./my_set.py`
    - `medloom labels lint --release releases/blood`
    - `medloom labels lint bccd ./my_set.py --ignore abbreviation`
    """
    from ..builders import catalog
    from ..builders.label_use import of_release, of_source
    from ..cards.terminal import labels as cards
    from ..schema.labels.lint import CODES
    from ..schema.labels.lint import lint as look
    from ..schema.labels.table import table
    from ..schema.release import Release

    unknown = sorted(set(ignore or ()) - set(CODES))
    if unknown:
        raise UsageError(f"--ignore {unknown[0]!r}: no kind of remark; expected one of {', '.join(CODES)}")
    specs = sources or ([] if release else catalog.names())
    used = [one for spec in specs for one in of_source(spec)]
    used += of_release(Release.open(release)) if release else []
    rows = [remark.row() for remark in look(used, table()) if remark.code not in (ignore or ())]
    looked = {"sources": sorted({one.source for one in used}), "labels": len({(one.source, one.name) for one in used})}
    if json:
        print_json({**looked, "remarks": rows})
    else:
        show_as(rows, json, cards.remarks)
        verdict = f"{len(rows)} remarks" if rows else "no remark"
        print(f"{looked['labels']:,} labels of {len(looked['sources'])} sources: {verdict}")  # noqa: T201
    if rows:
        raise typer.Exit(FAULTS)


def _write(path: Path, content: str) -> None:
    """A new file; one that stands may hold someone's edits."""
    try:
        with path.open("x", encoding="utf-8", newline="") as stream:
            stream.write(content)
    except FileExistsError as error:
        raise UsageError(f"{path}: stands already; expected a new file; remove it or name another with --out") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a file in a folder that you may write to") from error
