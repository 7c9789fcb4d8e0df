"""Pairs of duplicates for people: counts, the order in which they deserve a look, and a page with their pictures."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from ..builders.duplicates.find import Found
from ..builders.formats import raster
from ..builders.intensity import rule_for, to_8bit
from ..builders.source import Reading
from ..schema.disk import write_json, write_text
from ..schema.errors import DataError
from ..schema.load import PLACE, read_row
from ..schema.picture_rights import PictureRights, words
from ..schema.release import Release
from .pair_sheet import NOTICE, Pair, Picture, page

Look = Callable[[str], Image.Image | None]
"""A key or path → its picture; None where it can't be read."""


def counts(pairs: pa.Table) -> dict[str, Any]:
    """Pairs by kind: all, within a source, across sources, across splits; and a row per sources, splits and kind."""
    crossing, source = crosses(pairs), pc.equal(pairs["a_source"], pairs["b_source"]).fill_null(False)
    parts = {"all": None, "within_source": source, "across_sources": pc.invert(source), "across_splits": crossing}
    kinds = {name: _kinds(pairs["kind"] if mask is None else pairs["kind"].filter(mask)) for name, mask in parts.items()}
    names = ("a_source", "a_split", "b_source", "b_split", "kind")
    rows = Counter(_sorted_ends(row) for row in zip(*(pairs[name].to_pylist() for name in names), strict=True))
    between = [dict(zip((*names, "pairs"), (*row, count), strict=True)) for row, count in rows.items()]
    return {**kinds, "between": sorted(between, key=lambda row: [str(value) for value in row.values()])}


def crosses(pairs: pa.Table) -> pa.ChunkedArray:
    """Which pairs have their sides in different splits, both known."""
    return pc.not_equal(pairs["a_split"], pairs["b_split"]).fill_null(False)


def worst_first(pairs: pa.Table, count: int) -> pa.Table:
    """The first `count` pairs by what they may do: those across splits, then exact ones, then by distance and keys."""
    table = pairs.append_column("same_side", pc.invert(crosses(pairs)))
    order = [(name, "ascending") for name in ("same_side", "kind", "distance", "a_key", "b_key")]
    return table.sort_by(order).slice(0, count).drop_columns(["same_side"])


def shown(pairs: pa.Table, *, a: Look, b: Look) -> Iterator[Pair]:
    """Each pair with its pictures, read as they are needed."""
    for row, crossing in zip(pairs.to_pylist(), crosses(pairs).to_pylist(), strict=True):
        sides = [Picture(row[f"{end}_key"], _where(row, end), look(row[f"{end}_key"])) for end, look in (("a", a), ("b", b))]
        yield Pair(*sides, kind=row["kind"], distance=row["distance"], score=row["score"], crosses=crossing)


def write_page(path: Path, pairs: Iterable[Pair], *, title: str, facts: Sequence[tuple[str, str]]) -> None:
    """The page under its name, whole or not at all."""
    write_text(path, page(pairs, title=title, facts=facts))


def write_report(
    folder: Path,
    found: Found,
    *,
    release: Release,
    against: Path | None,
    sheet: int,
    source: dict[str, Any],
    all_pictures: bool = False,
) -> dict[str, Any]:
    """Write `duplicates.parquet`, `duplicates.json` and, of `sheet` pairs, `duplicates.html`; counts and where they lie.

    `source` is what was compared, as plain data; it heads the JSON. Pictures lie only in the page; those of releases that
    nobody may pass on, as far as is known, only with `all_pictures`, else they are counted as `withheld`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / f"duplicates.{kind}" for kind in ("parquet", "json", "html")}
    result = {**source, "pairs": counts(found.pairs), "search": {"parameters": found.parameters, "counts": found.counts}}
    result["issues"] = [{name: str(value) for name, value in asdict(issue).items()} for issue in found.issues]
    pq.write_table(found.pairs, paths["parquet"], compression="zstd")
    write_json(paths["json"], result | {"list": found.pairs.to_pylist()})
    paths["html"].unlink(missing_ok=True)
    worst = worst_first(found.pairs, sheet)
    if len(worst):
        keys = {end: worst[f"{end}_key"].to_pylist() for end in ("a", "b")}
        ends = ((release, keys["a"]), (against or release, keys["b"]))
        unshown = {} if all_pictures else unshown_of(*ends[0]) | unshown_of(*ends[1])
        a, b = (without(look(*end), unshown) for end in ends)
        result["withheld"] = dict(sorted(Counter(unshown.values()).items()))
        write_page(paths["html"], shown(worst, a=a, b=b), title="Duplicates", facts=_facts(result, len(worst)))
    places = {"report": paths["json"], "table": paths["parquet"], "page": paths["html"] if len(worst) else None}
    return result | {name: path and str(path) for name, path in places.items()} | {"notice": NOTICE}


def look(where: Release | Path, keys: Iterable[str]) -> Look:
    """Pictures of a release, for these keys, or of a folder."""
    release = _release(where)
    return folder_look(Path(str(where))) if release is None else release_look(release, keys)


def unshown_of(where: Release | Path, keys: Iterable[str]) -> dict[str, str]:
    """Key → source of those whose pictures may not be shown; none of a folder, whose rights nobody states."""
    release, wanted = _release(where), sorted(set(keys))
    if release is None:
        return {}
    rights, found = PictureRights.of(release), {}
    for source in release.sources:
        table = pq.read_table(release.index_path(source), columns=["key", "licence"], filters=[("key", "in", wanted)])
        rows = zip(table["key"].to_pylist(), table["licence"].to_pylist(), strict=True)
        found |= {key: source for key, licence in rows if not rights.may_show(source, licence)}
    return found


def without(look: Look, unshown: Container[str]) -> Look:
    """The look that sees nothing of some pictures."""
    return lambda key: None if key in unshown else look(key)


def folder_look(folder: Path) -> Look:
    """Pictures of a folder by their paths in it, as a build would store them."""

    def look(name: str) -> Image.Image | None:
        reading = Reading()
        try:
            (one,) = raster.read([folder / name], reading=reading, report=lambda _: None)
        except (DataError, OSError):
            return None
        rule = rule_for(one.pixels, values=one.values, window=None, reading=reading)
        return Image.fromarray(to_8bit(one.pixels, rule))

    return look


def _release(where: Release | Path) -> Release | None:
    """The release that lies there; None for a folder of images."""
    if isinstance(where, Release):
        return where
    return Release.open(where) if is_release(where) else None


def is_release(path: Path) -> bool:
    """Whether a release lies there."""
    return (path / "README.md").is_file() and (path / "recipes").is_dir()


def release_look(release: Release, keys: Iterable[str]) -> Look:
    """Pictures of a release, for these keys."""
    wanted = sorted(set(keys))
    places: dict[str, dict[str, Any]] = {}
    for source in release.indexed if wanted else ():
        table = pq.read_table(release.index_path(source), columns=list(PLACE), filters=[("key", "in", wanted)])
        places |= {row["key"]: row for row in table.to_pylist()}
    return lambda key: read_row(release.root, places[key])["image"] if key in places else None


def _kinds(kinds: pa.ChunkedArray) -> dict[str, int]:
    found = Counter(kinds.to_pylist())
    return {"pairs": len(kinds), "exact": found["exact"], "near": found["near"]}


def _sorted_ends(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The ends of a pair in order: which is a and which is b says nothing."""
    ends = sorted((row[0:2], row[2:4]), key=lambda end: [str(value) for value in end])
    return *ends[0], *ends[1], row[4]


def _where(row: dict[str, Any], end: str) -> str:
    return " · ".join(str(row[name]) for name in (f"{end}_source", f"{end}_split") if row[name] is not None) or "folder"


def _facts(result: dict[str, Any], count: int) -> list[tuple[str, str]]:
    """What stands above the pairs on the page."""
    pairs = result["pairs"]
    rows = [(name.replace("_", " "), f"{part['exact']:,} exact, {part['near']:,} near") for name, part in _named(pairs)]
    rows += [("shown here", f"{count:,}, those that cross splits first")]
    rows += [("not shown", words(result["withheld"]))] if result.get("withheld") else []
    return [*rows, *((name.replace("_", " "), f"{value:,}") for name, value in result["search"]["counts"].items())]


def _named(pairs: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    return [("all pairs" if name == "all" else name, part) for name, part in pairs.items() if name != "between"]
