"""Whose data a model was trained on: sources with their licences, and whether they let such a model be passed on.

Whether weights are a copy of what they were trained on is unsettled. So a model counts as passing on what it may repeat:
pixels, annotations, and texts derived from them. Where an owner forbids one of these, or nobody knows, a push needs a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...schema.gate_overrides import overrides_of, reason_of
from ...schema.hub import named
from ...schema.licences import licence as terms_of
from ...schema.picture_rights import GATE, licences_of
from ...schema.release import Release
from ...schema.rights import Subject, right_of
from ..data.arguments import Part
from ..data.parts import PartRows, opened

REPEATED = (Subject.PIXELS, Subject.ANNOTATIONS, Subject.DERIVED_TEXT)
"""What a model may repeat of its training data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUse:
    """A source that a model was trained on."""

    release: str
    source: str
    title: str
    homepage: str
    cite: str
    citation: str
    access: str
    licences: tuple[str, ...]
    """Of its samples and of what is derived from them, sorted."""
    refused: tuple[str, ...]
    """Subjects of `REPEATED` that nobody grants, as far as is known."""
    noncommercial: bool
    share_alike: bool
    overridden: str | None = None
    """Why the release's maintainer says that these may be passed on nevertheless."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def sources_of(parts: Iterable[Part | PartRows]) -> list[SourceUse]:
    """The sources of some parts' questions, each release's once, by name; parts that aren't open are opened.

    Raises:
        ReleaseError: no release there, or the Hub can't be reached.
    """
    found: dict[tuple[str, str], SourceUse] = {}
    for part in parts:
        place, rows = (part.release, opened(part).rows) if isinstance(part, Part) else (part.part.release, part.rows)
        release = Release.open(place)
        column: Any = rows.with_format("arrow").select_columns(["source"])
        for name in sorted(set(column[:]["source"].to_pylist())):
            recipe = release.recipe(name)
            assert recipe is not None  # of whose questions rows are
            found[place, name] = _use(release, recipe["facts"], of=release_name(place))
    return [found[key] for key in sorted(found)]


def release_name(place: str) -> str:
    """A repository's name, or the last name of a folder."""
    return place if named(place) and not Path(place).exists() else Path(place).name


def _use(release: Release, facts: Mapping[str, Any], *, of: str) -> SourceUse:
    name = facts["name"]
    rights = {
        subject: [right_of(facts, subject, sample_licence=one) for one in licences_of(release, name) or [facts["licence"]]]
        for subject in REPEATED
    }
    refused = tuple(subject.value for subject in REPEATED if not all(right.granted for right in rights[subject]))
    terms = [terms_of(right.licence) for some in rights.values() for right in some]
    return SourceUse(
        release=of,
        source=name,
        title=facts["title"],
        homepage=facts["homepage"],
        cite=facts["cite"],
        citation=facts["citation"],
        access=str(facts["access"]),
        licences=tuple(sorted({one.id for one in terms})),
        refused=refused,
        noncommercial=any(one.commercial is False for one in terms),
        share_alike=any(one.share_alike for one in terms),
        overridden=_overridden(release, name, refused),
    )


def _overridden(release: Release, source: str, refused: Iterable[str]) -> str | None:
    """The recorded reasons, where there is one for every subject that is refused."""
    known = overrides_of(release.root)
    codes = [f"{subject.replace('_', '-')}-not-granted" for subject in refused]
    reasons = [reason_of(known, gate=GATE, code=code, source=source) for code in codes]
    return "; ".join(dict.fromkeys(filter(None, reasons))) if reasons and all(reasons) else None
