"""Excel sheets as rows of text, one after the other, without trusting what the workbook says of its own size."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from ...schema.errors import Issue, RawRootError, UnreadableError
from ..picture import Report
from ..raw import MAX_EXPANSION

MAX_ROWS = 1_048_576
"""Of a sheet, by Excel's own specification; a row that claims to be the 10^12th would cost that many empty ones."""
MAX_BYTES = 1 << 30
"""Of the XML inside: openpyxl keeps the shared texts in memory."""
AT_ONCE = 512
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # the base of the XML parser's error
    OSError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
)
"""What openpyxl lets through when a workbook is damaged."""


def numbered_sheet_rows(file: Path, *, where: str, sheet: str | None, report: Report) -> Iterator[tuple[int, Sequence[str]]]:
    """Number, from 1, and cells of every row; dates come as ISO 8601, truths as TRUE and FALSE.

    Raises:
        RawRootError: there is no such sheet.
        UnreadableError: no workbook, `absurd-size` where it claims to unpack to more than `MAX_BYTES`.
    """
    book = _open(file, where=where)
    try:
        names = [one.title for one in book.worksheets]
        if not names or (sheet is not None and sheet not in names):
            raise RawRootError(f"{where}: no sheet {sheet or ''!r}; found {names}; name one of these")
        page = book.worksheets[names.index(sheet) if sheet is not None else 0]
        yield from _cells(page, where=where, report=report)
    finally:
        book.close()


def _open(file: Path, *, where: str) -> Any:
    import openpyxl

    try:
        with zipfile.ZipFile(file) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
        if claimed <= min(MAX_BYTES, MAX_EXPANSION * file.stat().st_size):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and validations, which a table doesn't need
                return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except BROKEN as error:
        raise _unreadable(error, where=where) from error
    raise UnreadableError(
        f"a workbook that claims {claimed} bytes", expected=f"at most {MAX_BYTES}", where=where, code="absurd-size"
    )


def _cells(page: Any, *, where: str, report: Report) -> Iterator[tuple[int, Sequence[str]]]:
    page.reset_dimensions()
    numbered = enumerate(page.iter_rows(values_only=True, max_row=MAX_ROWS), start=1)
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of dates out of range, which come as text
                some = [(index, [_text(cell) for cell in cells]) for index, cells in islice(numbered, AT_ONCE)]
        except BROKEN as error:
            raise _unreadable(error, where=where) from error
        yield from some
        if some and some[-1][0] == MAX_ROWS:
            found, expected = "rows up to the last that Excel allows", "fewer: a row's number may be wrong"
            report(Issue("bad-row", f"{where} row {MAX_ROWS}", found, expected, "rows past it were left out"))
        if len(some) < AT_ONCE:
            return


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _unreadable(error: Exception, *, where: str) -> UnreadableError:
    found = f"no workbook that can be read ({type(error).__name__}: {str(error)[:80]})"
    return UnreadableError(found, expected="an .xlsx file", where=where, next="open it once and save it anew")
