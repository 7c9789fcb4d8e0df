"""What became of a card, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def carded(result: Mapping[str, Any], out: Console) -> None:
    """Print the files of a card, whose pictures it leaves out, and what people still have to say."""
    from ...schema.picture_rights import words

    out.print(f"{result['pretty_name']}: card in {result['release']}", markup=False, soft_wrap=True)
    for name in result["files"]:
        out.print(f"  {name}", markup=False)
    if result["pictures"]["withheld"]:
        out.print(words(result["pictures"]["withheld"]), markup=False, soft_wrap=True)
    kept = len(result["kept"])
    out.print(
        f"DATASHEET.md: {result['gaps']} questions wait for people; {kept} answers of people were kept",
        markup=False,
        soft_wrap=True,
    )
