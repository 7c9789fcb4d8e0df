"""The factor that turns PET values into standardized uptake values by body weight.

SUV = activity concentration (Bq/ml) × weight (g) / dose (Bq), the dose decayed to the time to which the images are
corrected; after the pseudocode of the Quantitative Imaging Biomarkers Alliance for vendor-neutral SUV.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .dicom_header import items, number, text, texts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PHILIPS_SUV = (0x7053, "Philips PET Private Group", 0x00)


def suv_factor(headers: Sequence[Dataset]) -> tuple[float | None, str]:
    """SUV per unit of the modality LUT for a series, or None with what the headers lack. Nothing is guessed."""
    first = headers[0]
    units = text(first, "Units").upper()
    if units == "GML":
        kind = text(first, "SUVType").upper() or "BW"
        return (1.0, "") if kind == "BW" else (None, "SUV by something else than body weight")
    if units == "CNTS":
        factor = _philips(first)
        return (factor, "") if factor else (None, "counts without a SUV factor")
    if units != "BQML":
        return None, "units that are no activity concentration"
    return _by_weight(headers)


def _by_weight(headers: Sequence[Dataset]) -> tuple[float | None, str]:
    first = headers[0]
    corrected = {word.upper() for word in texts(first, "CorrectedImage")}
    if not {"ATTN", "DECY"} <= corrected:
        return None, "no correction for attenuation and decay"
    weight = number(first, "PatientWeight")
    tracer = next(iter(items(first, "RadiopharmaceuticalInformationSequence")), None)
    dose = number(tracer, "RadionuclideTotalDose") if tracer is not None else None
    if tracer is None or not weight or weight <= 0 or not dose or dose <= 0:
        return None, "no weight or no dose"
    decayed = _decayed(dose, tracer, headers)
    return (weight * 1000 / decayed, "") if decayed else (None, "no half-life, or no usable times")


def _decayed(dose: float, tracer: Dataset, headers: Sequence[Dataset]) -> float | None:
    """The dose in Bq at the time to which the images are corrected."""
    correction = text(headers[0], "DecayCorrection").upper()
    if correction == "ADMIN":
        return dose
    half_life = number(tracer, "RadionuclideHalfLife")
    start, given = _corrected_to(headers), _given(tracer, headers[0])
    if correction != "START" or not half_life or half_life <= 0 or start is None or given is None:
        return None
    seconds = (start - given).total_seconds()
    return dose * 2.0 ** (-seconds / half_life) if 0 <= seconds < 86400 else None


def _corrected_to(headers: Sequence[Dataset]) -> datetime | None:
    """The series' time where no frame is older; the first acquisition's where the series was made afterwards."""
    acquired = [at for at in (_moment(one, "AcquisitionDate", "AcquisitionTime") for one in headers) if at]
    series = _moment(headers[0], "SeriesDate", "SeriesTime")
    if series is not None and acquired and series <= min(acquired):
        return series
    return min(acquired) if acquired else None


def _given(tracer: Dataset, header: Dataset) -> datetime | None:
    """When the tracer was given; a time without a date belongs to the series' day, or to the day before."""
    stated = _parse(text(tracer, "RadiopharmaceuticalStartDateTime")[:21])
    if stated is not None:
        return stated
    day = text(header, "SeriesDate")
    moment = _parse(day + text(tracer, "RadiopharmaceuticalStartTime")) if day else None
    series = _moment(header, "SeriesDate", "SeriesTime")
    late = moment is not None and series is not None and moment > series
    return moment - timedelta(days=1) if moment is not None and late else moment


def _moment(header: Dataset, date: str, time: str) -> datetime | None:
    day, clock = text(header, date), text(header, time)
    return _parse(day + clock) if day and clock else None


def _parse(digits: str) -> datetime | None:
    for form in ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(digits, form)
        except ValueError:
            continue
    return None


def _philips(header: Dataset) -> float | None:
    group, creator, element = PHILIPS_SUV
    try:
        value = float(header.private_block(group, creator)[element].value)
    except (KeyError, TypeError, ValueError):
        return None
    return value if value > 0 else None
