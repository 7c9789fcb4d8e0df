"""Which of GMAI-MMBench's 18 clinical tasks each of our tasks serves, and the way back.

No paper maps Med-MAT's tasks to GMAI's: all of this is our reading, and each row says why. A row holds for the tasks below
it that have none of their own, so that every term of `TASKS` has an answer, also one that is added tomorrow. Recognizing a
structure is told apart by where it lies: `STRUCTURES` says for every area which recognition task it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ..clinical_tasks import CLINICAL_TASKS
from ..errors import UsageError
from ..triplet import AREAS, TASKS
from . import medmat

ORGANS = ("OR-A", "OR-HN", "OR-P", "OR-T")
BY_STRUCTURE = ("BVR", "B", "M", "NT", *ORGANS)
_BY_PLACE = {*BY_STRUCTURE, "CR"}
"""Clinical tasks that an area tells apart."""


@dataclass(frozen=True)
class Reading:
    """The clinical tasks of one task: GMAI's codes, the main one first, or none at all; and why we read it so."""

    codes: tuple[str, ...]
    reason: str
    ours: bool = True
    """True throughout: neither paper says it."""

    @property
    def names(self) -> tuple[str, ...]:
        """GMAI's full names, the main one first; empty where GMAI has no such task."""
        return tuple(CLINICAL_TASKS[code].name for code in self.codes)


ROWS: dict[str, Reading] = {
    "disease-classification": Reading(("DD",), "it names a disease"),
    "infection-classification": Reading(("DD",), "it names the disease; the microbe itself isn't seen"),
    "cancer-diagnosis": Reading(("DD",), "it names a disease"),
    "skeletal-classification": Reading(("DD",), "it names what is wrong with a bone; GMAI's Bone asks which bone it is"),
    "finding-classification": Reading(("DD",), "it names diseases, several at once"),
    "multi-label-diseases": Reading(("DD", "CR"), "subset 37 names breast findings, subset 33 parts of cells"),
    "severity-grading": Reading(("SG",), "it gives a degree"),
    "quality-assessment": Reading(("IQG",), "it judges the picture"),
    "cervical-quality": Reading(("IQG", "AR"), "quality by its printed name, types of cervix by what its dataset holds"),
    "intestine-cleanliness": Reading(("IQG",), "how clean the bowel is limits what the picture shows"),
    "artefact-recognition": Reading(("AR",), "hair, ink and rulers are attributes of a picture, not degrees of quality"),
    "cell-classification": Reading(("CR",), "it names cells"),
    "structure-localization": Reading(BY_STRUCTURE, "it recognizes a structure; the area tells which task"),
    "tissue-segmentation": Reading((*BY_STRUCTURE, "CR"), "the area tells which task; under the microscope, cells"),
    "landmark-localization": Reading((), "GMAI asks for no points"),
    "vessel-segmentation": Reading(("BVR",), "it recognizes vessels"),
    "optic-disc-segmentation": Reading(("OR-HN", "NT"), "the disc is a part of the eye and the head of the optic nerve"),
    "optic-disc-cup-segmentation": Reading(("OR-HN", "NT"), "the disc is a part of the eye and the head of the optic nerve"),
    "lung-segmentation": Reading(("OR-T",), "the lung lies in the thorax"),
    "lung-detection": Reading(("OR-T",), "the lung lies in the thorax"),
    "liver-segmentation": Reading(("OR-A",), "the liver lies in the abdomen"),
    "organ-segmentation": Reading((*ORGANS, "BVR", "B", "M", "NT"), "the area tells which task"),
    "organ-detection": Reading((*ORGANS, "BVR", "B", "M", "NT"), "the area tells which task"),
    "brain-structure-segmentation": Reading(("NT", "OR-HN"), "parts of the brain are nervous tissue, in the head"),
    "lesion-localization": Reading(("DD",), "it shows where a disease is"),
    "cell-localization": Reading(("CR",), "it shows which cells are where"),
    "surgical-scene": Reading(("SIR", "SWR", "SAR"), "instruments, phases and actions make up the scene"),
    "surgical-procedures": Reading(("SIR",), "dataset 94 outlines instruments"),
    "instrument-segmentation": Reading(("SIR",), "it recognizes instruments"),
    "surgical-workflow": Reading(("SWR", "SAR"), "phases consist of actions"),
    "multi-label-localization": Reading(("DD",), "it shows where diseases are, several at once"),
    "multi-label-segmentation": Reading(("DD", "OR-A"), "subset 41 outlines diseases, subset 45 organs of the abdomen"),
    "unlabelled": Reading((), "nothing is asked where nothing is labelled"),
    "other": Reading((), "what it asks isn't known"),
}

_BY_SUBSET = {
    "33": Reading(("CR",), "dataset 84 labels where in a cell a protein lies"),
    "37": Reading(("DD",), "dataset 82 labels breast findings"),
    "41": Reading(("DD",), "dataset 95 outlines diseases"),
    "45": Reading(("OR-A",), "dataset 103 outlines stomach and bowel"),
}
"""Subsets that share a printed task with another and mean something narrower by it."""

WITHOUT_TASK: dict[str, str] = {
    "C": "counting is asked over what is already recognized or boxed; no task of Med-MAT or ours has counts as labels",
    "MR": "no subset of Med-MAT shows microorganisms; its infection tasks name the disease",
    "N/A": "labels that serve none of the 18 have no task of theirs either",
}
"""Clinical tasks that no task serves, and why: our reading too."""

STRUCTURES: dict[str, tuple[str, ...]] = {
    "head": ("OR-HN",),
    "neck": ("OR-HN",),
    "brain": ("NT", "OR-HN"),
    "skull": ("B",),
    "chest": ("OR-T",),
    "breast": ("OR-T",),
    "abdomen": ("OR-A",),
    "rectum": ("OR-P", "OR-A"),
    "pelvis": ("OR-P",),
    "musculoskeletal": ("B", "M"),
    "bones": ("B",),
    "spine": ("B",),
    "hip": ("B",),
    "knee": ("B",),
    "shoulder": ("B",),
    "elbow": ("B",),
    "wrist": ("B",),
    "ankle": ("B",),
    "hand": ("B",),
    "foot": ("B",),
    "muscle": ("M",),
    "vessels": ("BVR",),
    "nerves": ("NT",),
    "cell": ("CR",),
    "whole-body": BY_STRUCTURE,
    "skin": (),
    "tissue": (),
    "lymph-nodes": (),
    "fetus": (),
    "phantom": (),
    "other": (),
    "unspecified": (),
}
"""Which recognition task a structure of this area, or of one below it, belongs to: our reading, after GMAI's names."""


def of_task(task: str, *, area: str | None = None) -> Reading:
    """The clinical tasks of a code of `TASKS`; with an area, of a structure only those that it can belong to.

    Raises:
        UsageError: `task` or `area` is no code.
    """
    found = next(ROWS[term.code] for term in (TASKS[task], *TASKS.ancestors(task)) if term.code in ROWS)
    if area is None:
        return found
    place = next(STRUCTURES[term.code] for term in (AREAS[area], *AREAS.ancestors(area)) if term.code in STRUCTURES)
    narrowed = tuple(code for code in place if code in found.codes)
    others = tuple(code for code in found.codes if code not in _BY_PLACE)
    return Reading((*others, *narrowed), found.reason) if narrowed else found


def of_branch(task: str) -> Reading:
    """The clinical tasks of a code of `TASKS` and of all below it, the main ones first; what a broad task gathers.

    Raises:
        UsageError: `task` is no code.
    """
    own = of_task(task)
    below = (of_task(term.code).codes for term in TASKS.descendants(task))
    return Reading(tuple(dict.fromkeys((*own.codes, *(code for codes in below for code in codes)))), own.reason)


def of_subset(subset: medmat.Subset) -> Reading:
    """The clinical tasks of a Med-MAT subset, told apart by area where its task leaves several."""
    return _BY_SUBSET.get(subset.number) or of_task(subset.triplet.task, area=subset.triplet.area)


@cache
def tasks_of(clinical_task: str) -> tuple[str, ...]:
    """The codes of all tasks that serve a clinical task (code or name), in the order of `TASKS`; empty for two of them.

    Raises:
        UsageError: GMAI has no such clinical task.
    """
    code = CLINICAL_TASKS.find(clinical_task).code
    return tuple(term.code for term in TASKS if code in of_task(term.code).codes)


def subsets_of(clinical_task: str) -> tuple[medmat.Subset, ...]:
    """The Med-MAT subsets that serve a clinical task (code or name).

    Raises:
        UsageError: GMAI has no such clinical task.
    """
    code = CLINICAL_TASKS.find(clinical_task).code
    return tuple(one for one in medmat.SUBSETS if code in of_subset(one).codes)


def of_word(task_word: str) -> tuple[str, ...]:
    """GMAI's names for a task of Med-MAT or ours, with all that stand below it; a broad task gathers them.

    Raises:
        UsageError: The word is no task, or GMAI has no clinical task for it.
    """
    term = TASKS.find(task_word)
    found = of_branch(term.code)
    if not found.codes:
        raise UsageError(f"task {term.code!r} serves no clinical task of GMAI: {found.reason}")
    return found.names
