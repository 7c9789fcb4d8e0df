"""The little grammar that names of labels need: plurals, articles, and texts whose stretches are tied to annotations."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from ...schema.question import Span
from .knowledge import Known

_IRREGULAR = {
    "nucleus": "nuclei",
    "nevus": "nevi",
    "bronchus": "bronchi",
    "thalamus": "thalami",
    "hippocampus": "hippocampi",
    "atrium": "atria",
    "vertebra": "vertebrae",
    "metastasis": "metastases",
    "hyperintensity": "hyperintensities",
    "opacity": "opacities",
    "artery": "arteries",
    "axis": "axes",
    "femur": "femora",
    "tooth": "teeth",
}
_HEAD = re.compile(r"^(.*?)(\w+)((?: of | or ).*)?$")
_HISSING = ("s", "x", "ch", "sh")
_LIKE_A_VOWEL = re.compile(r"(?!u(?:ni|ter|re|ri))(?:[aeiou]|x-ray|mr[ i]|hour)", re.IGNORECASE)


@cache
def plural(name: str) -> str:
    """The plural of a label's name: "cell nuclei", "lower lobes of lung"."""
    match = _HEAD.match(name)
    if match is None:
        return name
    before, head, after = match.groups()
    if head in _IRREGULAR:
        head = _IRREGULAR[head]
    elif head.endswith(_HISSING):
        head += "es"
    elif head.endswith("y") and head[-2:-1] not in "aeiou":
        head = f"{head[:-1]}ies"
    else:
        head += "s"
    return f"{before}{head}{after or ''}"


@cache
def an(words: str) -> str:
    """The words behind "a" or "an"."""
    return f"{'an' if _LIKE_A_VOWEL.match(words) else 'a'} {words}"


@lru_cache(1 << 12)
def article(known: Known | None, name: str) -> str:
    """What stands before a label's name at its first mention, with its space: "the ", "a ", or nothing."""
    if known is None or known.mass:
        return ""
    if known.plural or (known.sort in ("organ", "structure") and not known.many):
        return "the "
    return an(name).removesuffix(name)


def capital(text: str) -> str:
    """The text with a large first letter."""
    return text[:1].upper() + text[1:]


def counted(count: int, name: str, known: Known | None) -> str:
    """A number of regions of one label: "17 red blood cells", "2 areas of brain edema", "glioma" for one."""
    if count == 1:
        return name
    if known is not None and (known.mass or known.plural):
        return f"{count} regions of {name}"
    return f"{count} {plural(name)}"


class Tied:
    """A text that grows, and the spans of it that speak of annotations."""

    __slots__ = ("_text", "spans")

    def __init__(self, text: str = "") -> None:
        self._text = text
        self.spans: list[Span] = []

    def say(self, text: str) -> Tied:
        """Itself, with a text at its end."""
        self._text += text
        return self

    def tie(self, text: str, annotations: tuple[str, ...], level: str | None = None) -> Tied:
        """Itself, with a text at its end that speaks of some annotations."""
        start = len(self._text)
        self._text += text
        self.spans.append(Span(start, start + len(text), annotations, level))
        return self

    def __len__(self) -> int:
        return len(self._text)

    def __str__(self) -> str:
        return self._text
