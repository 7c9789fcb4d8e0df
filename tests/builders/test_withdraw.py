"""Withdrawing takes samples out, leaves every other byte as it was, and later builds and cuts keep them out."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.builders.build import Options, _Build, build
from medloom.builders.cut import cut
from medloom.builders.duplicates.certificate import certify
from medloom.builders.duplicates.find import within
from medloom.builders.withdrawing.withdraw import withdraw
from medloom.schema.check_certificate import verify
from medloom.schema.check_release import check
from medloom.schema.errors import UsageError
from medloom.schema.published import ENTRY, Mode
from medloom.schema.release import Release
from medloom.schema.shard import members
from medloom.schema.withdrawn import Tombstone, Withdrawn, withdrawn_of

SETTINGS = settings(max_examples=25, deadline=None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows_of(root: Path) -> list[dict[str, Any]]:
    release = Release(root)
    return [row for source in release.sources for row in pq.read_table(release.index_path(source)).to_pylist()]


def bodies(root: Path) -> dict[tuple[str, str], bytes]:
    """Shard and member → contents."""
    shards = sorted(root.glob("data/**/*.tar"))
    return {(path.relative_to(root).as_posix(), one.name): body for path in shards for one, body in members(path)}


@pytest.fixture(scope="module")
def small(twins, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources in many small shards. Copy it before changing it."""
    out = tmp_path_factory.mktemp("small") / "release"
    keys = [{"key": row["key"]} for row in rows_of(twins.release) if row["shard"]]
    cut(twins.release, pa.Table.from_pylist(keys), out, why={"where": "true"}, shard_bytes=30_000)
    assert len(list(out.glob("data/**/*.tar"))) > 6
    return out


@given(data=st.data())
@SETTINGS
def test_everything_else_keeps_its_bytes(small: Path, data: st.DataObject):
    rows = [row for row in rows_of(small) if row["shard"]]
    keys = data.draw(st.sets(st.sampled_from([row["key"] for row in rows]), max_size=len(rows)), label="keys")
    groups = data.draw(
        st.sets(st.sampled_from([row["group"] for row in rows]), min_size=0 if keys else 1, max_size=4), label="groups"
    )
    gone = {row["key"] for row in rows if row["key"] in keys or row["group"] in groups}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "release"
        shutil.copytree(small, root)
        told = withdraw(root, keys=keys, groups=groups, reason="test")
        assert told["withdrawn"] == len(gone)
        touched = {row["shard"] for row in rows if row["key"] in gone}
        before, after = contents(small), contents(root)
        assert all(after[path] == before[path] for path in before if path.startswith("data/") and path not in touched)
        assert bodies(root) == {place: body for place, body in bodies(small).items() if place[1].split(".")[0] not in gone}
        assert check(root)["faults"] == []
        assert not any(path.name.startswith(".") for path in root.rglob("*"))
        assert withdraw(root, keys=keys, groups=groups, reason="again")["already"] == len(gone)
        assert contents(root) == after


@given(stones=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, "k", "l"]), st.sampled_from("gh"), st.text())))
def test_tombstones_keep_their_first_reason(stones: list[tuple[str, str | None, str, str]]):
    every = [Tombstone(*one) for one in stones]
    found = Withdrawn().added(every)
    assert found == found.added(every) == Withdrawn().added(found.tombstones)
    assert found.keys == {one.key for one in every} - {None}
    assert all(found.holds(key=one.key) if one.key else found.holds(group=one.group) for one in every)
    first = {(one.source, one.key, one.key is None and one.group): one.reason for one in reversed(every)}
    assert {(one.source, one.key, one.key is None and one.group): one.reason for one in found.tombstones} == first


def test_what_is_left_of_a_sample_tells_nothing_of_it(built, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(built("phantom")[0], root)
    before = next(row for row in rows_of(root) if row["labels_present"] and row["subject_age_years"])
    withdraw(root, keys=[before["key"]], reason="consent withdrawn")
    row = next(row for row in rows_of(root) if row["key"] == before["key"])
    assert (row["split"], row["exclusion"], row["shard"], row["image_offset"]) == ("excluded", "withdrawn", None, None)
    assert row["group"] == before["group"]
    assert not row["labels_present"]
    assert row["subject_age_years"] is None
    assert {row["provenance_pixel_sha256"], row["provenance_perceptual_hash"], row["provenance_raw_sha256"]} == {"0" * 64}
    recipe = Release(root).recipe("phantom")
    assert recipe is not None
    assert recipe["counts"]["excluded"] == {"withdrawn": 1}
    assert check(root)["faults"] == []


def test_a_split_that_becomes_empty_leaves_the_config(small: Path, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(small, root)
    keys = [row["key"] for row in rows_of(root) if row["split"] == "test"]
    told = withdraw(root, keys=keys, reason="test")
    assert all(one["shards_removed"] and not one["shards_rewritten"] for one in told["sources"].values())
    assert "test" not in Release(root).configs()["default"]
    assert not list(root.glob("data/**/test-*"))
    assert check(root)["faults"] == []


def test_a_source_may_lose_everything(small: Path, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(small, root)
    withdraw(root, groups=[row["group"] for row in rows_of(root) if row["source"] == "owned"], reason="test")
    assert not (root / "data/owned").exists()
    assert "owned" not in Release(root).configs()
    assert check(root)["faults"] == []


def test_a_dry_run_writes_nothing(small: Path, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(small, root)
    before, key = contents(tmp_path), rows_of(root)[0]["key"]
    told = withdraw(root, keys=[key], reason="test", dry_run=True)
    assert contents(tmp_path) == before
    real = withdraw(root, keys=[key], reason="test")
    assert {name: told[name] for name in ("withdrawn", "sources")} == {name: real[name] for name in ("withdrawn", "sources")}


def test_samples_with_the_same_pixels_are_named(twins, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(twins.release, root)
    rows = [row for row in rows_of(root) if row["shard"] and not row["provenance_low_information"]]
    pixels = [row["provenance_pixel_sha256"] for row in rows]
    row = next(row for row in rows if pixels.count(row["provenance_pixel_sha256"]) > 1)
    same = {other["key"] for other in rows if other["provenance_pixel_sha256"] == row["provenance_pixel_sha256"]}
    told = withdraw(root, keys=[row["key"]], reason="test")
    assert {one["key"] for one in told["same_pixels"]} == same - {row["key"]}


def test_the_certificate_stays_true(twins, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(twins.release, root)
    release = Release.open(root)
    certify(release, within(release).pairs, search={})
    before = json.loads((root / "certificate/certificate.json").read_text())
    row = next(row for row in rows_of(root) if row["shard"])
    assert withdraw(root, groups=[row["group"]], reason="test")["certificate"] == "as the index is"
    assert [one["code"] for one in verify(root)["faults"] if "cross" not in one["code"] and "sides" not in one["code"]] == []
    after = json.loads((root / "certificate/certificate.json").read_text())
    assert after["counts"]["groups"] == before["counts"]["groups"] - 1
    assert check(root)["faults"] == []


def test_a_stale_certificate_stays_visibly_stale(twins, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(twins.release, root)
    release = Release.open(root)
    stated = certify(release, within(release).pairs, search={})
    (root / "certificate/certificate.json").write_text(json.dumps(stated | {"content": {"owned": "0" * 64}}))
    key = next(row["key"] for row in rows_of(root) if row["shard"])
    assert withdraw(root, keys=[key], reason="test")["certificate"] == "stale before"
    assert "stale-certificate" in {one["code"] for one in verify(root)["faults"]}


def test_builds_leave_out_what_was_withdrawn(tiny):
    build(tiny.spec, tiny.raw, tiny.release, options=Options(shard_bytes=20_000))
    rows = [row for row in rows_of(tiny.release) if row["shard"]]
    splits = {row["key"]: row["split"] for row in rows}
    withdraw(tiny.release, keys=[rows[0]["key"]], groups=[rows[9]["group"]], reason="test")
    stood = contents(tiny.release)
    build(tiny.spec, tiny.raw, tiny.release, options=Options(shard_bytes=20_000))
    assert contents(tiny.release) == stood
    build(tiny.spec, tiny.raw, tiny.release, options=Options(shard_bytes=20_000, fresh=True))
    after = {row["key"]: (row["split"], row["exclusion"]) for row in rows_of(tiny.release)}
    gone = {rows[0]["key"], *(row["key"] for row in rows if row["group"] == rows[9]["group"])}
    assert after == {key: ("excluded", "withdrawn") if key in gone else (split, None) for key, split in splits.items()}
    assert check(tiny.release)["faults"] == []
    build(tiny.spec, tiny.raw, tiny.folder / "elsewhere", options=Options())
    assert all(row["shard"] for row in rows_of(tiny.folder / "elsewhere"))


def test_a_build_that_was_staged_before_is_staged_anew(tiny, monkeypatch: pytest.MonkeyPatch):
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    key = rows_of(tiny.release)[0]["key"]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_Build, "_put_in_place", killed)
        with pytest.raises(KeyboardInterrupt):
            build(tiny.spec, tiny.raw, tiny.release, options=Options(fresh=True))
    withdraw(tiny.release, keys=[key], reason="test")
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    assert next(row for row in rows_of(tiny.release) if row["key"] == key)["exclusion"] == "withdrawn"
    assert check(tiny.release)["faults"] == []


def test_cuts_carry_tombstones_along_and_may_be_withdrawn_from(small: Path, tmp_path: Path):
    root, out = tmp_path / "release", tmp_path / "cut"
    shutil.copytree(small, root)
    keys = [row["key"] for row in rows_of(root)]
    withdraw(root, keys=keys[:2], reason="test")
    with pytest.raises(UsageError, match="withdrawn"):
        cut(root, pa.table({"key": keys}), out, why={"where": "true"})
    choice = pa.table({"key": keys[2:]})
    cut(root, choice, out, why={"where": "true"})
    assert withdrawn_of(out).keys == set(keys[:2])
    withdraw(out, keys=keys[2:3], reason="test")
    assert check(out)["faults"] == []
    stood = contents(out)
    cut(root, choice, out, why={"where": "true"})
    assert contents(out) == stood


def test_a_withdrawn_sample_that_is_back_is_a_fault(small: Path, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(small, root)
    row = rows_of(root)[0]
    (root / "withdrawn.json").write_text(
        json.dumps([{name: row[name] for name in ("source", "key", "group")} | {"reason": "x"}])
    )
    assert [one["code"] for one in check(root)["faults"]] == ["withdrawn-sample"]


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"keys": ["nobody"]}, "1 keys not in"),
        ({"groups": ["none"]}, "1 groups not in"),
        ({}, "no key and no --group"),
        ({"keys": ["nobody"], "reason": " "}, "an empty reason"),
    ],
)
def test_wrong_calls_say_what_is_wrong(small: Path, named: dict[str, Any], words: str):
    with pytest.raises(UsageError, match=words):
        withdraw(small, **{"reason": "test", **named})


def test_a_source_of_records_alone_is_refused(small: Path, tmp_path: Path):
    root = tmp_path / "release"
    shutil.copytree(small, root)
    release = Release(root)
    recipe, row = release.recipe("owned"), next(row for row in rows_of(root) if row["source"] == "owned")
    assert recipe is not None
    release.recipe_path("owned").write_text(json.dumps(recipe | {ENTRY: {"mode": Mode.ANNOTATIONS, "shards": []}}))
    with pytest.raises(UsageError, match="annotations alone"):
        withdraw(root, keys=[row["key"]], reason="test")


def test_what_lies_beside_and_may_still_show_it_is_named(small: Path, tmp_path: Path):
    release = Release(Path(shutil.copytree(small, tmp_path / "release")))
    row = next(row for row in rows_of(small) if row["shard"])
    other = next(name for name in release.sources if name != row["source"])
    for name in (f"{row['source']}/report.json", f"{other}/report.json", "preview/page.html", "publish.lock"):
        (release.work / name).parent.mkdir(parents=True, exist_ok=True)
        (release.work / name).write_text("x")
    told = withdraw(release.root, keys=[row["key"]], reason="test", dry_run=True)
    assert [Path(path).name for path in told["beside"]] == sorted([row["source"], "preview"])
