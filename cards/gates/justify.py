"""Reasons why something may pass nevertheless: read from words, weighed against what the gates found, and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...schema.errors import UsageError
from ...schema.gate_overrides import Override, record_overrides
from .gate import Report
from .verdict import Level, overridden


def justify(report: Report, words: Sequence[str]) -> Report:
    """The report with the reasons in it, which the release's `overrides.json` holds from now on.

    Args:
        report: What the gates said.
        words: Of the form `CODE=REASON`, for all sources, or `CODE:SOURCE=REASON`.

    Raises:
        UsageError: words of another form, or about nothing that the gates found.
    """
    added = [override_of(report, one) for one in words]
    known = record_overrides(report.release.root, added)
    return replace(report, verdicts=tuple(overridden(report.verdicts, known)))


def override_of(report: Report, words: str) -> Override:
    """The override that the words ask for, which must be about something that doesn't pass by itself.

    Raises:
        UsageError: it isn't, or the words have another form.
    """
    about, _, reason = words.partition("=")
    code, _, source = (part.strip() for part in about.partition(":"))
    if not code or not reason.strip():
        raise UsageError(f"override {words!r}; expected CODE=REASON or CODE:SOURCE=REASON; say in words why it may pass")
    doubtful = [one for one in report.verdicts if one.level is not Level.PASS]
    fitting = [one for one in doubtful if one.code == code and source in ("", one.source or "")]
    if not fitting:
        names = sorted({f"{one.code}:{one.source}" if one.source else one.code for one in doubtful})
        expected = f"one of {', '.join(names)}" if names else "nothing, since everything passes"
        raise UsageError(f"override {about!r}: the gates found no such thing; expected {expected}; mend the name")
    return Override(gate=fitting[0].gate, code=code, source=source or None, reason=reason.strip())
