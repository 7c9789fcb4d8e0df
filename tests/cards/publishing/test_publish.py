"""`medloom publish` against a Hub on loopback with the unmodified clients: what goes up is what strangers load."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hub import READER, TOKEN, Call, Hub
from hub_client import Client

import medloom
from medloom.cards.publishing.stage import stage
from medloom.schema.release import Release

ROOT = Path(medloom.__file__).parent
LOAD = """
import json, sys
from datasets import Image, get_dataset_config_names, load_dataset
place, here, revision = sys.argv[1:]
names = get_dataset_config_names(place, revision=revision)
assert names == get_dataset_config_names(here)
counts = {}

def plain(rows):
    rows = rows.cast_column("image", Image(decode=False))
    return [(row["__key__"], row["json"], row["image"] and row["image"]["bytes"]) for row in rows]

for name in names:
    ours = load_dataset(here, name)
    whole, streamed = load_dataset(place, name, revision=revision), load_dataset(place, name, revision=revision, streaming=True)
    assert set(ours) == set(whole) == set(streamed)
    for split in ours:
        wanted = plain(ours[split])
        assert plain(whole[split]) == wanted and plain(streamed[split]) == wanted, (name, split)
        counts[f"{name} {split}"] = len(wanted)
questions = {}
for folder in json.loads(sys.stdin.read()):
    for split, rows in load_dataset(here, data_dir=folder).items():
        for streaming in (False, True):
            assert list(load_dataset(place, data_dir=folder, split=split, revision=revision, streaming=streaming)) == list(rows)
        questions[f"{folder} {split}"] = len(rows)
print(json.dumps({"counts": counts, "questions": questions}))
"""
OVERRIDE = ("--override", "mixed-licences=a test of one repository")


def posts(hub: Hub, since: int) -> list[str]:
    """Calls since then that change something, without the sizes."""
    return [f"{one.method} {one.path.split('?')[0]}" for one in hub.requests[since:] if one.method in ("PUT", "POST", "DELETE")]


def splits_of(release: Release, source: str) -> dict[str, int]:
    recipe = release.recipe(source)
    assert recipe is not None
    return {split: count for split, count in recipe["splits"].items() if count}


def loaded(hub: Hub, tmp_path: Path, repo: str, release: Release, *, revision: str = "main") -> dict[str, dict[str, int]]:
    """Counts of rows, after every config and suite was found equal to the release's, map-style and streaming."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, repo, str(release.root), revision],
        env=hub.environment(tmp_path / "loader"),
        input=json.dumps([f"questions/{name}" for name in release.suites]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


def test_what_is_published_loads_as_the_release_does_and_only_changes_are_sent(
    hub: Hub, client: Client, cells: Release, own_cells: Callable[..., Release], tmp_path: Path
):
    release = own_cells()
    dry = client.publish(release.root, "org/cells", "--dry-run", *OVERRIDE)
    assert dry.code == 0
    assert dry.json()["published"] is False
    assert "org/cells" not in {name.split("/", 1)[1] for name in hub.repositories}
    assert not (release.root / "overrides.json").exists(), "a dry run changed the release"

    first = client.publish(release.root, "org/cells", *OVERRIDE).json()["repositories"][0]
    assert first["plan"] == dry.json()["repositories"][0]["plan"]
    assert {one["path"] for one in first["plan"]["add"]} | {".gitattributes"} == set(hub.files("org/cells"))
    assert hub.repository("org/cells").tags == {first["version"]: hub.repository("org/cells").branches["main"]}
    told = loaded(hub, tmp_path, "org/cells", release, revision=first["version"])
    splits = {f"{name} {split}": count for name in release.sources for split, count in splits_of(release, name).items()}
    assert splits.items() <= told["counts"].items()
    assert sum(told["questions"].values()) > 50
    assert json.loads(hub.files("org/cells")["overrides.json"])[0]["reason"] == "a test of one repository"

    since = len(hub.requests)
    again = client.publish(release.root, "org/cells").json()["repositories"][0]
    assert posts(hub, since) == [], "something was sent although nothing changed"
    assert again["done"]["changed"] is False
    assert again["version"] == first["version"]

    (release.root / "overrides.json").rename(tmp_path / "overrides.json")
    release = own_cells(changed="open_cells")
    (tmp_path / "overrides.json").rename(release.root / "overrides.json")
    since, before = len(hub.requests), hub.files("org/cells")
    changed = client.publish(release.root, "org/cells").json()["repositories"][0]
    sent = {one["path"] for one in changed["plan"]["add"]}
    assert {path.split("/")[1] for path in sent if path.startswith("data/")} == {"open_cells"}
    assert {path for path in sent if path.startswith(("index/", "recipes/"))} == {
        "index/open_cells/samples.parquet",
        "recipes/open_cells.json",
    }
    after, puts = hub.files("org/cells"), [one for one in posts(hub, since) if one.startswith("PUT")]
    assert {path for path in after if after[path] != before.get(path)} == sent
    assert len(puts) <= sum(path.endswith((".tar", ".parquet", ".png")) for path in sent)
    assert hub.files("org/cells", first["version"]) == before, "the tag moved"
    text = after["CHANGELOG.md"].decode()
    assert text.index(changed["version"]) < text.index(first["version"])
    assert "`shared_cells`" in text
    assert "| `open_cells` | " in text.split(first["version"])[0]
    assert "`shared_cells`" not in text.split(first["version"])[0]
    loaded(hub, tmp_path, "org/cells", release)

    (release.root / "overrides.json").rename(tmp_path / "overrides.json")
    release = own_cells(without="shared_cells")
    removed = client.publish(release.root, "org/cells").json()["repositories"][0]
    left = set(hub.files("org/cells"))
    assert removed["plan"]["delete"]
    assert not any("shared_cells" in path for path in left)
    assert ".gitattributes" in left
    assert "| `shared_cells` | removed | 50 | – | – | – | – |" in hub.files("org/cells")["CHANGELOG.md"].decode()


def test_sources_without_pixels_load_as_records(hub: Hub, client: Client, cells: Release, tmp_path: Path):
    modes = ("--mode", "shared_cells=annotations", "--mode", "open_cells=recipe")
    done = client.publish(cells.root, "org/less", *modes).json()
    assert done["published"], done["repositories"][0]["gates"]["verdicts"]
    files = hub.files("org/less")
    assert not any(path.startswith("data/") for path in files)
    assert "index/open_cells/keys.parquet" in files
    code = "from datasets import load_dataset; r = load_dataset('org/less', 'shared_cells', split='train'); "
    code += "print(len(r), {row['image'] for row in r}, sorted(row['json']['key'] for row in r)[0])"
    environment = hub.environment(tmp_path / "loader")
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert run.stdout.startswith(f"{splits_of(cells, 'shared_cells')['train']} {{None}} shared_cells-"), run.stderr


def test_mixed_licences_are_refused_or_split(hub: Hub, client: Client, cells: Release, tmp_path: Path):
    since = len(hub.requests)
    refused = client.publish(cells.root, "org/mixed")
    assert refused.code == 1
    assert posts(hub, since) == []
    [repository] = refused.json()["repositories"]
    assert [one["code"] for one in repository["gates"]["verdicts"] if one["level"] == "refuse"] == ["mixed-licences"]

    split = client.publish(cells.root, "org/mixed", "--split-by-licence", "--private").json()
    names = [one["repo"] for one in split["repositories"]]
    assert names == ["org/mixed-attribution", "org/mixed-cc-by-nc-sa-4.0"]
    for name, source, licence in zip(names, ("open_cells", "shared_cells"), ("cc0-1.0", "cc-by-nc-sa-4.0"), strict=True):
        files = hub.files(name)
        assert hub.repository(name).private
        assert f"license: {licence}\n" in files["README.md"].decode()
        assert {path.split("/")[1] for path in files if path.startswith(("data/", "index/"))} == {source}
        assert json.loads(files["questions/medmat/suite.json"])["sources"].keys() == {source}


def test_a_token_is_needed_and_never_told(hub: Hub, client: Client, own_cells: Callable[..., Release], tmp_path: Path):
    release, said = own_cells(without="shared_cells"), []
    wrong = "hf_" + "w" * 34
    for token, code, words in (
        ("", 2, "no token"),
        (wrong, 1, "doesn't take the token (401)"),
        (READER, 1, "may not write there (403)"),
        (TOKEN, 0, ""),
    ):
        done = client.publish(release.root, "org/token", HF_TOKEN=token)
        assert done.code == code, done.err
        assert words in done.err
        assert all(secret not in done.out + done.err for secret in (wrong, READER, TOKEN))
        said.append(done.err)
    for folder in (release.root, release.work, client.folder):
        for path in folder.rglob("*"):
            assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    assert json.loads(client.publish(release.root, "org/token", HF_TOKEN="").out)["error"]["kind"] == "UsageError"


def test_faults_of_the_hub_are_told_and_a_rerun_completes(hub: Hub, client: Client, cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged").root

    def somebody_commits(call: Call) -> bool:
        if "/commit/" in call.path:
            header = {"key": "header", "value": {"summary": "mine"}}
            note = {"key": "file", "value": {"path": "LICENSE", "content": "aGk=", "encoding": "base64"}}
            hub.repository("org/faults").commit("main", [header, note], stored=hub.stored)
        return False

    hub.refuse(500, when=somebody_commits, times=1)
    done = client.upload(staged, "org/faults")
    assert (done.code, "somebody else committed to main meanwhile (412)" in done.err) == (1, True), done.err
    hub.accept()
    for status, words in ((403, "(403)"), (409, "somebody else committed"), (507, "answers 507")):
        hub.refuse(status, when=lambda call: "/commit/" in call.path, times=1)
        done = client.upload(staged, "org/faults")
        assert (done.code, words in done.err) == (1, True), done.err
        assert "same command again" in done.err or status == 403
    assert client.upload(staged, "org/faults").json()["plan"]["foreign"] == ["LICENSE"]
    assert hub.files("org/faults")["LICENSE"] == b"hi"
    assert {path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()} <= set(hub.files("org/faults"))

    hub.cut_after(4)
    assert client.upload(staged, "org/dropped").code == 0, "the client tries a dropped connection again"
    done = client.upload(staged, "org/faults", private=True)
    assert (done.code, "public already" in done.err) == (2, True), done.err


def test_without_a_network_it_says_so(hub: Hub, tmp_path: Path):
    code = "from medloom.cards.publishing.target import Target; Target('org/name').ready()"
    for change, words in (({"HF_ENDPOINT": "http://127.0.0.1:9"}, "broke off"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE")):
        environment = hub.environment(tmp_path / "home") | change
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
        last = run.stderr.strip().splitlines()[-1]
        assert "PublishError" in last
        assert words in last
        assert TOKEN not in run.stderr


def test_versions_and_branches(hub: Hub, client: Client, own_cells: Callable[..., Release], tmp_path: Path):
    release = own_cells(without="shared_cells")
    first = client.publish(release.root, "org/tags", "--version", "v1.0.0", "--branch", "next").json()["repositories"][0]
    repository = hub.repository("org/tags")
    assert repository.tags == {"v1.0.0": repository.branches["next"]}
    assert first["done"]["branch"] == "next"
    assert set(hub.files("org/tags", "main")) == {".gitattributes"}
    staged = stage(release, tmp_path / "staged").root
    since = len(hub.requests)
    other = client.upload(staged, "org/tags", version="v1.0.0")
    assert (other.code, "names another commit" in other.err, posts(hub, since)) == (2, True, [])
    assert client.upload(staged, "org/tags", branch="third", version="v1.1.0").code == 0
    assert client.upload(staged, "org/tags", branch="third", version="v1.1.0").json()["changed"] is False


def test_somebody_elses_dataset_is_refused(hub: Hub, client: Client, own_cells: Callable[..., Release]):
    from hub_repository import Repository, regular

    release = own_cells(without="shared_cells")
    theirs = Repository("datasets", "org/theirs")
    header = [{"key": "header", "value": {"summary": "theirs"}}]
    theirs.commit("main", [*header, {"key": "file", "value": {"path": "rows.csv", "content": "YQ=="}}], stored=hub.stored)
    hub.repositories["datasets/org/theirs"] = theirs
    done = client.publish(release.root, "org/theirs")
    assert (done.code, "somebody else's files (rows.csv)" in done.err) == (2, True), done.err
    assert hub.files("org/theirs")["rows.csv"] == regular("rows.csv", b"a").content
    assert client.publish(release.root, "no-name").code == 2
    absent = client.publish(release.root, "org/x", "--split-by-licence", "--mode", "absent=recipe")
    assert (absent.code, "'absent' isn't in" in absent.err) == (2, True)


def test_by_xet_too(cells: Release, tmp_path: Path):
    with Hub(tmp_path / "hub", xet=True) as hub:
        client = Client(hub, tmp_path)
        try:
            staged = stage(cells, tmp_path / "staged").root
            assert client.upload(staged, "org/cells").json()["changed"] is True
            assert client.upload(staged, "org/cells").json()["changed"] is False
        finally:
            client.close()
        assert not any(one.method == "PUT" for one in hub.requests), "xet was to carry the large files"
        loaded(hub, tmp_path, "org/cells", cells)


def test_the_commands_of_the_page_run(hub: Hub, client: Client, own_cells: Callable[..., Release], tmp_path: Path):
    release = own_cells(without="shared_cells")
    page = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 3
    for line in lines:
        command, *words = shlex.split(line.replace(" release ", f" {release.root} ").replace("phantom=", "open_cells="))
        assert command == "medloom"
        done = client.medloom(*words)
        assert done.code == 0, done.err
    assert {"datasets/my-lab/blood", "datasets/my-lab/blood-open"} <= set(hub.repositories)
