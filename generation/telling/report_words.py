"""What a report or description says, as far as words and rules can tell: modalities, structures, places, looks, relations.

Sentences of general knowledge ("In general, …") say nothing of the image and are passed over. Names of labels are found by
the canonical table (as the validators find them) and then hidden, so that "lower" in "lower lobe" is no place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ...schema.triplet import MODALITIES
from ..choices.modality_words import picture
from ..validators.finding import Mention
from ..validators.naming import labels

Entity = tuple[str | None, str]
"""Side before the name, and label id."""
_GENERAL = re.compile(r"^(?:in general|as a rule|it is known|typically|usually|generally)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")
_CLAUSE = re.compile(r"[;:](?=\s)|,\s(?:but|and then|while|whereas)\s|\sbut\s")
_DENIAL = re.compile(
    r"\b(?:no|without|not|neither|nor|absent|absence of|free of|negative for|rules? out|ruled out|missing)\b", re.IGNORECASE
)
_DENIED_AFTER = re.compile(
    r"^[^;,.]{0,40}?\b(?:is|are|was|were)\s+(?:\w+\s)?(?:absent|not (?:seen|present|visible|found|there|shown)|ruled out)\b",
    re.IGNORECASE,
)
_ABSENT_LIST = re.compile(r"\babsent\b[^.]*:", re.IGNORECASE)
_UNCERTAIN = re.compile(
    r"\b(?:uncertain|unclear|equivocal|cannot be (?:said|excluded)|possible|possibly|suspected)\b", re.IGNORECASE
)
_SIDE_BEFORE = re.compile(r"\b(left|right)[\s-](?:sided\s)?$", re.IGNORECASE)
_HEIGHTS = {
    **dict.fromkeys(("upper", "top", "superior"), "upper"),
    **dict.fromkeys(("lower", "bottom", "inferior"), "lower"),
    **dict.fromkeys(("middle", "center", "centre", "central", "mid"), "middle"),
}
_HEIGHT = "|".join(_HEIGHTS)
_PLACE = re.compile(
    rf"\b(?P<height>{_HEIGHT})[\s-](?P<side>left|right|middle)\b"
    rf"|\bimage[\s-](?P<image>left|right)\b(?!\s+of\s+(?:the|a|an)\s+§)"
    rf"|\b(?P<lone>{_HEIGHT})\s+(?:part|third|half|of the (?:image|picture))"
    rf"|\b(?P<half>left|right)\s+(?:part|third|half|side|of the (?:image|picture))"
    rf"|\bin (?:the|its)\s+(?P<in>center|centre|middle)\b",
    re.IGNORECASE,
)
_PATIENT = re.compile(r"\bpatient's\s+(left|right)\b", re.IGNORECASE)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s?(?:%|per ?cent)")
_RELATIONS = (
    ("above", r"above|superior to|on top of"),
    ("below", r"below|beneath|under|inferior to"),
    ("left", r"(?:image )?left of|to the left of"),
    ("right", r"(?:image )?right of|to the right of"),
    ("inside", r"inside|within|contained in|surrounded by"),
    ("around", r"around|surrounds?|encircles?|encloses?|holds"),
    ("overlapping", r"overlaps?|overlapping"),
    ("beside", r"next to|adjacent to|beside|abuts?|abutting|touch(?:es|ing)?|borders? on|close to"),
    ("pressing", r"compress(?:es|ing)?|displac(?:es|ing)|push(?:es|ing)|press(?:es|ing)(?: on)?"),
    ("invading", r"invad(?:es|ing)|infiltrat(?:es|ing)|extends? into|extending into"),
    ("at the border", r"(?:reach(?:es)?|touch(?:es)?|goes up to|cut off at)\s(?:the |a )?[\w ,]{0,30}\bborders?"),
    ("off the border", r"clear of (?:all |the )*borders?"),
)
"""What is meant → patterns; of two that match at one place the later wins."""
_RELATION = re.compile(
    "|".join(rf"(?P<r{place}>\b(?:{_RELATIONS[place][1]})\b)" for place in reversed(range(len(_RELATIONS)))), re.IGNORECASE
)
_TURNED = {"below": "above", "right": "left", "around": "inside"}
"""Relations that are told from the other end."""
_EITHER = ("overlapping", "beside")
TEXTURES = {
    "intensity": {
        "bright": r"bright|hyperintense|hyperdense|hyperechoic|echogenic|white|radio-?opaque|hyperattenuating",
        "dark": r"dark|hypointense|hypodense|hypoechoic|anechoic|echo-free|black|radiolucent|lucent|hypoattenuating",
        "like its surroundings": r"isointense|isodense|isoechoic",
    },
    "evenness": {
        "even": r"homogeneous(?:ly)?|uniform(?:ly)?|even(?:ly)?",
        "uneven": r"inhomogeneous(?:ly)?|heterogeneous(?:ly)?|uneven(?:ly)?|mottled|patchy|mixed",
    },
    "margin": {
        "sharp": r"well[- ]defined|sharp(?:ly)?|smooth(?:ly)?|circumscribed|distinct",
        "blurred": r"ill[- ]defined|blurred|fuzzy|indistinct|hazy",
        "irregular": r"irregular(?:ly)?|spiculated|jagged|lobulated",
    },
    "shape": {
        "round": r"round(?:ed)?|circular|spherical",
        "oval": r"oval|ovoid|elliptical",
        "long": r"elongated|linear|tubular",
    },
    "substance": {
        "solid": r"solid",
        "cystic": r"cystic|fluid-filled",
        "calcified": r"calcified|calcifications?",
        "dead": r"necrotic|necrosis",
    },
    "enhancement": {"enhancing": r"enhanc(?:es|ing|ement)", "rim": r"(?:rim|ring)[- ]enhanc(?:ing|ement)"},
    "grain": {"granular": r"granular", "streaky": r"streaky|striated|reticular", "nodular": r"nodular"},
}
"""Axis → look → patterns: two looks of one axis contradict each other."""
_VAGUE = frozenset({"fat", "water", "other", "unspecified", "cine", "echo", "fundus", "pathology", "unknown", "photograph"})
_LEAST_WORD = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how large something is said to be."""

    about: frozenset[str]
    """Label ids of its sentence."""
    kind: str
    """image, patient or share."""
    value: str | float


@dataclass(frozen=True, slots=True)
class Relation:
    """How one thing is said to lie to another; None where the sentence names none there."""

    one: Entity | None
    kind: str
    other: Entity | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says."""

    modalities: frozenset[str]
    statements: frozenset[tuple[str, str]]
    """Label id and present, absent or uncertain."""
    places: tuple[Place, ...]
    textures: frozenset[tuple[str, str]]
    """Axis and look."""
    relations: tuple[Relation, ...]


def said(text: str) -> Said:
    """What a text says of its image."""
    sentences = [one for one in _SENTENCE.split(text.strip()) if not _GENERAL.match(one)]
    found = [(one, labels().within(one)) for one in sentences]
    hidden = [(_hidden(one, named), named) for one, named in found]
    return Said(
        frozenset(modalities(" ".join(sentences))),
        frozenset((one.meant, _state(text, one)) for text, named in found for one in named),
        tuple(place for (text, _), (bare, named) in zip(found, hidden, strict=True) for place in _places(text, bare, named)),
        frozenset(look for bare, _ in hidden for look in _textures(bare)),
        tuple(one for (text, _), (bare, named) in zip(found, hidden, strict=True) for one in _related(text, bare, named)),
    )


def modalities(text: str) -> set[str]:
    """Codes of the modalities that a text names; of a wider and a narrower one only the narrower."""
    pattern, codes = _modality_words()
    found = {codes[match[0].casefold()] for match in pattern.finditer(text)}
    found |= {match[0] for match in re.finditer(r"\b(?:CT|CTA|MRI|MRA|PET|OCT|SPECT|FLAIR|DWI|ADC|SWI)\b", text)}
    return {one for one in found if not any(one != other and MODALITIES.is_a(other, one) for other in found)}


@cache
def _modality_words() -> tuple[re.Pattern[str], dict[str, str]]:
    codes: dict[str, str] = {}
    for term in MODALITIES:
        for word in (term.name, *term.aliases, picture(term.code).removesuffix(" image"), picture(term.code)):
            if len(word) >= _LEAST_WORD and word.casefold() not in _VAGUE and "_" not in word:
                codes.setdefault(word.casefold(), term.code)
    codes["x-ray"] = "X-ray"
    words = "|".join(re.escape(word) for word in sorted(codes, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE), codes


def _hidden(text: str, named: list[Mention]) -> str:
    """The text with each name as `§` signs of its length."""
    for one in named:
        text = f"{text[: one.start]}{'§' * (one.end - one.start)}{text[one.end :]}"
    return text


def _state(text: str, one: Mention) -> str:
    before = _CLAUSE.split(text[: one.start])[-1]
    if _DENIAL.search(before) or _ABSENT_LIST.search(text[: one.start]) or _DENIED_AFTER.match(text[one.end :]):
        return "absent"
    return "uncertain" if _UNCERTAIN.search(text) else "present"


def _places(text: str, bare: str, named: list[Mention]) -> Iterator[Place]:
    about = frozenset(one.meant for one in named)
    for one in named:
        if (side := _SIDE_BEFORE.search(text[: one.start])) is not None:
            yield Place(frozenset({one.meant}), "patient", side[1].lower())
    for match in _PLACE.finditer(bare):
        yield Place(about, "image", " ".join(_plain(word) for word in match.groups() if word))
    for match in _PATIENT.finditer(bare):
        yield Place(about, "patient", match[1].lower())
    for match in _SHARE.finditer(bare):
        yield Place(about, "share", float(match[1]))


def _plain(word: str) -> str:
    return _HEIGHTS.get(word.lower(), word.lower())


def _textures(bare: str) -> Iterator[tuple[str, str]]:
    for axis, looks in TEXTURES.items():
        for look, words in looks.items():
            for match in re.finditer(rf"\b(?:{words})\b", bare, re.IGNORECASE):
                denied = re.search(r"\b(?:not|non|no|without)[\s-]$", bare[: match.start()], re.IGNORECASE)
                yield axis, f"not {look}" if denied else look


def _related(text: str, bare: str, named: list[Mention]) -> Iterator[Relation]:
    for match in _RELATION.finditer(bare):
        kind = _RELATIONS[int(str(match.lastgroup)[1:])][0]
        if kind in ("left", "right") and re.match(r"\s+the (?:image|picture)", bare[match.end() :]):
            continue
        before = [one for one in named if one.end <= match.start()]
        after = [one for one in named if one.start >= match.end()]
        one, other = (_entity(text, some) for some in (before[-1:], after[:1]))
        yield _turned(one, kind, other)


def _turned(one: Entity | None, kind: str, other: Entity | None) -> Relation:
    """The relation as all texts would tell it."""
    if kind in _TURNED:
        return Relation(other, _TURNED[kind], one)
    if kind in _EITHER and str(one) > str(other):
        return Relation(other, kind, one)
    return Relation(one, kind, other)


def _entity(text: str, some: list[Mention]) -> Entity | None:
    if not some:
        return None
    side = _SIDE_BEFORE.search(text[: some[0].start])
    return (side[1].lower() if side else None), some[0].meant
