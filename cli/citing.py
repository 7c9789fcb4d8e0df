"""The verb that says what a part of a release owes to whom: cite."""

from __future__ import annotations

from typing import Annotated

import typer

from ..schema.errors import UsageError
from .app import AsJson, ReleasePlace, app, show_as
from .selecting import (
    Area,
    ClinicalTask,
    Department,
    Granularity,
    Label,
    Modality,
    SourceName,
    Split,
    State,
    Subset,
    Task,
    Where,
    as_stated,
    given_words,
)


@app.command()
def cite(
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
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX and nothing else.")] = False,
    json: AsJson = False,
) -> None:
    """Say what a release, or any part of it, owes to whom: BibTeX, licences, attribution and other obligations.

    The part is chosen as `medloom select` does it. Samples that bear a licence of their own are counted under it. A work that
    several sources cite comes once. Where nobody has said what may be done, `unknown` says so.

    **Examples:**

    - `medloom cite releases/blood`
    - `medloom cite releases/all --modality CT --department "Pulmonary Medicine" --bibtex`
    - `medloom cite releases/all --where "licence LIKE '%NC%'" --json`
    - `medloom cite my-lab/blood --split train`
    """
    from ..cards.living.cite import cite as owed
    from ..cards.terminal.cited import cited
    from ..schema.lexicon import Lexicon

    if bibtex and json:
        raise UsageError("--bibtex and --json both ask for stdout; expected one of them; --json holds the BibTeX too")
    lexicon = Lexicon.open(release)
    given = given_words(context)
    chosen = lexicon.of(given, where=where) if given or where is not None else None
    result = {"release": str(release), "select": as_stated(given, where), **owed(lexicon.release, chosen)}
    if bibtex:
        print(result["bibtex"])  # noqa: T201
        return
    show_as(result, json, cited)
