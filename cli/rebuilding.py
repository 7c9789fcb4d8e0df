"""The verb that makes a published source again from its owner's download: rebuild."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .app import AsJson, RawRoot, Workers, app, cores, print_json, show_as


@app.command()
def rebuild(
    place: Annotated[str, typer.Argument(metavar="REPO|FOLDER", help="Where the source is published.", show_default=False)],
    source: Annotated[str, typer.Option(help="Which source of it.", show_default=False)],
    raw: RawRoot,
    out: Annotated[Path, typer.Option("--out", help="The release to put it into; other sources that it holds stay.")],
    builder: Annotated[Path | None, typer.Option(help="Its builder file, where the catalogue lacks it.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="The votes it was built with.", show_default="as the recipe holds them")
    ] = None,
    salt_file: Annotated[Path | None, typer.Option(help="The secret it was built with, where there was one.")] = None,
    prove: Annotated[bool, typer.Option("--prove", help="Compare only; install nothing.")] = False,
    keep_differing: Annotated[
        bool, typer.Option("--keep-differing", help="Install it though some samples differ; the recipe says so.")
    ] = False,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Rebuild a published source from the raw files you got from its owner, and prove that its pixels are the published ones.

    The raw root is verified first. Splits, labels and questions are the published ones, pixels come from your files. Samples
    that differ are listed with their perceptual distance (exit code 4), and nothing is installed then. After a kill the same
    command goes on. Works for open sources too: `--prove` shows that anyone can make them again.

    **Examples:**

    - `medloom rebuild my-lab/all --source kvasir_seg_mini --raw downloads/kvasir --out releases/kvasir`
    - `medloom rebuild releases/blood --source bccd --raw downloads/BCCD --out proof --prove --json`
    """
    from ..builders.draw import draw, needs_drawing
    from ..cards.rebuilding.choices import Choices, source_of
    from ..cards.rebuilding.rebuild import rebuild as remake
    from ..cards.rebuilding.wanted import Wanted
    from ..cards.terminal.progress import shown
    from ..cards.terminal.rebuilt import rebuilt
    from ..schema.errors import RebuildDiffers

    choices = Choices(
        builder=builder,
        labels=labels,
        salt_file=salt_file,
        workers=workers or cores(),
        prove=prove,
        keep_differing=keep_differing,
    )
    made = source_of(Wanted.of(place, source), choices)[1]
    if needs_drawing(made, raw):
        print(f"{source}: drawing its raw files into {raw}", file=sys.stderr)  # noqa: T201
        draw(made, raw)
    try:
        with shown(source, plain=json) as progress:
            result = remake(place, source, raw, out, choices=choices, progress=progress)
    except RebuildDiffers as error:
        print(f"medloom: {error}", file=sys.stderr)  # noqa: T201
        if json:
            print_json({**error.result, "error": {"kind": error.kind, "message": str(error)}})
        else:
            show_as(error.result, json, rebuilt)
        raise typer.Exit(error.exit_code) from error
    show_as(result, json, rebuilt)
