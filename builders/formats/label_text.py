"""What the readers of one label file per image share: its bytes, lines, numbers, words and options."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ...schema.errors import Issue, Severity, UnreadableError, UsageError
from ..picture import Report
from ..unit import LabelFile

MAX_BYTES = 64 << 20
"""The labels of one image are kilobytes; a larger file is another kind of file."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def whole(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        UnreadableError: `missing-label` where there is no file, `absurd-size` above `MAX_BYTES`, else `unreadable`.
    """
    try:
        size = path.stat().st_size
        if size <= MAX_BYTES:
            return path.read_bytes()
    except FileNotFoundError as error:
        expected = "the label file that the source names"
        raise UnreadableError("no such file", expected=expected, where=path.name, code="missing-label") from error
    except OSError as error:
        raise UnreadableError(str(error.strerror), expected="a file", where=path.name) from error
    expected = f"at most {MAX_BYTES} for the labels of one image"
    raise UnreadableError(f"{size} bytes", expected=expected, where=path.name, code="absurd-size")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number, counted from 1, and text of every line that isn't blank.

    Raises:
        UnreadableError: as `whole`, and `encoding` for bytes that aren't UTF-8 or hold NUL.
    """
    raw = whole(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{raw[error.start]:02x} at {error.start}"
        raise UnreadableError(found, expected="UTF-8 text", where=path.name, code="encoding") from error
    if "\0" in text:
        raise UnreadableError("NUL bytes", expected="UTF-8 text", where=path.name, code="encoding")
    for index, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if line.strip():
            yield index, line.strip()


def number(word: str) -> float:
    """The number that a plain decimal spells; it may be infinite where the exponent is absurd.

    Raises:
        ValueError: anything else, `nan`, `inf` and `1_000` among it.
    """
    if NUMBER.fullmatch(word.strip()):
        return float(word)
    raise ValueError(word)


def raw_label(word: str, target: LabelFile, *, where: str, report: Report) -> str | None:
    """The source's raw label for a word of the file; None, and an `unknown-label` issue, where `names` lacks it."""
    if not target.names:
        return word
    if word not in target.names:
        expected = "one of " + ", ".join(map(repr, list(target.names)[:20]))
        report(Issue("unknown-label", where, f"label {word[:60]!r}", expected, "it was left out"))
    return target.names.get(word)


def report_empty(path: Path, *, found: str, severity: Severity, report: Report) -> None:
    """Report a label file that names no object."""
    report(Issue("empty-label-file", path.name, found, "one object or more", "the image has no marks of it", severity))


def check_options(target: LabelFile, known: Collection[str]) -> None:
    """Refuse a source's options that the format doesn't have.

    Raises:
        UsageError: naming them.
    """
    unknown = sorted(set(target.options) - set(known))
    if unknown:
        raise UsageError(f"{target.format} labels have no option {unknown}; expected some of {sorted(known)}")
