"""Glob patterns over relative paths with forward slashes, case and all, the same on every system."""

from __future__ import annotations

import re
from collections.abc import Callable


def matcher(pattern: str) -> Callable[[str], object]:
    """A function that is truthy for paths that match: `*`, `?` and `[…]` stay inside a folder, `**` is any depth."""
    *folders, last = pattern.split("/")
    parts = ["(?:[^/]+/)*" if part == "**" else f"{_part_regex(part)}/" for part in folders]
    return re.compile(f"(?s:{''.join(parts)}{'.+' if last == '**' else _part_regex(last)})\\Z").match


def _part_regex(part: str) -> str:
    found, place = [], 0
    while place < len(part):
        sign, end = part[place], part.find("]", place + 2)
        if sign == "[" and end > 0:
            end = part.find("]", place + 3) if part[place + 1 : place + 3] == "!]" else end
            chosen = part[place + 1 : end].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^").replace("]", r"\]")
            found.append(f"(?!/)[{'^' + chosen[1:] if chosen.startswith('!') else chosen}]")
            place = end
        else:
            found.append({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)))
        place += 1
    return "".join(found)
