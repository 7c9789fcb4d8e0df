"""Documents as text: Markdown that tables and code can't break out of, and one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from .document import Bullets, Document, Example, Figure, Section, Table

_SPECIAL = re.compile(r"([\\`*_|\[\]#~])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Signs that no file of text should hold, and those that turn the direction of what stands behind them."""


def markdown(document: Document, *, plots: str) -> str:
    """The document as Markdown; its plots are files in the folder `plots` beside it."""
    text = _environment(markup=False).get_template("page.md.jinja").render(document=document, plots=plots)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html(document: Document) -> str:
    """The document as one HTML file, its plots inside."""
    return _environment(markup=True).get_template("page.html.jinja").render(document=document).strip() + "\n"


def plain(text: Any) -> str:
    """Text without control signs: where one stood stands its code."""
    return _CONTROL.sub(lambda one: f"\\u{ord(one[0]):04x}", str(text))


def cell(text: Any) -> str:
    """Text as Markdown on one line, its signs escaped."""
    one_line = " ".join(plain(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", one_line)


def code(text: Any) -> str:
    """Inline code of Markdown, in a fence longer than any inside; safe in a table."""
    one_line = " ".join(plain(text).split()).replace("|", r"\|")
    if not one_line:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", one_line)), default=0))
    pad = " " if one_line.startswith("`") or one_line.endswith("`") else ""
    return f"{fence}{pad}{one_line}{pad}{fence}"


def block(text: str) -> str:
    """A code block of Markdown that nothing inside can end."""
    inside = plain(text).replace("\r\n", "\n").replace("\r", "\n")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", inside)), default=0))
    return f"{fence}text\n{inside.strip()}\n{fence}"


def prose(text: str) -> Markup:
    """Our own prose as HTML, `code` in backticks set as such."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(plain(text)))))


def inlined(png: bytes) -> str:
    """A picture as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def kind(part: Any) -> str:
    """What a part of a section is, for templates."""
    kinds = ((Table, "table"), (Figure, "figure"), (Example, "example"), (Bullets, "bullets"), (Section, "section"))
    return next((name for cls, name in kinds if isinstance(part, cls)), "prose")


@cache
def _environment(*, markup: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__ or "medloom.train.evaluating.report", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=markup,  # in Markdown the filters `cell`, `code` and `block` know its signs
    )
    environment.filters |= {one.__name__: one for one in (plain, cell, code, block, prose, inlined, kind)}
    return environment
