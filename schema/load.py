"""`medloom.load`: a release as a `datasets` object that reads only the byte ranges it needs.

Rows equal those of `load_dataset`: image (PIL), json (dict), `__key__`, `__url__`. Selection runs over the index, so a part of
a release costs its own bytes and nothing else.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from .clinical_tasks import CLINICAL_TASKS
from .departments import DEPARTMENTS
from .errors import UsageError
from .record import features
from .release import DEFAULT, Release
from .sample import SPLITS
from .triplet import AREAS, MODALITIES, TASKS

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

PLACE = ("key", "shard", "image_offset", "image_size", "json_offset", "json_size")


def load(
    release: str | Path,
    config: str = DEFAULT,
    *,
    split: str | None = None,
    streaming: bool = False,
    **select: str | Sequence[str] | None,
) -> Dataset | IterableDataset | DatasetDict | IterableDatasetDict:
    """The release, or one of its configs, as a `datasets` object; with a split just that one.

    `select` narrows by modality, area, task, clinical_task, department, granularity, label or source: one word or several,
    codes, names or aliases; children count (`modality="CT"` includes CTA).

    Raises:
        ReleaseError: no release there.
        UsageError: a config, split or word that the release or the vocabularies don't have.
    """
    from datasets import DatasetDict, IterableDatasetDict

    opened = Release.open(release)
    configs = opened.configs()
    if config not in configs:
        raise UsageError(f"config {config!r}; expected one of {sorted(configs)}")
    if split is not None and split not in configs[config]:
        raise UsageError(f"split {split!r} of {config!r}; expected one of {list(configs[config])}")
    rows = select_rows(opened, config, select)
    if split is not None:
        return _dataset(opened, rows, split, streaming)
    found: Any = {name: _dataset(opened, rows, name, streaming) for name in configs[config]}
    return IterableDatasetDict(found) if streaming else DatasetDict(found)


def select_rows(release: Release, config: str, select: dict[str, Any]) -> pa.Table:
    """Index rows (with `split` and the place of both members) of the config's samples that the selection keeps."""
    shards = {shard["path"] for splits in [release.configs()[config]] for some in splits.values() for shard in some}
    tables = []
    for source in release.sources:
        path = release.index_path(source)
        table = pq.read_table(path, columns=[*PLACE, "split", "source", "modality_detail", *_COLUMNS.values()])
        tables.append(table.filter(pc.is_in(table["shard"], pa.array(sorted(shards), pa.string()))))
    table = pa.concat_tables(tables).combine_chunks()
    keep = np.ones(len(table), bool)
    for name, words in select.items():
        if words is not None:
            keep &= _mask(table, name, [words] if isinstance(words, str) else list(words))
    return table.filter(pa.array(keep))


def read_row(root: Path, place: dict[str, Any]) -> dict[str, Any]:
    """One row as `load_dataset` gives it, from its byte ranges."""
    with (root / place["shard"]).open("rb") as shard:
        row = _coded_row(shard, root, place)
    picture = Image.open(io.BytesIO(row["image"]["bytes"]))
    picture.load()
    return row | {"image": picture}


def _coded_row(shard: BinaryIO, root: Path, place: dict[str, Any]) -> dict[str, Any]:
    """The row with its image still coded: given a PIL image, `datasets` would code it again, and a JPEG would lose."""
    image, record = (_range(shard, place[f"{kind}_offset"], place[f"{kind}_size"]) for kind in ("image", "json"))
    return {
        "image": {"bytes": image, "path": None},
        "json": orjson.loads(record),
        "__key__": place["key"],
        "__url__": str(root / place["shard"]),
    }


_COLUMNS = {
    "modality": "modality",
    "area": "area",
    "task": "task",
    "subset": "subsets",
    "clinical_task": "clinical_tasks",
    "department": "departments",
    "granularity": "granularities",
    "label": "labels_present",
}
_TREES = {"modality": MODALITIES, "area": AREAS, "task": TASKS}
_NAMED = {"clinical_task": CLINICAL_TASKS, "department": DEPARTMENTS}


def _mask(table: pa.Table, name: str, words: list[str]) -> np.ndarray:
    """Which rows have one of the words."""
    if name in _TREES:
        codes = pa.array(sorted({code for word in words for code in _with_children(_TREES[name], word)}), pa.string())
        mask = pc.is_in(table[name], codes)
        return pc.or_(mask, pc.is_in(table["modality_detail"], codes) if name == "modality" else mask).to_numpy()
    if name not in {**_COLUMNS, "source": ""}:
        raise UsageError(f"select by {name!r}; expected one of {sorted({*_COLUMNS, 'source'})}")
    wanted = {_NAMED[name].find(word).name if name in _NAMED else word for word in words}
    column = table[_COLUMNS.get(name, name)].combine_chunks()
    values = column.values if name in _COLUMNS else column
    if name not in _NAMED:
        _all_known(name, wanted, values)
    hits = pc.is_in(values, pa.array(sorted(wanted), pa.string())).to_numpy(zero_copy_only=False)
    return hits if name not in _COLUMNS else _any_of(hits, column)


def _all_known(name: str, wanted: set[str], values: pa.Array) -> None:
    known = set(values.unique().to_pylist())
    for word in sorted(wanted - known):
        close = get_close_matches(word, known, n=3) or sorted(known)[:8]
        raise UsageError(f"{name} {word!r} is nowhere in this config; expected a word such as {', '.join(map(repr, close))}")


def _any_of(hits: np.ndarray, lists: pa.ListArray) -> np.ndarray:
    """Per list whether any of its values hits."""
    before = np.concatenate([[0], np.cumsum(hits)])
    edges = lists.offsets.to_numpy()
    return before[edges[1:]] > before[edges[:-1]]


def _with_children(tree, word: str) -> list[str]:
    term = tree.find(word)
    return [term.code, *(child.code for child in tree.descendants(term.code))]


def _dataset(release: Release, rows: pa.Table, split: str, streaming: bool) -> Any:
    from datasets import Dataset, IterableDataset

    assert split in SPLITS
    place = rows.filter(pc.equal(rows["split"], split)).select(list(PLACE))
    if not streaming:
        return Dataset(place.combine_chunks()).with_transform(partial(_rows, release.root))
    shards = list(dict.fromkeys(place["shard"].to_pylist()))
    tables = [place.filter(pc.equal(place["shard"], shard)).to_pylist() for shard in shards]
    if not tables:
        return IterableDataset.from_generator(_nothing, features=features())
    return IterableDataset.from_generator(
        _stream, gen_kwargs={"root": [release.root] * len(tables), "tables": tables}, features=features()
    )


def _rows(root: Path, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    places = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    rows = [read_row(root, place) for place in places]
    return {name: [row[name] for row in rows] for name in features()}


def _stream(root: list[Path], tables: list[list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Rows of whole tables, each of which lies in one shard."""
    for folder, table in zip(root, tables, strict=True):
        with (folder / table[0]["shard"]).open("rb") as shard:
            for place in table:
                yield _coded_row(shard, folder, place)


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())


def _range(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
