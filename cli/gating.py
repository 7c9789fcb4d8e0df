"""The verb that says whether a release may go out: gate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..schema.errors import UsageError
from .app import FAULTS, AsJson, ReleaseDir, Workers, app, cores, show_as

if TYPE_CHECKING:
    from ..cards.gates.gate import Report
    from ..schema.published import Mode


class GateName(StrEnum):
    """A gate."""

    LICENCE = "licence"
    PRIVACY = "privacy"
    INTEGRITY = "integrity"


Reasons = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE[:SOURCE]=REASON",
        help="Say why a gate may be passed; recorded in overrides.json and on the card. May be repeated.",
        show_default=False,
    ),
]
Ocr = Annotated[bool, typer.Option("--ocr", help="Look for burned-in text in pixels; needs `medloom[ocr]`.")]


@app.command()
def gate(
    release: ReleaseDir,
    only: Annotated[list[GateName] | None, typer.Option(help="Ask this gate; may be repeated.", show_default="all")] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE=MODE",
            help="Judge what would be published: full, annotations or recipe; may be repeated.",
            show_default="as the release holds it",
        ),
    ] = None,
    override: Reasons = None,
    ocr: Ocr = False,
    workers: Workers = None,
    json: AsJson = False,
) -> None:
    """Say whether a release may go out: licence, privacy and integrity, source by source; exit code 1 where one refuses.

    `publish` asks the same gates. Licence: rights of pixels, annotations, derived text and processing, each with its
    evidence, and licences that can't stand in one repository. Privacy: names, dates and identifiers anywhere. Integrity:
    what `check` proves, copies across splits, and the Hub's limits.

    **Examples:**

    - `medloom gate releases/blood`
    - `medloom gate releases/all --only licence --mode kvasir_seg_mini=recipe`
    - `medloom gate releases/all --override "pixels-not-granted:kvasir_seg_mini=written consent of the owners, 2026-03-02"`
    """
    from ..cards.gates.gate import GATES
    from ..cards.gates.justify import justify
    from ..cards.terminal.gates import gated

    gates = [one.value for one in only] if only else list(GATES)
    report = _gated(release, gates, modes=modes_of(mode or ()), ocr=ocr, workers=workers or cores(), json=json)
    if override:
        report = justify(report, override)
    show_as(report.as_json(), json, gated)
    if not report.passed:
        raise typer.Exit(FAULTS)


def modes_of(words: list[str] | tuple[str, ...]) -> dict[str, Mode]:
    """Source → mode, from words of the form `SOURCE=MODE`.

    Raises:
        UsageError: words of another form.
    """
    from ..schema.published import Mode

    modes = {}
    for one in words:
        source, _, mode = one.partition("=")
        if not source or mode not in set(Mode):
            raise UsageError(f"mode {one!r}; expected SOURCE=MODE, with a mode of {', '.join(Mode)}")
        modes[source] = Mode(mode)
    return modes


def _gated(release: Path, gates: list[str], *, modes: dict[str, Mode], ocr: bool, workers: int, json: bool) -> Report:
    from ..cards.gates.gate import gate as ask
    from ..cards.terminal.progress import shown
    from ..schema.release import Release

    opened = Release.open(release)
    with shown(release.name, plain=json) as progress:
        show = {"progress": lambda name, done, total: progress(name, done, total, 0)}
        return ask(opened, modes=modes, gates=gates, ocr=ocr, workers=workers, **show)
