"""Passages against a plain reading of BM25, and the index beside its corpus."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.generation.writing.retrieval import LONGEST, SHORTEST, Corpus, Passage, words
from medloom.schema.errors import UsageError

NOTES = {
    "liver.md": "# Liver\n\nThe liver makes bile. It lies under the right dome of the diaphragm.",
    "blood/platelet.txt": "Platelets plug leaks in vessel walls.\n\nThey are shed by megakaryocytes of the marrow.",
    "blood/red.md": "Red blood cells carry oxygen on hemoglobin, and are by far the most numerous cells of the blood.",
    "picture.png": "no text",
}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    for name, text in NOTES.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "notes"


def score(query: str, passage: str, every: list[str]) -> float:
    """BM25 in Lucene's form, k1 1.5 and b 0.75, by the book."""
    docs = [words(one) for one in every]
    mean = sum(map(len, docs)) / len(docs)
    own, total = words(passage), 0.0
    for word in dict.fromkeys(words(query)):
        holding = sum(word in doc for doc in docs)
        times = own.count(word)
        rare = math.log(1 + (len(docs) - holding + 0.5) / (holding + 0.5))
        total += rare * times / (times + 1.5 * (1 - 0.75 + 0.75 * len(own) / mean)) if holding else 0.0
    return total


WORDS = st.sampled_from("liver bile spleen blood cell oxygen lung the of heart valve".split())  # noqa: SIM905
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


@given(st.lists(TEXTS, min_size=1, max_size=8), TEXTS)
def test_passages_come_in_the_order_of_the_formula(texts, query):
    if not any(words(one) for one in texts):
        texts = [*texts, "liver"]
    corpus = Corpus.of(Passage(str(place), text) for place, text in enumerate(texts))
    found = corpus.search(query, most=len(texts))
    scores = [score(query, text, texts) for text in texts]
    assert {one.id for one in found} == {str(place) for place, value in enumerate(scores) if value > 0}
    told = [scores[int(one.id)] for one in found]
    assert all(first >= second - 1e-5 for first, second in pairwise(told))


def test_a_folder_of_notes(notes):
    corpus = Corpus.open(notes)
    assert [one.id for one in corpus.passages] == ["blood/platelet.txt#1", "blood/red.md#1", "liver.md#1"]
    assert corpus.passages[2].text.startswith("# Liver The liver makes bile.")
    assert [one.id for one in corpus.search("Which organ makes bile?")] == ["liver.md#1"]
    assert [one.id for one in corpus.search("blood", most=1)] == ["blood/red.md#1"]
    assert corpus.search("the of and") == ()
    assert corpus.search("xylophone") == ()


def test_a_file_of_lines(tmp_path):
    path = tmp_path / "facts.jsonl"
    path.write_text('{"id": "b", "text": "bile"}\n\n{"id": "a", "text": "bile and blood", "more": 1}\n')
    assert [one.id for one in Corpus.open(path).search("bile")] == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    ["", "\n", '{"id": "a"}', '{"id": "a", "text": ""}', '{"id": 1, "text": "x"}', "[1]", "{", '{"id":"a","text":"x"}\n' * 2],
)
def test_lines_that_are_no_corpus(text, tmp_path):
    (tmp_path / "facts.jsonl").write_text(text)
    with pytest.raises(UsageError, match=r"expected"):
        Corpus.open(tmp_path / "facts.jsonl")


def test_no_corpus_there(tmp_path):
    with pytest.raises(UsageError, match="no corpus"):
        Corpus.open(tmp_path)
    with pytest.raises(UsageError, match="no corpus"):
        Corpus.open(tmp_path / "nowhere")


def test_a_note_that_is_no_utf8(tmp_path):
    (tmp_path / "a.txt").write_bytes("Milz für Gänse".encode("latin-1"))
    with pytest.raises(UsageError, match="expected UTF-8"):
        Corpus.open(tmp_path)


def test_the_index_is_kept_beside_and_made_anew_when_a_note_changes(notes):
    first = Corpus.open(notes)
    beside = notes.with_name("notes.bm25")
    assert (beside / "digest").read_text() == first.digest
    made = {path.name: path.stat().st_mtime_ns for path in beside.iterdir()}
    again = Corpus.open(notes)
    assert {path.name: path.stat().st_mtime_ns for path in beside.iterdir()} == made
    assert again.search("oxygen blood leaks") == first.search("oxygen blood leaks")
    (notes / "new.md").write_text("The spleen filters blood, and oxygen has no part in it.")
    other = Corpus.open(notes)
    assert other.digest != first.digest
    assert (beside / "digest").read_text() == other.digest
    assert other.search("spleen")[0].id == "new.md#1"


def test_an_index_that_was_cut_short_is_made_anew(notes):
    corpus = Corpus.open(notes)
    (notes.with_name("notes.bm25") / "digest").unlink()
    assert Corpus.open(notes).search("bile") == corpus.search("bile")
    assert (notes.with_name("notes.bm25") / "digest").read_text() == corpus.digest


def test_a_folder_that_cannot_be_written_to(notes):
    (notes.with_name("notes.bm25")).write_text("a file is in the way")
    assert Corpus.open(notes).search("bile")[0].id == "liver.md#1"


def test_the_same_bytes_whatever_the_hash_seed(notes):
    code = "import sys; from medloom.generation.writing.retrieval import Corpus; c = Corpus.open(sys.argv[1]);"
    code += "print([p.id for p in c.search('blood cells of the liver', 9)])"
    seen = set()
    for seed in ("1", "2"):
        for path in notes.with_name("notes.bm25").glob("*"):
            path.unlink()
        env = {**os.environ, "PYTHONHASHSEED": seed}
        out = subprocess.run([sys.executable, "-c", code, notes], capture_output=True, text=True, check=True, env=env)
        files = sorted(notes.with_name("notes.bm25").iterdir())
        seen.add((out.stdout, *(sha256(path.read_bytes()).hexdigest() for path in files)))
    assert len(seen) == 1


@given(st.lists(st.lists(st.text("abc .!\n", min_size=1, max_size=900), max_size=3).map("\n\n".join), min_size=1, max_size=3))
def test_cutting_loses_no_word(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("cut")
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text)
    wanted = [word for text in texts for word in text.split()]
    if not any(map(words, texts)):
        with pytest.raises(UsageError, match=r"no passage|without a word"):
            Corpus.open(folder)
        return
    found = Corpus.open(folder).passages
    assert [word for one in found for word in one.text.split()] == wanted
    longest = max(len(sentence) for one in found for sentence in one.text.split(". "))
    assert all(len(one.text) <= LONGEST + longest for one in found)


def test_short_paragraphs_are_joined_and_long_ones_cut(tmp_path):
    sentence = "The spleen filters old red cells out of the blood, and keeps watch over what it carries. "
    (tmp_path / "a.md").write_text(f"# Spleen\n\n{sentence * 40}\n\nShort.\n\nShorter.")
    found = Corpus.open(tmp_path).passages
    assert [one.text.startswith("# Spleen The spleen") for one in found] == [True] + [False] * (len(found) - 1)
    assert all(SHORTEST <= len(one.text) <= LONGEST for one in found[:-1])
    assert found[-1].text.endswith(" Short. Shorter.")
    assert json.dumps([one.id for one in found]) == json.dumps([f"a.md#{place}" for place in range(1, len(found) + 1)])
