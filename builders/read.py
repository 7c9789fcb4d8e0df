"""One unit of a raw root to samples with their encoded images: the readers and the rooms behind them, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path

from ..schema.errors import DataError, Issue, UsageError
from ..schema.labels import Overrides
from ..schema.sample import Sample
from ..schema.triplet import MODALITIES
from .assemble import Context, sample_of
from .deidentify import Salt, files_sha256
from .picture import Layer, Picture, Report, Volume
from .raw import Raw
from .source import Reading, Source
from .standardize import Shown, show_picture, show_volume
from .unit import LabelFile, LabelMap, Mark, Marks, MaskImage, SegObject, StructureSet, Target, Unit

READERS = ("raster", "tiff", "dicom", "volume", "video")
MARK_READERS = {"voc": "voc", "yolo": "yolo", "points": "points"}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample, and the bytes of its image."""

    sample: Sample
    image: bytes


def samples_of(
    unit: Unit,
    source: Source,
    *,
    raw: Raw,
    salt: Salt,
    reading: Reading,
    report: Report,
    overrides: Overrides | None = None,
) -> Iterator[Encoded]:
    """Every sample of one unit.

    Raises:
        DataError: the unit can't be read; none of its samples may be kept then.
    """
    reading = unit_reading(unit, reading)
    paths = [_present(raw, file) for file in unit.files]
    digest = files_sha256(paths)
    context = Context(source=source, salt=salt, unit=unit, raw_sha256=digest, report=report, overrides=overrides or {})
    for content in contents(unit, source, raw=raw, reading=reading, report=report):
        if unit.window is not None or (isinstance(content, Volume) and content.values == "stored"):
            content.window = unit.window  # a header's window for arbitrary units differs from one volume to the next
        for shown in _shown(content, unit, raw=raw, reading=reading, report=report):
            yield Encoded(sample_of(shown, context), shown.encoded)


def contents(unit: Unit, source: Source, *, raw: Raw, reading: Reading, report: Report) -> Iterable[Picture | Volume]:
    """The unit's pictures and volumes, from the reader it names."""
    if unit.reader == "own":
        if source.pictures is None:
            raise UsageError(f"{source.facts.name}: a unit's reader is `own`, but the source has no `pictures` function")
        return source.pictures(unit, raw, reading, report)
    if unit.reader not in READERS:
        raise UsageError(f"{source.facts.name}: reader {unit.reader!r}; expected one of {(*READERS, 'own')}")
    module = import_module(f".formats.{unit.reader}", __package__)
    paths = [raw.path(file) for file in unit.files]
    modality = (unit.triplet or source.facts.triplet).modality
    if unit.reader == "volume" and modality in MODALITIES and MODALITIES.root(modality).code == "CT":
        return module.read(paths, reading=reading, report=report, values="hu")
    return module.read(paths, reading=reading, report=report)


def unit_reading(unit: Unit, reading: Reading) -> Reading:
    """The reading with the unit's own options."""
    unknown = set(unit.options) - {field.name for field in fields(Reading)}
    if unknown:
        raise UsageError(f"unit {unit.name}: options {sorted(unknown)}; expected fields of Reading")
    return replace(reading, **unit.options)


def _present(raw: Raw, file: str) -> Path:
    if not raw.has_on_disk(file):
        raise DataError("no such file", expected="an image", where=file, code="missing-file")
    path = raw.path(file)
    if path.stat().st_size == 0:
        raise DataError("an empty file", expected="an image", where=file, code="unreadable")
    return path


def _shown(content: Picture | Volume, unit: Unit, *, raw: Raw, reading: Reading, report: Report) -> Iterator[Shown]:
    if isinstance(content, Volume):
        layers = [layer for target in unit.targets for layer in _layers(target, content, raw=raw, report=report)]
        yield from show_volume(content, layers=layers, reading=reading, report=report)
        return
    marks: list[Mark] = []
    layers = []
    for target in unit.targets:
        if isinstance(target, SegObject | StructureSet):
            layers.extend(_layers(target, content, raw=raw, report=report))
        else:
            marks.extend(_marks(target, content, raw=raw, report=report))
    yield show_picture(content, marks=marks, layers=layers, reading=reading, report=report)


def _marks(target: Target, picture: Picture, *, raw: Raw, report: Report) -> Iterable[Mark]:
    """Marks of one target; a label file that can't be used costs its labels, never the image."""
    if isinstance(target, Marks):
        return target.marks
    if isinstance(target, LabelFile):
        if target.format not in MARK_READERS:
            raise UsageError(f"label format {target.format!r}; expected one of {tuple(MARK_READERS)}")
        name = MARK_READERS[target.format]
    elif isinstance(target, MaskImage):
        name = "mask_image"
    else:
        raise UsageError(f"{type(target).__name__} on a 2-D picture; expected marks, a label file or a mask image")
    module = import_module(f".formats.{name}", __package__)
    return _guarded(
        lambda path: module.marks(path, target, size_hw_px=picture.pixels.shape[:2], report=report),
        target=target,
        raw=raw,
        report=report,
    )


def _layers(target: Target, content: Picture | Volume, *, raw: Raw, report: Report) -> Iterable[Layer]:
    if isinstance(target, LabelMap):
        if not isinstance(content, Volume):
            raise UsageError(f"{target.path}: a label volume on a 2-D picture")
        if target.volume_index not in (None, content.volume_index):
            return []
        module = import_module(".formats.label_map", __package__)
        layer = _guarded(
            lambda path: [module.layer(path, target, volume=content, report=report)], target=target, raw=raw, report=report
        )
        return [found for found in layer if found is not None]
    if isinstance(target, SegObject | StructureSet):
        module = import_module(f".formats.{'seg' if isinstance(target, SegObject) else 'rtstruct'}", __package__)
        return _guarded(
            lambda path: module.layers(path, target, volume=content, report=report), target=target, raw=raw, report=report
        )
    raise UsageError(f"{type(target).__name__} on a volume; expected a label map, a SEG or an RTSTRUCT")


def _guarded(read, *, target, raw: Raw, report: Report):
    """What `read` gives for the target's file; a missing or broken label file is an issue and gives nothing."""
    if not raw.has_on_disk(target.path):
        report(Issue("missing-label", target.path, "no such file", "a label file", "the image stands without these labels"))
        return []
    try:
        return list(read(raw.path(target.path)))
    except DataError as error:
        report(error.issue(target.path))
        return []
