"""What anyone who uses a release, or a part of it, owes to whom: works to cite, licences, and what they ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...schema.lexicon import Selection
from ...schema.licences import Licence
from ...schema.licences import licence as terms_of
from ...schema.picture_rights import licences_of
from ...schema.release import Release
from ...schema.rights import Subject, right_of
from .bibtex import bibliography, entries, key_of

CHANGES = "Pictures were resized, re-coded, windowed or cut into slices and tiles where needed, by MedLoom."
"""What a licence that asks for a note of changes is owed."""
_OBLIGATIONS = {
    "attribution": "name the owner and the licence, and say what was changed",
    "non-commercial": "no commercial use",
    "share-alike": "changed copies come under the same licence",
    "no-derivatives": "changed copies may not be passed on",
    "not-granted": "it may not be passed on",
    "unknown": "nobody has said what may be done: ask the owner",
}
_HELD = (Subject.PIXELS, Subject.ANNOTATIONS, Subject.DERIVED_TEXT)


def cite(release: Release, chosen: Selection | None = None) -> dict[str, Any]:
    """Sources, licences and their obligations with the samples of each, a text of attribution, and BibTeX.

    Args:
        release: The whole of it is meant where nothing is chosen.
        chosen: A part of it.
    """
    counts = _counted(release, chosen)
    recipes = [recipe for recipe in release.recipes() if recipe["facts"]["name"] in counts]
    sources = [_source(recipe["facts"], counts[recipe["facts"]["name"]]) for recipe in recipes]
    licences = _licences(sources)
    return {
        "samples": sum(one["samples"] for one in sources),
        "sources": sources,
        "licences": licences,
        "obligations": _obligations(licences),
        "attribution": [*(one["attribution"] for one in sources), CHANGES],
        "bibtex": bibliography(recipe["facts"] for recipe in recipes),
    }


def _counted(release: Release, chosen: Selection | None) -> dict[str, dict[str, int]]:
    """Source → licence of samples → how many; of the whole release also sources of which it holds keys alone."""
    if chosen is None or chosen.is_whole:
        return {source: licences_of(release, source) for source in release.sources}
    found: dict[str, dict[str, int]] = {}
    for (source, licence), count in chosen.counts("source", "licence").items():
        found.setdefault(str(source), {})[str(licence)] = count
    return found


def _source(facts: Mapping[str, Any], licences: Mapping[str, int]) -> dict[str, Any]:
    rows = [_row(*key, count=count) for key, count in _by_licence(facts, licences).items()]
    names = "; ".join(dict.fromkeys(row["name"] + (f" ({row['address']})" if row["address"] else "") for row in rows))
    return {
        "source": facts["name"],
        "title": facts["title"],
        "homepage": facts["homepage"],
        "cite": facts["cite"],
        "keys": [key_of(text) for text in entries(facts)],
        "samples": sum(licences.values()),
        "licences": rows,
        "attribution": f"{facts['title']}, {facts['cite']}. {names}.",
    }


def _by_licence(
    facts: Mapping[str, Any], licences: Mapping[str, int]
) -> dict[tuple[str, bool | None, tuple[Subject, ...]], int]:
    """Licence, whether it is granted, and the subjects that stand under it together → samples."""
    found: Counter[tuple[str, bool | None, tuple[Subject, ...]]] = Counter()
    for sample_licence, count in licences.items():
        under: dict[tuple[str, bool | None], list[Subject]] = {}
        for subject in _HELD:
            right = right_of(facts, subject, sample_licence=sample_licence)
            under.setdefault((right.licence, right.granted), []).append(subject)
        for (licence, granted), subjects in under.items():
            found[licence, granted, tuple(subjects)] += count
    return dict(found)


def _row(licence: str, granted: bool | None, subjects: Iterable[Subject], *, count: int) -> dict[str, Any]:
    terms = terms_of(licence)
    return {
        "licence": licence,
        "name": terms.name,
        "address": terms.address,
        "of": [subject.value for subject in subjects],
        "samples": count,
        "granted": granted,
        "obligations": list(_asked(terms, granted)),
    }


def _asked(terms: Licence, granted: bool | None) -> Iterator[str]:
    if granted is not True:
        yield "unknown" if granted is None else "not-granted"
    if terms.attribution:
        yield "attribution"
    if terms.commercial is False:
        yield "non-commercial"
    if terms.share_alike:
        yield "share-alike"
    if terms.adapt is False:
        yield "no-derivatives"


def _licences(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Licences, the narrowest first, with the sources and samples that something of stands under each."""
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        held: Counter[str] = Counter()
        for row in source["licences"]:
            one = {name: row[name] for name in ("licence", "name", "address", "obligations")}
            stated = found.setdefault(row["licence"], {**one, "sources": {}})
            stated["obligations"] = list(dict.fromkeys([*row["obligations"], *stated["obligations"]]))
            held[row["licence"]] += row["samples"]
        for licence, count in held.items():
            found[licence]["sources"][source["source"]] = min(count, source["samples"])
    rows = [one | {"samples": sum(one["sources"].values())} for one in found.values()]
    return sorted(rows, key=lambda one: (-len(one["obligations"]), one["licence"]))


def _obligations(licences: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each thing that some licence asks, in words, with the sources that it is about."""
    sources: dict[str, set[str]] = {}
    for one in licences:
        for name in one["obligations"]:
            sources.setdefault(name, set()).update(one["sources"])
    return [
        {"obligation": name, "words": words, "sources": sorted(sources[name])}
        for name, words in _OBLIGATIONS.items()
        if name in sources
    ]
