"""MetaImage headers (.mha, .mhd): what they claim and where the data lie, in the form of `nrrd.TextHeader`.

`Key = Value` lines; `ElementDataFile` is the last one, and `LOCAL` means that the voxels follow. Voxels are decoded by
SimpleITK, see `volume.py`.
"""

from __future__ import annotations

from pathlib import Path

from ...schema.errors import UnreadableError
from .nrrd import MAX_HEADER, TextHeader, beside

ELEMENT_BYTES = {
    "MET_CHAR": 1,
    "MET_UCHAR": 1,
    "MET_SHORT": 2,
    "MET_USHORT": 2,
    "MET_INT": 4,
    "MET_UINT": 4,
    "MET_LONG": 4,
    "MET_ULONG": 4,
    "MET_LONG_LONG": 8,
    "MET_ULONG_LONG": 8,
    "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}


def is_metaimage(head: bytes) -> bool:
    """Whether a file that begins so is a MetaImage: its first key is one of the format's."""
    key = head.partition(b"=")[0].strip()
    return key in (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType", b"Name", b"ID")


def metaimage_header(path: Path) -> TextHeader:
    """What a MetaImage header claims.

    Raises:
        UnreadableError: a key is missing or makes no sense, or the data file lies outside the header's folder.
    """
    fields, end = _fields(path)
    try:
        sizes = tuple(int(part) for part in fields["DimSize"].split())
        item = ELEMENT_BYTES[fields["ElementType"].removesuffix("_ARRAY")]
        dims, channels = int(fields["NDims"]), int(fields.get("ElementNumberOfChannels", "1"))
        skipped = int(fields.get("HeaderSize", "0"))
    except (KeyError, ValueError) as error:
        expected = "NDims, DimSize, ElementType"
        raise UnreadableError(f"a header without {error}", expected=expected, where=path.name) from error
    if len(sizes) != dims or min(sizes, default=0) < 1 or channels < 1:
        found = f"DimSize {fields['DimSize']!r} with NDims {dims}, {channels} channels"
        raise UnreadableError(found, expected="one size above zero per axis", where=path.name, code="absurd-size")
    local = fields["ElementDataFile"].upper() == "LOCAL"
    return TextHeader(
        sizes=sizes,
        item_bytes=item * channels,
        packed=fields.get("CompressedData", "False").lower() in ("true", "1") or fields.get("BinaryData") == "False",
        data=path if local else beside(path, fields["ElementDataFile"]),
        data_offset=end if local else max(0, skipped),
        oriented=any(key in fields for key in ("TransformMatrix", "Rotation", "Orientation")),
        channel_kind="domain" if channels == 1 else "rgb-color" if channels == 3 and item == 1 else "vector",
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Keys and values up to ElementDataFile, and the byte behind that line."""
    with path.open("rb") as stream:
        block = stream.read(MAX_HEADER)
    fields: dict[str, str] = {}
    position = 0
    while position < len(block):
        newline = block.find(b"\n", position)
        line = block[position : newline if newline >= 0 else len(block)]
        position = newline + 1 if newline >= 0 else len(block)
        key, equals, value = line.decode("latin-1").partition("=")
        if equals:
            fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return fields, position
    raise UnreadableError("a header that doesn't end", expected="ElementDataFile = …", where=path.name)
