"""Every place of a picture's or tar's bytes that can hold words beside the pixels is seen."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from medloom.builders.formats.jpeg import strip_metadata
from medloom.builders.png import encode_png
from medloom.builders.shards import ShardWriter
from medloom.cards.gates.privacy.archive import walk
from medloom.cards.gates.privacy.pictures import carried

PIXELS = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
NAME = b"DOE^JANE 19700203"


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(name: bytes, body: bytes = NAME) -> bytes:
    image = encode_png(PIXELS)
    return image[:33] + chunk(name, body) + image[33:]


def saved(kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    image = strip_metadata(saved("JPEG"))
    return image[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + image[2:]


def exif() -> Image.Exif:
    facts = Image.Exif()
    facts[0x010E] = "DOE^JANE"
    return facts


def texted() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Patient", "DOE^JANE", zip=True)
    return saved("PNG", pnginfo=info)


def riff(extra: bytes) -> bytes:
    image = saved("WEBP", lossless=True)
    body = image[8:] + extra
    return b"RIFF" + struct.pack("<I", len(body)) + body


CHUNKS = {
    name: with_chunk(name.encode())
    for name in ("tEXt", "zTXt", "iTXt", "eXIf", "tIME", "iCCP", "sPLT", "hIST", "prVt", "caBX", "sBIT", "pHYs", "gAMA")
}
PLANTED = {
    **{f"PNG chunk {name}": image for name, image in CHUNKS.items()},
    "PNG chunk iTXt by Pillow": texted(),
    "PNG chunk eXIf by Pillow": saved("PNG", exif=exif()),
    "bytes behind the end of a PNG": encode_png(PIXELS) + NAME,
    "bytes behind the pixels of a PNG": None,
    "a row behind the last one": None,
    **{f"JPEG APP{n}": segment(0xE0 + n, b"UNKNOWN\0" + NAME) for n in range(16)},
    "JPEG comment": segment(0xFE, NAME),
    "JPEG EXIF": saved("JPEG", exif=exif()),
    "JPEG XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + NAME),
    "JPEG IPTC": segment(0xED, b"Photoshop 3.0\0" + NAME),
    "JPEG thumbnail": segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\2\1" + NAME),
    "JPEG trailing": strip_metadata(saved("JPEG")) + NAME,
    "WebP EXIF": saved("WEBP", exif=exif()),
    "WebP XMP": riff(b"XMP " + struct.pack("<I", 18) + NAME + b" "),
    "WebP unknown": riff(b"JANE" + struct.pack("<I", 18) + NAME + b" "),
    "WebP trailing": saved("WEBP") + NAME,
    "no picture": NAME,
}  # fmt: skip


def behind_pixels(*, row: bool) -> bytes:
    raw = b"".join(b"\0" + line.tobytes() for line in PIXELS) + (b"\0" + NAME.ljust(64) if row else b"")
    data = zlib.compress(raw) + (b"" if row else NAME)
    header = struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PLANTED["bytes behind the pixels of a PNG"] = behind_pixels(row=False)
PLANTED["a row behind the last one"] = behind_pixels(row=True)


@pytest.mark.parametrize("place", PLANTED)
def test_whatever_a_picture_carries_is_seen(place: str):
    image = PLANTED[place]
    assert image is not None
    found = list(carried(image))
    assert found
    assert "JANE" not in "".join(found)


@pytest.mark.parametrize(
    "image",
    [
        encode_png(PIXELS), encode_png(np.dstack([PIXELS] * 3)), saved("PNG"), saved("PNG", dpi=(72, 72)), saved("WEBP"),
        saved("WEBP", lossless=True), strip_metadata(saved("JPEG")), strip_metadata(saved("JPEG", progressive=True)),
    ],
)  # fmt: skip
def test_a_clean_picture_carries_nothing(image: bytes):
    assert list(carried(image)) == []


def shard(path: Path) -> Path:
    with ShardWriter(path, path.with_suffix(".part")) as writer:
        writer.add("drawn-0123456789abcdef", encode_png(PIXELS), b"{}")
        writer.finish()
    return path


def test_a_shard_as_it_is_written_holds_nothing_beside_its_members(tmp_path: Path):
    members = list(walk(shard(tmp_path / "a.tar")))
    assert [(one.name.split(".")[1], one.beside) for one in members] == [("image", ()), ("json", ())]


@pytest.mark.parametrize(
    ("change", "form"),
    [
        ({"uname": "jane"}, tarfile.USTAR_FORMAT), ({"gname": "jane"}, tarfile.USTAR_FORMAT),
        ({"uid": 1000}, tarfile.USTAR_FORMAT),
        ({"mtime": 10**9}, tarfile.USTAR_FORMAT), ({"mode": 0o600}, tarfile.USTAR_FORMAT), ({}, tarfile.GNU_FORMAT),
        ({"linkname": "DOE^JANE"}, tarfile.USTAR_FORMAT), ({"pax_headers": {"comment": "DOE^JANE"}}, tarfile.PAX_FORMAT),
        ({"name": "x" * 120 + ".json"}, tarfile.GNU_FORMAT),
    ],
)  # fmt: skip
def test_whatever_a_tar_header_carries_is_seen(tmp_path: Path, change: dict, form: int):
    member = tarfile.TarInfo("drawn-0123456789abcdef.json")
    member.size = 2
    for name, value in change.items():
        setattr(member, name, value)
    with tarfile.open(tmp_path / "a.tar", "w", format=form) as tar:
        tar.addfile(member, io.BytesIO(b"{}"))
    assert any(one.beside for one in walk(tmp_path / "a.tar"))


@pytest.mark.parametrize("place", ["end", "padding", "middle"])
def test_bytes_between_and_behind_members_are_seen(tmp_path: Path, place: str):
    path = shard(tmp_path / "a.tar")
    body = bytearray(path.read_bytes())
    if place == "end":
        body += NAME
    elif place == "padding":
        body[-10240 - 0 + 5000 : -10240 + 5000] = b""
        at = body.index(b"{}") + 100
        body[at : at + len(NAME)] = NAME
    else:
        body[-600 : -600 + len(NAME)] = NAME
    path.write_bytes(bytes(body))
    assert any(one.beside for one in walk(path))
