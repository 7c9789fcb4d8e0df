"""The verb explore: a release as a web page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .app import AsJson, Workers, app, cores, print_json

if TYPE_CHECKING:
    from ..cards.explorer.sights import Sights
    from ..cards.explorer.told import Told
    from ..cards.explorer.written import Written

PORT = 8765


@app.command()
def explore(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="A release folder, or a repository org/name.")],
    static: Annotated[Path | None, typer.Option(help="Write the page here instead of serving it.", show_default=False)] = None,
    all_pictures: Annotated[
        bool, typer.Option("--all-pictures", help="With --static or --host: pictures whose rights aren't granted, too.")
    ] = False,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="With --static: thumbnails alone, without the stored images.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address to serve at; others than loopback let other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve at; 0 takes a free one.")] = PORT,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Look at a release in the browser: lexical tree, filters, samples with overlays, questions, duplicates, sources.

    It serves on this machine until interrupted. With `--static` it writes a folder that works behind any file server and
    asks nothing of any other host. What others may see (`--static`, or a `--host` beyond loopback) leaves out pictures,
    labels and questions whose rights aren't granted, and says so.

    **Examples:**

    - `medloom explore releases/blood`
    - `medloom explore releases/blood --static site`, then `python -m http.server --directory site`
    """
    from ..cards.explorer.rows import Rows
    from ..cards.explorer.server import is_loopback
    from ..cards.explorer.sights import Sights
    from ..cards.explorer.told import Told
    from ..schema.release import Release

    rows = Rows.of(Release.open(release))
    private = static is None and is_loopback(host)
    sights, told = Sights(rows, every=all_pictures or private), Told(rows, every=private)
    if static is not None:
        _write(sights, told, static, images=not thumbnails, workers=workers or cores(), json=json)
    else:
        _serve(sights, told, host=host, port=port, json=json)


def _serve(sights: Sights, told: Told, *, host: str, port: int, json: bool) -> None:
    from ..cards.explorer.server import serve

    def ready(address: str) -> None:
        samples, withheld, untold = len(sights.rows), sights.withheld(), told.withheld()
        if json:
            print_json({"address": address, "samples": samples, "withheld": withheld, "untold": untold})
        else:
            print(f"{samples:,} samples at {address} (Ctrl-C ends)", flush=True)  # noqa: T201
            _left_out(withheld, untold)

    serve(sights, told, host=host, port=port, ready=ready)


def _left_out(withheld: dict[str, int], untold: dict[str, dict[str, int]]) -> None:
    from ..cards.explorer.told import words as of_text
    from ..schema.picture_rights import words as of_pictures

    for said in ([of_pictures(withheld)] if withheld else []) + of_text(untold):
        print(f"{said}.", flush=True)  # noqa: T201


def _write(sights: Sights, told: Told, folder: Path, *, images: bool, workers: int, json: bool) -> None:
    from ..cards.explorer.written import write
    from ..cards.terminal.progress import shown

    with shown(folder.name, plain=json) as progress:
        done: Written = write(
            sights, told, folder, images=images, workers=workers, progress=lambda some, every: progress("write", some, every, 0)
        )
    if json:
        print_json({**asdict(done), "folder": str(done.folder)})
        return
    size = f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB"
    print(f"{done.samples:,} samples, {done.pictures:,} with pictures: {done.folder} ({size})")  # noqa: T201
    _left_out(done.withheld, done.untold)
    print(f"see it: python -m http.server --bind 127.0.0.1 --directory {done.folder}")  # noqa: T201
