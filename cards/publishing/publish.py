"""Sending a staged release to the Hub; no other file of ours writes there.

Large files go up first, a few at a time: what is there already is never sent again, so an upload that was cut goes on where
it stopped. Then come commits, each on top of the one before or not at all, and the tag. A token comes from the environment or
the Hub's own store, and is never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from ...schema.disk import read_json, write_text
from ...schema.errors import PublishError, UsageError
from ...schema.hub import fetched
from ...schema.question_set import QuestionSet
from ...schema.release import Release
from .changes import FILE, Contents, changelog, entry
from .plan import Plan, Remote, Stored, plan, version_of

MAIN = "main"
COMMIT_FILES, COMMIT_BYTES = 256, 64 << 30
"""A commit's most; a release within both comes in one, so that nobody ever sees half of it."""
AT_ONCE = 8
"""Large files between two reports of progress."""
TREE = ("recipes/*.json", "questions/*/suite.json", FILE)
Progress = Callable[[str, int, int], None]
"""Called with the stage (`upload` in files, `commit`), done, and how many in all."""


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


def look(target: Target) -> Remote:
    """The branch as it is now.

    Raises:
        UsageError: a name that no repository can have, or a public repository where a private one is asked for.
        PublishError: the Hub can't be reached or refuses.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    with told(target):
        try:
            info = target.api.dataset_info(target.repo, expand=["private", "sha"])
        except RepositoryNotFoundError:
            return Remote()
        if target.private and not info.private:
            raise UsageError(f"{target.repo} is public already; expected a private one; change it on its page, or name another")
        refs = target.api.list_repo_refs(**target.where)
        heads = {ref.name: ref.target_commit for ref in refs.branches}
        head = heads.get(target.branch, info.sha)
        entries = target.api.list_repo_tree(**target.where, recursive=True, revision=head)
        files = {one.path: _stored(one) for one in entries if hasattr(one, "blob_id")}
        tags = {ref.name: ref.target_commit for ref in refs.tags}
        return Remote(head, files, info.private, tags, branch_missing=target.branch not in heads)


def prepared(staged: Release, target: Target, *, version: str | None = None) -> tuple[Remote, Plan, str]:
    """The branch, what must be sent, and the version; CHANGELOG.md is written into the staged release on the way.

    Raises:
        UsageError: as `look`, or a version that names another commit already.
        PublishError: as `look`.
    """
    remote = look(target)
    tag = version or version_of(staged)
    if text := _changelog(staged, target, remote, tag):
        write_text(staged.root / FILE, [text])
    todo = plan(staged, remote)
    if version and version in remote.tags and (remote.tags[version] != remote.head or not todo.empty):
        raise UsageError(f"version {version!r} names another commit of {target.repo}; expected a new one; choose another")
    return remote, todo, tag


def upload(
    staged: Release, target: Target, *, remote: Remote, todo: Plan, tag: str, progress: Progress | None = None
) -> dict[str, Any]:
    """Make the branch equal to the staged release and name it; what was done. Nothing is sent where it is equal already.

    A default version whose tag stands at an earlier commit stays there: the data are the same.

    Raises:
        PublishError: the Hub can't be reached or refuses, or somebody else committed; running it again goes on.
    """
    show = progress or (lambda *_: None)
    with told(target):
        before = remote.head or _created(target)
        if remote.branch_missing or (remote.head is None and target.branch != MAIN):
            target.api.create_branch(**target.where, branch=target.branch, exist_ok=True)
        commits = _commits(staged, target, todo, parent=before, tag=tag, show=show)
        head = commits[-1] if commits else before
        tagged = remote.tags.get(tag)
        if tagged is None:
            target.api.create_tag(**target.where, tag=tag, revision=head, exist_ok=True)
    done = {"commits": len(commits), "commit": head, "tag": tag, "tagged": tagged or head}
    return done | {"repo": target.repo, "branch": target.branch, "changed": bool(commits)}


def _commits(staged: Release, target: Target, todo: Plan, *, parent: str, tag: str, show: Progress) -> list[str]:
    """Send everything, commit by commit, each on top of the one before; the commits."""
    if todo.empty:
        return []
    made: list[str] = []
    batches, sent = list(todo.batches(files=target.commit_files, size=target.commit_bytes)), 0
    for number, (add, delete) in enumerate(batches):
        additions = []
        for operation in _sent(staged, target, add):
            additions.append(operation)
            show("upload", sent + len(additions), len(todo.add))
        part = f" (part {number + 1} of {len(batches)})" if len(batches) > 1 else ""
        message = f"MedLoom release {tag}{part}"
        made.append(_commit(target, additions, delete, parent=[parent, *made][-1], message=message))
        sent += len(add)
        show("commit", number + 1, len(batches))
    return made


def _created(target: Target) -> str:
    target.api.create_repo(**target.where, private=target.private or None, exist_ok=True)
    return target.api.dataset_info(target.repo, expand=["sha"]).sha


def _sent(staged: Release, target: Target, paths: Sequence[str]) -> Iterator[Any]:
    """The additions of a commit, each after its bytes went up if it is large; what the Hub has already isn't sent."""
    from huggingface_hub import CommitOperationAdd

    waiting = iter([CommitOperationAdd(path, str(staged.root / path)) for path in paths])
    while some := list(islice(waiting, AT_ONCE)):
        target.api.preupload_lfs_files(**target.where, additions=some, revision=target.branch, free_memory=False)
        yield from some


def _commit(target: Target, additions: list[Any], delete: Sequence[str], *, parent: str, message: str) -> str:
    from huggingface_hub import CommitOperationDelete

    gone = [CommitOperationDelete(path, is_folder=False) for path in delete]
    made = target.api.create_commit(
        **target.where,
        operations=[*additions, *gone],
        commit_message=message,
        revision=target.branch,
        parent_commit=parent,
    )
    return made.oid


def _stored(one: Any) -> Stored:
    return Stored(one.size, one.lfs.sha256 if one.lfs is not None else None, one.blob_id)


def _changelog(staged: Release, target: Target, remote: Remote, tag: str) -> str:
    """CHANGELOG.md of the repository with what the staged release changes; empty where there would be none."""
    before, earlier = Contents(), ""
    if remote.head is not None and any(path.startswith("recipes/") or path == FILE for path in remote.files):
        root = fetched(target.repo, revision=remote.head, patterns=TREE).root
        before = Contents(
            [read_json(root / path) for path in sorted(remote.files) if path.startswith("recipes/")],
            [read_json(root / path) for path in sorted(remote.files) if path.endswith("/suite.json")],
        )
        earlier = (root / FILE).read_text(encoding="utf-8") if FILE in remote.files else ""
    suites = [QuestionSet(staged.root, name).info for name in staged.suites]
    added = entry(before, Contents(staged.recipes(), suites), tag)
    return changelog(earlier, added) if added or earlier else ""


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
