"""The rows that a choice of keys means: the plan of a cut, from the index of a release alone.

A row costs a few dozen bytes, whatever its sample weighs; the index itself is read a few row groups at a time.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..schema.errors import ReleaseError, UsageError
from ..schema.release import Release
from ..schema.sample import SPLITS

Chosen = pa.Table | Iterable[pa.Table | pa.RecordBatch]
"""Rows with a column `key`, and `split` where samples get one."""
ROWS_AT_ONCE = 1 << 18
SHOWN = 3
_PLACE = ["shard", "image_offset", "image_size", "json_offset", "json_size"]
_SIDES = ["collection", "group", "provenance_pixel_sha256", "provenance_low_information"]
_PIXEL_DIGITS = 16
_CODED = pa.dictionary(pa.int32(), pa.string())


def choice_of(chosen: Chosen) -> pa.Table:
    """The choice with the columns it needs, in key order.

    Raises:
        UsageError: nothing is chosen, a key comes twice, or a split isn't one of three.
    """
    tables = [_lean(batch) for batch in ([chosen] if isinstance(chosen, pa.Table) else chosen)]
    if not any(map(len, tables)):
        raise UsageError("no sample is chosen; expected at least one; widen the selection")
    if len({tuple(table.column_names) for table in tables}) > 1:
        raise UsageError("some batches of the choice have a column `split`, some don't; expected it in all or in none")
    choice = pa.concat_tables(tables).unify_dictionaries().sort_by("key").combine_chunks()
    keys = choice["key"].combine_chunks()
    twice = keys.slice(1).filter(pc.equal(keys.slice(1), keys.slice(0, len(keys) - 1)))
    _refuse(twice.unique(), "chosen twice", "each key once")
    if "split" in choice.column_names:
        strange = pc.unique(choice["split"].cast(pa.string())).to_pylist()
        _refuse([split for split in strange if split not in SPLITS], "given as a split", f"one of {SPLITS}")
    return choice


def find(release: Release, choice: pa.Table) -> dict[str, pa.Table]:
    """Source → its chosen rows in key order; sources without any are absent.

    Columns: key, shard, the four byte numbers, subsets (joined by +), was (its split) and split (the one it gets).

    Raises:
        UsageError: a key isn't in the release, or has no picture there; or a group or picture would stand in two splits.
        ReleaseError: the index can't be read.
    """
    found = np.zeros(len(choice), bool)
    sides: list[pa.Table] = []
    rows = {}
    for source in release.indexed:
        tables = list(_matched(release, source, choice, found=found, sides=sides))
        if tables:
            rows[source] = pa.concat_tables(tables).unify_dictionaries().sort_by("key").combine_chunks()
    _refuse(choice["key"].filter(pa.array(~found)), "not in the release", "keys of its index")
    if sum(map(len, rows.values())) != len(choice):
        raise ReleaseError(f"{release.root}: a key stands in two index rows; expected one; `medloom check` names it")
    _refuse_crossing(sides)
    return rows


def told(rows: pa.Table) -> dict[str, Any]:
    """How many rows, how many with another split than they had, and SHA-256 over the lines `key split` in key order."""
    digest = hashlib.sha256()
    for batch in rows.select(["key", "split"]).to_batches(1 << 14):
        pairs = zip(batch["key"].to_pylist(), batch["split"].to_pylist(), strict=True)
        digest.update("".join(f"{key} {split}\n" for key, split in pairs).encode())
    was, split = rows["was"].cast(pa.string()), rows["split"].cast(pa.string())
    return {"samples": len(rows), "moved": pc.sum(pc.not_equal(was, split)).as_py(), "sha256": digest.hexdigest()}


def _lean(batch: pa.Table | pa.RecordBatch) -> pa.Table:
    table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
    if "key" not in table.column_names:
        raise UsageError(f"a choice with the columns {table.column_names}; expected `key`, and `split` where it changes")
    columns = {"key": table["key"].cast(pa.string())}
    if columns["key"].null_count:
        raise UsageError("a choice with a row without key; expected a key in every row")
    if "split" in table.column_names:
        columns["split"] = table["split"].cast(pa.string()).dictionary_encode(null_encoding="encode")
    return pa.table(columns)


def _matched(
    release: Release, source: str, choice: pa.Table, *, found: np.ndarray, sides: list[pa.Table]
) -> Iterator[pa.Table]:
    """Chosen rows of a source in the order of its index; marks in `found` which of the choice they are."""
    keys = choice["key"].combine_chunks()
    names = ["key", "split", "subsets", "exclusion", *_PLACE, *(_SIDES if "split" in choice.column_names else ())]
    for groups, file in _row_groups(release, source, names):
        at = pc.index_in(file.read_row_groups(groups, columns=["key"])["key"], value_set=keys).combine_chunks()
        if at.null_count == len(at):
            continue
        some, at = file.read_row_groups(groups, columns=names).filter(at.is_valid()), at.drop_null()
        found[at.to_numpy()] = True
        out = some.filter(pc.is_null(some["shard"]))
        reasons = (f"{row['key']} ({row['exclusion']})" for row in out.slice(0, SHOWN).to_pylist())
        _refuse(list(reasons), "excluded in the release, without a picture", "samples of a split", count=len(out))
        split = choice["split"].take(at) if "split" in choice.column_names else some["split"]
        if "split" in choice.column_names:
            sides.append(_sides(some, split))
        columns = {name: some[name] for name in ("key", *_PLACE)} | {"was": some["split"], "split": split}
        subsets = pc.binary_join(some["subsets"], "+")
        coded = {name: columns[name].cast(_CODED) for name in ("shard", "was", "split")}
        yield pa.table(columns | coded | {"subsets": subsets.dictionary_encode()})


def _row_groups(release: Release, source: str, names: list[str]) -> Iterator[tuple[list[int], pq.ParquetFile]]:
    """Runs of row groups of the source's index that are read at once, and the file."""
    path = release.index_path(source)
    try:
        with pq.ParquetFile(path, read_dictionary=["shard", "split"]) as file:
            missing = set(names) - set(file.schema_arrow.names)
            if missing:
                raise ReleaseError(f"{path}: no columns {sorted(missing)}; expected those of schema/index.py; rebuild {source}")
            groups: list[int] = []
            rows = 0
            for group in range(file.num_row_groups):
                groups.append(group)
                rows += file.metadata.row_group(group).num_rows
                if rows >= ROWS_AT_ONCE or group == file.num_row_groups - 1:
                    yield groups, file
                    groups, rows = [], 0
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"{path}: {error}; expected the source's index; rebuild {source}") from error


def _sides(some: pa.Table, split: pa.ChunkedArray) -> pa.Table:
    """Distinct pairs of something that one split must hold, and the split: groups, and pictures with something to see."""
    seen = pc.invert(some["provenance_low_information"])
    pixels = pc.utf8_slice_codeunits(some["provenance_pixel_sha256"], 0, _PIXEL_DIGITS)
    split = split.cast(pa.string())
    group = pc.binary_join_element_wise("group", some["collection"], some["group"], " ")
    pixel = pc.binary_join_element_wise("picture", some["collection"], pixels, " ")
    both = pa.table({"side": group, "split": split}), pa.table({"side": pixel, "split": split}).filter(seen)
    return pa.concat_tables(both).group_by(["side", "split"]).aggregate([])


def _refuse_crossing(sides: list[pa.Table]) -> None:
    if not sides:
        return
    counts = pa.concat_tables(sides).group_by("side").aggregate([("split", "count_distinct")])
    crossing = counts.filter(pc.greater(counts["split_count_distinct"], 1))["side"].sort()
    _refuse(crossing, "in two splits of the choice", "every group and every picture on one side")


def _refuse(words: Any, found: str, expected: str, *, count: int | None = None) -> None:
    """Raise with the first few words, where there are any."""
    count = len(words) if count is None else count
    if count:
        first = ", ".join(str(word) for word in list(words[:SHOWN])) + (", …" if count > SHOWN else "")
        raise UsageError(f"{count} {found}: {first}; expected {expected}")
