"""What a README says of a cut: a command that a shell reads as it was meant, fenced so that nothing breaks out."""

from __future__ import annotations

import shlex
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.selection_note import commands, selection_note

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


def cut(why: dict[str, Any], *, of: dict[str, Any] | None = None, samples: int = 3, moved: int = 0) -> dict[str, Any]:
    whole = {"content_sha256": "ab" * 32}
    members = "split rewritten" if moved else "byte-identical"
    return {"of": of or whole, "why": why, "samples": samples, "of_samples": 2 * samples, "moved": moved, "members": members}


def recipe(name: str, statement: dict[str, Any]) -> dict[str, Any]:
    return {"facts": {"name": name}, "cut": statement, "content_sha256": "cd" * 32}


def test_a_whole_release_says_nothing():
    assert selection_note([{"facts": {"name": "one"}}]) == []


def test_options_become_a_command():
    why = {"modality": ["CT", "MR"], "per_label": True, "dry": False, "cap": 30, "where": None, "department": "Eye Care"}
    (line,) = commands(cut(why))
    assert line == "medloom select RELEASE --modality CT --modality MR --per-label --cap 30 --department 'Eye Care' --out DIR"
    assert commands(cut({"verb": "duplicates move", "seed": 0})) == ["medloom duplicates move RELEASE --seed 0 --out DIR"]


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_a_shell_reads_the_words_that_were_meant(words: list[str]):
    (line,) = commands(cut({"label": words}))
    expected = [part for word in words for part in ("--label", word)]
    assert shlex.split(line) == ["medloom", "select", "RELEASE", *expected, "--out", "DIR"]


@given(st.text("`~\n# a", max_size=20))
def test_the_fence_is_longer_than_any_inside(text: str):
    lines = "\n".join(selection_note([recipe("one", cut({"where": text}))])).split("\n")
    opening = next(line for line in lines if line.endswith("bash"))
    fence = opening.removesuffix("bash")
    assert lines.count(fence) == 1
    assert not any(line.startswith(fence) for line in lines[lines.index(opening) + 1 : lines.index(fence)])


def test_a_cut_of_a_cut_is_told_from_its_beginning():
    first = cut({"protocol": "medmat"}, samples=9, moved=2)
    again = cut({"label": "liver"}, of={"content_sha256": "ef" * 32, "cut": first}, samples=4)
    note = "\n".join(selection_note([recipe("one", again)]))
    assert f"| one | 4 | 18 | split rewritten | `{'ab' * 32}` |" in note
    assert "medloom select RELEASE --protocol medmat --out CUT-1\nmedloom select CUT-1 --label liver --out DIR\n" in note


def test_sources_cut_alike_share_a_command_and_whole_ones_are_no_selection():
    note = selection_note(
        [recipe("one", cut({"label": "x"})), {"facts": {"name": "two"}}, recipe("three", cut({"label": "x"}))]
    )
    assert sum(line.startswith("medloom select") for line in note) == 1
    assert [line.split(" | ")[0] for line in note if line.startswith("| ")] == ["| source", "| one", "| three"]
