"""Which table names the images of a folder, and which of its columns are label, box, group, split, age and sex."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from ..schema.errors import MedLoomError
from .formats import table as tables
from .formats.table import Row
from .proposal import Evidence, Proposal, labels_from, listed
from .survey import READERS, Survey, patterns_for, readers_for, repeated, split_word, suffix_of

MOST_ROWS = 100_000
MOST_LABELS = 200
ENCODINGS = ("utf-8-sig", "cp1252", "utf-16")
BINARY = frozenset({"0", "1", "-1", "0.0", "1.0", "-1.0", "true", "false", "yes", "no", "", "nan", "u"})
POSITIVE = frozenset({"1", "1.0", "true", "yes"})
SEPARATORS = ("|", ";", ",")
LABEL_WORDS = (
    "label", "labels", "class", "classname", "category", "diagnosis", "dx", "finding", "findings", "findinglabels", "target",
    "disease", "pathology", "condition", "lesiontype", "tumortype", "type", "grade", "severity", "level", "stage", "name",
)  # fmt: skip
"""Names of a label column, the most telling first; compared in lower case without blanks and signs."""
NOT_LABELS = re.compile(
    r"age|sex|gender|view|position|date|time|year|site|hospital|scanner|device|vendor|source|note|comment|width|height|size|"
    r"url|path|file|licen[cs]e|fold|split|set|modality|laterality|side|id$"
)
GROUP_WORDS = (
    ("patient", re.compile(r"(patient|subject|person|participant|pat|pid|mrn)s?(id|no|nr|num|number|name|key|code)?")),
    ("study", re.compile(r"(study|exam|case|accession|lesion|visit)(id|no|nr|num|number|name|key|code|instanceuid)?")),
    ("video", re.compile(r"(video|clip)(id|no|nr|num|number|name|key|code)?")),
)
BOXES = (
    ("corners", ("xmin", "ymin", "xmax", "ymax")),
    ("corners", ("x1", "y1", "x2", "y2")),
    ("corners", ("x0", "y0", "x1", "y1")),
    ("corners", ("left", "top", "right", "bottom")),
    ("size", ("x", "y", "width", "height")),
    ("size", ("x", "y", "w", "h")),
    ("size", ("bboxx", "bboxy", "bboxwidth", "bboxheight")),
)
SEXES = {"f": "female", "female": "female", "woman": "female", "m": "male", "male": "male", "man": "male", "o": "other"}


@dataclass(frozen=True, slots=True)
class _Table:
    path: str
    encoding: str
    delimiter: str | None
    rows: list[Row]

    @property
    def columns(self) -> list[str]:
        return list(self.rows[0])

    def words(self, column: str) -> list[str]:
        """The column's cells."""
        return [row[column] for row in self.rows]


@dataclass(frozen=True, slots=True)
class _Naming:
    """How a column names images."""

    column: str
    by: str
    """path, name or stem."""
    base: str
    matched: int


def table(survey: Survey) -> Proposal | None:
    """The proposal for a table that names at least half of its rows', or of the folder's, images."""
    images = [path for path in survey.paths if suffix_of(path) in READERS]
    known = [(found, naming) for found in _tables(survey) if (naming := _naming(found, images)) is not None]
    if not known:
        return None
    best, naming = max(known, key=lambda one: (one[1].matched, -len(one[0].path)))
    sisters = [one for one, other in known if (other.column, other.by, other.base) == (naming.column, naming.by, naming.base)]
    sisters = [one for one in sisters if set(one.columns) >= set(best.columns)]
    return _proposal(best, naming, images=images, sisters=sisters)


def _proposal(found: _Table, naming: _Naming, *, images: list[str], sisters: list[_Table]) -> Proposal:
    merged = _Table(found.path, found.encoding, found.delimiter, [row for one in sisters for row in one.rows])
    free = [column for column in found.columns if column != naming.column]
    evidence = [
        Evidence("layout", "csv", f"{found.path!r}: {naming.matched} images of {len(images)} are named in it"),
        Evidence("image column", naming.column, f"cells such as {merged.words(naming.column)[0]!r}: the image's {naming.by}"),
    ]
    constants: dict[str, Any] = {
        "IMAGES": patterns_for(images),
        "READERS": readers_for(images),
        "TABLES": {one.path: _split_of_table(one.path, sisters) for one in sisters},
        "ENCODING": found.encoding,
        "DELIMITER": found.delimiter,
        "FILE": naming.column,
        "FILE_IS": naming.by,
        "BASE": naming.base,
    }
    kind = "image"
    for look in (_group, _split, _age, _sex, _box):
        given, seen, column = look(merged, free)
        kind = given.pop("GROUP_KIND", kind)
        constants |= given
        if seen is not None:
            evidence.append(seen)
        free = [one for one in free if one not in column]
    if any(constants["TABLES"].values()):
        evidence.append(Evidence("split", "the owner's, by table", listed(list(constants["TABLES"]))))
    given, labels, seen, exclusive = _labels(merged, free)
    constants |= given
    used = [constants.get(name) for name in ("FILE", "LABEL", "GROUP", "SPLIT", "AGE", "SEX")]
    columns = [*(one for one in used if one), *constants.get("BOX", ()), *constants.get("FINDINGS", ())]
    constants["COLUMNS"] = tuple(dict.fromkeys(columns))
    asked = constants["COLUMNS"] if found.encoding == "utf-8-sig" else ()
    return Proposal(
        layout="csv",
        constants=constants,
        labels=labels,
        exclusive=exclusive and "BOX" not in constants,
        group_kind=kind,
        evidence=(*evidence, seen),
        expects=tuple((glob.escape(one.path), "the table of labels", asked) for one in sisters),
    )


def _tables(survey: Survey) -> Iterator[_Table]:
    for path in survey.with_suffix(".csv", ".tsv", ".tab", ".xlsx", ".xlsm"):
        for encoding in ENCODINGS:
            try:
                delimiter = _delimiter(survey, path, encoding)
                rows = list(
                    islice(tables.rows(survey.raw, path, columns=(), delimiter=delimiter, encoding=encoding), MOST_ROWS)
                )
            except (MedLoomError, UnicodeError):
                continue
            if rows:
                yield _Table(path, encoding, delimiter, rows)
            break


def _delimiter(survey: Survey, path: str, encoding: str) -> str | None:
    if path.lower().endswith((".xlsx", ".xlsm")):
        return None
    first = survey.head(path, 1 << 16).decode(encoding, errors="replace").partition("\n")[0]
    return max(tables.DELIMITERS, key=first.count)


def _naming(found: _Table, images: list[str]) -> _Naming | None:
    """The column and the way by which the table names most images."""
    names: dict[str, Callable[[str], str]] = {
        "name": lambda path: PurePosixPath(path).name,
        "stem": lambda path: PurePosixPath(path.removesuffix(".gz")).stem,
    }
    options = []
    for column in found.columns:
        words = set(found.words(column)) - {""}
        for by, name in names.items():
            spelled = [name(path) for path in images]
            matched = len(words.intersection(spelled))
            if matched and not repeated(word for word in spelled if word in words):
                options.append(_Naming(column, by, "", matched))
        options.extend(_by_path(column, words, images))
    options = [one for one in options if one.matched >= 0.5 * min(len(images), len(set(found.words(one.column))))]
    return max(options, key=lambda one: (one.matched, ("stem", "name", "path").index(one.by)), default=None)


def _by_path(column: str, words: set[str], images: list[str]) -> Iterator[_Naming]:
    """Cells that are the ends of paths, below one common folder."""
    if not any("/" in word for word in words):
        return
    bases: Counter[str] = Counter()
    for path in images:
        parts = path.split("/")
        ends = (("/".join(parts[:cut]), "/".join(parts[cut:])) for cut in range(len(parts)))
        bases.update(base for base, end in ends if end in words)
    if bases:
        base, matched = bases.most_common(1)[0]
        yield _Naming(column, "path", f"{base}/" if base else "", matched)


_Seen = tuple[dict[str, Any], Evidence | None, tuple[str, ...]]


def _group(found: _Table, columns: list[str]) -> _Seen:
    for kind, pattern in GROUP_WORDS:
        for column in columns:
            words = [word for word in found.words(column) if word]
            if pattern.fullmatch(_plain(column)) and len(words) >= 0.9 * len(found.rows):
                seen = f"{len(set(words))} ids in {len(found.rows)} rows of column {column!r}"
                return {"GROUP": column, "GROUP_KIND": kind}, Evidence("group", f"{kind}, column {column}", seen), (column,)
    return {}, None, ()


def _split(found: _Table, columns: list[str]) -> _Seen:
    for column in columns:
        words = Counter(word for word in found.words(column) if word)
        splits = {word: split_word(word) for word in words}
        if words and all(splits.values()) and len(set(splits.values())) > 1:
            seen = ", ".join(f"{count} rows {word!r}" for word, count in words.items())
            given = {"SPLIT": column, "SPLIT_WORDS": splits}
            return given, Evidence("split", f"the owner's, column {column}", seen), (column,)
    return {}, None, ()


def _age(found: _Table, columns: list[str]) -> _Seen:
    for column in columns:
        ages = [word for word in found.words(column) if re.fullmatch(r"\d{1,3}(\.\d+)?", word)]
        if re.fullmatch(r"(patient)?age(years|yrs|y|approx|atstudy)?", _plain(column)) and ages:
            seen = f"{len(ages)} numbers from {min(ages, key=float)} to {max(ages, key=float)}"
            return {"AGE": column}, Evidence("age in years", f"column {column}", seen), (column,)
    return {}, None, ()


def _sex(found: _Table, columns: list[str]) -> _Seen:
    for column in columns:
        words = Counter(word for word in found.words(column) if word)
        known = {word: SEXES[word.lower()] for word in words if word.lower() in SEXES}
        if re.fullmatch(r"(patient)?(sex|gender)", _plain(column)) and known:
            return {"SEX": column, "SEXES": known}, Evidence("sex", f"column {column}", listed(list(words))), (column,)
    return {}, None, ()


def _box(found: _Table, columns: list[str]) -> _Seen:
    plain = {_plain(column): column for column in columns}
    for form, names in BOXES:
        if all(name in plain for name in names) and _are_numbers(found, [plain[name] for name in names]):
            box = tuple(plain[name] for name in names)
            step = "x0, y0, x1, y1 in px" if form == "corners" else "x, y, width, height in px"
            return {"BOX": box, "BOX_IS": form}, Evidence("box", step, f"columns {', '.join(box)} hold numbers"), box
    return {}, None, ()


def _labels(found: _Table, columns: list[str]) -> tuple[dict[str, Any], dict[str, str | None], Evidence, bool]:
    """Constants, labels, evidence, and whether an image has exactly one of them."""
    named = [column for word in LABEL_WORDS for column in columns if _plain(column) == word]
    named += [column for column in columns if column not in named and _plain(column).endswith(("label", "class", "diagnosis"))]
    usable = [column for column in named if 1 <= len(set(found.words(column)) - {""}) <= MOST_LABELS]
    lists = [column for column in named if _separator(found.words(column))]
    findings = [column for column in columns if _is_binary(found.words(column)) and not NOT_LABELS.search(_plain(column))]
    if usable or lists:
        return _one_column(found, (usable or lists)[0])
    if any(POSITIVE & {word.lower() for word in found.words(column)} for column in findings):
        seen = f"cells are 0, 1, -1 or empty in {listed(findings)}"
        return {"FINDINGS": tuple(findings)}, labels_from(findings), Evidence("label", "a column per label", seen), False
    few = [column for column in columns if _is_categorical(found, column)]
    if few:
        return _one_column(found, few[0])
    return {}, {}, Evidence("label", "none", f"no column of {', '.join(found.columns)[:200]} looks like a label"), False


def _one_column(found: _Table, column: str) -> tuple[dict[str, Any], dict[str, str | None], Evidence, bool]:
    words = [word for word in found.words(column) if word]
    separator = _separator(words)
    parts = Counter(part.strip() for word in words for part in (word.split(separator) if separator else [word]) if part.strip())
    ordered = sorted(parts)
    names = {word: f"{column} {word}" if re.fullmatch(r"-?\d+(\.\d+)?", word) else word for word in ordered}
    seen = ", ".join(f"{count} × {word[:40]!r}" for word, count in parts.most_common(8))
    choice = f"column {column}" + (f", several per cell, parted by {separator!r}" if separator else "")
    given = {"LABEL": column} | ({"SEPARATOR": separator} if separator else {})
    return given, labels_from(names), Evidence("label", choice, seen), not separator


def _separator(words: list[str]) -> str:
    """What parts several labels in a cell: it stands in many cells, or between words that other cells hold alone."""
    for separator in SEPARATORS:
        held = [word for word in words if separator in word]
        alone = {word for word in words if separator not in word}
        parts = {part.strip() for word in held for part in word.split(separator)}
        between = len(parts & alone) > len(parts) / 2
        if held and (between or len(held) >= 0.05 * len(words)) and len(parts) <= min(MOST_LABELS, len(set(words)) + 1):
            return separator
    return ""


def _is_binary(words: list[str]) -> bool:
    lower = {word.lower() for word in words}
    return lower <= BINARY and bool(lower - {"", "nan"})


def _is_categorical(found: _Table, column: str) -> bool:
    distinct = set(found.words(column)) - {""}
    numbers = all(re.fullmatch(r"-?\d+\.\d+", word) for word in distinct)
    few = 2 <= len(distinct) <= 30 and len(distinct) * 2 <= len(found.rows)
    return few and not numbers and not NOT_LABELS.search(_plain(column))


def _are_numbers(found: _Table, columns: list[str]) -> bool:
    cells = [row[column] for row in found.rows for column in columns if row[column]]
    return bool(cells) and all(re.fullmatch(r"-?\d+(\.\d*)?([eE]-?\d+)?", cell) for cell in cells)


def _split_of_table(path: str, sisters: list[_Table]) -> str | None:
    """The split that a table's name says, where every table's name says one and they differ."""
    splits = [_table_split(one.path) for one in sisters]
    return _table_split(path) if len(sisters) > 1 and all(splits) and len(set(splits)) > 1 else None


def _table_split(path: str) -> str | None:
    return next((split for word in re.split(r"[^a-z]+", PurePosixPath(path).stem.lower()) if (split := split_word(word))), None)


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", column.lower())
