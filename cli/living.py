"""Verbs of releases that live on: withdraw, diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..schema.errors import UsageError
from .app import FAULTS, AllPictures, AsJson, ReleaseDir, Words, app, show_as


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
        result = take_out(release, keys=keys or (), groups=group or (), reason=reason, dry_run=dry_run, progress=progress)
    show_as(result, json, withdrawn)


Place = Annotated[str, typer.Argument(help="A release folder, or a repository as `org/name[@revision]`.", show_default=False)]


@app.command()
def diff(
    old: Place,
    new: Place,
    out: Annotated[Path | None, typer.Option(help="Write every change as .parquet or .csv.", show_default=False)] = None,
    overlays: Annotated[
        Path | None,
        typer.Option(help="A folder for a page of old and new side by side, most changed first.", show_default=False),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Samples on that page.")] = 24,
    all_pictures: AllPictures = False,
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 1 where anything differs.")] = False,
    json: AsJson = False,
) -> None:
    """Say what changed between two releases: samples, splits, labels, regions, pixels and every other field.

    Samples that lie in equal shards aren't read. Regions are matched by label and place, whatever their ids are. `--json` holds
    every change, the table at the terminal counts.

    **Examples:**

    - `medloom diff releases/blood-1 releases/blood-2`
    - `medloom diff org/blood@1.0 org/blood@1.1 --out changes.csv`
    - `medloom diff releases/blood-1 releases/blood-2 --overlays changed --fail`
    """
    import tempfile

    from ..cards.living.change import rows_of, written_as
    from ..cards.living.diff import diff as compare
    from ..cards.living.overlays import overlays as side_by_side
    from ..cards.terminal.living import differences
    from ..cards.terminal.progress import shown
    from ..schema.release import Release

    if out is not None and out.suffix not in (".parquet", ".csv"):
        raise UsageError(f"--out {out}; expected a name that ends in .parquet or .csv")
    before, after = Release.open(old), Release.open(new)
    with tempfile.TemporaryDirectory(prefix="medloom-") as folder, shown("diff", plain=json) as progress:
        table = Path(folder) / "changes.parquet"
        result, seen = compare(before, after, out=table, most=most if overlays else 0, progress=progress)
        if out is not None:
            written_as(table, out)
        if overlays is not None:
            result["overlays"] = side_by_side(before, after, seen, overlays, all_pictures=all_pictures)
        result["out"] = out and str(out)
        if json:
            result["list"] = rows_of(table)
    show_as(result, json, differences)
    if fail and result["different"]:
        raise typer.Exit(FAULTS)
