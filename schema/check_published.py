"""Sources of which a release holds less than everything: their tars of records, or the table of their keys."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import file_digest
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .errors import Issue
from .published import ENTRY, KEYS, Mode, keys_path, mode_of, records_path
from .release import Release
from .sample import SPLITS

STAGE = "publish it again from the whole release"


def faults_of(release: Release, recipe: dict[str, Any]) -> Iterator[Issue]:
    """Where what is published of a source isn't what its recipe says; nothing where all of it is there."""
    if ENTRY not in recipe:
        return
    where = f"recipes/{recipe['facts']['name']}.json {ENTRY}"
    try:
        mode, told = mode_of(recipe), [_told(shard) for shard in recipe[ENTRY]["shards"]]
    except (KeyError, TypeError, ValueError) as error:
        yield Issue("bad-recipe", where, f"{error!r}", "a mode and its shards, as schema/published.py states", STAGE)
        return
    records = [{**_told(shard), "path": records_path(shard["path"])} for shard in recipe["shards"]]
    if told != (records if mode is Mode.ANNOTATIONS else []):
        yield Issue("bad-recipe", where, "other tars of records", f"those of the mode {mode}, shard by shard", STAGE)
    if mode is Mode.RECIPE:
        yield from _key_faults(release, recipe)


def _told(shard: dict[str, Any]) -> dict[str, Any]:
    return {name: shard[name] for name in ("path", "split", "subsets", "samples")}


def _key_faults(release: Release, recipe: dict[str, Any]) -> Iterator[Issue]:
    where = keys_path(recipe["facts"]["name"])
    path = release.root / where
    try:
        with path.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        keys = pq.read_table(path)
        if keys.schema.names != list(KEYS):
            raise pa.ArrowInvalid("other columns than schema/published.py states")
    except (OSError, pa.ArrowException) as error:
        yield Issue("bad-index", where, f"{error}"[:200], "the keys of the source", STAGE)
        return
    if digest != recipe[ENTRY].get("keys"):
        expected = f"{str(recipe[ENTRY].get('keys'))[:16]}… as the recipe says"
        yield Issue("digest-differs", where, f"SHA-256 {digest[:16]}…", expected, STAGE)
    yield from _row_faults(recipe, keys.to_pylist(), where)


def _row_faults(recipe: dict[str, Any], rows: list[dict[str, str]], where: str) -> Iterator[Issue]:
    """Keys in order and once, as many in each split as the recipe says, and no picture in two splits."""
    keys = [row["key"] for row in rows]
    if keys != sorted(set(keys)):
        yield Issue("key-order", where, "keys out of order or repeated", "keys in rising order", STAGE)
    counts = {split: sum(row["split"] == split for row in rows) for split in SPLITS}
    wanted = {split: recipe["splits"].get(split, 0) for split in SPLITS}
    if counts != wanted:
        yield Issue("count-differs", where, f"{counts}", f"{wanted} as the recipe says", STAGE)
