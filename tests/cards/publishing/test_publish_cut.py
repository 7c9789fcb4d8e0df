"""An upload that is killed anywhere: running it again completes it, and sends nothing twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import Hub, Request
from hub_client import Client

from medloom.cards.publishing.stage import stage
from medloom.schema.published import Mode
from medloom.schema.release import Release

POINTS = 20
COMMIT_FILES = 6


@pytest.fixture(scope="session")
def staged(cells: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("staged") / "cells"
    return stage(cells, out, modes={"shared_cells": Mode.ANNOTATIONS}).root


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A Hub of this test's own, that knows no file from other tests."""
    with Hub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Iterator[Client]:
    (tmp_path / "client").mkdir()
    client = Client(hub, tmp_path / "client")
    yield client
    client.close()


def kind(request: Request) -> str:
    """What a request is about: create, preupload, objects, commit, tag and so on."""
    parts = [part for part in request.path.split("?")[0].split("/") if part]
    return parts[0] if parts[0] != "api" else parts[min(4, len(parts) - 1)]


def test_an_upload_cut_at_twenty_places_completes(hub: Hub, client: Client, staged: Path):
    before = len(hub.requests)
    assert client.upload(staged, "org/uncut", commit_files=COMMIT_FILES).code == 0
    uncut = hub.requests[before:]
    wanted = {path.relative_to(staged).as_posix(): path.read_bytes() for path in staged.rglob("*") if path.is_file()}
    kinds = sorted({kind(one) for one in uncut})
    assert {"create", "preupload", "objects", "commit", "tag"} <= set(kinds)
    assert len(hub.repository("org/uncut").commits) > 3
    chance = random.Random(20)
    for point in range(POINTS):
        repo, before = f"org/cut-{point}", len(hub.requests)
        hub.objects.clear()
        if point % 2:
            hub.cut_after(chance.randint(1, sum(one.received for one in uncut)), unit="byte", then=client.kill)
        else:
            places = [place for place, one in enumerate(uncut) if kind(one) == kinds[point // 2 % len(kinds)]]
            hub.cut_after(1 + chance.choice(places), then=client.kill)
        assert client.upload(staged, repo, commit_files=COMMIT_FILES).code == -9, "it was to be killed"
        again = client.upload(staged, repo, commit_files=COMMIT_FILES)
        assert again.code == 0, again.err
        assert {path: body for path, body in hub.files(repo).items() if path != ".gitattributes"} == wanted
        put = [one.path for one in hub.requests[before:] if one.method == "PUT" and one.status == 200]
        assert len(put) == len(set(put)), "a file was sent twice"
        assert list(hub.repository(repo).tags.values()) == [hub.repository(repo).branches["main"]]
    assert client.upload(staged, "org/uncut", commit_files=COMMIT_FILES).json()["changed"] is False
