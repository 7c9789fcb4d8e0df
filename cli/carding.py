"""The verb that describes a release to strangers: card."""

from __future__ import annotations

from typing import Annotated

import typer

from .app import AllPictures, AsJson, ReleaseDir, app, show_as


@app.command()
def card(
    release: ReleaseDir,
    pretty_name: Annotated[
        str | None, typer.Option(help="How people call it.", show_default="as before, else the repository's or folder's name")
    ] = None,
    repo: Annotated[
        str | None, typer.Option(metavar="ORG/NAME", help="Where it will lie on the Hub.", show_default="as before")
    ] = None,
    all_pictures: AllPictures = False,
    json: AsJson = False,
) -> None:
    """Write README.md, DATASHEET.md, LICENSE.md, croissant.json and pictures that tell strangers what a release is.

    Everything in them comes from recipes, index, questions, certificate and overrides: the same release gives the same
    bytes. What only people know waits in DATASHEET.md between ⟨ and ⟩; what you write there stays when the card is made
    again. After anything else has changed the release, `check` and `gate` call its card stale until it is made again.

    **Examples:**

    - `medloom card releases/blood`
    - `medloom card releases/all --pretty-name "Twenty small sources" --repo my-lab/twenty-small-sources`
    """
    from ..cards.card.card import card as write
    from ..cards.terminal.carded import carded
    from ..schema.release import Release

    show_as(write(Release.open(release), pretty_name=pretty_name, repo=repo, all_pictures=all_pictures), json, carded)
