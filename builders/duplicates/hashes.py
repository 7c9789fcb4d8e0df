"""Hashes that stand for a set of pictures: those of the index, or of pictures at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...schema.release import Release
from ...schema.sample import SPLITS
from .descriptor import Window, unpacked_hex, views
from .search import Views
from .thumbnails import Pictures

COLUMNS = ("provenance_pixel_sha256", "provenance_perceptual_hash", "provenance_low_information", "split", "source")
"""What is needed of the index."""
ROWS_AT_ONCE = 1 << 16
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
    windows: Views | None = None
    """Hashes of windows, the whole first; None where they aren't known."""

    def __len__(self) -> int:
        return len(self.pixels)


def of_release(release: Release) -> Hashes:
    """The hashes of every sample in a split, from the index alone."""
    return joined([part for source in release.indexed for part in _parts(release.index_path(source))])


def of_pictures(pictures: Pictures, *, windows: tuple[Window, ...] | None = None) -> Hashes:
    """The hashes of a folder's or release's pictures, with those of windows if any are asked for, made when they are read."""
    words = (encoded(pictures.rows[name].combine_chunks()) for name in ("split", "source"))
    asked = None if windows is None else partial(_views, pictures, windows)
    return Hashes(pictures.digests, pictures.hashes, pictures.blank, *words, windows=asked)


def taken(hashes: Hashes, at: np.ndarray) -> Hashes:
    """Some pictures, in the order of their places."""
    place = pa.array(at)
    arrays = hashes.pixels[at], hashes.hashes[at], hashes.blank[at], hashes.splits.take(place), hashes.sources.take(place)
    return Hashes(*arrays, windows=views_of(hashes.windows, at))


def joined(parts: list[Hashes]) -> Hashes:
    """All pictures of all parts, without windows."""
    empty = np.zeros((0, 32), np.uint8)
    pixels, hashes = (np.concatenate([empty, *(getattr(part, name) for part in parts)]) for name in ("pixels", "hashes"))
    blank = np.concatenate([np.zeros(0, bool), *(part.blank for part in parts)])
    splits, sources = (_one([getattr(part, name) for part in parts]) for name in ("splits", "sources"))
    return Hashes(pixels, hashes, blank, splits, sources)


def views_of(views: Views | None, at: np.ndarray) -> Views | None:
    """The views of some pictures, in the order of their places."""
    return None if views is None else lambda rows: views(at[rows])


def encoded(texts: pa.Array) -> pa.Array:
    """Strings as a dictionary array."""
    return texts if pa.types.is_dictionary(texts.type) else texts.cast(pa.string()).dictionary_encode()


def _parts(path: Path) -> Iterator[Hashes]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(COLUMNS)):
            pixels, hashes, blank, splits, sources = (batch.column(name) for name in COLUMNS)
            standing = np.array([split in SPLITS for split in splits.to_pylist()], bool)
            arrays = (unpacked_hex(pixels.to_pylist()), unpacked_hex(hashes.to_pylist()), blank.to_numpy(zero_copy_only=False))
            yield taken(Hashes(*arrays, encoded(splits), encoded(sources)), np.flatnonzero(standing))


def _one(arrays: list[pa.Array]) -> pa.Array:
    column = pa.chunked_array([pa.array([], _WORDS), *arrays])
    return column.unify_dictionaries().combine_chunks()


def _views(pictures: Pictures, windows: tuple[Window, ...], rows: np.ndarray) -> np.ndarray:
    return views(pictures.thumbnails(rows), windows)
