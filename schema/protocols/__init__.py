"""Protocols: pure functions from a release's index to who is used for what, and on which side.

    medmat    Med-MAT      subsets: train capped and even, test strictly balanced, small subsets test only
    gmai      GMAI-MMBench up to 30 unlike cases per answer in validation and test, the rest train
    mimoseg   MIMOSeg      samples with masks, 99 : 0.5 : 0.5

All of them are seeded, give the same keys for the same rows in any order, and never cut a cluster: groups that share a
picture, joined. Each file's docstring says what is the paper's and what is our reading. Excluded samples are never used.

    from medloom.schema.protocols import of_release
    outcome = of_release(Release.open("release"), "medmat", seed=0, cap=3000)
    outcome.splits()    # key and split
    outcome.table       # one row per subset, for people
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .. import index
from ..errors import UsageError
from ..release import Release
from . import pool
from .clusters import Group
from .gmai import gmai
from .medmat import medmat
from .mimoseg import mimoseg
from .outcome import ITEMS, Outcome

__all__ = ["ITEMS", "PROTOCOLS", "Outcome", "columns", "gmai", "medmat", "mimoseg", "of_release", "options", "run"]

PROTOCOLS: dict[str, Callable[..., Outcome]] = {"medmat": medmat, "gmai": gmai, "mimoseg": mimoseg}
_SCHEMAS = {"samples": index.SAMPLES, "annotations": index.ANNOTATIONS}
_SHARED = ("linked", "seed")


def options(name: str) -> dict[str, Any]:
    """A protocol's own options and their defaults, beside `linked` and `seed`.

    Raises:
        UsageError: there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"protocol {name!r}; expected one of {', '.join(PROTOCOLS)}")
    found = inspect.signature(PROTOCOLS[name]).parameters.values()
    return {one.name: one.default for one in found if one.kind is one.KEYWORD_ONLY and one.name not in _SHARED}


def run(
    name: str,
    samples: pa.Table,
    annotations: pa.Table,
    *,
    linked: Iterable[tuple[Group, Group]] = (),
    seed: int = 0,
    **own: Any,
) -> Outcome:
    """The outcome of a protocol on two index tables (see `columns`); `own` are options of that protocol alone.

    `linked` are pairs of groups, each a collection and a group, that are known to share pictures.

    Raises:
        UsageError: there is no such protocol or option, or a table can't be used.
    """
    if strange := sorted(own.keys() - options(name)):
        known = ", ".join(options(name)) or "none of its own"
        raise UsageError(f"protocol {name}: option {', '.join(strange)}; expected {known}")
    return PROTOCOLS[name](samples, annotations, linked=linked, seed=seed, **own)


def columns() -> dict[str, tuple[str, ...]]:
    """The columns that a protocol needs of each table of the index."""
    return {"samples": pool.SAMPLES, "annotations": pool.ANNOTATIONS}


def of_release(
    release: Release,
    name: str,
    *,
    keys: pa.Array | pa.ChunkedArray | None = None,
    linked: Iterable[tuple[Group, Group]] = (),
    seed: int = 0,
    **own: Any,
) -> Outcome:
    """The outcome of a protocol on a release, of which only the needed columns are read.

    With `keys` only those samples take part; the others still join groups, as excluded samples do.

    Raises:
        UsageError: there is no such protocol or option.
    """
    samples, annotations = (_read(release, table) for table in ("samples", "annotations"))
    if keys is not None:
        whole = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
        kept = pc.is_in(samples["key"], value_set=whole.cast(pa.string()))
        split = pc.if_else(kept, samples["split"], pool.EXCLUDED)
        samples = samples.set_column(samples.column_names.index("split"), "split", split)
    return run(name, samples, annotations, linked=linked, seed=seed, **own)


def _read(release: Release, table: str) -> pa.Table:
    """The needed columns of all sources; of the annotations, those that are present."""
    empty = pa.schema([_SCHEMAS[table].field(name) for name in columns()[table]]).empty_table()
    present = pc.field("state") == "present" if table == "annotations" else None
    paths = [release.index_path(source, table) for source in release.indexed]
    return pa.concat_tables([empty, *(pq.read_table(path, columns=list(columns()[table]), filters=present) for path in paths)])
