"""How much of a source a release holds: everything, everything but pixels, or only what a rebuild needs.

A release that was built holds everything. What is published may hold less where pixels or records can't be passed on; then
the source's recipe has an entry `published`:

    mode      annotations: records without pixels, as tars of `<key>.json` under records/<source>/…
              recipe: key, split and pixel hash of every sample, under index/<source>/keys.parquet
    shards    those tars, in the form of the recipe's own shards; empty for `recipe`

The recipe's own `shards`, `index` and `content_sha256` stay those of the whole source: a rebuild proves itself by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

FOLDER = "records"
ENTRY = "published"


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
