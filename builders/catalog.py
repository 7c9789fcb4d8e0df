"""Which sources there are: the files of `builders/sources/`, installed packages' entry points, and anyone's own file.

A package adds a source with an entry point in the group `medloom.sources` that names its `Source` object:

    [project.entry-points."medloom.sources"]
    my_hospital = "my_package.my_hospital:SOURCE"
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from ..schema.errors import UsageError
from .source import Source

GROUP = "medloom.sources"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""Of a source: it names folders, files, a config and the keys, whose tar members hold 100 characters."""
_SOURCES = Path(__file__).parent / "sources"


def names() -> list[str]:
    """Names of all catalogued sources, sorted."""
    built_in = {path.stem for path in _SOURCES.glob("*.py") if not path.stem.startswith("_")}
    return sorted(built_in | {point.name for point in entry_points(group=GROUP)})


def load(spec: str) -> Source:
    """The source that a name or a path to a `.py` file stands for.

    Raises:
        UsageError: there is none, or the file doesn't define a `SOURCE`.
    """
    return _loaded(spec, file_digest(spec))


def file_digest(spec: str) -> str:
    """SHA-256 of the file that defines the source, part of a build's fingerprint."""
    origin = _origin(spec)
    if isinstance(origin, EntryPoint):
        return hashlib.sha256(f"{origin.value} {origin.dist.version if origin.dist else ''}".encode()).hexdigest()
    return hashlib.sha256(origin.read_bytes()).hexdigest()


def file_of(spec: str) -> Path | None:
    """The file that defines the source; None where a package does.

    Raises:
        UsageError: there is no such source.
    """
    origin = _origin(spec)
    return origin if isinstance(origin, Path) else None


@lru_cache(maxsize=256)
def _loaded(spec: str, digest: str) -> Source:
    origin = _origin(spec)
    if isinstance(origin, EntryPoint):
        source = _of_package(origin)
    elif origin.parent == _SOURCES:
        source = getattr(import_module(f".sources.{origin.stem}", __package__), "SOURCE", None)
    else:
        source = getattr(_module(origin, digest), "SOURCE", None)
    if not isinstance(source, Source):
        raise UsageError(f"{spec}: defines no SOURCE; expected `SOURCE = Source(...)`, as `medloom new-source` writes it")
    if not NAME.fullmatch(source.facts.name):
        raise UsageError(f"{spec}: name {source.facts.name!r}; expected lower-case letters, digits and underscores")
    return source


def _origin(spec: str) -> Path | EntryPoint:
    if spec.endswith(".py"):
        path = Path(spec)
        if not path.is_file():
            raise UsageError(f"{spec}: no such file; expected a builder file; `medloom new-source` writes one")
        return path.resolve()
    built_in = _SOURCES / f"{spec}.py"
    if NAME.fullmatch(spec) and built_in.is_file():
        return built_in
    for point in entry_points(group=GROUP):
        if point.name == spec:
            return point
    close = get_close_matches(spec, names(), n=3)
    meant = f"did you mean {' or '.join(close)}?" if close else "`medloom sources` lists them; a path must end in .py"
    raise UsageError(f"no source {spec!r}; {meant}")


def _of_package(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise UsageError(f"{point.name}: {point.value} can't be loaded: {_told(error)}; mend or remove its package") from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _module(path: Path, digest: str) -> ModuleType:
    """The user's file as a module; its folder is importable while it loads, so that it may lie beside helpers."""
    name = f"medloom_own_{path.stem}_{digest[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"{path}: can't be imported: {_told(error)}; fix the builder file") from error
    finally:
        sys.path.remove(str(path.parent))
    return module
