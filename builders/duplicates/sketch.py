"""A hash sketch of a set of pictures: enough to tell what of it another set holds, without a pixel or a name.

A Parquet file with a row per picture in the order of the pixel digests, so that the order tells nothing; `row` is all that
a match can name. Its header (JSON under `medloom` in the file's metadata) says of what it is, by which rules it was made, and
the digest of its content. It isn't anonymous: whoever holds a picture learns from it whether that picture is in the set.

A sketch may hold the hashes of windows too, in one more column. Then pictures that were cut from the sketched ones are met.
They are written and read in blocks and asked for from a file, so that they take no memory of note.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ... import __version__
from ...schema.errors import UsageError
from ...schema.release import Release
from .descriptor import CROP_WINDOWS, HASH_BITS, HASH_BYTES, HASH_ONLY_BITS, WINDOWS_VERSION
from .hashes import Hashes, encoded, joined, taken
from .search import Views

FORMAT = "medloom-sketch-1"
ALGORITHM = (
    "pixel_sha256: SHA-256 over height, width and channels (8 bytes each, big-endian) and the decoded uint8 pixels; "
    f"hash: {HASH_BITS} bits of the DCT of the grey thumbnail, 64 by 64, as medloom.schema.pixels has it"
)
WINDOWS_HEADER = {
    "version": WINDOWS_VERSION,
    "hashes": f"{HASH_BYTES} bytes per window, as hash, of the thumbnail's part within it, linearly interpolated",
    "cut": [[list(axis) for axis in window] for window in CROP_WINDOWS[1:]],
}
"""What the header says of the column `windows`: of each what is cut off, shares of the width (left, right) and height."""
DIGEST_BYTES = 32
ROWS_PER_GROUP = 1 << 16
SKETCH = pa.schema(
    [
        ("row", pa.int64()),
        ("pixel_sha256", pa.binary(DIGEST_BYTES)),
        ("hash", pa.binary(HASH_BYTES)),
        ("low_information", pa.bool_()),
        ("split", pa.string()),
        ("source", pa.string()),
    ]
)
WINDOW_BYTES = HASH_BYTES * (len(CROP_WINDOWS) - 1)
SKETCH_WITH_WINDOWS = SKETCH.append(pa.field("windows", pa.binary(WINDOW_BYTES)))
_KEY = b"medloom"
_BLOCK = 1 << 14
"""Pictures whose windows are worked on at once."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A sketch as read: its header, and its rows."""

    header: dict[str, Any]
    hashes: Hashes
    rows: np.ndarray
    """N int64: the row in the file."""

    def of_split(self, split: str | None) -> Sketch:
        """The rows of one split; all where it is None.

        Raises:
            UsageError: no row is of that split.
        """
        if split is None:
            return self
        at = np.flatnonzero(np.array([one == split for one in self.hashes.splits.to_pylist()], bool))
        if not len(at):
            known = sorted({str(one) for one in self.hashes.splits.unique().to_pylist() if one is not None})
            raise UsageError(f"split {split!r}; expected one of {', '.join(known) or 'none: the sketch has no splits'}")
        return Sketch(self.header, taken(self.hashes, at), self.rows[at])


def write(path: Path, hashes: Hashes, *, of: dict[str, Any]) -> dict[str, Any]:
    """Write the sketch, whole or not at all; its header. `of` says what it is of, as plain data without paths.

    It holds windows where the hashes have them: those of `CROP_WINDOWS`.
    """
    words = np.ascontiguousarray(hashes.pixels).view(">u8").reshape(-1, DIGEST_BYTES // 8)
    ordered = taken(hashes, np.lexsort((_codes(hashes.sources), _codes(hashes.splits), *words.T[::-1])))
    if hashes.windows is not None:
        ordered = replace(ordered, windows=_spooled(ordered))
    header = _header(ordered, of=of)
    columns = SKETCH if hashes.windows is None else SKETCH_WITH_WINDOWS
    schema = columns.with_metadata({_KEY: json.dumps(header, sort_keys=True)})
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=False) as writer:
        for first in range(0, len(hashes), ROWS_PER_GROUP):
            writer.write_table(_table(ordered, np.arange(first, min(first + ROWS_PER_GROUP, len(hashes))), schema))
    temporary.replace(path)
    return header


def read(path: Path) -> Sketch:
    """A sketch whose content is what its header says.

    Raises:
        UsageError: no sketch, one of another format, one whose windows are of another version, or a damaged one.
    """
    try:
        with pq.ParquetFile(path) as file, tempfile.TemporaryFile() as spool:
            header = json.loads((file.schema_arrow.metadata or {}).get(_KEY, b"{}"))
            _accept(path, header, file.schema_arrow)
            hashes = joined([_read_part(batch, spool) for batch in file.iter_batches(_BLOCK)])
            if "windows" in header:
                hashes = replace(hashes, windows=_stored(hashes.hashes, spool))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UsageError(f"{path}: {error}; expected a sketch of {FORMAT}; `medloom sketch` makes one") from error
    if len(hashes) != header.get("count") or _content(hashes) != header.get("content_sha256"):
        raise UsageError(f"{path}: its rows aren't those of its header; expected them whole; get the file again")
    return Sketch(header, hashes, np.arange(len(hashes)))


def of_what(release: Release) -> dict[str, Any]:
    """What a sketch of a release says it is of: its sources, with the digests of their content."""
    recipes = release.recipes()
    return {"kind": "release", "sources": {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in recipes}}


def binaries(rows: np.ndarray) -> pa.Array:
    """N×32 uint8 as an Arrow array of 32 bytes each."""
    buffer = pa.py_buffer(np.ascontiguousarray(rows, np.uint8).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(rows.shape[1]), len(rows), [None, buffer])


def _header(hashes: Hashes, *, of: dict[str, Any]) -> dict[str, Any]:
    windows = {} if hashes.windows is None else {"windows": WINDOWS_HEADER}
    return {
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "thresholds": {"near_bits": HASH_ONLY_BITS},
        "count": len(hashes),
        "low_information": int(hashes.blank.sum()),
        "content_sha256": _content(hashes),
        "of": of,
        "medloom": __version__,
    } | windows


def _content(hashes: Hashes) -> str:
    digest = hashlib.sha256()
    for part in (hashes.pixels, hashes.hashes, hashes.blank):
        digest.update(np.ascontiguousarray(part).tobytes())
    for block in _blocks(hashes):
        digest.update(block.data)
    return digest.hexdigest()


def _blocks(hashes: Hashes) -> Iterator[np.ndarray]:
    """n×(W-1)×32 uint8 of the windows but the whole, in order; nothing where there are none."""
    if hashes.windows is not None:
        for first in range(0, len(hashes), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(hashes)))
            yield np.ascontiguousarray(hashes.windows(rows)[:, 1:]).reshape(len(rows), len(CROP_WINDOWS) - 1, HASH_BYTES)


def _accept(path: Path, header: dict[str, Any], columns: pa.Schema) -> None:
    """Nothing, where the header and the columns are those of a sketch that can be read here."""
    found = header.get("windows")
    if header.get("format") == FORMAT and found is not None and found != WINDOWS_HEADER:
        version = found.get("version") if isinstance(found, dict) else found
        raise UsageError(
            f"{path}: the hashes of its windows are of {version!r}; expected those of {WINDOWS_VERSION}; ask for a sketch made "
            "by this version of medloom, or for one without --crops"
        )
    schema = SKETCH if found is None else SKETCH_WITH_WINDOWS
    if header.get("format") != FORMAT or not columns.equals(schema):
        raise ValueError(f"its header says {header.get('format')!r}, its columns are {columns.names}")


def _read_part(batch: pa.RecordBatch, spool: IO[bytes]) -> Hashes:
    """A batch, the windows of which go to the spool."""
    if "windows" in batch.schema.names:
        spool.write(_bytes(batch["windows"]))
    pixels, hashes = (np.frombuffer(_bytes(batch[name]), np.uint8) for name in ("pixel_sha256", "hash"))
    blank = batch["low_information"].to_numpy(zero_copy_only=False).astype(bool)
    words = encoded(batch["split"]), encoded(batch["source"])
    return Hashes(pixels.reshape(-1, DIGEST_BYTES), hashes.reshape(-1, HASH_BYTES), blank, *words)


def _bytes(column: pa.Array) -> bytes:
    if column.null_count:
        raise ValueError(f"{column.null_count} rows lack a hash")
    return b"".join(column.to_pylist())


def _spooled(hashes: Hashes) -> Views:
    """The windows made once, block by block, and asked for from a file."""
    with tempfile.TemporaryFile() as spool:
        for block in _blocks(hashes):
            spool.write(block.data)
        return _stored(hashes.hashes, spool)


def _stored(hashes: np.ndarray, spool: IO[bytes]) -> Views:
    """Windows as the spool has them, mapped from it, which outlives its closing; before each the whole."""
    spool.flush()
    shape = (len(hashes), len(CROP_WINDOWS) - 1, HASH_BYTES)
    store = np.memmap(spool, np.uint8, "r", shape=shape) if len(hashes) else np.zeros(shape, np.uint8)
    return lambda rows: np.concatenate([hashes[rows][:, None], store[rows]], axis=1)


def _codes(texts: pa.Array) -> np.ndarray:
    """Numbers that order as the texts do, null first."""
    words = texts.to_pylist()
    order = {word: place for place, word in enumerate(sorted({word for word in words if word is not None}))}
    return np.array([order.get(word, -1) for word in words], np.int64)


def _table(hashes: Hashes, rows: np.ndarray, schema: pa.Schema) -> pa.Table:
    some = taken(hashes, rows)
    words = (words.cast(pa.string()) for words in (some.splits, some.sources))
    columns = [rows, binaries(some.pixels), binaries(some.hashes), some.blank, *words]
    if hashes.windows is not None:
        parts = [binaries(block.reshape(-1, WINDOW_BYTES)) for block in _blocks(some)]
        columns.append(pa.chunked_array(parts, pa.binary(WINDOW_BYTES)))
    return pa.table(columns, schema=schema)
