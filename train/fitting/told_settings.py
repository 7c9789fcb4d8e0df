"""Settings as others may read them: what differs from the defaults, without secrets, and with no path of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

SECRET = re.compile(r"(?:hub|access|auth|api)_?token$|password|secret|api_?key", re.IGNORECASE)
"""Names of settings whose values nobody else may read."""
WORKED_OUT = ("generation_batch_size",)
"""What TRL works out from other settings, and then refuses beside them."""
_ROOTED = re.compile(r"(?:file://)?(?:~|/|[A-Za-z]:[\\/])")
_IN_TEXT = re.compile(r"(?<![\w.:/\\-])(?:~/|/(?=[\w.-]+/)|[A-Za-z]:\\)[^\s'\",;:()]*")


def told(settings: Iterable[Any]) -> dict[str, Any]:
    """What differs from the defaults in some dataclasses of settings, as plain data: a YAML that `--config` reads again.

    Values are those after the dataclasses resolved them. Paths are told from the working folder on, or by their last name.
    """
    found = {name: plain(value) for one in settings for name, value in _given(one).items() if name not in WORKED_OUT}
    found |= {"report_to": found["report_to"] or "none"} if "report_to" in found else {}
    return {name: value for name, value in found.items() if value != {}}


def plain(value: Any) -> Any:
    """A value as JSON and YAML hold it, with no path of this machine in it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(one) for name, one in _given(value).items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items() if not SECRET.search(str(name))}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, Path):
        return relative(str(value))
    if isinstance(value, str):
        return relative(value)
    return value if isinstance(value, int | float | bool) or value is None else str(value)


def relative(text: str) -> str:
    """A path from the working folder on, or its last name where it lies elsewhere; another text with its paths so told."""
    if not _ROOTED.match(text) or "\n" in text or " " in text.strip():
        return _IN_TEXT.sub(lambda found: relative(found[0]), text)
    path = Path(text.removeprefix("file://")).expanduser()
    try:
        return str(path.relative_to(Path.cwd())) if path.is_absolute() else _last(text)
    except ValueError:
        return _last(text)


def _last(text: str) -> str:
    return (PureWindowsPath(text) if "\\" in text else PurePosixPath(text)).name


def _given(one: Any) -> dict[str, Any]:
    """Name → value of what isn't as the dataclass has it by itself; no secret, nothing that is worked out from others."""
    found = {field.name: (field, getattr(one, field.name, None)) for field in fields(one) if field.init}
    return {
        name: value
        for name, (field, value) in found.items()
        if not SECRET.search(name) and not name.startswith("_") and value != _usual(field)
    }


def _usual(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING
