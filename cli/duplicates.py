"""Verbs about copies of pictures: duplicates, certificate, sketch, contaminated."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import FAULTS, AllPictures, AsJson, ReleaseDir, Workers, app, cores, show_as

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..builders.duplicates.find import Found
    from ..builders.duplicates.thumbnails import Pictures
    from ..schema.errors import Issue
    from ..schema.release import Release

Anything = Annotated[Path, typer.Argument(metavar="PATH", help="A release, or a folder of images.", show_default=False)]


@app.command()
def duplicates(
    release: ReleaseDir,
    against: Annotated[
        Path | None, typer.Option(help="Compare with this instead: another release, or a folder of images.", show_default=False)
    ] = None,
    apart: Annotated[
        bool, typer.Option("--apart", help="Write a release to --out in which no pair crosses: whole groups move to one side.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where that release goes.", show_default=False)] = None,
    sheet: Annotated[int, typer.Option(min=0, help="Pairs with pictures on the page, worst first; 0 makes no page.")] = 60,
    all_pictures: AllPictures = False,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Find copies of pictures in a release: identical, resized, recompressed, brightened, or cropped a little.

    Within a source, across sources and across splits; blank pictures never count. Exit code 1 where a pair crosses splits
    or, with `--against`, where anything is held. All pairs lie in `RELEASE.work/duplicates/` as JSON and Parquet, with a page
    of the worst side by side. The page holds pictures: check their licences before you pass it on. Those that nobody may
    pass on, as far as is known, it leaves out.

    With `--apart` test beats validation beats train. Groups dealt by a hash move whole; where an owner made the split, the
    losing group is left out instead.

    **Examples:**

    - `medloom duplicates releases/blood`
    - `medloom duplicates releases/blood --against my_benchmark`
    - `medloom duplicates releases/blood --apart --out releases/blood-apart`
    """
    from ..cards.pair_report import write_report
    from ..cards.terminal import pairs as pages
    from ..schema.release import Release

    if apart != (out is not None) or (apart and against is not None):
        raise UsageError("--apart and --out go together, without --against; expected both or neither")
    opened = Release.open(release)
    found = _found(opened, against, workers=workers, json=json)
    heading = {"release": str(release), "against": against and str(against)}
    shared = {"release": opened, "against": against, "sheet": sheet, "all_pictures": all_pictures}
    result = write_report(opened.work / "duplicates", found, source=heading, **shared)
    if out is not None:
        result["sides"] = _apart(opened, found, out, workers=workers, json=json)
    show_as(result, json, pages.duplicates)
    if result["pairs"]["all" if against else "across_splits"]["pairs"]:
        raise typer.Exit(FAULTS)


@app.command()
def certificate(
    release: Annotated[
        Path, typer.Argument(metavar="RELEASE", help="A release; to verify, its certificate is enough.", show_default=False)
    ],
    verify: Annotated[bool, typer.Option("--verify", help="Prove the certificate that is there, without pixels.")] = False,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Publish group digests and duplicate edges in `RELEASE/certificate/`, or prove what is there; 1 where something crosses.

    `--verify` needs no pixels and no shards: index, recipes and README are enough to prove everything but near copies, and
    the `certificate/` folder alone to prove that it agrees with itself.

    **Examples:**

    - `medloom certificate releases/blood`
    - `medloom certificate releases/blood --verify`
    """
    from ..cards.terminal import pairs as pages

    if verify:
        from ..schema.check_certificate import verify as prove

        result = prove(release)
        show_as(result, json, pages.verified)
        faulty = bool(result["faults"])
    else:
        result = _certified(release, workers=workers, json=json)
        show_as(result, json, pages.certified)
        faulty = result["verdict"]["crosses"]
    if faulty:
        raise typer.Exit(FAULTS)


@app.command()
def sketch(
    path: Anything,
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.", show_default=False)],
    crops: Annotated[
        bool,
        typer.Option("--crops", help="Hold the hashes of 14 windows too, so that crops of its pictures are met; reads pixels."),
    ] = False,
    title: Annotated[str | None, typer.Option(help="What it is of, in words; stands in the file.", show_default=False)] = None,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Write a hash sketch of a release or folder, with which anyone can tell what of it their training data hold.

    A row per picture with hashes, split and source; no picture, no name. It isn't anonymous: whoever holds a picture can
    tell whether it is in the set.

    A plain sketch takes some 65 bytes per picture and misses up to two thirds of the training pictures that are slight crops
    of its own; with `--crops` it takes some 510 and meets nearly all.

    **Examples:**

    - `medloom sketch releases/benchmark --out benchmark-sketch.parquet`
    - `medloom sketch releases/benchmark --out benchmark-sketch.parquet --crops`
    """
    from ..builders.duplicates import hashes as kinds
    from ..builders.duplicates import sketch as sketches
    from ..builders.duplicates.descriptor import CROP_WINDOWS
    from ..cards.pair_report import is_release
    from ..cards.terminal import pairs as pages
    from ..schema.release import Release

    out.parent.mkdir(parents=True, exist_ok=True)
    issues: Iterable[Issue] = ()
    opened = Release.open(path) if is_release(path) else None
    of = {"kind": "folder"} if opened is None else sketches.of_what(opened)
    if opened is None or crops:
        pictures = _pictures(path, workers=workers, json=json)
        hashes, issues = kinds.of_pictures(pictures, windows=CROP_WINDOWS if crops else None), pictures.issues
    else:
        hashes = kinds.of_release(opened)
    header = sketches.write(out, hashes, of=of | ({} if title is None else {"title": title}))
    show_as({"sketch": str(out), "header": header, "issues": _plain(issues)}, json, pages.sketched)


@app.command()
def contaminated(
    my_train: Annotated[Path, typer.Argument(metavar="MY_TRAIN", help="A release, or a folder of images.", show_default=False)],
    sketch: Annotated[Path, typer.Option("--sketch", help="A file of `medloom sketch`.", show_default=False)],
    split: Annotated[str | None, typer.Option(help="Only the sketch's pictures of this split.", show_default=False)] = None,
    out: Annotated[
        Path | None, typer.Option(help="All pairs as .csv or .json: your path, row of the sketch.", show_default=False)
    ] = None,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Tell what of a sketched benchmark your training images hold; exit code 1 where anything is held.

    Exact matches are certain. Near ones rest on hashes alone, and the output says what that is worth.

    **Example:** `medloom contaminated my_images --sketch benchmark-sketch.parquet --split test`
    """
    from ..builders.duplicates.contaminated import certainty, counts, held, own_of
    from ..builders.duplicates.sketch import read
    from ..cards.terminal import pairs as pages
    from ..cards.terminal.progress import shown

    if out is not None and out.suffix not in (".csv", ".json"):
        raise UsageError(f"--out {out}; expected a name that ends in .csv or .json")
    wanted = read(sketch).of_split(split)
    pictures = _pictures(my_train, workers=workers, json=json)
    own = own_of(pictures)
    with shown(my_train.name, plain=json) as progress:
        pairs = held(wanted, own, threads=workers or cores(), progress=lambda done, total: progress("search", done, total, 0))
    result = {"my_train": str(my_train), "of": wanted.header["of"], "split": split, **counts(pairs, own=own, sketch=wanted)}
    result |= {"certainty": certainty(wanted), "pairs": pairs.to_pylist(), "issues": _plain(pictures.issues)}
    if out is not None:
        _write_pairs(out, pairs)
    show_as(result, json, pages.contaminated)
    if len(pairs):
        raise typer.Exit(FAULTS)


def _found(release: Release, against: Path | None, *, workers: int | None, json: bool) -> Found:
    from ..builders.duplicates import find
    from ..cards.terminal.progress import shown

    with shown(release.root.name, plain=json) as bars:
        options: Any = {"workers": workers or cores(), "progress": lambda stage, done, total: bars(stage, done, total, 0)}
        found = find.within(release, **options) if against is None else find.against(release, against, **options)
    if against is not None:
        own = sum(shard["samples"] for recipe in release.recipes() for shard in recipe["shards"])
        _refuse_empty(against, found.counts["compared"] + found.counts["low_information"] - own, len(found.issues))
    return found


def _pictures(path: Path, *, workers: int | None, json: bool) -> Pictures:
    from ..builders.duplicates.find import pictures_at
    from ..cards.terminal.progress import shown

    with shown(path.name, plain=json) as bars:
        read = pictures_at(path, workers=workers or cores(), progress=lambda stage, done, total: bars(stage, done, total, 0))
    _refuse_empty(path, len(read), len(read.issues))
    return read


def _refuse_empty(path: Path, pictures: int, unreadable: int) -> None:
    """Nothing read would look like nothing held."""
    if not pictures:
        found = f"{unreadable:,} images, none of which can be read" if unreadable else "no image"
        raise UsageError(f"{path}: {found}; expected a release, or a folder of PNG, JPEG, BMP, WebP or GIF files")


def _apart(release: Release, found: Found, out: Path, *, workers: int | None, json: bool) -> dict[str, Any]:
    from ..builders.duplicates import sides
    from ..cards.terminal.progress import shown

    with shown(out.name, plain=json) as progress:
        changes = release.work / "duplicates" / "sides.parquet"
        return sides.write(release, found.pairs, out, changes=changes, workers=workers or cores(), progress=progress)


def _certified(path: Path, *, workers: int | None, json: bool) -> dict[str, Any]:
    from ..builders.duplicates.certificate import certify
    from ..schema.release import Release

    release = Release.open(path)
    found = _found(release, None, workers=workers, json=json)
    return certify(release, found.pairs, search={"parameters": found.parameters, "counts": found.counts})


def _plain(issues: Iterable[Issue]) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in asdict(issue).items()} for issue in issues]


def _write_pairs(path: Path, pairs: Any) -> None:
    from pyarrow import csv

    from ..schema.disk import write_json

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        csv.write_csv(pairs, path)
    else:
        write_json(path, pairs.to_pylist())
