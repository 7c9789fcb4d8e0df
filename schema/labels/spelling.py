"""Which names are the same words otherwise written: British spelling, plurals, word order, hyphens, a slip of the pen.

`alike` errs on the careful side: hypochromia and hyperchromia, T2 and T3, internal and external differ in a few letters
and are different things. The rewritten forms serve comparison alone and are never shown: both sides are rewritten alike, so
it does no harm that some of them are no words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, Levenshtein

SIDES = {"left": "left", "right": "right", "both": "both", "bilateral": "both"}
SHORTEST_MISSPELLED = 7
"""Letters below which one letter more or less is taken for another word: pleural and plural, myoma and myxoma."""
CLOSE = 80.0
"""Similarity in per cent from which a name is shown as the closest one; it decides nothing."""

_FILLERS = frozenset(["and", "at", "by", "due", "for", "from", "in", "nos", "of", "on", "the", "to", "unspecified"])
_BRITISH = (
    (re.compile(r"ae(?!$)|oe"), "e"),
    (re.compile(r"(?<=[a-z]{2})our(?=(s|ed|al|less)?$)"), "or"),
    (re.compile(r"(?<=[a-z])(?<=fib|ent|lib|lit)re(?=s?$)"), "er"),
    (re.compile(r"is(?=(e[ds]?|ing|ations?)$)"), "iz"),
    (re.compile(r"ys(?=(e[ds]?|ing)$)"), "yz"),
    (re.compile(r"ll(?=(ed|ing)$)"), "l"),
    (re.compile(r"^leuc"), "leuk"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"^grey"), "gray"),
    (re.compile(r"^disk"), "disc"),
    (re.compile(r"^mould"), "mold"),
    (re.compile(r"neurone(?=s?$)"), "neuron"),
)
_PLURALS = (
    (re.compile(r"(mat)a$"), "ma"),
    (re.compile(r"ies$"), "y"),
    (re.compile(r"(os|ys|thes|tas|ias)es$"), r"\1is"),
    (re.compile(r"(ss|x|z|ch|sh)es$"), r"\1"),
    (re.compile(r"(?<=.{3})i$"), "us"),
    (re.compile(r"ae$"), "a"),
    (re.compile(r"(?<=.{2})(?<![sui])s$"), ""),
)
"""The first that fits is applied."""
_IRREGULAR = {
    "apices": "apex", "appendices": "appendix", "bacteria": "bacterium", "calices": "calix", "calyces": "calix",
    "children": "child", "cilia": "cilium", "cortices": "cortex", "diverticula": "diverticulum", "doses": "dose",
    "feet": "foot", "fornices": "fornix", "ganglia": "ganglion", "indices": "index", "larynges": "larynx", "lenses": "lens",
    "men": "man", "noses": "nose", "ova": "ovum", "phalanges": "phalanx", "septa": "septum", "teeth": "tooth",
    "thoraces": "thorax", "varices": "varix", "vertices": "vertex", "women": "woman",
}  # fmt: skip
_PLAIN = {
    "abdominal": "abdomen", "aortic": "aorta", "bleeding": "hemorrhage", "bony": "bone",
    "bronchial": "bronchus", "cardiac": "heart", "cerebral": "brain", "chest": "thorax", "colonic": "colon",
    "corneal": "cornea", "cutaneous": "skin", "dental": "tooth", "dermal": "skin", "esophageal": "esophagus",
    "femoral": "femur", "gastric": "stomach", "hepatic": "liver", "humeral": "humerus", "laryngeal": "larynx",
    "mammary": "breast", "mandibular": "mandible", "maxillary": "maxilla", "nasal": "nose", "neoplasm": "tumor",
    "ocular": "eye", "osseous": "bone", "ovarian": "ovary", "pancreatic": "pancreas", "pelvic": "pelvis",
    "pharyngeal": "pharynx", "pleural": "pleura", "prostatic": "prostate", "pulmonary": "lung", "rectal": "rectum",
    "renal": "kidney", "retinal": "retina", "spinal": "spine", "splenic": "spleen", "stone": "calculus",
    "testicular": "testis", "thoracic": "thorax", "tibial": "tibia", "tracheal": "trachea", "uterine": "uterus",
    "vertebral": "vertebra",
}  # fmt: skip
"""Adjectives of organs, and two everyday words, as the noun that names the same thing."""
_CONFUSABLE = (
    ("bronch", "branch"), ("cyst", "cyt"), ("ile", "ili"), ("humer", "humor"), ("macro", "micro"), ("papill", "pupill"),
    ("perin", "peron"), ("pleur", "plur"), ("ureter", "urethr"),
)  # fmt: skip
"""Stems one slip apart that mean different things."""
_OPPOSITES = (
    ("acute", "chronic"), ("anterior", "posterior", "middle"), ("benign", "malignant"), ("dorsal", "ventral"),
    ("early", "late"), ("external", "internal"), ("female", "male"), ("high", "low", "intermediate"), ("inferior", "superior"),
    ("large", "small"), ("lateral", "medial"), ("lower", "upper", "middle"), ("mild", "moderate", "severe", "proliferative"),
    ("negative", "positive"), ("normal", "abnormal"), ("peripheral", "central"), ("primary", "secondary", "metastatic"),
    ("proximal", "distal"), ("right", "left"), ("typical", "atypical"), ("with", "without"),
)  # fmt: skip
_CONTRARY = (
    ("hypo", "hyper"), ("macro", "micro"), ("intra", "extra"), ("pre", "post"), ("sub", "supra"), ("poly", "oligo"),
    ("brady", "tachy"), ("ab", "ad"), ("endo", "exo"), ("", "non"), ("", "a"), ("", "un"),
)  # fmt: skip
"""Beginnings of words that mean the contrary with the same rest."""
_GRADE = re.compile(r"\d+[a-d]?|[tnm]\d[a-d]?|[ivx]+[ab]?|[a-h]")
_GRADED = frozenset(
    ["birad", "category", "class", "grade", "kl", "level", "nyha", "pirad", "rad", "score", "stage", "tirad", "type"]
)
_GRADE_ALONE = re.compile(r"[tnm]\d[a-d]?")


@lru_cache(maxsize=1 << 16)
def forms(name: str) -> tuple[str, ...]:
    """The name in ever simpler forms, one for each of `STAGES`; two names with one form are written from the same words."""
    words = _words(name)
    found = ["".join(words)]
    for rewrite in (_american, _singular, _plain):
        words = [rewrite(word) for word in words]
        found.append("".join(words))
    found.append(" ".join(sorted(word for word in words if word not in _FILLERS)))
    return tuple(found)


STAGES = ("spaces or hyphens", "British spelling", "plural", "an adjective of the organ", "word order")
"""What makes two names differ that have a form in common, from the least to the most."""


def key(name: str) -> str:
    """The simplest form: American, singular, sorted words, without fillers."""
    return forms(name)[-1]


def alike(one: str, other: str) -> str | None:
    """How the two differ where they are the same words otherwise written (one of `STAGES` or `a letter`), else None."""
    for stage, mine, yours in zip(STAGES, forms(one), forms(other), strict=True):
        if mine and mine == yours:
            return stage
    mine, yours = _apart(key(one), key(other))
    return "a letter" if len(mine) == len(yours) == 1 and misspelled(mine[0], yours[0]) else None


def misspelled(one: str, other: str) -> bool:
    """Whether one slip makes one word the other: a letter lost, doubled or swapped with the next, a wrong vowel, m for n."""
    if min(len(one), len(other)) < SHORTEST_MISSPELLED or not (one + other).isalpha() or one[0] != other[0]:
        return False
    if OSA.distance(one, other, score_cutoff=1) != 1 or any(_swapped(one, other, *pair) for pair in _CONFUSABLE):
        return False
    changed = [one[edit.src_pos] + other[edit.dest_pos] for edit in Levenshtein.editops(one, other) if edit.tag == "replace"]
    return len(changed) != 1 or set(changed[0]) <= set("aeiouy") or set(changed[0]) == set("mn")


def opposed(one: str, other: str) -> tuple[str, str] | None:
    """The two words that tell names apart which are else the same: opposites (upper, lower) or grades (T2, T3)."""
    mine, yours = _apart(key(one), key(other))
    if len(mine) != 1 or len(yours) != 1:
        return None
    pair = (mine[0], yours[0])
    graded = not _GRADED.isdisjoint(key(one).split()) and all(_GRADE.fullmatch(word) for word in pair)
    alone = all(_GRADE_ALONE.fullmatch(word) for word in pair)
    opposite = any(set(pair) <= {_american(word) for word in words} for words in _OPPOSITES)
    return pair if graded or alone or opposite else None


def contrary(one: str, other: str) -> bool:
    """Whether the names differ by opposites alone: by two words, or by their beginnings (hypo-, hyper-)."""
    mine, yours = _apart(key(one), key(other))
    if len(mine) != 1 or len(yours) != 1:
        return False
    turned = any(_turned(mine[0], yours[0], *pair) or _turned(yours[0], mine[0], *pair) for pair in _CONTRARY)
    return turned or opposed(one, other) is not None


def side_of(name: str) -> tuple[str, str] | None:
    """The name without the one word for a side in it, and that side; None where it has none, or nothing else."""
    words = _words(name)
    sides = [word for word in words if word in SIDES]
    rest = [word for word in words if word not in SIDES]
    return (" ".join(rest), SIDES[sides[0]]) if len(sides) == 1 and rest else None


def initials(name: str) -> str:
    """First letters of its words, as abbreviations are made."""
    return "".join(word[0] for word in _words(name) if word not in _FILLERS)


@dataclass(frozen=True, slots=True)
class Near:
    """A known name close to a word."""

    name: str
    """The canonical name."""
    word: str
    """The word of it that is close: the name itself or an alias."""
    how: str
    """How they differ."""


class Spelling:
    """Known words with their canonical names, among which `near` and `closest` look."""

    def __init__(self, words: Iterable[tuple[str, str]]):
        self._words = list(words)
        self._keys = [key(word) for word, _ in self._words]
        self._of: list[dict[str, int]] = [{} for _ in STAGES]
        for place, (word, _) in enumerate(self._words):
            for stage, form in zip(self._of, forms(word), strict=True):
                stage.setdefault(form, place)

    def near(self, word: str) -> Near | None:
        """The name that the word is another writing of, None where there is none."""
        for how, form, stage in zip(STAGES, forms(word), self._of, strict=True):
            if form and form in stage:
                return self._near(stage[form], how)
        for _, _, place in process.extract(key(word), self._keys, scorer=fuzz.ratio, score_cutoff=85, limit=20):
            how = alike(word, self._words[place][0])
            if how:
                return self._near(place, how)
        return None

    def closest(self, word: str) -> str | None:
        """The canonical name that looks most like the word and isn't its contrary, however different in meaning."""
        found = process.extract(key(word), self._keys, scorer=fuzz.token_sort_ratio, score_cutoff=CLOSE, limit=10)
        return next((self._words[place][1] for _, _, place in found if not contrary(word, self._words[place][0])), None)

    def abbreviated(self, word: str) -> str | None:
        """The canonical name whose initials the word is."""
        letters = "".join(_words(word))
        return next((name for known, name in self._words if len(letters) > 1 and initials(known) == letters), None)

    def _near(self, place: int, how: str) -> Near:
        word, name = self._words[place]
        return Near(name, word, how)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", re.sub(r"'s\b|s'(?=\s|$)", "", plain.replace("\u2019", "'")))


def _american(word: str) -> str:
    for british, american in _BRITISH:
        word = british.sub(american, word)
    return word


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for plural, singular in _PLURALS:
        rewritten, times = plural.subn(singular, word)
        if times:
            return rewritten
    return word


def _plain(word: str) -> str:
    return _PLAIN.get(word, word)


def _apart(one: str, other: str) -> tuple[list[str], list[str]]:
    """Words of each key that the other lacks."""
    mine, yours = one.split(), other.split()
    return [word for word in mine if word not in yours], [word for word in yours if word not in mine]


def _turned(one: str, other: str, beginning: str, contrary: str) -> bool:
    return one.startswith(beginning) and other == contrary + one.removeprefix(beginning)


def _swapped(one: str, other: str, stem: str, twin: str) -> bool:
    return other in (one.replace(stem, twin), one.replace(twin, stem))
