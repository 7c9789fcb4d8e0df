"""What is sent and what is deleted: by digest, never what others own, and what tells of the rest comes last."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.cards.publishing.plan import LAST, Plan, Remote, Stored, git_sha1, plan, repository_of, stated_digests, version_of
from medloom.cards.publishing.stage import stage
from medloom.schema.errors import UsageError
from medloom.schema.published import Mode
from medloom.schema.release import Release
from medloom.schema.release_files import is_own

NAMES = st.sampled_from([f"data/a/train-{n:05d}-of-00009.tar" for n in range(9)] + ["README.md", "recipes/a.json", "index/a/k"])


def stored(path: Path, *, large: bool) -> Stored:
    body = path.read_bytes()
    return Stored(len(body), sha256(body).hexdigest() if large else None, git_sha1(body))


def remote_of(release: Release) -> Remote:
    paths = {path.relative_to(release.root).as_posix(): path for path in release.root.rglob("*") if path.is_file()}
    return Remote("head", {name: stored(path, large=name.endswith((".tar", ".parquet"))) for name, path in paths.items()})


def test_nothing_is_sent_where_everything_is_there(cells: Release):
    found = plan(cells, remote_of(cells))
    assert found.empty
    assert len(found.keep) == len([path for path in cells.root.rglob("*") if path.is_file()])


def test_what_differs_is_sent_and_what_is_gone_deleted_unless_it_is_somebody_elses(cells: Release):
    remote = remote_of(cells)
    shard, readme = next(name for name in remote.files if name.endswith(".tar")), remote.files["README.md"]
    other = Stored(remote.files[shard].size, "0" * 64, "0" * 40)
    gone = "data/gone/train-00000-of-00001.tar"
    extra = {gone: other, "notes/mine.md": readme, ".gitattributes": readme}
    found = plan(cells, Remote("head", {**remote.files, shard: other, **extra}))
    assert (list(found.add), found.delete, found.foreign) == (
        [shard],
        ["data/gone/train-00000-of-00001.tar"],
        ["notes/mine.md"],
    )
    small = Stored(readme.size, None, "0" * 40)
    assert list(plan(cells, Remote("head", {**remote.files, "README.md": small})).add) == ["README.md"]


@pytest.mark.parametrize(("path", "refused"), [("train.csv", True), ("data/x.parquet", True), ("LICENSE", False)])
def test_somebody_elses_repository_is_refused(cells: Release, path: str, refused: bool):
    remote = Remote("head", {path: Stored(1, None, "0" * 40)})
    if refused:
        with pytest.raises(UsageError, match="somebody else's files"):
            plan(cells, remote)
    else:
        assert plan(cells, remote).foreign == [path]


@given(st.dictionaries(NAMES, st.integers(0, 50)), st.lists(NAMES, unique=True), st.integers(1, 4), st.integers(1, 120))
def test_batches_cover_everything_once_and_in_order(add: dict[str, int], gone: list[str], files: int, size: int):
    delete = [path for path in gone if path not in add]
    batches = list(Plan(add=add, delete=delete, keep={}, foreign=()).batches(files=files, size=size))
    assert sorted(path for some, _ in batches for path in some) == sorted(add)
    assert [path for _, some in batches for path in some] == delete
    if len(batches) > 1:
        *first, (last, _) = batches
        assert all(LAST.fullmatch(path) for path in last)
        assert not any(LAST.fullmatch(path) for some, _ in first for path in some)
        assert all(0 < len(some) <= files and (len(some) == 1 or sum(add[one] for one in some) <= size) for some, _ in first)


def test_own_files_are_known_by_name():
    shard = "train-00000-of-00004"
    own = [f"data/a/b+c/{shard}.tar", f"records/a/{shard}.tar", f"questions/s/a/b/{shard}.parquet", "questions/s/suite.json"]
    own += ["index/a/keys.parquet", "card/x.png", "recipes/a.json", "withdrawn.json"]
    others = ("data/train.tar", "data/a/notes.tar", "index/mine.parquet", "questions/mine.md", "notebook.ipynb", "card/x.py")
    assert all(map(is_own, own))
    assert not any(map(is_own, others))


def test_digests_that_recipes_state_are_the_files_own(cells: Release, tmp_path: Path):
    modes = {"shared_cells": Mode.ANNOTATIONS, "open_cells": Mode.RECIPE}
    for release in (cells, stage(cells, tmp_path / "staged", modes=modes)):
        stated = stated_digests(release)
        assert {path: sha256((release.root / path).read_bytes()).hexdigest() for path in stated} == stated
        assert {p.relative_to(release.root).as_posix() for p in release.root.rglob("*.tar")} <= set(stated)


def test_the_version_follows_all_contents(cells: Release, tmp_path: Path):
    versions = {
        version_of(cells),
        version_of(stage(cells, tmp_path / "a", modes={"shared_cells": Mode.ANNOTATIONS})),
        version_of(stage(cells, tmp_path / "b", modes={"shared_cells": Mode.RECIPE})),
        version_of(stage(cells, tmp_path / "c", sources=["open_cells"])),
    }
    assert len(versions) == 4
    assert version_of(cells) == version_of(stage(cells, tmp_path / "d"))


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("attribution", "org/x-attribution"),
        ("CC-BY-NC-SA-4.0", "org/x-cc-by-nc-sa-4.0"),
        ("LicenseRef-Owner Terms", "org/x-owner-terms"),
        ("CC-BY-SA-4.0 + CC-BY-NC-4.0", "org/x-cc-by-sa-4.0-and-cc-by-nc-4.0"),
    ],
)
def test_a_family_of_licences_names_its_repository(family: str, name: str):
    assert repository_of("org/x", family) == name
