"""Letters of options in a plain text: one, or a run of them ("A, C and D"), each with its option's text or without.

A capital that stands alone is a letter only where what follows lets it be one: the end, a punctuation mark, or a word such as
"because"; "A large mass" begins with an article. Small letters must stand in brackets, before `.` or `)`, or alone. A letter
with another option's text after it contradicts itself. Within an option's text ("B cell", "E. coli") no letter is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .option_texts import Named, OptionTexts

_EDGE_BEFORE, _EDGE_AFTER = r"(?<![A-Za-z0-9\u00c0-\u024f_'-])", r"(?![A-Za-z0-9\u00c0-\u024f_'-])"
_NOUN = (
    r"(?:options?|choices?|letters?|alternatives?|answers?|opci[oó]n|opç[aã]o|alternativa|letra|lettre|lettera"
    r"|opzione|buchstabe)"
)
_LEAD = re.compile(rf"\s*(?:[-•–—:]\s*)?(?:both\s+|the\s+)?(?:{_NOUN}(?:[\s_:#-]*)(?=[(A-Za-z]))?(?:both\s+)?", re.IGNORECASE)
_ITEM = re.compile(rf"\(\s*(?P<inside>[A-Za-z])\s*\)|{_EDGE_BEFORE}(?P<bare>[A-Za-z])(?:(?P<mark>\s?[.):])|{_EDGE_AFTER})")
_SINGLE = re.compile(rf"{_EDGE_BEFORE}[A-Za-z]{_EDGE_AFTER}")
_MARK = re.compile(r"\s*[.):](?!\d)")
_AND = r"(?:(?<![A-Za-z])(?:and|as well as|plus|und|et|y|e|и)(?![A-Za-z])|和|及|と)"
_SEPARATOR = re.compile(rf"\s*(?:[,;&+/|、・·]|{_AND})(?:\s*{_AND})?\s*(?=\S)")
_OR = re.compile(
    r"\s*,?\s*(?:(?<![A-Za-z])(?:(?:and/)?or|oder|ou|o|или|vs\.?|versus)(?![A-Za-z])|或(?:者)?|还是)\s*(?:(?:possibly"
    r"|maybe|perhaps|even|probably)\s+)?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(?<![A-Za-z])[A-Z](?:\s+(?:to|through|thru)\s+|[–—-])[A-Z](?![A-Za-z0-9-])")
"""Letters from one to another: which of them are meant, nobody can say."""
_PACKED = re.compile(rf"[\s(]*([A-Z]{{2,26}}){_EDGE_AFTER}\)?")
_SPACE = re.compile(r"\s+")
_NEW_LINE = re.compile(r"\s*\n\s*(?:[-•]\s*|\d+[.)]\s*)?")
_GOOD = (
    r"(?:(?:the|my)\s+)?(?:(?:most|more|only|single|also|clearly|definitely|probably|likely)\s+)*"
    r"(?:correct|right|best|likely|true|accurate|appropriate|suitable|answer|probable|proper|plausible|consistent"
    r"|visible|present|shown|seen)\b"
)
_LINK = r"(?:is|are|would be|should be|must be|seems?|appears?|looks?)(?:\s+to be)?"
RIGHT = re.compile(
    rf"\s*(?:\)?\s*)?(?:\b{_LINK}\s+(?:both\s+|all\s+)?{_GOOD}|\bthe\s+{_GOOD}|\b(?:both\s+|all\s+)?appl(?:y|ies)\b)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:$|[.,;:!?)\]\"}|(\n–—-]|=>|->|[^\x00-\u024f]"
    r"|(?:because|since|as|which|for|given|based|due|with|where|while|from|not|but|rather|instead|in|here|I|out"
    r"|according|among|nor|so|only|(?:and|if) not|question|explanation|reason(?:ing)?|rationale)\b"
    rf"|{_LINK}\s+(?:both\s+|all\s+)?{_GOOD})",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"\s*(?:$|[.,;!?)\]\"\n]|and\b|as\b|because\b|since\b)")


_ARTICLES = frozenset("AEO")
"""Letters that are a word in some language, and may be the beginning of more in a cut reply."""


@dataclass(frozen=True, slots=True)
class Item:
    """A letter at a place."""

    letter: str
    """Upper case; it need not be an option's."""
    start: int
    end: int
    """After its mark, and its option's text where that follows."""
    loud: bool
    """In brackets."""
    told: bool
    """With its own option's text."""
    small: bool
    marked: bool
    """Before `.`, `)` or `:`."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters in a row."""

    letters: tuple[str, ...]
    """In the order of the text, each once."""
    start: int
    end: int
    hedged: bool = False
    """Whether they are joined by "or"."""
    contradicted: bool = False
    """Whether a letter stands with another option's text."""


class Letters:
    """Finds letters in a plain text, for one question's options."""

    def __init__(self, texts: OptionTexts, known: frozenset[str], text: str):
        self.texts, self.known, self.text = texts, known, text
        own = [(one.start, one.end) for one in texts.within(text) if one.own]
        ranges = [found.span() for found in _RANGE.finditer(text)]
        self._hidden = [*ranges, *((start, end) for start, end in own if _SINGLE.search(text[start:end]))]

    def run(self, start: int, *, whole: bool = False, small_at_end: bool = True) -> Run | None:
        """The run that begins at a place; with `whole`, it reaches to the text's end, and blanks and lines may part it."""
        items, hedged = self._items(start, whole=whole)
        while items and not self._admitted(items[-1], whole=whole, small_at_end=small_at_end):
            items.pop()
        if not items or (whole and self.text[items[-1].end :].strip(" .,;:!?)\"'\n-")):
            return None
        letters = tuple(dict.fromkeys(one.letter for one in items))
        wrong = any(self._contradicted(one) for one in items)
        return Run(letters, items[0].start, items[-1].end, hedged and len(letters) > 1, wrong)

    def list_at(self, start: int) -> Run | None:
        """The letters in a row at a place, whatever follows them."""
        items, hedged = self._items(start, whole=False)
        if not items:
            return None
        return Run(tuple(dict.fromkeys(one.letter for one in items)), items[0].start, items[-1].end, hedged)

    def packed(self, start: int) -> Run | None:
        """Letters of options written as one word at a place, in order: "ACD"."""
        found = _PACKED.match(self.text, start)
        if found is None or not set(found[1]) <= self.known or list(found[1]) != sorted(set(found[1])):
            return None
        return Run(tuple(found[1]), found.start(1), found.end()) if _TAIL.match(self.text, found.end()) else None

    def each(self) -> Iterator[Item]:
        """Every single letter of the text, article or not."""
        for found in _ITEM.finditer(self.text):
            if (item := self._item(found.start())) is not None:
                yield item

    def _items(self, start: int, *, whole: bool) -> tuple[list[Item], bool]:
        items, hedged, place = list[Item](), False, start
        while (item := self._item(self._led(place))) is not None:
            if items and self.text[items[-1].end : item.start].count("\n") and not whole and not (item.told and items[-1].told):
                break
            if not whole and any(one.letter == item.letter for one in items):
                break
            items.append(item)
            after, joined_by_or = self._after(item, whole=whole)
            if after is None:
                break
            hedged, place = hedged or joined_by_or, after
        return items, hedged

    def _led(self, place: int) -> int:
        lead = _LEAD.match(self.text, place)
        return lead.end() if lead else place

    def _item(self, place: int) -> Item | None:
        found = _ITEM.match(self.text, place)
        if found is None or any(start <= place < end for start, end in self._hidden):
            return None
        letter, loud = (found["inside"], True) if found["inside"] else (found["bare"], False)
        end = found.end()
        mark = _MARK.match(self.text, end) if loud else None
        end = mark.end() if mark else end
        article = not loud and not found["mark"] and letter in "aA" and not re.match(r"\s*\(", self.text[end:])
        own = None if article or (letter.islower() and not loud and not found["mark"]) else self._own_text(letter.upper(), end)
        if not loud and found["mark"] and own is None and re.match(r"[^\W_]", self.text[end : end + 1], re.ASCII):
            return None
        marked = bool(found["mark"]) if not loud else True
        return Item(letter.upper(), found.start(), own.end if own else end, loud, own is not None, letter.islower(), marked)

    def _own_text(self, letter: str, end: int) -> Named | None:
        """The letter's own text right after it: only signs and blanks between."""
        named = self.texts.at(self.text, end)
        if named is None or letter not in named.letters or re.search(r"\w|[.;!?]\s", self._between(end, named)):
            return None
        closing = re.match(r"\s*[)\"']", self.text[named.end :])
        return Named(named.letters, named.start, named.end + (closing.end() if closing else 0), named.own)

    def _between(self, end: int, named: Named) -> str:
        return re.sub(r"\b(?:a|an|the)\b", "", self.text[end : named.start], flags=re.IGNORECASE)

    def _after(self, item: Item, *, whole: bool) -> tuple[int | None, bool]:
        """Where the next letter of the run may begin, and whether "or" joins it."""
        if found := _OR.match(self.text, item.end):
            return found.end(), True
        if found := _SEPARATOR.match(self.text, item.end):
            return found.end(), False
        if (whole or item.told) and (found := _NEW_LINE.match(self.text, item.end)):
            return found.end(), False
        if whole and (found := _SPACE.match(self.text, item.end)):
            return found.end(), False
        return None, False

    def _admitted(self, item: Item, *, whole: bool, small_at_end: bool) -> bool:
        if item.loud or item.told:
            return True
        if (
            item.letter in _ARTICLES
            and item.small
            and not item.marked
            and not small_at_end
            and not self.text[item.end :].strip()
        ):
            return False
        if item.small and not item.marked and re.match(r"\s*[-(\"|a-zA-Z]", self.text[item.end :]):
            return False
        return item.marked or _TAIL.match(self.text, item.end) is not None

    def _contradicted(self, item: Item) -> bool:
        if item.told:
            return False
        named = self.texts.at(self.text, item.end)
        if named is None or item.letter in named.letters or not named.own or item.letter not in self.known:
            return False
        return not re.search(r"[\w;!?\n]", self._between(item.end, named)) and _CLOSED.match(self.text, named.end) is not None


def overlaps(run: Run, others: Iterable[Run]) -> bool:
    """Whether a run shares a place with one of others."""
    return any(one.start < run.end and run.start < one.end for one in others)
