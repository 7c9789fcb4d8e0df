"""Questions joined with their pictures: a row per question, whose sample is read by byte ranges when it is asked for."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import question
from .added_columns import MASKS, Added
from .hub import full_disk_told
from .pieces import Piece, of_place, pieces
from .question_set import QuestionSet
from .record import features
from .row import read_rows, streamed_rows
from .shard_bytes import ShardBytes
from .withheld import index_shard

if TYPE_CHECKING:
    from datasets import Dataset, Features, IterableDataset

ROWS_AT_ONCE = 1024
_PLACE = "_place"
"""Column of a map-style set that says in which row of the places a question's sample stands."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What is joined: bytes of shards, questions, the places of the samples in one block, and columns to add."""

    shards: ShardBytes
    asked: QuestionSet
    places: pa.Table
    added: Added
    rgb: bool = False
    """Whether pictures of map-style rows come in RGB."""

    def files(self) -> dict[str, Path]:
        """Shard → its file of questions, for every shard of the places that anything is asked about."""
        shards = {index_shard(shard): shard for shard in self.places["shard"].unique().to_pylist()}
        return {shards[one]: self.asked.path(one) for one in self.asked.asked_about(shards)}


@cache
def question_features(added: Added) -> Features:
    """Columns of a joined row: those of a sample, those of a question, then those that are added."""
    from datasets import Features

    return Features({**features(), **Features.from_arrow_schema(question.schema()), **added.features()})


def joined(made: Joined, *, streaming: bool) -> Dataset | IterableDataset:
    """The questions about the samples, in their order.

    Raises:
        ReleaseError: the suite knows nothing of a shard, or the disk is full while questions are cached.
    """
    return _streamed(made) if streaming else _mapped(made)


def in_rgb(rows: Dataset) -> Dataset:
    """The same map-style rows, with their pictures in RGB."""
    [made] = rows.format["format_kwargs"]["transform"].args
    return rows.with_transform(partial(_with_pictures, replace(made, rgb=True)))


@dataclass(frozen=True, slots=True)
class ByColumns:
    """Map-style rows, read as questions and samples: columns of a batch as they are, and no dict of each row."""

    rows: Dataset
    """Without pictures, as Arrow tables."""
    made: Joined

    def read(self, numbers: Sequence[int]) -> list[tuple[question.Question, dict[str, Any]]]:
        """Questions of some rows, in the order given, each with its sample's row, which those about one sample share."""
        table: Any = self.rows[list(numbers)]
        places = table[_PLACE].to_pylist()
        samples = _samples(self.made, places)
        return [(asked, samples[place]) for asked, place in zip(question.questions_of(table), places, strict=True)]


def by_columns(rows: Dataset) -> ByColumns:
    """What map-style rows hold, for whoever wants no dict of each row."""
    [made] = rows.format["format_kwargs"]["transform"].args
    return ByColumns(rows.with_format("arrow"), made)


def _mapped(made: Joined) -> Dataset:
    """Questions are read into the cache of `datasets` and mapped from there: what is held of each is a number or two."""
    from datasets import Dataset

    with_pictures, files = partial(_with_pictures, made), made.files()
    if not files:
        return Dataset(question.schema().empty_table().append_column(_PLACE, pa.array([], pa.int64()))).with_transform(
            with_pictures
        )
    with full_disk_told():
        found: Any = Dataset.from_parquet([str(path) for path in files.values()])
    rows = pc.index_in(found.data.column("key"), value_set=made.places["key"].combine_chunks())
    kept = pc.indices_nonzero(pc.is_valid(rows)).cast(pa.int64()).to_numpy()
    found = found.add_column(_PLACE, pc.fill_null(rows, -1).cast(pa.int64()).to_numpy())
    return found.select(kept).with_transform(with_pictures)


def _with_pictures(made: Joined, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """A batch of questions with the columns of their samples; a sample that several ask about is read once."""
    samples = {number: made.added.with_masks(row) for number, row in _samples(made, batch[_PLACE]).items()}
    rows, last = [], {number: place for place, number in enumerate(batch[_PLACE])}
    for place, number in enumerate(batch[_PLACE]):
        asked = {name: values[place] for name, values in batch.items() if name != _PLACE}
        sample = samples[number] if last[number] == place else _copied(samples[number])
        rows.append(made.added.with_drawn(sample | asked))
    return {name: [row[name] for row in rows] for name in question_features(made.added)}


def _samples(made: Joined, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Row of the places → the sample's row: each is read once, all of a shard together."""
    apart = list(dict.fromkeys(numbers))
    columns = made.places.take(pa.array(apart, pa.int64())).to_pydict()
    places = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return dict(zip(apart, read_rows(made.shards, places, rgb=made.rgb), strict=True))


def _copied(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample with pictures of its own: whoever changes one changes no other row."""
    found = sample | {"image": sample["image"] and sample["image"].copy()}
    return found | {MASKS: [one | {"mask": one["mask"].copy()} for one in found[MASKS]]} if MASKS in found else found


def _streamed(made: Joined) -> IterableDataset:
    from datasets import IterableDataset

    files, places = made.files(), made.places
    places = places.filter(pc.is_in(places["shard"], pa.array(list(files), pa.string()))).combine_chunks()
    if not files:
        return IterableDataset.from_generator(_nothing, features=question_features(made.added))
    tasks = {"places": places, "cut": pieces(places), "files": _Files(files), "shards": made.shards, "added": made.added}
    return IterableDataset.from_generator(_stream, gen_kwargs=tasks, features=question_features(made.added))


@dataclass(frozen=True, slots=True)
class _Files:
    """A mapping that `datasets` doesn't take for something to split."""

    by_shard: Mapping[str, Path]


def _stream(places: pa.Table, cut: list[Piece], files: _Files, shards: ShardBytes, added: Added) -> Iterator[dict[str, Any]]:
    """Questions of whole pieces, each of which is a run of samples."""
    for piece in cut:
        for shard, some in groupby(of_place(places, piece), key=lambda place: place["shard"]):
            for row, questions in _asked(shards, list(some), files.by_shard[shard]):
                sample = added.with_masks(row, coded=True)
                for one in questions:
                    yield added.with_drawn(sample | one, coded=True)


def _asked(
    shards: ShardBytes, places: list[dict[str, Any]], file: Path
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Samples of one shard that anything is asked about, as coded rows, each with its questions."""
    by_key = {place["key"]: place for place in places}
    questions = [(key, list(some)) for key, some in groupby(_questions(file, list(by_key)), key=lambda one: one["key"])]
    samples = streamed_rows(shards, [by_key[key] for key, _ in questions])
    for sample, (_, some) in zip(samples, questions, strict=True):
        yield sample, some


def _questions(file: Path, keys: list[str]) -> Iterator[dict[str, Any]]:
    """Questions about some samples, in the order of the file."""
    wanted = pa.array(keys, pa.string())
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(ROWS_AT_ONCE):
            yield from batch.filter(pc.is_in(batch["key"], wanted)).to_pylist()


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())
