"""The house itself: who may import whom, which packages the wheel holds, what the tests test."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import medloom

ROOT = Path(__file__).parents[1]
ROOMS = ("schema", "builders", "generation", "cards", "train")
MAY_IMPORT = {
    "schema": {"schema"},
    "builders": {"builders", "schema"},
    "generation": {"generation", "schema", "builders"},
    "cards": {"cards", "schema", "builders"},
    "train": {"train", "schema", "generation"},
}
GENERATION_MAY_USE = {"engine", "shards"}
DRAWERS = {"utils", "common", "helpers", "core", "base", "manager", "misc"}


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> list[str]:
    """Dotted names inside the house that a module imports, such as `schema.sample`."""
    package = path.relative_to(ROOT).parent.parts
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = [".".join((*base, node.module))] if node.module else [".".join((*base, a.name)) for a in node.names]
            found += names
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


def test_the_code_under_test_lies_in_this_checkout():
    assert Path(medloom.__file__).parent == ROOT


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path: Path):
    room = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        assert not name.startswith("medloom"), f"{path}: rooms import each other relatively"
        first = name.split(".")[0]
        if first in ROOMS:
            assert first in MAY_IMPORT[room], f"{path} imports {name}"
            if room == "generation" and first == "builders":
                assert name.split(".")[1] in GENERATION_MAY_USE, f"{path} imports {name}"


def test_packages_are_the_folders():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent for room in (*ROOMS, "cli") for path in (ROOT / room).rglob("*.py")}
    found = {"medloom", *(".".join(("medloom", *folder.relative_to(ROOT).parts)) for folder in folders)}
    assert set(stated) == found


def test_every_package_has_its_docstring():
    for room in ROOMS:
        assert ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text())), room


def test_no_file_is_a_drawer_or_stands_under_two_names():
    names = [path for path in modules() if path.stem != "__init__"]
    assert not [path for path in names if path.stem in DRAWERS]
    bodies = Counter(path.read_text(encoding="utf-8") for path in names)
    assert max(bodies.values()) == 1


def test_importing_medloom_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import medloom; print(*sorted(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "datasets", "pyarrow", "torch", "PIL", "typer"}
    assert not heavy.intersection(name.split(".")[0] for name in out)


def test_building_needs_no_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [line for line in project["dependencies"] if re.match(r"torch|transformers|trl", line)]
    code = "import medloom.cli, medloom.builders.build, medloom.schema.load, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_verb_stands_in_the_readme():
    from typer.main import get_command

    from medloom.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = get_command(app).commands  # type: ignore[attr-defined]
    assert [verb for verb in verbs if f"medloom {verb}" not in readme] == []


def test_no_machine_path_or_registry_stands_in_the_repository():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    forbidden = re.compile(r"/(?:work|root|home)/\w|pypi\.org/simple|--index-url|hf_[A-Za-z0-9]{20}")
    for name in filter(None, tracked):
        path = ROOT / name
        if path == Path(__file__) or path.suffix in {".png"}:
            continue
        match = forbidden.search(path.read_text(encoding="utf-8"))
        assert match is None, f"{name}: {match}"
