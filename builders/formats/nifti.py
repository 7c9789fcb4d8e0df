"""NIfTI-1 and NIfTI-2 single files (.nii, .nii.gz): header by nibabel, voxels straight from the bytes.

The affine is nibabel's: the sform where its code is above zero, else the qform, else voxel sizes alone (NIfTI-1 standard,
methods 3, 2 and 1), turned from RAS to LPS and from the declared unit to mm. ITK prefers the qform in places and refuses
sheared sforms; and it pads truncated files with whatever lay in memory, so it isn't asked. A gzip stream is read to its
end, where its checksum is.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...schema.errors import Issue, UnreadableError
from ..picture import Report, Volume
from .signature import MAX_EXPANSION

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_CHUNK = 1 << 24
_GZIP_FAULTS = (OSError, EOFError, zlib.error, ValueError)


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says, checked."""

    shape: tuple[int, int, int, int]
    """Time points, slices, rows, columns."""
    channels: int
    dtype: np.dtype
    """Of one channel, with the file's byte order."""
    offset: int
    slope: float
    inter: float
    affine_lps: np.ndarray
    oriented: bool
    notes: tuple[str, ...]

    @property
    def volume_bytes(self) -> int:
        """Bytes of one time point."""
        return int(np.prod(self.shape[1:], dtype=object)) * self.channels * self.dtype.itemsize


def is_nifti(path: Path) -> bool:
    """Whether the content is a NIfTI file, plain or gzipped."""
    try:
        with _open(path) as stream:
            head = stream.read(4)
    except _GZIP_FAULTS:
        return False
    return any(int.from_bytes(head, order) in (348, 540) for order in ("little", "big"))


def volumes(path: Path, *, every_nth: int, report: Report) -> Iterator[Volume]:
    """One volume per kept time point, read one after another; native dtype and byte order, scaling applied.

    Raises:
        UnreadableError: truncated, absurd, or of a kind that has no grey or RGB voxels.
    """
    size = path.stat().st_size
    try:
        with _open(path) as stream:
            header = _header(stream, path.name, report)
            _check_size(header, size, gzipped=_is_gzip(path), where=path.name)
            _skip(stream, header.offset - stream.tell(), path.name)
            for index in range(header.shape[0]):
                if index % every_nth:
                    _skip(stream, header.volume_bytes, path.name)
                else:
                    yield _volume(stream, header, index=index, where=path.name)
            stream.read(_CHUNK)
    except _GZIP_FAULTS as error:
        found = f"a stream that breaks off or fails its checksum: {error}"
        raise UnreadableError(found, expected="a whole NIfTI file", where=path.name) from error


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _open(path: Path) -> IO[Any]:
    if not _is_gzip(path):
        return path.open("rb")
    from isal import igzip

    return igzip.open(path, "rb")  # pyright: ignore[reportReturnType]


def _header(stream: IO[bytes], where: str, report: Report) -> Header:
    import nibabel
    from nibabel.spatialimages import HeaderDataError

    start = stream.read(4)
    kind = (
        nibabel.Nifti2Header if 540 in (int.from_bytes(start, "little"), int.from_bytes(start, "big")) else nibabel.Nifti1Header
    )
    block = start + stream.read(kind.template_dtype.itemsize - 4)
    if len(block) < kind.template_dtype.itemsize:
        raise UnreadableError(f"{len(block)} bytes", expected="a whole NIfTI header (truncated)", where=where)
    try:
        raw = kind.from_fileobj(io.BytesIO(block), check=False)
        _check_magic(raw, where)
        dtype, channels = _voxel(raw.get_data_dtype(), where)
        slope, inter = raw.get_slope_inter()
    except (HeaderDataError, KeyError) as error:
        raise UnreadableError(f"a header with {error}", expected="a valid NIfTI header", where=where) from error
    affine, oriented, notes = _affine(raw, where, report)
    return Header(
        shape=_shape(raw, where),
        channels=channels,
        dtype=dtype,
        offset=_offset(raw, len(block), where),
        slope=1.0 if slope is None else float(slope),
        inter=0.0 if slope is None or inter is None else float(inter),
        affine_lps=affine,
        oriented=oriented,
        notes=notes,
    )


def _check_magic(raw: Any, where: str) -> None:
    magic = bytes(raw["magic"])
    if not magic.startswith((b"n+1", b"n+2")):
        found = "the header of a header/image pair" if magic.startswith((b"ni1", b"ni2")) else f"magic {magic!r}"
        expected = "a single-file NIfTI (.nii, .nii.gz)"
        raise UnreadableError(found, expected=expected, where=where, code="unsupported", next="convert it to .nii.gz")


def _voxel(dtype: np.dtype, where: str) -> tuple[np.dtype, int]:
    """Dtype of one channel, and channels per voxel: 1 or 3."""
    if dtype.names is None and dtype.kind in "iuf":
        return dtype, 1
    if dtype.names is not None and len(dtype.names) == 3:
        return np.dtype(np.uint8), 3
    what = f"{len(dtype.names)} channels per voxel ({''.join(dtype.names)})" if dtype.names else f"voxels of {dtype}"
    expected = "one number or RGB per voxel; the source must say what each channel means and read it itself"
    raise UnreadableError(what, expected=expected, where=where, code="unsupported")


def _shape(raw: Any, where: str) -> tuple[int, int, int, int]:
    count, *dims = (int(value) for value in raw["dim"])
    if not 1 <= count <= 7 or min(dims[:count]) < 1:
        found = f"dimensions {[count, *dims]}"
        raise UnreadableError(found, expected="1 to 7 dimensions, each above zero", where=where, code="absurd-size")
    columns, rows, slices, times, *rest = (*dims[:count], *[1] * (7 - count))
    if any(extent != 1 for extent in rest):
        found = f"{count}-D data of {'×'.join(map(str, dims[:count]))}"
        expected = "at most a time series of volumes; vector fields and tensors aren't images"
        raise UnreadableError(found, expected=expected, where=where, code="unsupported")
    return times, slices, rows, columns


def _offset(raw: Any, header_bytes: int, where: str) -> int:
    offset = float(raw["vox_offset"])
    if offset == 0:
        return header_bytes + 4
    if not header_bytes <= offset < 1 << 31:
        raise UnreadableError(f"voxels at byte {offset}", expected="an offset behind the header", where=where)
    return int(offset)


def _check_size(header: Header, size: int, *, gzipped: bool, where: str) -> None:
    claimed = header.offset + header.shape[0] * header.volume_bytes
    most = MAX_EXPANSION * size if gzipped else size
    if claimed <= most:
        return
    code = "absurd-size" if gzipped or claimed > 1000 * size else "unreadable"
    found = f"{size} bytes that claim {claimed}"
    raise UnreadableError(found, expected="a file that holds its voxels (truncated?)", where=where, code=code)


def _affine(raw: Any, where: str, report: Report) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """Voxel → LPS mm, whether a form code vouches for it, and what was done to it."""
    unit = int(raw["xyzt_units"]) & 7
    scale = np.diag([*[_UNIT_MM.get(unit, 1.0)] * 3, 1.0])
    notes = {1: ("unit-metre-to-mm",), 3: ("unit-micron-to-mm",)}.get(unit, ())
    for name, code in (("sform", int(raw["sform_code"])), ("qform", int(raw["qform_code"]))):
        if code <= 0:
            continue
        affine = _form(raw, name)
        if affine is not None:
            return scale @ RAS_TO_LPS @ affine, True, notes
        done = "the next form is used, else voxel sizes"
        report(Issue("bad-affine", where, f"a {name} that can't be inverted", "an invertible affine", done))
    return scale @ RAS_TO_LPS @ _sizes_alone(raw), False, notes


def _form(raw: Any, name: str) -> np.ndarray | None:
    from nibabel.spatialimages import HeaderDataError

    try:
        with np.errstate(all="ignore"):
            affine = np.asarray(raw.get_sform() if name == "sform" else raw.get_qform(), dtype=float)
            sound = np.isfinite(affine).all() and 1e-12 < abs(np.linalg.det(affine[:3, :3])) < 1e30
    except (HeaderDataError, ValueError, ArithmeticError):
        return None
    return affine if sound else None


def _sizes_alone(raw: Any) -> np.ndarray:
    """RAS affine without a form: voxel sizes, x flipped, origin at the centre, as nibabel has it."""
    sizes = np.array(raw["pixdim"][1:4], dtype=float)
    if np.isfinite(sizes).all() and (sizes > 0).all() and sizes.max() < 1e9:
        return raw.get_base_affine()
    return np.diag([-1.0, 1.0, 1.0, 1.0])


def _volume(stream: IO[bytes], header: Header, *, index: int, where: str) -> Volume:
    _, slices, rows, columns = header.shape
    shape = (slices, rows, columns) if header.channels == 1 else (slices, rows, columns, 3)
    array = np.empty(shape, header.dtype)
    _fill(stream, array.reshape(-1).view(np.uint8).data, where)
    return Volume(
        array=_scaled(array, header) if header.channels == 1 else array,
        affine_lps=header.affine_lps.copy(),
        values="stored" if header.channels == 1 else "rgb",
        oriented=header.oriented,
        volume_index=index if header.shape[0] > 1 else None,
        raw_format="nifti",
        decoder=f"numpy {np.__version__}",
        transformations=header.notes,
    )


def _fill(stream: Any, buffer: memoryview, where: str) -> None:
    done = 0
    while done < len(buffer):
        count = stream.readinto(buffer[done : done + _CHUNK])
        if not count:
            found = f"{done} of {len(buffer)} bytes of a volume"
            raise UnreadableError(found, expected="a whole volume (truncated file)", where=where)
        done += count


def _skip(stream: IO[bytes], count: int, where: str) -> None:
    while count > 0:
        part = len(stream.read(min(count, _CHUNK)))
        if not part:
            raise UnreadableError(f"{count} bytes too few", expected="a whole volume (truncated file)", where=where)
        count -= part


def _scaled(array: np.ndarray, header: Header) -> np.ndarray:
    """Stored × slope + intercept in native byte order: integers where all three are and the result fits, else float32."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    slope, inter = header.slope, header.inter
    if (slope, inter) == (1.0, 0.0):
        return native
    if native.dtype.kind in "iu" and slope.is_integer() and inter.is_integer():
        ends = [int(end) * int(slope) + int(inter) for end in (native.min(), native.max())]
        for dtype in (np.int16, np.int32):
            if np.iinfo(dtype).min <= min(ends) and max(ends) <= np.iinfo(dtype).max:
                return (native.astype(np.int64 if dtype == np.int32 else np.int32) * int(slope) + int(inter)).astype(dtype)
    out = np.empty(native.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is reported as not finite
        for plane, stored in zip(out, native, strict=True):
            plane[...] = stored * slope + inter
    return out
