"""Reading a shard plainly: pairs of members, and tars that have others."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from medloom.builders.shards import ShardWriter
from medloom.schema.shard import members, pairs, questions_begin, questions_size


def tar_of(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            body = f"body of {name}".encode()
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def test_pairs_come_with_their_places(tmp_path: Path):
    path = tar_of(tmp_path / "x.tar", "a-1.image", "a-1.json", "b-2.image", "b-2.json")
    data = path.read_bytes()
    found = list(pairs(path))
    assert [key for key, *_ in found] == ["a-1", "b-2"]
    for key, image, record, place in found:
        assert (image, record) == (f"body of {key}.image".encode(), f"body of {key}.json".encode())
        assert data[place.image_offset :][: place.image_size] == image
        assert data[place.json_offset :][: place.json_size] == record


@pytest.mark.parametrize(
    "names",
    [
        ("a.image",),
        ("a.json", "a.image"),
        ("a.image", "b.json"),
        ("a.image", "a.json", "a.json"),
        ("a.png", "a.json"),
        ("a.image", "a.image", "a.json", "a.json"),
    ],
)
def test_other_members_are_refused(tmp_path: Path, names: tuple[str, ...]):
    with pytest.raises(tarfile.ReadError, match=r"x\.tar: members .*expected"):
        list(pairs(tar_of(tmp_path / "x.tar", *names)))


def test_a_folder_in_a_shard_has_no_contents(tmp_path: Path):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        folder = tarfile.TarInfo("a.image")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    assert [(member.isdir(), body) for member, body in members(tmp_path / "x.tar")] == [(True, b"")]


def test_a_compressed_tar_is_no_shard(tmp_path: Path):
    with tarfile.open(tmp_path / "x.tar", "w:gz"):
        pass
    with pytest.raises(tarfile.ReadError):
        list(pairs(tmp_path / "x.tar"))


def test_questions_are_found_behind_their_record_and_nowhere_else(tmp_path: Path):
    with ShardWriter(tmp_path / "a.tar", tmp_path / "a.tmp") as writer:
        asked = writer.add("k1", b"image", b"{}", questions=b"[1]")
        bare = writer.add("k2", b"image", b"{}")
        writer.finish()
    data = (tmp_path / "a.tar").read_bytes()
    found = []
    for key, one in (("k1", asked), ("k2", bare), ("k3", asked)):
        begin = questions_begin(one.json_offset + one.json_size)
        size = questions_size(data[begin : begin + 512], key)
        found.append(None if size is None else data[begin + 512 : begin + 512 + size])
    assert found == [b"[1]", None, None]
