"""Conversations from elsewhere, mixed in so that a model keeps its general skills.

A JSON file (a list), JSONL, Parquet, a folder of these, or a dataset repository; forms: see `spoken.py`. Every answer of a
conversation is a row, with all that was said before as its prompt. The whole set is checked when it is opened, but for what
the pictures hold: a missing one, or a placeholder too many, is told then and not in the middle of a run.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from ...schema.errors import DataError, UsageError
from .arguments import General
from .parts import limited
from .spoken import pictures_of, spoken

if TYPE_CHECKING:
    from datasets import Dataset
    from PIL.Image import Image

SUFFIXES = (".json", ".jsonl", ".parquet")
SHOWN = 5
"""Faults that a message names."""
_RECORD = "_record"
"""Column of records that are kept as JSON."""
_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class GeneralRows:
    """Conversations of a general set."""

    general: General
    records: Dataset
    answers: np.ndarray
    """int64, rows × 2: number of the record, and which of its answers."""
    digest: str
    """SHA-256 over the files, or the fingerprint that `datasets` gives a repository's rows."""

    @classmethod
    def open(cls, general: General, *, seed: int) -> GeneralRows:
        """The conversations of a set; under a limit, as many as it says, drawn by the seed.

        Raises:
            UsageError: it can't be read, or some of its records can't be used: all are counted, and some named.
        """
        records, digest = _records(general)
        answers = _answers(general, records)
        return cls(general, records, answers[list(limited(len(answers), general.limit, seed=seed))], digest)

    def __len__(self) -> int:
        return len(self.answers)

    def conversations(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Conversations of some rows, in the order given."""
        return [self._conversation(*self.answers[number].tolist()) for number in numbers]

    def fingerprint(self) -> dict[str, Any]:
        """What the rows follow from."""
        told = asdict(self.general) | {"path": Path(self.general.path).name, "rows": len(self), "sha256": self.digest}
        return {name: value for name, value in told.items() if name != "images"}

    def _conversation(self, record: int, answer: int) -> dict[str, Any]:
        row = _plain(self.records[record])
        pictures = pictures_of(row, self.general.form)
        prompt, completion, named = spoken(row, self.general.form, pictures=len(pictures)).told(answer)
        shown = [_picture(one, self.general) for one in pictures[:named]]
        return {"prompt": prompt, "completion": completion, "images": shown}


def _records(general: General) -> tuple[Dataset, str]:
    """Records of a set and their digest."""
    from datasets import Dataset

    files = _files(Path(general.path))
    if files is None:
        return _of_repository(general)
    digest = hashlib.sha256(b"".join(hashlib.sha256(one.read_bytes()).digest() for one in files)).hexdigest()
    if all(one.suffix == ".parquet" for one in files):
        return Dataset.from_parquet([str(one) for one in files]), digest  # pyright: ignore[reportReturnType]
    lines = [orjson.dumps(one) for file in files for one in _parsed(file)]
    return Dataset(pa.table({_RECORD: pa.array(lines, pa.large_binary())})), digest


def _files(path: Path) -> list[Path] | None:
    """The files of a path, sorted; None where there is nothing."""
    if not path.exists():
        return None
    files = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES) if path.is_dir() else [path]
    kinds = {one.suffix == ".parquet" for one in files}
    if not files or any(one.suffix not in SUFFIXES for one in files) or len(kinds) != 1:
        found = ", ".join(one.name for one in files[:SHOWN]) or "nothing"
        raise UsageError(f"{path}: {found}; expected JSON and JSONL, or Parquet; name the file of a general set")
    return files


def _of_repository(general: General) -> tuple[Dataset, str]:
    from datasets import load_dataset

    try:
        rows: Any = load_dataset(general.path, split=general.split or "train")
    except (OSError, ValueError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{general.path}: {told}; expected a file, a folder, or a dataset repository that loads") from error
    return rows, rows._fingerprint


def _parsed(file: Path) -> list[dict[str, Any]]:
    body = file.read_bytes()
    try:
        found = [orjson.loads(line) for line in body.splitlines() if line] if file.suffix == ".jsonl" else orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{file}: {error}; expected {file.suffix[1:].upper()}") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{file}: {type(found).__name__}; expected a list of records, as LLaVA's files are")
    return found


def _answers(general: General, records: Dataset) -> np.ndarray:
    """Number of the record and of the answer, for every answer of the set."""
    found, faults = [], []
    for number, (record, pictures) in enumerate(_without_pixels(general, records)):
        try:
            missing = next((one for one in pictures if isinstance(one, str) and not _path(one, general).is_file()), None)
            if missing is not None:
                expected = f"a file under {_folder(general)}"
                raise DataError(f"no picture {missing}", expected=expected, code="no-picture", next="name its folder by images")
            found.extend(
                (number, answer) for answer in range(len(spoken(record, general.form, pictures=len(pictures)).answers))
            )
        except DataError as error:
            faults.append(f"record {number}: {error.found}, expected {error.expected}")
    if faults:
        told = "; ".join(faults[:SHOWN])
        raise UsageError(
            f"{general.path}: {len(faults)} of {len(records)} records can't be used; {told}; mend or leave them out"
        )
    if not found:
        raise UsageError(f"{general.path}: no record; expected one or more")
    return np.array(found, np.int64).reshape(-1, 2)


def _without_pixels(general: General, records: Dataset) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Records with their pictures, those that lie in the rows as bytes only counted."""
    column = "image" if general.form == "llava" else "images"
    for batch in records.with_format("arrow").iter(_AT_ONCE):
        texts = batch.drop_columns([column]) if column in batch.column_names else batch
        pictures = _names(batch, column) if column in batch.column_names else None
        for number, row in enumerate(texts.to_pylist()):
            record = _plain(row)
            yield record, pictures_of(record, general.form) if pictures is None else pictures[number]


def _names(batch: pa.Table, column: str) -> list[list[Any]]:
    """Of each row the names of its pictures, or None for each that lies in the row."""
    kind = batch.schema.field(column).type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [[] if one is None else [one] for one in batch[column].to_pylist()]
    if pa.types.is_struct(kind):
        return [[None] if one else [] for one in batch[column].is_valid().to_pylist()]
    if pa.types.is_string(kind.value_type):
        return [one or [] for one in batch[column].to_pylist()]
    import pyarrow.compute as pc

    return [[None] * (number or 0) for number in pc.list_value_length(batch[column]).to_pylist()]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return orjson.loads(row[_RECORD]) if _RECORD in row else row


def _folder(general: General) -> Path:
    path = Path(general.path)
    return Path(general.images) if general.images is not None else path if path.is_dir() else path.parent


def _path(name: str, general: General) -> Path:
    return _folder(general) / name


def _picture(given: Any, general: General) -> Image:
    """A picture in RGB, of whatever stands for it."""
    from PIL import Image

    if isinstance(given, Image.Image):
        return given.convert("RGB")
    if isinstance(given, dict):
        given = io.BytesIO(given["bytes"]) if given.get("bytes") else given["path"]
    try:
        with Image.open(_path(given, general) if isinstance(given, str) else given) as opened:
            return opened.convert("RGB")
    except OSError as error:
        raise UsageError(f"{general.path}: picture {given}: {error}; expected a picture that Pillow reads") from error
