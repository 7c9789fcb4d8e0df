"""`medloom.load` from the Hub: the rows of the release, only the bytes they need, and every fault told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hub import READER, Hub, Request
from hub_holding import hold
from hub_process import Client, Failed

import medloom
from medloom.builders.build import Options, build
from medloom.generation.asking.ask import ask
from medloom.generation.asking.embed import embed
from medloom.schema.release import Release

TOLD = """
import hashlib, json
import medloom
import numpy as np

def pixels(picture):
    return hashlib.sha256(repr((picture.mode, picture.size)).encode() + np.asarray(picture).tobytes()).hexdigest()

def told(rows):
    found = []
    for row in rows:
        pictures = [row["image"], row.get("drawn"), *[one.pop("mask") for one in row.get("masks") or ()]]
        facts = {name: value for name, value in row.items() if name not in ("image", "drawn", "__url__")}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        found.append([row["__key__"], digest, *[pixels(one) for one in pictures if one is not None]])
    return found
"""
HERE: dict[str, Any] = {}
exec(TOLD, HERE)
told: Callable[[Any], list[list[str]]] = HERE["told"]


@dataclass(frozen=True)
class Place:
    """A Hub with the releases in it, a client with a cache of its own, and the folders they were made from."""

    hub: Hub
    client: Client
    release: Path
    embedded: Path
    home: Path

    def run(self, code: str, **values: Any) -> Any:
        return self.client.run(TOLD + code, **values)

    def asked_for(self, code: str, **values: Any) -> list[Request]:
        """The requests that a piece of code made."""
        before = len(self.hub.requests)
        self.run(code, **values)
        return self.hub.requests[before:]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory, raw_root: Callable[[str], Path], marked: Path) -> tuple[Path, Path]:
    """A release of two sources with questions beside the shards, and one with questions in them."""
    folder = tmp_path_factory.mktemp("loaded")
    options = Options(shard_bytes=300_000)
    build("phantom", raw_root("phantom"), folder / "release", options=options)
    build(str(marked.parent / "marked.py"), marked.parent / "raw", folder / "release", options=options)
    ask(folder / "release", "mimoseg")
    embed(folder / "release", "mimoseg", folder / "embedded")
    return folder / "release", folder / "embedded"


@pytest.fixture(scope="module")
def place(releases: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hub")
    with Hub(folder / "hub") as hub:
        hold(hub, "org/release", releases[0])
        hold(hub, "org/embedded", releases[1])
        with Client(hub.environment(folder / "home")) as client:
            yield Place(hub, client, *releases, folder / "home")


def shard_bytes(requests: list[Request]) -> int:
    return sum(one.bytes for one in requests if one.range is not None)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "select",
    [
        {},
        {"config": "ct-lung-lung-segmentation"},
        {"department": "Ophthalmology"},
        {"modality": "CT", "granularity": "mask", "masks": True},
        {"where": "height_px > 100"},
        {"split": "test", "suite": "mimoseg", "source": "phantom", "prompts": True, "masks": True},
    ],
    ids=["whole", "subset", "department", "masks", "where", "suite"],
)
def test_rows_are_those_of_the_release(place: Place, select: dict[str, Any], streaming: bool):
    how = {"split": "train", **select, "streaming": streaming}
    found = place.run("answer = told(medloom.load('org/release', **how))", how=how)
    assert found
    assert found == told(medloom.load(place.release, **how))


@pytest.mark.parametrize("streaming", [False, True])
def test_embedded_questions_come_along(place: Place, streaming: bool):
    code = "answer = told(medloom.load('org/embedded', split='test', streaming=streaming))"
    assert place.run(code, streaming=streaming) == told(medloom.load(place.embedded, split="test", streaming=streaming))


def test_the_address_is_the_one_that_load_dataset_gives(place: Place):
    found = place.run("""
from datasets import load_dataset
ours = medloom.load("org/release", split="test", streaming=True)
theirs = load_dataset("org/release", split="test", streaming=True)
answer = [[one["__key__"], one["__url__"]] for one in ours] == [[one["__key__"], one["__url__"]] for one in theirs]
""")
    assert found


WAYS = """
from datasets import load_dataset
answer = {}
for name, arguments, options in ways:
    rows = load_dataset("org/release", *arguments, split="train", streaming=streaming, **options)
    answer[name] = told(rows) if "data_dir" not in options else [row["id"] for row in rows]
"""


@pytest.mark.parametrize("streaming", [False, True])
def test_load_dataset_in_every_documented_way(place: Place, tmp_path: Path, streaming: bool):
    ways: list[tuple[str, list[str], dict[str, str]]] = [
        ("whole", [], {}),
        ("subset", ["x-ray-chest-disease-classification"], {}),
        ("source", ["marked"], {}),
        ("suite", [], {"data_dir": "questions/mimoseg"}),
    ]
    with Client(place.hub.environment(tmp_path)) as client:  # it leaves whole shards in the cache
        found = client.run(TOLD + WAYS, ways=ways, streaming=streaming)
    for name, arguments, _ in ways[:3]:
        assert found[name] == told(medloom.load(place.release, *arguments, split="train")), name
    assert found["suite"] == [row["id"] for row in medloom.load(place.release, suite="mimoseg", split="train")]


def test_every_config_has_its_rows(place: Place):
    counts = place.run(
        """
answer = {}
for config in configs:
    answer[config] = {split: len(rows) for split, rows in medloom.load("org/release", config).items()}
""",
        configs=list(Release.open(place.release).configs()),
    )
    expected = Release.open(place.release).configs()
    assert counts == {
        config: {split: sum(shard["samples"] for shard in shards) for split, shards in splits.items()}
        for config, splits in expected.items()
    }


def test_a_narrow_selection_costs_its_own_bytes(place: Place, tmp_path: Path):
    code = "answer = len(told(medloom.load('org/release', split='train', department='Ophthalmology', streaming=True)))"
    with Client(place.hub.environment(tmp_path / "home")) as client:
        fresh = Place(place.hub, client, place.release, place.embedded, tmp_path / "home")
        first, second = fresh.asked_for(code), fresh.asked_for(code)
    rows = medloom.load(place.release, split="train", department="Ophthalmology").with_format(None)
    needed = sum(row["image_size"] + row["json_size"] for row in rows)
    whole = sum(path.stat().st_size for path in place.release.rglob("*.tar"))
    assert needed <= shard_bytes(first) < 1.2 * needed
    assert shard_bytes(first) < whole / 5
    assert shard_bytes(second) == shard_bytes(first), "ranges aren't kept"
    assert not [one for one in second if "/resolve/" in one.path and one.range is None and ".tar" not in one.path], "files are"
    names = {one.path.split("/resolve/")[1].split("/", 1)[1] for one in first if "/resolve/" in one.path}
    assert not [name for name in names if name.startswith("questions/") and not name.endswith("suite.json")]
    assert not [name for name in names if "annotations" in name]


def test_of_one_source_nothing_of_the_others_is_fetched(place: Place, tmp_path: Path):
    code = "answer = len(told(medloom.load('org/release', 'marked', split='train', suite='mimoseg')))"
    with Client(place.hub.environment(tmp_path / "home")) as client:
        before = len(place.hub.requests)
        client.run(TOLD + code)
        paths = [one.path for one in place.hub.requests[before:]]
    fetched = {path.split("/resolve/")[1].split("/", 1)[1] for path in paths if "/resolve/" in path}
    assert [name for name in fetched if name.startswith(("index/marked/", "questions/mimoseg/marked/"))]
    assert not [name for name in fetched if name.startswith(("index/phantom", "questions/mimoseg/phantom", "data/phantom"))]


def test_neighbours_are_read_in_one_request(place: Place):
    requests = place.asked_for("rows = medloom.load('org/release', split='train')\nanswer = len(rows[:8]['image'])")
    ranges = [one for one in requests if one.range is not None and one.status == 206]
    assert 1 <= len(ranges) <= 2


def test_a_revision_is_a_tag_a_branch_or_a_commit(place: Place):
    repository = place.hub.repository("org/release")
    repository.tags["v1"] = repository.branches["main"]
    oid = repository.branches["main"]
    code = "answer = medloom.load(repo, split='test')[0]['__key__']"
    names = ["org/release@v1", f"org/release@{oid}", "hf://datasets/org/release", "hf://datasets/org/release@v1"]
    assert len({place.run(code, repo=name) for name in names}) == 1


def test_a_repository_that_moves_on_is_read_as_it_was_opened(place: Place, tmp_path: Path):
    folder = tmp_path / "moving"
    shutil.copytree(place.release, folder)
    hold(place.hub, "org/moving", folder)
    place.client.run("import medloom, builtins\nbuiltins.kept = medloom.load('org/moving', split='test')")
    shutil.rmtree(folder / "data" / "phantom")
    hold(place.hub, "org/moving", folder)
    assert place.run("answer = told(kept)") == told(medloom.load(place.release, split="test"))


def test_a_folder_goes_before_a_repository(place: Place, tmp_path: Path):
    shutil.copytree(place.release, tmp_path / "org" / "release")
    requests = place.asked_for(
        "import os\nos.chdir(home)\nanswer = len(medloom.load('org/release')['train'])", home=str(tmp_path)
    )
    assert requests == []
    place.client.run("import os\nos.chdir(home)", home=str(place.home))


def test_rows_travel_to_processes(place: Place):
    found = place.run("""
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

rows = medloom.load("org/release", split="test", modality="CT")
streamed = medloom.load("org/release", split="test", modality="CT", streaming=True)
copies = [pickle.loads(pickle.dumps(one)) for one in (rows, streamed)]
answer = [told(one) for one in copies] + [told(rows)]
with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
    answer.append([key for key in pool.map(rows.__getitem__, range(len(rows)))])
    answer[-1] = told(answer[-1])
""")
    assert found[0]
    assert all(one == found[0] for one in found)


def test_a_release_that_lies_whole_in_the_cache_needs_no_network(place: Place, tmp_path: Path):
    home = tmp_path / "home"
    with Client(place.hub.environment(home)) as client:
        client.run("from huggingface_hub import snapshot_download\nsnapshot_download('org/release', repo_type='dataset')")
    code = "answer = told(medloom.load('org/release', split='test', suite='mimoseg'))"
    with Client(place.hub.environment(home) | {"HF_HUB_OFFLINE": "1"}) as client:
        before = len(place.hub.requests)
        assert client.run(TOLD + code) == told(medloom.load(place.release, split="test", suite="mimoseg"))
        assert len(place.hub.requests) == before


def test_offline_what_is_cached_loads_and_the_rest_is_told(place: Place, tmp_path: Path):
    with Client(place.hub.environment(tmp_path)) as client:
        client.run("import medloom\nmedloom.load('org/release', 'marked', split='test')[0]")
    with Client(place.hub.environment(tmp_path) | {"HF_HUB_OFFLINE": "1"}) as client:
        assert client.run("import medloom\nanswer = len(medloom.load('org/release', 'marked', split='test'))")
        for code in ("medloom.load('org/release', 'marked', split='test')[1]", "medloom.load('org/release')"):
            with pytest.raises(Failed, match="offline, and the cache doesn't hold it; expected an earlier download") as failed:
                client.run(f"import medloom\n{code}")
            assert failed.value.kind == "ReleaseError"
        with pytest.raises(Failed, match="org/other: offline"):
            client.run("import medloom\nmedloom.load('org/other')")


def test_without_network_what_is_cached_loads_and_the_rest_is_told(place: Place, tmp_path: Path):
    with Hub(tmp_path / "hub") as hub:
        hold(hub, "org/release", place.release)
        environment = hub.environment(tmp_path / "home")
        with Client(environment) as client:
            client.run("import medloom\nmedloom.load('org/release', 'marked', split='test')[0]")
    with Client(environment) as client:
        client.run("import logging, medloom.schema.hub as hub\nhub.FIRST_WAIT_S = 0.01\nlogging.disable(logging.CRITICAL)")
        assert client.run("import medloom\nanswer = len(medloom.load('org/release', 'marked', split='test'))")
        with pytest.raises(Failed, match=r"can't be reached .*; expected a network") as failed:
            client.run("import medloom\nmedloom.load('org/release', 'marked', split='test')[1]")
        assert failed.value.kind == "ReleaseError"
        with pytest.raises(Failed, match=r"ReleaseError: org/other: http.* can't be reached"):
            client.run("import medloom\nmedloom.load('org/other')")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("'org/nothing'", "ReleaseError: org/nothing: no such dataset repository, or none that may be seen with this token"),
        ("'org/release@v9'", "UsageError: org/release: no revision 'v9'; expected a branch, tag or commit, such as .*main"),
        ("'org/release@0123456789012345678901234567890123456789'", "UsageError: org/release: no revision '01234"),
        (
            "'org/plain'",
            "ReleaseError: org/plain@.*: no README.md and recipes/; expected a dataset that `medloom pub",
        ),
        ("'org/broken..name'", "UsageError: org/broken..name: .*; expected org/name"),
        ("'./org/release'", "ReleaseError: ./org/release: no README.md and recipes/; expected a release folder"),
        ("__import__('pathlib').Path('org/release')", "ReleaseError: org/release: no README.md .*expected a release folder"),
        ("'org/release', suite='gmai'", "UsageError: suite 'gmai' isn't in org/release@[0-9a-f]{12}; expected one of mimoseg"),
        ("'org/release', prompts=True", "UsageError: prompts without a suite; expected the suite"),
        ("'org/release', 'colours'", "UsageError: config 'colours'"),
        ("'org/release', department='Alchemy'", "UsageError: department 'Alchemy' is unknown"),
    ],
)
def test_what_cannot_be_loaded_is_told(place: Place, tmp_path: Path, call: str, message: str):
    (tmp_path / "README.md").write_text("# Plain\n")
    hold(place.hub, "org/plain", tmp_path)
    with pytest.raises(Failed, match=message):
        place.run(f"medloom.load({call})")


def test_a_private_repository_needs_a_token_that_may_read_it(place: Place, tmp_path: Path):
    hold(place.hub, "org/private", place.release)
    place.hub.repository("org/private").private = True
    code = "import medloom\nanswer = medloom.load('org/private', split='test')[0]['__key__']"
    with Client(place.hub.environment(tmp_path / "reader", token=READER)) as client:
        assert client.run(code)
    with (
        Client(place.hub.environment(tmp_path / "nobody", token=None)) as client,
        pytest.raises(Failed, match=r"none that may be seen without a token; .*log in by `hf auth login`"),
    ):
        client.run(code)
    with (
        Client(place.hub.environment(tmp_path / "wrong", token="hf_wrong")) as client,
        pytest.raises(Failed, match="ReleaseError: org/private: ") as failed,
    ):
        client.run(code)
    assert "hf_wrong" not in failed.value.message


def test_a_token_that_is_taken_away_is_told_when_bytes_are_read(place: Place):
    place.client.run("import medloom, builtins\nbuiltins.held = medloom.load('org/release', split='test')")
    place.hub.refuse(403, when=lambda call: "range" in call.headers)
    try:
        with pytest.raises(Failed, match=r"ReleaseError: org/release: the Hub refuses \(403\) with this token"):
            place.client.run("held[0]")
    finally:
        place.hub.accept()
    assert place.client.run("answer = len(held[:2]['image'])") == 2


@pytest.mark.parametrize("fault", ["busy", "broken", "cut"])
def test_a_fault_that_passes_is_not_noticed(place: Place, fault: str):
    code = "import medloom, logging, medloom.schema.hub as hub, builtins\nhub.FIRST_WAIT_S = 0.01\n"
    code += "logging.disable(logging.CRITICAL)\nbuiltins.held = medloom.load('org/release', split='validation')"
    place.client.run(code)
    if fault == "cut":
        place.hub.cut_after(2)
    else:
        place.hub.refuse({"busy": 429, "broken": 503}[fault], when=lambda call: "range" in call.headers, times=3)
    try:
        assert place.run("answer = told(held)") == told(medloom.load(place.release, split="validation"))
    finally:
        place.hub.accept()


def test_a_server_that_gives_something_else_than_the_range_is_told(place: Place):
    place.client.run("import medloom, builtins\nbuiltins.held = medloom.load('org/release', split='test')")
    place.hub.refuse(200, when=lambda call: "range" in call.headers)
    try:
        with pytest.raises(
            Failed, match=r"ReleaseError: hf://datasets/org/release@.*: status 200 with \d+ bytes; expected bytes"
        ):
            place.client.run("held[-1]")
    finally:
        place.hub.accept()


def test_a_shard_that_is_shorter_than_its_index_says_is_told(place: Place, tmp_path: Path):
    shutil.copytree(place.release, tmp_path / "cut")
    shard = sorted((tmp_path / "cut").rglob("test-*.tar"))[0]
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    hold(place.hub, "org/cut", tmp_path / "cut")
    with pytest.raises(Failed, match=r"ends before .* does; expected a shard as long as the index says|the Hub answers 416"):
        place.run("answer = told(medloom.load('org/cut', split='test'))")


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
import medloom
try:
    medloom.load("org/release", split="test", suite="mimoseg")
except medloom.schema.errors.ReleaseError as error:
    print(error)
"""


@pytest.mark.parametrize("most", [4096, 60_000], ids=["recipes", "questions"])
def test_a_full_disk_is_told_and_leaves_nothing_half_written(place: Place, tmp_path: Path, most: int):
    """A limit on what a process may write to one file stands for the disk: the system refuses the same way."""
    environment = place.hub.environment(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(most=most)], env=environment, capture_output=True, text=True, check=True
    )
    assert "no space for the cache in" in done.stdout
    assert "expected room for it; free some or set HF_HOME to another disk" in done.stdout
    snapshots = [path for path in (tmp_path / "hub").rglob("*") if "snapshots" in path.parts and path.is_file()]
    held = place.hub.files("org/release")
    for path in snapshots:
        name = path.relative_to(next((tmp_path / "hub").glob("*/snapshots/*"))).as_posix()
        assert path.read_bytes() == held[name], name
    with Client(environment) as client:
        code = TOLD + "answer = told(medloom.load('org/release', split='test', suite='mimoseg'))"
        assert client.run(code) == told(medloom.load(place.release, split="test", suite="mimoseg"))


def test_what_works_beside_a_release_wants_a_folder(place: Place):
    with pytest.raises(Failed, match=r"UsageError: org/release@\w+ is on the Hub; expected a release folder to work beside"):
        place.run("from medloom.schema.release import Release\nRelease.open('org/release').work")
