"""Withdraw samples or groups from a release: pixels, records, questions and everything the index told of them.

Shards that hold none of them aren't touched; those that do are written anew without them, every other member as it was. A
shard that becomes empty goes, the others keep their names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ...schema import card_digest
from ...schema import certificate as certificate_form
from ...schema.disk import alone
from ...schema.errors import UsageError
from ...schema.published import Mode, keys_path, mode_of
from ...schema.question_set import FOLDER, INFO, QuestionSet
from ...schema.release import Release, index_name
from ...schema.withdrawn import withdrawn_of, write_withdrawn
from ..duplicates.narrowed import narrowed
from ..workspace import locked
from .journal import RELEASE, Journal
from .meant import Meant, meant, twins
from .questions import Fewer, count, removals
from .questions import without as fewer_questions
from .shares import Left, counted
from .shares import without as less_of

Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`withdraw`), shards done, shards in all and samples that stay in them so far."""
Finish = Callable[[Release], Any]
"""Makes the card of a release anew, where it had one."""
_OWN_WORK = (".withdraw", "lock", "answers", "questions")


def withdraw(
    place: Path | str,
    *,
    keys: Iterable[str] = (),
    groups: Iterable[str] = (),
    reason: str,
    dry_run: bool = False,
    finish: Finish | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Take samples, and whole groups by their pseudonyms, out of a release; what was done, or with `dry_run` would be.

    What was withdrawn already is left alone, so the same call may be made again; after a kill it completes the first one.

    Raises:
        UsageError: no reason, nothing named, a key or group that isn't there, or a source of which the release holds less
            than everything; or a build or another withdrawal holds the release.
        ReleaseError: shards, index and recipes don't agree.
    """
    release, began = Release.open(place), time.monotonic()
    if not reason.strip():
        raise UsageError("an empty reason; expected why it is withdrawn, for whoever finds the gap")
    named: dict[str, Any] = {"keys": frozenset(keys), "groups": frozenset(groups), "reason": reason.strip()}
    if dry_run:
        found = meant(release, **named)
        return _report(release, found, dry_run=True) | _foreseen(release, found) | _seconds(began)
    with ExitStack() as held:
        held.enter_context(locked(release.root))
        for suite in release.suites:
            lock = release.work / FOLDER / f"{suite}.lock"
            held.enter_context(alone(lock, busy=f"{release.root / FOLDER / suite}: it is being asked"))
        journal = Journal(release)
        completed = _completed(journal, finish)
        found = meant(release, **named)
        told = _report(release, found, dry_run=False) | {"completed": completed}
        if found.rows or withdrawn_of(release.root).added(found.tombstones) != withdrawn_of(release.root):
            told |= _staged(journal, found, progress or (lambda *_: None))
            told["card"] = _completed(journal, finish) and told["card"]
    return told | _seconds(began)


def _completed(journal: Journal, finish: Finish | None) -> bool:
    """Make the moves that were committed, and the card anew; whether there were any."""
    moves = journal.complete()
    if moves is not None and moves["card"] and finish is not None:
        finish(journal.release)
    journal.forget()
    return moves is not None


def _staged(journal: Journal, found: Meant, progress: Progress) -> dict[str, Any]:
    """Stage everything that changes and commit it; what is to be told of it."""
    release = journal.release
    journal.begin()
    left, samples, done = dict[str, Left](), 0, 0
    total = sum(len(found.shards(source)) for source in found.sources)

    def tell(_: str, rows: int) -> None:
        nonlocal samples, done
        samples, done = samples + rows, done + 1
        progress("withdraw", done, total, samples)

    olds = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()}
    for source in found.sources:
        left[source] = less_of(journal, source, found, tell=tell)
    suites = {name: fewer_questions(journal, name, found.keys, left, olds=olds) for name in release.suites} if left else {}
    _link_rest(journal)
    write_withdrawn(journal.staged.root, withdrawn_of(release.root).added(found.tombstones))
    certificate = narrowed(release, journal.staged) if left else None
    journal.staged.write_readme(journal.folder / "README.tmp")
    card = [path for path in sorted(card_digest.paths()) if (release.root / path).is_file()]
    remove = [f"{RELEASE}/{path}" for path in (*card, *(path for one in left.values() for path in one.removed))]
    remove += [path for name, fewer in suites.items() for path in removals(name, fewer)]
    news = {name: [olds[name], one.recipe["content_sha256"]] for name, one in left.items()}
    journal.commit(remove, done=news, card=bool(card))
    questions = {name: _questions(release, name, fewer) for name, fewer in suites.items() if fewer.questions}
    written = sum(one["bytes"] for some in left.values() for one in some.recipe["shards"] if one["path"] in some.asked)
    return {"questions": questions, "certificate": certificate, "card": bool(card), "bytes_rewritten": written}


def _link_rest(journal: Journal) -> None:
    """What README and certificate are made from, where it isn't staged anew."""
    release = journal.release
    paths = [f"recipes/{source}.json" for source in release.sources]
    paths += [f"{FOLDER}/{suite}/{INFO}" for suite in release.suites]
    certificate = (release.root / certificate_form.FOLDER / certificate_form.JSON).is_file()
    for recipe in release.recipes() if certificate else ():
        name = recipe["facts"]["name"]
        tables = [keys_path(name)] if mode_of(recipe) is Mode.RECIPE else [index_name(name, one) for one in recipe["index"]]
        paths += tables
    for path in paths:
        if not (journal.staged.root / path).exists() and (release.root / path).is_file():
            journal.link(path)


def _questions(release: Release, suite: str, fewer: Fewer) -> dict[str, Any]:
    """What a suite lost, and where answers lie that it withheld."""
    elsewhere = f"wherever --answers put them, not in {release.work / 'answers' / suite}"
    answers = (fewer.answers or elsewhere) if fewer.withheld else None
    told = {"questions": fewer.questions, "files": len(fewer.files), "files_removed": len(fewer.removed)}
    return told | {"withheld": fewer.withheld, "answers": answers, "answers_mended": bool(fewer.answers)}


def _report(release: Release, found: Meant, *, dry_run: bool) -> dict[str, Any]:
    """What is known before anything is written."""
    sources = {}
    for source in found.sources:
        rows = [row for row in found.rows if row["source"] == source]
        recipe = release.recipe(source)
        assert recipe is not None
        shards, sizes = found.shards(source), {one["path"]: one["samples"] for one in recipe["shards"]}
        emptied = [path for path, keys in shards.items() if len(keys) == sizes.get(path)]
        rewritten = [path for path in shards if path not in emptied]
        counts = {"samples": len(rows), "splits": counted(rows), "shards": len(sizes)}
        sources[source] = counts | {"shards_rewritten": rewritten, "shards_removed": emptied}
    groups = sorted({one.group for one in found.tombstones if one.key is None})
    counts = {"withdrawn": len(found.rows), "already": len(found.already), "groups": groups}
    same, beside = twins(release, found), _beside(release, found.sources)
    nothing = {"questions": {}, "certificate": None, "card": False, "bytes_rewritten": 0, "completed": False}
    told = {"release": str(release.root), "dry_run": dry_run, **counts, "sources": sources, **nothing}
    return told | {"same_pixels": same, "beside": beside}


def _foreseen(release: Release, found: Meant) -> dict[str, Any]:
    shards = {path: keys for source in found.sources for path, keys in found.shards(source).items()}
    counts = {suite: count(QuestionSet(release.root, suite), shards) for suite in release.suites}
    return {"questions": {suite: {"questions": number} for suite, number in counts.items() if number}}


def _beside(release: Release, sources: Collection[str]) -> list[str]:
    """What lies beside the release and may still show a sample: reports, contact sheets, previews, unfinished builds."""
    if not release.work.is_dir():
        return []
    others = {*_OWN_WORK, *release.sources} - set(sources)
    found = [path for path in sorted(release.work.iterdir()) if path.name not in others and path.suffix != ".lock"]
    return [str(path) for path in found if path.is_file() or any(one.is_file() for one in path.rglob("*"))]


def _seconds(began: float) -> dict[str, Any]:
    return {"seconds": round(time.monotonic() - began, 3)}
