"""What changed between two releases: who came, went and moved, and what of labels, regions, pixels and other fields.

The indexes say who may differ; records are read of those alone, by byte ranges, some hundred at a time. Changes go to a Parquet
file as they are found, so memory doesn't grow with them.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from ...schema import index
from ...schema.published import Mode, mode_of
from ...schema.release import Release
from ...schema.row import Place
from ...schema.withdrawn import REASON, withdrawn_of
from ...schema.withheld import with_records
from .change import Change, Changes, Kind
from .index_diff import Both, Row, pairs, standing
from .record_diff import changed

Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`compare`), sources done, sources in all and samples looked at so far."""
_OF_SAMPLES = (Kind.ADDED, Kind.REMOVED, Kind.WITHDRAWN, Kind.EXCLUDED, Kind.RETURNED, Kind.MOVED, Kind.PIXELS, Kind.RECODED)
_PLACE = ("key", "source", "shard", "image_offset", "image_size", "json_offset", "json_size")


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """A sample worth looking at, and where it lies in both releases."""

    weight: float
    key: str
    changes: tuple[Change, ...] = field(compare=False)
    both: Both = field(compare=False)


@dataclass(slots=True)
class _Counts:
    """What was found of one source."""

    kinds: Counter[str] = field(default_factory=Counter)
    samples: Counter[str] = field(default_factory=Counter)
    """Kind → samples that have a change of it."""
    moves: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    shared: float = 0.0
    shapes: int = 0
    looked_at: int = 0
    read: int = 0
    changed: int = 0

    def count(self, changes: Sequence[Change]) -> None:
        self.changed += bool(changes)
        self.kinds.update(str(one.kind) for one in changes)
        self.samples.update({str(one.kind) for one in changes})
        self.moves.update(f"{one.old} → {one.new}" for one in changes if one.kind is Kind.MOVED)
        self.reasons.update(str(one.new) for one in changes if one.kind is Kind.EXCLUDED)
        self.labels.update(
            f"{one.what}: {one.old or 'not there'} → {one.new or 'gone'}" for one in changes if one.kind is Kind.LABEL
        )
        self.fields.update(str(one.what) for one in changes if one.kind is Kind.FIELD)
        ious = [one.iou for one in changes if one.kind is Kind.REGION_CHANGED and one.iou is not None]
        self.shared, self.shapes = self.shared + sum(ious), self.shapes + len(ious)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"looked_at": self.looked_at, "records_read": self.read, "samples_changed": self.changed}
        told |= {"changes": dict(sorted(self.kinds.items())), "samples": dict(sorted(self.samples.items()))}
        told |= {name: dict(getattr(self, name).most_common()) for name in ("moves", "reasons", "labels", "fields")}
        return told | {"mean_iou": self.shared / self.shapes if self.shapes else None}


def diff(
    old: Release, new: Release, *, out: Path, most: int = 0, progress: Progress | None = None
) -> tuple[dict[str, Any], list[Seen]]:
    """Counts of what changed, with the changes as rows of `change.SCHEMA` in the Parquet file `out`; and the samples that
    changed most, at most so many.

    Raises:
        ReleaseError: an index or a record can't be read.
    """
    sources, seen = sorted({*old.sources, *new.sources}), list[Seen]()
    told, looked_at = [], 0
    with Changes(out) as changes:
        for number, source in enumerate(sources):
            counts = _Counts()
            for batch in _different(old, new, source, counts):
                changes.add(change for _, some in batch for change in some)
                seen = heapq.nlargest(most, [*seen, *_worth_seeing(batch)])
                looked_at += len(batch)
                if progress is not None:
                    progress("compare", number, len(sources), looked_at)
            told.append(_source(old, new, source, counts))
    totals = sum((Counter(one["changes"]) for one in told), Counter[str]())
    result = {"old": _name(old), "new": _name(new), "different": any(one["different"] for one in told)}
    return result | {"changes": dict(sorted(totals.items())), "sources": told}, seen


def _worth_seeing(batch: Sequence[tuple[Both, list[Change]]]) -> list[Seen]:
    weighed = [(sum(change.weight for change in changes), both, changes) for both, changes in batch]
    return [Seen(weight, both.key, tuple(changes), both) for weight, both, changes in weighed if weight > 0]


def _name(release: Release) -> str:
    return str(release.source or release.root)


def _source(old: Release, new: Release, source: str, counts: _Counts) -> dict[str, Any]:
    recipes = old.recipe(source), new.recipe(source)
    held = "both" if all(recipes) else "old" if recipes[0] else "new"
    samples = {"old": standing(old, source), "new": standing(new, source)}
    facts = _facts(*recipes)
    told = {"source": source, "in": held, "standing": samples, "facts": facts, **counts.as_json()}
    return told | {"different": bool(counts.changed or facts or held != "both")}


def _facts(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    """Facts of the source that changed, such as its licence."""
    if old is None or new is None:
        return {}
    before, after = old["facts"], new["facts"]
    names = sorted(before.keys() | after.keys())
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _different(old: Release, new: Release, source: str, counts: _Counts) -> Iterator[list[tuple[Both, list[Change]]]]:
    """Samples with their changes; those without any are passed over, but counted as looked at."""
    withdrawn = withdrawn_of(new.root)
    if (one := old.recipe(source)) and (other := new.recipe(source)) and one["content_sha256"] == other["content_sha256"]:
        return
    for batch in pairs(old, new, source):
        records = _records(old, new, batch, counts)
        found = []
        for both in batch:
            gone = withdrawn.holds(key=both.key)
            changes = [*_fates(both, source, withdrawn=gone), *_pixels(both, source), *records.get(both.key, ())]
            counts.looked_at += 1
            counts.count(changes)
            found.append((both, changes))
        yield found


def _fates(both: Both, source: str, *, withdrawn: bool) -> Iterator[Change]:
    """Who came, went, was left out, came back or moved."""
    old, new = _fate(both.old), _fate(both.new)
    stood, stands = _stands(both.old), _stands(both.new)
    if old == new:
        return
    if stood and stands:
        kind = Kind.MOVED
    elif stands:
        kind = Kind.ADDED if old is None else Kind.RETURNED
    elif new == f"excluded: {REASON}" or (withdrawn and new is None):
        kind = Kind.WITHDRAWN
    else:
        kind = Kind.REMOVED if new is None else Kind.EXCLUDED
    yield Change(source, both.key, kind, None, old, new)


def _stands(row: Row | None) -> bool:
    return row is not None and row["split"] != "excluded"


def _fate(row: Row | None) -> str | None:
    if row is None:
        return None
    return row["split"] if _stands(row) else f"excluded: {row['exclusion']}"


def _pixels(both: Both, source: str) -> Iterator[Change]:
    old, new = both.old, both.new
    if old is None or new is None or not (_stands(old) and _stands(new)):
        return
    before, after = (row["provenance_pixel_sha256"] for row in (old, new))
    if None in (before, after):
        return
    if before != after:
        yield Change(source, both.key, Kind.PIXELS, "pixel_sha256", before, after)
        return
    forms = [None if row["image_size"] is None else f"{row['image_format']} of {row['image_size']} bytes" for row in (old, new)]
    if None not in forms and forms[0] != forms[1]:
        yield Change(source, both.key, Kind.RECODED, "image", forms[0], forms[1])


def _records(old: Release, new: Release, batch: Sequence[Both], counts: _Counts) -> dict[str, list[Change]]:
    """Key → changes of the record, of samples that stand in both."""
    wanted = [(one.old, one.new) for one in batch if one.old and one.new and one.old["shard"] and one.new["shard"]]
    sides = [read(release, rows) for release, rows in zip((old, new), map(list, zip(*wanted, strict=True)), strict=False)]
    counts.read += len(wanted)
    bodies = zip(*sides, strict=True) if wanted else ()
    pairs = zip(wanted, bodies, strict=True)
    return {
        rows[0]["key"]: list(changed(orjson.loads(before), orjson.loads(after)))
        for rows, (before, after) in pairs
        if before != after
    }


def read(release: Release, rows: Sequence[Row]) -> list[bytes]:
    """The records of some index rows of one source, as bytes, in their order."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    places = placed(release, rows)
    for number, place in enumerate(places):
        groups[place["shard"]].append(number)
    found: list[bytes] = [b""] * len(places)
    for shard, numbers in groups.items():
        spans = [(places[number]["json_offset"], places[number]["json_size"]) for number in numbers]
        for number, body in zip(numbers, release.bytes.read(shard, spans), strict=True):
            found[number] = body
    return found


def placed(release: Release, rows: Sequence[Row]) -> list[Place]:
    """Where the samples of some index rows of one source really lie, also where the release has their records alone."""
    recipe = release.recipe(rows[0]["source"]) if rows else None
    if recipe is None or mode_of(recipe) is not Mode.ANNOTATIONS:
        return list(rows)
    schema = pa.schema([index.SAMPLES.field(name) for name in _PLACE])
    return with_records(release, pa.Table.from_pylist([{n: row[n] for n in _PLACE} for row in rows], schema=schema)).to_pylist()
