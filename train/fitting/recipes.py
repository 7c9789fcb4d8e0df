"""The recipes that come along: settings of runs as YAML, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ...schema.errors import UsageError

FOLDER = Path(__file__).parents[1] / "recipes"


def recipes() -> list[dict[str, str]]:
    """Name, title and base model of each, by name."""
    return [_told(path) for path in sorted(FOLDER.glob("*.yaml"))]


def recipe(name: str) -> Path:
    """The file of a recipe.

    Raises:
        UsageError: there is none of that name.
    """
    path = FOLDER / f"{name.removesuffix('.yaml')}.yaml"
    if not path.is_file():
        known = ", ".join(one["name"] for one in recipes())
        raise UsageError(f"recipe {name!r}; expected one of {known}; `medloom train recipes` lists them")
    return path


def found(config: str) -> Path:
    """The file that `--config` names: one that is there, else a recipe.

    Raises:
        UsageError: neither.
    """
    path = Path(config)
    named = len(path.parts) == 1 and (FOLDER / f"{config.removesuffix('.yaml')}.yaml").is_file()
    if path.suffix in (".yaml", ".yml") and not path.exists() and not named:
        raise UsageError(f"{config}: no such file; expected YAML with settings, or a recipe that `medloom train recipes` lists")
    return path if path.exists() or len(path.parts) > 1 else recipe(config)


def read(path: Path) -> dict[str, Any]:
    """The settings of a file, as it has them.

    Raises:
        UsageError: it can't be read, or holds no settings.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}{_fault(error)}; expected a YAML file with settings") from error
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: no mapping of names to values; expected one, as in train/recipes/")
    return {str(name): value for name, value in settings.items()}


def _fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f": {getattr(error, 'strerror', None) or str(error).splitlines()[0]}"
    return f", line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', None) or 'no YAML'}"


def _told(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    settings = yaml.safe_load(text)
    method = "grpo" if "rewards" in settings else "sft"
    title = text.splitlines()[0].removeprefix("#").strip()
    return {"name": path.stem, "method": method, "model": settings["model_name_or_path"], "title": title}
