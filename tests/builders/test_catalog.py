"""The catalogue: sources of ours, of installed packages, and of anyone's own file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from medloom.builders.catalog import file_digest, load, names
from medloom.builders.source import Source
from medloom.schema.errors import UsageError

PACKAGES = {"hospital": "clinic_sources:SOURCE", "broken": "clinic_sources:NOTHING", "gone": "clinic_absent:SOURCE"}


@pytest.fixture
def installed(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with entry points, as an installer leaves it."""
    site = tmp_path / "site"
    told = site / "clinic-1.5.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: clinic\nVersion: 1.5\n")
    points = "".join(f"{name} = {value}\n" for name, value in PACKAGES.items())
    (told / "entry_points.txt").write_text(f"[medloom.sources]\n{points}")
    (site / "clinic_sources.py").write_text(Path(tiny.spec).read_text().replace('"tiny"', '"hospital"'))
    monkeypatch.syspath_prepend(site)
    invalidate_caches()
    yield site
    sys.modules.pop("clinic_sources", None)


def test_our_own_are_sorted_and_load():
    found = names()
    assert found == sorted(found)
    assert {"bccd", "msd_hippocampus", "phantom"} <= set(found)
    source = load("bccd")
    assert isinstance(source, Source)
    assert load("bccd") is source
    assert len(file_digest("bccd")) == 64


def test_packages_add_sources(installed: Path):
    assert "hospital" in names()
    source = load("hospital")
    assert source.facts.name == "hospital"
    first = file_digest("hospital")
    (installed / "clinic-1.5.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: clinic\nVersion: 1.6\n")
    invalidate_caches()
    assert file_digest("hospital") != first


@pytest.mark.parametrize(
    ("name", "message"), [("broken", "no attribute 'NOTHING'"), ("gone", "No module named 'clinic_absent'")]
)
def test_a_broken_package_is_told(installed: Path, name: str, message: str):
    with pytest.raises(UsageError, match=rf"{name}: clinic_.*can't be loaded: .*{message}.*; mend or remove its package"):
        load(name)


def test_anyones_own_file(tiny, tmp_path: Path):
    source = load(tiny.spec)
    assert source.facts.name == "tiny"
    assert load(tiny.spec) is source
    before = file_digest(tiny.spec)
    Path(tiny.spec).write_text(Path(tiny.spec).read_text().replace("Tiny", "Tinier"))
    assert file_digest(tiny.spec) != before
    assert load(tiny.spec).facts.title == "Tinier"


def test_a_file_may_lie_beside_its_helpers(tiny, tmp_path: Path):
    (tmp_path / "beside_tiny.py").write_text("TITLE = 'Beside'\n")
    text = Path(tiny.spec).read_text().replace('title="Tiny"', "title=TITLE")
    Path(tiny.spec).write_text(f"from beside_tiny import TITLE\n{text}")
    path = list(sys.path)
    assert load(tiny.spec).facts.title == "Beside"
    assert sys.path == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:", r"own\.py: can't be imported: SyntaxError.*fix the builder file"),
        ("import nothing_of_this_name", r"can't be imported: ModuleNotFoundError.*nothing_of_this_name"),
        ("1 / 0", r"can't be imported: ZeroDivisionError"),
        ("", r"own\.py: defines no SOURCE; expected `SOURCE = Source"),
        ("SOURCE = 3", r"defines no SOURCE"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, text: str, message: str):
    (tmp_path / "own.py").write_text(text)
    modules = set(sys.modules)
    with pytest.raises(UsageError, match=message):
        load(str(tmp_path / "own.py"))
    assert not any(name.startswith("medloom_own_own") and "import" in message for name in set(sys.modules) - modules)


@pytest.mark.parametrize("name", ["Tiny", "my source", "../escape", "a.b", "1st", "", "x" * 65])
def test_a_name_that_can_name_no_file(tiny, name: str):
    Path(tiny.spec).write_text(Path(tiny.spec).read_text().replace('name="tiny"', f'name="{name}"'))
    with pytest.raises(UsageError, match="expected lower-case letters, digits and underscores"):
        load(tiny.spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bcdc", r"no source 'bcdc'; did you mean bccd"),
        ("qqqqqq", r"no source 'qqqqqq'; `medloom sources` lists them"),
        ("__init__", "no source '__init__'"),
        ("absent.py", r"absent\.py: no such file; expected a builder file"),
        ("../catalog", "no source"),
    ],
)
def test_what_there_is_not(spec: str, message: str):
    with pytest.raises(UsageError, match=message):
        load(spec)
