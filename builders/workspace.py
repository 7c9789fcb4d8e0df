"""`RELEASE.work/<source>/`: everything of a build that isn't the release, and the rule by which a build resumes.

plan.json           fingerprint of what is being built; begun with it, kept to the end
units/              chunks of units, as the source's `read` gave them; `done.json` marks that all are there
parts/              what workers read (see parts.py)
staged/             shards and index of the source, whole files only; `staged.json` marks that all are there
done.json           fingerprint and recipe digest of what the release now holds
build-report.json   issues with raw names: it stays here
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import __version__
from ..schema.disk import alone, read_json, write_json
from ..schema.errors import ResumeError
from ..schema.release import work_folder
from ..schema.sample import SCHEMA_VERSION
from .raw import Raw

LIBRARIES = (
    "datasets", "highdicom", "imagecodecs", "isal", "nibabel", "numpy", "opencv-python-headless", "orjson", "pillow",
    "pyarrow", "pydicom", "pyjpegls", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "simpleitk", "tifffile",
)  # fmt: skip
"""What the bytes of a release may depend on."""


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
        return work_folder(self.release) / self.source

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
        plan = self.root / "plan.json"
        known = read_json(plan)
        if plan.exists() and known != fingerprint:
            differing = ", ".join(_differences(known, fingerprint)) if known else "a plan that can't be read"
            raise ResumeError(
                f"{self.source}: {self.root} holds a build that differs in {differing}; expected the same options and raw "
                "files; pass --fresh to start over"
            )
        for folder in (self.units, self.parts, self.staged):
            folder.mkdir(parents=True, exist_ok=True)
        write_json(plan, fingerprint)

    def clear(self) -> None:
        """Remove what a finished build doesn't need."""
        for folder in (self.units, self.parts, self.staged, self.unpacked):
            shutil.rmtree(folder, ignore_errors=True)


def locked(release: Path) -> AbstractContextManager[None]:
    """Hold the release for one build.

    Raises:
        UsageError: another build holds it.
    """
    return alone(work_folder(release) / "lock", busy=f"{release}: another build is writing to it")


def _differences(known: Any, wanted: Any, at: str = "") -> Iterator[str]:
    if isinstance(known, dict) and isinstance(wanted, dict):
        for name in sorted(known.keys() | wanted.keys()):
            yield from _differences(known.get(name), wanted.get(name), f"{at}.{name}" if at else name)
    elif known != wanted:
        yield f"{at} ({_short(known)}, now {_short(wanted)})"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:24]}…"
