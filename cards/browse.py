"""What a release holds, from its index alone; one record whole; and samples that show it fairly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..schema.errors import UsageError
from ..schema.index import SAMPLES
from ..schema.load import PLACE, read_row, select_rows
from ..schema.picture_rights import PictureRights
from ..schema.published import Mode, mode_of
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
        facts, rows = recipe["facts"], _rows(release, recipe)
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


def _rows(release: Release, recipe: Mapping[str, Any]) -> pa.Table:
    """Index rows of a source; of one that is published as a recipe alone there are none to show."""
    if mode_of(recipe) is Mode.RECIPE:
        return SAMPLES.empty_table().select(list(COLUMNS))
    return pq.read_table(release.index_path(recipe["facts"]["name"]), columns=list(COLUMNS))


def row_of(release: Release, key: str) -> dict[str, Any]:
    """The sample of a key, as `load_dataset` gives it.

    Raises:
        UsageError: the release holds no such key; the message says why where the index knows.
    """
    known: list[str] = []
    for source in release.indexed:
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
    release: Release,
    *,
    config: str = DEFAULT,
    split: str | None = None,
    select: Select,
    count: int,
    rights: PictureRights | None = None,
) -> list[dict[str, Any]]:
    """Up to `count` samples, dealt in turn from every source and set of subsets, annotated ones and other groups first.

    With `rights` only those whose pictures may be shown.

    Raises:
        UsageError: a config, split or word that isn't there.
    """
    details = _details(release)
    piles: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for place in _places(release, config=config, split=split, select=select):
        place |= details[place["key"]]
        if rights is None or rights.may_show(place["source"], place["licence"]):
            piles.setdefault((place["source"], *place["subsets"]), []).append(place)
    chosen = _in_turn([_varied(pile) for _, pile in sorted(piles.items())], count)
    return [read_row(release.root, place) for place in chosen]


def withheld(
    release: Release, rights: PictureRights, *, config: str = DEFAULT, split: str | None = None, select: Select
) -> dict[str, int]:
    """Source → how many of the samples that fit have pictures which may not be shown."""
    details = _details(release)
    found = _places(release, config=config, split=split, select=select)
    return rights.withheld((place["source"], details[place["key"]]["licence"]) for place in found)


def _places(release: Release, *, config: str, split: str | None, select: Select) -> list[dict[str, Any]]:
    if config not in release.configs():
        raise UsageError(f"config {config!r}; expected one of {', '.join(release.configs())}")
    rows = select_rows(release, config, dict(select)).select([*PLACE, "split", "source"]).to_pylist()
    pictured = _pictured(release)
    return [place for place in rows if split in (None, place["split"]) and place["source"] in pictured]


def _pictured(release: Release) -> frozenset[str]:
    """The sources whose pixels the release holds."""
    return frozenset(recipe["facts"]["name"] for recipe in release.recipes() if mode_of(recipe) is Mode.FULL)


def _details(release: Release) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    columns = ["key", "group", "subsets", "annotations", "licence"]
    for source in _pictured(release):
        table: pa.Table = pq.read_table(release.index_path(source), columns=columns)
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
