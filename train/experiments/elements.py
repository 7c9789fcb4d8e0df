"""The elements that compose: what modality, area and task two subsets have in common.

Modality and area are the same where their codes are. Tasks of different areas never have one code (`lung-cancer`,
`brain-cancer`), so a task is known by the words that Med-MAT's published experiments use: two tasks are the same where they
have a word in common. What is neither the same nor clearly another (an area inside another, two tasks of one broad task) is
near: it takes no part, on either side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...schema.triplet import AREAS, MODALITIES, TASKS, Triplet

ELEMENTS = ("modality", "area", "task")
STATE, COVID, CANCER, DISEASES, LEVEL, CELLS = "state", "covid", "cancer", "diseases", "level", "cell identification"
PRINTED: Mapping[str, tuple[str, ...]] = {
    "covid-19": (STATE, COVID),
    "covid-19-pneumonia": (STATE, COVID),
    "brain-haemorrhage": (STATE,),
    "fracture": (STATE,),
    "teeth-condition": (STATE,),
    "tumour-classification": (STATE, CANCER),
    "lung-cancer": (CANCER,),
    "brain-cancer": (CANCER,),
    "melanoma-type": (CANCER,),
    "oral-cancer": (CANCER,),
    "cancer-classification": (CANCER,),
    "tuberculosis": (DISEASES,),
    "vertebrae-diseases": (DISEASES,),
    "breast-diseases": (DISEASES,),
    "multi-label-chest": (DISEASES,),
    "skin-diseases": (DISEASES,),
    "eye-diseases": (DISEASES,),
    "retina-diseases": (DISEASES,),
    "prostate-cancer-degree": (LEVEL,),
    "retinal-quality": (LEVEL,),
    "level-identification": (LEVEL,),
    "cell-type": (CELLS,),
}
"""Task → what the published rows call it, as `published.py` resolves them."""
READ: Mapping[str, tuple[str, ...]] = {
    "disease-classification": (DISEASES,),
    "infection-classification": (DISEASES,),
    "cancer-diagnosis": (CANCER,),
    "skeletal-classification": (DISEASES,),
    "finding-classification": (DISEASES,),
    "severity-grading": (LEVEL,),
    "quality-assessment": (LEVEL,),
    "cell-classification": (CELLS,),
    "structure-localization": ("structure",),
    "lesion-localization": ("lesion",),
    "cell-localization": ("cells",),
    "surgical-scene": ("surgery",),
    "multi-label-localization": ("lesion",),
}
"""Broad task → the word of all tasks below it that no published row names: our reading."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is trained on or tested as one: a subset, or a part of it with an added element."""

    name: str
    triplet: Triplet
    added: Mapping[str, str] = field(default_factory=dict)
    """Element → value, such as population → adults."""
    asks: str = "choice"
    """What of its kind of questions is asked: `choice`, or `regions`, whose task then is never a classification's."""

    def values(self, element: str) -> frozenset[str]:
        """What stands for an element here: two cells have it in common where these meet."""
        if element == "modality":
            return frozenset([self.triplet.modality])
        if element == "area":
            return frozenset([self.triplet.area])
        if element == "task":
            return frozenset(f"{self.asks}: {word}" for word in task_words(self.triplet.task))
        return frozenset([self.added[element]]) if element in self.added else frozenset()


def task_words(task: str) -> tuple[str, ...]:
    """The words of a task (a code of `TASKS`): printed ones, else that of its broad task, else its own code."""
    if task in PRINTED:
        return PRINTED[task]
    return next((READ[term.code] for term in (TASKS[task], *TASKS.ancestors(task)) if term.code in READ), (task,))


def elements_of(cell: Cell) -> tuple[str, ...]:
    """The elements that make a target: those of the triplet, then what was added."""
    return (*ELEMENTS, *cell.added)


def shared(cell: Cell, target: Cell) -> frozenset[str]:
    """The elements of the target that a cell has too."""
    return frozenset(name for name in elements_of(target) if cell.values(name) & target.values(name))


def near(cell: Cell, target: Cell) -> frozenset[str]:
    """The elements in which a cell isn't the same as the target, and not clearly another either."""
    found = set[str]()
    for name, vocabulary in (("modality", MODALITIES), ("area", AREAS)):
        own, other = getattr(cell.triplet, name), getattr(target.triplet, name)
        if own != other and (vocabulary.is_a(own, other) or vocabulary.is_a(other, own)):
            found.add(name)
    if cell.asks == target.asks and TASKS.root(cell.triplet.task) == TASKS.root(target.triplet.task):
        found.add("task")
    found.update(name for name in target.added if name not in cell.added)
    return frozenset(found) - shared(cell, target)


def unrelated(cells: Sequence[Cell], target: Cell, *, may_share: frozenset[str] = frozenset()) -> list[Cell]:
    """The cells that have no element of the target, or none but those in `may_share`, and are near it in no other."""
    return [one for one in cells if shared(one, target) <= may_share and near(one, target) <= may_share]
