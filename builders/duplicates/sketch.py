"""A hash sketch of a set of pictures: enough to tell what of it another set holds, without a pixel or a name.

A Parquet file with a row per picture in the order of the pixel digests, so that the order tells nothing; `row` is all that
a match can name. Its header (JSON under `medloom` in the file's metadata) says of what it is, by which rules it was made, and
the digest of its content. It isn't anonymous: whoever holds a picture learns from it whether that picture is in the set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ... import __version__
from ...schema.errors import UsageError
from ...schema.release import Release
from ...schema.sample import SPLITS
from .descriptor import HASH_BITS, HASH_BYTES, HASH_ONLY_BITS
from .thumbnails import Pictures

FORMAT = "medloom-sketch-1"
ALGORITHM = (
    "pixel_sha256: SHA-256 over height, width and channels (8 bytes each, big-endian) and the decoded uint8 pixels; "
    f"hash: {HASH_BITS} bits of the DCT of the grey thumbnail, 64 by 64, as medloom.schema.pixels has it"
)
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
COLUMNS = ("provenance_pixel_sha256", "provenance_perceptual_hash", "provenance_low_information", "split", "source")
"""What is needed of the index."""
_KEY = b"medloom"
_WORDS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class Hashes:
    """What a sketch is made of, for N pictures."""

    pixels: np.ndarray
    """N×32 uint8: SHA-256 of the pixels."""
    hashes: np.ndarray
    """N×32 uint8: perceptual hashes."""
    blank: np.ndarray
    """N bool: pictures with nothing to see, which are never near anything."""
    splits: pa.Array
    """N strings or nulls."""
    sources: pa.Array
    """N strings or nulls."""

    def __len__(self) -> int:
        return len(self.pixels)


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


def of_release(release: Release) -> Hashes:
    """The hashes of every sample in a split, from the index alone."""
    parts = [part for source in release.sources for part in _parts(release.index_path(source))]
    return _joined(parts)


def of_pictures(pictures: Pictures) -> Hashes:
    """The hashes of a folder's pictures; they have no split and no source."""
    words = (_encoded(pictures.rows[name].combine_chunks()) for name in ("split", "source"))
    return Hashes(pictures.digests, pictures.hashes, pictures.blank, *words)


def write(path: Path, hashes: Hashes, *, of: dict[str, Any]) -> dict[str, Any]:
    """Write the sketch, whole or not at all; its header. `of` says what it is of, as plain data without paths."""
    words = np.ascontiguousarray(hashes.pixels).view(">u8").reshape(-1, DIGEST_BYTES // 8)
    order = np.lexsort((_codes(hashes.sources), _codes(hashes.splits), *words.T[::-1]))
    ordered = taken(hashes, order)
    header = {
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "thresholds": {"near_bits": HASH_ONLY_BITS},
        "count": len(hashes),
        "low_information": int(hashes.blank.sum()),
        "content_sha256": _content(ordered),
        "of": of,
        "medloom": __version__,
    }
    schema = SKETCH.with_metadata({_KEY: json.dumps(header, sort_keys=True)})
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=False) as writer:
        for first in range(0, len(hashes), ROWS_PER_GROUP):
            writer.write_table(_table(ordered, first, min(first + ROWS_PER_GROUP, len(hashes)), schema))
    temporary.replace(path)
    return header


def read(path: Path) -> Sketch:
    """A sketch whose content is what its header says.

    Raises:
        UsageError: no sketch, one of another format, or a damaged one.
    """
    try:
        with pq.ParquetFile(path) as file:
            header = json.loads((file.schema_arrow.metadata or {}).get(_KEY, b"{}"))
            if header.get("format") != FORMAT or not file.schema_arrow.equals(SKETCH):
                raise ValueError(f"its header says {header.get('format')!r}, its columns are {file.schema_arrow.names}")
            tables = list(file.iter_batches(ROWS_PER_GROUP))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UsageError(f"{path}: {error}; expected a sketch of {FORMAT}; `medloom sketch` makes one") from error
    hashes = _joined([_read_part(batch) for batch in tables])
    if len(hashes) != header.get("count") or _content(hashes) != header.get("content_sha256"):
        raise UsageError(f"{path}: its rows aren't those of its header; expected them whole; get the file again")
    return Sketch(header, hashes, np.arange(len(hashes)))


def of_what(release: Release) -> dict[str, Any]:
    """What a sketch of a release says it is of: its sources, with the digests of their content."""
    recipes = release.recipes()
    return {"kind": "release", "sources": {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in recipes}}


def taken(hashes: Hashes, at: np.ndarray) -> Hashes:
    """Some pictures, in the order of their places."""
    place = pa.array(at)
    return Hashes(hashes.pixels[at], hashes.hashes[at], hashes.blank[at], hashes.splits.take(place), hashes.sources.take(place))


def digests(texts: list[str]) -> np.ndarray:
    """N×32 uint8 of 64 hex digits each."""
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, DIGEST_BYTES)


def binaries(rows: np.ndarray) -> pa.Array:
    """N×32 uint8 as an Arrow array of 32 bytes each."""
    buffer = pa.py_buffer(np.ascontiguousarray(rows, np.uint8).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(rows.shape[1]), len(rows), [None, buffer])


def _content(hashes: Hashes) -> str:
    digest = hashlib.sha256()
    for part in (hashes.pixels, hashes.hashes, hashes.blank):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _parts(path: Path) -> Iterator[Hashes]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_PER_GROUP, columns=list(COLUMNS)):
            pixels, hashes, blank, splits, sources = (batch.column(name) for name in COLUMNS)
            standing = np.array([split in SPLITS for split in splits.to_pylist()], bool)
            arrays = digests(pixels.to_pylist()), digests(hashes.to_pylist()), blank.to_numpy(zero_copy_only=False)
            yield taken(Hashes(*arrays, _encoded(splits), _encoded(sources)), np.flatnonzero(standing))


def _read_part(batch: pa.RecordBatch) -> Hashes:
    pixels, hashes = (np.frombuffer(b"".join(batch[name].to_pylist()), np.uint8) for name in ("pixel_sha256", "hash"))
    blank = batch["low_information"].to_numpy(zero_copy_only=False)
    words = _encoded(batch["split"]), _encoded(batch["source"])
    return Hashes(pixels.reshape(-1, DIGEST_BYTES), hashes.reshape(-1, HASH_BYTES), blank, *words)


def _joined(parts: list[Hashes]) -> Hashes:
    empty = np.zeros((0, DIGEST_BYTES), np.uint8)
    pixels, hashes = (np.concatenate([empty, *(getattr(part, name) for part in parts)]) for name in ("pixels", "hashes"))
    blank = np.concatenate([np.zeros(0, bool), *(part.blank for part in parts)])
    splits, sources = (_one([getattr(part, name) for part in parts]) for name in ("splits", "sources"))
    return Hashes(pixels, hashes, blank, splits, sources)


def _one(arrays: list[pa.Array]) -> pa.Array:
    column = pa.chunked_array([pa.array([], _WORDS), *arrays])
    return column.unify_dictionaries().combine_chunks()


def _encoded(texts: pa.Array) -> pa.Array:
    return texts if pa.types.is_dictionary(texts.type) else texts.cast(pa.string()).dictionary_encode()


def _codes(texts: pa.Array) -> np.ndarray:
    """Numbers that order as the texts do, null first."""
    words = texts.to_pylist()
    order = {word: place for place, word in enumerate(sorted({word for word in words if word is not None}))}
    return np.array([order.get(word, -1) for word in words], np.int64)


def _table(hashes: Hashes, first: int, last: int, schema: pa.Schema) -> pa.Table:
    some = slice(first, last)
    pixels, near = (binaries(rows[some]) for rows in (hashes.pixels, hashes.hashes))
    words = (words.slice(first, last - first).cast(pa.string()) for words in (hashes.splits, hashes.sources))
    return pa.table([np.arange(first, last), pixels, near, hashes.blank[some], *words], schema=schema)
