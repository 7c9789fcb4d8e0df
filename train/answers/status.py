"""What became of a reply, before anyone asks whether it is right."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What a reply came to."""

    ANSWERED = "answered"
    """A rule read an answer of the form that was asked for."""
    REFUSED = "refused"
    """It declines to answer, or says that it can't tell."""
    ABSTAINED = "abstained"
    """It says that what is asked for isn't there, or that no option fits."""
    UNPARSED = "unparsed"
    """There is text, but no rule reads one answer in it; the rule's name says why."""
    EMPTY = "empty"
    """There is no text, or none after the reasoning."""
    FAILED = "failed"
    """No reply came; the prediction's `error` says why."""
