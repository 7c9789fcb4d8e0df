"""What a README says of sources that are chosen samples of another release, and how to choose them again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_TABLE = ("| source | chosen | of | members | contents of the original |", "|---|---:|---:|---|---|")


def selection_note(recipes: list[dict[str, Any]]) -> list[str]:
    """Markdown lines; none where every source is whole."""
    cut = [recipe for recipe in recipes if "cut" in recipe]
    if not cut:
        return []
    ways = dict.fromkeys("\n".join(commands(recipe["cut"])) for recipe in cut)
    return [
        "\n## A selection\n",
        "Of these sources the release holds chosen samples of another one. Images are byte for byte the same, and so are",
        "records, but for the `split` of samples that moved. Samples that the original excludes aren't listed here.\n",
        *_TABLE,
        *map(_row, cut),
        "\nThe same bytes come again from a release with these contents (`content_sha256` in its `recipes/`) by\n",
        *(line for way in ways for line in _fenced(way)),
    ]


def commands(cut: dict[str, Any]) -> list[str]:
    """The commands that lead from a built release to the cut: several for a cut of a cut, the first one first."""
    steps = _steps(cut)
    folders = ["RELEASE", *(f"CUT-{number}" for number in range(1, len(steps))), "DIR"]
    return [_command(step["why"], folders[place], out=folders[place + 1]) for place, step in enumerate(steps)]


def _steps(cut: dict[str, Any]) -> list[dict[str, Any]]:
    earlier = cut["of"].get("cut")
    return [*(_steps(earlier) if earlier else ()), cut]


def _command(why: Mapping[str, Any], release: str, *, out: str) -> str:
    """The command line for `why`: its `verb`, then every other entry as an option; flags by True, repeated by lists."""
    words = ["medloom", *str(why.get("verb", "select")).split(), release]
    for name, value in why.items():
        if name != "verb":
            words.extend(_option(f"--{name.replace('_', '-')}", value))
    return " ".join(map(shlex.quote, [*words, "--out", out]))


def _option(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _option(name, one)
    elif value is True:
        yield name
    elif value is not None and value is not False:
        yield from (name, str(value))


def _row(recipe: dict[str, Any]) -> str:
    steps = _steps(recipe["cut"])
    rewritten = [step["members"] for step in steps if step["moved"]]
    members = rewritten[-1] if rewritten else steps[-1]["members"]
    original = f"`{steps[0]['of']['content_sha256']}`"
    cells = recipe["facts"]["name"], steps[-1]["samples"], steps[0]["of_samples"], members, original
    return "| " + " | ".join(map(str, cells)) + " |"


def _fenced(text: str) -> list[str]:
    """A code block whose fence is longer than any run of backticks inside."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [f"{fence}bash", text, fence, ""]
