"""Samples whose pixels are withheld: the index names the shards they were built into, and the release holds tars of records."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .errors import ReleaseError
from .published import Mode, mode_of, records_path
from .release import Release


def with_records(release: Release, rows: pa.Table) -> pa.Table:
    """Rows of the index, those of withheld pixels with the place of their record in its tar and none of an image.

    Raises:
        ReleaseError: a record that the index names isn't there.
    """
    withheld = [recipe["facts"]["name"] for recipe in release.recipes() if mode_of(recipe) is Mode.ANNOTATIONS]
    concerned = rows.filter(pc.is_in(rows["source"], pa.array(withheld, pa.string()))) if withheld else rows.slice(0, 0)
    if not len(concerned):
        return rows
    shards = concerned["shard"].unique().to_pylist()
    release.fetch([records_path(shard) for shard in shards])
    known = {shard: _records(release.root / records_path(shard)) for shard in shards}
    return pa.Table.from_pylist([_placed(row, known) for row in rows.to_pylist()], schema=rows.schema)


def index_shard(path: str) -> str:
    """The shard that the index names for a tar that the release holds: that of pixels, also where only its records are."""
    return f"data/{path.split('/', 1)[1]}"


def _placed(row: dict[str, Any], known: dict[str, dict[str, tuple[int, int]]]) -> dict[str, Any]:
    if row["shard"] not in known:
        return row
    shard, records = records_path(row["shard"]), known[row["shard"]]
    if row["key"] not in records:
        raise ReleaseError(f"{shard}: no record of {row['key']}; expected one for each row of the index; see `medloom check`")
    offset, size = records[row["key"]]
    return row | {"shard": shard, "image_offset": None, "image_size": None, "json_offset": offset, "json_size": size}


def _records(path: Path) -> dict[str, tuple[int, int]]:
    """Offset and size of every record in a tar, by key."""
    try:
        with tarfile.open(path, "r:") as tar:
            return {member.name.removesuffix(".json"): (member.offset_data, member.size) for member in tar}
    except (OSError, tarfile.TarError) as error:
        raise ReleaseError(f"{path}: {error}; expected a tar of records; see `medloom check`") from error
