"""The raw root: names that match, archives that lie, links that lead out; nothing is written but where it should be."""

from __future__ import annotations

import io
import os
import random
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.pattern import matcher
from medloom.builders.raw import Raw
from medloom.schema.errors import Issue, RawRootError


class Heard(list[Issue]):
    """A report that remembers."""

    __call__ = list.append

    def codes(self) -> list[tuple[str, str]]:
        return sorted((issue.code, issue.where) for issue in self)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


@pytest.fixture
def raw(root: Path, tmp_path: Path, heard: Heard) -> Iterator[Raw]:
    """A raw root that is listed when first asked; afterwards nothing may lie beside it but what was unpacked."""
    (tmp_path / "kept").write_text("as it was")
    yield Raw(root, unpack_to=tmp_path / "work/unpacked", report=heard)
    assert {path.name for path in tmp_path.iterdir()} <= {"raw", "work", "kept", "outside"}
    assert (tmp_path / "kept").read_text() == "as it was"
    assert {path.name for path in (tmp_path / "work").glob("*")} <= {"unpacked"}


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(f"in {name}".encode())


# names


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("*.png", ["a.png", "b[1].png", "x.y.png"]),
        ("**/*.png", ["a.png", "b[1].png", "d/a.png", "d/e/a.png", "x.y.png"]),
        ("d/**/a.png", ["d/a.png", "d/e/a.png"]),
        ("d/**", ["d/a.png", "d/e/a.png"]),
        ("*/*", ["d/a.png"]),
        ("b[[]1].png", ["b[1].png"]),
        ("b[1].png", []),
        ("[ab]*", ["a.png", "b[1].png"]),
        ("[!a].png", []),
        ("?.png", ["a.png"]),
        ("d?a.png", []),
        ("d[!x]a.png", []),
        ("x.y.*", ["x.y.png"]),
        ("x?y?png", ["x.y.png"]),
        ("*.*.png", ["x.y.png"]),
        ("[.*]*", []),
        ("A.PNG", []),
        ("b[1.png", []),
        ("[!]", []),
        ("[!]*.png", []),
        ("[]b]*", ["b[1].png"]),
        ("[!]b]*", ["a.png", "x.y.png"]),
        ("[", []),
        ("", []),
    ],
)
def test_patterns(root: Path, raw: Raw, pattern: str, matching: list[str]):
    put(root, "a.png", "b[1].png", "x.y.png", "d/a.png", "d/e/a.png")
    assert raw.glob(pattern) == matching


def test_several_patterns_give_each_file_once_and_sorted(root: Path, raw: Raw):
    put(root, "b.png", "a.jpg", "c.txt")
    assert raw.glob("*.png", "b.*", "*.jpg") == ["a.jpg", "b.png"]


NAMES = st.text(st.sampled_from("ab.*?[]!^-\\ 1é"), min_size=1, max_size=6)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_an_escaped_name_matches_itself_alone(parts: list[str]):
    import glob

    name = "/".join(parts)
    match = matcher("/".join(map(glob.escape, parts)))
    assert match(name)
    assert not match(f"{name}x")
    assert not match(f"x/{name}")


@given(NAMES, NAMES)
def test_no_pattern_of_one_part_matches_two(pattern: str, name: str):
    if pattern != "**":
        assert not matcher(pattern)(f"{name}/{name}")


@given(st.text(st.sampled_from("ab.*?[]!-"), max_size=6), st.text(st.sampled_from("ab.[]!-"), max_size=6))
def test_within_a_part_it_is_fnmatch(pattern: str, name: str):
    from fnmatch import fnmatchcase

    if pattern == "**":
        return  # any depth
    assert bool(matcher(pattern)(name)) == fnmatchcase(name, pattern)


def test_traces_of_systems_are_not_files(root: Path, raw: Raw, heard: Heard):
    put(root, "a.png", "._a.png", ".DS_Store", "d/Thumbs.db", "__MACOSX/a.png", ".git/config", "d/.hidden")
    assert list(raw.sizes) == ["a.png", "d/.hidden"]
    assert heard == []


def test_sizes_has_and_path(root: Path, raw: Raw):
    put(root, "d/a.png")
    assert (raw.size("d/a.png"), raw.has("d/a.png"), raw.has("a.png")) == (10, True, False)
    assert raw.path("d/a.png").read_bytes() == b"in d/a.png"
    assert raw.text("d/a.png") == "in d/a.png"


def test_text_in_another_encoding_names_the_byte(root: Path, raw: Raw):
    (root / "a.csv").write_bytes("größe".encode("latin-1"))
    assert raw.text("a.csv", encoding="latin-1") == "größe"
    with pytest.raises(RawRootError, match=r"a\.csv: byte 2 is not utf-8.*save the file as UTF-8"):
        raw.text("a.csv")


def test_names_that_are_no_utf8_are_listed(root: Path, raw: Raw):
    name = b"caf\xe9.png"
    (Path(os.fsdecode(bytes(root) + b"/" + name))).write_bytes(b"x")
    assert [os.fsencode(path) for path in raw.sizes] == [name]


@pytest.mark.parametrize("relative", ["../kept", "/etc/passwd", "d/../../kept", "", "a\0b"])
def test_paths_that_lead_out_are_refused(root: Path, raw: Raw, relative: str):
    put(root, "a.png")
    with pytest.raises(RawRootError, match="leads out of the raw root"):
        raw.path(relative)
    assert raw.has(relative) is False


@pytest.mark.parametrize("relative", ["absent.png", "n" * 300, "a.png/b"])
def test_what_is_absent_is_said_to_be(root: Path, raw: Raw, relative: str):
    put(root, "a.png")
    assert not raw.has_on_disk(relative)
    with pytest.raises(RawRootError, match="not in the raw root"):
        raw.path(relative)


def test_no_folder_is_no_root(tmp_path: Path):
    with pytest.raises(RawRootError, match="no such folder"):
        Raw(tmp_path / "absent")


# links


def test_links_out_are_refused_everywhere(root: Path, raw: Raw, heard: Heard, tmp_path: Path):
    put(tmp_path / "outside", "secret.png")
    (root / "file.png").symlink_to(tmp_path / "outside/secret.png")
    (root / "folder").symlink_to(tmp_path / "outside")
    assert raw.sizes == {}
    assert heard.codes() == [("unsafe-path", "file.png"), ("unsafe-path", "folder")]
    for relative in ("file.png", "folder/secret.png"):
        assert not raw.has_on_disk(relative)
        with pytest.raises(RawRootError):
            raw.path(relative)


def test_links_inside_and_broken_ones(root: Path, raw: Raw, heard: Heard):
    put(root, "d/a.png")
    (root / "b.png").symlink_to("d/a.png")
    (root / "e").symlink_to("d")
    (root / "ring").symlink_to("ring")
    (root / "gone").symlink_to("nowhere")
    assert list(raw.sizes) == ["b.png", "d/a.png"]
    assert heard.codes() == [("unsafe-path", "e"), ("unsafe-path", "gone"), ("unsafe-path", "ring")]
    assert raw.path("b.png").read_bytes() == b"in d/a.png"


def test_a_pipe_is_no_file(root: Path, raw: Raw, heard: Heard):
    os.mkfifo(root / "pipe.png")
    assert raw.sizes == {}
    assert heard.codes() == [("unsafe-path", "pipe.png")]


# archives


def as_zip(path: Path, members: list[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members:
            made.writestr(zipfile.ZipInfo(name), body)


def as_tar(mode: str) -> Callable[[Path, list[tuple[str, bytes]]], None]:
    def make(path: Path, members: list[tuple[str, bytes]]) -> None:
        with tarfile.open(path, mode) as made:
            for name, body in members:
                info = tarfile.TarInfo(name)
                info.size = len(body)
                made.addfile(info, io.BytesIO(body))

    return make


KINDS = [("zip", as_zip), ("tar", as_tar("w")), ("tar.gz", as_tar("w:gz")), ("tgz", as_tar("w:gz")), ("ZIP", as_zip)]
every_kind = pytest.mark.parametrize(("suffix", "make"), KINDS, ids=[kind for kind, _ in KINDS])
Make = Callable[[Path, list[tuple[str, bytes]]], None]


@every_kind
def test_members_are_listed_and_unpacked(root: Path, raw: Raw, heard: Heard, suffix: str, make: Make):
    (root / "d").mkdir()
    make(root / f"d/set.{suffix}", [("x/b.png", b"BB"), ("a.png", b"A"), ("._a.png", b""), ("__MACOSX/a.png", b"")])
    assert raw.sizes == {"d/set/a.png": 1, "d/set/x/b.png": 2}
    assert not raw.has_on_disk("d/set/a.png")
    with raw.open("d/set/x/b.png") as stream:
        assert stream.read() == b"BB"
    assert not raw.has_on_disk("d/set/x/b.png")
    assert raw.path("d/set/a.png").read_bytes() == b"A"
    assert raw.has_on_disk("d/set/x/b.png")
    with raw.open("d/set/x/b.png") as stream:
        assert stream.read() == b"BB"
    assert heard == []


BAD_NAMES = [
    "../evil.png",
    "/abs/evil.png",
    "x/../../evil.png",
    "C:/evil.png",
    "..\\evil.png",
    "\\evil.png",
    "C:\\evil.png",
    ".",
]


@every_kind
def test_names_that_lead_out_are_refused_aloud(root: Path, raw: Raw, heard: Heard, suffix: str, make: Make):
    make(root / f"set.{suffix}", [*((name, b"evil") for name in BAD_NAMES), ("good.png", b"good")])
    raw.unpack()
    assert list(raw.sizes) == ["set/good.png"]
    assert {issue.code for issue in heard} == {"unsafe-path"}
    assert len(heard) == len(BAD_NAMES)
    found = {path.relative_to(raw.unpack_to).as_posix() for path in raw.unpack_to.rglob("*") if path.is_file()}
    assert found == {"set/good.png", f"set.{suffix}.unpacked"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(root: Path, raw: Raw, heard: Heard, tmp_path: Path, kind: bytes):
    with tarfile.open(root / "set.tar", "w") as made:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = kind, str(tmp_path / "kept")
        made.addfile(link)
        through = tarfile.TarInfo("link/evil.png")
        through.size = 4
        made.addfile(through, io.BytesIO(b"evil"))
    raw.unpack()
    assert list(raw.sizes) == ["set/link/evil.png"]
    assert heard.codes() == [("unsafe-path", "set.tar:link")]
    assert raw.path("set/link/evil.png").read_bytes() == b"evil"


def test_a_link_in_a_zip_is_refused(root: Path, raw: Raw, heard: Heard):
    with zipfile.ZipFile(root / "set.zip", "w") as made:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("a.png", b"A")
    raw.unpack()
    assert list(raw.sizes) == ["set/a.png"]
    assert heard.codes() == [("unsafe-path", "set.zip:link")]


@every_kind
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_of_one_name_the_later_stands(root: Path, raw: Raw, heard: Heard, suffix: str, make: Make):
    make(root / f"set.{suffix}", [("a.png", b"first"), ("./a.png", b"second"), ("a.png", b"the third")])
    assert raw.sizes == {"set/a.png": 9}
    assert heard.codes() == [("unsafe-path", f"set.{suffix}:./a.png"), ("unsafe-path", f"set.{suffix}:a.png")]
    assert raw.path("set/a.png").read_bytes() == b"the third"


@every_kind
def test_a_file_of_the_name_of_a_folder(root: Path, raw: Raw, heard: Heard, suffix: str, make: Make):
    make(root / f"set.{suffix}", [("a", b"file"), ("a/b.png", b"below")])
    raw.unpack()
    assert list(raw.sizes) == ["set/a/b.png"]
    assert heard.codes() == [("unsafe-path", f"set.{suffix}:a")]


def test_a_folder_beside_its_archive_stands(root: Path, raw: Raw):
    put(root, "set/a.png")
    as_zip(root / "set.zip", [("a.png", b"other"), ("b.png", b"B")])
    raw.unpack()
    assert raw.sizes == {"set/a.png": 12}
    assert raw.path("set/a.png").read_bytes() == b"in set/a.png"
    assert not raw.has_on_disk("set/b.png")


def test_two_archives_of_one_name_share_a_folder(root: Path, raw: Raw, heard: Heard):
    as_tar("w")(root / "set.tar", [("a.png", b"tar"), ("b.png", b"B")])
    as_zip(root / "set.zip", [("a.png", b"the zip"), ("c.png", b"C")])
    assert sorted(raw.sizes) == ["set/a.png", "set/b.png", "set/c.png"]
    assert [issue.code for issue in heard] == ["unsafe-path"]
    assert raw.path("set/a.png").stat().st_size == raw.size("set/a.png")


NOISE = random.Random(1).randbytes(3000)


@every_kind
@pytest.mark.parametrize("damage", ["empty", "text", "half", "garbled"])
def test_a_broken_archive_is_an_issue(root: Path, raw: Raw, heard: Heard, suffix: str, make: Make, damage: str):
    path = root / f"set.{suffix}"
    make(path, [(f"{number}.png", NOISE) for number in range(8)])
    data = path.read_bytes()
    middle = len(data) // 2
    bytes_of = {"empty": b"", "text": b"no archive " * 99, "half": data[:middle]}
    path.write_bytes(bytes_of.get(damage, data[:300] + bytes(byte ^ 0x5A for byte in data[300:])))
    put(root, "a.png")
    raw.unpack()
    assert "a.png" in raw.sizes
    assert {issue.code for issue in heard} == {"unreadable"}
    assert all(raw.path(name).stat().st_size == raw.size(name) for name in raw.sizes if raw.has_on_disk(name))


def test_a_tar_broken_at_a_later_header_is_not_taken_for_shorter(root: Path, raw: Raw, heard: Heard):
    as_tar("w")(root / "set.tar", [("a.png", b"A"), ("b.png", b"B"), ("c.png", b"C")])
    data = bytearray((root / "set.tar").read_bytes())
    data[1024] ^= 1
    (root / "set.tar").write_bytes(data)
    assert raw.sizes == {}
    assert heard.codes() == [("unreadable", "set.tar")]


def test_a_member_that_does_not_unpack_costs_itself_alone(root: Path, raw: Raw, heard: Heard):
    as_zip(root / "set.zip", [("a.png", b"A" * 500), ("b.png", NOISE[:500]), ("c.png", b"C" * 500)])
    data = (root / "set.zip").read_bytes()
    with zipfile.ZipFile(root / "set.zip") as made:
        place = made.getinfo("b.png").header_offset + 100
    (root / "set.zip").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    raw.unpack()
    assert heard.codes() == [("unreadable", "set/b.png")]
    assert (raw.has_on_disk("set/a.png"), raw.has_on_disk("set/b.png"), raw.has_on_disk("set/c.png")) == (True, False, True)
    again = Heard()
    Raw(root, unpack_to=raw.unpack_to, report=again).unpack()
    assert again.codes() == heard.codes()


def test_an_archive_that_claims_absurd_sizes(root: Path, raw: Raw, heard: Heard):
    as_zip(root / "set.zip", [("a.png", b"A" * 100)])
    data = (root / "set.zip").read_bytes()
    size = (100).to_bytes(4, "little")
    (root / "set.zip").write_bytes(data.replace(size, (0xFFFFFF00).to_bytes(4, "little")))
    raw.unpack()
    assert raw.sizes == {}
    assert heard.codes() == [("absurd-size", "set.zip")]


def test_an_encrypted_member_is_an_issue(root: Path, raw: Raw, heard: Heard):
    as_zip(root / "set.zip", [("a.png", b"A" * 100)])
    data = bytearray((root / "set.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (root / "set.zip").write_bytes(data)
    raw.unpack()
    assert heard.codes() == [("unreadable", "set/a.png")]
    with pytest.raises(RawRootError, match=r"set\.zip is broken"), raw.open("set/a.png"):
        pass


def test_an_interrupted_unpacking_ends_whole(root: Path, raw: Raw, monkeypatch: pytest.MonkeyPatch):
    as_zip(root / "set.zip", [(f"{number}.png", NOISE * 60) for number in range(4)])
    real = shutil.copyfileobj
    calls = iter(range(100))

    def dies(source, target, length=0):
        if next(calls) == 2:
            target.write(source.read(1000))
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfileobj", dies)
        with pytest.raises(KeyboardInterrupt):
            raw.unpack()
    assert sorted(raw.has_on_disk(name) for name in raw.sizes) == [False, False, True, True]
    again = Raw(root, unpack_to=raw.unpack_to)
    again.unpack()
    assert all(again.path(name).stat().st_size == size for name, size in again.sizes.items())
    assert not list(raw.unpack_to.rglob("*.partial"))


def test_what_is_unpacked_is_not_unpacked_again(root: Path, raw: Raw):
    as_zip(root / "set.zip", [("a.png", b"A")])
    raw.unpack()
    before = raw.path("set/a.png").stat().st_mtime_ns
    Raw(root, unpack_to=raw.unpack_to).unpack()
    assert raw.path("set/a.png").stat().st_mtime_ns == before


def test_without_a_place_archives_are_listed_and_read_not_unpacked(root: Path):
    as_zip(root / "set.zip", [("a.png", b"A")])
    raw = Raw(root)
    assert list(raw.sizes) == ["set/a.png"]
    with raw.open("set/a.png") as stream:
        assert stream.read() == b"A"
    with pytest.raises(RawRootError, match="not in the raw root"):
        raw.path("set/a.png")


def test_an_empty_root_has_nothing_to_unpack(raw: Raw):
    raw.unpack()
    assert raw.sizes == {}
