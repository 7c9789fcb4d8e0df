"""The README's YAML against what the recipes say it must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from . import card_digest
from .errors import Issue
from .release import Release


def faults_of(release: Release) -> Iterator[Issue]:
    """Configs and features that are absent, too many or other ones; a card of another release."""
    wanted = release.header()
    header = _yaml(release.root / "README.md")
    for table in ("configs", "dataset_info"):
        stated = header.get(table)
        known = {one["config_name"]: one for one in stated if _is_config(one)} if isinstance(stated, list) else {}
        expected = {one["config_name"]: one for one in wanted[table]}
        for name in sorted(expected.keys() | known.keys()):
            if known.get(name) != expected.get(name):
                yield _fault(f"{table} {name}", known.get(name), expected.get(name))
    yield from card_digest.faults_of(release.root, header)


def _is_config(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("config_name"), str)


def _fault(where: str, stated: dict[str, Any] | None, wanted: dict[str, Any] | None) -> Issue:
    names = sorted(
        name for name in {**(stated or {}), **(wanted or {})} if (stated or {}).get(name) != (wanted or {}).get(name)
    )
    found = "absent" if stated is None else f"another {', '.join(names)}"
    expected = "nothing, no recipe has it" if wanted is None else "what the recipes and schema/record.py say"
    return Issue("bad-readme", f"README.md {where}", found, expected, "build any source into it")


def _yaml(readme: Path) -> dict[str, Any]:
    text = readme.read_text(encoding="utf-8", errors="replace")
    try:
        header = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
    except yaml.YAMLError:
        header = None
    return header if isinstance(header, dict) else {}
