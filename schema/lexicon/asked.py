"""What a selection asks for: words of any of the four systems, as the values that the index holds.

Conditions are of two kinds. Those of a **sample** hold for it as a whole: modality, source, split. Those of a **leaf** (area,
task, subset, clinical task, department, granularity, label, state) hold together on one leaf: one label state or annotation
of the sample. "Pulmonary Medicine" and "mask" so finds masks of the lung, and not a kidney's mask beside a lung's label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from ..errors import UsageError
from ..granularity import GRANULARITIES
from ..labels.table import table
from ..sample import SPLITS, State
from ..systems import resolve
from ..vocabulary import fold

SAMPLE_FIELDS = ("modality", "source", "split")
LEAF_FIELDS = ("area", "task", "subset", "clinical_task", "department", "granularity", "label", "state")
FIELDS = (*SAMPLE_FIELDS, *LEAF_FIELDS)
EXCLUDED = "excluded"
Words = str | Sequence[str] | None
Values = frozenset[str]


@dataclass(frozen=True)
class Asked:
    """Fields that a selection narrows, each with the values that it accepts."""

    sample: Mapping[str, Values] = field(default_factory=dict)
    leaf: Mapping[str, Values] = field(default_factory=dict)
    """A label without a state asks for `present`, and that stands here."""
    where: str | None = None

    @property
    def splits(self) -> Values:
        """Accepted splits: all but `excluded`, unless that is asked for."""
        return self.sample.get("split", frozenset(SPLITS))


@dataclass(frozen=True)
class Holdings:
    """What a release holds beyond the vocabularies, asked for only where a word needs it."""

    sources: Callable[[], Iterable[str]]
    labels: Callable[[], Iterable[str]]


def asked(words: Mapping[str, Words], holdings: Holdings, *, where: str | None = None) -> Asked:
    """The words as values; a field whose words are None isn't asked for, one without words accepts nothing.

    Raises:
        UsageError: a field that there isn't, or a word that neither the vocabularies nor the release know.
    """
    unknown = sorted(set(words) - set(FIELDS))
    if unknown:
        raise UsageError(f"select by {unknown[0]!r}; expected one of {sorted(FIELDS)}, or where")
    found = {name: _values(name, some, holdings) for name, some in words.items() if some is not None}
    if "label" in found:
        found.setdefault("state", frozenset({State.PRESENT.value}))
    if "state" in found and EXCLUDED in found.get("split", ()) and found["state"] != {State.PRESENT}:
        raise UsageError("split 'excluded' with a state; expected present: the index keeps no other of excluded samples")
    sample, leaf = ({name: found[name] for name in names if name in found} for names in (SAMPLE_FIELDS, LEAF_FIELDS))
    return Asked(sample, leaf, where)


def _values(name: str, words: str | Sequence[str], holdings: Holdings) -> Values:
    every = [words] if isinstance(words, str) else words
    return frozenset(value for word in every for value in _value(name, word, holdings))


def _value(name: str, word: str, holdings: Holdings) -> Iterable[str]:
    if name == "label":
        return _labels(word, holdings.labels)
    if name == "source":
        return (_one_of(name, word, tuple(holdings.sources())),)
    if name == "split":
        return (_one_of(name, word, (*SPLITS, EXCLUDED), closed=True),)
    if name == "state":
        return (_one_of(name, word, tuple(state.value for state in State), closed=True),)
    if name == "granularity":
        return (GRANULARITIES.find(word).code,)
    return resolve.codes(name, word)


def _labels(word: str, known: Callable[[], Iterable[str]]) -> Iterable[str]:
    """Names of a label and all below it; the word itself too, since a user's own source may print it as a name."""
    entry = table().find(word)
    if entry is not None:
        return (entry.name, *table().descendants(entry.name), word)
    return (_one_of("label", word, tuple(known())),)


def _one_of(name: str, word: str, known: Sequence[str], *, closed: bool = False) -> str:
    """The known word that is the same but for case, spaces and hyphens; `closed` where the release adds none."""
    if word in known:
        return word
    folded = {fold(one): one for one in known}
    if fold(word) in folded:
        return folded[fold(word)]
    if closed:
        raise UsageError(f"{name} {word!r} is unknown; expected one of {', '.join(known)}")
    close = get_close_matches(fold(word), folded, n=3)
    expected = [folded[one] for one in close] or sorted(known)[:8]
    hint = f"expected a word such as {', '.join(map(repr, expected))}" if expected else "the release has none"
    raise UsageError(f"{name} {word!r} is nowhere in this release; {hint}")
