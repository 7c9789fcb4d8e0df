"""Sending a staged release to the Hub; no other file of ours writes there.

Large files go up first, a few at a time: what is there already is never sent again, so an upload that was cut goes on where
it stopped. Then come commits, each on top of the one before or not at all, and the tag. A token comes from the environment or
the Hub's own store, and is never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from ...schema.disk import read_json, write_text
from ...schema.errors import UsageError
from ...schema.hub import fetched
from ...schema.question_set import QuestionSet
from ...schema.release import Release
from .changes import FILE, Contents, changelog, entry
from .plan import Plan, Remote, Stored, plan, version_of
from .target import MAIN, Target, told

AT_ONCE = 8
"""Large files between two reports of progress."""
TREE = ("recipes/*.json", "questions/*/suite.json", FILE)
Progress = Callable[[str, int, int], None]
"""Called with the stage (`upload` in files, `commit`), done, and how many in all."""


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
