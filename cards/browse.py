"""What a release holds, from its index alone; one record whole; and samples that show it fairly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..schema.errors import UsageError
from ..schema.load import PLACE, read_row, select_rows
from ..schema.release import DEFAULT, Release

COLUMNS = ("key", "split", "modality", "subsets", "labels_present", "group")
Select = Mapping[str, list[str] | None]


def summary(release: Release) -> dict[str, Any]:
    """Counts by source, split, subset, modality and label, and the configs that `load_dataset` takes."""
    sources = []
    subsets: Counter[str] = Counter()
    modalities: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for recipe in release.recipes():
        facts, rows = recipe["facts"], pq.read_table(release.index_path(recipe["facts"]["name"]), columns=list(COLUMNS))
        splits = Counter(rows["split"].to_pylist())
        for row in rows.to_pylist():
            if row["split"] != "excluded":
                modalities[row["modality"]] += 1
                subsets.update(row["subsets"])
                labels.update(row["labels_present"])
        sources.append(
            {
                "source": facts["name"],
                "licence": facts["licence"],
                "group_kind": facts["group_kind"],
                "groups": len(set(rows["group"].to_pylist())),
                "splits": dict(splits),
                "limit": recipe["options"]["limit"],
            }
        )
    counted = {"subsets": subsets, "modalities": modalities, "labels": labels}
    ordered = {name: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))) for name, counts in counted.items()}
    return {"release": str(release.root), "configs": list(release.configs()), "sources": sources, **ordered}


def row_of(release: Release, key: str) -> dict[str, Any]:
    """The sample of a key, as `load_dataset` gives it.

    Raises:
        UsageError: the release holds no such key; the message says why where the index knows.
    """
    known: list[str] = []
    for source in release.sources:
        table = pq.read_table(release.index_path(source), columns=[*PLACE, "split", "exclusion"])
        keys = table["key"].to_pylist()
        if key in keys:
            place = table.slice(keys.index(key), 1).to_pylist()[0]
            if place["shard"] is None:
                raise UsageError(f"{key}: excluded from the release ({place['exclusion']}); expected a key with pixels")
            return read_row(release.root, place)
        known += keys
    close = get_close_matches(key, known, n=1)
    meant = f"did you mean {close[0]}?" if close else "the index lists the keys (index/<source>/samples.parquet)"
    raise UsageError(f"{key}: no such key in {release.root}; {meant}")


def pick(
    release: Release, *, config: str = DEFAULT, split: str | None = None, select: Select, count: int
) -> list[dict[str, Any]]:
    """Up to `count` samples, dealt in turn from every source and set of subsets, annotated ones and other groups first.

    Raises:
        UsageError: a config, split or word that isn't there.
    """
    if config not in release.configs():
        raise UsageError(f"config {config!r}; expected one of {', '.join(release.configs())}")
    rows = select_rows(release, config, dict(select))
    details = _details(release)
    piles: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for place in rows.select([*PLACE, "split", "source"]).to_pylist():
        if split in (None, place["split"]):
            place |= details[place["key"]]
            piles.setdefault((place["source"], *place["subsets"]), []).append(place)
    chosen = _in_turn([_varied(pile) for _, pile in sorted(piles.items())], count)
    return [read_row(release.root, place) for place in chosen]


def _details(release: Release) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for source in release.sources:
        table: pa.Table = pq.read_table(release.index_path(source), columns=["key", "group", "subsets", "annotations"])
        found |= {row["key"]: row for row in table.to_pylist()}
    return found


def _varied(pile: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A pile in an order that shows it: one sample per group, the middle annotated one, then the next of each."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for place in pile:
        groups.setdefault(place["group"], []).append(place)
    ordered = [_from_the_middle(group) for group in groups.values()]
    return _in_turn(ordered, len(pile))


def _from_the_middle(group: list[dict[str, Any]]) -> list[dict[str, Any]]:
    marked = sorted(group, key=lambda place: (-bool(place["annotations"]), place["key"]))
    middle = sum(bool(place["annotations"]) for place in group) // 2
    return [*marked[middle:], *marked[:middle]]


def _in_turn(piles: list[list[dict[str, Any]]], count: int) -> list[dict[str, Any]]:
    turns: Iterable[int] = range(max(map(len, piles), default=0))
    dealt = [pile[turn] for turn in turns for pile in piles if turn < len(pile)]
    return dealt[:count]
