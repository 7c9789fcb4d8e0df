"""Passages of a user's knowledge corpus that speak of something: BM25 over paragraphs, the same on every run.

A corpus is a folder of .txt and .md files, whose paragraphs are its passages (`notes/liver.md#3`), or a JSONL file with an
`id` and a `text` in every line. Its index lies beside it in `<name>.bm25/`, with the digest of what it was made from.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...schema.errors import UsageError

if TYPE_CHECKING:
    from bm25s import BM25

FORM = "1"
"""Of cutting, words and index; another one makes the index anew."""
SHORTEST, LONGEST = 200, 1200
"""Characters: shorter paragraphs are joined with the next one, longer ones are cut between sentences."""
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LITTLE = (
    "a an and are as at be been but by can do for from has have in into is it its may more most no not of on one or other"
    " over so such than that the their them then there these they this to under was were when where which with"
)
_STOP = frozenset(_LITTLE.split())


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the corpus."""

    id: str
    text: str


@dataclass(frozen=True, eq=False)
class Corpus:
    """Passages with their index."""

    passages: Sequence[Passage]
    digest: str
    """SHA-256 over ids and texts."""
    index: BM25

    @classmethod
    def open(cls, path: Path | str) -> Corpus:
        """The corpus at a path; its index is read from beside it, or made and put there.

        Raises:
            UsageError: no corpus there, a line that is no passage, or an id that stands twice.
        """
        root = Path(path)
        return cls.of(_read(root), beside=root.with_name(f"{root.name}.bm25"))

    @classmethod
    def of(cls, passages: Iterable[Passage], *, beside: Path | None = None) -> Corpus:
        """A corpus of given passages.

        Raises:
            UsageError: there are none, or an id stands twice.
        """
        every = tuple(passages)
        ids = [one.id for one in every]
        if not every or len(set(ids)) < len(ids):
            twice = next((one for place, one in enumerate(ids) if one in ids[:place]), None)
            raise UsageError(f"passage {twice!r} stands twice; expected each id once" if every else "no passage; expected some")
        if not any(words(one.text) for one in every):
            raise UsageError(f"{len(every)} passages without a word that says something; expected texts in words")
        lines = "".join(json.dumps([FORM, one.id, one.text]) for one in every)
        digest = hashlib.sha256(lines.encode()).hexdigest()
        return cls(every, digest, _indexed(every, digest, beside))

    def search(self, query: str, most: int = 3) -> tuple[Passage, ...]:
        """Passages that share words with the query, the best first, equals in the corpus's order."""
        return tuple(self.passages[place] for place in _best(self, query, most))


def words(text: str) -> list[str]:
    """The words of a text that say something, in lower case."""
    return [word for word in _WORD.findall(text.casefold()) if word not in _STOP]


@lru_cache(1 << 12)
def _best(corpus: Corpus, query: str, most: int) -> tuple[int, ...]:
    known = [word for word in dict.fromkeys(words(query)) if word in corpus.index.vocab_dict]
    if not known:
        return ()
    scores = corpus.index.get_scores(known)
    order = np.argsort(-scores, kind="stable")[:most]
    return tuple(int(place) for place in order if scores[place] > 0)


def _indexed(passages: Sequence[Passage], digest: str, beside: Path | None) -> BM25:
    try:
        from bm25s import BM25
    except ImportError as error:
        raise UsageError(f"{error}; expected the extra `models`; `pip install 'medloom[models]'`") from error
    if beside is not None and _text(beside / "digest") == digest:
        return BM25.load(beside, show_progress=False)
    index = BM25(backend="numpy")
    index.index(_numbered(passages), show_progress=False)
    if beside is not None:
        _keep(index, digest, beside)
    return index


def _numbered(passages: Sequence[Passage]) -> tuple[list[list[int]], dict[str, int]]:
    """Words as numbers, in alphabetical order: the library's own numbers differ from run to run."""
    split = [words(one.text) for one in passages]
    vocabulary = {word: number for number, word in enumerate(sorted({word for some in split for word in some}))}
    return [[vocabulary[word] for word in some] for some in split], vocabulary


def _keep(index: BM25, digest: str, beside: Path) -> None:
    """Put the index beside its corpus, whole or not at all; a folder that can't be written to goes without."""
    fresh = beside.with_name(f".{beside.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        index.save(fresh, show_progress=False)
        (fresh / "digest").write_text(digest, encoding="utf-8")
        shutil.rmtree(beside, ignore_errors=True)
        fresh.rename(beside)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _read(root: Path) -> Iterator[Passage]:
    if root.is_file():
        yield from _lines(root)
        return
    files = sorted(path for suffix in ("txt", "md") for path in root.rglob(f"*.{suffix}") if path.is_file())
    if not files:
        raise UsageError(f"{root}: no corpus; expected a folder of .txt or .md files, or a JSONL file with id and text")
    for path in files:
        paragraphs = _cut(_decoded(path))
        yield from (Passage(f"{path.relative_to(root).as_posix()}#{place}", text) for place, text in enumerate(paragraphs, 1))


def _lines(path: Path) -> Iterator[Passage]:
    for number, line in enumerate(_decoded(path).splitlines(), start=1):
        if not line.strip():
            continue
        data = _parsed(line)
        if not isinstance(data, dict) or not all(isinstance(data.get(name), str) and data[name] for name in ("id", "text")):
            raise UsageError(f"{path} line {number}: {line!r:.60}; expected an object with the texts id and text")
        yield Passage(data["id"], data["text"])


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _decoded(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: {error}; expected UTF-8") from error


def _cut(text: str) -> Iterator[str]:
    """Paragraphs of a fitting length; a heading goes with what follows it."""
    held = ""
    for paragraph in (" ".join(part.split()) for part in re.split(r"\n\s*\n", text)):
        held = f"{held} {paragraph}".strip()
        if len(held) >= SHORTEST:
            *whole, last = _sentences(held)
            yield from whole
            held = last if whole and len(last) < SHORTEST else ""
            yield from () if held else (last,)
    if held:
        yield held


def _sentences(text: str) -> Iterator[str]:
    held = ""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if held and len(held) + len(sentence) >= LONGEST:
            yield held
            held = ""
        held = f"{held} {sentence}".strip()
    yield held
