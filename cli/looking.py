"""Verbs that look at a release: check, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .app import FAULTS, AllPictures, AsJson, ReleaseDir, Words, app, checked, show_as


@app.command()
def check(release: ReleaseDir, json: AsJson = False) -> None:
    """Read every byte of a release back and prove the contract; exit code 1 where it is broken.

    Pixels, records, index, digests, README and the rule that no group stands in two splits are examined.

    **Example:** `medloom check releases/blood`
    """
    from ..cards.terminal import release as pages

    result = checked(release, json)
    show_as(result, json, pages.checked)
    if result["faults"]:
        raise typer.Exit(FAULTS)


@app.command()
def show(
    release: ReleaseDir,
    key: Annotated[str | None, typer.Argument(help="One sample: its whole record, and its picture large.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Where the picture goes.", show_default="RELEASE.work/contact-sheet.png")
    ] = None,
    columns: Annotated[int, typer.Option(min=1, max=24, help="Samples side by side.")] = 6,
    count: Annotated[int, typer.Option(min=0, max=600, help="Samples on the sheet; 0 makes none.")] = 24,
    clean: Annotated[bool, typer.Option("--clean", help="Without overlays.")] = False,
    config: Annotated[str, typer.Option(help="A source or subset, as `load_dataset` takes it.")] = "default",
    split: Annotated[str | None, typer.Option(help="train, validation or test.")] = None,
    modality: Annotated[Words, typer.Option(help="Code, name or alias; may be repeated.")] = None,
    area: Annotated[Words, typer.Option(help="Anatomical area; may be repeated.")] = None,
    task: Annotated[Words, typer.Option(help="May be repeated.")] = None,
    department: Annotated[Words, typer.Option(help="May be repeated.")] = None,
    clinical_task: Annotated[Words, typer.Option(help="May be repeated.")] = None,
    label: Annotated[Words, typer.Option(help="Canonical name of a present label; may be repeated.")] = None,
    granularity: Annotated[Words, typer.Option(help="image, box, mask, contour or point; may be repeated.")] = None,
    source: Annotated[Words, typer.Option(help="May be repeated.")] = None,
    all_pictures: AllPictures = False,
    json: AsJson = False,
) -> None:
    """Summarize a release, and draw a contact sheet of its samples with boxes, masks, contours and points.

    With KEY the whole record is printed and its picture drawn. Overlays are drawn on copies: the release stays clean.
    Pictures that nobody may pass on, as far as is known, are left out and counted; `--all-pictures` draws them too.

    **Examples:**

    - `medloom show releases/blood`
    - `medloom show releases/blood --label "white blood cell" --split test --sheet white.png --columns 4`
    - `medloom show releases/blood bccd-00315f0a7c9fb264`
    """
    from ..cards import browse
    from ..cards.contact_sheet import contact_sheet
    from ..cards.terminal import release as pages
    from ..schema.picture_rights import PictureRights, words
    from ..schema.release import Release

    opened = Release.open(release)
    rights = None if all_pictures else PictureRights.of(opened)
    if key is not None:
        row = browse.row_of(opened, key)
        held = {} if rights is None else rights.withheld([(row["json"]["source"], row["json"]["licence"])])
        rows, shown = [] if held else [row], {"record": row["json"]}
        columns, tile_px = 1, 768
    else:
        select = {"modality": modality, "area": area, "task": task, "department": department}
        select |= {"clinical_task": clinical_task, "label": label, "granularity": granularity, "source": source}
        choice: dict[str, Any] = {"config": config, "split": split, "select": select}
        rows = browse.pick(opened, count=count, rights=rights, **choice)
        held = {} if rights is None or not count else browse.withheld(opened, rights, **choice)
        shown, tile_px = browse.summary(opened), 256
    target = sheet or opened.work / (f"{key}.png" if key else "contact-sheet.png")
    shown |= {"sheet": str(target) if rows else None, "withheld": held}
    if rows:
        target.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(rows, columns=columns, tile_px=tile_px, overlays=not clean).save(target)
    show_as(shown, json, pages.overview if key is None else lambda value, out: pages.record(value["record"], out))
    if not json:
        none = "no sample may be shown" if held else "no sample fits"
        print(f"contact sheet of {len(rows)}: {target}" if rows else f"{none}: no contact sheet")  # noqa: T201
        if held:
            print(words(held))  # noqa: T201
