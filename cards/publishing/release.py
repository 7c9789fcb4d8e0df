"""`medloom publish` as a thread: stage, card, gates, look at the repository, plan, send."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...schema.disk import alone
from ...schema.errors import UsageError
from ...schema.gate_overrides import Override, overrides_of, record_overrides
from ...schema.published import Mode
from ...schema.release import Release
from ..card.card import card
from ..gates.gate import GATES, Report, gate
from ..gates.justify import override_of
from ..gates.terms import families
from ..gates.verdict import overridden
from .plan import repository_of
from .publish import prepared, upload
from .stage import known, stage
from .target import Target

Progress = Callable[[str, int, int], None]
"""Called with what is being done, done and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a release is to be published."""

    modes: Mapping[str, Mode] = field(default_factory=dict)
    split_by_licence: bool = False
    overrides: Sequence[str] = ()
    """Of the form `CODE[:SOURCE]=REASON`; recorded in the release."""
    version: str | None = None
    """Tag; the version of the contents unless given."""
    dry_run: bool = False
    gates: Sequence[str] = GATES
    ocr: bool = False
    workers: int = 1


def publish(release: Release, target: Target, *, wish: Wish, progress: Progress | None = None) -> dict[str, Any]:
    """Publish a release, or say what that would do; `published` is False where a gate refuses, and then nothing was sent.

    Raises:
        UsageError: no token, an unknown source or mode, an override about nothing, or somebody else's repository.
        ReleaseError: a file of the release can't be read.
        PublishError: the Hub can't be reached or refuses; running it again goes on.
    """
    known(release, wish.modes)
    target.ready()
    with alone(release.work / "publish.lock", busy=f"{release.root} is being published already"):
        try:
            parts = [_part(release, *one, wish=wish) for one in _targets(release, target, wish)]
            parts = _justified(release, [_judged(one, wish, progress) for one in parts], wish)
            passed = all(part.report.passed for part in parts)
            told = [_told(part, wish, progress, send=passed and not wish.dry_run) for part in parts]
        finally:
            shutil.rmtree(_place(release), ignore_errors=True)
    done = {"release": str(release.root), "passed": passed, "dry_run": wish.dry_run}
    return done | {"published": passed and not wish.dry_run, "repositories": told}


@dataclass(frozen=True, slots=True)
class _Part:
    """One repository's share of the release, and what the gates say of it."""

    staged: Release
    target: Target
    report: Report


def _place(release: Release) -> Path:
    return release.work / "publish"


def _targets(release: Release, target: Target, wish: Wish) -> list[tuple[Target, list[str] | None]]:
    """The repositories and the sources that each gets: one with all, or one per family of licences."""
    if not wish.split_by_licence:
        return [(target, None)]
    found = families(release, modes=wish.modes)
    return [(replace(target, repo=repository_of(target.repo, name)), sources) for name, sources in found.items()]


def _part(release: Release, target: Target, sources: Sequence[str] | None, *, wish: Wish) -> _Part:
    modes = {name: mode for name, mode in wish.modes.items() if sources is None or name in sources}
    staged = stage(release, _place(release) / target.repo.replace("/", "--"), modes=modes, sources=sources)
    card(staged, repo=target.repo)
    return _Part(staged, target, Report(staged, ()))


def _judged(part: _Part, wish: Wish, progress: Progress | None) -> _Part:
    """The part with what the gates say of exactly what would be published."""
    show = progress or (lambda *_: None)
    return replace(part, report=gate(part.staged, gates=wish.gates, ocr=wish.ocr, workers=wish.workers, progress=show))


def _justified(release: Release, parts: list[_Part], wish: Wish) -> list[_Part]:
    """The parts with the reasons that were given, each where it is about something; the release keeps them too.

    Raises:
        UsageError: a reason is about nothing that the gates found anywhere.
    """
    if not wish.overrides:
        return parts
    fitting = [[one for part in parts if (one := _fits(part, words))] for words in wish.overrides]
    for words, some in zip(wish.overrides, fitting, strict=True):
        if not some:
            override_of(parts[0].report, words)
    if not wish.dry_run:
        record_overrides(release.root, [one for some in fitting for one in some])
    for part in parts:
        record_overrides(part.staged.root, [one for words in wish.overrides if (one := _fits(part, words))])
        card(part.staged, repo=part.target.repo)
    known = [tuple(overridden(part.report.verdicts, overrides_of(part.staged.root))) for part in parts]
    return [replace(part, report=replace(part.report, verdicts=some)) for part, some in zip(parts, known, strict=True)]


def _fits(part: _Part, words: str) -> Override | None:
    try:
        return override_of(part.report, words)
    except UsageError:
        return None


def _told(part: _Part, wish: Wish, progress: Progress | None, *, send: bool) -> dict[str, Any]:
    """What the upload of a part does, or would do; nothing is asked of the Hub where a gate refuses."""
    told: dict[str, Any] = {"repo": part.target.repo, "branch": part.target.branch, "gates": part.report.as_json()}
    if not part.report.passed and not wish.dry_run:
        return told
    remote, todo, tag = prepared(part.staged, part.target, version=wish.version)
    told |= {"exists": remote.head is not None, "version": tag, "plan": todo.as_json()}
    if not send:
        return told
    return told | {"done": upload(part.staged, part.target, remote=remote, todo=todo, tag=tag, progress=progress)}
