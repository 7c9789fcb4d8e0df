"""Questions joined with their pictures: a row per question, whose sample is read by byte ranges when it is asked for."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import question
from .errors import ReleaseError
from .question_set import QuestionSet
from .record import features
from .row import coded_row, read_row

if TYPE_CHECKING:
    from datasets import Dataset, Features, IterableDataset

ROWS_AT_ONCE = 1024
_PLACE = "_place"
"""Column of a map-style set that says in which row of the places a question's sample stands."""


@cache
def question_features() -> Features:
    """Columns of a joined row: those of a sample, then those of a question."""
    from datasets import Features

    return Features({**features(), **Features.from_arrow_schema(question.schema())})


def joined(asked: QuestionSet, places: pa.Table, *, streaming: bool) -> Dataset | IterableDataset:
    """The questions about some samples, in the order of the samples; `places` says where those lie."""
    places = places.combine_chunks()
    stated = {one["shard"]: one["questions"] for one in asked.info["files"]}
    shards = [shard for shard in dict.fromkeys(places["shard"].to_pylist()) if _stated(asked, stated, shard)]
    return _streamed(asked, places, shards) if streaming else _mapped(asked, places, shards)


def _stated(asked: QuestionSet, stated: dict[str, int], shard: str) -> int:
    """How many questions a shard has.

    Raises:
        ReleaseError: the suite knows nothing of it.
    """
    if shard not in stated:
        raise ReleaseError(f"{asked.root}: nothing of {shard}; expected questions about every shard; ask again")
    return stated[shard]


def _mapped(asked: QuestionSet, places: pa.Table, shards: list[str]) -> Dataset:
    """Questions are read into the cache of `datasets` and mapped from there: what is held of each is a number or two."""
    from datasets import Dataset

    with_pictures = partial(_with_pictures, asked.release, places)
    if not shards:
        return Dataset(question.schema().empty_table().append_column(_PLACE, pa.array([], pa.int64()))).with_transform(
            with_pictures
        )
    found: Any = Dataset.from_parquet([str(asked.path(shard)) for shard in shards])
    rows = pc.index_in(found.data.column("key"), value_set=places["key"].combine_chunks())
    kept = pc.indices_nonzero(pc.is_valid(rows)).cast(pa.int64()).to_numpy()
    found = found.add_column(_PLACE, pc.fill_null(rows, -1).cast(pa.int64()).to_numpy())
    return found.select(kept).with_transform(with_pictures)


def _with_pictures(root: Path, places: pa.Table, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """A batch of questions with the columns of their samples; a sample that several ask about is read once."""
    read: dict[int, dict[str, Any]] = {}
    for number in batch[_PLACE]:
        if number not in read:
            read[number] = read_row(root, places.slice(number, 1).to_pylist()[0])
    samples = [read[number] for number in batch[_PLACE]]
    columns = {name: [row[name] for row in samples] for name in features()}
    pictures = {"image": [row["image"].copy() for row in samples]}
    return columns | pictures | {name: values for name, values in batch.items() if name != _PLACE}


def _streamed(asked: QuestionSet, places: pa.Table, shards: list[str]) -> IterableDataset:
    from datasets import IterableDataset

    if not shards:
        return IterableDataset.from_generator(_nothing, features=question_features())
    tables = [places.filter(pc.equal(places["shard"], shard)).to_pylist() for shard in shards]
    tasks: dict[str, list[Any]] = {"tables": tables, "files": [asked.path(shard) for shard in shards]}
    tasks["root"] = [asked.release] * len(shards)
    return IterableDataset.from_generator(_stream, gen_kwargs=tasks, features=question_features())


def _stream(root: list[Path], tables: list[list[dict[str, Any]]], files: list[Path]) -> Iterator[dict[str, Any]]:
    """Rows of whole shards, each with the places of its chosen samples and its file of questions."""
    for folder, table, file in zip(root, tables, files, strict=True):
        places = {place["key"]: place for place in table}
        sample: dict[str, Any] = {"__key__": None}
        with (folder / table[0]["shard"]).open("rb") as shard:
            for one in _questions(file):
                if one["key"] in places:
                    if one["key"] != sample["__key__"]:
                        sample = coded_row(shard, folder, places[one["key"]])
                    yield sample | one


def _questions(file: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(ROWS_AT_ONCE):
            yield from batch.to_pylist()


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())
