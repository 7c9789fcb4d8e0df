"""A sketch holds hashes and nothing else, reads back as written, and names what of it another set holds."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medloom.builders.duplicates import sketch as form
from medloom.builders.duplicates import thumbnails as read
from medloom.builders.duplicates.contaminated import Own, certainty, counts, held, own_of
from medloom.builders.duplicates.descriptor import CROP_WINDOWS, GROWN_WINDOWS, HASH_ONLY_BITS, WINDOWS, Window, describe, views
from medloom.builders.duplicates.hashes import Hashes, of_pictures, of_release, taken
from medloom.builders.duplicates.thumbnails import of_folder
from medloom.schema.errors import UsageError
from medloom.schema.pixels import low_information, pixel_sha256, thumbnail
from medloom.schema.release import Release

Pictures = dict[str, np.ndarray]


def hashes_of(pictures: Pictures, windows: tuple[Window, ...] | None = None) -> Hashes:
    thumbnails = np.stack([thumbnail(picture) for picture in pictures.values()])
    nothing = pa.array([None] * len(pictures), pa.string()).dictionary_encode()
    return Hashes(
        np.stack([np.frombuffer(bytes.fromhex(pixel_sha256(picture)), np.uint8) for picture in pictures.values()]),
        describe(thumbnails),
        np.array([low_information(small) for small in thumbnails]),
        nothing,
        nothing,
        windows=None if windows is None else lambda rows: views(thumbnails[rows], windows),
    )


def own(pictures: Pictures) -> Own:
    return Own(list(pictures), hashes_of(pictures, WINDOWS + GROWN_WINDOWS))


def written(path: Path, pictures: Pictures, *, crops: bool = False) -> form.Sketch:
    form.write(path, hashes_of(pictures, CROP_WINDOWS if crops else None), of={})
    return form.read(path)


@pytest.fixture
def sketch(twins: Any, tmp_path: Path) -> form.Sketch:
    release = Release.open(twins.release)
    form.write(tmp_path / "sketch.parquet", of_release(release), of=form.of_what(release))
    return form.read(tmp_path / "sketch.parquet")


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def test_it_holds_every_sample_of_a_split_and_no_name(sketch: form.Sketch, twins: Any, tmp_path: Path):
    wanted = []
    names: set[str] = set()
    for path in twins.release.glob("index/*/samples.parquet"):
        for row in pq.read_table(path).to_pylist():
            names |= {row["key"], row["group"]}
            if row["split"] != "excluded":
                digest = bytes.fromhex(row["provenance_pixel_sha256"]), bytes.fromhex(row["provenance_perceptual_hash"])
                wanted.append((*digest, row["provenance_low_information"], row["split"], row["source"]))
    table = pq.read_table(tmp_path / "sketch.parquet")
    assert table.column_names == form.SKETCH.names
    rows = [tuple(row.values())[1:] for row in table.to_pylist()]
    assert rows == sorted(wanted, key=lambda row: (row[0], row[3], row[4]))
    assert table["row"].to_pylist() == list(range(len(wanted)))
    content = (tmp_path / "sketch.parquet").read_bytes()
    assert not [name for name in names if name.encode() in content]
    assert str(tmp_path).encode() not in content


def test_its_header_says_of_what_and_by_which_rules(sketch: form.Sketch, twins: Any):
    header = sketch.header
    assert header["of"] == {
        "kind": "release",
        "sources": {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in Release.open(twins.release).recipes()},
    }
    assert header["thresholds"] == {"near_bits": HASH_ONLY_BITS}
    assert (header["count"], header["low_information"]) == (47, 2)
    assert len(header["content_sha256"]) == 64


def test_the_same_pictures_give_the_same_bytes_in_any_order(tmp_path: Path, twins: Any):
    hashes = of_release(Release.open(twins.release))
    form.write(tmp_path / "a.parquet", hashes, of={})
    form.write(tmp_path / "b.parquet", taken(hashes, np.random.default_rng(1).permutation(len(hashes))), of={})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_what_is_held_is_named_exactly_or_nearly(sketch: form.Sketch, twins: Any):
    mine = own(
        {
            "same.png": twins.pictures[0],
            "again.png": twins.pictures[0],
            "jpeg.jpg": jpeg(twins.pictures[3], 60),
            "crop.png": np.ascontiguousarray(twins.pictures[5][2:-2, 3:-3]),
            "blank.png": np.full((80, 96), 7, np.uint8),
            "mine.png": np.random.default_rng(3).integers(0, 255, (80, 96), np.uint8),
        }
    )
    pairs = held(sketch, mine)
    found = {(row["name"], row["kind"]) for row in pairs.to_pylist()}
    assert {("same.png", "exact"), ("again.png", "exact"), ("jpeg.jpg", "near"), ("crop.png", "near")} <= found
    assert {name for name, _ in found} == {"same.png", "again.png", "jpeg.jpg", "crop.png"}
    for row in pairs.to_pylist():
        place = row["row"]
        assert (row["split"], row["source"]) == (sketch.hashes.splits[place].as_py(), sketch.hashes.sources[place].as_py())
        assert (row["kind"] == "exact") == (
            sketch.hashes.pixels[place] == mine.hashes.pixels[mine.names.index(row["name"])]
        ).all()
    counted = counts(pairs, own=mine, sketch=sketch)
    assert counted["own"] == {"pictures": 6, "low_information": 1, "exact": 2, "near": 2}
    assert counted["sketch"]["pictures"] == 47
    assert counted["sketch"]["near"] >= 3, "the JPEG's and the crop's originals, and the JPEG copy of the first"


def test_a_crop_is_met_on_either_side(tmp_path: Path, twins: Any):
    cut = {f"{n}.png": np.ascontiguousarray(picture[2:-2, 2:-2]) for n, picture in enumerate(twins.pictures)}
    whole = {f"{n}.png": picture for n, picture in enumerate(twins.pictures)}
    met = {row["name"] for row in held(written(tmp_path / "cut.parquet", cut), own(whole)).to_pylist()}
    assert met == set(whole)


def test_without_pixels_whole_pictures_are_compared(sketch: form.Sketch, twins: Any):
    release = Release.open(twins.release)
    hashes = of_release(release)
    pairs = held(sketch, Own([str(n) for n in range(len(hashes))], hashes))
    assert len(set(pairs["row"].to_pylist())) == 45


def test_one_split_of_a_sketch(sketch: form.Sketch, twins: Any):
    test = sketch.of_split("test")
    assert 0 < len(test.rows) < len(sketch.rows)
    pairs = held(test, own({str(n): picture for n, picture in enumerate(twins.pictures)}))
    assert set(pairs["split"].to_pylist()) == {"test"}
    assert set(pairs["row"].to_pylist()) <= set(test.rows.tolist())
    with pytest.raises(UsageError, match=r"'dev'; expected one of test, train, validation"):
        sketch.of_split("dev")


def test_a_sketch_without_splits_says_so(tmp_path: Path, twins: Any):
    with pytest.raises(UsageError, match="the sketch has no splits"):
        written(tmp_path / "s.parquet", {"a": twins.pictures[0]}).of_split("test")


@pytest.mark.parametrize("kind", ["absent", "text", "table", "cut", "changed"])
def test_what_is_no_sketch_or_a_damaged_one_is_refused(kind: str, tmp_path: Path, twins: Any):
    path = tmp_path / "sketch.parquet"
    form.write(path, of_release(Release.open(twins.release)), of={})
    table = pq.read_table(path)
    if kind == "absent":
        path.unlink()
    elif kind == "text":
        path.write_text("no Parquet")
    elif kind == "table":
        pq.write_table(pa.table({"a": [1]}), path)
    elif kind == "cut":
        pq.write_table(table.slice(1), path)
    else:
        blank = pa.array([not value for value in table["low_information"].to_pylist()])
        pq.write_table(table.set_column(3, table.schema.field(3), blank), path)
    with pytest.raises(UsageError, match=r"sketch\.parquet: .*; expected"):
        form.read(path)


def test_an_empty_sketch_holds_nothing(tmp_path: Path, twins: Any):
    empty = taken(of_release(Release.open(twins.release)), np.zeros(0, np.int64))
    form.write(tmp_path / "empty.parquet", empty, of={})
    read = form.read(tmp_path / "empty.parquet")
    assert len(held(read, own({"a": twins.pictures[0]}))) == 0


@pytest.fixture
def with_crops(twins: Any, tmp_path: Path) -> form.Sketch:
    """Of the same release as `sketch`, from its pixels, with windows."""
    root = tmp_path / "release"
    shutil.copytree(twins.release, root)
    release = Release.open(root)
    pictures = read.of_release(release)
    form.write(tmp_path / "crops.parquet", of_pictures(pictures, windows=CROP_WINDOWS), of=form.of_what(release))
    return form.read(tmp_path / "crops.parquet")


def test_windows_stand_beside_what_a_plain_sketch_has(sketch: form.Sketch, with_crops: form.Sketch, tmp_path: Path):
    table = pq.read_table(tmp_path / "crops.parquet")
    assert table.drop_columns("windows").equals(pq.read_table(tmp_path / "sketch.parquet"))
    assert table.schema.field("windows").type == pa.binary(32 * (len(CROP_WINDOWS) - 1))
    stated = with_crops.header
    assert {name for name in stated if stated[name] != sketch.header.get(name)} == {"content_sha256", "windows"}
    assert len(stated["windows"]["cut"]) == len(CROP_WINDOWS) - 1
    rows, asked = np.arange(len(table)), with_crops.hashes.windows
    assert sketch.hashes.windows is None
    assert asked is not None
    assert asked(rows)[:, 0].tobytes() == sketch.hashes.hashes.tobytes()
    assert asked(rows)[:, 1:].tobytes() == b"".join(table["windows"].to_pylist())
    some = with_crops.of_split("test")
    assert some.hashes.windows is not None
    assert np.array_equal(some.hashes.windows(np.array([2, 0])), asked(some.rows[[2, 0]]))
    assert certainty(sketch)["exact"] == certainty(with_crops)["exact"]
    assert certainty(sketch)["near"] != certainty(with_crops)["near"]


def test_windows_are_those_of_the_pictures(twins: Any, tmp_path: Path):
    pictures = {str(n): picture for n, picture in enumerate(twins.pictures)}
    hashes = hashes_of(pictures, CROP_WINDOWS)
    form.write(tmp_path / "a.parquet", hashes, of={})
    order = np.random.default_rng(1).permutation(len(hashes))
    form.write(tmp_path / "b.parquet", taken(hashes, order), of={})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    stored = form.read(tmp_path / "a.parquet").hashes
    assert stored.windows is not None
    for row, digest in enumerate(stored.pixels):
        picture = thumbnail(next(one for one in pictures.values() if bytes.fromhex(pixel_sha256(one)) == digest.tobytes()))
        made = views(picture[None], CROP_WINDOWS)[0]
        assert np.bitwise_count(stored.windows(np.array([row]))[0] ^ made).sum(-1).max() <= 2, "but for the last digit"


def test_own_crops_are_met_through_windows_alone(twins: Any, tmp_path: Path):
    whole = {f"{n}.png": picture for n, picture in enumerate(twins.pictures)}
    cut = {name: jpeg(np.ascontiguousarray(picture[4:-4, 5:-5]), 80) for name, picture in whole.items()}
    met = []
    for crops in (False, True):
        pairs = held(written(tmp_path / f"{crops}.parquet", whole, crops=crops), own(cut)).to_pylist()
        met.append({row["name"] for row in pairs})
    assert met[1] == set(whole)
    assert len(met[0]) < len(whole) / 2


def changed_header(path: Path, table: pa.Table, change: Callable[[dict[str, Any]], Any]) -> None:
    header = json.loads(table.schema.metadata[b"medloom"])
    change(header)
    pq.write_table(table.replace_schema_metadata({"medloom": json.dumps(header)}), path)


@pytest.mark.parametrize("what", ["version", "cut", "plain"])
def test_windows_of_another_version_are_refused(what: str, with_crops: form.Sketch, tmp_path: Path):
    path = tmp_path / "crops.parquet"
    table = pq.read_table(path)
    if what == "version":
        changed_header(path, table, lambda header: header["windows"].update(version="medloom-windows-0"))
    elif what == "cut":
        changed_header(path, table, lambda header: header["windows"]["cut"].pop())
    else:
        changed_header(path, table, lambda header: header.update(windows="some"))
    with pytest.raises(UsageError, match=r"crops\.parquet: .*windows are of .*; expected .*; ask for .* without --crops"):
        form.read(path)


@pytest.mark.parametrize("kind", ["unsaid", "absent", "changed", "null"])
def test_damaged_windows_are_refused(kind: str, with_crops: form.Sketch, tmp_path: Path):
    path = tmp_path / "crops.parquet"
    table = pq.read_table(path)
    column, field = table["windows"].to_pylist(), table.schema.field("windows")
    if kind == "unsaid":
        changed_header(path, table, lambda header: header.pop("windows"))
    elif kind == "absent":
        pq.write_table(table.drop_columns("windows"), path)
    else:
        column[3] = None if kind == "null" else bytes(len(column[3]))
        pq.write_table(table.set_column(table.schema.names.index("windows"), field, pa.array(column, field.type)), path)
    with pytest.raises(UsageError, match=r"crops\.parquet: .*; expected"):
        form.read(path)


def test_an_empty_sketch_with_windows_holds_nothing(twins: Any, tmp_path: Path):
    mine = {"a": twins.pictures[0]}
    form.write(tmp_path / "empty.parquet", taken(hashes_of(mine, CROP_WINDOWS), np.zeros(0, np.int64)), of={})
    sketch = form.read(tmp_path / "empty.parquet")
    assert "windows" in sketch.header
    assert len(held(sketch, own(mine))) == 0


digest = st.integers(0, 5)


@given(st.lists(st.tuples(digest, st.booleans()), max_size=9), st.lists(st.tuples(digest, st.booleans()), max_size=9))
def test_exact_pairs_name_everything_that_is_held(mine: list[tuple[int, bool]], theirs: list[tuple[int, bool]]):
    """Against a comparison of all with all; hashes lie far apart, and blank ones hold nothing."""

    def hashes(rows: list[tuple[int, bool]]) -> Hashes:
        pixels = np.array([[value] * 32 for value, _ in rows], np.uint8).reshape(-1, 32)
        spread = np.array([[255 if bit == value else 0 for bit in range(32)] for value, _ in rows], np.uint8).reshape(-1, 32)
        words = pa.array(["x"] * len(rows), pa.string()).dictionary_encode()
        return Hashes(pixels, np.repeat(spread, 1, axis=0), np.array([blank for _, blank in rows], bool), words, words)

    names = [str(n) for n in range(len(mine))]
    sketch = form.Sketch({}, hashes(theirs), np.arange(len(theirs)))
    pairs = held(sketch, Own(names, hashes(mine))).to_pylist()
    equal = {(str(i), j) for i, a in enumerate(mine) for j, b in enumerate(theirs) if a[0] == b[0] and not (a[1] or b[1])}
    exact = {(row["name"], row["row"]) for row in pairs if row["kind"] == "exact"}
    assert exact <= equal
    assert {name for name, _ in exact} == {name for name, _ in equal}
    assert {row for _, row in exact} == {row for _, row in equal}


def test_pictures_with_hardly_any_detail_are_held_only_where_they_are_equal(tmp_path: Path):
    for name, radius in (("a", 6), ("b", 7)):
        (tmp_path / name).mkdir()
        ys, xs = np.mgrid[:128, :128]
        spot = 255 * ((ys - 64) ** 2 + (xs - 64) ** 2 < radius**2)
        Image.fromarray(spot.astype(np.uint8)).save(tmp_path / name / f"{name}.png")
    pictures = [of_folder(tmp_path / name) for name in "ab"]
    assert not pictures[0].blank.any(), "it isn't blank, but nearly"
    form.write(tmp_path / "a.parquet", of_pictures(pictures[0]), of={})
    sketch = form.read(tmp_path / "a.parquet")
    found = [held(sketch, own_of(some))["kind"].to_pylist() for some in pictures]
    assert found == [["exact"], []]
