"""Faces in head volumes: each volume is put together, measured, and drawn under `RELEASE.work/gate/faces/` for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ....builders.engine import Crashed, Engine
from ....schema.errors import MedLoomError, UsageError
from ....schema.release import Release
from ..verdict import MOST_PLACES, Level, Verdict
from .heads import FACE_CM2, measured
from .rendering import rendered
from .stacks import Stack, stacks, volume

FOLDER = "gate/faces"
_verdict = partial(Verdict, gate="privacy")


@dataclass(frozen=True, slots=True)
class Looked:
    """What one volume shows; an area of None where it couldn't be put together."""

    source: str
    name: str
    face_cm2: float | None
    whole: bool = False

    @property
    def shows_face(self) -> bool:
        """Whether somebody may be recognised."""
        return self.face_cm2 is not None and self.face_cm2 >= FACE_CM2


@dataclass(frozen=True, slots=True)
class Heads:
    """The head volumes of a release, and how many pictures of heads lie in none, by source."""

    stacks: tuple[Stack, ...]
    single: dict[str, int]


def heads_of(release: Release) -> Heads:
    """What the index says of heads."""
    found = {source: stacks(release, source) for source in release.sources}
    return Heads(
        tuple(stack for listed, _ in found.values() for stack in listed),
        {source: count for source, (_, count) in found.items()},
    )


def faces(release: Release, heads: Heads, *, engine: Engine, tick: Callable[[int], None]) -> list[Verdict]:
    """Per source with heads: volumes that show a face, or that none does, and pictures that couldn't be put together."""
    folder = _emptied(release)
    looked: dict[str, list[Looked]] = {}
    for result in engine.run(_look, [(stack, folder) for stack in heads.stacks]):
        one = Looked(result.task[0].source, result.task[0].name, None) if isinstance(result, Crashed) else result
        looked.setdefault(one.source, []).append(one)
        tick(1)
    return [one for source, single in heads.single.items() for one in _about(source, looked.get(source, []), single=single)]


def _emptied(release: Release) -> Path | None:
    """The folder for renderings, without those of an earlier run; None for a release that isn't a folder of one's own."""
    try:
        folder = release.work / FOLDER
    except UsageError:
        return None
    for path in folder.glob("*.png"):
        path.unlink()
    return folder


def _look(task: tuple[Stack, Path | None]) -> Looked:
    stack, folder = task
    try:
        head = measured(volume(stack), modality=stack.modality)
    except (MedLoomError, OSError, ValueError):
        return Looked(stack.source, stack.name, None)
    if folder is not None and head.whole:
        from PIL import Image

        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rendered(head.tissue)).save(folder / f"{'face' if head.shows_face else 'none'}-{stack.name}.png")
    return Looked(stack.source, stack.name, head.face_cm2, head.whole)


def _about(source: str, looked: Iterable[Looked], *, single: int) -> list[Verdict]:
    heads = sorted(looked, key=lambda one: one.name)
    shown = [one for one in heads if one.shows_face]
    unread = [one for one in heads if one.face_cm2 is None]
    verdicts = [_shown(source, shown, len(heads))] if shown else []
    if single or unread:
        verdicts.append(_not_rendered(source, single, unread))
    whole = sum(one.whole for one in heads)
    if heads and not shown:
        found = f"{len(heads)} head volumes, {whole} large enough for a face: none shows skin in front of the brain"
        expected, step = "no face", "nothing to do"
        verdicts.append(
            _verdict(
                code="no-face-seen",
                source=source,
                level=Level.PASS,
                found=found,
                expected=expected,
                next=step,
                count=len(heads),
            )
        )
    return verdicts


def _shown(source: str, shown: list[Looked], volumes: int) -> Verdict:
    return _verdict(
        code="face-visible",
        source=source,
        level=Level.WARN,
        found=f"{len(shown)} of {volumes} head volumes show {FACE_CM2:.0f} cm² or more of a face's surface when put together",
        expected="heads without a recognisable face, or the consent of those whom they belong to",
        next=f"look at the renderings under RELEASE.work/{FOLDER}; deface raw volumes that show one, and build again",
        count=len(shown),
        where=tuple(f"{one.name}: {one.face_cm2:.0f} cm²" for one in shown[:MOST_PLACES]),
    )


def _not_rendered(source: str, single: int, unread: list[Looked]) -> Verdict:
    return _verdict(
        code="heads-not-rendered",
        source=source,
        level=Level.WARN,
        found=f"{single:,} pictures of heads lie in no volume, {len(unread)} volumes can't be put together",
        expected="volumes whose slices have a place, so that a face would be seen",
        next="look at them: a slice through the middle of a head shows a profile",
        count=single + len(unread),
        where=tuple(one.name for one in unread[:MOST_PLACES]),
    )
