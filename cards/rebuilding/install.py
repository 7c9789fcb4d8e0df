"""A rebuilt source is moved into a release: folder by folder, so that a rerun completes what a kill broke off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...schema import card_digest, gate_overrides, withdrawn
from ...schema.disk import write_json
from ...schema.errors import UsageError
from ...schema.gate_overrides import overrides_of, record_overrides
from ...schema.published import Mode
from ...schema.question_set import FOLDER, INFO, MADE_FROM, REVIEW, QuestionSet, names
from ...schema.release import Release
from ...schema.withdrawn import withdrawn_of, write_withdrawn
from ..publishing.asked import asked_of
from .wanted import Wanted, verify

Infos = Mapping[str, Mapping[str, Any]]
"""Suite → what its `suite.json` says."""


def suites_of(wanted: Wanted) -> dict[str, dict[str, Any]]:
    """The published suites that were asked about the source; none where only its recipe is published."""
    if wanted.mode is Mode.RECIPE:
        return {}
    infos = {name: QuestionSet(wanted.release.root, name).info for name in wanted.release.suites}
    return {name: info for name, info in infos.items() if wanted.source in info["sources"]}


def questions_about(info: Mapping[str, Any], source: str) -> list[Mapping[str, Any]]:
    """Files of a suite with questions about a source."""
    return [one for one in info["files"] if one["questions"] and one["shard"].split("/")[1] == source]


def refuse_other_suites(out: Path, infos: Infos, *, source: str) -> None:
    """Refuse before anything is built what couldn't be put together.

    Raises:
        UsageError: the release has a suite of the same name that was made otherwise.
    """
    for name in sorted(set(infos) & set(names(out))):
        own, given = QuestionSet(out, name).info, infos[name]
        differing = [entry for entry in MADE_FROM if entry != "sources" and own[entry] != given[entry]]
        others = {one: digest for one, digest in own["sources"].items() if one != source}
        differing += [one for one, digest in others.items() if given["sources"].get(one) != digest]
        if differing:
            found = f"{out} holds another suite {name}: other {', '.join(differing)}"
            raise UsageError(f"{found}; expected the published one or none; rebuild into a release of its own")


def stage_questions(wanted: Wanted, infos: Infos, staged: Path) -> None:
    """Copy the published question files of the source.

    Raises:
        ReleaseError: one is absent, or another one than its suite says.
    """
    for name, info in infos.items():
        root = f"{FOLDER}/{name}"
        wanted.release.fetch([f"{root}/{REVIEW}", *(f"{root}/{one['path']}" for one in questions_about(info, wanted.source))])
        for one in questions_about(info, wanted.source):
            path, target = wanted.release.root / root / one["path"], staged / root / one["path"]
            verify(path, one["sha256"])
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def linked(source: Path, target: Path) -> None:
    """The file under a second name, or a copy where the disk has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def put_in_place(wanted: Wanted, out: Release, staged: Path, *, recipe: dict[str, Any], infos: Infos) -> None:
    """Move what is staged into the release; every step may be repeated after a kill."""
    name = wanted.source
    for part in ("data", "index"):
        _move(staged / part / name, out.root / part / name, keep=part == "index" or bool(recipe["shards"]))
    for suite in sorted(set(names(out.root)) - set(infos)):
        _forget(QuestionSet(out.root, suite), name)
    for suite, info in infos.items():
        _move(staged / FOLDER / suite / name, out.root / FOLDER / suite / name, keep=True)
        stands = asked_of(info, {name, *_held(out, suite, info)})
        if not stands["questions"]:
            continue
        if (wanted.release.root / FOLDER / suite / REVIEW).is_file():
            shutil.copyfile(wanted.release.root / FOLDER / suite / REVIEW, out.root / FOLDER / suite / REVIEW)
        write_json(out.root / FOLDER / suite / INFO, stands)
    _entries(wanted, out.root)
    temporary = staged / "recipe.tmp"
    write_json(temporary, recipe)
    out.root.joinpath("recipes").mkdir(parents=True, exist_ok=True)
    temporary.replace(out.recipe_path(name))
    out.write_readme(staged / "README.tmp")
    if (out.root / card_digest.DATASHEET).is_file():
        from ..card.card import card

        card(out)


def _held(out: Release, suite: str, info: Mapping[str, Any]) -> Iterator[str]:
    """Sources of a suite that a release holds with the same contents, and all questions about them."""
    for name, digest in info["sources"].items():
        recipe = out.recipe(name)
        files = (out.root / FOLDER / suite / one["path"] for one in questions_about(info, name))
        if recipe is not None and recipe["content_sha256"] == digest and all(path.is_file() for path in files):
            yield name


def _forget(asked: QuestionSet, source: str) -> None:
    """Take a source out of a suite whose questions were about what it was before."""
    info = asked.info
    rest = set(info["sources"]) - {source}
    if len(rest) == len(info["sources"]):
        return
    if not asked_of(info, rest)["questions"]:
        shutil.rmtree(asked.root)
        return
    write_json(asked.root / INFO, asked_of(info, rest))
    shutil.rmtree(asked.root / source, ignore_errors=True)


def stale_suites(out: Release) -> list[str]:
    """Suites of a release that weren't asked about all it holds: those have to be asked again."""
    held = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in out.recipes()}
    return [name for name in out.suites if QuestionSet(out.root, name).info["sources"] != held]


def _entries(wanted: Wanted, root: Path) -> None:
    """Reasons and tombstones of the source, beside those of others."""
    overrides = [one for one in overrides_of(wanted.release.root) if one.source == wanted.source]
    if overrides:
        (root / gate_overrides.FILE).parent.mkdir(parents=True, exist_ok=True)
        record_overrides(root, overrides)
    gone = withdrawn_of(wanted.release.root).of([wanted.source])
    if gone.tombstones:
        assert (root / withdrawn.FILE).parent.is_dir()
        write_withdrawn(root, withdrawn_of(root).added(gone.tombstones))


def _move(ready: Path, final: Path, *, keep: bool) -> None:
    if ready.exists():
        shutil.rmtree(final, ignore_errors=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        ready.rename(final)
    elif not keep:
        shutil.rmtree(final, ignore_errors=True)
