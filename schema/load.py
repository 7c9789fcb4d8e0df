"""`medloom.load`: a release as a `datasets` object that reads only the byte ranges it needs.

Rows equal those of `load_dataset`: image (PIL), json (dict), `__key__`, `__url__`, and `questions.json` (list of dicts) where
shards hold questions. Selection runs over the index, so a part of a release costs its own bytes and nothing else, on a disk
as on the Hub. `load_questions.py` joins questions with them; `pieces.py` cuts a stream for ranks and workers.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from . import embedded, record
from .added_columns import Added
from .errors import UsageError
from .lexicon import PLACE, Lexicon
from .lexicon.asked import Words
from .load_questions import Joined, joined
from .pieces import Piece, of_place, pieces
from .question_set import FOLDER, QuestionSet, file_of
from .release import DEFAULT, Release, shards_of
from .row import read_row as read_row
from .row import read_rows, streamed_rows
from .sample import SPLITS
from .shard_bytes import ShardBytes
from .withheld import index_shard, with_records

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, Features, IterableDataset, IterableDatasetDict


def load(
    release: str | Path,
    config: str = DEFAULT,
    *,
    split: str | None = None,
    streaming: bool = False,
    suite: str | None = None,
    masks: bool = False,
    prompts: bool = False,
    **select: Words,
) -> Dataset | IterableDataset | DatasetDict | IterableDatasetDict:
    """The release, or one of its configs, as a `datasets` object; with a split just that one.

    A release is a folder, or a dataset repository: `org/name`, `org/name@revision`. Of a repository, README, recipes, index
    and questions are fetched once, as far as they are needed; of its shards only the ranges of the rows that are read.

    `select` narrows as `Lexicon.select` does, by modality, area, task, subset, clinical_task, department, granularity,
    label, state or source: one word or several, of any system, with what stands below them (`modality="CT"` includes CTA).
    `where` is a condition in SQL over the index.

    A release that `medloom ask --embed` made has the column `questions.json` too: the questions about each sample.

    With a `suite` there is a row per question, with its columns beside image and json. Samples are selected as without;
    all questions about them come, and embedded ones stay where they are.

    `masks` adds the column `masks`, every mask as a picture; `prompts` adds, with a suite, the column `drawn`, a copy of the
    picture with the question's prompts on it. `added_columns.py` states their form.

    Raises:
        ReleaseError: no release there, or the Hub can't be reached or refuses.
        UsageError: a revision, config, split, suite or word that the release or the vocabularies don't have.
    """
    from datasets import DatasetDict, IterableDatasetDict

    if prompts and suite is None:
        raise UsageError("prompts without a suite; expected the suite whose prompts are to be drawn; give suite=…")
    opened = Release.open(release)
    configs = opened.configs()
    if config not in configs:
        raise UsageError(f"config {config!r}; expected one of {sorted(configs)}")
    if split is not None and split not in configs[config]:
        raise UsageError(f"split {split!r} of {config!r}; expected one of {list(configs[config])}")
    called = str(opened.source or opened.root)
    asked = QuestionSet.open(opened.root, suite, called=called) if suite is not None else None
    rows = select_rows(opened, config, select)
    made = partial(_dataset, opened, streaming=streaming, asked=asked, added=Added(masks, prompts))
    if split is not None:
        return made(_of(rows, split))
    found: Any = {name: made(_of(rows, name)) for name in configs[config]}
    return IterableDatasetDict(found) if streaming else DatasetDict(found)


def select_rows(release: Release, config: str, select: Mapping[str, Words]) -> pa.Table:
    """Split, source and the place of both members of the config's samples that the selection keeps, shard by shard.

    Samples whose pixels are withheld lie in tars of records, and have no place of an image.

    Raises:
        UsageError: a word that the vocabularies and the release don't have, a source of which it holds keys alone, or a
            `where` that DuckDB refuses.
    """
    words = {name: some for name, some in select.items() if name != "where"}
    where = select.get("where")
    if where is not None and not isinstance(where, str):
        raise UsageError(f"where {where!r}; expected one condition as a string")
    named = words.get("source") or ()
    bare = set(release.sources).difference(release.indexed).intersection([named] if isinstance(named, str) else named)
    if bare:
        expected = "a source whose samples are here; `medloom rebuild` makes them of its owner's files"
        raise UsageError(f"source {min(bare)!r} is published as a recipe alone; expected {expected}")
    shards = [index_shard(shard["path"]) for shard in shards_of(release.configs()[config])]
    sources = {shard.split("/")[1] for shard in shards}
    lexicon = Lexicon(release, within=tuple(source for source in release.sources if source in sources))
    chosen = lexicon.of(words, where=where)
    if config != DEFAULT:
        chosen = chosen.within(shards)
    return with_records(release, chosen.rows((*PLACE, "split", "source")))


def _of(rows: pa.Table, split: str) -> pa.Table:
    """Places of a split's samples."""
    assert split in SPLITS
    return rows.filter(pc.equal(rows["split"], split)).select(list(PLACE)).combine_chunks()


def _dataset(release: Release, places: pa.Table, *, streaming: bool, asked: QuestionSet | None, added: Added) -> Any:
    from datasets import Dataset, IterableDataset

    if asked is not None:
        shards = asked.asked_about(map(index_shard, places["shard"].unique().to_pylist()))
        release.fetch([f"{FOLDER}/{asked.name}/{file_of(shard)}" for shard in shards])
        return joined(Joined(release.bytes, asked, places, added), streaming=streaming)
    how: dict[str, Any] = {"shards": release.bytes, "embeds": release.embeds, "added": added}
    if not streaming:
        return Dataset(places).with_transform(partial(_rows, **how))
    features = _features(release.embeds, added)
    if not len(places):
        return IterableDataset.from_generator(_nothing, features=features)
    tasks = {"places": places, "cut": pieces(places), **how}
    return IterableDataset.from_generator(_stream, gen_kwargs=tasks, features=features)


@cache
def _features(embeds: bool, added: Added) -> Features:
    from datasets import Features

    return Features({**(embedded.features() if embeds else record.features()), **added.features()})


def _rows(batch: dict[str, list[Any]], *, shards: ShardBytes, embeds: bool, added: Added) -> dict[str, list[Any]]:
    places = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    rows = [added.with_masks(row) for row in read_rows(shards, places, embeds=embeds)]
    return {name: [row[name] for row in rows] for name in _features(embeds, added)}


def _stream(places: pa.Table, cut: list[Piece], shards: ShardBytes, embeds: bool, added: Added) -> Iterator[dict[str, Any]]:
    for piece in cut:
        for row in streamed_rows(shards, of_place(places, piece), embeds=embeds):
            yield added.with_masks(row, coded=True)


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())
