"""NRRD headers (.nrrd, .nhdr): fields and key/value pairs, the bytes they claim, and where the data lie.

Header form: teem's "Definition of NRRD File Format", versions 1 to 5. Voxels are decoded by SimpleITK, see `volume.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path, PurePosixPath

from ...schema.errors import UnreadableError

MAX_HEADER = 1 << 20
_NAMES = {
    1: "signed char, int8, int8_t, uchar, unsigned char, uint8, uint8_t",
    2: "short, short int, signed short, signed short int, int16, int16_t, "
    "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    4: "int, signed int, int32, int32_t, uint, unsigned int, uint32, uint32_t, float",
    8: "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t, "
    "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t, double",
}
TYPE_BYTES = {name: size for size, names in _NAMES.items() for name in names.split(", ")}
COLOUR_KINDS = frozenset({"rgb-color", "3-color"})
SERIES_KINDS = frozenset({"list", "time", "none", "???", ""})


@dataclass(frozen=True, slots=True)
class TextHeader:
    """A text header before voxels, NRRD's or MetaImage's, brought to one form."""

    sizes: tuple[int, ...]
    """Fastest axis first."""
    item_bytes: int
    """Bytes of one voxel, all its channels together."""
    packed: bool
    """Whether the voxels are compressed or written as text, so that the file's size is no exact count."""
    data: Path
    """The file that holds the voxels."""
    data_offset: int
    oriented: bool
    """Whether the file says how the axes lie in the patient."""
    channel_kind: str = ""
    """NRRD's kind of the one axis that isn't spatial, lower case."""

    @property
    def claimed(self) -> int:
        """Bytes of the decoded voxels."""
        return prod(self.sizes) * self.item_bytes


def nrrd_header(path: Path) -> TextHeader:
    """What an NRRD header claims.

    Raises:
        UnreadableError: a field is missing or makes no sense, or the data file lies outside the header's folder.
    """
    fields, _, end = nrrd_text(path)
    try:
        sizes = tuple(int(part) for part in fields["sizes"].split())
        item = TYPE_BYTES[fields["type"].lower()]
    except (KeyError, ValueError) as error:
        raise UnreadableError(f"a header without {error}", expected="NRRD type and sizes", where=path.name) from error
    if (
        len(sizes) != int(fields.get("dimension", "0") if fields.get("dimension", "0").isdigit() else 0)
        or min(sizes, default=0) < 1
    ):
        found = f"sizes {fields['sizes']!r} in dimension {fields.get('dimension')!r}"
        raise UnreadableError(found, expected="one size above zero per dimension", where=path.name, code="absurd-size")
    detached = fields.get("data file", fields.get("datafile"))
    return TextHeader(
        sizes=sizes,
        item_bytes=item,
        packed=fields.get("encoding", "raw").lower() != "raw",
        data=beside(path, detached) if detached else path,
        data_offset=0 if detached else end,
        oriented="space" in fields and "space directions" in fields,
        channel_kind=_channel_kind(fields),
    )


def nrrd_text(path: Path) -> tuple[dict[str, str], dict[str, str], int]:
    """Fields (lower-case names), key/value pairs, and the byte behind the header's blank line.

    Raises:
        UnreadableError: no NRRD.
    """
    with path.open("rb") as stream:
        block = stream.read(MAX_HEADER)
    if not block.startswith(b"NRRD000"):
        raise UnreadableError(f"content {block[:8]!r}", expected="an NRRD header", where=path.name)
    end = re.search(rb"\r?\n\r?\n", block)
    text = block[: end.start() if end else len(block)].decode("utf-8", "replace")
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        key, assigned, value = line.partition(":=")
        if assigned:
            pairs[key.strip()] = value.strip()
        elif not line.startswith("#") and ":" in line:
            key, _, value = line.partition(":")
            fields[key.strip().lower()] = value.strip()
    return fields, pairs, end.end() if end else len(block)


def beside(header: Path, name: str) -> Path:
    """The data file that a header names, which must be one plain file in or under the header's folder.

    Raises:
        UnreadableError: a list, a pattern, a path that leads elsewhere, or nothing there.
    """
    inner = PurePosixPath(name.replace("\\", "/"))
    if name.split()[0:1] == ["LIST"] or "%" in name:
        expected = "voxels in one file"
        raise UnreadableError(f"data file {name!r}", expected=expected, where=header.name, code="unsupported")
    if inner.is_absolute() or ".." in inner.parts or ":" in name:
        expected = "a file beside the header"
        raise UnreadableError(f"data file {name!r}", expected=expected, where=header.name, code="unsafe-path")
    path = header.parent / inner
    if not path.is_file():
        found = f"data file {name!r}, which isn't there"
        raise UnreadableError(found, expected="the data file beside its header", where=header.name, code="missing-file")
    return path


def _channel_kind(fields: dict[str, str]) -> str:
    """Kind of the axis that has no direction in space; `domain` where all have one."""
    kinds = fields.get("kinds", "").lower().split()
    directions = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    for axis, direction in enumerate(directions):
        if direction == "none":
            return kinds[axis] if axis < len(kinds) else ""
    return next((kind for kind in kinds if kind not in ("domain", "space", "???", "none")), "domain")
