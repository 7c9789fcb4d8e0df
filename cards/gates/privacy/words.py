"""What in a text may say who somebody is: names, dates, numbers, addresses, paths.

Presidio was looked at, and left: its names come from a spaCy model that is fetched from the net, its phone numbers and
general entities fire on versions, digests and spacings, and it knows neither DICOM's `LAST^FIRST`, `YYYYMMDD` and UIDs nor a
headline such as `Accession no.`. The forms that medical headers write are few and strict, so they stand here as patterns.
Names that nobody marks as such (`seen by jones`) can't be found this way: a release has few fields that could hold any,
and those have an allow-list of their own (`allowed.py`).

The identifiers are those of HIPAA's safe harbour (45 CFR 164.514(b)(2)), the forms of dates and names DICOM PS3.5 table 6.2-1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from .given_names import GIVEN_NAMES


class Kind(StrEnum):
    """What kind of identifier it looks like."""

    DATE = "date"
    MONTH = "month of a year"
    OLD_AGE = "age above 89"
    PERSON = "person's name as DICOM writes it"
    NAMED = "name with a title or role"
    GIVEN = "given name and another"
    RECORD = "number of a patient, record or study"
    LONG_NUMBER = "long number"
    UID = "DICOM UID"
    PHONE = "telephone number"
    EMAIL = "e-mail address"
    SOCIAL = "social security number"
    PATH = "path of somebody's machine"
    HOST = "address in a private network"


SUSPICIONS = frozenset({Kind.MONTH, Kind.GIVEN, Kind.LONG_NUMBER})
"""Forms that also mean something else; they warn."""
AUTHORED = frozenset({Kind.DATE, Kind.MONTH, Kind.NAMED, Kind.GIVEN, Kind.EMAIL, Kind.LONG_NUMBER})
"""Forms that citations and evidence of rights consist of."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A stretch of a text that looks like an identifier."""

    kind: Kind
    text: str

    @property
    def suspicion(self) -> bool:
        """Whether it may well be something else."""
        return self.kind in SUSPICIONS


_MONTHS = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[ée]v(?:rier)?|mar(?:ch|s)?|m[äa]rz|apr(?:il)?|avr(?:il)?|ma[yi]|june?|juni|juin"
    r"|jul[yi]?|juil(?:let)?|aug(?:ust)?|ao[ûu]t|sept?(?:ember|embre)?|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?|de[cz](?:ember)?"
    r"|d[ée]c(?:embre)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    r"|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre)\b\.?"
)
_YEAR = r"(?:1[89]|20)\d\d"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’-]+"
_FULL = rf"{_NAME}(?:,? (?:[A-Z]\.? )?{_NAME})*"
_ROLE = (
    r"patient(?:['’]s)?(?: name)?|pat\.? name|pt\.? name|name|surname|referred by|referring (?:physician|doctor)|physician"
    r"|radiologist|operator|technologist|reported by|read by|performed by|signed by|nurse|surgeon"
)
_NUMBERED = (
    r"mrn|medical record(?: number| no\.?)?|accession(?: number| no\.?)?|acc(?:ession)?[ ._]?(?:no|nr|number|#)"
    r"|patient[ ._-]?(?:id|no|number)"
    r"|pat[ ._-]?id|pid|study[ ._-]?id|case[ ._-]?(?:id|no|number)|visit[ ._-]?(?:id|no|number)|hospital[ ._-]?(?:id|no|number)"
    r"|nhs(?: number| no\.?)?|insurance (?:no|number)|chart (?:no|number)|device serial(?: number)?|serial (?:no|number)"
)
_LEFT, _RIGHT = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"

_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.EMAIL, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")),
    (Kind.UID, re.compile(r"(?<![\w.])(?:2\.25\.\d{6,}|[0-2](?:\.(?:0|[1-9]\d*)){5,})(?![\w])")),
    (Kind.PERSON, re.compile(r"[^\W\d_][\w'’-]*[^\W\d_]\^(?=[^\W\d_]|\^|\s|$)[\w'’.^-]*")),
    (Kind.DATE, re.compile(rf"(?<!\d){_YEAR}([-/._])(?:0?[1-9]|1[0-2])\1{_DAY}(?!\d)(?!\1\d)")),
    (Kind.DATE, re.compile(rf"(?<![\d.]){_DAY}([-/._]){_DAY}\1{_YEAR}(?!\d)")),
    (Kind.DATE, re.compile(r"(?<![\d/.])(?:0[1-9]|[12]\d|3[01])/(?:0[1-9]|[12]\d|3[01])/\d\d(?![\d/])")),
    (Kind.DATE, re.compile(rf"(?<!\d){_DAY}(?:st|nd|rd|th|\.)?[ -]+(?:de |of )?{_MONTHS}(?:[ ,-]|de )*{_YEAR}(?!\d)", re.I)),
    (Kind.DATE, re.compile(rf"\b{_MONTHS}[ -]+{_DAY}(?:st|nd|rd|th)?[ ,-]+{_YEAR}(?!\d)", re.I)),
    (Kind.MONTH, re.compile(rf"\b{_MONTHS}(?:[ ,-]| de )*{_YEAR}(?!\d)", re.I)),
    (
        Kind.OLD_AGE,
        re.compile(rf"{_LEFT}(?:0?9\d|1[0-4]\d)(?:Y|[ -]?y(?:ears?|rs?)?[ -]?(?:old|o)\b)|\baged? (?:9\d|1[0-2]\d)\b(?!\s*%)"),
    ),
    (Kind.SOCIAL, re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    (Kind.PHONE, re.compile(r"(?<![\w.+-])\+\d{1,3}[ .-]?(?:\(\d+\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,5}){2,4}(?![\w])")),
    (Kind.PHONE, re.compile(r"(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w.-])")),
    (Kind.PHONE, re.compile(r"\b(?:tel|phone|fax|mobile|telefon)\b\.?:? ?\+?[\d(][\d ()/.-]{5,}\d", re.I)),
    (Kind.RECORD, re.compile(rf"{_LEFT}(?:{_NUMBERED})(?:[ :=#_-]| is )*(?=[A-Z]{{0,4}}[-_]?\d)[A-Z\d][\w-]{{2,}}", re.I)),
    (Kind.RECORD, re.compile(r"(?<![A-Za-z])(?:MRN|ACC|PID|PAT|SUBJ)[-_#]?\d{4,}")),
    (Kind.NAMED, re.compile(rf"\b(?:Dr|Prof|Mr|Mrs|Ms|Miss|Herr|Frau|Mme|Dott|Sra?|Dra)\.? {_FULL}")),
    (Kind.NAMED, re.compile(rf"{_LEFT}(?i:{_ROLE})\s*[:=]\s*(?P<who>{_FULL})")),
    (Kind.PATH, re.compile(r"file://\S+|(?<![\w:/.])(?:[A-Za-z]:\\|\\\\\w+\\)[^\s\"]+|(?<![\w~.])~/\S+")),
    (
        Kind.PATH,
        re.compile(
            r"(?<![\w:/.*])/(?:home|users|mnt|media|root|srv|data|tmp|var|opt|work|scratch|nfs|volumes|export|storage|gpfs|lustre"
            r"|net|private|archive|pacs)/[^\s\"']+",
            re.I,
        ),
    ),
    (
        Kind.HOST,
        re.compile(
            r"(?<![\w.])(?:10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})(?![\w.])"
        ),
    ),
    (Kind.HOST, re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:local|lan|internal|intranet|corp|localdomain)(?![\w-])", re.I)),
    (Kind.GIVEN, re.compile(rf"\b({_NAME})(?: [A-Z]\.)? ({_NAME})")),
)
_COMPACT = re.compile(r"(?<!\d)(?:(\d{8})(?:[ T_-]?\d{6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?)(?!\d)")
_LONG = re.compile(r"(?<![\w.])[A-Z]{0,4}-?\d{7,}(?![\w.])")
_HARMLESS = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9a-f]*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9A-Za-z])"
    r"|\b10\.\d{4,9}/[^\s\"{}]+|\b(?i:arxiv)[:. /]*(?:abs/)?\d{4}\.\d{4,5}(?:v\d+)?|\b(?:mesh|mesh_id):[A-Z]\d+"
    r"|(?<![\w.])1\.2\.840\.10008(?:\.\d+)+",
)
"""Digests, DOIs, arXiv and MeSH numbers, and the UIDs that the standard itself gives."""
_NOBODY = frozenset(
    """
    male female unknown anonymous anonymised anonymized anon none other position supine prone adult child left right head feet
    phantom test image picture study series volume modality source the this what which yes no not medloom ct mr mri pet us
    """.split()  # noqa: SIM905
)
_SPOKEN = re.compile(r"[\d^@\\/:~=]|[A-ZÀ-ÖØ-Þ]\S+ (?:[A-Z]\. )?[A-ZÀ-ÖØ-Þ]|\b[A-Z]\w{1,3}\.? [A-Z]")


@lru_cache(maxsize=1 << 16)
def identifiers(text: str) -> tuple[Hit, ...]:
    """What in the text looks like an identifier, each stretch once, surest forms first."""
    if not _SPOKEN.search(text) and ".l" not in text and ".i" not in text and ".c" not in text:
        return ()
    return tuple(_hits(_HARMLESS.sub(_blank, text)))


def _hits(text: str) -> Iterator[Hit]:
    for kind, pattern in _PATTERNS:
        found = [match for match in pattern.finditer(text) if _meant(kind, match)]
        yield from (Hit(kind, match[0].strip()) for match in found)
        for match in found:  # so that a number in a date isn't told as a long number too
            text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    for match in list(_COMPACT.finditer(text)):
        if _is_day(match[1]):
            yield Hit(Kind.DATE, match[0])
            text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    yield from (Hit(Kind.LONG_NUMBER, match[0]) for match in _LONG.finditer(text))


def _meant(kind: Kind, match: re.Match[str]) -> bool:
    """Whether a match of a loose pattern is what the pattern looks for."""
    if kind is Kind.GIVEN:
        return match[1].casefold() in GIVEN_NAMES and match[2].casefold() not in _NOBODY
    if kind is Kind.NAMED and "who" in match.re.groupindex:
        return match["who"].split()[0].strip(",").casefold() not in _NOBODY
    return True


def _is_day(digits: str) -> bool:
    """Whether eight digits are a day between 1880 and 2099, as DICOM writes it."""
    try:
        return 1880 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year <= 2099
    except ValueError:
        return False


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])
