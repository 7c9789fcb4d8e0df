"""MIMOSeg (MIMO's data): its 62 rows of modality, labels, counts and perspectives.

`mimoseg_sources.csv` holds the table as printed: several datasets stand in two rows, since the perspectives took other
sequences of them. The abstract counts 895K pairs, the table of perspectives 872,590. A perspective is a kind of question
with a mask as its answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..triplet import MODALITIES
from .table import distinct, rows


@dataclass(frozen=True)
class Perspective:
    """One of the four kinds of question: what is asked with, what is answered, and what a source must have for it."""

    number: int
    numeral: str
    given: str
    answered: str
    pairs: int
    """As the paper's table of perspectives prints it."""
    needs: tuple[str, ...]
    """Codes of `GRANULARITIES` that an annotation must have. A prompt's box or point can be derived from the mask."""
    prompts: tuple[str, ...] = ()
    """Granularities in which the question points at a place."""


PERSPECTIVES: tuple[Perspective, ...] = (
    Perspective(1, "I", "a name", "the mask", 254_774, ("mask",)),
    Perspective(2, "II", "a box or point", "the mask and its name", 254_584, ("mask",), ("box", "point")),
    Perspective(3, "III", "a question to reason about", "an answer with masks", 182_498, ("mask",)),
    Perspective(4, "IV", "a question about a marked place", "an answer with masks", 180_734, ("mask",), ("box", "point")),
)


@dataclass(frozen=True)
class SegSource:
    """One row of the table."""

    dataset: str
    modality: str
    """As printed, such as "MR(FLAIR,T1CE)"."""
    labels: tuple[str, ...]
    """Words as printed, without "etc."."""
    open_ended: bool
    """Whether the printed labels end in "etc."."""
    images: int
    masks: int
    perspectives: tuple[int, ...]
    """Numbers 1 to 4."""

    @property
    def modality_words(self) -> tuple[str, ...]:
        """The printed cell as words: "MR(FLAIR,T1CE)" is "MR FLAIR" and "MR T1CE"."""
        compound = re.fullmatch(r"(\w+)\((.+)\)", self.modality)
        return tuple(f"{compound[1]} {word}" for word in compound[2].split(",")) if compound else (self.modality,)

    @property
    def modality_codes(self) -> tuple[str, ...]:
        """Codes of `MODALITIES`, in the order of the words."""
        return tuple(MODALITIES.find(word).code for word in self.modality_words)


def _source(row: dict[str, str]) -> SegSource:
    labels = [word.strip() for word in row["labels"].split(",")]
    return SegSource(
        dataset=row["dataset"],
        modality=row["modality"],
        labels=tuple(word for word in labels if word != "etc."),
        open_ended="etc." in labels,
        images=int(row["images"]),
        masks=int(row["masks"]),
        perspectives=tuple(number for number in range(1, 5) if row[f"perspective_{number}"] == "yes"),
    )


SOURCES: tuple[SegSource, ...] = tuple(_source(row) for row in rows("mimoseg_sources.csv"))

MODALITY_WORDS: tuple[str, ...] = distinct(word for one in SOURCES for word in one.modality_words)
"""The printed modalities, sequences behind their family's name, each once whatever its case."""

MODALITY_CODES: dict[str, str] = {word: MODALITIES.find(word).code for word in MODALITY_WORDS}
"""Printed modality → our code."""

LABEL_WORDS: tuple[str, ...] = distinct(word for one in SOURCES for word in one.labels)
"""The printed labels, each once whatever its case. Canonical names are the label table's business, not this one's."""
