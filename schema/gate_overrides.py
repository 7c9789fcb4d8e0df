"""The reasons people gave why something may pass a gate: `overrides.json` of a release, which its card repeats.

    [{"gate": "licence", "code": "pixels-not-granted", "source": "kvasir_seg_mini", "reason": "written consent of …"}]

Without a source a reason holds for all of them. Sorted, without a time of day: the same reasons make the same file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from .disk import write_json
from .errors import ReleaseError

FILE = "overrides.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Why verdicts of one code may pass."""

    gate: str
    code: str
    source: str | None
    """None: of every source, and of the release as a whole."""
    reason: str


def overrides_of(root: Path) -> list[Override]:
    """The reasons recorded in a release, sorted; none where there is no such file.

    Raises:
        ReleaseError: the file is something else.
    """
    path = root / FILE
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(held, list):
            raise TypeError(f"a JSON {type(held).__name__}")
        return _sorted(Override(**one) for one in held)
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        expected = "a list of objects with gate, code, source and reason"
        raise ReleaseError(f"{path}: {error}; expected {expected}; mend it, or remove it and give the reasons again") from error


def record_overrides(root: Path, added: Iterable[Override]) -> list[Override]:
    """All reasons the release holds now; an earlier one for the same code and source gives way."""
    known = {(one.gate, one.code, one.source): one for one in (*overrides_of(root), *added)}
    kept = _sorted(known.values())
    write_json(root / FILE, [asdict(one) for one in kept])
    return kept


def reason_of(overrides: Iterable[Override], *, gate: str, code: str, source: str | None) -> str | None:
    """The reason that covers a code of a source, the one for that very source first; None where nobody gave one."""
    fitting = [one for one in overrides if (one.gate, one.code) == (gate, code) and one.source in (None, source)]
    return next((one.reason for one in sorted(fitting, key=lambda one: one.source is None)), None)


def _sorted(overrides: Iterable[Override]) -> list[Override]:
    return sorted(overrides, key=lambda one: (one.gate, one.code, one.source or ""))
