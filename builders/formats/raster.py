"""PNG, JPEG, BMP, WebP and GIF to pictures, by content and never by name.

An upright JPEG in grey or YCbCr keeps its coded data (`Picture.encoded`, stripped of metadata) and is decoded once, from
those very bytes. Everything else is decoded and will be stored losslessly. Pixels that aren't 8 bit stay as they are.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Picture, Report
from ..source import Reading
from .channels import one_channel_if_grey, upright, without_alpha
from .jpeg import JpegFacts, inspect, strip_metadata
from .signature import MAX_EXPANSION, check_claim, check_suffix, kind_of, not_empty

KINDS = ("png", "jpeg", "bmp", "gif", "webp")
PILLOW_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    EOFError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What Pillow raises over broken files."""
_MAX_PX_PER_BYTE = {"jpeg": MAX_EXPANSION, "bmp": MAX_EXPANSION, "gif": 4096, "webp": 65536}
"""LZW codes stand for up to 4096 px; lossless WebP writes blank images in no bits at all."""


def read(paths: Sequence[Path], *, reading: Reading, report: Report) -> Iterator[Picture]:
    """One picture per file: H×W or H×W×3, uint8 or (16-bit PNG) uint16.

    Raises:
        UnreadableError: empty, truncated, broken, absurd or no raster image.
    """
    for path in paths:
        stream, kind = load(path, report)
        yield _jpeg(stream, path) if kind == "jpeg" else _lossless(stream, kind, path=path, report=report)


def load(path: Path, report: Report) -> tuple[bytes, str]:
    """The file's bytes and its kind, one of `KINDS`; a misleading suffix is reported.

    Raises:
        UnreadableError: empty, or of another kind.
    """
    not_empty(path)
    stream = path.read_bytes()
    kind = kind_of(stream[:16])
    if kind not in KINDS:
        found = f"{kind or 'unknown'} content ({stream[:8].hex()}…)"
        raise UnreadableError(found, expected="PNG, JPEG, BMP, WebP or GIF", where=path.name)
    check_suffix(path, kind, report)
    return stream, kind


@contextmanager
def opened(stream: bytes, kind: str, where: str):
    """A Pillow image whose claimed size has been checked; Pillow's faults, also while decoding, become UnreadableError.

    Pillow's own limit is lifted meanwhile: it warns from 89 megapixels on, below what slides and radiographs have. Its
    other warnings are about damaged metadata, which is dropped anyway.
    """
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        _check_header(stream, kind, where)
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(stream), formats=(kind.upper(),)) as image:
            yield image
    except PILLOW_FAULTS as error:
        found = f"{kind} of {len(stream)} bytes that doesn't decode: {error}"
        raise UnreadableError(found, expected=f"a whole {kind} file", where=where) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def decoder_of(kind: str) -> str:
    """Pillow's version, with that of the library that does the work."""
    from PIL import __version__, features

    library = {"jpeg": "libjpeg_turbo", "webp": "webp", "png": "zlib"}.get(kind)
    version = features.version(library) if library else None
    return f"Pillow {__version__} ({library.replace('_', '-')} {version})" if library and version else f"Pillow {__version__}"


def _jpeg(stream: bytes, path: Path) -> Picture:
    facts = inspect(stream, where=path.name)
    check_claim(facts.width, facts.height, size=len(stream), where=path.name)
    dropped = tuple(f"{kind}-dropped" for kind in facts.metadata if kind == "icc")
    if not _may_keep(facts):
        return _odd_jpeg(stream, facts, path=path, notes=dropped)
    stripped = strip_metadata(stream, where=path.name)
    pixels, decoder = _decode_jpeg(stripped, path.name)
    values = "grey" if pixels.ndim == 2 else "rgb"
    return Picture(pixels=pixels, encoded=stripped, values=values, raw_format="jpeg", decoder=decoder, transformations=dropped)


def _may_keep(facts: JpegFacts) -> bool:
    """Whether every viewer shows the stripped stream as we decode it."""
    usual = facts.precision == 8 and facts.frame in (0, 1, 2) and facts.colour in ("grey", "ycbcr")
    return usual and facts.exif_orientation in (None, 1)


def _decode_jpeg(stream: bytes, where: str) -> tuple[np.ndarray, str]:
    """Pixels of a grey or YCbCr JPEG, and their decoder.

    imagecodecs gives Pillow's pixels, both being libjpeg-turbo, in three quarters of the time.
    """
    import imagecodecs

    try:
        pixels = imagecodecs.jpeg8_decode(stream)
    except (imagecodecs.Jpeg8Error, ValueError, MemoryError) as error:
        raise UnreadableError(f"JPEG data that doesn't decode: {error}", expected="a whole JPEG", where=where) from error
    library = imagecodecs.jpeg8_version().replace("_", "-")
    return pixels, f"imagecodecs {imagecodecs.__version__} ({library})"


def _odd_jpeg(stream: bytes, facts: JpegFacts, *, path: Path, notes: tuple[str, ...]) -> Picture:
    """A JPEG that is turned, or in other colours: decoded, put right, and not kept as a stream."""
    with opened(strip_metadata(stream, where=path.name), "jpeg", path.name) as image:
        if image.mode not in ("L", "RGB"):
            notes = (*notes, f"{image.mode.lower()}-to-rgb")
            image = image.convert("RGB")
        pixels = np.array(image)
    pixels, turned = upright(pixels, facts.exif_orientation)
    notes = (*notes, *([turned] if turned else []))
    values = "grey" if pixels.ndim == 2 else "rgb"
    return Picture(pixels=pixels, values=values, raw_format="jpeg", decoder=decoder_of("jpeg"), transformations=notes)


def _lossless(stream: bytes, kind: str, *, path: Path, report: Report) -> Picture:
    notes: list[str | None] = []
    with opened(stream, kind, path.name) as image:
        if getattr(image, "is_animated", False):
            _report_animation(path, kind, report)
            image.seek(0)
        orientation = image.getexif().get(0x0112) if kind in ("png", "webp") else None
        if "icc_profile" in image.info:
            notes.append("icc-dropped")
        pixels, decoder = (_deep_png(stream), _imagecodecs()) if _is_deep_colour(stream, kind) else (None, decoder_of(kind))
        if pixels is None:
            pixels, note = _native(image)
            notes.append(note)
    for step in (_flattened, lambda array: upright(array, orientation), one_channel_if_grey):
        pixels, note = step(pixels)
        notes.append(note)
    return Picture(
        pixels=np.ascontiguousarray(pixels),
        values="rgb" if pixels.ndim == 3 else "grey" if pixels.dtype == np.uint8 else "stored",
        raw_format=kind,
        decoder=decoder,
        transformations=tuple(note for note in notes if note),
    )


def _native(image) -> tuple[np.ndarray, str | None]:
    """Pixels as Pillow decodes them, palettes resolved: H×W, H×W×2 (grey, alpha), H×W×3 or H×W×4; uint8 or uint16."""
    note = {"1": "1-bit-to-8-bit", "P": "palette-to-rgb", "PA": "palette-to-rgb"}.get(image.mode)
    if image.mode.startswith("I"):
        return np.array(image).astype(np.uint16), note
    if "transparency" in image.info:
        return np.array(image.convert("RGBA")), note or "transparent-colour-to-alpha"
    wanted = {"1": "L", "P": "RGB", "PA": "RGBA", "RGBX": "RGB", "La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)
    if wanted not in ("L", "LA", "RGB", "RGBA"):
        return np.array(image.convert("RGB")), f"{image.mode.lower()}-to-rgb"
    return np.array(image if image.mode == wanted else image.convert(wanted)), note


def _flattened(pixels: np.ndarray):
    return without_alpha(pixels) if pixels.ndim == 3 and pixels.shape[2] in (2, 4) else (pixels, None)


def _is_deep_colour(stream: bytes, kind: str) -> bool:
    """Whether this is a 16-bit PNG with more than one channel, which Pillow would cut to 8 bit."""
    return kind == "png" and stream[24] == 16 and stream[25] != 0


def _deep_png(stream: bytes) -> np.ndarray:
    import imagecodecs

    try:
        return imagecodecs.png_decode(stream)
    except imagecodecs.PngError as error:
        raise ValueError(str(error)) from error


def _imagecodecs() -> str:
    import imagecodecs

    return f"imagecodecs {imagecodecs.__version__} ({imagecodecs.png_version()})"


def _report_animation(path: Path, kind: str, report: Report) -> None:
    expected, done = "a single image", "its first frame was kept; the video reader takes every n-th"
    report(Issue("animated-image", path.name, f"an animated {kind}", expected, done, Severity.INFO))


def _check_header(stream: bytes, kind: str, where: str) -> None:
    if kind == "jpeg":
        return
    width, height, bits = _CLAIMS[kind](stream)
    per_byte = 8 * MAX_EXPANSION / bits if kind == "png" else _MAX_PX_PER_BYTE[kind]
    check_claim(width, height, size=len(stream), where=where, expansion=per_byte)


def _png_claim(stream: bytes) -> tuple[int, int, int]:
    width, height, depth, colour = struct.unpack_from(">IIBB", stream, 16)
    return width, height, max(1, depth) * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)


def _bmp_claim(stream: bytes) -> tuple[int, int, int]:
    (header,) = struct.unpack_from("<I", stream, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", stream, 18)
    return width, abs(height), 8


def _gif_claim(stream: bytes) -> tuple[int, int, int]:
    return (*struct.unpack_from("<HH", stream, 6), 8)


def _webp_claim(stream: bytes) -> tuple[int, int, int]:
    """Canvas size (RFC 9649): extended, lossless or lossy form."""
    form = stream[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(stream[24:27], "little"), 1 + int.from_bytes(stream[27:30], "little"), 8
    if form == b"VP8L":
        (packed,) = struct.unpack_from("<I", stream, 21)
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF), 8
    width, height = struct.unpack_from("<HH", stream, 26)
    return width & 0x3FFF, height & 0x3FFF, 8


_CLAIMS = {"png": _png_claim, "bmp": _bmp_claim, "gif": _gif_claim, "webp": _webp_claim}
