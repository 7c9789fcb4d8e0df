"""VLMEvalKit's reading of a choice (`can_infer`), written anew from its description, to compare with ours.

Its rules: signs `.()[],:;!*#{}` become blanks; where exactly one option's letter stands among the words, and its first place
is within the last four, it is the answer; else the words "answer is **X**" with A to D; else the one option whose text
stands in the reply, in lower case and anywhere, where the reply is no longer than twice all options' texts; known
refusals are `Z`, wrong. With an exact-matching judge all that isn't read is `Z` too. It knows no lists of letters.

Ours differs in these ways: an article "A" at the end of a short reply is no letter; a letter that is denied isn't the answer;
one that stands early, before an explanation, is; a statement counts wherever it stands; texts count by whole words, by the
longest, and not where they are denied; "A or B" and a letter with another option's text are read as nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...schema.question import Option

WRONG = "Z"
_SIGNS = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))
_LAST_WORDS = 4
_BOLD = re.compile(r"(?:correct )?answer is \*\*\s*([A-D])\b")
_REFUSALS = (
    "sorry, i can't help",
    "i can't process this",
    "sorry, but without the image",
    "cannot determine the answer",
    "can't determine the answer",
)


def vlmevalkit(reply: str, options: Sequence[Option]) -> str | None:
    """The letter that its rules read, `Z` for a known refusal, None where they read nothing."""
    if any(one in reply.casefold() for one in _REFUSALS):
        return WRONG
    return _letter(reply, options) or _bold(reply) or _text(reply, options)


def _letter(reply: str, options: Sequence[Option]) -> str | None:
    words = reply.translate(_SIGNS).split()
    there = [one.letter for one in options if one.letter in words]
    if not there and WRONG in words:
        return WRONG
    found = there[0] if len(there) == 1 else None
    return found if found and words.index(found) >= len(words) - _LAST_WORDS else None


def _bold(reply: str) -> str | None:
    found = _BOLD.search(reply)
    return found[1] if found else None


def _text(reply: str, options: Sequence[Option]) -> str | None:
    if len(reply) > 2 * sum(len(one.text) for one in options):
        return None
    there = [one.letter for one in options if one.text.casefold() in reply.casefold()]
    return there[0] if len(there) == 1 else None
