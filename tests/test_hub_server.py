"""The loopback Hub itself, against the unmodified clients: what our own tests rest on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hub import READER, TOKEN, Hub

PUBLISH = """
import pathlib, random, sys
from huggingface_hub import HfApi
folder, api = pathlib.Path(sys.argv[1]), HfApi()
where = dict(repo_id="org/name", repo_type="dataset")
(folder / "data/a").mkdir(parents=True)
(folder / "README.md").write_text("---\\nlicense: mit\\n---\\nhello")
for number in range(3):
    (folder / f"data/a/train-{number}.tar").write_bytes(random.Random(number).randbytes(200_000 + number))
api.create_repo(**where)
api.create_repo(**where, exist_ok=True)
first = api.upload_folder(**where, folder_path=folder)
again = api.upload_folder(**where, folder_path=folder)
assert first.oid == again.oid, "an unchanged folder made a commit"
api.create_tag(**where, tag="1.0.0")
(folder / "README.md").write_text("---\\nlicense: mit\\n---\\nbye")
(folder / "data/a/train-2.tar").unlink()
api.upload_folder(**where, folder_path=folder, delete_patterns=["data/a/train-2.tar"])
"""
READ = """
import pathlib, sys
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
folder, api = pathlib.Path(sys.argv[1]), HfApi()
where = dict(repo_id="org/name", repo_type="dataset")
shard = "data/a/train-1.tar"
root = pathlib.Path(snapshot_download(**where, revision="1.0.0"))
assert (root / "README.md").read_text().endswith("hello") and (root / "data/a/train-2.tar").exists()
assert (root / shard).read_bytes() == (folder / shard).read_bytes()
assert pathlib.Path(hf_hub_download(**where, filename="README.md")).read_text().endswith("bye")
some = HfFileSystem().cat_file(f"datasets/org/name/{shard}", start=1000, end=1100)
assert some == (folder / shard).read_bytes()[1000:1100]
tree = {one.path: one for one in api.list_repo_tree(**where, recursive=True)}
assert set(tree) == {".gitattributes", "README.md", "data", "data/a", "data/a/train-0.tar", shard}, sorted(tree)
assert tree[shard].lfs.size == 200_001 and tree["README.md"].lfs is None
assert [one.path for one in api.list_repo_tree(**where)] == [".gitattributes", "README.md", "data"]
assert [one.path for one in api.get_paths_info(**where, paths=["README.md", "absent"])] == ["README.md"]
assert [one.name for one in api.list_repo_refs(**where).tags] == ["1.0.0"]
assert len(api.list_repo_commits(**where)) == 3
for call, error in (
    (lambda: hf_hub_download(**where, filename="absent"), EntryNotFoundError),
    (lambda: api.dataset_info("org/name", revision="nowhere"), RevisionNotFoundError),
    (lambda: api.dataset_info("org/absent"), RepositoryNotFoundError),
):
    try:
        call()
    except error:
        continue
    raise SystemExit(f"no {error}")
"""
WRITE = """
import sys
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
try:
    where = dict(repo_id="org/name", repo_type="dataset", path_in_repo="x.txt")
    HfApi().upload_file(**where, path_or_fileobj=b"x", **eval(sys.argv[1]))
except HfHubHTTPError as error:
    print(error.response.status_code)
else:
    print(200)
"""


def client(hub: Hub, tmp_path: Path, code: str, *words: str, token: str | None = TOKEN) -> str:
    environment = hub.environment(tmp_path / "home", token=token)
    run = subprocess.run([sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout.strip()


@pytest.mark.parametrize("xet", [False, True])
def test_folder_goes_up_and_comes_back(tmp_path: Path, xet: bool) -> None:
    folder = tmp_path / "folder"
    with Hub(tmp_path / "hub", xet=xet, page=2) as hub:
        client(hub, tmp_path, PUBLISH, str(folder))
        client(hub, tmp_path, READ, str(folder))
        sent = hub.files("org/name", "1.0.0")
        puts = [request for request in hub.requests if request.method == "PUT"]
    shards = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.tar")}
    assert {path: sent[path] for path in shards} == shards
    assert len(puts) == (0 if xet else 3)


def test_rights_and_conflicts_are_the_hubs(tmp_path: Path) -> None:
    with Hub(tmp_path / "hub") as hub:
        client(hub, tmp_path, PUBLISH, str(tmp_path / "folder"))
        stale = hub.repository("org/name").branches["main"].replace("a", "b")
        assert client(hub, tmp_path, WRITE, "{}", token="hf_wrong") == "401"
        assert client(hub, tmp_path, WRITE, "{}", token=READER) == "403"
        assert client(hub, tmp_path, WRITE, f"{{'parent_commit': '{stale}'}}") == "412"
        assert client(hub, tmp_path, WRITE, "{}") == "200"
        hub.refuse(409, when=lambda call: "/commit/" in call.path, times=1)
        assert [client(hub, tmp_path, WRITE, "{}"), client(hub, tmp_path, WRITE, "{'create_pr': False}")] == ["200", "200"]


def test_dropped_connection_is_tried_again_by_the_client(tmp_path: Path) -> None:
    with Hub(tmp_path / "hub") as hub:
        hub.cut_after(300_000, unit="byte")
        client(hub, tmp_path, PUBLISH, str(tmp_path / "folder"))
        assert [request.method for request in hub.requests if request.status == 0] == ["PUT"]
        assert len(hub.files("org/name", "1.0.0")) == 5
