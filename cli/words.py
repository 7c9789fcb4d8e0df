"""The verb that looks words up: words."""

from __future__ import annotations

from typing import Annotated

import typer

from .app import AsJson, app, print_json


@app.command()
def words(
    text: Annotated[str, typer.Argument(help="Any system's word: a modality, area, task, department, label, Med-MAT number.")],
    most: Annotated[int, typer.Option(min=0, help="Finds shown beside the exact ones.")] = 12,
    why: Annotated[bool, typer.Option("--why", help="Say why our own readings are as they are.")] = False,
    json: AsJson = False,
) -> None:
    """Tell what a word means in every vocabulary, and what Med-MAT, GMAI-MMBench, MedTrinity-25M and MIMOSeg call it.

    Each find names the option that selects it. What no paper says is marked as our reading.

    **Examples:**

    - `medloom words lung`
    - `medloom words "Med-MAT 03" --why`
    - `medloom words T1Gd --json`
    """
    from ..cards.terminal import words as shown
    from ..cards.terminal.release import console
    from ..schema.systems.words import words as look

    found = look(text, most=most)
    if json:
        print_json([shown.row(match) for match in found])
        return
    shown.table(found, console())
    if why:
        shown.reasons(found, console())
