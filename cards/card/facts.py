"""Everything a card says, gathered from recipes, index, question sets, certificate, overrides and tombstones.

Numbers are DuckDB's, over the index as it lies: a row is never held in Python, so memory doesn't grow with the release.
Samples of sources that are published as a recipe alone stand in no index: their numbers are the recipe's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...schema import certificate
from ...schema.clinical_tasks import CLINICAL_TASKS
from ...schema.departments import DEPARTMENTS
from ...schema.disk import read_json
from ...schema.gate_overrides import Override, overrides_of
from ...schema.granularity import GRANULARITIES
from ...schema.licences import UNSTATED, Licence, licence
from ...schema.published import Mode, mode_of, shards_of
from ...schema.question_set import QuestionSet
from ...schema.release import DEFAULT, Release
from ...schema.rights import Right, Subject, rights_of
from ...schema.sample import SPLITS
from ...schema.triplet import AREAS, MODALITIES, TASKS
from ...schema.withdrawn import withdrawn_of
from ..living.bibtex import bibliography
from .counting import Counting

if TYPE_CHECKING:
    from ...schema.vocabulary import Vocabulary

DISTRIBUTIONS = ("modality", "area", "task", "department", "granularity")
_NAMES: dict[str, Vocabulary] = {
    "modality": MODALITIES,
    "area": AREAS,
    "task": TASKS,
    "department": DEPARTMENTS,
    "granularity": GRANULARITIES,
    "clinical_task": CLINICAL_TASKS,
}
BySplit = Mapping[str, int]
"""Split → samples; splits without any are absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """One source as the release holds it."""

    recipe: Mapping[str, Any]
    splits: BySplit
    excluded: Mapping[str, int]
    """Reason → samples that stand in no split."""
    licences: Mapping[str, int]
    """Licence of the samples themselves → samples."""
    groups: int | None
    """None where no index says it."""
    group_kinds: Mapping[str, int]
    withdrawn: int
    given_splits: int
    """Samples that the owner had put into a split."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the source declares."""
        return self.recipe["facts"]

    @property
    def name(self) -> str:
        """Its one name."""
        return self.facts["name"]

    @property
    def mode(self) -> Mode:
        """How much of it the release holds."""
        return mode_of(self.recipe)

    @property
    def samples(self) -> int:
        """Samples that stand in a split."""
        return sum(self.splits.values())

    @property
    def rights(self) -> dict[Subject, Right]:
        """What may be done with it."""
        return rights_of(self.facts)

    @property
    def verified(self) -> bool:
        """Whether its terms are known, and were read on a stated day for every right; what is drawn has no owner to ask."""
        return self.facts["access"] == "generated" or all(
            one.terms.known and one.evidence.read_on for one in self.rights.values()
        )

    @property
    def limit(self) -> int | None:
        """The most units that the build took; None: all."""
        return self.recipe["options"]["limit"]

    @property
    def bytes(self) -> int:
        """Bytes of its tars."""
        return sum(shard["bytes"] for shard in shards_of(self.recipe))


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """A release as its card tells it."""

    release: Release
    pretty_name: str
    repo: str | None
    sources: Sequence[SourceFacts]
    distributions: Mapping[str, Mapping[str, BySplit]]
    """What is counted → name that people read → split → samples, most first; a sample may count under several names."""
    labels: Sequence[tuple[str, int]]
    """Canonical names and samples on which they are present, most first."""
    numbers: Mapping[str, Any]
    """See `Counting.numbers`."""
    suites: Sequence[Mapping[str, Any]]
    """`suite.json` of every question set."""
    certificate: Mapping[str, Any] | None
    overrides: Sequence[Override]

    @cached_property
    def splits(self) -> BySplit:
        """Split → samples of all sources."""
        return _sum(one.splits for one in self.sources)

    @cached_property
    def samples(self) -> int:
        """Samples that stand in a split."""
        return sum(self.splits.values())

    @cached_property
    def excluded(self) -> Mapping[str, int]:
        """Reason → samples of all sources that stand in no split."""
        return _sum(one.excluded for one in self.sources)

    @cached_property
    def subsets(self) -> list[str]:
        """Configs that are subsets: neither everything nor one source."""
        return [name for name in self.release.configs() if name != DEFAULT and name not in self.release.sources]

    @cached_property
    def version(self) -> str:
        """The version of the config that holds everything; it follows from the shards."""
        header = self.release.header()["configs"]
        return header[0]["version"] if header else "1.0.0"

    @cached_property
    def licences(self) -> dict[str, list[str]]:
        """Licence → sources under it, by a right or by their samples, whose own licences stand for the source's; sorted."""
        found: dict[str, set[str]] = {}
        for one in self.sources:
            stated = {right.licence for right in one.rights.values()} - {one.facts["licence"]}
            for id in {licence(id).id for id in (*one.licences, *stated)}:
                found.setdefault(id, set()).add(one.name)
        return {id: sorted(found[id]) for id in sorted(found)}

    @cached_property
    def bibtex(self) -> str:
        """The works that the sources ask to cite, each once."""
        return bibliography(one.facts for one in self.sources)

    def whole(self, mode: Mode) -> list[SourceFacts]:
        """The sources held in one mode."""
        return [one for one in self.sources if one.mode is mode]

    def group_kinds(self) -> dict[str, list[str]]:
        """Kind of group → sources that have such groups."""
        found: dict[str, list[str]] = {}
        for one in self.sources:
            for kind in one.group_kinds:
                found.setdefault(kind, []).append(one.name)
        return dict(sorted(found.items()))


def gather(release: Release, *, pretty_name: str, repo: str | None = None) -> CardFacts:
    """The facts of a release.

    Raises:
        ReleaseError: a recipe, question set or override can't be read.
        duckdb.Error: the index can't be read.
    """
    recipes = release.recipes()
    with Counting.over(release) as counting:
        withdrawn = _withdrawn(release)
        sources = [_source(recipe, counting, withdrawn=withdrawn) for recipe in recipes]
        counted = {name: _named(name, counting.by(name)) for name in DISTRIBUTIONS}
        labels, numbers = counting.labels(), counting.numbers()
    return CardFacts(
        release=release,
        pretty_name=pretty_name,
        repo=repo,
        sources=sources,
        distributions=counted,
        labels=labels,
        numbers=numbers,
        suites=[QuestionSet(release.root, name).info for name in release.suites],
        certificate=read_json(release.root / certificate.FOLDER / certificate.JSON),
        overrides=overrides_of(release.root),
    )


def obligations(terms: Licence) -> list[str]:
    """What a licence asks of those who use what is under it, in words."""
    if not terms.known:
        said = "the owner states no terms" if terms.id == UNSTATED else "its words must be read at the owner's"
        return [f"{said}; nothing is granted here"]
    asked = {
        "name the owners": terms.attribution,
        "pass changed copies on under the same licence": terms.share_alike,
        "no commercial use": terms.commercial is False,
        "changed copies may not be passed on": terms.adapt is False,
        "copies may not be passed on": terms.share is False,
    }
    return [words for words, applies in asked.items() if applies] or ["nothing"]


def _source(recipe: Mapping[str, Any], counting: Counting, *, withdrawn: Mapping[str, int]) -> SourceFacts:
    facts = recipe["facts"]
    stated = SourceFacts(
        recipe=recipe,
        splits={split: recipe["splits"][split] for split in SPLITS if recipe["splits"].get(split)},
        excluded=recipe["counts"]["excluded"],
        licences={facts["licence"]: 0},
        groups=None,
        group_kinds={facts["group_kind"]: 0},
        withdrawn=withdrawn.get(facts["name"], 0),
        given_splits=0,
    )
    found = counting.source(facts["name"])
    return stated if found is None else replace(stated, **found)


def _withdrawn(release: Release) -> Counter[str]:
    """Source → samples that were taken back."""
    return Counter(one.source for one in withdrawn_of(release.root).tombstones if one.key is not None)


def _named(what: str, counted: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Rows of code, split and samples → name → split → samples, most first."""
    found: dict[str, dict[str, int]] = {}
    vocabulary = _NAMES[what]
    for code, split, count in counted:
        name = vocabulary[code].name if code in vocabulary else code
        found.setdefault("none" if name == "None" else name, {})[split] = count
    order = sorted(found, key=lambda name: (-sum(found[name].values()), name))
    return {name: {split: found[name][split] for split in SPLITS if split in found[name]} for name in order}


def _sum(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in many:
        total.update(one)
    known = [name for name in SPLITS if name in total]
    return {name: total[name] for name in (*known, *sorted(total.keys() - set(SPLITS)))}
