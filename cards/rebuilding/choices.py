"""From a published recipe to the options of a build: the same reading, salt, labels, limit and size of shards."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any

from ...builders import catalog
from ...builders.build import Options
from ...builders.deidentify import salt_of
from ...builders.source import Reading, Source, Window
from ...builders.voted import voted
from ...builders.workspace import LIBRARIES, versions
from ...schema.disk import write_text
from ...schema.errors import UsageError
from ...schema.labels.table import COLUMNS
from ...schema.published import Mode
from .wanted import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a user may choose of a rebuild; the command line describes each."""

    builder: Path | None = None
    labels: Path | None = None
    salt_file: Path | None = None
    workers: int = 1
    prove: bool = False
    keep_differing: bool = False


def source_of(wanted: Wanted, choices: Choices) -> tuple[str, Source]:
    """The builder that makes the source, as it is asked for, and what it declares.

    Raises:
        UsageError: there is none, or it makes another source.
    """
    spec = str(choices.builder) if choices.builder is not None else wanted.source
    if choices.builder is None and wanted.source not in catalog.names():
        raise UsageError(f"no source {wanted.source!r} in the catalogue; expected its builder file; pass it with --builder")
    source = catalog.load(spec)
    if source.facts.name != wanted.source:
        raise UsageError(f"--builder {spec} makes {source.facts.name}; expected {wanted.source}; name its builder file")
    return spec, source


def options_of(wanted: Wanted, source: Source, choices: Choices, *, votes: Path) -> Options:
    """The options of the build that made the samples; votes that only the recipe holds are written to `votes`.

    A share of bad units stops nothing: samples that don't come are told one by one.

    Raises:
        UsageError: another salt or vote, or a way of reading that this version doesn't know.
    """
    stated = wanted.original["options"]
    _refuse_other_salt(source, stated, choices.salt_file)
    return Options(
        workers=choices.workers,
        limit=stated["limit"],
        max_bad_share=1.0,
        salt_file=choices.salt_file,
        labels=_labels(wanted, source, choices.labels, votes=votes),
        reading=reading_of(stated["reading"], source.reading),
        shard_bytes=stated["shard_bytes"],
    )


def reading_of(stated: Mapping[str, Any], own: Reading) -> dict[str, Any]:
    """The fields of a recipe's reading that differ from the source's own.

    Raises:
        UsageError: a field that this version doesn't have.
    """
    unknown = sorted(set(stated) - {field.name for field in fields(Reading)})
    if unknown:
        raise UsageError(f"the recipe reads with {', '.join(unknown)}, unknown to this version; expected one that has it")
    given = {name: _typed(value) for name, value in stated.items()}
    return {name: value for name, value in given.items() if value != getattr(own, name)}


def warnings_of(wanted: Wanted, spec: str) -> list[str]:
    """What differs from the build that made the samples, and so may be why bytes do."""
    return list(_warnings(wanted, spec))


def _warnings(wanted: Wanted, spec: str) -> Iterator[str]:
    digest, original = catalog.file_digest(spec), wanted.original
    if digest != original["builder_sha256"]:
        then = original["builder_sha256"]
        yield f"builder of {wanted.source}: SHA-256 {digest[:16]}…, not {then[:16]}… as when it was published"
    made, own = wanted.recipe["versions"], versions()
    others = [f"{name} {own[name]} (then {made.get(name)})" for name in ("medloom", *LIBRARIES) if own[name] != made.get(name)]
    if others:
        yield f"other versions than when it was published: {', '.join(others)}"


def _typed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Window(**value)
    return tuple(value) if isinstance(value, list) else value


def _refuse_other_salt(source: Source, stated: Mapping[str, Any], salt_file: Path | None) -> None:
    name, salt = source.facts.name, salt_of(source.facts, salt_file)
    private = stated.get("salt_sha256")
    if private is None and salt_file is not None:
        raise UsageError(f"{name}: --salt-file, but its keys come from a public salt; expected none; leave it out")
    if private is not None and salt_file is None:
        found = "its keys come from a private salt"
        raise UsageError(f"{name}: {found}; expected the file with SHA-256 {private[:16]}…; pass it with --salt-file")
    if private is not None and salt.sha256 != private:
        found = f"--salt-file has SHA-256 {salt.sha256[:16]}…"
        raise UsageError(f"{name}: {found}; expected {private[:16]}…, which made the published keys; pass that file")
    if private is None and salt.value.decode() != stated["salt"]:
        found = f"this builder's salt is {salt.value.decode()!r}"
        raise UsageError(
            f"{name}: {found}; expected {stated['salt']!r}, which made the published keys; use the builder of then"
        )


def _labels(wanted: Wanted, source: Source, given: Path | None, *, votes: Path) -> Path | None:
    """The file of votes to build with: the one given, or one made of the rows that the recipe holds."""
    stated = wanted.original["options"].get("labels")
    rows = stated["rows"] if stated else []
    if given is None and rows:
        votes.parent.mkdir(parents=True, exist_ok=True)
        write_text(votes, [_votes(rows)])
        return votes
    if given is not None and (voted(source, given).row() or {}).get("rows") != rows and wanted.mode is Mode.RECIPE:
        found = f"--labels {given} overrides other labels than the published build"
        raise UsageError(f"{wanted.source}: {found}; expected the same votes; leave it out, the recipe holds them")
    return given


def _votes(rows: Sequence[Mapping[str, Any]]) -> str:
    out = StringIO()
    lines = csv.DictWriter(out, list(COLUMNS), lineterminator="\n", restval="")
    lines.writeheader()
    for row in rows:
        task = row["clinical_task"] or ""
        lines.writerow({"name": row["name"], "departments": "; ".join(row["departments"]), "clinical_task": task})
    return out.getvalue()
