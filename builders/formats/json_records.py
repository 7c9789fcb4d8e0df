"""JSON records: a list of objects, an object of objects, or one object per line (JSONL), as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson

from ...schema.errors import Issue, RawRootError, UnreadableError
from ..raw import Raw
from .table import Row

BOM = b"\xef\xbb\xbf"


def records(raw: Raw, path: str, *, fields: Sequence[str], inside: str | None = None, key: str | None = None) -> Iterator[Row]:
    """Every object that has the fields, in the order of the file; its values are what JSON makes of them.

    Args:
        raw: Where the file is, and where its faults are reported.
        path: `.jsonl` and `.ndjson` are read line by line, all others whole and at once.
        fields: Names that every object must hold; it may hold more.
        inside: The key of the outer object under which the records stand; None where they are the whole file.
        key: For an object of objects, the field that takes the outer name.

    Raises:
        RawRootError: the file isn't there, or holds no records where they are said to be.
        UnreadableError: no JSON, `encoding` where the text isn't UTF-8.
    """
    if PurePosixPath(path).suffix.lower() in (".jsonl", ".ndjson"):
        found = _lines(raw, path)
    else:
        found = _members(load(raw, path), path=path, inside=inside, key=key)
    return _rows(raw, found, fields=fields)


def load(raw: Raw, path: str) -> Any:
    """What a JSON file holds; `NaN` and `Infinity`, which Python writes and JSON forbids, are read.

    Raises:
        RawRootError: the file isn't there.
        UnreadableError: no JSON, `encoding` where the text isn't UTF-8.
    """
    try:
        return _parse(raw.path(path).read_bytes().removeprefix(BOM))
    except UnicodeDecodeError as error:
        found, step = f"byte 0x{error.object[error.start]:02x} at {error.start}", "save the file as UTF-8"
        raise UnreadableError(found, expected="UTF-8 text", where=path, code="encoding", next=step) from error
    except (ValueError, RecursionError, OSError) as error:
        raise UnreadableError(f"no JSON ({str(error)[:80]})", expected="one whole document", where=path) from error


def _parse(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        decoded = text.decode("utf-8")
        if "NaN" in decoded or "Infinity" in decoded:
            return json.loads(decoded)
        raise


def _members(document: Any, *, path: str, inside: str | None, key: str | None) -> Iterator[tuple[str, Any]]:
    """Where and value of each record."""
    if inside is not None:
        document = document.get(inside) if isinstance(document, dict) else None
    if isinstance(document, list):
        return ((f"{path} record {index}", item) for index, item in enumerate(document, start=1))
    if isinstance(document, dict):
        return ((f"{path} {name[:60]!r}", _named(item, name, key)) for name, item in document.items())
    place = f"under {inside!r}" if inside is not None else "at the top"
    raise RawRootError(
        f"{path}: no list and no object {place}; expected records there; check that this is the file the source names"
    )


def _named(item: Any, name: str, key: str | None) -> Any:
    return {key: name, **item} if key is not None and isinstance(item, dict) else item


def _lines(raw: Raw, path: str) -> Iterator[tuple[str, Any]]:
    with raw.path(path).open("rb") as stream:
        for index, line in enumerate(stream, start=1):
            text = line.removeprefix(BOM if index == 1 else b"").strip()
            if not text:
                continue
            where = f"{path} line {index}"
            try:
                yield where, _parse(text)
            except (ValueError, RecursionError) as error:
                found = f"no JSON ({str(error)[:80]})"
                raw.report(Issue("bad-row", where, found, "one object per line", "it was left out"))


def _rows(raw: Raw, found: Iterator[tuple[str, Any]], *, fields: Sequence[str]) -> Iterator[Row]:
    for where, item in found:
        lacking = [field for field in fields if not isinstance(item, dict) or field not in item]
        if isinstance(item, dict) and not lacking:
            yield Row(item, where)
            continue
        shown = f"no {', '.join(lacking)}" if isinstance(item, dict) else f"{type(item).__name__}"
        raw.report(Issue("bad-row", where, shown, f"an object with {', '.join(fields)}", "it was left out"))
