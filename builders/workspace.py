"""`RELEASE.work/<source>/`: everything of a build that isn't the release, and the rule by which a build resumes.

plan.json           fingerprint of what is being built; begun with it, kept to the end
units/              chunks of units, as the source's `read` gave them; `done.json` marks that all are there
parts/              what workers read (see parts.py)
staged/             shards and index of the source, whole files only; `staged.json` marks that all are there
done.json           fingerprint and recipe digest of what the release now holds
build-report.json   issues with raw names: it stays here
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import __version__
from ..schema.errors import ResumeError, UsageError
from ..schema.sample import SCHEMA_VERSION
from .raw import Raw

LIBRARIES = (
    "datasets", "highdicom", "imagecodecs", "isal", "nibabel", "numpy", "opencv-python-headless", "orjson", "pillow",
    "pyarrow", "pydicom", "pyjpegls", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "simpleitk", "tifffile",
)  # fmt: skip
"""What the bytes of a release may depend on."""


def write_json(path: Path, value: Any) -> None:
    """The value as indented JSON under its name, whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    # A raw name that is no UTF-8 holds lone surrogates; backslashed, they are JSON's own escapes.
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace")
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """The JSON of a file, None where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def versions() -> dict[str, str]:
    """Ours and those of the libraries that make the bytes."""
    return {"medloom": __version__, "schema": SCHEMA_VERSION} | {name: version(name) for name in LIBRARIES}


def listing_digest(raw: Raw) -> str:
    """SHA-256 over path and size of every raw file."""
    lines = "".join(f"{size}\t{path}\n" for path, size in raw.sizes.items())
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Workspace:
    """The work folder of one source in one release."""

    release: Path
    source: str

    @property
    def root(self) -> Path:
        """`RELEASE.work/<source>`."""
        return self.release.with_name(f"{self.release.name}.work") / self.source

    @property
    def units(self) -> Path:
        """Chunks of units."""
        return self.root / "units"

    @property
    def parts(self) -> Path:
        """What workers read."""
        return self.root / "parts"

    @property
    def staged(self) -> Path:
        """The source's share of the release, until it is whole."""
        return self.root / "staged"

    @property
    def unpacked(self) -> Path:
        """Members of the raw root's archives."""
        return self.root / "unpacked"

    @property
    def report(self) -> Path:
        """The build report."""
        return self.root / "build-report.json"

    def prepare(self, fingerprint: dict[str, Any], *, fresh: bool) -> None:
        """Begin, or go on with what a build with the same fingerprint left.

        Raises:
            ResumeError: an earlier build differs; the message names in what.
        """
        if fresh:
            shutil.rmtree(self.root, ignore_errors=True)
        known = read_json(self.root / "plan.json")
        if known is not None and known != fingerprint:
            differing = ", ".join(_differences(known, fingerprint))
            raise ResumeError(
                f"{self.source}: {self.root} holds a build that differs in {differing}; expected the same options and raw "
                "files; pass --fresh to start over"
            )
        for folder in (self.units, self.parts, self.staged):
            folder.mkdir(parents=True, exist_ok=True)
        write_json(self.root / "plan.json", fingerprint)

    def clear(self) -> None:
        """Remove what a finished build doesn't need."""
        for folder in (self.units, self.parts, self.staged, self.unpacked):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(release: Path) -> Iterator[None]:
    """Hold the release for one build.

    Raises:
        UsageError: another build holds it.
    """
    work = release.with_name(f"{release.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"{release}: another build is writing to it; expected one at a time; wait or end it") from error
        yield


def _differences(known: Any, wanted: Any, at: str = "") -> Iterator[str]:
    if isinstance(known, dict) and isinstance(wanted, dict):
        for name in sorted(known.keys() | wanted.keys()):
            yield from _differences(known.get(name), wanted.get(name), f"{at}.{name}" if at else name)
    elif known != wanted:
        yield f"{at} ({_short(known)}, now {_short(wanted)})"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:24]}…"
