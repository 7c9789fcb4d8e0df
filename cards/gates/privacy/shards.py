"""One shard, or tar of records, looked through once: its archive, names, pictures, records and embedded questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ....schema.errors import ReleaseError
from ....schema.record import from_json
from ....schema.shard import QUESTIONS
from .allowed import facts_told
from .archive import Member, walk
from .findings import Finding, Tallies, tallied
from .pictures import carried
from .questions import questions_told
from .texts import strings, told


@dataclass(frozen=True, slots=True)
class Shard:
    """One task: a tar of a source."""

    root: Path
    path: str
    """Relative to the root."""
    source: str
    samples: int
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of libraries, by name in lower case."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a task found."""

    source: str | None
    done: int
    tallies: Tallies


def seen(shard: Shard) -> Seen:
    """Everything found in a shard."""
    return Seen(shard.source, shard.samples, tallied(_findings(shard)))


def _findings(shard: Shard) -> Iterator[Finding]:
    try:
        for member in walk(shard.root / shard.path):
            where = f"{shard.path} {member.name}".rstrip()
            yield from (Finding("archive-carries-more", what, where) for what in member.beside)
            if member.name:
                yield from _member(member, shard)
    except OSError as error:
        yield Finding("opaque-file", f"a shard that can't be read: {error.strerror}", shard.path)


def _member(member: Member, shard: Shard) -> Iterator[Finding]:
    key, _, kind = member.name.partition(".")
    where = f"{shard.path} {key}"
    pseudonym = key.removeprefix(f"{shard.source}-")
    if len(pseudonym) != 16 or pseudonym.strip("0123456789abcdef"):
        yield Finding("identifier-in-name", "a member not named by a pseudonym", f"{shard.path} {member.name}")
    if kind == "image":
        yield from (Finding("picture-carries-more", what, where) for what in carried(member.body))
    elif kind == "json":
        yield from record_told(member.body, where, versions=shard.versions)
    elif kind == QUESTIONS:
        yield from questions_told(member.body, where)
    else:
        yield Finding(
            "opaque-file", "a member of another kind than image, json and questions.json", f"{shard.path} {member.name}"
        )


def record_told(body: bytes, where: str, *, versions: Mapping[str, str]) -> Iterator[Finding]:
    """Findings in a record: unknown fields, header facts outside their allow-lists, identifiers in open text."""
    try:
        record: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        yield Finding("opaque-file", "a record that is no JSON", where)
        return
    if body != orjson.dumps(record) and body.strip() != body:
        yield Finding("unknown-field", "bytes around a record", where)
    try:
        from_json(record)
    except ReleaseError:
        yield Finding("unknown-field", "a field that is missing, unknown or of another type", where)
        yield from (one for path, text in strings(record) if path.endswith("{}") for one in told(text, f"{where} {path}"))
    if isinstance(record, dict):
        yield from facts_told(record, where, versions=versions)
