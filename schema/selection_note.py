"""What a README says of sources that are chosen samples of another release, and how to choose them again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_TABLE = ("| source | chosen | of | moved to another split | contents of the original |", "|---|---:|---:|---:|---|")


def selection_note(recipes: list[dict[str, Any]]) -> list[str]:
    """Markdown lines; none where every source is whole."""
    cut = [recipe for recipe in recipes if "cut" in recipe]
    if not cut:
        return []
    commands = dict.fromkeys("\n".join(commands_of(recipe["cut"])) for recipe in cut)
    return [
        "\n## A selection\n",
        "Of these sources the release holds chosen samples of another release. Images are byte for byte the same, and so are",
        "records but for the `split` of samples that moved. Samples that the original excludes aren't listed here.\n",
        *_TABLE,
        *map(_row, cut),
        "\nThe same bytes come again from a release with these contents (`content_sha256` in its `recipes/`) by\n",
        *(line for text in commands for line in _fenced(text)),
    ]


def commands_of(cut: dict[str, Any]) -> list[str]:
    """The commands that lead to a cut, of a cut of a cut the first one first."""
    earlier = cut["of"].get("cut")
    return [*(commands_of(earlier) if earlier else ()), command(cut["why"])]


def command(why: Mapping[str, Any]) -> str:
    """The command line for `why`: its `verb`, then every other entry as an option; flags by True, repeated by lists."""
    words = ["medloom", *str(why.get("verb", "select")).split(), "RELEASE"]
    for name, value in why.items():
        if name != "verb":
            words.extend(_option(f"--{name.replace('_', '-')}", value))
    return " ".join([*map(shlex.quote, words), "--out", "DIR"])


def _option(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _option(name, one)
    elif value is True:
        yield name
    elif value is not None and value is not False:
        yield from (name, str(value))


def _row(recipe: dict[str, Any]) -> str:
    cut = recipe["cut"]
    cells = recipe["facts"]["name"], cut["samples"], cut["of_samples"], cut["moved"], f"`{cut['of']['content_sha256']}`"
    return "| " + " | ".join(map(str, cells)) + " |"


def _fenced(text: str) -> list[str]:
    """A code block whose fence is longer than any run of backticks inside."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [f"{fence}bash", text, fence, ""]
