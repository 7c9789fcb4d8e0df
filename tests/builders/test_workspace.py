"""The work folder: one build at a time, resumed only by its like."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from medloom.builders.raw import Raw
from medloom.builders.workspace import LIBRARIES, Workspace, listing_digest, locked, versions
from medloom.schema.disk import write_json
from medloom.schema.errors import ResumeError, UsageError

FINGERPRINT = {"options": {"limit": None, "reading": {"axes": []}}, "raw_files": {"count": 80, "listing_sha256": "ab" * 32}}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "release", "tiny")


def test_it_lies_beside_the_release(workspace: Workspace, tmp_path: Path):
    workspace.prepare(FINGERPRINT, fresh=False)
    assert workspace.root == tmp_path / "release.work/tiny"
    assert not workspace.release.exists()
    assert all(folder.is_dir() for folder in (workspace.units, workspace.parts, workspace.staged))


def test_the_same_fingerprint_goes_on_and_fresh_begins_anew(workspace: Workspace):
    workspace.prepare(FINGERPRINT, fresh=False)
    (workspace.parts / "000000.bin").touch()
    workspace.prepare(copy.deepcopy(FINGERPRINT), fresh=False)
    assert (workspace.parts / "000000.bin").exists()
    workspace.prepare(FINGERPRINT, fresh=True)
    assert not (workspace.parts / "000000.bin").exists()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("options", "limit"), 12, r"differs in options\.limit \(null, now 12\)"),
        (("options", "reading", "axes"), ["axial"], r"options\.reading\.axes \(\[\], now \[\"axial\"\]\)"),
        (("raw_files", "listing_sha256"), "cd" * 32, r"raw_files\.listing_sha256 \(\"(ab)+a?…, now \"cdcd"),
        (("options", "more"), 1, r"options\.more \(null, now 1\)"),
    ],
)
def test_another_fingerprint_is_named(workspace: Workspace, place: tuple[str, ...], value, message: str):
    workspace.prepare(FINGERPRINT, fresh=False)
    other = copy.deepcopy(FINGERPRINT)
    inner = other
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(ResumeError, match=rf"tiny: .*{message}.*--fresh"):
        workspace.prepare(other, fresh=False)
    workspace.prepare(other, fresh=True)


@pytest.mark.parametrize("body", ["", "{", "null"])
def test_a_plan_that_cannot_be_read_is_not_built_upon(workspace: Workspace, body: str):
    workspace.prepare(FINGERPRINT, fresh=False)
    (workspace.root / "plan.json").write_text(body)
    with pytest.raises(ResumeError, match=r"tiny: .*a plan that can't be read.*--fresh"):
        workspace.prepare(FINGERPRINT, fresh=False)
    workspace.prepare(FINGERPRINT, fresh=True)


def test_clearing_keeps_what_is_told(workspace: Workspace):
    workspace.prepare(FINGERPRINT, fresh=False)
    write_json(workspace.report, {})
    workspace.unpacked.mkdir()
    workspace.clear()
    assert sorted(path.name for path in workspace.root.iterdir()) == ["build-report.json", "plan.json"]


def test_one_build_at_a_time(workspace: Workspace):
    second = locked(workspace.release)
    with locked(workspace.release), pytest.raises(UsageError, match="another build is writing to it"):
        second.__enter__()
    with locked(workspace.release):
        pass


def test_versions_are_those_of_the_libraries():
    found = versions()
    assert set(found) == {"medloom", "schema", *LIBRARIES}
    assert json.dumps(found)
    import numpy as np

    assert found["numpy"] == np.__version__


def test_the_listing_follows_names_and_sizes(tmp_path: Path):
    def digest(**files: int) -> str:
        root = tmp_path / f"root{len(list(tmp_path.iterdir()))}"
        root.mkdir()
        for name, size in files.items():
            (root / name).write_bytes(b"x" * size)
        return listing_digest(Raw(root))

    assert digest(a=1, b=2) == digest(b=2, a=1)
    assert len({digest(a=1, b=2), digest(a=1, b=3), digest(a=1, c=2), digest(a=1)}) == 4
