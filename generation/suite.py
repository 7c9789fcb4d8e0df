"""A suite: the rules by which one set of questions is made, kept as data in `suites/<name>.yaml` or in a file of yours.

    name: my-suite
    version: "1"
    title: Boxes and masks of my own
    rules:
      - rule: detection
        most: 3

Every other entry of a rule is one of its options. What is drawn by chance depends on suite, version, seed, rule and key.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..schema.errors import UsageError
from .chance import Chance

FOLDER = Path(__file__).with_name("suites")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule of a suite with its options."""

    rule: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suite:
    """A set of rules under one name."""

    name: str
    version: str
    title: str
    rules: tuple[RuleSpec, ...]

    @property
    def plain(self) -> dict[str, Any]:
        """As data, for the question set's own recipe."""
        rules = [{"rule": one.rule, **one.options} for one in self.rules]
        return {"name": self.name, "version": self.version, "title": self.title, "rules": rules}

    @property
    def digest(self) -> str:
        """SHA-256 of the suite as data."""
        return hashlib.sha256(json.dumps(self.plain, sort_keys=True).encode()).hexdigest()

    def chance(self, rule: str, key: str, *, seed: int) -> Chance:
        """What a rule draws from for one sample."""
        return Chance(self.name, self.version, seed, rule, key)


def built_in() -> list[str]:
    """Names of the suites that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(spec: str) -> Suite:
    """A built-in suite by name, or one of a YAML file.

    Raises:
        UsageError: there is none, or the file isn't a suite.
    """
    path = FOLDER / f"{spec}.yaml" if spec in built_in() else Path(spec)
    if not path.is_file():
        raise UsageError(f"suite {spec!r}; expected one of {', '.join(built_in())}, or a YAML file")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}; expected YAML with name, version, title and rules") from error
    return _suite(data, where=str(path))


def _suite(data: Any, *, where: str) -> Suite:
    if not isinstance(data, dict) or set(data) != {"name", "version", "title", "rules"}:
        found = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise UsageError(f"{where}: {found}; expected exactly name, version, title and rules")
    if not _NAME.fullmatch(str(data["name"])):
        raise UsageError(f"{where}: name {data['name']!r}; expected lower-case words joined by hyphens")
    rules = data["rules"]
    if not isinstance(rules, list) or not rules or not all(isinstance(one, dict) and "rule" in one for one in rules):
        raise UsageError(f"{where}: rules {rules!r:.60}; expected a list of entries with `rule` and its options")
    specs = tuple(RuleSpec(one["rule"], {name: value for name, value in one.items() if name != "rule"}) for one in rules)
    names = [one.rule for one in specs]
    if len(set(names)) < len(names):
        raise UsageError(f"{where}: rules {names}; expected each once")
    return Suite(str(data["name"]), str(data["version"]), str(data["title"]), specs)
