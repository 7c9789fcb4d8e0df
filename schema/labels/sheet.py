"""Tables that people write: CSV as spreadsheets save it, with comma, semicolon or tab, and with rows that can be named."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from ..errors import UsageError
from ..vocabulary import fold

DELIMITERS = (",", ";", "\t")


def rows_of(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells of each row that isn't empty, as a spreadsheet counts them: the header is row 1.

    Other columns may stand beside `columns`; cells lose blanks at their ends, missing cells are empty.

    Raises:
        UsageError: the file can't be read, isn't UTF-8, lacks a column, or has a row with cells beyond the header.
    """
    text = _text(path)
    first = text.partition("\n")[0]
    lines = csv.reader(StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True)
    try:
        header = [fold(cell) for cell in next(lines, [])]
        places = _places(path, header, columns)
        for number, cells in enumerate(lines, start=2):
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                found = f"{len(cells)} cells for {len(header)} columns"
                raise UsageError(f"{path.name} row {number}: {found}; expected one each; quote a cell that holds a delimiter")
            if any(cell.strip() for cell in cells):
                yield number, {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
    except csv.Error as error:
        raise UsageError(f"{path.name} line {lines.line_num}: {error}; expected CSV; save the table again") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a CSV file; correct the path") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is no UTF-8; expected UTF-8; save it as `CSV UTF-8`") from error


def _places(path: Path, header: list[str], columns: tuple[str, ...]) -> dict[str, int]:
    lacking = [column for column in columns if fold(column) not in header]
    if lacking:
        raise UsageError(
            f"{path.name}: no column {', '.join(lacking)}; expected {', '.join(columns)} in row 1; name them there"
        )
    return {column: header.index(fold(column)) for column in columns}
