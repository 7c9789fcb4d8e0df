"""What each of our terms is called by Med-MAT, GMAI-MMBench, MedTrinity-25M and MIMOSeg: total tables, both ways.

`counterpart(field, code, system)` answers for every code of every vocabulary, if only with "none" and the reason. A relation
is `same`, `wider` (the system's word holds ours and more), `narrower` (its words hold parts of ours), `related` (a pointer
between things of two kinds, such as a task and a clinical task) or `none`. It is marked `ours` wherever no paper says it: all
but the same word, its plain abbreviation, and that a system prints no word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import UsageError
from ..granularity import GRANULARITIES, gmai_name
from ..triplet import AREAS, MODALITIES, TASKS
from ..vocabulary import Term, Vocabulary, fold
from . import clinical, gmai, medmat, medtrinity, mimoseg

SYSTEMS: dict[str, str] = {
    "medmat": "Med-MAT",
    "gmai": "GMAI-MMBench",
    "medtrinity": "MedTrinity-25M",
    "mimoseg": "MIMOSeg",
}
"""Code → name, in the order of the tables."""

VOCABULARIES: dict[str, Vocabulary] = {
    "modality": MODALITIES,
    "area": AREAS,
    "task": TASKS,
    "clinical_task": CLINICAL_TASKS,
    "department": DEPARTMENTS,
    "granularity": GRANULARITIES,
}
"""The fields that are mapped, and whose codes their rows are."""

_PLAIN = {"MR", "Fundus", "bone", "rib", "artery"}
"""Printed words that are abbreviations or the singular of a term's code, so that no reading is needed."""


@dataclass(frozen=True)
class Counterpart:
    """What a system calls one of our terms."""

    words: tuple[str, ...]
    """As the system prints them; empty where it has none."""
    relation: str
    """same, wider, narrower, related or none."""
    ours: bool
    """Whether this is our reading, said by no paper."""
    reason: str
    """Why, in a few words; empty where the word is the same."""


_KINDS = {
    "image": (("classification",), "classes hold for the whole image"),
    "box": (("detection",), "detection gives boxes"),
    "mask": (("segmentation",), "segmentation gives masks"),
    "contour": (("segmentation",), "a contour is a mask's outline"),
    "point": ((), "it has no points"),
}
"""Granularity → words and reason, for Med-MAT's kinds."""
_FLAGS = {
    "image": (("disease type",), "a disease type holds for the whole image"),
    "box": (("bbox",), "bbox is its word for a box"),
    "mask": (("mask",), ""),
    "contour": (("mask",), "a contour is a mask's outline"),
    "point": ((), "it has no points"),
}
"""The same for MedTrinity's annotation flags."""
_QUESTIONS = {
    "image": ((), "each of its four perspectives answers with a mask"),
    "box": (("II", "IV"), "boxes are prompts there, never answers"),
    "mask": (("I", "II", "III", "IV"), "each of its four perspectives answers with a mask"),
    "contour": (("I", "II", "III", "IV"), "a contour gives the mask that each perspective needs"),
    "point": (("II", "IV"), "points are prompts there, never answers"),
}
"""The same for MIMOSeg's perspectives."""

_LIMBS = ("hip", "shoulder", "elbow", "wrist", "hand", "ankle", "foot", "leg", "arm")
_BONES = {
    "spine": "subsets 27, 36 and 49 print the spine under Bones",
    "knee": "subset 25 prints the knee under Bones",
    **dict.fromkeys(_LIMBS, "subset 26 prints fractures of all regions under Bones"),
}
_ELSEWHERE: dict[tuple[str, str], Counterpart] = {
    **{("medmat", area): Counterpart(("Bones",), "wider", True, reason) for area, reason in _BONES.items()},
    **{("medtrinity", area): Counterpart(("bone",), "wider", True, "as Med-MAT's Bones") for area in _BONES},
    ("medmat", "tissue"): Counterpart(("Cell",), "related", True, "subsets 18, 19, 21 and 42 print tissue slides under Cell"),
    ("medmat", "prostate"): Counterpart(("Cell",), "related", True, "subset 19 prints slides of the prostate under Cell"),
    ("medmat", "stomach"): Counterpart(("Intestine",), "related", True, "subset 13 holds Kvasir, with pictures of the stomach"),
    ("medmat", "oesophagus"): Counterpart(("Intestine",), "related", True, "subset 13 holds Kvasir, with the oesophagus"),
}
"""Areas that a system prints elsewhere than our tree has them: our reading of its rows."""


def counterpart(field: str, code: str, system: str) -> Counterpart:
    """What `system` (a code of `SYSTEMS`) calls a code of ours.

    Raises:
        UsageError: There is no such field, code or system.
    """
    if system not in SYSTEMS:
        raise UsageError(f"system {system!r}; expected one of {', '.join(SYSTEMS)}")
    term = vocabulary(field)[code]
    return _READERS[field](term, system)


def counterparts(field: str, code: str) -> dict[str, Counterpart]:
    """What each of the four systems calls a code of ours: system code → counterpart.

    Raises:
        UsageError: There is no such field or code.
    """
    return {system: counterpart(field, code, system) for system in SYSTEMS}


def vocabulary(field: str) -> Vocabulary:
    """The vocabulary of a mapped field.

    Raises:
        UsageError: It is none of `VOCABULARIES`.
    """
    if field not in VOCABULARIES:
        raise UsageError(f"field {field!r}; expected one of {', '.join(VOCABULARIES)}")
    return VOCABULARIES[field]


def read_as(system: str, field: str, word: str) -> frozenset[str]:
    """Our codes for all that a system prints, or would print, under one of its words; empty where it has no such word.

    "Bones" read as Med-MAT does holds knee and spine too.

    Raises:
        UsageError: There is no such field or system.
    """
    return frozenset(
        term.code
        for term in vocabulary(field)
        for found in [counterpart(field, term.code, system)]
        if found.relation in ("same", "wider") and fold(word) in map(fold, found.words)
    )


def area_of_structure(structure: str) -> str:
    """Our area for a structure that MedTrinity prints.

    Raises:
        UsageError: MedTrinity prints no such structure.
    """
    areas = {fold(word): code for word, code in medtrinity.STRUCTURE_AREAS.items()}
    if fold(structure) not in areas:
        raise UsageError(f"structure {structure!r}; expected one of {', '.join(medtrinity.STRUCTURE_WORDS)}")
    return areas[fold(structure)]


def medmat_area(structure: str) -> Counterpart:
    """Med-MAT's area for a structure that MedTrinity prints.

    Raises:
        UsageError: MedTrinity prints no such structure.
    """
    return counterpart("area", area_of_structure(structure), "medmat")


@cache
def printed(field: str, system: str) -> Mapping[str, tuple[str, ...]]:
    """Code of ours → the words that a system prints for just that; modalities, areas and Med-MAT's tasks."""
    words = _PRINTED[field, system]
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        code = VOCABULARIES[field].find(word).code
        found[code] = (*found.get(code, ()), word)
    return found


_PRINTED: dict[tuple[str, str], tuple[str, ...]] = {
    ("modality", "medmat"): medmat.MODALITY_CODES,
    ("modality", "gmai"): gmai.MODALITY_NAMES,
    ("modality", "medtrinity"): medtrinity.MODALITY_WORDS,
    ("modality", "mimoseg"): mimoseg.MODALITY_WORDS,
    ("area", "medmat"): medmat.AREAS,
    ("area", "gmai"): (),
    ("area", "medtrinity"): medtrinity.STRUCTURE_WORDS,
    ("area", "mimoseg"): (),
    ("task", "medmat"): medmat.TASK_NAMES,
}
_NO_WORDS = {
    ("area", "gmai"): "it prints no areas; its organ recognition tasks name four regions",
    ("area", "mimoseg"): "it prints labels, no areas",
}


def _by_tree(field: str, term: Term, system: str) -> Counterpart:
    """The system's own word, else the next wider one, else the narrower ones, else none."""
    words, tree = printed(field, system), VOCABULARIES[field]
    if term.code in words:
        return _same(term, words[term.code])
    for wider in tree.ancestors(term.code):
        if wider.code in words:
            return Counterpart(words[wider.code], "wider", True, f"{term.name} is under {wider.name} in MedLoom's tree")
    below = tuple(word for narrow in tree.descendants(term.code) for word in words.get(narrow.code, ()))
    if below:
        return Counterpart(below, "narrower", True, f"they are under {term.name} in MedLoom's tree")
    return _absent(_NO_WORDS.get((field, system), f"it prints no such {field}"))


def _absent(reason: str) -> Counterpart:
    """That a system has no word is what its tables show, no reading."""
    return Counterpart((), "none", False, reason)


def _same(term: Term, words: tuple[str, ...]) -> Counterpart:
    read = [word for word in words if not _plainly(term, word)]
    reason = f"{' and '.join(read)} read as {term.name}" if read else ""
    return Counterpart(words, "same", bool(read), reason)


def _plainly(term: Term, word: str) -> bool:
    """Whether a printed word is the term's code or name, perhaps behind its family's, or a plain abbreviation."""
    bare = fold(word).removeprefix("mr").removeprefix("ct") or fold(word)
    own = {fold(term.code), fold(term.name)}
    return word in _PLAIN or fold(word) in own or bare in {*own, *(one.removeprefix("mr").removeprefix("ct") for one in own)}


def _modality(term: Term, system: str) -> Counterpart:
    if (term.code, system) == ("Co", "medmat"):
        return Counterpart(
            ("Co",), "same", True, "its table's legend says colposcopy, its text colonoscopy; we follow the table"
        )
    return _by_tree("modality", term, system)


def _area(term: Term, system: str) -> Counterpart:
    for wider in (term, *AREAS.ancestors(term.code)):
        if (system, wider.code) in _ELSEWHERE:
            return _ELSEWHERE[system, wider.code]
        if wider.code in printed("area", system):
            break
    return _by_tree("area", term, system)


def _task(term: Term, system: str) -> Counterpart:
    if system == "medmat":
        found = _by_tree("task", term, system)
        # every printed task is one term with the paper's own words among its aliases (tests/schema/test_triplet.py)
        return Counterpart(found.words, "same", False, "") if found.relation == "same" else found
    if system == "gmai":
        read = clinical.of_branch(term.code)
        return Counterpart(read.names, "related" if read.codes else "none", True, read.reason)
    if system == "mimoseg":
        return _absent("its perspectives are kinds of questions, whatever the task")
    return _absent("it says which annotations a source brings, not which task they serve")


def _clinical_task(term: Term, system: str) -> Counterpart:
    if system == "gmai":
        return _gmai_own(term)
    if system != "medmat":
        return _absent("it prints no clinical tasks")
    words = tuple(dict.fromkeys(one.task for one in clinical.subsets_of(term.code)))
    if words:
        return Counterpart(words, "related", True, "the printed tasks that we read as serving it")
    return Counterpart((), "none", True, clinical.WITHOUT_TASK.get(term.code, "none of its subsets serves it"))


def _department(term: Term, system: str) -> Counterpart:
    return _gmai_own(term) if system == "gmai" else _absent("it prints no departments")


def _gmai_own(term: Term) -> Counterpart:
    if term.ours:
        return _absent(f"{term.name} is MedLoom's own")
    return Counterpart((term.name,), "same", False, "")


def _granularity(term: Term, system: str) -> Counterpart:
    if system == "gmai":
        name = gmai_name(term.code)
        return Counterpart((name,), "same", False, "") if name else _absent("it has no points")
    table = {"medmat": _KINDS, "medtrinity": _FLAGS, "mimoseg": _QUESTIONS}[system]
    words, reason = table[term.code]
    if system == "medtrinity" and term.code in ("box", "mask"):
        return Counterpart(words, "same", False, "")
    return Counterpart(words, "related", True, reason) if words else _absent(reason)


_READERS = {
    "modality": _modality,
    "area": _area,
    "task": _task,
    "clinical_task": _clinical_task,
    "department": _department,
    "granularity": _granularity,
}
