"""Previews: a page that stands alone, shows what it says, and lets no text become markup."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from medloom.cli import main
from medloom.generation.review.picked import asked, pick
from medloom.generation.review.preview import LONG_PX, SHORTEST_PX, card, pieces, preview
from medloom.schema.errors import UsageError
from medloom.schema.question import Span
from medloom.schema.release import Release

VOID = {"meta", "img", "br"}
ADDRESSES = {"src", "href", "srcset", "action", "data", "poster", "background", "formaction"}


class Page(HTMLParser):
    """What a page is made of; fails where a tag isn't closed in its turn."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def pictures(self) -> list[Image.Image]:
        sources = [attributes["src"] or "" for tag, attributes in self.tags if tag == "img"]
        return [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in sources]


def test_the_page_is_well_formed_and_loads_nothing(hand):
    page = Page(preview(hand.release, "hand", count=99, seed=0))
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "base"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ADDRESSES & set(attributes):
            assert re.match(r"#\w+$|data:image/jpeg;base64,", attributes[name] or "")
    metas = [attributes for tag, attributes in page.tags if tag == "meta"]
    policy = next(one["content"] for one in metas if "http-equiv" in one)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert any(one.get("name") == "viewport" for one in metas)
    style = page.text[: page.text.index("questions")]
    assert not re.search(r"url\(|@import|https?:", style)
    assert "owners' images" in page.text


def test_every_question_is_shown_with_all_that_it_says(hand):
    page = Page(preview(hand.release, "hand", count=99, seed=0))
    articles = {attributes["id"] for tag, attributes in page.tags if tag == "article"}
    assert articles == {one.id for one in hand.questions}
    shown = re.sub(r"\s+", " ", page.text)
    for one in hand.questions:
        assert re.sub(r"\s+", "", one.question) in re.sub(r"\s+", "", shown)
        assert all(option.text in shown for option in one.options)
        assert one.key in shown
    assert shown.count("✓ right") == sum(len(one.letters) for one in hand.questions)
    assert "flags derived-box" in shown
    sections = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert sections == ["single_choice", "detection", "referring"]
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == [f"#{name}" for name in sections]


def test_a_prompt_and_an_answer_are_drawn_on_a_picture_of_a_fitting_size(hand):
    chosen = [one for one in asked(hand.release, hand.questions) if one.question.prompts]
    assert chosen
    for one in chosen:
        prompt, answer = Page(card(one)).pictures()
        (bare,) = Page(card(replace(one, question=replace(one.question, prompts=(), targets=())))).pictures()
        assert prompt.size == answer.size == bare.size
        assert SHORTEST_PX <= max(bare.size) <= LONG_PX
        width, height = one.picture.size
        assert bare.width / bare.height == pytest.approx(width / height, rel=0.02)
        for drawn in (prompt, answer):
            apart = np.abs(np.asarray(drawn, float) - np.asarray(bare, float)).max(axis=2)
            assert (apart > 60).mean() > 0.0005


def test_spans_are_marked_where_they_lie():
    text = "the liver left of it"
    spans = (Span(0, 9, ("a0",), "region"), Span(4, 14, ("a1",)), Span(15, 99, (), "relation"))
    found = list(pieces(text, spans))
    assert "".join(piece for piece, _ in found) == text
    ends = np.cumsum([len(piece) for piece, _ in found])
    for (piece, covering), end in zip(found, ends.tolist(), strict=True):
        start = end - len(piece)
        assert covering == tuple(one for one in spans if one.start <= start < one.end)
    assert list(pieces("plain", ())) == [("plain", ())]
    assert list(pieces("", (Span(0, 3),))) == []


def test_no_text_becomes_markup(hand):
    evil = '"><script>alert(1)</script><img src=http://example.org/x onerror="y">'
    fields = dict.fromkeys(("question", "instruction", "answer", "wording", "department", "maker", "rule"), evil)
    (one,) = asked(hand.release, [hand.questions[0]])
    option = replace(one.question.options[0], text=evil)
    bad = replace(one.question, **fields, options=(option,), flags=(evil,), spans=(Span(3, 40, (evil,), evil),))
    page = Page(card(replace(one, question=bad)))
    assert {tag for tag, _ in page.tags} <= {
        "article",
        "div",
        "figure",
        "img",
        "figcaption",
        "p",
        "br",
        "ul",
        "li",
        "b",
        "mark",
        "sub",
    }
    assert page.text.count("alert(1)") >= len(fields)


def test_the_same_seed_gives_the_same_page(hand):
    first = preview(hand.release, "hand", count=2, seed=5)
    hand.write(hand.questions[::-1])
    assert preview(hand.release, "hand", count=2, seed=5) == first
    assert len({preview(hand.release, "hand", count=1, seed=seed) for seed in range(4)}) > 1
    with pytest.raises(UsageError, match="hand"):
        preview(hand.release, "none", count=1, seed=0)


def test_a_withheld_answer_is_said_to_be(many_asked):
    release, answers = Release.open(many_asked), many_asked.with_name("release.work") / "answers"
    assert "withheld" in Page(preview(release, "toys", count=40, seed=0)).text
    assert "withheld" not in Page(preview(release, "toys", count=40, seed=0, answers=answers)).text


def test_the_verb_writes_the_page_beside_the_release(release, capsys: pytest.CaptureFixture[str]):
    before = {path for path in release.rglob("*") if "questions" not in path.parts}
    with pytest.raises(SystemExit) as left:
        main(["ask", str(release), "--suite", "gmai", "--preview", "2", "--seed", "3", "--workers", "1"])
    assert left.value.code == 0
    capsys.readouterr()
    (path,) = release.with_name("release.work").rglob("*preview.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert page.pictures()
    assert {path for path in release.rglob("*") if "questions" not in path.parts} == before
    assert not list(release.rglob("*.html"))


def test_a_pick_of_nothing_is_an_empty_page(hand):
    hand.write([])
    assert pick([], count=3, seed=0) == []
    assert Page(preview(hand.release, "hand", count=3, seed=0)).pictures() == []
