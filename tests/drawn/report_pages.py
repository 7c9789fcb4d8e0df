"""Reports read back: HTML as a tree that must be well formed, tables of HTML and of Markdown as rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "link", "br", "hr", "input"}


@dataclass
class Read:
    """A table: its caption and all of its rows, heads first."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """An HTML document; `AssertionError` where a tag isn't closed by its own."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[Read] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append(Read())
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)
        if "caption" in self.open:
            self.tables[-1].caption += data
        elif "td" in self.open or "th" in self.open:
            self.tables[-1].rows[-1][-1] += data

    def table(self, caption: str) -> Read:
        found = [one for one in self.tables if one.caption == caption]
        assert found, f"no table {caption!r} among {[one.caption for one in self.tables]}"
        return found[0]

    def rows(self, caption: str) -> list[dict[str, str]]:
        heads, *rows = self.table(caption).rows
        return [dict(zip(heads, row, strict=True)) for row in rows]


def markdown_tables(text: str) -> list[list[list[str]]]:
    """All tables outside code blocks, each as rows of cells with escapes still in them."""
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    found: list[list[list[str]]] = []
    before = False
    for line in outside.split("\n"):
        now = line.startswith("|")
        if now:
            if not before:
                found.append([])
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        before = now
    return found
