"""The report of one evaluation, from the files that it left.

    OUT/report.md      for a repository or a README; its plots lie in OUT/report-plots, each with its numbers as CSV
    OUT/report.html    one file with everything inside

Every number of it stands in `results.json`; the same results give the same bytes.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....schema.disk import read_json, write_text
from ....schema.errors import UsageError
from . import numbers
from .branches import facets, tree
from .document import Document, Figure, Section
from .headline import headline
from .pages import html, markdown
from .replies import replies
from .settings import limits, scoring, settings
from .variants import variants

RESULTS, EXAMPLES = "results.json", "examples.json"
VERSION = 1
"""Of `results.json`, as it is read here."""


def write_report(folder: Path) -> dict[str, Path]:
    """Write the report of a finished evaluation beside its results; what was written, by name (`markdown`, `html`, plots).

    Raises:
        UsageError: the folder holds no results, or those of another version.
    """
    results, kept = results_in(folder), read_json(folder / EXAMPLES)
    return write(report(results, kept if isinstance(kept, Mapping) else {}), folder, name="report")


def report(results: Mapping[str, Any], kept: Mapping[str, Any]) -> Document:
    """The report of results, as `results.json` and `examples.json` hold them."""
    scored: Sequence[Section] = (headline(results), tree(results), facets(results)) if results["scored"] else ()
    said = replies(results, kept)
    otherwise = (variants(results),) if results["scored"] else ()
    return Document(
        f"Evaluation: {results['name']}",
        tuple(_about(results)),
        (*scored, said, *otherwise, settings(results), scoring(results), limits(results)),
    )


def results_in(folder: Path) -> dict[str, Any]:
    """What a folder's `results.json` holds.

    Raises:
        UsageError: there is none, or one of another version.
    """
    results = read_json(folder / RESULTS)
    if not isinstance(results, dict) or "settings" not in results:
        raise UsageError(f"{folder}: no {RESULTS}; expected a folder that `medloom evaluate` wrote to its end")
    if results.get("version") != VERSION:
        raise UsageError(f"{folder}: results of version {results.get('version')}; expected {VERSION}; rescore it with this one")
    return results


def model_of(results: Mapping[str, Any]) -> str:
    """What answered."""
    backend = results["settings"]["backend"]
    return str(backend.get("model") or backend.get("name") or "unknown")


def write(document: Document, folder: Path, *, name: str) -> dict[str, Path]:
    """Write a document as Markdown with its plots, and as HTML; what was written, plots of an earlier one being gone."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = folder / f"{name}-plots"
    shutil.rmtree(plots, ignore_errors=True)
    written = {"markdown": folder / f"{name}.md", "html": folder / f"{name}.html"}
    for one in document.figures():
        plots.mkdir(exist_ok=True)
        files = {kind: plots / f"{one.name}.{kind}" for kind in ("png", "csv")}
        files["png"].write_bytes(one.png)
        write_text(files["csv"], [_csv(one)])
        written |= {path.name: path for path in files.values()}
    write_text(written["markdown"], [markdown(document, plots=plots.name)])
    write_text(written["html"], [html(document)])
    return written


def _csv(figure: Figure) -> str:
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow([one.name for one in figure.data.columns])
    rows.writerows([["" if one == numbers.NONE else one for one in row] for row in figure.data.rows])
    return stream.getvalue()


def _about(results: Mapping[str, Any]):
    chosen = results["settings"]
    yield "model", model_of(results)
    yield "questions", numbers.count(results["questions"])
    yield "coordinates", str(chosen["style"]["dialect"])
    shots = chosen.get("shots")
    yield "examples before each question", "none" if not shots else f"{shots['count']} of {shots['from']}"
    yield "asked otherwise", ", ".join(chosen["variants"]) or "no"
