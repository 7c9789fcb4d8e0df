"""The verbs that tell people what evaluations found: report, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import AsJson, app, show_as

Results = Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Folders of `medloom evaluate`.", show_default=False)]
Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Two or more folders of `medloom evaluate`.", show_default=False)
]


@app.command()
def report(results: Results, json: AsJson = False) -> None:
    """Write the report of finished evaluations once more: `report.md`, `report.html` and plots, beside their results.

    `medloom evaluate` writes it by itself. The HTML is one file that asks no other host for anything. Every number stands in
    `results.json`; examples show questions and replies word for word.

    `medloom report results/sft results/base`
    """
    from ..cards.terminal.compared import reported
    from ..train.evaluating.report.report import write_report

    written = [write_report(folder) for folder in results]
    show_as([{name: str(path) for name, path in one.items()} for one in written], json, reported)


@app.command()
def compare(
    runs: Runs,
    out: Annotated[Path, typer.Option(help="A folder for tables and plots.", show_default=False)],
    shared: Annotated[bool, typer.Option("--shared", help="Compare what all were asked, where that isn't the same.")] = False,
    resamples: Annotated[int, typer.Option(min=1, help="Draws of intervals and tests.")] = 5000,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    json: AsJson = False,
) -> None:
    """Hold evaluations over the same questions against each other, reply by reply.

    Differences of all measures, by every branch, with intervals over whole groups, a permutation test and McNemar's; p values
    are adjusted (Holm) over branches and pairs of runs. OUT gets `comparison.json`, `comparison.md`, `comparison.html` and
    plots.

    `medloom compare results/sft results/base --out results/sft-or-base`
    """
    from ..cards.terminal.compared import compared
    from ..train.evaluating.report.compare import compare_runs

    found = compare_runs(runs, out, shared=shared, seed=seed, resamples=resamples)
    show_as(found, json, compared)
