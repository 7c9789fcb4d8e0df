"""Where a text takes back, rules out or only supposes what it names, be it a letter or an option's words.

Denied: "not B", "no sign of pneumonia", "B is wrong", "the least likely option is B", "不是B". Only spoken of: "if it were B",
"one might think B", "is it B?", "pneumonia would show …", "considering option A", "next to the liver".
"""

from __future__ import annotations

import re

_STOP = r"(?!(?:but|so|hence|thus|therefore|because|however|actually|leaving|leaves|which|and\s+(?:I|it|we|the))\b)"
_WORDS = rf"\s+(?:{_STOP}[\w'-]+\s+)"
_NOT_LETTER = re.compile(
    rf"(?:(?:\b(?:not(?! only| just|\s+sure\b)|cannot|never|neither|nor|no (?=evidence|sign|indication|support|reason|way)"
    rf"|(?<!at )least|wrong|incorrect|mistake|exclude|eliminate|discard|rule out|reject)|n't){_WORDS}{{0,4}}"
    r"|\b(?:rather than|instead of|except|unlike|excluding|ruling out|rul(?:es?|ed) out|eliminat(?:es|ed|ing)|reject(?:s|ed)"
    r"|excludes|excluded|(?:all|everything|anything|any) but|none of)\s+"
    r"|\b(?:wrong|incorrect|excluded|eliminated|impossible|false)(?:\s+(?:answers?|options?|choices?|ones?))?\s*:\s*"
    r"|\bno,?\s+|\b(?:no (?:es|son|sea)|nicht|pas|não(?: é)?|non(?: è)?|не|nie|niet|ikke|inte)\s+(?:la\s+|die\s+|a\s+)?"
    r"|不(?:是|选)\s*)[\"']?$",
    re.IGNORECASE,
)
_NOT_WORDS = re.compile(
    r"(?:(?:\b(?:no(?! doubt)|not(?! only)|without|neither|nor|never|cannot|exclud(?:e|es|ed|ing)|rul(?:es?|ing|ed) out|r/o"
    r"|rather than|instead of|except|(?:all|everything|anything) but|other than"
    r"|unlike|absence of|free of|negative for|against|unlikely)|n't)\s+(?:[\w-]+\s+){0,3}"
    r"|\b(?:history of|previous|prior|resolved)\s+|\b(?:non|pre|post|un|pseudo)-?"
    r"|(?:不|没有?|無|无|未见?|未見|非|否认|排除)[^\s,.。，、;；]{0,4})$",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\b(?P<how>next to|beside|below|under|beneath|above|behind|near|close to|(?:adjacent|lateral|medial|anterior|posterior"
    r"|inferior|superior|similar|compared) to|between|around|surrounding|in front of|compared with)\s+(?:the\s+|an?\s+)?$",
    re.IGNORECASE,
)
_IS = r"(?:is|are|was|were|would be|seems?|appears?|looks?|can be|could be|should be|may be|might be)"
_NOT_AFTER = re.compile(
    rf"\s*(?:{_IS}\s+(?:both\s+|all\s+|clearly\s+|definitely\s+|therefore\s+|also\s+)?"
    r"(?:not\b|n't|incorrect|wrong|false|unlikely|(?:the |my )?(?:less|least|last)\b|ruled out|excluded|eliminated|out\b"
    r"|impossible|absent|implausible|tempting|an? (?:distractor|trap|mistake))|(?:isn|aren|wasn|doesn|don|can)'t\b"
    r"|(?:does|do) not\b|cannot\b|\s*[:—–-]?\s*(?:incorrect|wrong|false|no|absent|negative|none)\b(?! doubt)|\?\s*no\b"
    r"|\s*(?:选项|選択肢)?(?:是)?(?:不|错|排除|ではな|じゃな|[가이]\s?아[니닙]))",
    re.IGNORECASE,
)
_REST = r"(?:(?!\bbut\b|\bhowever\b)[^.;!?\n])*$"
_SUPPOSED_BEFORE = re.compile(
    r"(?:\b(?:if|unless|suppose|assuming)\b(?!\s+(?:I|we|you|one)\s+(?:had|have|must|were|am|need|should)|\s+(?:forced|pressed"
    r"|necessary|needed|so|any|anything|asked|only))"
    r"|\b(?:one|some|many|most|people|others|someone|students|you)\s+(?:might|may|could|would|can|will)\s+(?:be tempted|think"
    rf"|say|believe|answer|choose|suspect|assume|consider)\b){_REST}"
    r"|\b(?:consider(?:ing)?|examining|look(?:ing)? at|analy[sz]ing|evaluating|starting with|regarding|concerning|as for)\s+"
    r"(?:the\s+)?(?:(?:option|choice|answer)s?\s+)?$",
    re.IGNORECASE,
)
_SUPPOSED_AFTER = re.compile(
    r"[^.;!?\n]{0,60}\bonly if\b|\s*,?\s*(?:if|unless|provided)\b(?!\s+(?:I|we|you|forced|pressed|any|anything|so|not)\b)"
    r"|\s*[.:,)–-]*\s*(?:(?!because|since|as\b)\w+\s+){0,4}?would(?:$|\s+(?:show|appear|have|present|look|cause|produce"
    r"|typically|usually|be (?:expected|seen|visible|round|clear))\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\W*(?:is|are|was|were|would|could|can|might|should|does|do|what|which|how|why)\b", re.IGNORECASE)
_FAR = 200
"""Characters before a place that are looked at."""
_SENTENCE = re.compile(r"[.;!?\n。；！？]")
_CLAUSE = re.compile(r"[.;!?\n。；！？]|,(?!\s*$)")


def letter_denied(text: str, start: int, end: int) -> bool:
    """Whether a text says that the letters between these places are wrong, or only supposes that they are right."""
    clause = _CLAUSE.split(text[max(0, start - _FAR) : start])[-1]
    return bool(_NOT_LETTER.search(clause) or _NOT_AFTER.match(text, end)) or supposed(text, start, end)


def words_denied(text: str, start: int, end: int, *, asked: str = "") -> bool:
    """Whether a text says that what it names between these places isn't there, or names it for the sake of another thing.

    Args:
        text: The reply.
        start: Of the words.
        end: Of the words.
        asked: The question; relations that it asks about ("next to") name what is meant.
    """
    clause = _SENTENCE.split(text[max(0, start - _FAR) : start])[-1]
    beside = _BESIDE.search(clause)
    if beside and beside["how"].casefold() not in asked.casefold():
        return True
    return bool(_NOT_WORDS.search(clause) or _NOT_AFTER.match(text, end)) or supposed(text, start, end)


def supposed(text: str, start: int, end: int) -> bool:
    """Whether a text names something without holding it to be true: in a condition, a question, or for others."""
    sentence = _SENTENCE.split(text[max(0, start - _FAR) : start])[-1]
    if _SUPPOSED_BEFORE.search(sentence) or _SUPPOSED_AFTER.match(text, end):
        return True
    close = _SENTENCE.search(text, end)
    return close is not None and close[0] == "?" and _ASKS.match(sentence) is not None
