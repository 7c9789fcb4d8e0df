"""What a model is to write about a sample: the request, and how its reply becomes a question.

Perspective III leads to a label without naming it, IV asks about what is pointed at, a description goes from the whole to
the regions and their relations. What is asked of the model is drawn from the suite's chance, as the rules' questions are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schema.box import box_iou
from ...schema.question import Kind, Prompt, Question, Span
from ..case import Asking, Case, Record, area_name
from ..chance import Chance
from ..choices.modality_words import picture
from ..regions.marked import DERIVED_BOX
from ..telling.grammar import capital
from ..telling.knowledge import knowledge
from ..telling.seen import Seen, complete, seen
from ..wording import Wording, pick, wordings
from .endpoint import Request
from .form import BadAnswer, Form
from .retrieval import Corpus, Passage
from .sheet import Part, parts_of, sheet

ASKED = {"reasoning": Kind.REASONING, "prompted": Kind.PROMPTED, "description": Kind.DESCRIPTION}
"""Name of what is written → kind of question."""
INSTRUCTIONS = {
    "mask": "Answer with the name and a mask of every region.",
    "box": "Answer with the name and a box for every region.",
    "point": "Answer with the name and a point for every region.",
}
POINTERS = {"box": "in the box", "point": "at the marked point"}
MOST_REGIONS = 6
"""A description of more would be a list."""
QUESTION_CHARACTERS = (15, 500)
ANSWER_CHARACTERS = (5, 1200)
_SAME = 0.5
_SHEET_WORDS = re.compile(
    r"\b(fact ?sheet|the sheet|provided (?:facts|passages|text)|region[ _]\d|annotat\w+)\b|\[\d+\]", re.IGNORECASE
)
_PAIR = Form(
    "exercise",
    {"question": "the question, which doesn't name what it is about", "answer": "the answer, which names it"},
)
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Draft:
    """One question to be written."""

    rule: str
    case: Case
    place: int
    request: Request
    wording: str
    passages: tuple[str, ...]
    """Ids of what the model was given to read."""
    finish: Callable[[Fields], Question]
    """The question of a reply's fields; raises `BadAnswer`."""


@dataclass(frozen=True, eq=False)
class Writing:
    """What all drafts of a run share."""

    suite: str
    corpus: Corpus | None
    """None: the built-in knowledge file."""
    kinds: tuple[str, ...] = tuple(ASKED)
    most_passages: int = 3


def drafts(writing: Writing, kind: str, case: Case, *, chance: Chance) -> Iterator[Draft]:
    """What is to be written about a sample: at most one question of a kind."""
    asking = Asking(writing.suite, f"written-{kind}")
    every = [one for one in seen(case) if one.granularity in INSTRUCTIONS]
    if every:
        yield from _KINDS[kind](writing, asking, case, every, chance)


def _reasoning(writing: Writing, asking: Asking, case: Case, every: Sequence[Seen], chance: Chance) -> Iterator[Draft]:
    whole = [one for one in every if complete(one, case)]
    if not whole:
        return
    site = chance.one(whole)
    parts = parts_of(case, [site])
    wording = pick(wordings("written", "reasoning"), chance)
    read = _passages(writing, case, site)
    text = wording.fill(
        sheet=sheet(case, parts_of(case, every)), passages=_told(read), name=site.label, picture=picture(case.modality)
    )

    def finish(fields: Fields) -> Question:
        question, answer = _checked(fields)
        return asking.question(
            case,
            place=0,
            kind=Kind.REASONING,
            about=site.parts[0].state,
            granularity=site.granularity,
            perspective=3,
            question=question,
            instruction=INSTRUCTIONS[site.granularity],
            answer=answer,
            labels=(site.label_id,),
            targets=site.ids,
            spans=_spans(answer, site, parts),
            wording=wording.id,
            flags=_flags(parts),
        )

    yield _draft(asking, case, text, wording, form=_PAIR, chance=chance, read=read, finish=finish)


def _prompted(writing: Writing, asking: Asking, case: Case, every: Sequence[Seen], chance: Chance) -> Iterator[Draft]:
    alone = [
        (one, part, region)
        for one in every
        for part in parts_of(case, [one])
        for region in part.regions
        if _alone(region, case)
    ]
    if not alone:
        return
    site, part, region = chance.one(alone)
    prompt = _prompt(region)
    wording = pick(wordings("written", "prompted"), chance)
    read = _passages(writing, case, site)
    noun = (site.known.noun if site.known is not None else None) or "structure"
    words = {"noun": noun, "pointer": POINTERS[prompt.kind], "name": site.label, "picture": picture(case.modality)}
    text = wording.fill(sheet=sheet(case, [part]), passages=_told(read), **words)

    def finish(fields: Fields) -> Question:
        question, answer = _checked(fields)
        derived = prompt.kind == "box" and (region["granularity"] != "box" or region["origin"] == "derived")
        return asking.question(
            case,
            place=0,
            kind=Kind.PROMPTED,
            about=part.state,
            granularity=prompt.kind,
            perspective=4,
            question=question,
            answer=answer,
            labels=(site.label_id,),
            targets=(region["id"],),
            prompts=(prompt,),
            spans=(_span(answer, site.label, (region["id"],)),),
            wording=wording.id,
            flags=(DERIVED_BOX,) if derived else (),
        )

    yield _draft(asking, case, text, wording, form=_PAIR, chance=chance, read=read, finish=finish)


def _description(writing: Writing, asking: Asking, case: Case, every: Sequence[Seen], chance: Chance) -> Iterator[Draft]:
    parts = parts_of(case, every)
    if len(parts) > MOST_REGIONS:
        return
    wording = pick(wordings("written", "description"), chance)
    read = tuple(dict.fromkeys(one for site in every for one in _passages(writing, case, site)[:1]))
    text = wording.fill(sheet=sheet(case, parts), passages=_told(read))

    def finish(fields: Fields) -> Question:
        answer, spans = _layered(fields, parts)
        return asking.question(
            case,
            place=0,
            kind=Kind.DESCRIPTION,
            about=None,
            granularity="image",
            question=wording.fill("ask", picture=picture(case.modality)),
            answer=answer,
            labels=tuple(dict.fromkeys(one.label_id for one in every)),
            targets=tuple(name for part in parts for name in part.ids),
            spans=spans,
            wording=wording.id,
            flags=_flags(parts),
        )

    yield _draft(asking, case, text, wording, form=_layers(parts), chance=chance, read=read, finish=finish)


_KINDS = {"reasoning": _reasoning, "prompted": _prompted, "description": _description}


def _draft(
    asking: Asking,
    case: Case,
    text: str,
    wording: Wording,
    *,
    form: Form,
    chance: Chance,
    read: Sequence[Passage],
    finish: Callable[[Fields], Question],
) -> Draft:
    system = wordings("written", "system")[0].fill()
    request = Request(system=system, turns=(text.strip(),), form=form, seed=chance.below(1 << 31))
    return Draft(asking.rule, case, 0, request, wording.id, tuple(one.id for one in read), finish)


def _passages(writing: Writing, case: Case, site: Seen) -> tuple[Passage, ...]:
    """What the corpus says of the label, else what the knowledge file knows."""
    if writing.corpus is not None:
        query = f"{site.label} {picture(case.modality)} {area_name(case.record['area'])}"
        return writing.corpus.search(query, writing.most_passages)
    known = knowledge().get(site.label_id)
    facts = () if known is None else known.facts
    return tuple(Passage(fact.id, f"{capital(site.label)}: {fact.text}.") for fact in facts[: writing.most_passages])


def _told(read: Sequence[Passage]) -> str:
    if not read:
        return "Passages: none was found; keep to what is well known."
    return "Passages\n" + "\n".join(f"[{number}] {one.text}" for number, one in enumerate(read, start=1))


def _checked(fields: Fields) -> tuple[str, str]:
    """Question and answer, of a fitting length and without a word of how they were made."""
    question, answer = fields["question"], fields["answer"]
    for name, text, (least, most) in (("question", question, QUESTION_CHARACTERS), ("answer", answer, ANSWER_CHARACTERS)):
        if not least <= len(text) <= most:
            raise BadAnswer("wrong-length", f"{name} of {len(text)} characters; it must have {least} to {most}")
        _unsheeted(text)
    return question, answer


def _unsheeted(text: str) -> None:
    if match := _SHEET_WORDS.search(text):
        raise BadAnswer("speaks-of-sheet", f"{match[0]!r} in {text!r:.120}")


def _layers(parts: Sequence[Part]) -> Form:
    regions = {f"region_{number}": f"region {number}: names it as {part.name!r}" for number, part in enumerate(parts, start=1)}
    whole = {"global": "the image as a whole: its kind and the part of the body"}
    return Form("description", whole | regions | {"relation": "how the regions lie to each other and to their surroundings"})


def _layered(fields: Fields, parts: Sequence[Part]) -> tuple[str, tuple[Span, ...]]:
    """The layers as one text, with a span for each; the relation's speaks of the regions that it names."""
    told = [(fields["global"], (), "global")]
    told += [(fields[f"region_{number}"], part.ids, "region") for number, part in enumerate(parts, start=1)]
    named = tuple(name for part in parts if _find(fields["relation"], part.name) for name in part.ids)
    told.append((fields["relation"], named, "relation"))
    answer, spans = "", []
    for text, ids, level in told:
        _unsheeted(text)
        whole = text if text.endswith((".", "!", "?")) else f"{text}."
        answer += " " if answer else ""
        spans.append(Span(len(answer), len(answer) + len(whole), ids, level))
        answer += whole
    return answer, tuple(spans)


def _flags(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag for part in parts for flag in part.flags))


def _spans(answer: str, site: Seen, parts: Sequence[Part]) -> tuple[Span, ...]:
    """Where the answer names what was found: each side by its own name, or the label for all."""
    if len(parts) > 1 and all(_find(answer, part.name) for part in parts):
        return tuple(sorted((_span(answer, part.name, part.ids) for part in parts), key=lambda span: span.start))
    return (_span(answer, site.label, site.ids),)


def _span(answer: str, name: str, ids: tuple[str, ...]) -> Span:
    match = _find(answer, name)
    if match is None:
        raise BadAnswer("answer-names-nothing", f"no {name!r} in {answer!r:.120}")
    return Span(*match.span(), ids)


def _find(text: str, name: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(name)}(?:s|es)?(?!\w)", text, re.IGNORECASE)


def _prompt(region: Record) -> Prompt:
    if region["granularity"] == "point":
        x, y = region["points"][0]
        return Prompt("point", region["id"], points_xy_px=((x, y),))
    return Prompt("box", region["id"], box_xyxy_px=tuple(region["box_xyxy_px"]))


def _alone(region: Record, case: Case) -> bool:
    """Whether no region of another label lies in the same place."""
    box = region["box_xyxy_px"]
    if box is None:
        return region["granularity"] == "point"
    others = (one["box_xyxy_px"] for one in case.record["annotations"] if one["label_id"] != region["label_id"])
    return not any(box_iou(box, other) >= _SAME for other in others if other is not None)
