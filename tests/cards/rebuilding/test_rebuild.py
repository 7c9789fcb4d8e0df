"""A source rebuilt in a second folder is the one that was published: bytes, rows, questions; or it says what differs."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Image, load_dataset
from published_cells import NAMES, SHARD_BYTES, Published, change_picture

from medloom.builders.build import Options, build
from medloom.builders.cut import cut
from medloom.builders.withdrawing.withdraw import withdraw
from medloom.cards.publishing.stage import stage
from medloom.cards.rebuilding.choices import Choices
from medloom.cards.rebuilding.rebuild import rebuild
from medloom.schema.check_release import check
from medloom.schema.disk import write_json
from medloom.schema.errors import RawRootError, RebuildDiffers, ReleaseError, UsageError
from medloom.schema.gate_overrides import Override, overrides_of, record_overrides
from medloom.schema.labels.table import COLUMNS
from medloom.schema.published import Mode
from medloom.schema.release import Release
from medloom.schema.withdrawn import withdrawn_of

LEFT, RIGHT = NAMES
MODES = [Mode.ANNOTATIONS, Mode.RECIPE, Mode.FULL]


def contents(root: Path, *parts: str) -> dict[str, bytes]:
    """Path → bytes of all files, or of those below some folders."""
    paths = [path for part in parts or ("",) for path in sorted((root / part).rglob("*"))]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def of(root: Path, source: str) -> dict[str, bytes]:
    """Files of one source, its recipe among them."""
    found = contents(root, f"data/{source}", f"index/{source}")
    return {**found, "recipe": (root / "recipes" / f"{source}.json").read_bytes()}


def rows(root: Path, config: str) -> list[tuple]:
    found = []
    for split, some in load_dataset(str(root), config).items():
        for streaming in (False, True):
            table = load_dataset(str(root), config, split=split, streaming=streaming).cast_column("image", Image(decode=False))
            found += [(split, row["__key__"], row["image"]["bytes"], row["json"]) for row in table]
        assert some.num_rows
    return found


def changed_recipe(release: Release, source: str, change: Callable[[dict], object]) -> None:
    recipe = release.recipe(source) or {}
    change(recipe)
    write_json(release.recipe_path(source), recipe)


def test_annotations_and_raw_files_give_the_release_again(published: Published, tmp_path: Path):
    staged, out, whole = published.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "out", published.whole
    first = published.rebuilt(staged, LEFT, out)
    assert check(out)["faults"] == []
    assert (first["installed"], first["reproduced"], first["samples"]) == (True, True, first["pixels_equal"])
    assert first["samples"] == sum((whole.recipe(LEFT) or {})["splits"].values())
    assert first["shards"] == first["shards_equal"] > 3
    published.rebuilt(staged, RIGHT, out)
    assert check(out)["faults"] == []
    assert contents(out) == contents(whole.root)
    assert rows(out, LEFT) == rows(whole.root, LEFT)
    questions = "questions/medmat"
    again = [load_dataset(str(root), data_dir=questions, split="train")[:] for root in (out, whole.root)]
    assert again[0] == again[1]
    assert not (tmp_path / "out.work/rebuild" / LEFT / "built").exists()
    assert published.rebuilt(staged, LEFT, out)["already"]


def test_a_recipe_alone_and_raw_files_give_shards_and_index_again(published: Published, tmp_path: Path):
    staged, out = published.staged(tmp_path / "staged", Mode.RECIPE), tmp_path / "out"
    result = published.rebuilt(staged, LEFT, out, workers=2)
    assert result["suites"] == []
    assert of(out, LEFT) == of(published.whole.root, LEFT)
    assert rows(out, LEFT) == rows(published.whole.root, LEFT)
    assert check(out)["faults"] == []


def test_proof_of_an_open_source_installs_nothing(published: Published, tmp_path: Path):
    result = published.rebuilt(published.whole, RIGHT, tmp_path / "proof", prove=True)
    assert (result["installed"], result["reproduced"], result["shards"]) == (False, True, result["shards_equal"])
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize("mode", [Mode.ANNOTATIONS, Mode.FULL])
def test_published_labels_win_over_those_of_another_builder(own: Published, tmp_path: Path, mode: Mode):
    staged, builder = own.staged(tmp_path / "staged", mode), own.builder(LEFT)
    builder.write_text(builder.read_text().replace('{"kind": ("red", "white")}', "{}"))
    result = own.rebuilt(staged, LEFT, tmp_path / "out")
    assert not result["reproduced"]
    assert result["warnings"][0].startswith(f"builder of {LEFT}: SHA-256")
    assert of(tmp_path / "out", LEFT) == of(own.whole.root, LEFT)
    assert result["suites"] == ["medmat"]
    assert check(tmp_path / "out")["faults"] == []


def test_other_labels_of_a_recipe_alone_are_told_and_recorded(own: Published, tmp_path: Path):
    staged, builder, out = own.staged(tmp_path / "staged", Mode.RECIPE), own.builder(LEFT), tmp_path / "out"
    builder.write_text(builder.read_text().replace('{"kind": ("red", "white")}', "{}"))
    result = own.rebuilt(staged, LEFT, out)
    assert (result["pixels_equal"], result["shards_equal"]) == (result["samples"], 0)
    made, before = Release(out).recipe(LEFT) or {}, own.whole.recipe(LEFT) or {}
    assert made["rebuilt"] == {"of": before["content_sha256"], "differing": 0, "missing": 0, "extra": 0}
    assert [shard["path"] for shard in made["shards"]] == [shard["path"] for shard in before["shards"]]
    assert check(out)["faults"] == []


@pytest.mark.parametrize("mode", MODES)
def test_changed_pixels_are_named_with_their_distance(own: Published, tmp_path: Path, mode: Mode):
    staged, out = own.staged(tmp_path / "staged", mode), tmp_path / "out"
    change_picture(own.raw(LEFT) / "red" / "04-9.png")
    with pytest.raises(RebuildDiffers, match="1 differing") as caught:
        own.rebuilt(staged, LEFT, out)
    result = caught.value.result
    (one,) = result["differences"]
    assert (one["kind"], result["pixels_equal"]) == ("differing", result["samples"] - 1)
    assert 0 < one["distance"] <= 256
    assert not out.exists()
    listed = Path(result["differences_file"])
    assert [row["key"] for row in csv.DictReader(listed.read_text().splitlines())] == [one["key"]]
    kept = own.rebuilt(staged, LEFT, out, keep_differing=True)
    assert (kept["installed"], kept["shards_equal"], kept["suites"]) == (True, kept["shards"] - 1, [])
    assert (Release(out).recipe(LEFT) or {})["rebuilt"]["differing"] == 1
    assert check(out)["faults"] == []
    before, after = ({row[1]: row for row in rows(root, LEFT)} for root in (own.whole.root, out))
    assert [key for key in before if before[key] != after[key]] == [one["key"]]


def test_questions_stay_behind_where_contents_differ_and_come_back_with_them(own: Published, tmp_path: Path):
    staged, out = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "out"
    for name in NAMES:
        own.rebuilt(staged, name, out)
    picture = own.raw(LEFT) / "red" / "04-9.png"
    kept = picture.read_bytes()
    change_picture(picture)
    changed_recipe(Release(out), LEFT, lambda recipe: recipe.update(issues={"other": 1}))
    result = own.rebuilt(staged, LEFT, out, keep_differing=True)
    assert result["suites_left_out"] == ["medmat"] == result["suites_stale"]
    assert {path.name for path in (out / "questions/medmat").iterdir()} == {"suite.json", RIGHT}
    assert [fault["code"] for fault in check(out)["faults"]][:1] == ["stale-questions"]
    picture.write_bytes(kept)
    assert own.rebuilt(staged, LEFT, out)["suites"] == ["medmat"]
    assert contents(out) == contents(own.whole.root)


def test_mended_raw_files_are_read_again(own: Published, tmp_path: Path):
    staged, picture = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), own.raw(LEFT) / "white" / "08-16.png"
    kept = picture.read_bytes()
    change_picture(picture)
    with pytest.raises(RebuildDiffers):
        own.rebuilt(staged, LEFT, tmp_path / "out")
    picture.write_bytes(kept)
    assert own.rebuilt(staged, LEFT, tmp_path / "out")["installed"]
    assert of(tmp_path / "out", LEFT) == of(own.whole.root, LEFT)


@pytest.mark.parametrize("mode", MODES)
def test_samples_that_come_no_more_and_new_ones(own: Published, tmp_path: Path, mode: Mode):
    """A file under another name is a sample that is missing, and one that is extra."""
    staged, out = own.staged(tmp_path / "staged", mode), tmp_path / "out"
    (own.raw(LEFT) / "red" / "04-9.png").rename(own.raw(LEFT) / "red" / "04-x.png")
    with pytest.raises(RebuildDiffers, match="1 missing, 1 extra") as caught:
        own.rebuilt(staged, LEFT, out)
    assert {one["kind"] for one in caught.value.result["differences"]} == {"missing", "extra"}
    own.rebuilt(staged, LEFT, out, keep_differing=True)
    assert check(out)["faults"] == []
    assert {key: (Release(out).recipe(LEFT) or {})["rebuilt"][key] for key in ("missing", "extra")} == {
        "missing": 1,
        "extra": 1,
    }
    assert len(rows(out, LEFT)) == len(rows(own.whole.root, LEFT)) - 2


def test_another_version_of_the_dataset_is_refused_before_anything_is_read(own: Published, tmp_path: Path):
    staged, picture = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), own.raw(LEFT) / "red" / "04-9.png"
    count = len(list(own.raw(LEFT).rglob("*.png")))
    shutil.copyfile(picture, picture.with_name("99-9.png"))
    with pytest.raises(RawRootError, match=rf"{count + 1} files .* expected {count} of"):
        own.rebuilt(staged, LEFT, tmp_path / "out")
    picture.with_name("99-9.png").unlink()
    picture.write_bytes(picture.read_bytes()[:-1])
    with pytest.raises(RawRootError, match="get the same version"):
        own.rebuilt(staged, LEFT, tmp_path / "out")
    shutil.rmtree(own.raw(LEFT) / "red")
    shutil.rmtree(own.raw(LEFT) / "white")
    with pytest.raises(RawRootError, match="isn't the layout"):
        own.rebuilt(staged, LEFT, tmp_path / "out")
    assert not (tmp_path / "out.work/rebuild").exists()


@pytest.mark.parametrize("mode", MODES)
def test_withdrawn_samples_never_come_back(own: Published, tmp_path: Path, mode: Mode):
    keys = pq.read_table(own.whole.index_path(LEFT)).to_pylist()
    gone = [row["key"] for row in keys if row["split"] == "train"][::4]
    withdraw(own.whole.root, keys=gone, reason="a test")
    staged, out = own.staged(tmp_path / "staged", mode), tmp_path / "out"
    result = own.rebuilt(staged, LEFT, out)
    assert result["samples"] == result["pixels_equal"]
    assert result["shards_equal"] == result["shards"]
    assert contents(out, "data") == contents(own.whole.root, f"data/{LEFT}")
    assert {one.key for one in withdrawn_of(out).tombstones} == set(gone)
    assert not {row[1] for row in rows(out, LEFT)} & set(gone)
    assert check(out)["faults"] == []
    index = [pq.read_table(release.index_path(LEFT)).to_pylist() for release in (Release(out), own.whole)]
    assert index[0] == index[1]
    if mode is not Mode.RECIPE:
        assert of(out, LEFT) == of(own.whole.root, LEFT)


def test_what_was_withdrawn_from_the_rebuilt_release_alone_stays_out(own: Published, tmp_path: Path):
    staged, out = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "out"
    own.rebuilt(staged, LEFT, out)
    withdraw(out, keys=[pq.read_table(Release(out).index_path(LEFT))["key"][0].as_py()], reason="a test")
    with pytest.raises(UsageError, match="has withdrawn 1 samples"):
        own.rebuilt(staged, LEFT, out)


@pytest.mark.parametrize("mode", MODES)
def test_a_cut_with_other_splits_is_rebuilt_from_the_same_raw_files(own: Published, tmp_path: Path, mode: Mode):
    index = pq.read_table(own.whole.index_path(LEFT)).to_pylist()
    pictures = Counter(row["provenance_pixel_sha256"] for row in index)
    alone = [row for row in index if pictures[row["provenance_pixel_sha256"]] == 1]
    patients = sorted({row["group"] for row in alone})
    sides = {group: ("test", "train", "validation")[number % 3] for number, group in enumerate(patients[:6])}
    some = [(row["key"], sides[row["group"]]) for row in alone if row["group"] in sides]
    table = pa.table({"key": [key for key, _ in some], "split": [split for _, split in some]})
    cut(own.whole.root, table, tmp_path / "cut", why={"protocol": "by hand"}, shard_bytes=SHARD_BYTES // 2)
    staged = stage(Release(tmp_path / "cut"), tmp_path / "staged", modes={LEFT: mode})
    result = own.rebuilt(staged, LEFT, tmp_path / "out")
    assert (result["samples"], result["pixels_equal"], result["reproduced"]) == (len(some), len(some), False)
    assert contents(tmp_path / "out") == contents(tmp_path / "cut")
    assert check(tmp_path / "out")["faults"] == []


def test_other_coded_bytes_with_the_same_pixels_are_no_difference(own: Published, tmp_path: Path):
    """As another version of a PNG writer would make them: published records, own bytes, own digests."""
    staged, out = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "out"
    changed_recipe(staged, LEFT, lambda recipe: recipe["options"]["reading"].update(png_encoder="pillow"))
    result = own.rebuilt(staged, LEFT, out)
    assert (result["pixels_equal"], result["shards_equal"], result["differences"]) == (result["samples"], 0, [])
    assert (result["suites"], result["suites_left_out"]) == ([], ["medmat"])
    assert (Release(out).recipe(LEFT) or {})["rebuilt"]["differing"] == 0
    assert check(out)["faults"] == []
    assert [row[3] for row in rows(out, LEFT)] == [row[3] for row in rows(own.whole.root, LEFT)]


def test_options_salt_and_limit_are_those_of_the_recipe(own: Published, tmp_path: Path):
    salt, other, made = tmp_path / "salt", tmp_path / "other", tmp_path / "salted"
    salt.write_bytes(b"sixteen secret bytes")
    other.write_bytes(b"sixteen other secret bytes")
    options = Options(salt_file=salt, limit=20, reading={"png_encoder": "pillow", "percentiles": (1.0, 99.0)})
    build(str(own.builder(LEFT)), own.raw(LEFT), made, options=options)
    staged = stage(Release(made), tmp_path / "staged", modes={LEFT: Mode.RECIPE})
    with pytest.raises(UsageError, match="pass it with --salt-file"):
        own.rebuilt(staged, LEFT, tmp_path / "out")
    with pytest.raises(UsageError, match="which made the published keys"):
        own.rebuilt(staged, LEFT, tmp_path / "out", salt_file=other)
    assert own.rebuilt(staged, LEFT, tmp_path / "out", salt_file=salt)["reproduced"]
    assert contents(tmp_path / "out") == contents(made)
    with pytest.raises(UsageError, match="public salt"):
        own.rebuilt(own.whole, LEFT, tmp_path / "more", salt_file=salt)


def test_votes_are_taken_from_the_recipe(own: Published, tmp_path: Path):
    votes, made = tmp_path / "votes.csv", tmp_path / "voted"
    heading = ",".join(COLUMNS) + "\n"
    cells = {"name": "red blood cell", "departments": "Urology"}
    votes.write_text(heading + ",".join(cells.get(column, "") for column in COLUMNS) + "\n")
    build(str(own.builder(LEFT)), own.raw(LEFT), made, options=Options(labels=votes))
    staged = stage(Release(made), tmp_path / "staged", modes={LEFT: Mode.RECIPE})
    for number, labels in enumerate((None, votes)):
        own.rebuilt(staged, LEFT, tmp_path / f"out{number}", labels=labels)
        assert contents(tmp_path / f"out{number}") == contents(made)
    with pytest.raises(UsageError, match="overrides other labels"):
        own.rebuilt(own.staged(tmp_path / "plain", Mode.RECIPE), LEFT, tmp_path / "more", labels=votes)


def test_reasons_given_to_gates_come_along_with_their_source(own: Published, tmp_path: Path):
    given = [Override(gate="licence", code="pixels-not-granted", source=name, reason="a test") for name in (LEFT, RIGHT, None)]
    record_overrides(own.whole.root, given)
    own.rebuilt(own.staged(tmp_path / "staged", Mode.ANNOTATIONS), LEFT, tmp_path / "out")
    assert overrides_of(tmp_path / "out") == [given[0]]


def test_recipes_that_this_version_cannot_rebuild(own: Published, tmp_path: Path):
    staged, out = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "out"
    with pytest.raises(UsageError, match=r"'absent' isn't in .*; expected one of left_cells, right_cells"):
        own.rebuilt(staged, "absent", out)
    with pytest.raises(UsageError, match="pass it with --builder"):
        own.rebuilt(staged, LEFT, out, builder=None)
    with pytest.raises(UsageError, match="makes right_cells; expected left_cells"):
        own.rebuilt(staged, LEFT, out, builder=own.builder(RIGHT))
    with pytest.raises(UsageError, match="lies inside it"):
        own.rebuilt(staged, LEFT, staged.root / "out")
    for change, words in (
        ({"versions": {"medloom": "99.1.0", "schema": "1.0"}}, "of medloom 99.1.0; expected at most .*; upgrade medloom"),
        ({"versions": {"medloom": "0.1.0", "schema": "9.0"}}, "of schema 9.0; expected at most .*; upgrade medloom"),
        ({"versions": {"medloom": "0.0.1", "schema": "0.1"}}, "rebuild it with medloom 0.0.1"),
        ({"versions": {"medloom": "0.1.0", "schema": "1.0"}, "embedded": {}}, "hold questions"),
    ):
        changed_recipe(staged, LEFT, lambda recipe, change=change: recipe.update(change))
        with pytest.raises(UsageError, match=words):
            own.rebuilt(staged, LEFT, out)
    assert not out.exists()


def test_a_suite_of_the_same_name_that_was_made_otherwise(own: Published, tmp_path: Path):
    staged, out = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "out"
    own.rebuilt(staged, RIGHT, out)
    path = out / "questions/medmat/suite.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seed": 5}))
    with pytest.raises(UsageError, match="another suite medmat: other seed"):
        own.rebuilt(staged, LEFT, out)


def test_a_published_file_that_was_changed_is_refused(own: Published, tmp_path: Path):
    staged = own.staged(tmp_path / "staged", Mode.ANNOTATIONS)
    tar = next(staged.root.glob(f"records/{LEFT}/**/*.tar"))
    body = tar.read_bytes()
    tar.unlink()
    tar.write_bytes(body.replace(b"blood", b"flood"))
    with pytest.raises(ReleaseError, match="as published"):
        own.rebuilt(staged, LEFT, tmp_path / "out")


@pytest.mark.parametrize("mode", MODES)
def test_a_real_source_is_rebuilt(built, raw_root, tmp_path: Path, mode: Mode):
    release, _ = built("kvasir_seg_mini")
    staged = stage(Release(release), tmp_path / "staged", modes={"kvasir_seg_mini": mode})
    rebuild(staged.root, "kvasir_seg_mini", raw_root("kvasir_seg_mini"), tmp_path / "out", choices=Choices())
    assert contents(tmp_path / "out") == contents(release)
    assert rows(tmp_path / "out", "kvasir_seg_mini") == rows(release, "kvasir_seg_mini")
