"""Label volumes (NIfTI, NRRD, MetaImage) on the grid of their image, and the tables that name their values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Layer, Report, Volume
from ..source import Reading
from ..unit import LabelMap
from .nrrd import nrrd_text
from .volume import read

GRID_TOLERANCE = 0.1
"""Grids are the same when no corner voxel lies further off than this share of the smallest voxel edge."""
_SMALL = 1 << 16
_ITKSNAP = re.compile(r'^\s*(\d+)\s+\d+\s+\d+\s+\d+\s+\S+\s+\d+\s+\d+\s+"(.*)"\s*$')


def layer(path: Path, target: LabelMap, *, volume: Volume, report: Report) -> Layer | None:
    """The labels on the volume's own grid, as the smallest unsigned dtype; None where the grids can't be brought together.

    A map without any label gives a layer of zeros: it was assessed, and nothing was found. Another grid is resampled by
    nearest neighbour (voxel centres; outside the map is 0).

    Raises:
        UnreadableError: as `volume.read`, or a time series, colour, or values that aren't whole numbers.
    """
    labels = _labels(path, report)
    if not _same_grid(labels, volume):
        if not _can_resample(labels, volume):
            _report_grid(path, labels, volume, done="it was left out: no common space", severity=Severity.ERROR, report=report)
            return None
        _report_grid(path, labels, volume, done="resampled by nearest neighbour", severity=Severity.INFO, report=report)
        labels.array = _resampled(labels, volume)
    names = {value: name for value, name in target.values.items() if value != 0}
    array = _known(labels.array, names, where=path.name, report=report)
    if not array.any():
        done = "its labels count as not found"
        report(Issue("mask-empty", path.name, "a label map without labels", "some label", done, Severity.INFO))
    origin = dict.fromkeys(names, target.origin)
    return Layer(array=array, names=names, observer=target.observer, origin=origin)


def names_from_nrrd(path: Path) -> dict[int, str]:
    """Value → segment name from the header of a Slicer segmentation (.seg.nrrd).

    Raises:
        UnreadableError: no NRRD, or two segments share a value (they lie in several layers).
    """
    _, pairs, _ = nrrd_text(path)
    names: dict[int, str] = {}
    for key, value in pairs.items():
        found = re.fullmatch(r"Segment(\d+)_LabelValue", key)
        if found and value.isdigit():
            if int(value) in names:
                expected = "one segment per value"
                raise UnreadableError(f"two segments of value {value}", expected=expected, where=path.name, code="unsupported")
            names[int(value)] = pairs.get(f"Segment{found[1]}_Name", f"Segment_{found[1]}")
    return names


def names_from_itksnap(text: str) -> dict[int, str]:
    """Value → name from an ITK-SNAP label description: index, red, green, blue, alpha, visible, mesh, "name"."""
    rows = (_ITKSNAP.match(line) for line in text.splitlines())
    return {int(row[1]): row[2] for row in rows if row}


def names_from_json(text: str) -> dict[int, str]:
    """Value → name from an atlas' colour map as NiiVue has it: `labels`, at the values of `I` or else counted from 0.

    The background, value 0, is left out.

    Raises:
        UnreadableError: no such table.
    """
    try:
        table: Any = json.loads(text)
        labels = [str(label) for label in table["labels"]]
        values = [int(value) for value in table.get("I") or range(len(labels))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(f"a table without {error}", expected="JSON with a list of `labels`") from error
    if len(values) != len(labels) or len(set(values)) != len(values):
        raise UnreadableError(f"{len(values)} values for {len(labels)} labels", expected="one value per label")
    return {value: label for value, label in zip(values, labels, strict=True) if value != 0}


def _labels(path: Path, report: Report) -> Volume:
    """The file's one volume, its array integer."""
    found = list(read([path], reading=Reading(), report=report))
    if len(found) != 1 or found[0].array.ndim != 3:
        what = f"{len(found)} volumes" if len(found) != 1 else "colour voxels"
        raise UnreadableError(what, expected="one volume of label values", where=path.name, code="unsupported")
    labels = found[0]
    if labels.array.dtype.kind == "f":
        whole = np.rint(labels.array)
        if not np.array_equal(whole, labels.array) or np.abs(whole).max() >= 1 << 24:
            bad = float(labels.array[whole != labels.array].flat[0]) if (whole != labels.array).any() else whole.max()
            raise UnreadableError(f"the value {bad:g}", expected="whole label values", where=path.name, code="unsupported")
        labels.array = whole.astype(np.int32)
    return labels


def _same_grid(labels: Volume, volume: Volume) -> bool:
    """Whether voxel (k, j, i) of one is voxel (k, j, i) of the other."""
    shape = volume.array.shape[:3]
    if labels.array.shape != shape:
        return False
    if not (labels.oriented and volume.oriented and volume.even):
        return True
    ends = [(0, extent - 1) for extent in reversed(shape)]
    corners = np.array([[x, y, z, 1] for x in ends[0] for y in ends[1] for z in ends[2]], dtype=float)
    apart = np.linalg.norm((corners @ (labels.affine_lps - volume.affine_lps).T)[:, :3], axis=1)
    return bool(apart.max() <= GRID_TOLERANCE * _edges(volume).min())


def _edges(volume: Volume) -> np.ndarray:
    """Voxel edges in mm, of axes longer than one voxel."""
    long = [extent > 1 for extent in reversed(volume.array.shape[:3])]
    edges = np.linalg.norm(volume.affine_lps[:3, :3], axis=0)
    return edges[long] if any(long) else edges


def _can_resample(labels: Volume, volume: Volume) -> bool:
    return labels.oriented and volume.oriented and volume.even


def _resampled(labels: Volume, volume: Volume) -> np.ndarray:
    """The labels at the voxel centres of the volume: SimpleITK in index space, so that sheared affines do as well."""
    import SimpleITK as sitk

    slices, rows, columns = volume.array.shape[:3]
    to_labels = np.linalg.inv(labels.affine_lps) @ volume.affine_lps
    transform = sitk.AffineTransform(to_labels[:3, :3].ravel().tolist(), to_labels[:3, 3].tolist())
    source = sitk.GetImageFromArray(labels.array)
    reference = sitk.Image(columns, rows, slices, sitk.sitkUInt8)
    return sitk.GetArrayFromImage(sitk.Resample(source, reference, transform, sitk.sitkNearestNeighbor, 0))


def _known(array: np.ndarray, names: dict[int, str], *, where: str, report: Report) -> np.ndarray:
    """The array in the smallest unsigned dtype, values without a name set to 0 and reported with their voxel counts."""
    counts = value_counts(array)
    unknown = {value: count for value, count in counts.items() if value != 0 and value not in names}
    for value, count in unknown.items():
        found, expected = f"value {value} in {count} voxels", f"one of {sorted(names)[:40]}"
        report(Issue("unknown-label-value", f"{where} value {value}", found, expected, "those voxels became background"))
    if unknown:
        array = np.where(np.isin(array, list(unknown)), array.dtype.type(0), array)
    most = max((value for value in counts if value in names), default=0)
    dtype = np.uint8 if most < 1 << 8 else np.uint16 if most < _SMALL else np.uint32
    return np.ascontiguousarray(array.astype(dtype, copy=False))


def value_counts(array: np.ndarray) -> dict[int, int]:
    """How often each value of an integer array occurs, by value."""
    if not array.size:
        return {}
    if int(array.min()) < 0 or int(array.max()) >= _SMALL:
        values, counts = np.unique(array, return_counts=True)
        return dict(zip(values.tolist(), counts.tolist(), strict=True))
    total = np.zeros(int(array.max()) + 1, np.int64)
    for plane in array:  # bincount widens its input to 64 bit: a plane at a time
        total += np.bincount(plane.ravel(), minlength=total.size)
    present = np.flatnonzero(total)
    return dict(zip(present.tolist(), total[present].tolist(), strict=True))


def _report_grid(path: Path, labels: Volume, volume: Volume, *, done: str, severity: Severity, report: Report) -> None:
    found = f"labels of {_grid(labels)}"
    report(Issue("grid-differs", path.name, found, f"the image's {_grid(volume)}", done, severity))


def _grid(volume: Volume) -> str:
    size = "×".join(str(extent) for extent in reversed(volume.array.shape[:3]))
    edges = "×".join(f"{edge:.3g}" for edge in np.linalg.norm(volume.affine_lps[:3, :3], axis=0))
    return f"{size} voxels of {edges} mm" + ("" if volume.oriented else " without orientation")
