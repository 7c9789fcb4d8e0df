"""What is read from the Hub: small files whole and once, into the cache of `huggingface_hub`; shards by byte ranges.

No other file of ours reads from there. A token comes from the environment or the Hub's own store and is never printed.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from .errors import ReleaseError, UsageError

FIRST = ("README.md", "recipes/*.json", "questions/*/suite.json", "overrides.json", "withdrawn.json")
"""What every use of a release begins with."""
PREFIX = "hf://datasets/"
AT_ONCE = 8
RETRIES = 4
FIRST_WAIT_S = 0.5
"""Doubled before each further retry, up to 8 s."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>\S+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A commit of a dataset repository, and the folder of the cache where its files lie that were fetched so far."""

    root: Path
    repo: str
    commit: str

    def __str__(self) -> str:
        return f"{self.repo}@{self.commit[:12]}"

    @property
    def blobs(self) -> Path:
        """The folder of the cache where the contents of the repository's files really lie; those under `root` are links."""
        return self.root.parent.parent / "blobs"

    def address(self, name: str) -> str:
        """The address of a file, as `datasets` gives it."""
        return f"{PREFIX}{self.repo}@{self.commit}/{name}"

    def fetch(self, names: Sequence[str]) -> None:
        """Fetch the files that aren't in the cache yet; names that the repository hasn't are passed over.

        Raises:
            ReleaseError: the Hub can't be reached, refuses, or the disk is full.
        """
        missing = [name for name in dict.fromkeys(names) if not (self.root / name).exists()]
        if not missing:
            return
        with ThreadPoolExecutor(min(AT_ONCE, len(missing))) as pool:
            list(pool.map(self._download, missing))

    def _download(self, name: str) -> None:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import RemoteEntryNotFoundError

        with told(self.repo, self.commit), suppress(RemoteEntryNotFoundError):
            hf_hub_download(self.repo, name, repo_type="dataset", revision=self.commit, library_name="medloom")


def named(place: str) -> tuple[str, str | None] | None:
    """Repository and revision that a text names, as `org/name`, `org/name@revision` or with `hf://datasets/`; else None."""
    found = _NAME.fullmatch(place.removeprefix(PREFIX).rstrip("/"))
    return (found["repo"], found["revision"] and unquote(found["revision"])) if found else None


def fetched(repo: str, *, revision: str | None = None, patterns: Sequence[str] = FIRST) -> Fetched:
    """A commit of a repository with the files of some patterns in the cache; offline, the cache's own.

    Raises:
        UsageError: no such revision, or a name that no repository can have.
        ReleaseError: no such repository, no rights, no network, nothing in the cache, or a full disk.
    """
    from huggingface_hub import snapshot_download

    with told(repo, revision):
        folder = snapshot_download(
            repo, repo_type="dataset", revision=revision, allow_patterns=list(patterns), library_name="medloom"
        )
    return Fetched(Path(folder), repo, Path(folder).name)


def read_range(source: Fetched, name: str, span: tuple[int, int]) -> bytes:
    """Bytes of a file from an offset on, as many as a size says; fewer where the file ends before.

    Raises:
        ReleaseError: the Hub can't be reached or refuses after some retries, or doesn't answer with a range.
    """
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

    offset, size = span
    headers = build_hf_headers(library_name="medloom") | {"accept-encoding": "identity"}
    headers["range"] = f"bytes={offset}-{offset + size - 1}"
    url = hf_hub_url(source.repo, name, repo_type="dataset", revision=source.commit)
    with told(source.repo, source.commit):
        how = {"max_retries": RETRIES, "base_wait_time": FIRST_WAIT_S, "timeout": constants.HF_HUB_DOWNLOAD_TIMEOUT}
        answer = http_backoff("GET", url, headers=headers, **how)
        hf_raise_for_status(answer)
    stated = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    if (stated is None and offset) or (stated and int(stated[1]) != offset) or len(answer.content) > size:
        found = f"status {answer.status_code} with {len(answer.content)} bytes"
        raise ReleaseError(f"{source.address(name)}: {found}; expected bytes {offset} to {offset + size} of it")
    return answer.content


@contextmanager
def told(repo: str, revision: str | None) -> Iterator[None]:
    """Faults of the Hub and its cache as ours: what was found, what was expected, what to do."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    network: Any = HfHubHTTPError.__mro__[1]  # of httpx or httpx2: whichever the installed huggingface_hub is made with
    try:
        yield
    except HFValidationError as error:
        raise UsageError(f"{repo}: {error}; expected org/name") from error
    except (OSError, network) as error:
        _raise(error, repo, revision)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """A full disk while `datasets` caches, which it wraps in errors of its own, as ours."""
    try:
        yield
    except Exception as error:
        if any(_is_full(one) for one in _chain(error)):
            raise _full_disk(error) from error
        raise


def _raise(error: Exception, repo: str, revision: str | None) -> NoReturn:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    chain = list(_chain(error))
    if any(_is_full(one) for one in chain):
        raise _full_disk(error) from error
    for one in chain:
        if isinstance(one, RevisionNotFoundError):
            raise UsageError(f"{repo}: no revision {revision!r}; expected a branch, tag or commit{_revisions(repo)}") from error
        if isinstance(one, GatedRepoError):
            told = f"{repo} is gated; expected a token whose owner was let in; ask on its page, then log in by `hf auth login`"
            raise ReleaseError(told) from error
        if isinstance(one, RepositoryNotFoundError):
            found = f"{repo}: no such dataset repository, or none that may be seen{_as_whom()}"
            raise ReleaseError(f"{found}; expected org/name; where it is private, log in by `hf auth login`") from error
    raise ReleaseError(f"{repo}: {_unreachable(chain)}") from error


def _unreachable(chain: list[BaseException]) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if constants.is_offline_mode() or any(isinstance(one, OfflineModeIsEnabled) for one in chain):
        return "offline, and the cache doesn't hold it; expected an earlier download; unset HF_HUB_OFFLINE, or `hf download` it"
    status = next((one.response.status_code for one in chain if isinstance(one, HfHubHTTPError)), None)
    if status in (401, 403):
        return f"the Hub refuses ({status}){_as_whom()}; expected the right to read it; log in by `hf auth login`"
    if status == 404:
        return "the repository lacks a file; expected a whole MedLoom release; publish it again"
    if status is not None:
        return f"the Hub answers {status}; expected the file; try again later"
    first = str(chain[0]).splitlines()[0] if str(chain[0]) else type(chain[0]).__name__
    found = f"{constants.ENDPOINT} can't be reached ({first[:200]})"
    return f"{found}; expected a network, or an earlier download in the cache"


def _as_whom() -> str:
    from huggingface_hub import get_token

    return " with this token" if get_token() else " without a token"


def _revisions(repo: str) -> str:
    """Some branches and tags, to put behind a message; nothing where they can't be asked for."""
    from huggingface_hub import HfApi

    try:
        refs = HfApi(library_name="medloom").list_repo_refs(repo, repo_type="dataset")
    except Exception:  # noqa: BLE001 - the message is about another fault
        return ""
    names = [ref.name for ref in [*refs.branches, *refs.tags]]
    return f", such as {', '.join(names[-8:])}" if names else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        yield one
        seen.append(one)
        one = one.__cause__ or one.__context__


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _FULL


def _full_disk(error: BaseException) -> ReleaseError:
    from huggingface_hub import constants

    found = f"no space for the cache in {constants.HF_HOME}: {error}"
    return ReleaseError(f"{found}; expected room for it; free some or set HF_HOME to another disk, and run it again")
