"""Verbs of releases that live on: withdraw, diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import AsJson, ReleaseDir, Words, app, show_as


@app.command()
def withdraw(
    release: ReleaseDir,
    keys: Annotated[Words, typer.Argument(metavar="KEY…", help="Samples, by key.", show_default=False)] = None,
    group: Annotated[Words, typer.Option(help="A whole group, by its pseudonym in the index; may be repeated.")] = None,
    reason: Annotated[str, typer.Option(help="Why; stands in `withdrawn.json`, which is published.", show_default=False)] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Take samples or whole groups out of a release: pixels, records, questions, and what the index told of them.

    Only shards that hold them are written anew; every other member stays as it was, byte for byte. A tombstone in
    `withdrawn.json` keeps them out of later builds, cuts and rebuilds. After a kill the same command completes what was begun.

    **Examples:**

    - `medloom withdraw releases/blood bccd-00315f0a7c9fb264 --reason "the owner withdrew it"`
    - `medloom withdraw releases/ct --group 5e0c41d2aa91b3f7 --reason "consent withdrawn" --dry-run`
    """
    from ..cards.living.withdraw import withdraw as take_out
    from ..cards.terminal.living import withdrawn
    from ..cards.terminal.progress import shown

    with shown(release.name, plain=json) as progress:
        result = take_out(
            release, keys=keys or (), groups=group or (), reason=reason, dry_run=dry_run, progress=progress
        )
    show_as(result, json, withdrawn)
