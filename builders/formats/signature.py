"""What a file is by its first bytes, and whether the size its header claims can be true.

Names lie: PNG is found in files called .jpg. And a header costs nothing to forge, so a claim is weighed against the
file's own size before anything is allocated for it.
"""

from __future__ import annotations

from pathlib import Path

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Report

MAX_PIXELS = 400_000_000
"""Pixels of one 2-D image, or of one voxel plane: above this a file is refused."""
MAX_EXPANSION = 1100
"""DEFLATE expands at most 1032 times (RFC 1951); JPEG's shortest blocks stay below that too."""

SUFFIXES: dict[str, tuple[str, ...]] = {
    "png": (".png", ".apng"),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "bmp": (".bmp", ".dib"),
    "gif": (".gif",),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff", ".svs", ".ndpi", ".scn", ".bif", ".btf", ".lsm", ".qptiff", ".tf8"),
    "nrrd": (".nrrd", ".nhdr"),
}
"""Kinds whose suffix is worth checking, and the suffixes they go by."""


def kind_of(head: bytes) -> str | None:
    """The kind of file that begins with these bytes (16 are enough), or None."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return None


_MAGICS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"BM", "bmp"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"NRRD000", "nrrd"),
    (b"\x1f\x8b", "gzip"),
)


def not_empty(path: Path) -> int:
    """Size of the file in bytes.

    Raises:
        UnreadableError: it holds none.
    """
    size = path.stat().st_size
    if size == 0:
        raise UnreadableError("an empty file (0 bytes)", expected="an image", where=path.name)
    return size


def check_suffix(path: Path, kind: str, report: Report) -> None:
    """Report a file whose suffix belongs to another kind; it is still read by its content."""
    if path.suffix.lower() not in SUFFIXES[kind]:
        found = f"{kind} inside a file called {path.suffix or 'without suffix'}"
        expected = f"a suffix of {kind}: {', '.join(SUFFIXES[kind])}"
        report(Issue("wrong-extension", path.name, found, expected, "it was read by its content", Severity.INFO))


def check_claim(width: int, height: int, *, size: int, where: str, expansion: float = MAX_EXPANSION) -> None:
    """Refuse an image whose header claims more than its file can hold.

    Args:
        width: In pixels.
        height: In pixels.
        size: Bytes of the file.
        where: For the error.
        expansion: Most pixels that one byte of this format can stand for.

    Raises:
        UnreadableError: `absurd-size`.
    """
    if width <= 0 or height <= 0 or width * height > MAX_PIXELS or width * height > expansion * size:
        raise UnreadableError(
            f"a header that claims {width}×{height} px in {size} bytes",
            expected=f"at most {MAX_PIXELS // 1_000_000} megapixels and {expansion:g} px per byte",
            where=where,
            code="absurd-size",
        )
