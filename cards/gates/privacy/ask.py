"""The privacy gate as a whole: files, shards, pictures that may show words, and heads that may show faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ....builders.engine import Crashed, Engine
from ....schema.published import shards_of
from ....schema.release import Release
from ..verdict import Level, Progress, Verdict
from .burned_in import burned_in, pictures_to_read, words_read
from .faces import faces, heads_of
from .files import Own, file_told, name_told, own_of
from .findings import Finding, Tallies, joined, tallied, verdicts_of
from .ocr import demand
from .shards import Seen, Shard, seen

PICTURES = 200
"""Pictures per source that the text detector looks at."""
_FOLDERS = ("data", "records", "index", "questions", "recipes")


def privacy(
    release: Release, *, ocr: bool = False, workers: int = 1, progress: Progress | None = None, ocr_pictures: int = PICTURES
) -> list[Verdict]:
    """What a release says of persons: identifiers in words, names and files, suspected words in pixels, faces.

    Args:
        release: The folder as it stands.
        ocr: Whether a text detector reads pictures; needs the extra `ocr`.
        workers: Processes for what reads pixels.
        progress: Called with what was looked at and what there is: samples, pictures read, head volumes.
        ocr_pictures: Pictures of each source that the detector reads; 0 for all of them.

    Raises:
        UsageError: a text detector is asked for and isn't installed.
    """
    if ocr:
        demand()
    own, heads = own_of(release.recipes()), heads_of(release)
    shards = list(_shards(release, own))
    pictures = pictures_to_read(release, most=ocr_pictures) if ocr else []
    tick = _ticker(progress, sum(shard.samples for shard in shards) + len(heads.stacks) + len(pictures))
    found: dict[str | None, Tallies] = {}
    with Engine(workers) as engine:
        for one in _looked(release, shards, own=own, engine=engine):
            joined(found.setdefault(one.source, {}), one.tallies)
            tick(one.done)
        read = words_read(release, pictures, engine=engine, tick=tick)
        faced = faces(release, heads, engine=engine, tick=tick)
    verdicts = [verdict for source in (*release.sources, None) for verdict in _about(source, found.get(source, {}))]
    return [*verdicts, *burned_in(release), *read, *faced]


def _ticker(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Counts what is done, and tells it."""
    done = 0

    def tick(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None and more:
            progress(done, total)

    return tick


def _about(source: str | None, tallies: Tallies) -> list[Verdict]:
    found = verdicts_of(source, tallies)
    return found or [
        Verdict(
            gate="privacy",
            code="no-identifiers-found",
            source=source,
            level=Level.PASS,
            found="no identifier in words, names, pictures' bytes and archives",
            expected="none",
            next="nothing to do",
        )
    ]


def _looked(release: Release, shards: Sequence[Shard], *, own: Own, engine: Engine) -> Iterator[Seen]:
    """What was found in each file, and in each shard as they come."""
    listed = {shard.path for shard in shards}
    for path in sorted(_paths(release.root)):
        yield Seen(_source_of(path, release), 0, _file(release.root, path, listed=listed, own=own))
    for result in engine.run(seen, shards):
        yield _crashed(result) if isinstance(result, Crashed) else result


def _shards(release: Release, own: Own) -> Iterator[Shard]:
    """Every tar that lies there, with what its recipe says of it; strays too."""
    told = {
        shard["path"]: (recipe["facts"]["name"], shard["samples"])
        for recipe in release.recipes()
        for shard in shards_of(recipe)
    }
    for path in sorted(one for one in _paths(release.root) if one.endswith(".tar")):
        source, samples = told.get(path, (_source_of(path, release) or "", 0))
        yield Shard(release.root, path, source, samples, dict(own.versions))


def _file(root: Path, path: str, *, listed: set[str], own: Own) -> Tallies:
    tallies = tallied(name_told(path))
    if path not in listed:
        joined(tallies, tallied(file_told(root, path, own=own)))
    return tallies


def _crashed(result: Crashed) -> Seen:
    task: Any = result.task
    return Seen(task.source, task.samples, tallied([Finding("opaque-file", "a shard that kills its reader", task.path)]))


def _paths(root: Path) -> Iterator[str]:
    return (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _source_of(path: str, release: Release) -> str | None:
    """The source that a file is about: by the folder below data/, index/, …, or by the recipe's name."""
    folder, *rest = path.split("/")
    named = [part.removesuffix(".json") for part in rest] if folder in _FOLDERS else []
    return next((part for part in named if part in release.sources), None)
