"""Pseudonyms for keys and groups, and the digests that stand in for raw names.

A key is `<source>-` and 16 hex digits of HMAC-SHA256(salt, unit and frame); a group likewise. For public sources the salt
is the name of the collection (of the source, where it has none) and stands in the recipe, so the result is a pseudonym and
no more, and one patient has one pseudonym in all sources of a collection; for private ones the maintainer keeps a salt
file. Header facts have their own allow-list in `formats/dicom_facts.py`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..schema.errors import UsageError
from .source import Facts

_DIGITS = 16
MIN_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Salt:
    """The secret, or openly known, key of the pseudonyms of one source."""

    value: bytes
    public: bool

    @property
    def sha256(self) -> str:
        """What a recipe may say of a private salt."""
        return hashlib.sha256(self.value).hexdigest()


def salt_of(facts: Facts, salt_file: Path | None = None) -> Salt:
    """The public salt of the source's collection, or the private one that a file holds.

    Raises:
        UsageError: the file is absent or holds fewer than 16 bytes.
    """
    if salt_file is None:
        return Salt((facts.collection or facts.name).encode(), public=True)
    if not salt_file.is_file():
        raise UsageError(f"--salt-file {salt_file}: no such file; expected at least {MIN_SALT_BYTES} secret bytes")
    value = salt_file.read_bytes()
    if len(value) < MIN_SALT_BYTES:
        raise UsageError(f"--salt-file {salt_file}: {len(value)} bytes; expected at least {MIN_SALT_BYTES} secret bytes")
    return Salt(value, public=False)


def pseudonym(salt: Salt, *parts: str) -> str:
    """16 hex digits that stand for the parts."""
    return hmac.new(salt.value, "\0".join(parts).encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:_DIGITS]


def key_of(source: str, salt: Salt, parts: Sequence[str]) -> str:
    """The sample's key: no dot, stable across rebuilds and machines."""
    return f"{source.replace('.', '_')}-{pseudonym(salt, 'key', *parts)}"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_sha256(paths: Iterable[Path]) -> str:
    """SHA-256 of one file, or over the sorted digests of several."""
    digests = sorted(file_sha256(path) for path in paths)
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
