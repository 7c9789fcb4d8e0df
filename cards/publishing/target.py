"""Where a release is sent: repository, branch, the Hub's client, and its faults in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...schema.errors import PublishError, UsageError

MAIN = "main"
COMMIT_FILES, COMMIT_BYTES = 256, 64 << 30
"""A commit's most; a release within both comes in one, so that nobody ever sees half of it."""


@dataclass(frozen=True)
class Target:
    """A dataset repository and the branch that is to hold the release."""

    repo: str
    branch: str = MAIN
    private: bool = False
    commit_files: int = COMMIT_FILES
    commit_bytes: int = COMMIT_BYTES

    @cached_property
    def api(self) -> Any:
        """The Hub's client, without progress bars of its own."""
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
        return HfApi(library_name="medloom")

    def ready(self) -> None:
        """See to it that there is a token, and that the Hub takes it; else everything that follows would be for nothing.

        Raises:
            UsageError: there is no token, or the repository's name is none.
            PublishError: the Hub can't be reached, or doesn't take the token.
        """
        from huggingface_hub import get_token
        from huggingface_hub.errors import RepositoryNotFoundError

        if self.repo.count("/") != 1:
            raise UsageError(f"repo {self.repo!r}; expected org/name")
        if not get_token():
            raise UsageError("no token; expected HF_TOKEN or a login; run `hf auth login` with one that may write")
        with told(self), suppress(RepositoryNotFoundError):
            self.api.dataset_info(self.repo, expand=["sha"])

    @property
    def where(self) -> dict[str, str]:
        """What every call names."""
        return {"repo_id": self.repo, "repo_type": "dataset"}


@contextmanager
def told(target: Target) -> Iterator[None]:
    """Faults of the Hub and of the way there as ours; no message repeats a token."""
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except HFValidationError as error:
        raise UsageError(f"repo {target.repo!r}: {_first_line(error)}; expected org/name") from error
    except _faults() as error:
        raise PublishError(f"{target.repo}: {_hidden(_said(target, error))}") from error


def _faults() -> tuple[type[Exception], ...]:
    from huggingface_hub.errors import HfHubHTTPError

    network: Any = HfHubHTTPError.__mro__[1]  # of httpx or httpx2: whichever the installed huggingface_hub is made with
    # An upload wraps what befell it in RuntimeError; hf_xet raises those too, and ValueError tells of refused metadata.
    return (OSError, RuntimeError, ValueError, network)


def _said(target: Target, error: BaseException) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    again = "run the same command again: what is there isn't sent twice"
    status = next((one.response.status_code for one in _chain(error) if isinstance(one, HfHubHTTPError)), None)
    known = {
        401: "the Hub doesn't take the token (401); expected a valid one; set HF_TOKEN or run `hf auth login`",
        403: f"the token may not write there (403); expected write access to {target.repo.split('/')[0]}; ask its owners",
        404: f"the Hub finds no such repository or branch (404); expected one that the token may write to; {again}",
        413: f"the Hub refuses so much at once (413); expected smaller commits; {again}",
        429: f"the Hub asks to wait (429); expected fewer requests; {again} later",
    }
    if status in (409, 412):
        return f"somebody else committed to {target.branch} meanwhile ({status}); expected nobody to; look at it, then {again}"
    if status in known:
        return known[status]
    if status is not None:
        return f"the Hub answers {status}: {_first_line(error)}; expected it to take the release; {again} later"
    if constants.is_offline_mode():
        return "HF_HUB_OFFLINE is set; expected a network; unset it"
    return f"the way to {constants.ENDPOINT} broke off ({_first_line(error)}); expected a network; {again}"


def _hidden(words: str) -> str:
    from huggingface_hub import get_token

    token = get_token()
    return words.replace(token, "…") if token else words


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    seen: list[BaseException] = []
    while one is not None and one not in seen:
        yield one
        seen.append(one)
        one = one.__cause__ or one.__context__
