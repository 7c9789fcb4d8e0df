"""The verb that sends a release to the Hub: publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import FAULTS, AsJson, Workers, app, cores, show_as
from .gating import Ocr, Reasons, modes_of


@app.command()
def publish(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="A release folder.", show_default=False)],
    repo: Annotated[str, typer.Option(metavar="ORG/NAME", help="The dataset repository; made where there is none.")],
    private: Annotated[bool, typer.Option("--private", help="Make it private; refuse one that is public.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what gates say and what would be sent; send nothing.")
    ] = False,
    branch: Annotated[str, typer.Option("--branch", "--revision", help="The branch; made where there is none.")] = "main",
    mode: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE=MODE",
            help="Publish less of a source: annotations or recipe; may be repeated.",
            show_default="all of each",
        ),
    ] = None,
    split_by_licence: Annotated[
        bool, typer.Option("--split-by-licence", help="A repository per family of licences: ORG/NAME-cc-by-nc-sa-4.0 …")
    ] = False,
    override: Reasons = None,
    version: Annotated[str | None, typer.Option(metavar="TAG", help="The tag.", show_default="made of the contents")] = None,
    ocr: Ocr = False,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Publish a release on the Hub: gates first, then only what isn't there yet, in commits that a rerun goes on from.

    An unchanged release sends nothing and makes no commit; a changed source sends its own shards. The version becomes a
    tag, and CHANGELOG.md tells what is new. The token is HF_TOKEN's or that of `hf auth login`. Exit code 1 where a gate
    or the Hub refuses; whatever broke off, run the same command again.

    **Examples:**

    - `medloom publish releases/blood --repo my-lab/blood --dry-run`
    - `medloom publish releases/all --repo my-lab/all --private --mode kvasir_seg_mini=annotations`
    - `medloom publish releases/all --repo my-lab/all --split-by-licence --version v1.0.0`
    """
    from ..cards.publishing.release import Wish
    from ..cards.publishing.release import publish as send
    from ..cards.publishing.target import Target
    from ..cards.terminal.progress import shown
    from ..cards.terminal.published import published
    from ..schema.release import Release

    wish = Wish(
        modes=modes_of(mode or ()),
        split_by_licence=split_by_licence,
        overrides=override or (),
        version=version,
        dry_run=dry_run,
        ocr=ocr,
        workers=workers or cores(),
    )
    opened = Release.open(release)
    with shown(release.name, plain=json) as progress:
        target = Target(repo, branch, private=private)
        result = send(opened, target, wish=wish, progress=lambda what, done, total: progress(what, done, total, 0))
    show_as(result, json, published)
    if not result["passed"]:
        raise typer.Exit(FAULTS)
