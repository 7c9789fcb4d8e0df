"""The errors that leave MedLoom, and the issues that stay in a report.

MedLoomError                    exit code
├── UsageError                  2   the call is wrong: an option, a name, a configuration
├── RawRootError                2   the raw root isn't what the source expects
├── ResumeError                 2   an unfinished build was made with other options or files
├── ReleaseError                1   a release breaks the contract
├── TooManyBadUnits             3   more units failed than the source allows
├── RebuildDiffers              4   raw files give other pixels than were published, or other samples
├── EndpointError               1   a model's endpoint refuses, or doesn't answer any more
├── DiskError                   1   the disk is full, or what lies there may not be written or read
├── PublishError                1   the Hub refuses what is sent, or can't be reached
└── DataError                   –   one file or label can't be used; becomes an Issue, never leaves a build
    ├── UnreadableError             the bytes can't be decoded
    └── RegionError                 a box, mask, contour or point has no meaning on its image

Faults of the caller or the environment raise. Faults in the data are collected as `Issue`s, counted, and reported together.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class MedLoomError(Exception):
    """The root of the tree; `kind` names the leaf in JSON output, `exit_code` is what the command line returns."""

    exit_code = 1

    @property
    def kind(self) -> str:
        """The class name, stable for scripts."""
        return type(self).__name__


class UsageError(MedLoomError):
    """An option, name or configuration that can't be used."""

    exit_code = 2


class RawRootError(MedLoomError):
    """A raw root that lacks what its source expects."""

    exit_code = 2


class ResumeError(MedLoomError):
    """An unfinished build whose fingerprint differs from the one asked for."""

    exit_code = 2


class ReleaseError(MedLoomError):
    """A release that breaks the contract."""


class TooManyBadUnits(MedLoomError):
    """A build stopped because more units failed than `max_bad_share` allows."""

    exit_code = 3


class RebuildDiffers(MedLoomError):
    """Raw files give other pixels than were published, or other samples; `result` says which."""

    exit_code = 4

    def __init__(self, message: str, *, result: dict[str, Any] | None = None):
        super().__init__(message)
        self.result = result or {}


class EndpointError(MedLoomError):
    """An endpoint of a model that refuses to serve, or doesn't answer any more."""


class PublishError(MedLoomError):
    """The Hub refuses what is sent to it, or can't be reached; what went up so far stays there."""


class DiskError(MedLoomError):
    """A disk that is full, or files that may not be written or read."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_TOLD = (*(f"(os error {number})" for number in FULL), "PytorchStreamWriter failed")
"""How libraries that aren't written in Python say that the disk is full; they raise no OSError."""


def refusal_of_disk(error: BaseException) -> DiskError | None:
    """What the disk refused, where that is what an error of any library, or what led to it, comes from."""
    cause: BaseException | None = error
    while cause is not None:
        number = cause.errno if isinstance(cause, OSError) else None
        where = f"{cause.filename}: " if isinstance(cause, OSError) and cause.filename else ""
        if number in FULL or (number is None and any(words in str(cause) for words in _TOLD)):
            return DiskError(f"{where}the disk is full, or a limit on files is met; expected room; make some and run it again")
        if number in FORBIDDEN:
            return DiskError(f"{where}{os.strerror(number)}; expected leave to read and write there; give it, or another place")
        cause = cause.__cause__ or cause.__context__
    return None


class Severity(StrEnum):
    """How much an issue took away: nothing, a part of a sample, or a whole unit."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Issue:
    """One fault found in the data: where it is, what was found, what was expected, what happens next."""

    code: str
    """Kebab-case and stable: tests and reports count by it."""
    where: str
    """Raw file relative to the raw root, with the row, slice, frame or object in it."""
    found: str
    expected: str
    next: str
    """What the build did about it, or what the user can do."""
    severity: Severity = Severity.WARNING

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; expected {self.expected}; {self.next}"


class DataError(MedLoomError):
    """A file or label that can't be used; carries the `Issue` that the build report will hold."""

    default_code = "bad-data"

    def __init__(self, found: str, *, expected: str, where: str = "", code: str = "", next: str = "it was left out"):
        super().__init__(f"{where + ': ' if where else ''}{found}; expected {expected}; {next}")
        self.code = code or self.default_code
        self.where, self.found, self.expected, self.next = where, found, expected, next

    def __reduce__(self):
        return _rebuild, (type(self), self.found, self.expected, self.where, self.code, self.next)

    def issue(self, where: str = "", *, severity: Severity = Severity.ERROR) -> Issue:
        """The issue this error becomes; `where` says what the raiser couldn't know."""
        place = " ".join(part for part in (where, self.where) if part)
        return Issue(self.code, place, self.found, self.expected, self.next, severity)


class UnreadableError(DataError):
    """Bytes that can't be decoded."""

    default_code = "unreadable"


class RegionError(DataError):
    """A region that has no meaning on its image."""

    default_code = "bad-region"


def _rebuild(cls: type[DataError], found: str, expected: str, where: str, code: str, next: str) -> DataError:
    return cls(found, expected=expected, where=where, code=code, next=next)
