"""Verbs that make a release: sources, verify, build, demo, new-source."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import FAULTS, WRONG_USE, AsJson, RawRoot, Workers, app, checked, cores, print_json, show_as

if TYPE_CHECKING:
    from ..builders.build import Options
    from ..builders.source import Source


class LayoutName(StrEnum):
    """How a folder holds its labels."""

    CLASS_FOLDERS = "class-folders"
    CSV = "csv"
    PAIRS = "pairs"
    VOC = "voc"
    COCO = "coco"
    YOLO = "yolo"
    NIFTI = "nifti"
    DICOM = "dicom"


class PngEncoder(StrEnum):
    """Who writes PNG."""

    ISAL = "isal"
    PILLOW = "pillow"


@app.command()
def sources(json: AsJson = False) -> None:
    """List the sources that can be built, with what they hold, their licence and what their groups are.

    The groups tell what no split cuts: patient where the owner says who is who, else study, volume, video or image.

    **Example:** `medloom sources`
    """
    from ..builders import catalog
    from ..cards.terminal import release as pages

    found = [catalog.load(name) for name in catalog.names()]
    if json:
        print_json([pages.source_row(source) for source in found])
    else:
        pages.sources(found, pages.console())


@app.command()
def verify(
    source: Annotated[str, typer.Argument(help="A name of `medloom sources`, or a path to your own builder file.")],
    raw: RawRoot,
    json: AsJson = False,
) -> None:
    """Say whether a raw root is what a source expects, and exactly which files or columns are missing.

    Exit code 2 where no layout of the source is complete.

    **Example:** `medloom verify bccd --raw downloads/BCCD`
    """
    from ..builders import catalog
    from ..builders.raw import Raw
    from ..builders.verify import verify as look
    from ..cards.terminal import release as pages

    result = look(catalog.load(source), Raw(raw))
    if result["layout"] is None and json:
        lacking = [one["message"] for found in result["layouts"].values() for one in found if not one["met"]]
        error = {"kind": "RawRootError", "message": f"{source}: {raw} lacks {'; '.join(lacking)}"}
        print_json({**result, "error": error})
    else:
        show_as(result, json, pages.verified)
    if result["layout"] is None:
        raise typer.Exit(WRONG_USE)


@app.command()
def build(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Names, or paths to your own builder files.")],
    raw: Annotated[
        Path, typer.Option("--raw", help="Raw root of the one source; of several, a folder with a subfolder per source.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The release folder; sources that it holds already stay.")],
    workers: Workers = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N units of each source, in path order.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read; decode and write nothing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over where another build was begun.")] = False,
    max_bad_share: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Stop when a larger share of units fails.", show_default="the source's, else 0.05"),
    ] = None,
    salt_file: Annotated[
        Path | None, typer.Option(help="Secret that turns private ids into keys; keep it, a rebuild needs it.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Departments and tasks that a vote overrides; see `medloom labels vote`.")
    ] = None,
    axes: Annotated[
        str | None, typer.Option(help="Planes of volumes, such as axial,coronal.", show_default="the acquisition plane")
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="CT window: soft-tissue, lung, bone, brain, or LOW,HIGH in HU.", show_default=False)
    ] = None,
    every_nth: Annotated[int | None, typer.Option(min=1, help="Keep every n-th frame of clips and videos.")] = None,
    min_mask_share: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Smallest mask kept, as a share of the picture.", show_default="any; 0.0015 in 3-D"
        ),
    ] = None,
    png_encoder: Annotated[PngEncoder | None, typer.Option(help="Who writes PNG.", show_default="isal")] = None,
    shard_mib: Annotated[int | None, typer.Option(min=1, help="Target size of a shard.", show_default="256")] = None,
    json: AsJson = False,
) -> None:
    """Build sources into a release: shards, index and README that `datasets` and `webdataset` read.

    What can't be used is counted and named in `OUT.work/<source>/build-report.json`, never dropped in silence. A build
    that was interrupted goes on where it stopped when the same command is run again; the bytes come out the same.
    A source that is drawn or shipped (`phantom`) fills an empty raw folder itself.

    **Examples:**

    - `medloom build bccd --raw downloads/BCCD --out releases/blood`
    - `medloom build bccd chula_rbc12 --raw downloads --out releases/blood --workers 8`
    - `medloom build ./my_set.py --raw my_folder --out my_release --limit 20`
    - `medloom build my_ct.py --raw ct --out release --axes axial,coronal --window -1000,400`
    """
    from ..builders import catalog
    from ..builders.build import Options
    from ..builders.choices import reading_choices
    from ..cards.terminal import release as pages

    encoder = png_encoder and png_encoder.value
    reading = reading_choices(axes=axes, window=window, every_nth=every_nth, min_mask_share=min_mask_share, png_encoder=encoder)
    shard = {} if shard_mib is None else {"shard_bytes": shard_mib << 20}
    options = Options(
        workers=workers or cores(),
        limit=limit,
        fresh=fresh,
        max_bad_share=max_bad_share,
        salt_file=salt_file,
        labels=labels,
        reading=reading,
        **shard,
    )
    found = [(spec, catalog.load(spec)) for spec in sources]
    results = []
    for spec, source in found:
        root = raw if len(found) == 1 else raw / source.facts.name
        _draw(source, root)
        results.append(_built(spec, root, None if dry_run else out, options=options, name=source.facts.name, json=json))
        if not json:
            (pages.planned if dry_run else pages.built)(results[-1], pages.console())
    if json:
        print_json({"release": str(out), "sources": results})
    elif not dry_run:
        print(f"{out}: done; `medloom show {out}`, or load_dataset({str(out)!r})")  # noqa: T201


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="The release folder; its work folder lies beside it.")],
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Draw phantoms, build them, check the release and make a contact sheet: everything once, without any download.

    **Example:** `medloom demo --out out/demo`
    """
    from ..builders import catalog
    from ..builders.build import Options
    from ..cards import browse
    from ..cards.contact_sheet import contact_sheet
    from ..cards.terminal import release as pages
    from ..schema.picture_rights import PictureRights
    from ..schema.release import Release, work_folder

    raw, sheet = work_folder(out) / "raw", work_folder(out) / "contact-sheet.png"
    _draw(catalog.load("phantom"), raw)
    report = _built("phantom", raw, out, options=Options(workers=workers or cores()), name="phantom", json=json)
    verdict = checked(out, json)
    opened = Release.open(out)
    contact_sheet(browse.pick(opened, select={}, count=24, rights=PictureRights.of(opened)), columns=6).save(sheet)
    summary = browse.summary(opened)
    if json:
        print_json({"release": str(out), "report": report, "check": verdict, "summary": summary, "sheet": str(sheet)})
    else:
        for table, value in ((pages.built, report), (pages.overview, summary), (pages.checked, verdict)):
            table(value, pages.console())
        print(f"contact sheet: {sheet}\nload it: load_dataset({str(out)!r})")  # noqa: T201
    if verdict["faults"]:
        raise typer.Exit(FAULTS)


@app.command("new-source")
def new_source(
    name: Annotated[str, typer.Argument(help="snake_case; shards, config and keys will bear it.")],
    layout: Annotated[LayoutName | None, typer.Option(help="How labels are held; --infer proposes it.")] = None,
    infer: Annotated[Path | None, typer.Option(help="A folder to look at; nothing in it is run or changed.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write.", show_default="NAME.py")] = None,
    modality: Annotated[str, typer.Option(help="Code, name or alias, such as CT, X-ray, Der.")] = "unspecified",
    area: Annotated[str, typer.Option(help="Anatomical area, such as lung or skin.")] = "unspecified",
    task: Annotated[str | None, typer.Option(help="Such as skin-diseases.", show_default="other, or unlabelled")] = None,
    json: AsJson = False,
) -> None:
    """Write a commented builder file for a folder of your own.

    With `--infer` the folder is looked at: layout, labels, image/mask pairs, splits and groups are proposed, each with
    what was seen, and the file works on that folder at once. Read it, mend what is wrong, fill in the facts.

    **Examples:**

    - `medloom new-source my_set --infer my_folder`
    - `medloom new-source my_set --infer my_folder --modality Der --area skin --task skin-diseases`
    - `medloom new-source my_set --layout voc`
    """
    from ..builders import scaffold
    from ..builders.infer import infer as look
    from ..cards.terminal import release as pages

    if layout is None and infer is None:
        raise UsageError("neither --layout nor --infer; expected one of them; `medloom new-source --help` lists the layouts")
    proposal = look(infer, layout=layout and layout.value) if infer else scaffold.blank(layout.value if layout else "")
    triplet = scaffold.triplet_of(modality=modality, area=area, task=task, labelled=bool(proposal.labels))
    target = out or Path(f"{name}.py")
    scaffold.write(target, scaffold.text(name, proposal, triplet=triplet))
    rows = [one.row() for one in proposal.evidence]
    if json:
        print_json({"file": str(target), "layout": proposal.layout, "labels": proposal.labels, "evidence": rows})
        return
    if rows:
        pages.evidence(rows, pages.console())
    raw = infer or "YOUR_FOLDER"
    print(f"{target}: written; read it, then `medloom build {target} --raw {raw} --out {name}_release`")  # noqa: T201


def _built(spec: str, raw: Path, out: Path | None, *, options: Options, name: str, json: bool) -> dict[str, Any]:
    """The report of one build, or of a dry run where `out` is None."""
    from ..builders.build import build as weave
    from ..builders.build import dry_run
    from ..cards.terminal.progress import shown

    if out is None:
        return dry_run(spec, raw, options=options)
    with shown(name, plain=json) as progress:
        return weave(spec, raw, out, options=options, progress=progress)


def _draw(source: Source, raw: Path) -> None:
    """Fill an empty raw folder of a source that can do so itself."""
    from ..builders.draw import draw, needs_drawing

    if needs_drawing(source, raw):
        print(f"{source.facts.name}: drawing its raw files into {raw}", file=sys.stderr)  # noqa: T201
        draw(source, raw)
