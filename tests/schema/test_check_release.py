"""A sound release has no fault; one changed in any way has exactly the fault of that change."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, PngImagePlugin

from medloom.builders.png import encode_png
from medloom.schema.check_release import MOST, check
from medloom.schema.errors import ReleaseError
from medloom.schema.pixels import pixel_sha256
from medloom.schema.region import rle_from_mask


def codes(root: Path) -> set[str]:
    """The codes of all faults."""
    result = check(root)
    assert result["fault_count"] >= len(result["faults"])
    assert all(fault["where"] and fault["found"] and fault["expected"] and fault["next"] for fault in result["faults"])
    return {fault["code"] for fault in result["faults"]}


def annotated(granularity: str) -> Callable[[dict], bool]:
    return lambda record: any(one["granularity"] == granularity for one in record["annotations"])


def of(row, granularity: str) -> dict:
    return next(one for one in row.record["annotations"] if one["granularity"] == granularity)


def test_a_sound_release_has_no_fault(marked: Path):
    seen: list[tuple[int, int]] = []
    result = check(marked, progress=lambda done, total: seen.append((done, total)))
    assert result["faults"] == []
    assert (result["samples"], result["fault_count"]) == (60, 0)
    assert seen == [(number, 60) for number in range(1, 61)]
    assert len(list(marked.rglob("*.tar"))) > 4


def test_a_rewritten_release_has_no_fault(edited):
    edited.write()
    assert codes(edited.root) == set()


def test_what_is_no_release_is_refused(tmp_path: Path):
    with pytest.raises(ReleaseError, match="no README"):
        check(tmp_path)


def test_most_faults_are_counted_and_only_the_first_shown(edited):
    for row in edited.rows:
        row.record |= {"schema_version": "0.9", "group_kind": "person"}
    edited.write()
    result = check(edited.root)
    assert (result["fault_count"], len(result["faults"])) == (120, MOST)


# one field of one record


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"schema_version": "0.9"}, "schema-version"),
        ({"group_kind": "person"}, "bad-group-kind"),
        ({"subject": {"age_years": 91.0, "sex": None}}, "bad-subject"),
        ({"subject": {"age_years": None, "sex": "M"}}, "bad-subject"),
        ({"department": "PM"}, "bad-triplet"),
        ({"clinical_task": "Guessing"}, "bad-triplet"),
        ({"area": "moon"}, "bad-triplet"),
        ({"modality_detail": "T1"}, "bad-triplet"),
        ({"image_format": "webp"}, "image-format"),
        ({"channels": 4}, "image-channels"),
    ],
)
def test_a_changed_field(edited, change: dict, code: str):
    edited.rows[7].record |= change
    edited.write()
    assert codes(edited.root) == {code}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"channels": "1"}, {"bad-record"}),
        ({"unknown": 1}, {"bad-record"}),
        ({"size_hw_px": [20]}, {"bad-record"}),
        ({"source": "another"}, {"bad-record", "bad-key", "index-differs"}),
        ({"split": "excluded"}, {"bad-record", "bad-split", "index-differs", "crosses-splits"}),
        ({"licence": "MIT"}, {"index-differs"}),
    ],
)
def test_a_record_that_is_not_what_the_index_was_made_of(edited, change: dict, expected: set[str]):
    row = edited.first(lambda record: record["split"] == "train" and not record["annotations"])
    edited.write({row.key: orjson.dumps(row.record | change)})
    assert codes(edited.root) == expected


def test_another_size(edited):
    row = edited.first(lambda record: not record["annotations"])
    row.record["size_hw_px"] = [20, 31]
    edited.write()
    assert codes(edited.root) == {"image-size"}


def test_subsets_that_the_labels_do_not_serve(edited):
    for row in edited.rows:
        row.record["subsets"] = ["ct-lung-elsewhere", *row.record["subsets"][1:]]
    edited.write()
    assert codes(edited.root) == {"bad-subset"}


def test_a_key_with_a_dot(edited):
    row = edited.rows[-1]
    row.key = row.record["key"] = f"{row.key}.x"
    edited.write()
    assert "bad-key" in codes(edited.root)


def test_a_label_that_stands_twice(edited):
    row = edited.first(lambda record: len(record["labels"]) > 1)
    row.record["labels"].append(row.record["labels"][-1])
    edited.write()
    assert codes(edited.root) == {"duplicate-label"}


def test_an_annotation_of_an_absent_label(edited):
    row = edited.first(annotated("box"))
    for label in row.record["labels"]:
        if label["label_id"] == of(row, "box")["label_id"]:
            label["state"] = "absent"
    edited.write()
    assert codes(edited.root) == {"label-state"}


def test_annotations_out_of_order(edited):
    row = edited.first(annotated("box"))
    row.record["annotations"].reverse()
    edited.write()
    assert codes(edited.root) == {"annotation-id"}


@pytest.mark.parametrize(
    ("granularity", "change", "code"),
    [
        ("box", {"box_xyxy_px": [25.0, 2.0, 31.0, 5.0]}, "box-outside"),
        ("box", {"box_xyxy_px": [5.0, 2.0, 5.0, 5.0]}, "box-without-area"),
        ("box", {"box_xyxy_px": None}, "bad-region"),
        ("box", {"granularity": "circle"}, "bad-region"),
        ("point", {"points": [[30.0, 1.0]]}, "point-outside"),
        ("point", {"points": []}, "bad-region"),
        ("mask", {"rle": "PPPPPP"}, "bad-rle"),
        ("mask", {"rle": "~~garbage"}, "bad-rle"),
        ("mask", {"area_px": 41.0}, "bad-region"),
        ("contour", {"box_xyxy_px": [2.0, 2.0, 12.0, 10.0]}, "bad-region"),
    ],
)
def test_a_region_without_meaning(edited, granularity: str, change: dict, code: str):
    row = edited.first(annotated(granularity))
    of(row, granularity).update(change)
    edited.write()
    assert codes(edited.root) == {code}


def test_an_empty_mask(edited):
    row = edited.first(annotated("mask"))
    of(row, "mask")["rle"] = rle_from_mask(np.zeros((20, 30), np.uint8))
    edited.write()
    assert codes(edited.root) == {"empty-mask"}


# images


def test_other_pixels(edited):
    row = edited.first(lambda record: record["image_format"] == "png")
    row.image = encode_png(255 - row.pixels)
    edited.write()
    assert codes(edited.root) == {"pixel-hash"}


def test_a_blank_picture_that_claims_information(edited):
    row = edited.first(lambda record: record["channels"] == 1)
    row.image = encode_png(np.zeros((20, 30), np.uint8))
    row.record["provenance"]["pixel_sha256"] = pixel_sha256(np.zeros((20, 30), np.uint8))
    row.record["image_format"] = "png"
    edited.write()
    assert codes(edited.root) == {"low-information"}


@pytest.mark.parametrize("image", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40], ids=["empty", "text", "head"])
def test_an_image_that_does_not_decode(edited, image: bytes):
    edited.rows[3].image = image
    edited.write()
    assert codes(edited.root) == {"unreadable"}


def test_an_image_that_claims_billions_of_pixels(edited):
    """As a fault, and without the memory."""
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    edited.rows[3].image = b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IEND\xaeB`\x82"
    edited.write()
    assert codes(edited.root) == {"unreadable"}


def after_soi(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """The JPEG with a segment more."""
    return jpeg[:2] + bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


@pytest.mark.parametrize(
    ("marker", "body"),
    [
        (0xE1, b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\0\x04ABC\0\0\0\0\0"),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"),
        (0xFE, b"Jane Doe"),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0"),
        (0xE5, b"a maker's own"),
    ],
    ids=["exif", "xmp", "comment", "iptc", "app5"],
)
def test_a_jpeg_that_carries_words(edited, marker: int, body: bytes):
    row = edited.first(lambda record: record["image_format"] == "jpeg")
    row.image = after_soi(row.image, marker, body)
    edited.write()
    assert codes(edited.root) == {"image-metadata"}


def test_a_png_that_carries_words(edited):
    row = edited.first(lambda record: record["image_format"] == "png")
    words = PngImagePlugin.PngInfo()
    words.add_text("Patient", "Jane Doe")
    buffer = io.BytesIO()
    Image.fromarray(row.pixels).save(buffer, "PNG", pnginfo=words)
    row.image = buffer.getvalue()
    edited.write()
    assert codes(edited.root) == {"image-metadata"}


# shards


def a_shard(root: Path) -> Path:
    return sorted(root.rglob("train-*.tar"))[0]


def test_a_flipped_byte_of_an_image(edited):
    path = a_shard(edited.root)
    data = bytearray(path.read_bytes())
    with tarfile.open(path) as tar:
        member = next(member for member in tar if tar.extractfile(member).read(4) == b"\x89PNG")  # type: ignore[union-attr]
    data[member.offset_data + member.size // 2] ^= 1
    path.write_bytes(data)
    assert codes(edited.root) in ({"digest-differs", "unreadable"}, {"digest-differs", "pixel-hash"})


def test_a_flipped_byte_of_the_padding(edited):
    path = a_shard(edited.root)
    data = bytearray(path.read_bytes())
    data[-1] = 1
    path.write_bytes(data)
    assert codes(edited.root) == {"digest-differs"}


def without(path: Path, name: str) -> None:
    """The tar written again without its first member of that ending."""
    left = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=left, mode="w") as new:
        dropped = False
        for member in old:
            if not dropped and member.name.endswith(name):
                dropped = True
            else:
                new.addfile(member, old.extractfile(member))
    path.write_bytes(left.getvalue())


@pytest.mark.parametrize("name", [".image", ".json"])
def test_a_dropped_member(edited, name: str):
    without(a_shard(edited.root), name)
    assert codes(edited.root) == {"digest-differs", "bad-shard", "count-differs", "index-differs"}


@pytest.mark.parametrize("size", [0, 100, 2000])
def test_a_truncated_shard(edited, size: int):
    path = a_shard(edited.root)
    path.write_bytes(path.read_bytes()[:size])
    assert codes(edited.root) == {"digest-differs", "bad-shard", "count-differs", "index-differs"}


def test_a_missing_shard(edited):
    a_shard(edited.root).unlink()
    assert codes(edited.root) == {"missing-shard"}


def test_a_sample_that_stands_twice(edited):
    shutil.copy(a_shard(edited.root), edited.root / "x.tar")
    edited.rows.insert(1, edited.rows[0])
    edited.write()
    assert codes(edited.root) == {"key-order", "index-differs", "stray-file"}


def test_a_sample_moved_to_another_split(edited):
    row = edited.first(lambda record: record["split"] == "test")
    other = next(
        one for one in edited.rows if one.record["split"] == "train" and Path(one.shard).parent == Path(row.shard).parent
    )
    row.shard = other.shard
    edited.rows.sort(key=lambda one: (one.shard, one.key))
    edited.write()
    assert codes(edited.root) >= {"bad-record"}
    row.record["split"] = "train"
    edited.write()
    assert codes(edited.root) == {"crosses-splits"}


def test_pixels_in_two_splits(edited):
    test = edited.first(lambda record: record["split"] == "test" and not record["annotations"] and record["channels"] == 1)
    same = lambda record: record["split"] == "train" and not record["annotations"] and record["channels"] == 1  # noqa: E731
    train = edited.first(same)
    train.image, train.record["image_format"] = test.image, test.record["image_format"]
    for name in ("pixel_sha256", "perceptual_hash"):
        train.record["provenance"][name] = test.record["provenance"][name]
    edited.write()
    assert codes(edited.root) == {"crosses-splits"}


# files of the release


STRAYS = (
    ".train-00000-of-00001.tar.tmp",
    "data/marked/notes.txt",
    "index/marked/extra.parquet",
    "questions/suite/marked/x.parquet",
)


@pytest.mark.parametrize("name", STRAYS)
def test_a_stray_file(edited, name: str):
    (edited.root / name).parent.mkdir(parents=True, exist_ok=True)
    (edited.root / name).write_bytes(b"x")
    assert codes(edited.root) == {"stray-file"}


@pytest.mark.parametrize("name", ["CHANGELOG.md", ".gitattributes", "card/samples.svg"])
def test_files_of_a_published_release_are_no_strays(edited, name: str):
    (edited.root / name).parent.mkdir(exist_ok=True)
    (edited.root / name).write_bytes(b"x")
    assert codes(edited.root) == set()


@pytest.mark.parametrize("name", ["DATASHEET.md", "croissant.json"])
def test_files_of_a_card_that_the_readme_knows_nothing_of(edited, name: str):
    (edited.root / name).write_bytes(b"x")
    assert codes(edited.root) == {"stale-card"}


def test_a_recipe_that_is_no_json(edited):
    (edited.root / "recipes/marked.json").write_text("{")
    with pytest.raises(ReleaseError, match=r"marked\.json.*expected a recipe"):
        check(edited.root)


def in_readme(root: Path, old: str, new: str) -> None:
    readme = root / "README.md"
    text = readme.read_text()
    assert old in text
    readme.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1.", "version: 2."),
        ("split: validation", "split: dev"),
        ("/train-*.tar", "/*.tar"),
        ("config_name: marked", "config_name: marker"),
        ("dtype: float64", "dtype: float32"),
        ("---\n", ""),
        ("pretty_name: MedLoom", "pretty_name: 'MedLoom"),
        ("configs:", "config:"),
    ],
)
def test_a_readme_that_says_another_thing(edited, old: str, new: str):
    in_readme(edited.root, old, new)
    assert codes(edited.root) == {"bad-readme"}


def test_a_readme_that_is_gone(edited):
    (edited.root / "README.md").unlink()
    with pytest.raises(ReleaseError, match="no README"):
        check(edited.root)


def test_words_around_the_header_are_free(edited):
    readme = edited.root / "README.md"
    readme.write_text(readme.read_text() + "\nA card may say more.\n")
    assert codes(edited.root) == set()


# the index


def change_index(edited, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """A changed table, and the recipe's digest with it."""
    path = edited.root / f"index/marked/{table}.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    edited.write_recipe(edited.recipe)


def with_value(name: str, value) -> Callable[[pa.Table], pa.Table]:
    """The third row changed."""

    def change(table: pa.Table) -> pa.Table:
        column = table[name].to_pylist()
        column[2] = value
        return table.set_column(table.column_names.index(name), table.schema.field(name), pa.array(column, table[name].type))

    return change


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ("samples", "group", "another"),
        ("samples", "image_offset", 1),
        ("samples", "labels_present", ["dragon"]),
        ("samples", "provenance_pixel_sha256", "0"),
        ("samples", "key", "marked-0"),
        ("samples", "shard", "data/elsewhere.tar"),
        ("annotations", "state", "uncertain"),
        ("annotations", "x0_px", 17.0),
        ("annotations", "key", "marked-0"),
    ],
)
def test_an_index_that_differs_from_the_records(edited, table: str, name: str, value):
    change_index(edited, table, with_value(name, value))
    assert codes(edited.root) == {"index-differs"}


@pytest.mark.parametrize("table", ["samples", "annotations"])
def test_a_row_too_few(edited, table: str):
    change_index(edited, table, lambda rows: pa.concat_tables([rows.slice(0, 4), rows.slice(5)]))
    assert codes(edited.root) == {"index-differs"}


@pytest.mark.parametrize("table", ["samples", "annotations"])
def test_a_row_too_many(edited, table: str):
    change_index(edited, table, lambda rows: pa.concat_tables([rows, rows.slice(len(rows) - 1)]))
    assert codes(edited.root) == {"index-differs"}


def test_an_index_with_other_columns(edited):
    change_index(edited, "samples", lambda rows: rows.drop_columns(["group"]))
    assert codes(edited.root) == {"bad-index"}


def test_an_index_that_is_no_parquet(edited):
    (edited.root / "index/marked/samples.parquet").write_bytes(b"PAR1 no PAR1")
    assert codes(edited.root) == {"bad-index", "digest-differs"}


@pytest.mark.parametrize("table", ["samples", "annotations"])
def test_a_missing_index(edited, table: str):
    (edited.root / f"index/marked/{table}.parquet").unlink()
    assert codes(edited.root) == {"missing-index"}


def test_a_digest_in_the_recipe(edited):
    recipe = edited.recipe
    recipe["index"]["samples"] = "0" * 64
    (edited.root / "recipes/marked.json").write_text(json.dumps(recipe))
    assert codes(edited.root) == {"digest-differs"}


def test_the_digest_of_the_contents_in_the_recipe(edited):
    (edited.root / "recipes/marked.json").write_text(json.dumps(edited.recipe | {"content_sha256": "0" * 64}))
    assert codes(edited.root) == {"digest-differs"}


def test_a_count_in_the_recipe(edited):
    recipe = edited.recipe
    recipe["shards"][0]["samples"] += 1
    edited.write_recipe(recipe)
    assert codes(edited.root) == {"count-differs"}


def test_a_shard_that_the_recipe_forgot(edited):
    recipe = edited.recipe
    del recipe["shards"][-1]
    edited.write_recipe(recipe)
    assert codes(edited.root) == {"index-differs", "stray-file"}


def test_record_bytes_that_are_no_json(edited):
    path = a_shard(edited.root)
    data = path.read_bytes()
    with tarfile.open(path) as tar:
        member = tar.getmembers()[1]
    assert orjson.loads(data[member.offset_data : member.offset_data + member.size])
    path.write_bytes(data[: member.offset_data] + b"#" + data[member.offset_data + 1 :])
    assert codes(edited.root) == {"digest-differs", "bad-record"}
