"""Whose pictures may be shown where others can see them: one decision for every command that writes pictures.

A picture may be shown where its pixels may be passed on, or where the release's `overrides.json` says why it may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from .gate_overrides import Override, overrides_of, reason_of
from .release import Release
from .rights import Subject, right_of

GATE, CODE = "licence", "pixels-not-granted"


@dataclass(frozen=True, slots=True)
class PictureRights:
    """The rights of a release's pictures; read once, asked for every sample."""

    facts: Mapping[str, Mapping[str, Any]]
    """Source → facts."""
    overrides: tuple[Override, ...] = ()

    @classmethod
    def of(cls, *releases: Release) -> PictureRights:
        """The rights of one or several releases; of a source in two of them the first one's count."""
        facts = {recipe["facts"]["name"]: recipe["facts"] for one in reversed(releases) for recipe in one.recipes()}
        return cls(facts, tuple(reason for one in releases for reason in overrides_of(one.root)))

    def may_show(self, source: str, licence: str) -> bool:
        """Whether a sample of that source which bears that licence may be shown; never one of an unknown source."""
        return self.granted(Subject.PIXELS, source, licence)

    def granted(self, subject: Subject, source: str, licence: str) -> bool:
        """Whether that much of a sample may be passed on, by its owner or by the reason that somebody recorded."""
        code = f"{subject.value.replace('_', '-')}-not-granted"
        if reason_of(self.overrides, gate=GATE, code=code, source=source) is not None:
            return True
        facts = self.facts.get(source)
        return facts is not None and right_of(facts, subject, sample_licence=licence).granted is True

    def withheld(self, samples: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Source → how many of the samples, given by source and licence, may not be shown; only sources that have some."""
        counts = Counter(source for source, licence in samples if not self.may_show(source, licence))
        return dict(sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class Hidden:
    """The samples of a release whose pictures may not be shown, for those who know no more than source and key."""

    sources: frozenset[str]
    """Sources of which none may be shown."""
    keys: frozenset[str]
    """Single samples of other sources."""

    def holds(self, source: str, key: str) -> bool:
        """Whether it is one of them."""
        return source in self.sources or key in self.keys


def hidden(release: Release) -> Hidden:
    """The samples of a release whose pictures may not be shown, excluded ones left out."""
    rights, sources, keys = PictureRights.of(release), set(), set()
    for source in release.sources:
        licences = licences_of(release, source)
        narrow = [one for one in licences if not rights.may_show(source, one)]
        if len(narrow) == len(licences):
            sources.add(source)
        elif narrow:
            rows = pq.read_table(release.index_path(source), columns=["key"], filters=[("licence", "in", narrow)])
            keys.update(rows["key"].to_pylist())
    return Hidden(frozenset(sources), frozenset(keys))


def may_show(release: Release, source: str, licence: str) -> bool:
    """Whether a sample of the release may be shown; for many samples take `PictureRights.of` once."""
    return PictureRights.of(release).may_show(source, licence)


def shareable(release: Release) -> frozenset[str]:
    """The sources all of whose pictures may be shown."""
    rights = PictureRights.of(release)
    return frozenset(
        source
        for source in release.sources
        if all(rights.may_show(source, licence) for licence in licences_of(release, source))
    )


def licences_of(release: Release, source: str) -> dict[str, int]:
    """Licence → samples that bear it, excluded ones left out; the source's own, with 0, where there is no index of samples."""
    path = release.index_path(source)
    if not path.is_file():
        recipe = release.recipe(source)
        return {} if recipe is None else {recipe["facts"]["licence"]: 0}
    table = pq.read_table(path, columns=["licence", "exclusion"])
    pairs = zip(table["licence"].to_pylist(), table["exclusion"].to_pylist(), strict=True)
    return dict(sorted(Counter(licence for licence, exclusion in pairs if exclusion is None).items()))


def words(withheld: Mapping[str, int], *, option: str = "--all-pictures") -> str:
    """The sentence that says how many pictures were left out, of which sources, and what shows them nevertheless."""
    said = ", ".join(f"{source} {count:,}" for source, count in withheld.items())
    total = sum(withheld.values())
    left = f"{total:,} picture{'s were' if total > 1 else ' was'} left out"
    return (
        f"{left} whose pixels nobody may pass on, as far as is known ({said}); {option} shows {'them' if total > 1 else 'it'}"
    )
