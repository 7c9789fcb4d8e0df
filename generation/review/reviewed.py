"""What a review says of a question set: `questions/<suite>/review.json`, and how rejected questions are left out.

A review names questions by id and by the digest of what was asked, so that a question which has been made anew under the
same id (another wording, answer or region) isn't left out for the faults of the old one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from ...schema.errors import UsageError
from ...schema.question import NAMES, Question, row

ASKED = ("key", "kind", "question", "instruction", "options", "answer", "letters", "targets", "prompts")
_PLACES = tuple(NAMES.index(name) for name in ASKED)


def digest(question: Question) -> str:
    """16 hex digits over all that an annotator judges: the sample, the question, its options, answer and regions."""
    values = row(question)
    return blake2b(orjson.dumps([values[place] for place in _PLACES]), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Rejected:
    """The questions that a review leaves out."""

    digests: Mapping[str, str] = field(default_factory=dict)
    """Id → digest of what was asked."""

    @classmethod
    def read(cls, path: Path) -> Rejected:
        """Of a `review.json`.

        Raises:
            UsageError: the file can't be read or is none.
        """
        return cls({one["id"]: one["digest"] for one in read(path)["questions"] if one["left_out"]})

    @property
    def digest(self) -> str | None:
        """SHA-256 of what it leaves out, None where that is nothing."""
        return hashlib.sha256(json.dumps(self.digests, sort_keys=True).encode()).hexdigest() if self.digests else None

    def holds(self, question: Question) -> bool:
        """Whether this very question was rejected."""
        known = self.digests.get(question.id)
        return known is not None and known == digest(question)

    def without(self, questions: Iterable[Question]) -> Iterator[Question]:
        """The questions that weren't rejected, in the same order."""
        return (one for one in questions if not self.holds(one))


def read(path: Path) -> dict[str, Any]:
    """A `review.json` as data.

    Raises:
        UsageError: the file can't be read or is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        good = all(isinstance(one[name], str) for one in data["questions"] for name in ("id", "digest", "verdict"))
        good = good and all(isinstance(one["left_out"], bool) for one in data["questions"])
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a review as `medloom review import` writes it") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: no review ({error}); expected one as `medloom review import` writes it") from error
    if not good:
        raise UsageError(f"{path}: questions without id, digest, verdict and left_out; expected a review as it was written")
    return data
