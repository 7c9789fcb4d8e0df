"""A source without some samples: the shards that held them, its index and its recipe; every other member keeps its bytes."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema import index
from ...schema.disk import write_json
from ...schema.embedded import EMBEDDED
from ...schema.errors import ReleaseError
from ...schema.shard import QUESTIONS, members
from ...schema.withdrawn import emptied
from ..deidentify import file_sha256
from ..pieces import PARQUET
from ..recipe import recipe_without
from ..shards import ShardWriter
from .journal import RELEASE, Journal
from .meant import Meant

PLACE = ("image_offset", "image_size", "json_offset", "json_size")
Tell = Callable[[str, int], None]
"""Called with a shard that was written and the samples in it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one source."""

    recipe: dict[str, Any]
    removed: tuple[str, ...]
    """Shards that became empty."""
    asked: Mapping[str, tuple[int, ...]]
    """Shard → places, counted from 0, that withdrawn samples had among its samples."""


@dataclass(frozen=True, slots=True)
class _Rewritten:
    shard: dict[str, Any] | None
    """As the recipe lists it; None where nothing is left."""
    rows: list[dict[str, Any]]
    """Key and place of each sample that stays."""
    places: tuple[int, ...]
    questions: int
    """Embedded questions that went."""


def without(journal: Journal, source: str, found: Meant, *, tell: Tell) -> Left:
    """Stage the source without what is withdrawn."""
    recipe = journal.release.recipe(source)
    assert recipe is not None
    leaving = found.shards(source)
    written = {one["path"]: _rewritten(journal, one, leaving, tell) for one in recipe["shards"] if one["path"] in leaving}
    if missing := sorted(leaving.keys() - written.keys()):
        raise ReleaseError(f"{missing[0]}: the index names it, the recipe doesn't; expected both; rebuild {source}")
    kept = [written[one["path"]].shard if one["path"] in written else one for one in recipe["shards"]]
    shards = [one for one in kept if one is not None]
    places = [row for one in written.values() for row in one.rows]
    digests = _index(journal, source, found.keys, places)
    made = recipe_without(recipe, shards=shards, index=digests, rows=[row for row in found.rows if row["source"] == source])
    if EMBEDDED in made:
        gone = sum(one.questions for one in written.values())
        made = made | {EMBEDDED: made[EMBEDDED] | {"questions": made[EMBEDDED]["questions"] - gone}}
    write_json(journal.staged.recipe_path(source), made)
    removed = tuple(path for path, one in written.items() if one.shard is None)
    return Left(made, removed, {path: one.places for path, one in written.items()})


def _rewritten(journal: Journal, shard: dict[str, Any], leaving: Mapping[str, frozenset[str]], tell: Tell) -> _Rewritten:
    """Copy the samples of a shard that stay."""
    path, gone = shard["path"], leaving[shard["path"]]
    target = journal.staged.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    rows, places, lost = [], [], 0
    with ShardWriter(target, target.with_name(f".{target.name}.tmp")) as writer:
        for number, (key, image, record, asked) in enumerate(_samples(journal.release.root / path)):
            if key in gone:
                places.append(number)
                lost += len(orjson.loads(asked)) if asked else 0
            else:
                rows.append({"key": key, **asdict(writer.add(key, image, record, questions=asked))})
        facts = writer.finish()
    if len(places) != len(gone):
        raise ReleaseError(f"{path}: {len(places)} of {len(gone)} samples to withdraw; expected those of the index; rebuild it")
    tell(path, len(rows))
    if not rows:
        target.unlink()
        return _Rewritten(None, [], tuple(places), lost)
    return _Rewritten(shard | {"samples": len(rows)} | facts, rows, tuple(places), lost)


def _samples(path: Path) -> Iterator[tuple[str, bytes, bytes, bytes | None]]:
    """Key, image, record and embedded questions of each sample of a shard."""
    held: dict[str, bytes] = {}
    last = ""
    try:
        for member, body in members(path):
            key, kind = member.name.split(".", 1)
            if key != last and held:
                yield last, held["image"], held["json"], held.get(QUESTIONS)
                held = {}
            held[kind], last = body, key
        if held:
            yield last, held["image"], held["json"], held.get(QUESTIONS)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise ReleaseError(f"{path}: {error!r}; expected a whole shard; `medloom check` names what is broken") from error


def _index(journal: Journal, source: str, gone: frozenset[str], places: list[dict[str, Any]]) -> dict[str, str]:
    """Write both tables of the source anew; table name → SHA-256."""
    keys = pa.array(sorted(gone), pa.string())
    tables = {
        "samples": (index.SAMPLES, _sample_rows(journal.release.index_path(source), keys, places)),
        "annotations": (index.ANNOTATIONS, _standing(journal.release.index_path(source, "annotations"), keys)),
    }
    digests = {}
    for name, (schema, rows) in tables.items():
        target = journal.folder / RELEASE / f"index/{source}/{name}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(target, schema, **PARQUET) as writer:
            for some in rows:
                writer.write_table(some)
        digests[name] = file_sha256(target)
    return digests


def _sample_rows(path: Path, gone: pa.Array, places: list[dict[str, Any]]) -> Iterator[pa.Table]:
    """Rows of samples that stand, with the places they have now; then those of excluded ones, in key order."""
    fields = [pa.field("key", pa.string()), *(index.SAMPLES.field(name) for name in PLACE)]
    now = pa.Table.from_pylist(places, schema=pa.schema(fields))
    excluded = []
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            leaves = pc.is_in(table["key"], gone)
            rows = [{name: emptied(row).get(name) for name in index.SAMPLES.names} for row in table.filter(leaves).to_pylist()]
            excluded.append(pa.Table.from_pylist(rows, schema=index.SAMPLES))
            table = table.filter(pc.invert(leaves))
            out = pc.is_null(table["shard"])
            excluded.append(table.filter(out))
            if len(standing := table.filter(pc.invert(out))):
                yield _placed(standing, now)
    if len(whole := pa.concat_tables([index.SAMPLES.empty_table(), *excluded])):
        yield whole.sort_by("key")


def _placed(table: pa.Table, now: pa.Table) -> pa.Table:
    at = pc.index_in(table["key"], value_set=now["key"].combine_chunks())
    for name in PLACE:
        number = table.schema.get_field_index(name)
        column = pc.if_else(pc.is_valid(at), now[name].combine_chunks().take(at), table[name])
        table = table.set_column(number, table.schema.field(number), column)
    return table


def _standing(path: Path, gone: pa.Array) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            yield table.filter(pc.invert(pc.is_in(table["key"], gone)))


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Split, or `excluded`, → samples that go."""
    found: dict[str, int] = {}
    for row in rows:
        found[row["split"]] = found.get(row["split"], 0) + 1
    return dict(sorted(found.items()))
