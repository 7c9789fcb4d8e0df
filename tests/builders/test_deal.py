"""Plan and deal: shards in the order of their paths, an index that says the same, the same bytes when done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medloom.builders.deal import Hand, deal, hands, plan
from medloom.builders.parts import PartWriter
from medloom.builders.pieces import LONGEST_FOLDER, Staging, join_index
from medloom.builders.read import Encoded
from medloom.schema.sample import LabelState, Provenance, Sample, State
from medloom.schema.shard import pairs

SAMPLE = Sample(
    key="", source="s", collection="s", group="", group_kind="image", licence="x", citation="x", modality="CT", area="lung",
    task="unlabelled", subsets=("a",), clinical_task="None", department="None", image_format="png", size_hw_px=(1, 1),
    channels=1, provenance=Provenance("r", "png", "d", "", "p", low_information=False, builder_version="0"),
    labels=(LabelState("l", "medloom:l", State.ABSENT, "lung", "unlabelled", "a", "None", "None"),),
)  # fmt: skip
SPLITS = {0: "test", 1: "validation"}


def encoded(number: int, *, subsets: tuple[str, ...] = ("a",), pixels: str = "", group: str = "") -> Encoded:
    """Every tenth picture is in the owner's test set, the next in validation."""
    sample = replace(
        SAMPLE,
        key=f"s-{(number * 7919) % 10007:05d}",
        group=group or f"g{number}",
        subsets=subsets,
        original_split=SPLITS.get(number % 10),
        provenance=replace(SAMPLE.provenance, pixel_sha256=pixels or f"p{number}"),
    )
    return Encoded(sample, b"image %d" % number * 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    return tmp_path


def staging(folder: Path) -> Staging:
    return Staging(folder / "staged", folder / "staged/pieces")


def put(folder: Path, *parts: list[Encoded]) -> list[Hand]:
    for number, samples in enumerate(parts):
        with PartWriter(folder / "parts", number) as part:
            for one in samples:
                part.add(one, 0.5)
            part.finish({})
    rows, fate, repeated = plan(folder / "parts", range(len(parts)))
    assert repeated == []
    return list(hands(rows, fate, source="s", parts=folder / "parts", staging=staging(folder), target_bytes=20_000))


def many() -> list[Encoded]:
    kinds = [("a",), ("a", "b"), ("b",)]
    return [encoded(number, subsets=kinds[number % 3]) for number in range(60)]


def test_every_sample_lies_in_one_shard_in_key_order(folder: Path):
    samples = many()
    dealt = [deal(hand) for hand in put(folder, samples[:25], samples[25:])]
    paths = [one["path"] for one in dealt]
    assert paths == sorted(paths)
    assert {path.split("/")[2] for path in paths} == {"a", "a+b", "b"}
    images = {one.sample.key: one for one in samples}
    seen = []
    for one in dealt:
        shard = list(pairs(folder / "staged" / one["path"]))
        assert [key for key, *_ in shard] == sorted(key for key, *_ in shard)
        assert one["samples"] == len(shard)
        for key, image, record, _ in shard:
            seen.append(key)
            parsed = orjson.loads(record)
            assert image == images[key].image
            assert (parsed["split"], parsed["subsets"]) == (one["split"], one["subsets"])
            assert parsed["split"] == (images[key].sample.original_split or "train")
    assert sorted(seen) == sorted(images)


def test_shards_of_a_split_are_near_equal(folder: Path):
    dealt = [deal(hand) for hand in put(folder, [encoded(number) for number in range(100)])]
    train = [one["samples"] for one in dealt if one["split"] == "train"]
    assert sum(train) == 80
    assert len(train) > 4
    assert max(train) - min(train) <= 1
    assert [one["path"] for one in dealt][-1] == "data/s/validation-00001-of-00002.tar"


def test_the_order_of_parts_says_nothing(folder: Path, tmp_path: Path):
    samples = many()
    for name, order in (("one", samples), ("two", samples[::-1])):
        (tmp_path / name / "parts").mkdir(parents=True)
        dealt = [deal(hand) for hand in put(tmp_path / name, order[:20], order[20:])]
        join_index(staging(tmp_path / name), range(len(dealt)), source="s")
    files = {path.relative_to(tmp_path / "one/staged") for path in (tmp_path / "one/staged").rglob("*") if path.is_file()}
    assert files
    for file in files:
        assert (tmp_path / "one/staged" / file).read_bytes() == (tmp_path / "two/staged" / file).read_bytes()


def test_the_index_is_in_the_order_of_the_shards(folder: Path):
    dealt = [deal(hand) for hand in put(folder, many())]
    digests = join_index(staging(folder), range(len(dealt)), source="s")
    assert set(digests) == {"samples", "annotations"}
    table = pq.read_table(folder / "staged/index/s/samples.parquet")
    places = list(zip(table["shard"].to_pylist(), table["key"].to_pylist(), strict=True))
    assert places == [(one["path"], key) for one in dealt for key, *_ in pairs(folder / "staged" / one["path"])]
    labels = pq.read_table(folder / "staged/index/s/annotations.parquet")
    assert labels["key"].to_pylist() == [key for _, key in places]
    assert not list((folder / "staged").rglob("*.tmp"))


def test_the_excluded_are_in_the_index_alone(folder: Path):
    test, train = encoded(10, pixels="same"), encoded(12, pixels="same")
    other = encoded(13, group="g10")
    dealt = [deal(hand) for hand in put(folder, [test, train, other, encoded(14)])]
    assert [(one["path"], one["split"], one["samples"]) for one in dealt][-1] == (None, "excluded", 2)
    join_index(staging(folder), range(len(dealt)), source="s")
    rows = pq.read_table(folder / "staged/index/s/samples.parquet").to_pylist()
    left_out = {row["key"]: row for row in rows if row["split"] == "excluded"}
    assert {key: row["exclusion"] for key, row in left_out.items()} == {
        train.sample.key: "pixels-in-test",
        other.sample.key: "group-in-test",
    }
    assert all(row["shard"] is row["image_offset"] is None for row in left_out.values())
    labels = pq.read_table(folder / "staged/index/s/annotations.parquet")["key"].to_pylist()
    assert not set(labels) & left_out.keys()


def test_what_is_dealt_is_not_dealt_again(folder: Path):
    found = put(folder, many())
    first = deal(found[0])
    (folder / "staged" / first["path"]).unlink()
    assert deal(found[0]) == first
    assert not (folder / "staged" / first["path"]).exists()


def test_a_hand_dropped_half_way_is_dealt_anew(folder: Path):
    found = put(folder, many())
    first = deal(found[0])
    before = (folder / "staged" / first["path"]).read_bytes()
    (folder / "staged/pieces/000000.json").unlink()
    (folder / "staged" / first["path"]).write_bytes(b"half")
    assert deal(found[0]) == first
    assert (folder / "staged" / first["path"]).read_bytes() == before


def test_a_key_that_came_twice_stands_once(folder: Path):
    with PartWriter(folder / "parts", 0) as part:
        for number in (3, 4, 3):
            part.add(encoded(number), 0.5)
        part.finish({})
    rows, fate, repeated = plan(folder / "parts", range(1))
    assert repeated == [encoded(3).sample.key]
    assert (len(rows), len(fate.split)) == (2, 2)
    assert rows.filter(pa.compute.equal(rows["key"], repeated[0]))["offset"].to_pylist() == [0]


def test_no_samples_are_no_shards(folder: Path):
    assert put(folder, []) == []
    assert put(folder) == []


def test_a_long_set_of_subsets_gets_a_short_folder(folder: Path):
    names = tuple(f"ct-lung-a-very-long-task-{number:02d}" for number in range(9))
    found = put(folder, [encoded(1, subsets=names), encoded(2, subsets=names[1:]), encoded(3, subsets=names[:3])])
    folders = {hand.piece.shard.split("/")[2]: hand.piece.subsets for hand in found if hand.piece.shard}
    assert all(len(name) <= LONGEST_FOLDER for name in folders)
    assert sorted(folders.values()) == sorted([names, names[1:], names[:3]])
    assert any(name.startswith("ct-lung-a-very-long-task-00+8-more-") for name in folders)
