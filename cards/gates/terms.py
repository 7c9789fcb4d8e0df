"""What the licences of a source's samples come to, subject by subject, in the mode in which it would be published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ...schema.licences import Licence
from ...schema.picture_rights import licences_of
from ...schema.published import Mode, mode_of
from ...schema.question_set import QuestionSet
from ...schema.release import Release
from ...schema.rights import Right, Subject, right_of

ATTRIBUTION = "attribution"
"""The family of all licences that ask for no more than names."""
_NEEDED = {
    Mode.FULL: frozenset({Subject.PIXELS, Subject.ANNOTATIONS}),
    Mode.ANNOTATIONS: frozenset({Subject.ANNOTATIONS}),
    Mode.RECIPE: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTerms:
    """One source of a release, how much of it would be published, and under which licences its samples stand."""

    recipe: Mapping[str, Any]
    mode: Mode
    licences: Mapping[str, int]
    """Licence of samples → how many bear it."""
    asked: bool = False
    """Whether question sets of the release ask about it."""

    @property
    def name(self) -> str:
        """The source's name."""
        return self.recipe["facts"]["name"]

    @property
    def published(self) -> frozenset[Subject]:
        """What others would get of it."""
        text = {Subject.DERIVED_TEXT} if self.asked and self.mode is not Mode.RECIPE else set()
        return _NEEDED[self.mode] | text

    def rights(self, subject: Subject) -> dict[Right, int]:
        """The rights under which the samples' subject stands, and how many samples each covers."""
        return _rights(self.recipe["facts"], self.licences, subject)

    def refused(self, subject: Subject) -> dict[str, int]:
        """Licences of samples whose subject nobody grants, as far as is known, and how many samples bear each."""
        facts = self.recipe["facts"]
        return {one: count for one, count in self.licences.items() if not right_of(facts, subject, sample_licence=one).granted}

    def families(self) -> frozenset[str]:
        """The families of licences among what others would get, `ATTRIBUTION` left out where there is a narrower one."""
        found = {family_of(right.terms) for subject in self.published for right in self.rights(subject)}
        return frozenset(found - {ATTRIBUTION} or found)


def terms_of(release: Release, modes: Mapping[str, Mode]) -> list[SourceTerms]:
    """All sources of a release, each in its mode: the one given, else the one in which the release holds it."""
    asked = {source for suite in release.suites for source in QuestionSet(release.root, suite).info["counts"]["source"]}
    return [
        SourceTerms(
            recipe=recipe,
            mode=modes.get(name, mode_of(recipe)),
            licences=licences_of(release, name),
            asked=name in asked or "embedded" in recipe,
        )
        for recipe in release.recipes()
        for name in (recipe["facts"]["name"],)
    ]


def family_of(terms: Licence) -> str:
    """What a licence can stand beside: all that ask for names alone are one family, every narrower one is its own."""
    return ATTRIBUTION if terms.share and terms.adapt and terms.commercial and not terms.share_alike else terms.id


def proposed(recipe: Mapping[str, Any], *, licences: Collection[str] = ()) -> Mode:
    """The most that the rights allow: everything, else records without pixels, else what a rebuild needs.

    Args:
        recipe: The source's.
        licences: Those that its samples bear; without them the source's own decides.
    """
    facts = recipe["facts"]
    counts = dict.fromkeys(licences or [facts["licence"]], 0)
    allowed = {subject for subject in Subject if all(right.granted for right in _rights(facts, counts, subject))}
    return next(mode for mode in Mode if _NEEDED[mode] <= allowed)


def proposals(release: Release) -> dict[str, Mode]:
    """Source → the most that its rights and its samples' licences allow."""
    return {
        source: proposed(recipe, licences=licences_of(release, source))
        for source in release.sources
        if (recipe := release.recipe(source)) is not None
    }


def families(release: Release, *, modes: Mapping[str, Mode] | None = None) -> dict[str, list[str]]:
    """Family of licences → the sources that can stand in one repository, as `--split-by-licence` parts them.

    A source of which only the recipe is published goes with those that ask for names alone. One whose own samples can't
    stand together has a family of its own, with ` + ` in its name; the gate refuses it wherever it goes.
    """
    found: dict[str, list[str]] = {}
    for one in terms_of(release, modes or {}):
        found.setdefault(" + ".join(sorted(one.families())) or ATTRIBUTION, []).append(one.name)
    return {name: found[name] for name in sorted(found, key=lambda name: (name != ATTRIBUTION, name))}


def _rights(facts: Mapping[str, Any], licences: Mapping[str, int], subject: Subject) -> dict[Right, int]:
    counts: Counter[Right] = Counter()
    for one, count in licences.items():
        counts[right_of(facts, subject, sample_licence=one)] += count
    return dict(counts)
