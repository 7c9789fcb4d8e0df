"""Random questions of each kind on one HTML page, for a person's eye; it holds its pictures itself and loads nothing."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ...schema.picture_rights import Hidden, hidden, words
from ...schema.prompt_drawing import drawn
from ...schema.question import Prompt, Question, Span
from . import picked
from .label_studio import answer_prompts

if TYPE_CHECKING:
    from ...schema.release import Release

LONG_PX, SHORTEST_PX = 640, 320
"""Longer sides of a picture on the page: larger ones are scaled down to the one, smaller ones up to the other."""
NOTICE = (
    "These pictures are copies of their owners' images, with prompts and answers drawn on them. The page lies beside the "
    "release, not in it. Pass it on only where each source's licence lets you republish its images."
)


def preview(
    release: Release, suite: str, *, count: int, seed: int, answers: Path | None = None, all_pictures: bool = False
) -> str:
    """The page: up to `count` questions of each kind, drawn from the sources in turn; the same for the same seed.

    Args:
        release: Whose questions.
        suite: Which set of them.
        count: Of each kind.
        seed: Of the draw.
        answers: The private folder of withheld answers; without it they are said to be withheld.
        all_pictures: Shows pictures too that nobody may pass on, as far as is known; else they are left out and counted.

    Raises:
        UsageError: the release doesn't hold the set.
        ReleaseError: a question's image is missing.
    """
    files = picked.files_of(release, suite, answers=answers)
    unseen = Hidden(frozenset(), frozenset()) if all_pictures else hidden(release)
    every, chosen = picked.counts(files), picked.pick(files, count=count, seed=seed, evenly=True, hidden=unseen)
    title = f"{suite}: {len(chosen)} of {sum(every.values()):,} questions"
    links = "".join(f'<a href="#{kind}">{_words(kind)} ({number:,})</a> ' for kind, number in every.items())
    facts = f"Drawn by seed {seed}, from the sources in turn."
    if withheld := picked.left_out(files, unseen):
        facts += f" Questions are counted with their pictures: {words(withheld)}."
    parts = [_HEAD.format(title=_safe(title), notice=_safe(NOTICE), facts=_safe(facts), links=links)]
    for kind, some in groupby(picked.asked(release, chosen), key=lambda one: one.question.kind.value):
        parts.append(f'<section id="{kind}"><h2>{_words(kind)}</h2>\n')
        parts += [card(one) for one in some]
        parts.append("</section>\n")
    return "".join([*parts, "</main></body></html>\n"])


def card(one: picked.Asked) -> str:
    """One question as HTML: what is seen and asked, then what the answer is."""
    question = one.question
    pictures = _figure(one, question.prompts, "as it is asked")
    if targets := tuple(answer_prompts(question, one.record)):
        pictures += _figure(one, targets, f"the answer: {_counted(targets)}")
    return (
        f'<article id="{_safe(question.id)}"><div class="pictures">{pictures}</div>'
        f'<p class="about">{_safe(_about(question))}</p>'
        f'<p class="question">{_lines(question.question)}</p>'
        f'<p class="how">{_lines(question.instruction)}</p>{_options(question)}{_answer(question)}'
        f'<p class="about">{_safe(_origin(question))}</p></article>\n'
    )


def pieces(text: str, spans: Sequence[Span]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """The text cut wherever a span begins or ends, each piece with the spans that cover it."""
    inside = {min(max(edge, 0), len(text)) for span in spans for edge in (span.start, span.end)}
    for start, end in pairwise(sorted({0, len(text), *inside})):
        yield text[start:end], tuple(span for span in spans if span.start <= start and end <= span.end)


def _answer(question: Question) -> str:
    if question.answer is None:
        shown = '<span class="about">withheld</span>' if not question.targets else "the marked regions"
    else:
        shown = "".join(_piece(text, spans) for text, spans in pieces(question.answer, question.spans))
    return f'<p class="answer"><b>Answer</b> {shown}</p>'


def _piece(text: str, spans: tuple[Span, ...]) -> str:
    """A piece of an answer, marked where spans cover it, with what they speak of behind it."""
    if not spans:
        return _lines(text)
    names = ", ".join(dict.fromkeys(name for span in spans for name in span.annotations))
    levels = ", ".join(dict.fromkeys(span.level for span in spans if span.level))
    behind = " ".join(filter(None, [levels, names]))
    return f"<mark>{_lines(text)}<sub>{_safe(behind)}</sub></mark>"


def _options(question: Question) -> str:
    if not question.options:
        return ""
    rows = "".join(_option(one.letter, one.text, right=one.letter in question.letters) for one in question.options)
    return f'<ul class="options">{rows}</ul>'


def _option(letter: str, text: str, *, right: bool) -> str:
    row = f"<b>{_safe(letter)}</b> {_safe(text)}"
    return f'<li class="right">{row} <span>✓ right</span></li>' if right else f"<li>{row}</li>"


def _about(question: Question) -> str:
    perspective = f"perspective {question.perspective}" if question.perspective else None
    place = question.modality, question.area, question.task, question.clinical_task, question.department
    return " · ".join(filter(None, [question.source, question.split, *place, question.granularity, perspective]))


def _origin(question: Question) -> str:
    flags = f"flags {', '.join(question.flags)}" if question.flags else None
    wording = f"wording {question.wording}" if question.wording else None
    made = f"rule {question.rule}" if question.maker == "rule" else f"rule {question.rule}, made by {question.maker}"
    return " · ".join(filter(None, [question.id, question.key, made, wording, flags]))


def _counted(targets: Sequence[Prompt]) -> str:
    names = ", ".join(one.annotation for one in targets[:4])
    return names if len(targets) <= 4 else f"{names} and {len(targets) - 4} more"


def _figure(one: picked.Asked, prompts: Sequence[Prompt], caption: str) -> str:
    picture = _scaled(drawn(one.picture, prompts, one.record).convert("RGB"))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=82)
    source = f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<figure><img {size} alt="{_safe(caption)}" src="{source}"><figcaption>{_safe(caption)}</figcaption></figure>'


def _scaled(picture: Image.Image) -> Image.Image:
    longest = max(picture.size)
    scale = min(max(longest, SHORTEST_PX), LONG_PX) / longest
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)


def _words(kind: str) -> str:
    return _safe(kind.replace("_", " ").capitalize())


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def _lines(text: str) -> str:
    return _safe(text).replace("\n", "<br>")


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
:root {{ color-scheme: light }}
body {{ font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 84rem }}
body {{ color: #1e1e1e; background: #fff }}
nav a {{ display: inline-block; margin: 0 1rem .5rem 0; color: #0072b2 }}
article {{ border-top: 1px solid #d0d0d0; padding: 1rem 0; overflow-wrap: anywhere }}
.pictures {{ display: flex; flex-wrap: wrap; gap: .75rem }}
figure {{ margin: 0; flex: 0 1 auto; max-width: 100% }} img {{ display: block; max-width: 100%; height: auto }}
figcaption, .about {{ font-size: 13px; color: #5e5e5e; margin: .3rem 0 }}
.notice {{ border-left: 4px solid #d55e00; padding: .4rem 1rem }}
.question {{ font-weight: 600; margin: .5rem 0 0 }} .how {{ margin: 0; color: #404040 }}
.options {{ list-style: none; padding: 0; margin: .5rem 0 }}
.options li {{ padding: .2rem .5rem; border-left: 4px solid transparent }}
.options .right {{ border-color: #009e73; background: #e9f6f1 }} .options .right span {{ color: #00694d; font-size: 13px }}
mark {{ background: #f7ecc0; padding: 0 .15em }} sub {{ color: #5e5e5e; margin-left: .2em }}
</style></head><body><main><h1>{title}</h1><p class="notice">{notice}</p><p>{facts}</p><nav>{links}</nav>
"""
