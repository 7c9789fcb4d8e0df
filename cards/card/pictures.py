"""The card's picture of samples: some of every source and subset whose pictures may be shown, annotations on copies."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schema.picture_rights import PictureRights
from ...schema.published import Mode, mode_of
from ...schema.release import Release
from ...schema.rights import Subject
from ...schema.row import read_row
from ..contact_sheet import contact_sheet
from .counting import Counting

COUNT, COLUMNS, TILE_PX = 24, 6, 200
Place = dict[str, Any]
"""Key, shard, byte ranges, source, licence, group and number of annotations of a sample."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The picture, and what it leaves out."""

    png: bytes | None
    """None where no picture may be shown, or there is none."""
    sources: tuple[str, ...]
    """Sources that it shows."""
    withheld: Mapping[str, int]
    """Source → samples whose pictures may not be shown."""


def shown(release: Release, *, everything: bool = False) -> Shown:
    """The picture of a release: the same samples and bytes whenever it is the same release.

    Args:
        release: Where the samples lie.
        everything: Shows samples whose pixel rights aren't granted, too.
    """
    rights = PictureRights.of(release)
    there = [recipe["facts"]["name"] for recipe in release.recipes() if mode_of(recipe) is Mode.FULL]
    piles: dict[tuple[Any, ...], list[Place]] = {}
    withheld: Counter[str] = Counter()
    with Counting.over(release) as counting:
        for pile, count, places in counting.piles(there, most=COUNT):
            source, licence = pile[:2]
            if everything or rights.may_show(source, licence):
                piles[pile] = places
            else:
                withheld[source] += count
    chosen = _dealt(piles)
    sources = tuple(sorted({one["source"] for one in chosen}))
    return Shown(_png(release, chosen, rights), sources, dict(sorted(withheld.items())))


def _dealt(piles: Mapping[tuple[Any, ...], Sequence[Place]]) -> list[Place]:
    """In turn from every source, and there from every pile, annotated ones first; another sample of a group comes last."""
    by_source: dict[str, list[list[Place]]] = {}
    for pile, places in sorted(piles.items(), key=lambda item: (item[0][0], not item[1][0]["annotations"], item[0])):
        by_source.setdefault(pile[0], []).append(_one_of_each_group(places))
    queues = [_in_turn(own) for own in by_source.values()]
    return sorted(_in_turn(queues)[:COUNT], key=lambda one: (one["source"], one["key"]))


def _one_of_each_group(places: Sequence[Place]) -> list[Place]:
    first, later = [], []
    groups = set()
    for one in places:
        (later if one["group"] in groups else first).append(one)
        groups.add(one["group"])
    return [*first, *later]


def _in_turn(queues: Sequence[Sequence[Place]]) -> list[Place]:
    rounds = range(max(map(len, queues), default=0))
    return [queue[turn] for turn in rounds for queue in queues if turn < len(queue)]


def _png(release: Release, places: Sequence[Place], rights: PictureRights) -> bytes | None:
    if not places:
        return None
    rows = [_granted(read_row(release.root, place), rights) for place in places]
    stream = io.BytesIO()
    sheet = contact_sheet(rows, columns=COLUMNS, tile_px=TILE_PX)
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _granted(row: dict[str, Any], rights: PictureRights) -> dict[str, Any]:
    """The row without what its owner hasn't let others pass on of labels and annotations."""
    record = row["json"]
    if rights.granted(Subject.ANNOTATIONS, record["source"], record["licence"]):
        return row
    return row | {"json": record | {"labels": [], "annotations": []}}
