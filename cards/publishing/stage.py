"""A release as it will be published: the folder that the repository will equal, made of hard links where nothing changes.

Of a source in the mode `annotations` the shards give way to tars of records; of one in the mode `recipe` shards, index and
questions to a table of keys. Recipes say so in their entry `published`, and otherwise stay those of the whole source.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from tarfile import TarError
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...builders.duplicates.narrowed import narrowed
from ...builders.shards import ShardWriter
from ...schema import card_digest, certificate
from ...schema.disk import read_json, write_json
from ...schema.errors import ReleaseError, UsageError
from ...schema.published import ENTRY, Mode, keys_path, keys_table, mode_of, records_path
from ...schema.question_set import FOLDER, INFO, REVIEW, QuestionSet
from ...schema.release import Release
from ...schema.shard import pairs
from .asked import asked_of

AS_THEY_ARE = (card_digest.DATASHEET, card_digest.CROISSANT)
BY_SOURCE = ("overrides.json", "withdrawn.json")
"""Lists of objects, each about a source or, without one, about all."""
_LESS = (Mode.FULL, Mode.ANNOTATIONS, Mode.RECIPE)


def stage(
    release: Release, out: Path, *, modes: Mapping[str, Mode] | None = None, sources: Sequence[str] | None = None
) -> Release:
    """The release at `out` that holds as much of each source as its mode says, with README (and card) made anew.

    The same release, modes and sources give the same bytes. Files are hard links where the disk can, and never written to.

    Args:
        release: A folder that is whole.
        out: A folder to make; what lies there goes.
        modes: Source → how much of it; sources that aren't named as much as the release holds.
        sources: Which ones; all of them unless given.

    Raises:
        UsageError: an unknown source, none at all, or more of one than the release holds.
        ReleaseError: a file that a recipe lists isn't there, or can't be read.
    """
    chosen = _chosen(release, sources)
    wanted = {recipe["facts"]["name"]: _mode(recipe, modes or {}) for recipe in chosen}
    known(release, modes or {})
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    staged = Release(out.resolve())
    for recipe in chosen:
        write_json(staged.recipe_path(recipe["facts"]["name"]), _source(release, staged, recipe, wanted))
    _questions(release, staged, wanted)
    _certificate(release, staged)
    _others(release, staged)
    staged.write_readme(out / ".README.md.tmp")
    if (out / card_digest.DATASHEET).is_file():
        from ..card.card import card

        card(staged)
    return staged


def _chosen(release: Release, sources: Sequence[str] | None) -> list[dict[str, Any]]:
    known(release, sources or ())
    chosen = [recipe for recipe in release.recipes() if sources is None or recipe["facts"]["name"] in sources]
    if not chosen:
        raise UsageError(f"{release.root}: no source to publish; expected at least one; build one into it first")
    return chosen


def known(release: Release, names: Sequence[str] | Mapping[str, Mode]) -> None:
    """See to it that the release holds all sources that are named.

    Raises:
        UsageError: it doesn't.
    """
    strange = sorted(set(names) - set(release.sources))
    if strange:
        raise UsageError(f"source {strange[0]!r} isn't in {release.root}; expected one of {', '.join(release.sources)}")


def _mode(recipe: Mapping[str, Any], modes: Mapping[str, Mode]) -> Mode:
    name, held = recipe["facts"]["name"], mode_of(recipe)
    mode = modes.get(name, held)
    if _LESS.index(mode) < _LESS.index(held):
        raise UsageError(f"{name}: mode {mode}; expected at most {held}, which is all the release holds; rebuild it from raw")
    return mode


def _source(release: Release, staged: Release, recipe: dict[str, Any], modes: Mapping[str, Mode]) -> dict[str, Any]:
    """Lay down what a source's mode leaves of it; its recipe."""
    name, held = recipe["facts"]["name"], mode_of(recipe)
    mode = modes[name]
    plain = {key: value for key, value in recipe.items() if key != ENTRY}
    if mode is held:
        for path in _files(recipe):
            _linked(release.root / path, staged.root / path)
        return recipe
    if mode is Mode.RECIPE:
        return plain | {ENTRY: {"mode": mode.value, "shards": [], "keys": _keys(release, staged, name)}}
    for table in recipe["index"]:
        _linked(release.index_path(name, table), staged.index_path(name, table))
    return plain | {ENTRY: {"mode": mode.value, "shards": [_records(release, staged, one) for one in recipe["shards"]]}}


def _files(recipe: Mapping[str, Any]) -> Iterator[str]:
    """What a release holds of a source, its recipe aside."""
    name, mode = recipe["facts"]["name"], mode_of(recipe)
    if mode is Mode.RECIPE:
        yield keys_path(name)
        return
    yield from (f"index/{name}/{table}.parquet" for table in recipe["index"])
    yield from (shard["path"] for shard in (recipe["shards"] if mode is Mode.FULL else recipe[ENTRY]["shards"]))


def _records(release: Release, staged: Release, shard: Mapping[str, Any]) -> dict[str, Any]:
    """Write the records of a shard as a tar; it as the recipe lists it."""
    path = records_path(shard["path"])
    target = staged.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with told(release.root / shard["path"]), ShardWriter(target, target.with_name(f".{target.name}.tmp")) as writer:
        for key, _, record, _ in pairs(release.root / shard["path"]):
            writer.add_record(key, record)
        written = writer.finish()
    return {name: shard[name] for name in ("split", "subsets", "samples")} | {"path": path} | written


def _keys(release: Release, staged: Release, source: str) -> str:
    """Write the keys of a source; their SHA-256."""
    target = staged.root / keys_path(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with told(release.index_path(source)):
        pq.write_table(keys_table(pq.read_table(release.index_path(source))), target, compression="zstd")
    with target.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _questions(release: Release, staged: Release, modes: Mapping[str, Mode]) -> None:
    """Question files of the sources that stay; a suite of which none stays goes."""
    for name in release.suites:
        suite = QuestionSet(release.root, name)
        info = asked_of(suite.info, set(modes))
        kept = [one for one in info["files"] if one["questions"] and modes[one["shard"].split("/")[1]] is not Mode.RECIPE]
        if not kept:
            continue
        target = staged.root / FOLDER / name
        for one in kept:
            _linked(suite.root / one["path"], target / one["path"])
        if (suite.root / REVIEW).is_file():
            _linked(suite.root / REVIEW, target / REVIEW)
        if info == suite.info:
            _linked(suite.root / INFO, target / INFO)
        else:
            write_json(target / INFO, info)


def _certificate(release: Release, staged: Release) -> None:
    """The certificate as it is about all sources; of fewer narrowed to their groups, unless keys alone are left of one."""
    if staged.sources == release.sources:
        for path in sorted(certificate.paths()):
            if (release.root / path).is_file():
                _linked(release.root / path, staged.root / path)
    elif staged.indexed == staged.sources:
        narrowed(release, staged)


def _others(release: Release, staged: Release) -> None:
    """What stands beside the sources."""
    for name in AS_THEY_ARE:
        if (release.root / name).is_file():
            shutil.copyfile(release.root / name, staged.root / name)
    for name in BY_SOURCE:
        if (release.root / name).is_file():
            entries = read_json(release.root / name) or []
            kept = [one for one in entries if one["source"] in (None, *staged.sources)]
            if kept:
                write_json(staged.root / name, kept)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Faults of reading a file as ours."""
    try:
        yield
    except (OSError, TarError, pa.ArrowException) as error:
        raise ReleaseError(f"{path}: {error}; expected it as it was built; `medloom check` says more") from error


def _linked(source: Path, target: Path) -> None:
    if not source.is_file():
        raise ReleaseError(f"{source}: no such file; expected what recipes and suites list; `medloom check` says more")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
