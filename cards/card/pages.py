"""Templates to text. Every value is escaped for Markdown where it is put in, unless a filter says what it is.

A name with a bar would break a table, one with `<` would be HTML on the Hub: so nothing gets through as it is but code,
links and blocks that a filter made. A value that is missing, or None, is a fault of the template and raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...schema.errors import ReleaseError

_SPECIAL = re.compile(r"([\\`*|\[\]])")


def page(template: str, /, **values: Any) -> str:
    """The text of a template in `templates/`."""
    text = _environment().get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escaped(value: Any) -> str:
    """A value as Markdown text on one line; whole numbers with separators.

    Raises:
        ReleaseError: the value is None, or no text or number.
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if not isinstance(value, str):
        raise ReleaseError(f"card: {value!r} can't be put into a text; expected words or a number; mend the template")
    plain = " ".join(value.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", plain)


def code(value: str) -> Markup:
    """Inline code, in a fence longer than any run of backticks inside."""
    plain = " ".join(value.split()).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return Markup(f"{fence}{pad}{plain}{pad}{fence}")


def codes(values: Iterable[str], *, none: str = "none") -> Markup:
    """Inline codes with commas between."""
    return Markup(", ".join(map(code, values)) or none)


def block(text: str, language: str) -> Markup:
    """A code block."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Markup(f"{fence}{language}\n{text.strip()}\n{fence}")


def link(words: str, address: str) -> Markup:
    """A link where the address is one; else the words alone."""
    if not re.match(r"https?://", address):
        return Markup(escaped(words))
    target = address.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("|", "%7C").replace("<", "%3C")
    return Markup(f"[{escaped(words)}]({target})")


def counts(values: Mapping[str, int]) -> Markup:
    """`name 12, other 3`."""
    return Markup(", ".join(f"{escaped(name)} {count:,}" for name, count in values.items()) or "none")


def listed(values: Iterable[Any]) -> Markup:
    """Escaped values with commas between."""
    return Markup(", ".join(map(escaped, values)))


def share(part: int, whole: int) -> Markup:
    """A share in per cent; a tiny one isn't none."""
    percent = 100 * part / whole if whole else 0.0
    return Markup("under 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %".replace(".0 ", " "))


def percent(share: float) -> Markup:
    """A share as it was stated, in per cent."""
    return Markup(f"{100 * share:g} %")


def size(count: int) -> Markup:
    """Bytes in words."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return Markup(f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}")
        amount /= 1024
    return Markup(f"{amount:.1f} TiB")


@cache
def _environment() -> Environment:
    package = __package__ or "medloom.cards.card"
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=escaped,
        autoescape=False,  # what is written is Markdown: `escaped` knows its signs, HTML's escapes would stand there as text
    )
    named = (code, codes, block, counts, listed, percent, share, size)
    environment.filters |= {one.__name__: one for one in named}
    environment.globals |= {"link": link}
    return environment
