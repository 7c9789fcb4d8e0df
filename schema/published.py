"""How much of a source a release holds: everything, everything but pixels, or only what a rebuild needs.

A release that was built holds everything. What is published may hold less where pixels or records can't be passed on; then
the source's recipe has an entry `published`:

    mode      annotations: records without pixels, as tars of `<key>.json` under records/<source>/…
              recipe: key, split and pixel hash of every sample, under index/<source>/keys.parquet
    shards    those tars, in the form of the recipe's own shards; empty for `recipe`
    keys      SHA-256 of keys.parquet; only for `recipe`

Records lie in their tar in the order of the shard, without questions that the shard holds beside them.

The recipe's own `shards`, `index` and `content_sha256` stay those of the whole source: a rebuild proves itself by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from tarfile import ReadError
from typing import TYPE_CHECKING, Any

from .shard import members

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "records"
ENTRY = "published"
KEYS = {
    "key": "key",
    "split": "split",
    "pixel_sha256": "provenance_pixel_sha256",
    "perceptual_hash": "provenance_perceptual_hash",
}
"""Column of keys.parquet → column of the index that it repeats; all are strings."""


class Mode(StrEnum):
    """How much is published."""

    FULL = "full"
    ANNOTATIONS = "annotations"
    RECIPE = "recipe"


def mode_of(recipe: Mapping[str, Any]) -> Mode:
    """How much of the recipe's source its release holds."""
    return Mode(recipe[ENTRY]["mode"]) if ENTRY in recipe else Mode.FULL


def shards_of(recipe: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tars that the release really holds."""
    return recipe[ENTRY]["shards"] if ENTRY in recipe else recipe["shards"]


def records_path(shard: str) -> str:
    """Where the records of a shard lie when its pixels are withheld: `data/a/b.tar` → `records/a/b.tar`."""
    return f"{FOLDER}/{shard.split('/', 1)[1]}"


def keys_path(source: str) -> str:
    """Where a source's keys lie when nothing else of it is published."""
    return f"index/{source}/keys.parquet"


def keys_table(samples: pa.Table) -> pa.Table:
    """The keys of a source's index rows, in order of key; excluded samples have the split `excluded`."""
    named = samples.select(list(KEYS.values())).rename_columns(list(KEYS))
    return named.sort_by("key").combine_chunks()


def records(path: Path) -> Iterator[tuple[str, bytes]]:
    """Key and record of each sample in a tar of records.

    Raises:
        tarfile.ReadError: it isn't a whole tar of `<key>.json` members.
    """
    for member, body in members(path):
        if not member.name.endswith(".json") or member.name.count(".") != 1:
            raise ReadError(f"{path.name}: member {member.name}; expected <key>.json and nothing else")
        yield member.name.removesuffix(".json"), body
