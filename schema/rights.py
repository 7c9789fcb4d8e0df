"""What may be done with a source: with its pixels, its annotations, texts derived from it, and by others' services.

The four are kept apart, since owners part them: boxes under CC BY on images that nobody may pass on, or pictures that
anyone may see but no hosted model may read. Each right names its licence and its evidence: whose words, where, read when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .licences import Licence, licence


class Subject(StrEnum):
    """What a right is about."""

    PIXELS = "pixels"
    ANNOTATIONS = "annotations"
    """Labels, boxes, masks, and everything else of a record."""
    DERIVED_TEXT = "derived_text"
    """Questions, answers and descriptions made from pixels or annotations."""
    PROCESSING = "processing"
    """Handing pixels or records to somebody else's service, such as a hosted model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why we believe a right."""

    address: str
    """Where the words stand: an address, or a file of the download."""
    words: str
    """The owner's words, or what they amount to and what is doubtful about them."""
    read_on: str | None = None
    """Day on which they were last read there, YYYY-MM-DD; None: unverified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One right of a source."""

    licence: str
    """SPDX identifier, `LicenseRef-<words>`, or `unstated`."""
    evidence: Evidence
    allowed: bool | None = None
    """What the owner says beyond or against the licence; None leaves it to the licence."""

    @property
    def terms(self) -> Licence:
        """What the licence says."""
        return licence(self.licence)

    @property
    def granted(self) -> bool | None:
        """Whether it may be done; None where nobody knows. Standardized pixels are changed copies, so both count."""
        if self.allowed is not None:
            return self.allowed
        stated = (self.terms.share, self.terms.adapt)
        return False if False in stated else None if None in stated else True


Rights = Mapping[Subject, Right]
"""A right for every subject."""


def throughout(licence: str, evidence: Evidence, *, allowed: bool | None = None) -> dict[Subject, Right]:
    """The same right for every subject: one licence covers all, and its evidence deserves a day."""
    return dict.fromkeys(Subject, Right(licence=licence, evidence=evidence, allowed=allowed))


def rights_of(facts: Mapping[str, Any]) -> dict[Subject, Right]:
    """The rights that a recipe's facts state; where they state none of a subject, those of the source's one licence.

    A source that takes credentials grants nothing but what its rights say by name: whoever passes it on, or hands it to
    somebody else's service, passes by the owner's door.
    """
    stated = facts.get("rights") or {}
    evidence = Evidence(address=facts["homepage"], words=facts["licence_evidence"])
    allowed = False if facts["access"] == "credentialed" else None
    whole = Right(licence=facts["licence"], evidence=evidence, allowed=allowed)
    return {subject: _right(stated[subject]) if subject in stated else whole for subject in Subject}


def right_of(facts: Mapping[str, Any], subject: Subject, *, sample_licence: str | None = None) -> Right:
    """The right of one subject, for a sample that bears a licence of its own.

    A sample's own licence stands in for the source's wherever that subject is under the source's licence; what the owner
    forbids beyond it stays forbidden. Pixels under terms of their own are under the narrower of both.
    """
    whole = rights_of(facts)[subject]
    if sample_licence is None or sample_licence == facts["licence"]:
        return whole
    own = Right(licence=sample_licence, evidence=whole.evidence, allowed=False if whole.allowed is False else None)
    if whole.licence == facts["licence"] or (subject is Subject.PIXELS and own.granted is not True):
        return own
    return whole


def _right(plain: Mapping[str, Any] | Right) -> Right:
    return plain if isinstance(plain, Right) else Right(**{**plain, "evidence": Evidence(**plain["evidence"])})
