"""A shown picture and its unit to a sample: canonical labels with their states, annotations, provenance, pseudonyms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from .. import __version__
from ..schema.clinical_tasks import CLINICAL_TASKS
from ..schema.departments import DEPARTMENTS
from ..schema.errors import Issue, Severity, UsageError
from ..schema.labels import Label, Override, Overrides
from ..schema.pixels import low_information, perceptual_hash, pixel_sha256, thumbnail
from ..schema.sample import SPLITS, Acquisition, Annotation, BurnedIn, LabelState, Provenance, Sample, State, Subject
from ..schema.triplet import MODALITIES, Triplet
from .deidentify import Salt, key_of, pseudonym
from .picture import HeaderFacts, Report
from .place import Placed
from .source import Facts, Source
from .standardize import Shown
from .unit import Finding, Unit

T = TypeVar("T", Acquisition, Subject)

SUSPECTED_MODALITIES = {"US": "ultrasound screens", "End": "endoscopy screens", "X-ray": "radiographs"}
"""Modalities whose screens and films commonly carry text; the source's own word on burned-in text wins."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the samples of one unit share."""

    source: Source
    salt: Salt
    unit: Unit
    raw_sha256: str
    report: Report
    overrides: Overrides = field(default_factory=dict)
    """Departments and clinical tasks that a user states for canonical labels; they win over source and table."""

    @property
    def facts(self) -> Facts:
        """The source's facts."""
        return self.source.facts

    @property
    def group(self) -> str:
        """The owner's id of the group; never leaves the build."""
        return self.unit.group or self.unit.name


def sample_of(shown: Shown, context: Context) -> Sample:
    """The sample, complete but for its split."""
    facts, unit = context.facts, context.unit
    triplet = _triplet(unit, facts, shown.facts)
    labels = _label_states(shown, context, triplet)
    return Sample(
        key=key_of(facts.name, context.salt, _place_in_source(unit, shown)),
        source=facts.name,
        collection=facts.collection or facts.name,
        group=pseudonym(context.salt, "group", context.group),
        group_kind=unit.group_kind or facts.group_kind,
        licence=unit.licence or facts.licence,
        citation=facts.cite,
        modality=triplet.modality,
        area=triplet.area,
        task=triplet.task,
        subsets=tuple(sorted({state.subset for state in labels})) or (triplet.subset,),
        clinical_task=CLINICAL_TASKS.find(facts.clinical_task).name,
        department=DEPARTMENTS.find(facts.department).name,
        image_format=shown.image_format,
        size_hw_px=(shown.pixels.shape[0], shown.pixels.shape[1]),
        channels=1 if shown.pixels.ndim == 2 else 3,
        provenance=_provenance(shown, context, triplet),
        modality_detail=_detail(unit, shown.facts, triplet),
        acquisition=_acquisition(shown, unit),
        subject=_pooled(_merged(shown.facts.subject, unit.subject)),
        texts=unit.texts,
        labels=labels,
        annotations=tuple(_annotations(shown.placed, context)),
        original_split=_split(unit),
    )


def _split(unit: Unit) -> str | None:
    if unit.split not in (None, *SPLITS):
        raise UsageError(f"unit {unit.name}: split {unit.split!r}; expected one of {SPLITS}, or None; fix the source's `read`")
    return unit.split


def _place_in_source(unit: Unit, shown: Shown) -> tuple[str, ...]:
    place = (shown.axis, shown.plane if shown.axis == "slice" else None, shown.volume_index, shown.index)
    return (unit.name, *("" if part is None else str(part) for part in place))


def _triplet(unit: Unit, facts: Facts, header: HeaderFacts) -> Triplet:
    triplet = unit.triplet or facts.triplet
    if triplet.modality == "unspecified" and header.modality is not None:
        root = MODALITIES.root(header.modality).code
        return Triplet(root, triplet.area, triplet.task)
    return triplet


def _detail(unit: Unit, header: HeaderFacts, triplet: Triplet) -> str | None:
    for detail in (unit.modality_detail, header.modality_detail, header.modality):
        if detail is not None and detail != triplet.modality and MODALITIES.is_a(detail, triplet.modality):
            return detail
    return None


def _merged(header: T, stated: T) -> T:
    """The header's fields, overridden by those that the source states."""
    given = {name: getattr(stated, name) for name in stated.__dataclass_fields__}  # type: ignore[attr-defined]
    return replace(header, **{name: value for name, value in given.items() if value is not None})  # type: ignore[type-var]


def _acquisition(shown: Shown, unit: Unit) -> Acquisition:
    merged = _merged(replace(shown.facts.acquisition, plane=shown.plane), unit.acquisition)
    return merged if merged.um_per_px is None else replace(merged, um_per_px=float(merged.um_per_px))


def _pooled(subject: Subject) -> Subject:
    if subject.age_years is None:
        return subject
    return replace(subject, age_years=float(min(subject.age_years, 90.0)))


def _label_states(shown: Shown, context: Context, triplet: Triplet) -> tuple[LabelState, ...]:
    """One state per canonical label and side; what was seen wins over what a closed set lets us conclude."""
    states: dict[tuple[str, str | None], LabelState] = {}
    for finding in _findings(shown, context):
        label = canonical(finding.label, context)
        if label is None:
            continue
        place = (label.id, label.laterality)
        if place not in states or _WEIGHT[finding.state] > _WEIGHT[states[place].state]:
            states[place] = _state(label, finding, triplet=triplet, context=context)
    return tuple(states[place] for place in sorted(states, key=lambda place: (place[0], place[1] or "")))


_WEIGHT = {State.PRESENT: 3, State.UNCERTAIN: 2, State.NOT_ASSESSED: 1, State.ABSENT: 0}


def _findings(shown: Shown, context: Context) -> Iterable[Finding]:
    """Everything known of labels here, in falling weight."""
    unit = context.unit
    yield from unit.findings
    for label in dict.fromkeys(placed.label for placed in shown.placed):
        yield Finding(label)
    for label in sorted(shown.too_small):
        yield Finding(label, State.UNCERTAIN)
    for label in sorted(shown.not_assessed):
        yield Finding(label, State.NOT_ASSESSED)
    for name in _closed(unit, context.facts):
        for label in context.facts.closed_sets[name]:
            yield Finding(label, State.ABSENT)


def _closed(unit: Unit, facts: Facts) -> tuple[str, ...]:
    if unit.closed_sets is not None:
        return unit.closed_sets
    return tuple(facts.closed_sets) if unit.findings or unit.targets else ()


def canonical(word: str, context: Context) -> Label | None:
    """The canonical label of a raw word; a word that the source doesn't know becomes an issue."""
    if word in context.source.labels:
        return context.source.labels[word]
    expected = "a word in the source's LABELS"
    found = f"label {word!r}"
    context.report(Issue("unknown-label", "", found, expected, "add it to LABELS; it was left out", Severity.WARNING))
    return None


def _state(label: Label, finding: Finding, *, triplet: Triplet, context: Context) -> LabelState:
    area, task, subset, clinical_task, departments = _belongs(label, triplet, context)
    return LabelState(
        label=label.name,
        label_id=label.id,
        state=finding.state,
        area=area,
        task=task,
        subset=subset,
        clinical_task=clinical_task,
        departments=departments,
        laterality=label.laterality,
        value=None if finding.value is None else float(finding.value),
        unit=finding.unit,
    )


def _belongs(label: Label, triplet: Triplet, context: Context) -> tuple[str, str, str, str, tuple[str, ...]]:
    """Area, task, subset, clinical task and departments.

    A user's override wins over what the source states of the label, that over the canonical table, and the table over the
    source's Facts.
    """
    facts, over, known = context.facts, context.overrides.get(label.name, Override()), label.entry
    clinical_task = over.clinical_task or label.clinical_task or (known.clinical_task if known else facts.clinical_task)
    departments = over.departments or label.departments or (known.departments if known else (facts.department,))
    return _belonging(label, triplet, clinical_task, departments)


@cache
def _belonging(
    label: Label, triplet: Triplet, clinical_task: str, departments: tuple[str, ...]
) -> tuple[str, str, str, str, tuple[str, ...]]:
    own = Triplet(triplet.modality, label.area or triplet.area, label.task or triplet.task)
    names = tuple(DEPARTMENTS.find(one).name for one in departments)
    return own.area, own.task, own.subset, CLINICAL_TASKS.find(clinical_task).name, names


def _annotations(placed: Iterable[Placed], context: Context) -> Iterable[Annotation]:
    known = ((mark, context.source.labels.get(mark.label)) for mark in placed)  # the unknown are told with the states
    for number, (mark, label) in enumerate((mark, label) for mark, label in known if label is not None):
        yield Annotation(
            id=f"a{number}",
            label=label.name,
            label_id=label.id,
            granularity=mark.granularity,
            box_xyxy_px=mark.box_xyxy_px,
            rle=mark.rle,
            points=mark.points,
            area_px=mark.area_px,
            laterality=label.laterality,
            observer=mark.observer,
            origin=mark.origin,
            tool=mark.tool,
        )


def _provenance(shown: Shown, context: Context, triplet: Triplet) -> Provenance:
    burned_in, reason = _burned_in(shown.facts, triplet)
    small = thumbnail(shown.pixels)
    return Provenance(
        raw_sha256=context.raw_sha256,
        raw_format=shown.raw_format,
        decoder=shown.decoder,
        pixel_sha256=pixel_sha256(shown.pixels),
        perceptual_hash=perceptual_hash(small),
        low_information=low_information(small),
        builder_version=__version__,
        axis=shown.axis,
        index=shown.index,
        volume_index=shown.volume_index,
        original_size_hw_px=(int(shown.original_size_hw_px[0]), int(shown.original_size_hw_px[1])),
        spacing_mm=_floats(shown.spacing_mm),
        slice_position_mm=shown.slice_position_mm,
        orientation=shown.orientation,
        intensity=shown.rule.name,
        window_name=shown.rule.window_name,
        window=_floats(shown.rule.window),
        transformations=shown.transformations,
        burned_in=burned_in,
        burned_in_reason=reason,
    )


def _burned_in(header: HeaderFacts, triplet: Triplet) -> tuple[BurnedIn, str | None]:
    if header.burned_in is not BurnedIn.NO or header.burned_in_reason is not None:
        return header.burned_in, header.burned_in_reason
    root = MODALITIES.root(triplet.modality).code
    if root in SUSPECTED_MODALITIES:
        return BurnedIn.SUSPECTED, f"{SUSPECTED_MODALITIES[root]} often carry text"
    return BurnedIn.NO, None


def _floats(pair: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if pair is None else (float(pair[0]), float(pair[1]))
