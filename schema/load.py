"""`medloom.load`: a release as a `datasets` object that reads only the byte ranges it needs.

Rows equal those of `load_dataset`: image (PIL), json (dict), `__key__`, `__url__`, and `questions.json` (list of dicts) where
shards hold questions. Selection runs over the index, so a part of a release costs its own bytes and nothing else.
`load_questions.py` joins questions with them.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from . import embedded, record
from .errors import UsageError
from .lexicon import PLACE, Lexicon
from .lexicon.asked import Words
from .load_questions import joined
from .question_set import QuestionSet
from .release import DEFAULT, Release, shards_of
from .row import coded_row, read_row
from .sample import SPLITS

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict


def load(
    release: str | Path,
    config: str = DEFAULT,
    *,
    split: str | None = None,
    streaming: bool = False,
    suite: str | None = None,
    **select: Words,
) -> Dataset | IterableDataset | DatasetDict | IterableDatasetDict:
    """The release, or one of its configs, as a `datasets` object; with a split just that one.

    `select` narrows as `Lexicon.select` does, by modality, area, task, subset, clinical_task, department, granularity,
    label, state or source: one word or several, of any system, with what stands below them (`modality="CT"` includes CTA).
    `where` is a condition in SQL over the index.

    A release that `medloom ask --embed` made has the column `questions.json` too: the questions about each sample.

    With a `suite` there is a row per question, with its columns beside image and json. Samples are selected as without;
    all questions about them come, and embedded ones stay where they are.

    Raises:
        ReleaseError: no release there.
        UsageError: a config, split, suite or word that the release or the vocabularies don't have.
    """
    from datasets import DatasetDict, IterableDatasetDict

    opened = Release.open(release)
    configs = opened.configs()
    if config not in configs:
        raise UsageError(f"config {config!r}; expected one of {sorted(configs)}")
    if split is not None and split not in configs[config]:
        raise UsageError(f"split {split!r} of {config!r}; expected one of {list(configs[config])}")
    asked = QuestionSet.open(opened.root, suite) if suite is not None else None
    rows = select_rows(opened, config, select)
    if split is not None:
        return _dataset(opened, _of(rows, split), streaming=streaming, asked=asked)
    found: Any = {name: _dataset(opened, _of(rows, name), streaming=streaming, asked=asked) for name in configs[config]}
    return IterableDatasetDict(found) if streaming else DatasetDict(found)


def select_rows(release: Release, config: str, select: Mapping[str, Words]) -> pa.Table:
    """Split, source and the place of both members of the config's samples that the selection keeps, shard by shard.

    Raises:
        UsageError: a word that the vocabularies and the release don't have, or a `where` that DuckDB refuses.
    """
    words = {name: some for name, some in select.items() if name != "where"}
    where = select.get("where")
    if where is not None and not isinstance(where, str):
        raise UsageError(f"where {where!r}; expected one condition as a string")
    chosen = Lexicon.open(release).of(words, where=where)
    if config != DEFAULT:
        splits = release.configs()[config]
        chosen = chosen.within([shard["path"] for shard in shards_of(splits)])
    return chosen.rows((*PLACE, "split", "source"))


def _of(rows: pa.Table, split: str) -> pa.Table:
    """Places of a split's samples."""
    assert split in SPLITS
    return rows.filter(pc.equal(rows["split"], split)).select(list(PLACE))


def _dataset(release: Release, place: pa.Table, *, streaming: bool, asked: QuestionSet | None) -> Any:
    from datasets import Dataset, IterableDataset

    if asked is not None:
        return joined(asked, place, streaming=streaming)
    embeds = release.embeds
    if not streaming:
        return Dataset(place.combine_chunks()).with_transform(partial(_rows, release.root, embeds))
    features = embedded.features() if embeds else record.features()
    shards = list(dict.fromkeys(place["shard"].to_pylist()))
    tables = [place.filter(pc.equal(place["shard"], shard)).to_pylist() for shard in shards]
    if not tables:
        return IterableDataset.from_generator(_nothing, features=features)
    tasks = {"root": [release.root] * len(tables), "tables": tables, "embeds": embeds}
    return IterableDataset.from_generator(_stream, gen_kwargs=tasks, features=features)


def _rows(root: Path, embeds: bool, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    places = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    rows = [read_row(root, place, embeds=embeds) for place in places]
    return {name: [row[name] for row in rows] for name in (embedded.features() if embeds else record.features())}


def _stream(root: list[Path], tables: list[list[dict[str, Any]]], embeds: bool) -> Iterator[dict[str, Any]]:
    """Rows of whole tables, each of which lies in one shard."""
    for folder, table in zip(root, tables, strict=True):
        with (folder / table[0]["shard"]).open("rb") as shard:
            for place in table:
                yield coded_row(shard, folder, place, embeds=embeds)


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())
