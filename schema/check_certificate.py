"""Prove a certificate of duplicates without pixels: by itself, and against the index of the release that it belongs to.

By itself: the tables are those whose digests it states, their rows agree with each other, its counts and verdict follow
from them, no group stands on two sides, and every edge lies inside one split. Against the index: the same content, the
same groups and splits, and just the exact edges that the index's pixel hashes give. Near edges need pixels to be found;
they are taken as stated.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import certificate as form
from .errors import Issue, ReleaseError
from .published import Mode, mode_of
from .release import Release, content_sha256
from .sample import SPLITS

MOST = 20
"""Faults of one kind that are named; the last says how many more there are."""
ANEW = "make it anew: `medloom certificate RELEASE`"
APART = "set it right: `medloom duplicates RELEASE --apart --out DIR`"
_TWO_SIDES, _ACROSS = "group-on-two-sides", "edge-crosses-splits"
_COUNTED = {"counts": form.counts, "verdict": form.verdict}


def verify(path: Path | str) -> dict[str, Any]:
    """Scope (`release`, or `certificate` where there is no index), counts, verdict as recounted, and every fault found.

    Raises:
        ReleaseError: no certificate there.
    """
    root = Path(path)
    folder = root if (root / form.JSON).is_file() else root / form.FOLDER
    if not (folder / form.JSON).is_file():
        raise ReleaseError(
            f"{path}: no {form.FOLDER}/{form.JSON}; expected a certificate; `medloom certificate RELEASE` makes one"
        )
    release = Release.open(root) if (root / "recipes").is_dir() and folder != root else None
    stated, tables, faults = _opened(folder)
    if release is not None and tables is not None:
        faults += [*_content_faults(release), *_index_faults(release, stated, tables)]
    found = (
        {"counts": form.counts(**tables), "verdict": form.verdict(**tables)} if tables else {"counts": None, "verdict": None}
    )
    shown = [{name: str(value) for name, value in asdict(fault).items()} for fault in faults]
    return {"certificate": str(folder), "scope": "release" if release else "certificate", **found, "faults": shown}


def faults_of(release: Release) -> list[Issue]:
    """Whether the release's certificate is whole, true and of this content; nothing where it has none.

    One that truly says that something crosses is sound; whether that may be is for `verify` to say. The index is taken as
    it is.
    """
    folder = release.root / form.FOLDER
    if not folder.is_dir():
        return []
    stated, tables, faults = _opened(folder)
    faults = [fault for fault in faults if fault.code not in (_TWO_SIDES, _ACROSS)]
    return faults if tables is None else [*faults, *_index_faults(release, stated, tables)]


def _opened(folder: Path) -> tuple[dict[str, Any], dict[str, pa.Table] | None, list[Issue]]:
    """What the certificate states, its tables, and its own faults; without tables where they can't be read."""
    try:
        stated = json.loads((folder / form.JSON).read_text(encoding="utf-8"))
        if not isinstance(stated, dict) or stated.get("format") != form.FORMAT:
            raise ValueError("another format")
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in form.TABLES}
        wrong = [name for name, table in tables.items() if not table.schema.equals(form.SCHEMAS[name])]
        if wrong:
            raise ValueError(f"other columns in {', '.join(wrong)}.parquet")
    except (OSError, ValueError, pa.ArrowException) as error:
        return {}, None, [_fault("bad-certificate", form.FOLDER, f"{error}"[:200], f"the files of {form.FORMAT}")]
    return stated, tables, [*_digest_faults(folder, stated), *_table_faults(**tables), *_statement_faults(stated, tables)]


def _digest_faults(folder: Path, stated: dict[str, Any]) -> Iterator[Issue]:
    for name in form.TABLES:
        with (folder / f"{name}.parquet").open("rb") as stream:
            found, expected = file_digest(stream, "sha256").hexdigest(), str(_of(stated, "tables", name))
        if found != expected:
            where = f"{form.FOLDER}/{name}.parquet"
            yield _fault("digest-differs", where, f"SHA-256 {found[:16]}…", f"{expected[:16]}… as the certificate says")


def _table_faults(groups: pa.Table, edges: pa.Table) -> Iterator[Issue]:
    if not groups.equals(_in_order(groups, 2)) or not edges.equals(form.edges_of(edges)):
        yield _fault("bad-certificate", form.FOLDER, "rows out of order, repeated or reversed", "each once, in order")
    if not pc.all(pc.is_in(groups["split"], pa.array(SPLITS))).as_py():
        yield _fault("bad-certificate", f"{form.FOLDER}/groups.parquet", "another split", f"one of {', '.join(SPLITS)}")
    known = set(zip(*_lists(groups, "group", "split"), strict=True))
    yield from _at_most(
        _fault("unknown-group", _pair(edge), f"no such group in {edge[f'split_{end}']}", "ends that groups.parquet lists")
        for edge in edges.to_pylist()
        for end in "ab"
        if (edge[f"group_{end}"], edge[f"split_{end}"]) not in known
    )
    yield from _at_most(_crossings(groups))
    across = edges.filter(pc.not_equal(edges["split_a"], edges["split_b"])).to_pylist()
    yield from _at_most(
        _fault(
            "edge-crosses-splits", _pair(edge), f"{edge['kind']} copies in {edge['split_a']} and {edge['split_b']}", "one split"
        )
        for edge in across
    )


def _crossings(groups: pa.Table) -> Iterator[Issue]:
    sides: dict[str, str] = {}
    for group, split in zip(*_lists(groups, "group", "split"), strict=True):
        if group in sides:
            yield Issue(_TWO_SIDES, f"group {group[:16]}…", f"in {sides[group]} and {split}", "one split", "rebuild the source")
        sides[group] = split


def _statement_faults(stated: dict[str, Any], tables: dict[str, pa.Table]) -> Iterator[Issue]:
    for name, count in _COUNTED.items():
        found = count(**tables)
        wrong = [key for key, value in found.items() if _of(stated, name, key) != value]
        if wrong:
            where = f"{form.FOLDER}/{form.JSON} {name}"
            yield _fault("certificate-differs", where, f"another {', '.join(wrong)}", f"{found}, as the tables have it")


def _content_faults(release: Release) -> Iterator[Issue]:
    """Whether index and recipes belong together; the shards themselves may be absent."""
    for recipe in release.recipes():
        name = recipe["facts"]["name"]
        if recipe["content_sha256"] != content_sha256(recipe["shards"], recipe["index"]):
            yield Issue("digest-differs", f"recipes/{name}.json", "another content_sha256", "that of its lists", "rebuild it")
        for table, digest in recipe["index"].items() if mode_of(recipe) is not Mode.RECIPE else ():
            path = release.index_path(name, table)
            if not path.is_file() or _sha256(path) != digest:
                found = "another SHA-256" if path.is_file() else "no such file"
                yield Issue(
                    "digest-differs", f"index/{name}/{table}.parquet", found, "that of the recipe", "rebuild the source"
                )


def _index_faults(release: Release, stated: dict[str, Any], tables: dict[str, pa.Table]) -> Iterator[Issue]:
    wanted = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()}
    content = stated.get("content") if isinstance(stated.get("content"), dict) else {}
    assert isinstance(content, dict)
    other = sorted(name for name in wanted.keys() | content.keys() if wanted.get(name) != content.get(name))
    if other:
        yield _fault(
            "stale-certificate", form.FOLDER, f"made of other content of {', '.join(other)}", "the content of this release"
        )
    if any(mode_of(recipe) is Mode.RECIPE for recipe in release.recipes()):
        return  # groups of a source whose index is withheld can't be counted again
    try:
        samples = form.samples_of(release)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        yield Issue("bad-index", "index", f"{error}"[:200], "the samples tables of all sources", "rebuild the source")
        return
    exact = tables["edges"].filter(pc.equal(tables["edges"]["kind"], form.EXACT))
    yield from _differences("group-differs", tables["groups"], form.groups_of(samples))
    yield from _differences("edge-differs", exact, form.exact_edges(samples))


def _differences(code: str, found: pa.Table, wanted: pa.Table) -> Iterator[Issue]:
    if found.combine_chunks().equals(wanted):
        return
    stated, true = ({tuple(row.values()) for row in table.to_pylist()} for table in (found, wanted))
    for rows, seen, expected in (
        (stated - true, "stated", "what the index has"),
        (true - stated, "not stated", "every row of the index"),
    ):
        yield from _at_most(_fault(code, _row(row), seen, expected) for row in sorted(rows))


def _at_most(faults: Iterable[Issue]) -> Iterator[Issue]:
    last, more = None, 0
    for number, fault in enumerate(faults):
        if number < MOST:
            yield fault
        else:
            last, more = fault, more + 1
    if last is not None:
        yield Issue(last.code, form.FOLDER, f"{more:,} more", last.expected, last.next, last.severity)


def _in_order(table: pa.Table, columns: int) -> pa.Table:
    names = table.schema.names[:columns]
    whole = table.group_by(table.schema.names).aggregate([]).select(table.schema.names)
    return whole.sort_by([(name, "ascending") for name in names]).cast(table.schema)


def _lists(table: pa.Table, *names: str) -> list[list[str]]:
    return [table[name].to_pylist() for name in names]


def _of(stated: dict[str, Any], name: str, key: str) -> Any:
    inner = stated.get(name)
    return inner.get(key) if isinstance(inner, dict) else None


def _pair(edge: dict[str, Any]) -> str:
    return f"groups {edge['group_a'][:16]}… and {edge['group_b'][:16]}…"


def _row(row: tuple[Any, ...]) -> str:
    return ", ".join(f"{value[:16]}…" if isinstance(value, str) and len(value) > 16 else str(value) for value in row)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _fault(code: str, where: str, found: str, expected: str) -> Issue:
    return Issue(code, where, found, expected, ANEW)
