"""Tables in text (CSV, TSV) and Excel, row by row, and the findings that their cells spell.

A row's number is the one a spreadsheet shows: the header is row 1. Cells are text, stripped; an empty cell is "".
Rows without any text are passed over. A column without a name is called after its place, `column-29` for the 29th, and
so is the second column of a name: `view-column-31`.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path, PurePosixPath
from typing import Any

from ...schema.errors import Issue, RawRootError, Severity, UnreadableError
from ...schema.sample import State
from ..picture import Report
from ..raw import Raw
from ..unit import Finding
from .excel import numbered_sheet_rows

DELIMITERS = (",", ";", "\t", "|")
HEADER_BYTES = 1 << 16
Numbered = tuple[int, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Row(Mapping[str, Any]):
    """One record of a table: column → cell, in the table's order."""

    cells: Mapping[str, Any]
    where: str
    """File and row, for issues."""

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)


def rows(
    raw: Raw,
    path: str,
    *,
    columns: Sequence[str],
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    sheet: str | None = None,
) -> Iterator[Row]:
    """Every whole row; the header is read at once, the rest as it is asked for.

    Args:
        raw: Where the table is, and where its faults are reported.
        path: `.xlsx` and `.xlsm` are read as Excel, all others as text.
        columns: Names that the header must hold; it may hold more.
        delimiter: None takes the first of comma, semicolon, tab and bar that makes these columns of the header.
        encoding: Of text.
        sheet: Of Excel; None takes the first.

    Raises:
        RawRootError: the file, the sheet or one of the columns isn't there.
        UnreadableError: it can't be decoded, `encoding` where another encoding would help; also while rows are read.
    """
    excel = PurePosixPath(path).suffix.lower() in (".xlsx", ".xlsm")
    if excel:
        numbered = numbered_sheet_rows(raw.path(path), where=path, sheet=sheet, report=raw.report)
    else:
        numbered = _text_rows(raw, path, columns=columns, delimiter=delimiter, encoding=encoding)
    names = _header(next(numbered, (1, ()))[1], path=path, columns=columns, report=raw.report)
    return _rows(numbered, names, path=path, padded=excel, report=raw.report)


def unique(rows: Iterable[Row], column: str, report: Report) -> Iterator[Row]:
    """The first row of every value of a column; a later one is a `duplicate-id` issue."""
    first: dict[Any, str] = {}
    for row in rows:
        value = row[column] if isinstance(row[column], str) else repr(row[column])
        if value in first:
            found = f"{column} {value[:60]!r} again, first in {first[value]}"
            report(Issue("duplicate-id", row.where, found, f"one row per {column}", "the first one was kept"))
        else:
            first[value] = row.where
            yield row


def findings_from_columns(
    row: Row,
    columns: Iterable[str],
    *,
    report: Report,
    present: Collection[str] = ("1", "1.0", "true", "yes"),
    absent: Collection[str] = ("0", "0.0", "false", "no"),
    uncertain: Collection[str] = ("-1", "-1.0", "u"),
    missing: Collection[str] = ("", "nan"),
) -> tuple[Finding, ...]:
    """A finding per column of a label, named after it; none where the cell says that nobody looked.

    The defaults are CheXpert's (Irvin et al. 2019): 1 positive, 0 negative, -1 uncertain, blank not mentioned. Words
    are compared in lower case; another word is an `unknown-label-value` issue and gives no finding.
    """
    words = ((State.PRESENT, present), (State.ABSENT, absent), (State.UNCERTAIN, uncertain))
    states = {word: state for state, spelled in words for word in spelled}
    findings = []
    for column in columns:
        word = str(row[column]).strip().lower()
        if word in states:
            findings.append(Finding(column, states[word]))
        elif word not in missing:
            expected = "one of " + ", ".join([*states, *filter(None, missing)])
            report(Issue("unknown-label-value", row.where, f"{column} {word[:60]!r}", expected, "it was left out"))
    return tuple(findings)


def findings_from_list(text: str, sep: str = "|") -> tuple[Finding, ...]:
    """A present finding per word of a cell such as `Effusion|Mass`, each once, in its order."""
    words = (word.strip() for word in text.split(sep))
    return tuple(Finding(word) for word in dict.fromkeys(words) if word)


def _header(cells: Sequence[str], *, path: str, columns: Sequence[str], report: Report) -> list[str]:
    names = _names(cells, where=f"{path} row 1", report=report)
    lacking = [column for column in columns if column not in names]
    if lacking:
        found = ", ".join(name[:60] for name in names[:40]) or "none"
        raise RawRootError(
            f"{path} row 1: no column {', '.join(map(repr, lacking))}; found {found}; expected {', '.join(columns)}; "
            "check that this is the file and the version that the source names"
        )
    return names


def _names(cells: Sequence[str], *, where: str, report: Report) -> list[str]:
    names: list[str] = []
    given = {cell.strip() for cell in cells}
    for place, cell in enumerate(cells, start=1):
        name = cell.strip()
        if name and name not in names:
            names.append(name)
            continue
        other = f"{name}-column-{place}" if name else f"column-{place}"
        while other in given or other in names:
            other += "-again"
        found = f"column {place} is called {name[:60]!r} too" if name else f"column {place} has no name"
        step = f"it is called {other[:80]!r}"
        report(Issue("column-name", where, found, "a name of its own for every column", step, Severity.INFO))
        names.append(other)
    return names


def _rows(numbered: Iterator[Numbered], names: Sequence[str], *, path: str, padded: bool, report: Report) -> Iterator[Row]:
    width = len(names)
    for index, cells in numbered:
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        where = f"{path} row {index}"
        missing = 0 if padded else max(width - len(texts), 0)
        if missing or any(texts[width:]) or any("\0" in text for text in texts):
            found = "a NUL byte" if not missing and not any(texts[width:]) else f"{len(texts)} cells"
            report(Issue("bad-row", where, found, f"{width} cells of text, as the header", "it was left out"))
            continue
        texts += [""] * (width - len(texts))
        yield Row(dict(zip(names, texts, strict=False)), where)


def _text_rows(raw: Raw, path: str, *, columns: Sequence[str], delimiter: str | None, encoding: str) -> Iterator[Numbered]:
    """Rows of a CSV file, numbered from 1, without checking their width."""
    file = raw.path(path)
    start = _start(file, path=path, encoding=encoding)
    delimiter = delimiter or _delimiter(start, columns, path=path)
    return _csv_rows(_decoded(file, path=path, encoding=encoding), delimiter, path=path, report=raw.report)


def _csv_rows(lines: Iterator[str], delimiter: str, *, path: str, report: Report) -> Iterator[Numbered]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    index = 0
    while True:
        index += 1
        first_line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found = f"lines {first_line} to {reader.line_num}: {error}"
            step = "they were left out; look for a quote that is never closed"
            report(Issue("bad-row", f"{path} row {index}", found, "one row of CSV", step, Severity.ERROR))
            continue
        yield index, cells


def _start(file: Path, *, path: str, encoding: str) -> str:
    """The first bytes as text, for the header alone: broken ones are found when their row is read.

    Raises:
        UnreadableError: `encoding` where they look like UTF-16, or the encoding doesn't exist.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(HEADER_BYTES)
        text = start.decode(encoding, errors="replace")
    except LookupError as error:
        raise UnreadableError(f"encoding {encoding!r}", expected="one that Python knows", where=path) from error
    except OSError as error:
        raise UnreadableError(str(error.strerror), expected="a table", where=path) from error
    except UnicodeError as error:
        raise _wrong_encoding(f"bytes that aren't {encoding}", path=path, encoding=encoding) from error
    if "\0" in text.partition("\n")[0]:
        raise _wrong_encoding("NUL bytes, as in UTF-16 or a binary file", path=path, encoding=encoding)
    return text


def _decoded(file: Path, *, path: str, encoding: str) -> Iterator[str]:
    """The lines with their ends, as `csv` wants them.

    Raises:
        UnreadableError: `encoding`, naming the byte and where it stands.
    """
    with file.open("rb") as stream:
        text = TextIOWrapper(stream, encoding=encoding, newline="")
        try:
            yield from text
        except UnicodeDecodeError as error:
            place = stream.tell() - len(error.object) + error.start
            found = f"byte 0x{error.object[error.start]:02x} at {place}"
            raise _wrong_encoding(found, path=path, encoding=encoding) from error
        except UnicodeError as error:
            raise _wrong_encoding(str(error), path=path, encoding=encoding) from error


def _wrong_encoding(found: str, *, path: str, encoding: str) -> UnreadableError:
    step = "give the table's own `encoding`, such as cp1252 or utf-16, or save it as UTF-8"
    return UnreadableError(found, expected=f"{encoding} text", where=path, code="encoding", next=step)


def _delimiter(start: str, columns: Sequence[str], *, path: str) -> str:
    """The delimiter under which the header has the columns; where none fits, what the file's name says."""
    for delimiter in DELIMITERS if columns else ():
        reader = csv.reader(start.splitlines(keepends=True), delimiter=delimiter)
        try:
            names = {cell.strip() for cell in next(reader, [])}
        except csv.Error:
            continue
        if set(columns) <= names:
            return delimiter
    return "\t" if PurePosixPath(path).suffix.lower() in (".tsv", ".tab") else ","
