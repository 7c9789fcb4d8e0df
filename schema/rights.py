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


def rights_of(facts: Mapping[str, Any]) -> dict[Subject, Right]:
    """The rights that a recipe's facts state; where they state none of a subject, those of the source's one licence.

    Others' services may process what anyone may pass on, unless the source takes credentials: then nobody has said so.
    """
    stated = facts.get("rights") or {}
    evidence = Evidence(address=facts["homepage"], words=facts["licence_evidence"])
    whole = Right(licence=facts["licence"], evidence=evidence)
    credentialed = Right(licence=facts["licence"], evidence=evidence, allowed=False)
    otherwise = {Subject.PROCESSING: credentialed} if facts["access"] == "credentialed" else {}
    return {subject: _right(stated[subject]) if subject in stated else otherwise.get(subject, whole) for subject in Subject}


def _right(plain: Mapping[str, Any] | Right) -> Right:
    return plain if isinstance(plain, Right) else Right(**{**plain, "evidence": Evidence(**plain["evidence"])})
