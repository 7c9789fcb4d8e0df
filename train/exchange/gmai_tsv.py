"""GMAI-MMBench's own TSV, and any in its form, as questions that can be evaluated here.

    asked = TsvAsked.open("GMAI_mm_bench_VAL.tsv")

Columns: index, image (base64, or the index of another row that holds it) or image_path, question, A, B, …, answer, category,
clinical VQA task, department, perceptual granularity, modality, original task, split; whatever their case. Only where each
row begins is kept in memory, and its words; pictures are read when they are asked for. The published pictures have their
regions drawn on, so questions have no prompts. Rows of the test parts have no answer.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from ...schema.clinical_tasks import CLINICAL_TASKS
from ...schema.departments import DEPARTMENTS
from ...schema.errors import UnreadableError, UsageError
from ...schema.granularity import GRANULARITIES
from ...schema.question import Kind, Option, Question
from ...schema.triplet import MODALITIES
from ...schema.vocabulary import Vocabulary
from ..asked import Asked

SUITE = "gmai-mmbench"
REFERENCE_CHARACTERS = 64
"""An `image` of no more characters is the index of another row (VLMEvalKit's rule)."""
INSTRUCTION = "Answer with the letter of the right option and nothing else."
_NEEDED = ("index", "question", "a", "b")


@dataclass(frozen=True, slots=True)
class _Row:
    """Where a row lies, and which other one holds its picture."""

    offset: int
    size: int
    holder: int | None


@dataclass(frozen=True)
class TsvAsked:
    """Questions of a TSV; see `AskedSet`."""

    name: str
    path: Path
    columns: tuple[str, ...]
    rows: tuple[_Row, ...]
    asked: tuple[Question, ...]
    places: tuple[int, ...]
    """Rows that are taken, in order."""

    @classmethod
    def open(cls, path: str | Path) -> TsvAsked:
        """The questions of a file, after one pass over it.

        Raises:
            UsageError: no such file, columns that lack, two rows of one index, an answer that is none of the options, or an
                `image` that names no row.
        """
        place = Path(path)
        if not place.is_file():
            raise UsageError(f"{place}: no such file; expected a TSV in the form of GMAI-MMBench")
        lines = _lines(place)
        offset, size, head = next(lines, (0, 0, []))
        columns = tuple(name.strip().lower() for name in head)
        lacking = [name for name in _NEEDED if name not in columns]
        if lacking or not {"image", "image_path"} & set(columns):
            raise UsageError(f"{place}: columns {list(columns)}; expected index, question, A, B, and image or image_path")
        found, questions, known, held = [], [], {}, {}
        for number, (offset, size, cells) in enumerate(lines, 2):
            row = _named(cells, columns, where=f"{place}, row {number}")
            if row["index"] in known:
                raise UsageError(f"{place}, row {number}: index {row['index']!r} again; expected one row for each")
            known[row["index"]] = len(found)
            held[len(found)] = row.get("image", "") if len(row.get("image", "")) <= REFERENCE_CHARACTERS else ""
            found.append(_Row(offset, size, None))
            questions.append(_question(row, columns, where=f"{place}, row {number}"))
        rows = tuple(_held(one, held[at], known, where=f"{place}, row {at + 2}") for at, one in enumerate(found))
        return cls(place.stem, place, columns, rows, tuple(questions), tuple(range(len(rows))))

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place: int) -> Asked:
        at = self.places[place]
        picture = self._picture(at)
        question = self.asked[at]
        nothing: dict[str, Any] = {"annotations": [], "labels": [], "texts": []}
        record = {"key": question.key, "group": self._group(at), "source": question.source, "split": question.split}
        return Asked(question, picture, {**record, "size_hw_px": [picture.height, picture.width], **nothing})

    def questions(self) -> Sequence[Question]:
        """See `AskedSet`."""
        return [self.asked[at] for at in self.places]

    def taken(self, places: Sequence[int]) -> TsvAsked:
        """See `AskedSet`."""
        some = tuple(self.places[place] for place in places)
        return TsvAsked(self.name, self.path, self.columns, self.rows, self.asked, some)

    def _group(self, at: int) -> str:
        """Questions about one picture of the file belong together; who the patient is isn't published."""
        holder = self.rows[at].holder
        return self.asked[at if holder is None else holder].key

    def _picture(self, at: int) -> Image.Image:
        holder = self.rows[at].holder
        row = self.rows[at if holder is None else holder]
        with self.path.open("rb") as stream:
            stream.seek(row.offset)
            text = stream.read(row.size).decode("utf-8")
        cells = _named(next(_cells([text])), self.columns, where=self.asked[at].key)
        where = f"{self.path}, index {cells['index']}"
        data = _decoded(cells["image"], where) if cells.get("image") else _file(self.path, cells.get("image_path", ""), where)
        try:
            with Image.open(io.BytesIO(data)) as opened:
                return opened.convert("RGB")
        except (UnidentifiedImageError, OSError) as error:
            raise UnreadableError(str(error), expected="a picture", where=where, next="mend or remove the row") from error


def _lines(path: Path) -> Iterator[tuple[int, int, list[str]]]:
    """Offset, size and cells of every row; a row goes on over line ends inside quotes."""
    csv.field_size_limit(sys.maxsize)
    with path.open("rb") as stream:
        offset, parts, quoted = 0, [], False
        for line in stream:
            parts.append(line)
            quoted = _quoted(line, quoted)
            if not quoted:
                whole = b"".join(parts)
                if whole.strip():
                    yield offset, len(whole), next(_cells([_text(whole, offset, path=path)]))
                offset, parts = offset + len(whole), []
        if parts:
            raise UsageError(f"{path}: a quote at byte {offset} is never closed; expected a whole TSV")


def _quoted(line: bytes, quoted: bool) -> bool:
    """Whether a quote is open at the line's end; one inside a cell that begins without a quote is a sign like any other."""
    for cell in line.split(b"\t") if b'"' in line else ():
        if quoted or cell.startswith(b'"'):
            quoted ^= cell.count(b'"') % 2 == 1
    return quoted


def _text(row: bytes, offset: int, *, path: Path) -> str:
    try:
        return row.decode("utf-8" if offset else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}, byte {offset + error.start}: no UTF-8; expected a TSV of text in UTF-8") from error


def _cells(text: list[str]) -> Iterator[list[str]]:
    return csv.reader(io.StringIO("".join(text), newline=""), delimiter="\t")


def _named(cells: list[str], columns: tuple[str, ...], *, where: str) -> dict[str, str]:
    if len(cells) != len(columns):
        raise UsageError(f"{where}: {len(cells)} cells; expected {len(columns)}, as many as the first line names")
    return dict(zip(columns, cells, strict=True))


def _question(row: Mapping[str, str], columns: tuple[str, ...], *, where: str) -> Question:
    letters = [letter for letter in string.ascii_lowercase if letter in columns and row[letter].strip()]
    options = tuple(Option(letter.upper(), row[letter].strip()) for letter in letters)
    answer = row.get("answer", "").strip().upper() or None
    if len(options) < 2:
        raise UsageError(f"{where}: {len(options)} options; expected two or more")
    if answer is not None and answer not in {option.letter for option in options}:
        raise UsageError(f"{where}: answer {answer!r}; expected one of {[option.letter for option in options]}")
    department = _word(DEPARTMENTS, row.get("department", "")).name or "None"
    return Question(
        id=f"{SUITE}-{row['index']}",
        key=f"{SUITE}-{row['index']}",
        split=row.get("split", "").strip() or ("test" if answer is None else "validation"),
        suite=SUITE,
        kind=Kind.SINGLE_CHOICE,
        rule="published",
        source=SUITE,
        modality=_word(MODALITIES, row.get("modality", "")).code,
        area="unspecified",
        task="unspecified",
        subset="",
        clinical_task=_word(CLINICAL_TASKS, row.get("clinical vqa task", "")).name,
        department=department,
        granularity=_word(GRANULARITIES, row.get("perceptual granularity", "")).code,
        question=row["question"].strip(),
        instruction=INSTRUCTION,
        options=options,
        answer=answer,
        letters=(answer,) if answer else (),
        labels=(_label(row.get("category", "")),) if answer and row.get("category", "").strip() else (),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    code: str
    name: str


def _word(vocabulary: Vocabulary, text: str) -> _Found:
    """The term that a cell names; what no vocabulary knows stays as it was printed."""
    try:
        term = vocabulary.find(text.strip())
    except UsageError:
        return _Found(text.strip(), text.strip())
    return _Found(term.code, term.name)


def _label(category: str) -> str:
    """An id for a printed label, which isn't one of ours: its words, else their digest."""
    plain = "-".join("".join(c if c.isalnum() else " " for c in category.lower()).split())
    return f"{SUITE}:{plain or hashlib.sha256(category.encode()).hexdigest()[:16]}"


def _held(row: _Row, reference: str, known: Mapping[str, int], *, where: str) -> _Row:
    if not reference:
        return row
    if reference not in known:
        raise UsageError(f"{where}: image {reference!r}; expected base64, or the index of a row that holds the picture")
    return _Row(row.offset, row.size, known[reference])


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError(str(error), expected="base64", where=where, next="mend or remove the row") from error


def _file(path: Path, name: str, where: str) -> bytes:
    """A picture by its path: as it stands, beside the file, or where VLMEvalKit keeps a set's pictures."""
    for folder in (path.parent, path.parent / "images" / path.stem):
        if name and (folder / name).is_file():
            return (folder / name).read_bytes()
    raise UnreadableError(f"no picture {name!r}", expected="a file beside the TSV or in images/", where=where, next="add it")
