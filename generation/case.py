"""A sample as the rules see it: its record, and what they all ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from ..schema.question import Kind, Question
from ..schema.triplet import AREAS, MODALITIES, TASKS

Record = Mapping[str, Any]
"""A record as JSON gives it: see `schema/sample.py`."""
GRANULARITIES = ("box", "mask", "contour", "point")
T = TypeVar("T")


class _Once(Generic[T]):
    """A property of a case that is worked out once. Up to Python 3.11, `functools.cached_property` takes a lock for that."""

    def __init__(self, work: Callable[[Any], T]):
        self.work, self.name, self.__doc__ = work, work.__name__, work.__doc__

    def __get__(self, case: Any, owner: type | None = None) -> T:
        found = case.__dict__[self.name] = self.work(case)
        return found


@dataclass(frozen=True, eq=False)
class Case:
    """One sample. Label states and annotations are the record's own dicts."""

    record: Record

    @_Once
    def key(self) -> str:
        """Of the sample."""
        return self.record["key"]

    @_Once
    def size_hw_px(self) -> tuple[int, int]:
        """Height and width of the stored image."""
        height, width = self.record["size_hw_px"]
        return height, width

    @_Once
    def modality(self) -> str:
        """Code of the modality's detail where there is one, else of the modality."""
        return self.record["modality_detail"] or self.record["modality"]

    @property
    def modality_name(self) -> str:
        """For people, such as "Computed Tomography"."""
        return MODALITIES[self.modality].name

    @_Once
    def states(self) -> Sequence[Record]:
        """All label states."""
        return self.record["labels"]

    @_Once
    def present(self) -> Sequence[Record]:
        """Label states that are present."""
        return [one for one in self.states if one["state"] == "present"]

    @_Once
    def absent(self) -> frozenset[str]:
        """Ids of labels that are known to be absent on every side."""
        return frozenset([one["label_id"] for one in self.states if one["state"] == "absent"]) - self.possible

    @_Once
    def possible(self) -> frozenset[str]:
        """Ids of labels with another state than absent: they are, or may be, on the image."""
        return frozenset([one["label_id"] for one in self.states if one["state"] != "absent"])

    @_Once
    def regions(self) -> Mapping[tuple[str, str | None], Sequence[Record]]:
        """Annotations by label id and side, in the order of the record."""
        found: dict[tuple[str, str | None], list[Record]] = {}
        for one in self.record["annotations"]:
            found.setdefault((one["label_id"], one["laterality"]), []).append(one)
        return found

    @_Once
    def by_id(self) -> Mapping[str, Record]:
        """Annotations by id."""
        return {one["id"]: one for one in self.record["annotations"]}

    def regions_of(self, state: Record, *granularities: str) -> Sequence[Record]:
        """The annotations of a label state, of some granularities or of any."""
        every = self.regions.get((state["label_id"], state["laterality"]), ())
        return [one for one in every if one["granularity"] in granularities] if granularities else every

    def state_of(self, region: Record) -> Record:
        """The first present label state that an annotation belongs to."""
        label_id, side = region["label_id"], region["laterality"]
        return next(one for one in self.present if one["label_id"] == label_id and one["laterality"] == side)

    def located(self) -> Iterator[Record]:
        """Label states that are present and have annotations."""
        return (one for one in self.present if (one["label_id"], one["laterality"]) in self.regions)


def name_of(one: Record) -> str:
    """The name of a label state or annotation with its side: "left lung"."""
    return f"{one['laterality']} {one['label']}" if one["laterality"] in ("left", "right") else one["label"]


def area_name(code: str) -> str:
    """An anatomical area for people."""
    return AREAS[code].name


def task_name(code: str) -> str:
    """A task for people."""
    return TASKS[code].name


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    every = list(words)
    return " and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]]))


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks: what all questions of one rule of a suite share."""

    suite: str
    rule: str

    def question(self, case: Case, *, place: int, kind: Kind, about: Record | None, granularity: str, **more: Any) -> Question:
        """A question on a case; `about` is the label state it belongs to, None for the sample as a whole.

        `place` numbers the rule's questions on this case from 0; with suite, rule and key it makes the id.
        """
        record = case.record
        home = record if about is None else about
        department = record["department"] if about is None else about["departments"][0]
        subset = record["subsets"][0] if about is None else about["subset"]
        return Question(
            id=self.id_of(case.key, place),
            key=case.key,
            split=record["split"],
            suite=self.suite,
            kind=kind,
            rule=self.rule,
            source=record["source"],
            modality=case.modality,
            area=home["area"],
            task=home["task"],
            subset=subset,
            clinical_task=home["clinical_task"],
            department=department,
            granularity=granularity,
            **more,
        )

    def id_of(self, key: str, place: int) -> str:
        """The id of a rule's question on a sample."""
        digest = _begun(self.suite, self.rule).copy()
        digest.update(f"{key}\0{place}".encode())
        return f"q-{digest.hexdigest()}"


@lru_cache(1 << 8)
def _begun(suite: str, rule: str) -> blake2b:
    """The digest of what the ids of all questions of one rule begin with."""
    return blake2b(f"{suite}\0{rule}\0".encode(), digest_size=8)
