"""Whether a raw root is what a source expects, and exactly what is missing where it isn't."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import IO, Any

from ..schema.errors import RawRootError
from .archive import BROKEN
from .raw import Raw
from .source import Expect, Source

LONGEST_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """How one expectation of a layout fared."""

    expect: Expect
    files: int
    missing_columns: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether enough files are there, with all columns."""
        return self.files >= self.expect.at_least and not self.missing_columns

    def __str__(self) -> str:
        expect = self.expect
        if self.files < expect.at_least:
            return f"{expect.pattern}: {self.files} files; expected at least {expect.at_least} ({expect.what})"
        if self.missing_columns:
            return f"{expect.pattern}: columns {list(self.columns)}; expected also {list(self.missing_columns)}"
        return f"{expect.pattern}: {self.files} files ({expect.what})"


def verify(source: Source, raw: Raw) -> dict[str, Any]:
    """What each layout of the source finds in the root; `layout` names the complete one, None where there is none."""
    found = {layout.name: [_look(expect, raw) for expect in layout.expects] for layout in source.layouts}
    complete = next((name for name, findings in found.items() if all(one.met for one in findings)), None)
    return {
        "source": source.facts.name,
        "raw_root": str(raw.root),
        "layout": complete,
        "layouts": {
            name: [{"pattern": one.expect.pattern, "met": one.met, "message": str(one)} for one in findings]
            for name, findings in found.items()
        },
        "files": len(raw.sizes),
        "bytes": sum(raw.sizes.values()),
    }


def require(source: Source, raw: Raw) -> str:
    """Name of the complete layout.

    Raises:
        RawRootError: no layout is complete; the message lists what the nearest one lacks.
    """
    result = verify(source, raw)
    if result["layout"] is not None:
        return result["layout"]
    name, nearest = max(result["layouts"].items(), key=lambda item: sum(one["met"] for one in item[1]))
    missing = "; ".join(one["message"] for one in nearest if not one["met"])
    raise RawRootError(
        f"{source.facts.name}: {raw.root} isn't the layout {name!r}: {missing}; get it from {source.facts.homepage}"
    )


def _look(expect: Expect, raw: Raw) -> Finding:
    files = raw.glob(expect.pattern)
    if not expect.columns or not files:
        return Finding(expect, len(files))
    columns = _columns(raw, files[0])
    return Finding(expect, len(files), tuple(name for name in expect.columns if name not in columns), tuple(columns))


def _columns(raw: Raw, path: str) -> list[str]:
    """Names in the first row of a table, read straight from its archive where it lies in one."""
    try:
        with raw.open(path) as stream:
            return _excel_columns(stream) if path.lower().endswith((".xlsx", ".xlsm")) else _text_columns(stream)
    except UnicodeDecodeError as error:
        raise RawRootError(f"{path}: byte {error.start} is not UTF-8; expected UTF-8 text; save the file as UTF-8") from error
    except (*BROKEN, KeyError) as error:
        raise RawRootError(f"{path}: {type(error).__name__}: {error}; expected a table; get it again") from error


def _excel_columns(stream: IO[bytes]) -> list[str]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(stream.read()), read_only=True)
    first = next(book.worksheets[0].iter_rows(max_row=1, values_only=True), ())
    book.close()
    return [str(name).strip() for name in first if name is not None]


def _text_columns(stream: IO[bytes]) -> list[str]:
    head = stream.readline(LONGEST_HEAD_BYTES).decode("utf-8-sig").rstrip("\r\n")
    delimiter = max(",;\t|", key=head.count)
    return [name.strip() for name in next(csv.reader([head], delimiter=delimiter), [])]
