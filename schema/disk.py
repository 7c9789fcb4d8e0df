"""Files on disk: under their names whole or not at all, and one writer at a time."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa


def read_json(path: Path) -> Any:
    """The JSON of a file, None where there is none or a machine that went down left no JSON in it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_json(path: Path, value: Any) -> None:
    """The value as indented JSON under its name, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A raw name that is no UTF-8 holds lone surrogates; backslashed, they are JSON's own escapes.
    write_text(path, [json.dumps(value, indent=2, ensure_ascii=False) + "\n"])


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Pieces of text as UTF-8 under a name, its line ends kept, whole or not at all; lone surrogates are backslashed."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.writelines(pieces)
    temporary.replace(path)


def write_parquet(path: Path, table: pa.Table) -> None:
    """A table under its name, whole or not at all."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(path)


@contextmanager
def alone(lock: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock, whose file stays behind, against all other processes and threads.

    Raises:
        UsageError: somebody else holds it; `busy` says what is going on.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"{busy}; expected one at a time; wait or end it") from error
        yield
