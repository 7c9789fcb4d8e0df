"""Which checkpoint a run goes on from: the newest that is whole and belongs to the same run.

A trainer writes into a checkpoint's folder file by file. When all is written, `SEAL` is put beside it, with every file's size
and the run's fingerprint: a checkpoint without it, or with a file that is missing or short, was being written or removed
when the run was killed, and is never taken.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.disk import read_json, write_json
from ...schema.errors import ResumeError

SEAL, DONE = "complete.json", "finished.json"
_NAME = re.compile(r"checkpoint-(\d+)")
_DIGEST = re.compile(r"(?:sha256|digest)(?:\.|$)")
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint."""

    folder: Path
    step: int


def seal(folder: Path, fingerprint: Mapping[str, Any]) -> None:
    """Declare a checkpoint whole."""
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    sizes.pop(SEAL, None)
    write_json(folder / SEAL, {"step": _step(folder), "fingerprint": dict(fingerprint), "files": sizes})


def newest(run: Path, fingerprint: Mapping[str, Any]) -> Checkpoint | None:
    """The whole checkpoint with the most steps; those that aren't whole are removed.

    Raises:
        ResumeError: it was made with other settings or data.
    """
    whole = []
    for folder in checkpoints(run):
        stated = _sealed(folder)
        if stated is None:
            shutil.rmtree(folder)
        else:
            whole.append((folder, stated))
    if not whole:
        return None
    folder, stated = whole[-1]
    same(stated, fingerprint, where=folder / SEAL)
    return Checkpoint(folder, _step(folder))


def same(stated: Mapping[str, Any], fingerprint: Mapping[str, Any], *, where: Path) -> None:
    """Come back where both fingerprints are equal.

    Args:
        stated: That of an earlier run.
        fingerprint: That of this one.
        where: The file that holds the earlier one, for who wants its digests too.

    Raises:
        ResumeError: they aren't; it names what differs.
    """
    before, now = flat(stated), flat(fingerprint)
    differing = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if differing:
        plain = [name for name in differing if not _DIGEST.search(name)]
        told = [f"{name} was {_short(before.get(name))}, is {_short(now.get(name))}" for name in plain[:SHOWN]]
        more = f" and {len(plain) - SHOWN} more" if len(plain) > SHOWN else ""
        changed = "; ".join([*told, *_changed(stated, fingerprint)]) or "the order of its rows changed"
        after = "give another output_dir, or --fresh to begin anew"
        raise ResumeError(f"{where}: {changed}{more}; expected the settings and data of that run; {after}")


def _changed(stated: Mapping[str, Any], fingerprint: Mapping[str, Any]) -> Iterator[str]:
    """The sets of which other content was read, by their names: digests say no more to people."""
    before, now = ((one.get("data") or {}).get("sets", []) for one in (stated, fingerprint))
    for one, other in zip(before, now, strict=False):
        digests = {name for name in flat(one).keys() | flat(other).keys() if _DIGEST.search(name)}
        if any(flat(one).get(name) != flat(other).get(name) for name in digests):
            yield f"the content of {_called(other)} changed"


def _called(one: Mapping[str, Any]) -> str:
    return f"{one['release']}:{one['suite']} {one['split']}" if "release" in one else str(one.get("path", "a set"))


def clear(run: Path) -> None:
    """Remove all checkpoints, and the word that the run has ended."""
    (run / DONE).unlink(missing_ok=True)
    for folder in checkpoints(run):
        shutil.rmtree(folder)


def checkpoints(run: Path) -> list[Path]:
    """Folders of checkpoints, whole or not, by their steps."""
    found = [path for path in run.glob("checkpoint-*") if path.is_dir() and _NAME.fullmatch(path.name)]
    return sorted(found, key=_step)


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Dotted names and what stands there."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        place = f"{above}{name}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{place}.")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            found |= flat({str(number): one for number, one in enumerate(value)}, f"{place}.")
        else:
            found[place] = value
    return found


def _sealed(folder: Path) -> dict[str, Any] | None:
    """The fingerprint of a whole checkpoint."""
    stated = read_json(folder / SEAL)
    if stated is None:
        return None
    files = [(folder / name, size) for name, size in stated["files"].items()]
    return stated["fingerprint"] if all(path.is_file() and path.stat().st_size == size for path, size in files) else None


def _step(folder: Path) -> int:
    found = _NAME.fullmatch(folder.name)
    assert found is not None
    return int(found[1])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}…"
