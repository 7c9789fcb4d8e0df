"""NIfTI, NRRD and MetaImage files to volumes: native values, slices first, the affine to LPS millimetres.

What a header claims is held against the file's size before anything is allocated. `nifti.py` reads NIfTI; NRRD and
MetaImage are decoded by SimpleITK, whose physical space is LPS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Report, Volume
from ..source import Reading
from . import nifti
from .metaimage import is_metaimage, metaimage_header
from .nrrd import COLOUR_KINDS, SERIES_KINDS, TextHeader, nrrd_header
from .signature import MAX_EXPANSION, not_empty

SUFFIXES = {"nifti": (".nii", ".nii.gz"), "nrrd": (".nrrd", ".nhdr"), "metaimage": (".mha", ".mhd")}
_ITK = {"nrrd": "NrrdImageIO", "metaimage": "MetaImageIO"}


def read(paths: Sequence[Path], *, reading: Reading, report: Report, values: str = "stored") -> Iterator[Volume]:
    """One volume per file, or one per kept time point with its `volume_index`.

    Arrays are (slices, rows, columns) or (slices, rows, columns, 3), C-contiguous, in native byte order; float64 becomes
    float32, 64-bit integers become int32 where they fit. NaN and infinities become the least finite value.

    Args:
        paths: Each a .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd.
        reading: `every_nth` thins time series.
        report: Takes `wrong-extension`, `not-finite`, `bad-affine`.
        values: What numbers mean where the voxel is one number: `stored`, or `hu` for CT.

    Raises:
        UnreadableError: empty, truncated, absurd, or of a kind that isn't read.
    """
    for path in paths:
        kind = _kind(path, report)
        for volume in _volumes(path, kind, every_nth=reading.every_nth, report=report):
            array = _finite(_plain(volume.array), volume, where=path.name, report=report)
            yield replace(volume, array=array, values=values if volume.values == "stored" else volume.values)


def _kind(path: Path, report: Report) -> str:
    not_empty(path)
    with path.open("rb") as stream:
        head = stream.read(64)
    if head.startswith(b"NRRD000"):
        kind = "nrrd"
    elif is_metaimage(head):
        kind = "metaimage"
    elif nifti.is_nifti(path):
        kind = "nifti"
    else:
        found = f"content {head[:8].hex()}…"
        raise UnreadableError(found, expected="a whole NIfTI, NRRD or MetaImage file", where=path.name)
    if not path.name.lower().endswith(SUFFIXES[kind]):
        expected = f"a suffix of {kind}: {', '.join(SUFFIXES[kind])}"
        done = "it was read by its content"
        report(Issue("wrong-extension", path.name, f"{kind} content", expected, done, Severity.INFO))
    return kind


def _volumes(path: Path, kind: str, *, every_nth: int, report: Report) -> Iterator[Volume]:
    if kind == "nifti":
        yield from nifti.volumes(path, every_nth=every_nth, report=report)
        return
    header = nrrd_header(path) if kind == "nrrd" else metaimage_header(path)
    _check_size(header, path.name)
    image, decoder = _decoded(path, kind)
    series = _series(image, header, path.name)
    affine = _affine(image)
    for index in range(0, len(series), every_nth):
        yield Volume(
            array=np.ascontiguousarray(series[index]),
            affine_lps=affine.copy(),
            values="rgb" if series[index].ndim == 4 else "stored",
            oriented=header.oriented and image.GetDimension() > 2,
            volume_index=index if len(series) > 1 else None,
            raw_format=kind,
            decoder=decoder,
        )


def _check_size(header: TextHeader, where: str) -> None:
    held = header.data.stat().st_size - header.data_offset
    most = MAX_EXPANSION * max(held, 0) if header.packed else held
    if header.claimed > most:
        code = "absurd-size" if header.packed or header.claimed > 1000 * max(held, 1) else "unreadable"
        found = f"{held} bytes of data that claim {header.claimed}"
        raise UnreadableError(found, expected="a file that holds its voxels (truncated?)", where=where, code=code)


def _decoded(path: Path, kind: str) -> tuple[Any, str]:
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO(_ITK[kind])
    reader.SetFileName(str(path))
    try:
        return reader.Execute(), f"SimpleITK {sitk.Version.VersionString()}"
    except RuntimeError as error:
        reason = " ".join(str(error).split())[-300:]
        raise UnreadableError(
            f"{kind} that doesn't decode: …{reason}", expected=f"a whole {kind} file", where=path.name
        ) from error


def _series(image: Any, header: TextHeader, where: str) -> np.ndarray:
    """Volumes in time order: (time, slices, rows, columns[, 3])."""
    import SimpleITK as sitk

    array = sitk.GetArrayFromImage(image)
    channels, dims = image.GetNumberOfComponentsPerPixel(), image.GetDimension()
    if dims == 2:
        array = array[None]
    if channels == 1:
        return array if dims == 4 else array[None]
    if channels == 3 and header.channel_kind in COLOUR_KINDS and array.dtype == np.uint8 and dims < 4:
        return array[None]
    if header.channel_kind in SERIES_KINDS and dims < 4:
        return np.moveaxis(array, -1, 0)
    found = f"{channels} channels per voxel of kind {header.channel_kind or 'unknown'}"
    expected = "one number or RGB per voxel; the source must say what each channel means and read it itself"
    raise UnreadableError(found, expected=expected, where=where, code="unsupported")


def _affine(image: Any) -> np.ndarray:
    """4×4: (column, row, slice, 1) → LPS mm; a 2-D image lies in the plane z = 0."""
    dims = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(dims, dims)
    affine = np.eye(4)
    n = min(dims, 3)
    affine[:n, :n] = (direction * image.GetSpacing())[:n, :n]
    affine[:n, 3] = image.GetOrigin()[:n]
    return affine


def _finite(array: np.ndarray, volume: Volume, *, where: str, report: Report) -> np.ndarray:
    """The array with its least finite value, or 0, where it was NaN or infinite."""
    if array.dtype.kind != "f":
        return array
    bad = ~np.isfinite(array)
    count = int(bad.sum())
    if not count:
        return array
    least = array[~bad].min() if count < array.size else 0
    place = where if volume.volume_index is None else f"{where} volume {volume.volume_index}"
    found, done = f"{count} of {array.size} voxels are NaN or infinite", f"they became the least finite value, {least:g}"
    report(Issue("not-finite", place, found, "finite numbers", done))
    return np.where(bad, array.dtype.type(least), array)


def _plain(array: np.ndarray) -> np.ndarray:
    """The array in at most 32 bits: wide floats as float32, wide integers as int32 where they fit, else float32."""
    if array.dtype.kind == "f" and array.dtype != np.float32:
        with np.errstate(over="ignore"):
            return array.astype(np.float32)
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        limits = np.iinfo(np.int32)
        fits = limits.min <= int(array.min()) and int(array.max()) <= limits.max
        return array.astype(np.int32 if fits else np.float32)
    return np.ascontiguousarray(array)
