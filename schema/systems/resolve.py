"""Any system's word becomes codes for a selection.

`codes("modality", "MR")` holds MRI and every sequence below it; `codes("task", "Disease Diagnosis")` all tasks that serve
GMAI's clinical task; `codes("subset", "Med-MAT 03")` the slug of that subset. A word means first what its own field's
vocabulary says. A word behind a system's name is read as that system reads it: "Med-MAT Bones" also holds knee and spine,
which Med-MAT prints under bones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache

from ..clinical_tasks import CLINICAL_TASKS
from ..departments import DEPARTMENTS
from ..errors import UsageError
from ..triplet import AREAS, MODALITIES, TASKS
from ..vocabulary import Vocabulary, fold, slug
from . import clinical, medmat
from .mapping import read_as

_SPELLINGS = {
    "medmat": r"med-?\s?mat",
    "gmai": r"gmai(?:-mmbench)?",
    "medtrinity": r"medtrinity(?:-25m)?",
    "mimoseg": r"mimo(?:seg)?",
}
"""How a system's name may be written before a word of its own, by code of `mapping.SYSTEMS`."""

Found = frozenset[str]


def codes(field: str, word: str) -> Found:
    """What a word selects in one field; never empty.

    Args:
        field: modality, area and task give our codes, with all that stand below; clinical_task and department give
            GMAI's full names, as records hold them; subset gives slugs.
        word: A code, name or alias of ours or of one of the four systems.

    Raises:
        UsageError: The field has no such word; the message names the closest of all that it has.
    """
    if field not in _FIELDS:
        raise UsageError(f"field {field!r}; expected one of {', '.join(_FIELDS)}")
    found = _FIELDS[field](word) or _of_system(field, word)
    if not found:
        raise UsageError(f"{_spoken(field)} {word!r} is unknown; expected {_expected(field, word)}")
    return found


def understood(field: str) -> tuple[str, ...]:
    """Every word that `codes` understands in a field, in the order of the vocabularies; any slug of ours is one too.

    Raises:
        UsageError: There is no such field.
    """
    if field not in _WORDS:
        raise UsageError(f"field {field!r}; expected one of {', '.join(_WORDS)}")
    return tuple(dict.fromkeys(_WORDS[field]()))


def _below(vocabulary: Vocabulary, word: str) -> Found:
    """The code that a word stands for and all below it; empty where it stands for none."""
    code = index(vocabulary).get(fold(word))
    return frozenset((code, *(term.code for term in vocabulary.descendants(code)))) if code else frozenset()


@cache
def index(vocabulary: Vocabulary) -> dict[str, str]:
    """Folded word → code."""
    return {fold(word): term.code for term in vocabulary for word in term.words}


def _of_system(field: str, word: str) -> Found:
    """What "Med-MAT Bones" or "gmai:Bone" means: the word as that system reads it; empty without a system's name."""
    system, bare = by_system(word)
    if system is None:
        return frozenset()
    if field == "task" and system == "gmai":
        return _tasks_of_clinical(bare)
    if field == "clinical_task" and system == "medmat":
        return _clinical_of_task(bare)
    read = read_as(system, field, bare) if field in ("modality", "area", "task") else frozenset[str]()
    return read | _FIELDS[field](bare)


def by_system(word: str) -> tuple[str | None, str]:
    """The system that a word begins with ("Med-MAT Bones", "gmai:Bone") and the rest; None and the word where none does."""
    for system, spelling in _SPELLINGS.items():
        match = re.fullmatch(rf"{spelling}(?:\s*:\s*|\s+)(\S.*)", word.strip(), re.IGNORECASE)
        if match:
            return system, match[1]
    return None, word


def _modality(word: str) -> Found:
    return _below(MODALITIES, word)


def _area(word: str) -> Found:
    return _below(AREAS, word)


def _task(word: str) -> Found:
    return _below(TASKS, word) or _tasks_of_clinical(word)


def _tasks_of_clinical(word: str) -> Found:
    """The tasks that serve a clinical task of GMAI; empty where the word is none."""
    code = index(CLINICAL_TASKS).get(fold(word))
    found = frozenset(clinical.tasks_of(code)) if code else frozenset[str]()
    if code and not found:
        raise UsageError(f"clinical task {CLINICAL_TASKS[code].name!r} has no task: {clinical.WITHOUT_TASK[code]}")
    return found


def _clinical_task(word: str) -> Found:
    code = index(CLINICAL_TASKS).get(fold(word))
    return frozenset({CLINICAL_TASKS[code].name}) if code else _clinical_of_task(word)


def _clinical_of_task(word: str) -> Found:
    """The clinical tasks that a task serves; empty where the word is none."""
    return frozenset(clinical.of_word(word)) if fold(word) in index(TASKS) else frozenset()


def _department(word: str) -> Found:
    code = index(DEPARTMENTS).get(fold(word))
    return frozenset({DEPARTMENTS[code].name}) if code else frozenset()


def _subset(word: str) -> Found:
    name = word.strip().casefold()
    if is_subset(name):
        return frozenset({name})
    number = medmat.number_of(word)
    return frozenset(one.slug for one in medmat.SUBSETS if one.number == number)


def is_subset(name: str) -> bool:
    """Whether a name has the form of our subsets: the slugs of a modality, an area and a task, joined by hyphens."""
    return any(not rest for rest in _after(TASKS, _after(AREAS, _after(MODALITIES, iter([f"-{name}"])))))


def _after(vocabulary: Vocabulary, texts: Iterator[str]) -> Iterator[str]:
    """What is left of the texts behind the slug of any term that they begin with."""
    for text in texts:
        for term in _slugs(vocabulary):
            if text == f"-{term}" or text.startswith(f"-{term}-"):
                yield text[len(term) + 1 :]


@cache
def _slugs(vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(slug(term.code) for term in vocabulary)


def _spoken(field: str) -> str:
    return field.replace("_", " ")


def _expected(field: str, word: str) -> str:
    known = {fold(one): one for one in understood(field)}
    close = [known[match] for match in get_close_matches(fold(by_system(word)[1]), known, n=3, cutoff=0.6)]
    if close:
        return "perhaps " + " or ".join(map(repr, close))
    return _ELSE[field]


def _words_of(*vocabularies: Vocabulary) -> Iterator[str]:
    yield from (word for vocabulary in vocabularies for term in vocabulary for word in term.words)


def _subset_words() -> Iterator[str]:
    yield from (word for one in medmat.SUBSETS for word in (one.slug, one.name, one.number))


def _roots(vocabulary: Vocabulary) -> str:
    return "one of " + ", ".join(term.code for term in vocabulary if term.parent is None) + ", or a term below them"


_FIELDS: dict[str, Callable[[str], Found]] = {
    "modality": _modality,
    "area": _area,
    "task": _task,
    "clinical_task": _clinical_task,
    "department": _department,
    "subset": _subset,
}
_WORDS: dict[str, Callable[[], Iterator[str]]] = {
    "modality": lambda: _words_of(MODALITIES),
    "area": lambda: _words_of(AREAS),
    "task": lambda: _words_of(TASKS, CLINICAL_TASKS),
    "clinical_task": lambda: _words_of(CLINICAL_TASKS, TASKS),
    "department": lambda: _words_of(DEPARTMENTS),
    "subset": _subset_words,
}
_ELSE = {
    "modality": _roots(MODALITIES),
    "area": _roots(AREAS),
    "task": _roots(TASKS) + ", or a clinical task of GMAI",
    "clinical_task": "one of " + ", ".join(term.name for term in CLINICAL_TASKS) + ", or a task of Med-MAT",
    "department": "one of " + ", ".join(term.name for term in DEPARTMENTS),
    "subset": "a slug such as ct-lung-covid-19, or a Med-MAT number such as 'Med-MAT 03'",
}
