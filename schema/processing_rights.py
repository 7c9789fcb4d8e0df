"""Which sources may be handed to somebody else's service, such as a model on another machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .gate_overrides import overrides_of, reason_of
from .picture_rights import GATE, licences_of
from .release import Release
from .rights import Subject, right_of

CODE = "processing-not-granted"
_WITHOUT_CREDENTIALS = frozenset({"open", "registration", "generated"})
"""Kinds of access whose data the owner doesn't entrust to named people."""


def kept_here(release: Release) -> dict[str, str]:
    """Source → why its records and pictures must stay on this machine; a reason in `overrides.json` lifts it."""
    overrides = overrides_of(release.root)
    found = {
        source: why
        for source in release.sources
        if (recipe := release.recipe(source)) is not None
        and (why := _why(recipe["facts"], licences_of(release, source))) is not None
    }
    return {source: why for source, why in found.items() if reason_of(overrides, gate=GATE, code=CODE, source=source) is None}


def _why(facts: Mapping[str, Any], licences: Mapping[str, int]) -> str | None:
    """What stands against it; of a source that takes credentials, that its owner doesn't allow it by name."""
    rights = {one: right_of(facts, Subject.PROCESSING, sample_licence=one) for one in licences}
    if facts["access"] not in _WITHOUT_CREDENTIALS:
        return None if all(right.allowed for right in rights.values()) else f"access is {facts['access']}"
    narrow = [right.licence for right in rights.values() if not right.granted]
    return f"nobody grants processing by others ({', '.join(sorted(set(narrow)))})" if narrow else None
