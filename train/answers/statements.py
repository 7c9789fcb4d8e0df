"""Where a reply states its answer ("The correct answer is …", "B is right", "答案是…"), and what it rules out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .denial import letter_denied, supposed
from .letters import RIGHT, Letters, Run, overlaps
from .option_texts import Named, OptionTexts

_GOOD = (
    r"(?:final|correct|right|best|most likely|likely|only|true|most (?:appropriate|accurate|suitable|probable)"
    r"|accurate|appropriate|chosen|my)"
)
_FILL = (
    r"(?:\s+(?:to|for|of|in|on|the|this|that|your|question|images?|picture|above|given|here|provided|based|shown|options?|"
    r"following|among|from|these|I|would|choose|chose|select|you|asked|about|choices?|scan|is|and|explanation)){0,10}?"
)
_IS = (
    r"(?:\s+(?:is|are|was|would be|should be|must be|has to be|will be|might be|may be|could be|appears? to be"
    r"|seems? to be)|'s|\s*[:=]|\s*(?:->|=>|→|–|—)|\s+-(?=\s))"
)
_SO = (
    r"(?:\s*(?:[:,\n]|most likely|likely|probably|clearly|definitely|therefore|thus|indeed|simply|actually|that"
    r"|as follows|both|to be|"
    r"labell?ed|represented by|given by|the (?:correct |right |best )?(?:option|choice|letter|answer)(?: is)?)){0,4}\s*"
)
_CUES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<final>\bfinal\s+)?(?<![\w-])(?:{_GOOD}\s+)*\b(?:answers?|ans\b\.?|responses?|selection"
        rf"|conclusion)(?!\w){_FILL}{_IS}{_SO}",
        r"^\s*(?:the\s+)?(?:answers?|ans\.?)\s+(?=\(?[A-Z]\b|options?\b)",
        rf"\b(?:{_GOOD}\s+)+(?:options?|choices?|letters?|diagnosis|ones?|statements?|classification|category"
        rf"|label){_FILL}{_IS}{_SO}",
        rf"\b(?:diagnosis|impression|prediction|predicted class|classification){_IS}{_SO}",
        r"\b(?:I|we)(?:'d|'ll|\s+(?:would|will|shall|must|have to|am going to))?\s+(?:likely |probably "
        r"|rather )?(?:choose|chose|select(?:ed)?|pick(?:ed)?"
        rf"|go (?:with|for)|going with|lean(?:ing)? towards?|opt(?:ed)? for|vote for|answer|say|guess|think"
        rf"|believe)(?:\s+that)?(?:\s+(?:it|this|the (?:{_GOOD}\s+)*(?:answer|option|choice))"
        rf"{_IS})?{_SO}",
        r"\b(?:my (?:best |first |final )?(?:choice|guess|pick|vote)|I choose|going with|go with"
        r"|let's go with|so it's|must be|has to be)" + rf"{_IS}?{_SO}",
        rf"\b(?:therefore|thus|hence|in conclusion|to conclude|conclusion|final|result|output|select|choose"
        rf"|verdict)\b\s*[,:]?{_SO}(?:(?:it|this)(?:'s|\s+is)\s+)?",
        rf"(?:^|[.!?\n]\s*|\bso,?\s+|,\s*(?:but\s+)?)(?:it|this|that)(?:'s|\s+(?:is|must be|would be|should be|looks like"
        rf"|seems to be|appears to be)){_SO}",
        r"\b(?:correspond(?:s|ing)? to|match(?:es)?|consistent with|points? to|best described (?:by|as)"
        r"|closest to|fits?|aligns? with|supports?)\s+",
        r"(?:,\s*|\bnot\b[^.!?\n]{0,60}?\s)but\s+(?:rather\s+|it(?:'s| is)\s+)?",
        r"(?:正确|最佳|最终|正解)?(?:的)?(?:答案|选项|回答)(?:应该|应)?(?:是|为|选|:|：)?\s*(?:选项|选|:)?\s*",
        r"(?:应该|应|我|故|因此|所以)?选(?:择|项)?\s*(?:是|:)?\s*",
        r"(?:答え|正解|回答)(?:は|:)\s*",
        r"(?:정답|답)(?:은|:|는)?\s*",
        r"\b(?:la\s+)?respuesta(?:\s+correcta)?(?:\s+es|\s*:)(?:\s+la)?(?:\s+opci[oó]n)?\s+",
        r"\b(?:la\s+)?(?:bonne\s+)?réponse(?:\s+correcte)?(?:\s+est|\s*:)(?:\s+la)?(?:\s+(?:lettre|l'option|réponse))?\s+",
        r"\b(?:die\s+)?(?:richtige\s+|korrekte\s+)?antwort(?:\s+(?:ist|lautet|wäre)|\s*:)\s+",
        r"\ba?\s*(?:resposta|alternativa)(?:\s+correta)?(?:\s+(?:é|e)|\s*:)(?:\s+a)?(?:\s+(?:letra|alternativa|opção))?\s+",
        r"\bla\s+risposta(?:\s+(?:corretta|giusta))?(?:\s+è|\s*:)(?:\s+la)?\s+",
        r"(?:правильный\s+)?ответ\s*(?:[:—–-])?\s*",
        r"(?:الإجابة|الجواب)(?:\s+الصحيحة)?(?:\s+هي|\s*:)?\s*",
    )
)
_ARTICLE = re.compile(r"\s*(?:(?:a|an|the)\s+)?", re.IGNORECASE)
_TURN = re.compile(
    r"\b(?:wait|actually|however|correction|no,|rather|on second thought|let me (?:re|check|double)|therefore"
    r"|thus|hence|so\b|final|finally|in conclusion|overall|but)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """An answer that a reply states."""

    letters: tuple[str, ...]
    start: int
    end: int
    final: bool
    by_text: bool
    praised: bool = False
    """Whether it is called right after it is named, and may be one of several."""
    hedged: bool = False
    contradicted: bool = False


def denied(letters: Letters) -> list[Run]:
    """Letters that the text rules out or only supposes: "not A", "B and C are wrong", "if it were D"."""
    runs = [run for item in letters.each() if (run := letters.list_at(item.start)) is not None]
    found = list[Run]()
    for one in runs:
        named = letters.texts.at(letters.text, one.end)
        told = named is not None and not letters.text[one.end : named.start].strip()
        if not told and (overlaps(one, found) or letter_denied(letters.text, one.start, one.end)):
            found.append(one)
    return found


def stated(letters: Letters, texts: OptionTexts, denials: Sequence[Run]) -> list[Statement]:
    """All statements of an answer, in order; what is ruled out is none."""
    every = [*_by_cue(letters, texts), *_before_praise(letters)]
    kept = [one for one in every if not _denied(one, letters.text, denials)]
    ordered = sorted(kept, key=lambda one: (one.start, -one.end))
    return [one for place, one in enumerate(ordered) if not any(_within(one, other) for other in ordered[:place])]


def deciding(statements: Sequence[Statement], text: str) -> Statement | None:
    """The statement that counts: the last, where they agree, where it is called final, or where a turn of speech leads to it.

    None where they contradict each other.
    """
    last = statements[-1]
    before = [one for one in statements[:-1] if one.letters != last.letters]
    if not before or last.final or _TURN.search(text, before[-1].end, last.start):
        return last
    return None


def _denied(one: Statement, text: str, denials: Sequence[Run]) -> bool:
    by_letter = not one.by_text and any(run.start < one.end and one.start < run.end for run in denials)
    return by_letter or supposed(text, one.start, one.end)


def _by_cue(letters: Letters, texts: OptionTexts) -> Iterator[Statement]:
    text = letters.text
    for cue in (found for pattern in _CUES for found in pattern.finditer(text)):
        final = "final" in cue[0].casefold()
        begins = not cue[0].rstrip().endswith((" is", "'s", " be"))
        if run := letters.run(cue.end(), small_at_end=begins) or letters.packed(cue.end()):
            yield Statement(run.letters, run.start, run.end, final, False, hedged=run.hedged, contradicted=run.contradicted)
        elif found := _text_at(texts, text, cue):
            yield Statement(found.letters, found.start, found.end, final, True, contradicted=_against(found, text))


def _text_at(texts: OptionTexts, text: str, cue: re.Match[str]) -> Named | None:
    """An option's text right after a cue, to the end of its clause."""
    article = _ARTICLE.match(text, cue.end())
    start = article.end() if article else cue.end()
    named = texts.at(text, start)
    if named is None or re.search(r"[\w\n]", text[start : named.start]):
        return None
    if not re.match(
        r"\s*(?:$|[.,;:!?)\]\"'\n(—–]|-\s|\b(?:because|since|as|which|with|given|based|due|in|on|of|at|that|from"
        r"|for|is|are)\b)",
        text[named.end :],
    ):
        return None
    if re.match(r"\s*,?\s*(?:or|and|vs)\b", text[named.end :]):
        return None
    return named if len(named.letters) == 1 else None


def _against(named: Named, text: str) -> bool:
    """Whether another letter stands in brackets after an option's text."""
    letter = re.match(r"\s*\(([A-Za-z])\)", text[named.end :])
    return letter is not None and letter[1].upper() not in named.letters


def _before_praise(letters: Letters) -> Iterator[Statement]:
    """Letters that are called right after they are named: "Option B is correct"."""
    for item in letters.each():
        run = letters.list_at(item.start)
        if run is None or not (praise := RIGHT.match(letters.text, run.end)):
            continue
        if _misjoined(run, praise[0], letters.text):
            continue
        yield Statement(run.letters, run.start, praise.end(), False, False, praised=True, hedged=run.hedged)


def _misjoined(run: Run, verb: str, text: str) -> bool:
    """Whether the verb speaks of other letters than these: "of B and D, B is right", "B C D are right"."""
    singular = re.match(r"\W*(?:is|seems|appears|looks)\b", verb, re.IGNORECASE) is not None
    if len(run.letters) > 1:
        return singular and re.search(r",\s*\W?\w\W*$", text[run.start : run.end]) is not None
    return re.match(r"\W*are\b", verb, re.IGNORECASE) is not None


def _within(one: Statement, other: Statement) -> bool:
    return other.start <= one.start and one.end <= other.end
