"""Question sets as files for Label Studio: tasks, in parts that it takes at once, and its labeling interface."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schema.errors import UsageError
from ...schema.picture_rights import Hidden, hidden
from ...schema.question import Question
from . import picked
from .label_studio import labeling, task

if TYPE_CHECKING:
    from ...schema.release import Release

LABELING, IMAGES = "labeling.xml", "images"
AT_ONCE = 1024
"""Questions whose samples are looked up together."""
PART_BYTES = 100_000_000
"""Of one file of tasks; Label Studio takes up to 250 MiB, its DATA_UPLOAD_MAX_MEMORY_SIZE."""


def export(
    release: Release,
    suite: str,
    out: Path,
    *,
    count: int | None = None,
    seed: int = 0,
    images_at: str | None = None,
    answers: Path | None = None,
    all_pictures: bool = False,
    part_bytes: int = PART_BYTES,
) -> dict[str, Any]:
    """What was written to a folder: `tasks.json`, where needed `tasks-2.json` and so on, and `labeling.xml`.

    Args:
        release: Whose questions.
        suite: Which set of them.
        out: The folder; files of an earlier export are replaced.
        count: So many questions of each kind, drawn by the seed; None takes all, in the order of the files.
        seed: Of the draw.
        images_at: Where Label Studio will find the folder `images/` that is then written: an address, or a path that it
            serves. Without it each task holds its image as a data URI.
        answers: The private folder of withheld answers.
        all_pictures: Writes tasks too whose pictures nobody may pass on, as far as is known; else they are left out and
            counted.
        part_bytes: A file of tasks that has reached this size ends.

    Raises:
        UsageError: there is no such set, or its answers are withheld.
        ReleaseError: a question's image is missing.
    """
    files = picked.files_of(release, suite, answers=answers)
    unseen = Hidden(frozenset(), frozenset()) if all_pictures else hidden(release)
    drawn = picked.every(files) if count is None else picked.pick(files, count=count, seed=seed, hidden=unseen)
    every = (one for one in drawn if not unseen.holds(one.source, one.key))
    counted: Counter[str] = Counter()
    lines = _lines(release, every, out, images_at=images_at, counted=counted)
    out.mkdir(parents=True, exist_ok=True)
    parts = _written(lines, out, part_bytes=part_bytes)
    (out / LABELING).write_text(labeling(), encoding="utf-8")
    told = {"suite": suite, "questions": counted.total(), "kinds": dict(counted)}
    told |= {"withheld": picked.left_out(files, unseen), "bytes": sum(path.stat().st_size for path in parts)}
    return told | {"tasks": [str(path) for path in parts], "labeling": str(out / LABELING)}


def _lines(
    release: Release, questions: Iterator[Question], out: Path, *, images_at: str | None, counted: Counter[str]
) -> Iterator[str]:
    """Every task as one line of JSON."""
    for one in _asked(release, questions):
        counted[one.question.kind.value] += 1
        image = _data_uri(one) if images_at is None else _beside(one, out / IMAGES, images_at)
        yield json.dumps(task(one, image), ensure_ascii=False)


def _written(lines: Iterable[str], out: Path, *, part_bytes: int) -> list[Path]:
    """The files that now hold the tasks; those of an earlier export are gone."""
    staged: list[Path] = []
    left: Iterator[str] = iter(lines)
    for number, first in enumerate(left, start=1):
        staged.append(out / f".tasks-{number}.tmp")
        _write_part(staged[-1], first, left, part_bytes=part_bytes)
    if not staged:
        staged.append(out / ".tasks-1.tmp")
        staged[0].write_text("[]\n", encoding="utf-8")
    for old in out.glob("tasks*.json"):
        old.unlink()
    return [path.replace(out / f"tasks{f'-{n}' if n > 1 else ''}.json") for n, path in enumerate(staged, start=1)]


def _write_part(path: Path, first: str, left: Iterator[str], *, part_bytes: int) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"[\n{first}")
        while file.tell() < part_bytes and (line := next(left, None)) is not None:
            file.write(f",\n{line}")
        file.write("\n]\n")


def _asked(release: Release, questions: Iterator[Question]) -> Iterator[picked.Asked]:
    while some := list(islice(questions, AT_ONCE)):
        if withheld := [one.id for one in some if one.answer is None and not one.targets]:
            raise UsageError(f"{withheld[0]}: its answer is withheld; expected a set with its answers: people judge them too")
        yield from picked.asked(release, some)


def _data_uri(one: picked.Asked) -> str:
    return f"data:image/{one.record['image_format']};base64,{base64.b64encode(one.coded).decode()}"


def _beside(one: picked.Asked, folder: Path, address: str) -> str:
    name = f"{one.question.key}.{one.record['image_format']}"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(one.coded)
    return f"{address.rstrip('/')}/{name}"
