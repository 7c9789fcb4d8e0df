"""Shards: plain tars that `tarfile` and `webdataset` read, with the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path

import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.shards import SMALLEST_BYTES, TARGET_BYTES, ShardReader, ShardWriter, cuts, shard_count
from medloom.schema.errors import ReleaseError
from medloom.schema.shard import Place, pairs

SAMPLES = [(f"s-{number:04d}", bytes([number]) * (number * 97), b'{"number":%d}' % number) for number in range(12)]


def written(folder: Path, samples=SAMPLES) -> tuple[Path, list[Place], dict]:
    path = folder / "train-00000-of-00001.tar"
    with ShardWriter(path, folder / ".temporary") as shard:
        places = [shard.add(key, image, record) for key, image, record in samples]
        assert not path.exists()
        told = shard.finish()
    return path, places, told


def test_tarfile_reads_it_with_fixed_headers(tmp_path: Path):
    path, places, told = written(tmp_path)
    with tarfile.open(path, "r:") as tar:
        found = tar.getmembers()
        assert [member.name for member in found] == [f"{key}.{kind}" for key, *_ in SAMPLES for kind in ("image", "json")]
        for member in found:
            header = (
                member.mtime,
                member.uid,
                member.gid,
                member.uname,
                member.gname,
                member.mode,
                member.type,
                member.pax_headers,
            )
            assert header == (0, 0, 0, "", "", 0o644, tarfile.REGTYPE, {})
        assert [tar.extractfile(member).read() for member in found[::2]] == [image for _, image, _ in SAMPLES]
    assert not (tmp_path / ".temporary").exists()
    assert told == {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert path.stat().st_size % tarfile.RECORDSIZE == 0
    assert [place for *_, place in pairs(path)] == places


def test_it_is_the_tar_that_tarfile_would_write(tmp_path: Path):
    path, _, _ = written(tmp_path)
    with tarfile.open(tmp_path / "other.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for key, image, record in SAMPLES:
            for name, body in ((f"{key}.image", image), (f"{key}.json", record)):
                info = tarfile.TarInfo(name)
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))
    assert path.read_bytes() == (tmp_path / "other.tar").read_bytes()


def test_byte_ranges(tmp_path: Path):
    path, places, _ = written(tmp_path)
    data = path.read_bytes()
    for (_, image, record), place in zip(SAMPLES, places, strict=True):
        assert data[place.image_offset :][: place.image_size] == image
        assert data[place.json_offset :][: place.json_size] == record


def test_webdataset_reads_it(tmp_path: Path):
    path, _, _ = written(tmp_path)
    rows = list(webdataset.WebDataset(str(path), shardshuffle=False))
    assert [(row["__key__"], row["image"], row["json"]) for row in rows] == SAMPLES


@pytest.mark.parametrize("samples", [[], SAMPLES[:1], *([("k", b"x" * size, b"{}")] for size in (511, 512, 513))])
def test_small_shards_are_whole_tars(tmp_path: Path, samples):
    path, places, _ = written(tmp_path, samples)
    assert [key for key, *_ in pairs(path)] == [key for key, *_ in samples]
    assert len(places) == len(samples)


def add_and_fail(shard: ShardWriter) -> None:
    shard.add("a", b"1", b"{}")
    raise RuntimeError


def test_a_writer_that_fails_leaves_no_shard(tmp_path: Path):
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "x.tar", tmp_path / ".x.tmp") as shard:
        add_and_fail(shard)
    assert not (tmp_path / "x.tar").exists()


def test_a_key_too_long_for_a_header_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="name is too long"), ShardWriter(tmp_path / "x.tar", tmp_path / ".x.tmp") as shard:
        shard.add("k" * 101, b"1", b"{}")


MIB = 1 << 20


@pytest.mark.parametrize(
    ("total", "samples", "count"),
    [
        (0, 5, 1),
        (1, 5, 1),
        (255 * MIB, 9000, 1),
        (511 * MIB, 9000, 2),
        (512 * MIB, 9000, 8),  # eight of 64 MiB
        (513 * MIB, 9000, 8),
        (600 * MIB, 9000, 8),
        (4096 * MIB, 9000, 16),
        (4097 * MIB, 9000, 24),
        (4097 * MIB, 3, 3),
    ],
)
def test_shard_counts(total: int, samples: int, count: int):
    assert shard_count(total, samples) == count


@given(st.integers(0, 1 << 40), st.integers(1, 10**7))
def test_the_rule_of_eight(total: int, samples: int):
    count = shard_count(total, samples)
    assert 1 <= count <= samples
    if count < samples:
        assert total / count <= TARGET_BYTES
        eights = -(-count // 8) * 8
        assert count == eights or total / eights < SMALLEST_BYTES


@given(st.integers(1, 5000), st.integers(1, 64))
def test_cuts_are_near_equal(samples: int, shards: int):
    shards = min(shards, samples)
    found = cuts(samples, shards)
    sizes = [last - first for first, last in found]
    assert (found[0][0], found[-1][1], len(found)) == (0, samples, shards)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert max(sizes) - min(sizes) <= 1


def test_samples_are_read_back_by_their_places(tmp_path: Path):
    path, places, _ = written(tmp_path)
    with ShardReader(tmp_path) as shards:
        for (key, image, record), place in zip(SAMPLES[::-1], places[::-1], strict=True):
            assert shards.read(path.name, key, place) == (image, record)


def test_many_shards_are_read_with_few_files_open(tmp_path: Path):
    path, places, _ = written(tmp_path)
    names = [f"{number}.tar" for number in range(300)]
    for name in names:
        (tmp_path / name).hardlink_to(path)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    with ShardReader(tmp_path) as shards:
        for name in [*names, *names]:
            assert shards.read(name, "s-0003", places[3])[0] == SAMPLES[3][1]
        during = len(list(Path("/proc/self/fd").iterdir())) if before else 0
    assert during <= before + 257


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Place]]:
    """A shard that stays, and the places of its samples."""
    path, places, _ = written(tmp_path_factory.mktemp("standing"))
    return path, places


@given(
    st.sampled_from(range(12)), st.lists(st.sampled_from([-1024, -512, -1, 0, 1, 512, 1024, 1 << 40]), min_size=4, max_size=4)
)
def test_other_places_hold_no_sample(standing: tuple[Path, list[Place]], number: int, shifts: list[int]):
    path, places = standing
    (key, image, record), right = SAMPLES[number], places[number]
    place = Place(*(value + shift for value, shift in zip(astuple(right), shifts, strict=True)))
    with ShardReader(path.parent) as shards:
        assert shards.read(path.name, key, right) == (image, record)
        if place != right:
            with pytest.raises(ReleaseError, match=rf"{path.name}: .*two members of {key}"):
                shards.read(path.name, key, place)
