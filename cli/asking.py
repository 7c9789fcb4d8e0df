"""The verb that asks: ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import FAULTS, AllPictures, AsJson, ReleaseDir, Withheld, Withhold, Workers, app, cores, show_as, withheld


@app.command()
def ask(
    release: ReleaseDir,
    suite: Annotated[str, typer.Option(help="medmat, gmai, mimoseg, medtrinity, or a YAML file of yours.")],
    seed: Annotated[int, typer.Option(help="Other seeds give other wordings, distractors and orders.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many samples of every shard.", show_default="all")] = None,
    withhold: Withhold = None,
    answers: Withheld = None,
    without: Annotated[
        Path | None, typer.Option(help="Leave out what a review rejects: its review.json.", show_default="nothing")
    ] = None,
    workers: Workers = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again, whatever is there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count on some samples of every shard; write nothing.")] = False,
    preview: Annotated[
        int | None, typer.Option(min=1, help="Draw so many random questions of each kind on a page.", show_default="no page")
    ] = None,
    all_pictures: AllPictures = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Say what guessers without pictures reach; exit code 1 above chance.")
    ] = False,
    embed: Annotated[bool, typer.Option("--embed", help="Also write a release whose shards hold the questions.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where that release goes.", show_default=False)] = None,
    json: AsJson = False,
) -> None:
    """Make the questions of a suite, beside the shards: `questions/<suite>/`, one Parquet file per shard.

    No pixel is read or written, and the result is the same for any number of workers, also after a kill. Questions that a
    validator finds fault with are left out and counted. `load_dataset(RELEASE, data_dir="questions/medmat")` loads them,
    `medloom.load(RELEASE, suite="medmat")` with their pictures.

    **Examples:**

    - `medloom ask releases/blood --suite medmat --dry-run`
    - `medloom ask releases/blood --suite gmai --seed 7 --workers 8`
    - `medloom ask releases/blood --suite mimoseg --preview 10`
    - `medloom ask releases/blood --suite gmai --without releases/blood/questions/gmai/review.json`
    - `medloom ask releases/blood --suite medmat --embed --out releases/blood-asked`
    - `medloom ask releases/blood --suite gmai --baseline`
    - `medloom ask releases/blood --suite mimoseg --withhold-answers test --answers private`
    """
    from ..cards.terminal.asked import asked

    private = withheld(withhold, answers)
    if embed != (out is not None):
        raise UsageError("--embed needs --out, and --out is its place; expected both, or neither")
    if dry_run and (withhold or without or fresh or preview or baseline or embed):
        writes = "--withhold-answers, --without, --fresh, --preview, --baseline or --embed"
        raise UsageError(f"--dry-run writes nothing; expected no {writes} with it")
    shared: dict[str, Any] = {"seed": seed, "workers": workers or cores()}
    if dry_run:
        result = _estimated(release, suite, json=json, **shared, **({} if limit is None else {"sampled": limit}))
    else:
        shared |= {**private, "limit": limit, "without": without, "fresh": fresh}
        result = _asked(release, suite, json=json, **shared)
        drawn = {"count": preview, "seed": seed, "all_pictures": all_pictures}
        result["preview"] = None if preview is None else str(_previewed(release, result, **drawn))
        if baseline:
            result["baseline"] = _guessed(release, result)
        if out is not None:
            result["embedded"] = _embedded(release, result["suite"]["name"], out, workers=shared["workers"], json=json)
    show_as(result, json, asked)
    if baseline and not result["baseline"]["passed"]:
        raise typer.Exit(FAULTS)


def _asked(release: Path, suite: str, *, json: bool, **options: Any) -> dict[str, Any]:
    from ..cards.terminal.progress import shown
    from ..generation.asking.ask import ask

    with shown(release.name, plain=json) as progress:
        return ask(release, suite, progress=progress, **options)


def _estimated(release: Path, suite: str, *, json: bool, **options: Any) -> dict[str, Any]:
    from ..cards.terminal.progress import shown
    from ..generation.asking.ask import estimate

    with shown(release.name, plain=json) as progress:
        return estimate(release, suite, progress=progress, **options)


def _embedded(release: Path, suite: str, out: Path, *, workers: int, json: bool) -> dict[str, Any]:
    from ..cards.terminal.progress import shown
    from ..generation.asking.embed import embed

    with shown(out.name, plain=json) as progress:
        return embed(release, suite, out, workers=workers, progress=progress)


def _guessed(release: Path, result: dict[str, Any]) -> dict[str, Any]:
    """The text-only baseline over the suite's files, and over the private ones where answers are withheld."""
    from ..generation.baseline.report import report

    folders = [release / "questions" / result["suite"]["name"], *([Path(result["answers"])] if result["answers"] else [])]
    return report(folders)


def _previewed(release: Path, result: dict[str, Any], **drawn: Any) -> Path:
    """Where the page lies: beside the release, since its pictures are their owners'."""
    from ..generation.review.preview import preview
    from ..schema.release import Release

    name, private = result["suite"]["name"], result["answers"]
    answers, opened = None if private is None else Path(private).parent, Release.open(release)
    page = opened.work / "questions" / f"{name}-preview.html"
    page.write_text(preview(opened, name, answers=answers, **drawn), encoding="utf-8")
    return page
