"""What differs between two records of one key, field by field; records may be of other schema versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from .change import Change, Kind
from .region_diff import changed_regions

_ELSEWHERE = ("key", "source", "split", "labels", "annotations", "provenance.pixel_sha256", "provenance.perceptual_hash")
"""Paths that other kinds of change tell."""
_STATE = ("state", "value", "unit")
_MISSING = object()


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Changes of labels, regions and every other field."""
    who = new["source"], new["key"]
    sizes = old.get("size_hw_px"), new.get("size_hw_px")
    for kind, what, before, after, iou in changed_regions(old["annotations"], new["annotations"], sizes=sizes):
        yield Change(*who, kind, what, before, after, iou)
    for kind, what, before, after in _labels(old["labels"], new["labels"]):
        yield Change(*who, kind, what, before, after)
    mine_by_path, its_by_path = dict(_leaves(old)), dict(_leaves(new))
    for path in {**mine_by_path, **its_by_path}:
        mine, its = mine_by_path.get(path, _MISSING), its_by_path.get(path, _MISSING)
        if mine != its and path not in _ELSEWHERE:
            yield Change(*who, Kind.FIELD, path, _told(mine), _told(its))


def _labels(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[tuple[Kind, str, str | None, str | None]]:
    """Labels whose state or value changed, or that only one of both has; then what they belong to."""
    before, after = ({(one["label_id"], one["laterality"]): one for one in some} for some in (old, new))
    for who in (*before, *(who for who in after if who not in before)):
        mine, its = before.get(who), after.get(who)
        name = str((its or mine or {})["label"]) + (f" ({who[1]})" if who[1] else "")
        if _state(mine) != _state(its):
            yield Kind.LABEL, name, _state(mine), _state(its)
        if mine is None or its is None:
            continue
        for path in sorted((mine.keys() | its.keys()) - set(_STATE)):
            if mine.get(path, _MISSING) != its.get(path, _MISSING):
                yield Kind.FIELD, f"labels.{path}", _told(mine.get(path, _MISSING)), _told(its.get(path, _MISSING))


def _state(label: Mapping[str, Any] | None) -> str | None:
    """State, and value with its unit where there is one."""
    if label is None:
        return None
    value = "" if label.get("value") is None else f" {label['value']:g} {label.get('unit') or ''}".rstrip()
    return f"{label['state']}{value}"


def _leaves(value: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of every field that isn't a record of its own; lists are values."""
    for name, inner in value.items():
        path = f"{at}{name}"
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{path}.")
        else:
            yield path, inner


def _told(value: Any) -> str | None:
    if value is _MISSING:
        return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()
