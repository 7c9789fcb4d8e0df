"""Glob patterns over relative paths with forward slashes, case and all, the same on every system."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

_END = "\\Z"


def matcher(pattern: str) -> Callable[[str], object]:
    """A function that is truthy for paths that match: `*`, `?` and `[…]` stay inside a folder, `**` is any depth."""
    *folders, last = pattern.split("/")
    parts = ["(?:[^/]+/)*" if part == "**" else f"{_part_regex(part)}/" for part in folders]
    return re.compile(f"(?s:{''.join(parts)}{'.+' if last == '**' else _part_regex(last)})\\Z").match


def _part_regex(part: str) -> str:
    found, place = [], 0
    while place < len(part):
        sign, first = part[place], place + 2 if part[place + 1 : place + 2] == "!" else place + 1
        end = part.find("]", first + 1) if sign == "[" else -1  # one that comes first is a character of the set
        if end > 0:
            found.append(f"(?!/){translate(part[place : end + 1]).removesuffix(_END)}")
            place = end
        else:
            found.append({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)))
        place += 1
    return "".join(found)
