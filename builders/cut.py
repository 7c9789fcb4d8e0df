"""A new release out of chosen samples of another one: their bytes are copied, nothing is decoded or encoded again.

Everything is staged in `OUT.work/` and moved in whole. A cut that was killed goes on where it stopped when it is asked for
again, and starts anew where something else is asked for. The result depends on the original's contents, the choice and
`why` alone, not on workers, order, time or places.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..schema.disk import read_json, write_json
from ..schema.errors import ReleaseError, UsageError
from ..schema.record import with_split
from ..schema.release import Release, work_folder
from ..schema.shard import Place
from ..schema.withdrawn import withdrawn_of, write_withdrawn
from .chosen import Chosen, choice_of, find, told
from .engine import Engine
from .pieces import Contents, Piece, Staging, join_index, pieces, write, write_all
from .recipe import cut_of, recipe_of_cut
from .shards import TARGET_BYTES, ShardReader
from .workspace import locked, versions

Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`copy`), shards done, shards in all and samples so far."""
_MAKES_BYTES = ("medloom", "schema", "pyarrow")


def cut(
    release: Path | str,
    chosen: Chosen,
    out: Path | str,
    *,
    why: Mapping[str, Any],
    workers: int = 1,
    shard_bytes: int = TARGET_BYTES,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Stream chosen samples of a release into a new one at `out`; what it holds now.

    `chosen` has a row per sample with its `key`, and `split` where samples get one (then in every row). `why` says how they
    were chosen: options of the command `medloom select` by name (another command is named by `verb`), without places on
    this machine; the README shows it as the command to repeat. Where `out` holds the same cut already, nothing is done.

    Raises:
        UsageError: a key is unknown, twice there or excluded, a split isn't one of three, a group would stand in two splits,
            nothing is chosen, or `out` is taken or lies inside the release.
        ReleaseError: the release isn't what its recipes and index say.
    """
    original, target, began = Release.open(release), Path(out).resolve(), time.monotonic()
    _refuse_inside(original, target)
    rows = find(original, choice_of(chosen))
    recipes = {source: _recipe(original, source) for source in rows}
    given = {"why": _plain(why), "shard_bytes": shard_bytes, "versions": _versions()}
    cuts = {source: cut_of(recipes[source], chosen=told(some), **given) for source, some in rows.items()}
    _stands(target, cuts)  # a folder that is taken is refused before anything is written beside it
    with locked(target):
        if not _stands(target, cuts):
            _Cut(original, target, recipes, cuts, workers=workers, progress=progress or (lambda *_: None)).run(rows)
        shutil.rmtree(_work(target), ignore_errors=True)
    return _report(original, Release(target), began)


@dataclass(frozen=True, slots=True)
class Copy:
    """A piece and the release that holds its samples."""

    piece: Piece
    release: Path


def copy(task: Copy) -> dict[str, Any]:
    """Write one piece from the original's shards; what the recipe says of it. Done already: just that."""
    return write(task.piece, _contents(task))


def _contents(task: Copy) -> Contents:
    with ShardReader(task.release) as shards:
        for row in task.piece.rows.to_pylist():
            place = Place(row["image_offset"], row["image_size"], row["json_offset"], row["json_size"])
            image, record = shards.read(row["shard"], row["key"], place)
            yield row["key"], image, with_split(record, task.piece.split, was=row["was"])


@dataclass(slots=True)
class _Cut:
    original: Release
    target: Path
    recipes: dict[str, dict[str, Any]]
    cuts: dict[str, dict[str, Any]]
    workers: int = field(kw_only=True)
    progress: Progress = field(kw_only=True)

    @property
    def staged(self) -> Release:
        return Release(_work(self.target) / "release")

    def run(self, rows: dict[str, pa.Table]) -> None:
        """Copy, write index, recipes and README, and put the whole in place."""
        for source, some in rows.items():
            _verify_sizes(self.original, self.recipes[source], some)
        self._prepare()
        for source, shards in self._copied(rows).items():
            index = join_index(self._staging(source), range(len(shards)), source=source)
            recipe = recipe_of_cut(self.recipes[source], self.cuts[source], shards=shards, index=index)
            write_json(self.staged.recipe_path(source), recipe)
        self._verify_unchanged()
        write_withdrawn(self.staged.root, withdrawn_of(self.original.root).of(rows))
        self.staged.write_readme(_work(self.target) / "README.tmp")
        self.staged.root.rename(self.target)

    def _prepare(self) -> None:
        """Begin, or go on with what the same cut left."""
        work = _work(self.target)
        if read_json(work / "plan.json") != self.cuts:
            shutil.rmtree(work, ignore_errors=True)
        self.staged.root.joinpath("recipes").mkdir(parents=True, exist_ok=True)
        write_json(work / "plan.json", self.cuts)

    def _staging(self, source: str) -> Staging:
        return Staging(self.staged.root, _work(self.target) / "scraps" / source)

    def _copied(self, rows: dict[str, pa.Table]) -> dict[str, list[dict[str, Any]]]:
        """Source → its shards, sorted by path."""
        tasks = [
            Copy(piece, self.original.root)
            for source, some in rows.items()
            for piece in pieces(some, self._staging(source), source=source, target_bytes=self.cuts[source]["shard_bytes"])
        ]
        with Engine(self.workers) as engine:
            done = write_all(copy, tasks, engine=engine, tell=partial(self.progress, "copy"))
        shards: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in sorted(done, key=lambda one: one["path"]):
            shards[one["path"].split("/")[1]].append(one)
        return shards

    def _verify_unchanged(self) -> None:
        for source, recipe in self.recipes.items():
            if _recipe(self.original, source)["content_sha256"] != recipe["content_sha256"]:
                raise ReleaseError(f"{source} was rebuilt while it was read; expected it to rest; cut again")


def _work(target: Path) -> Path:
    """Beside the folders of builds into the same release; no source begins with a dot."""
    return work_folder(target) / ".cut"


def _versions() -> dict[str, str]:
    return {name: value for name, value in versions().items() if name in _MAKES_BYTES}


def _plain(why: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(dict(why), sort_keys=True, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(f"why: {error}; expected names with words, numbers and lists of them") from error


def _refuse_inside(original: Release, target: Path) -> None:
    if target == original.root or original.root in target.parents:
        raise UsageError(f"{target} is the release that is cut, or lies inside it; expected a folder of its own")


def _recipe(original: Release, source: str) -> dict[str, Any]:
    recipe = original.recipe(source)
    if recipe is None:
        raise ReleaseError(f"{original.root}: no recipe of {source} any more; expected the release to rest; cut again")
    return recipe


def _verify_sizes(original: Release, recipe: dict[str, Any], rows: pa.Table) -> None:
    """Every shard that holds a chosen sample is as long as the recipe says."""
    sizes = {shard["path"]: shard["bytes"] for shard in recipe["shards"]}
    for shard in rows["shard"].unique().to_pylist():
        path = original.root / shard
        found = path.stat().st_size if path.is_file() else "no such file"
        if shard not in sizes or found != sizes[shard]:
            expected = f"{sizes[shard]} bytes" if shard in sizes else "a shard of the recipe"
            raise ReleaseError(f"{path}: {found}; expected {expected}; `medloom check` names what is broken")


def _stands(target: Path, cuts: dict[str, dict[str, Any]]) -> bool:
    """Whether the same cut is there, whole.

    Raises:
        UsageError: something else is.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    held = {recipe["facts"]["name"]: recipe for recipe in Release(target).recipes()} if target.is_dir() else {}
    if {source: recipe.get("cut") for source, recipe in held.items()} != cuts:
        raise UsageError(f"{target} holds something else than this cut; expected an empty or new folder; name another")
    sizes = {target / shard["path"]: shard["bytes"] for recipe in held.values() for shard in recipe["shards"]}
    if not all(path.is_file() and path.stat().st_size == size for path, size in sizes.items()):
        raise UsageError(f"{target} holds this cut, but not all of its shards; expected it whole; remove it and cut again")
    return True


def _report(original: Release, made: Release, began: float) -> dict[str, Any]:
    recipes = {recipe["facts"]["name"]: recipe for recipe in made.recipes()}
    sources = {
        source: {
            **{name: recipe["cut"][name] for name in ("samples", "of_samples", "moved", "members")},
            **{name: recipe[name] for name in ("splits", "subsets", "content_sha256")},
            "shards": len(recipe["shards"]),
            "bytes": sum(shard["bytes"] for shard in recipe["shards"]),
        }
        for source, recipe in recipes.items()
    }
    sums = {name: sum(one[name] for one in sources.values()) for name in ("samples", "of_samples", "moved", "shards", "bytes")}
    seconds = round(time.monotonic() - began, 3)
    return {"release": str(made.root), "of": str(original.root), **sums, "sources": sources, "seconds": seconds}
