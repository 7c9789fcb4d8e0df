"""A question as the turns a model is given, and the answer that it should give.

Pictures are never flipped, since texts speak of sides; prompts are drawn on a copy, or told in words of the dialect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..schema.errors import UsageError
from ..schema.prompt_drawing import drawn
from ..schema.question import Kind, Prompt, Question
from .asked import Asked
from .coordinates.dialects import dialect
from .coordinates.outline import places_of, rings
from .coordinates.place import Dialect, Frame, Place
from .coordinates.sentence import sentence
from .predicting.backend import Message, SeenSize, Turns

if TYPE_CHECKING:
    from PIL.Image import Image

IN_WORDS = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.LOCALIZATION, Kind.DESCRIPTION})
"""Kinds whose answers have no places in them."""
PROMPTS = ("drawn", "text", "both")
MASKS = ("polygon", "box")
PADDING = (122, 116, 104)
"""LLaVA's colour around a picture that is padded to a square: the mean of CLIP's pictures, sRGB."""


@dataclass(frozen=True, slots=True)
class Style:
    """How questions are put and answers are written."""

    dialect: str = "thousandths"
    """One of `coordinates.DIALECTS`."""
    prompts: str = "drawn"
    """How a question's box, mask, contour or points are shown: `drawn` on the picture, `text` in the dialect, or `both`."""
    masks: str = "polygon"
    """How an answer gives a mask: by its `polygon`s, or by its `box`."""
    instruction: bool = True
    """Whether the question's own instruction on how to answer is given, and how the dialect writes places."""
    system: str | None = None
    """Text of a system turn."""


def turns(asked: Asked, style: Style, *, seen: SeenSize | None = None, shots: Sequence[Asked] = ()) -> Turns:
    """What a model is given for a question: earlier questions with their answers, then this one, each with its picture.

    Args:
        asked: The question; its picture stays as it is.
        style: How it is put.
        seen: How the model's processor resizes pictures; needed by dialects of absolute px.
        shots: Questions that are put and answered before it, in order.

    Raises:
        UsageError: an unknown dialect, prompts or masks; a prompt that can't be drawn; a shot without an answer; a dialect
            of absolute px and nothing is known of the processor.
        RegionError: a prompt lies outside its picture.
    """
    way = _dialect(style, seen)
    messages: list[Message] = [_said("system", style.system)] if style.system else []
    for shot in shots:
        messages += [_question(shot, style, way, seen), _said("assistant", answer(shot, style, seen=seen))]
    messages.append(_question(asked, style, way, seen))
    return Turns(messages, [_picture(one, style, way) for one in (*shots, asked)])


def answer(asked: Asked, style: Style, *, seen: SeenSize | None = None) -> str:
    """The answer that a model should give: letters, words, or words with places in the dialect.

    Holes of masks, and parts beyond the largest few, aren't told: see `coordinates/outline.py`.

    Raises:
        UsageError: the answer is withheld, or as for `turns`.
        RegionError: a target lies outside its picture.
    """
    way, question = _dialect(style, seen), asked.question
    if question.answer is None:
        raise UsageError(f"{question.id}: its answer is withheld; expected one, as in a release's train split")
    if question.kind in IN_WORDS:
        return question.answer
    annotations = {one["id"]: one for one in asked.record["annotations"]}
    where = frame(asked, seen)

    def places(name: str, words: str | None) -> list[Place]:
        if name not in annotations:
            raise UsageError(f"{question.id}: no annotation {name} in the record of {question.key}; expected its own record")
        masks = "box" if question.kind == Kind.DETECTION else style.masks
        return places_of(annotations[name], where.size_hw_px, masks=masks, label=words)

    return sentence(question, way, where, places_of=places)


def conversation(asked: Asked, style: Style, *, seen: SeenSize | None = None, shots: Sequence[Asked] = ()) -> dict[str, Any]:
    """The question and its answer as TRL takes them: `prompt` and `completion` are messages, `images` their pictures.

    Raises:
        UsageError: as for `turns` and `answer`.
        RegionError: as for `turns` and `answer`.
    """
    given = turns(asked, style, seen=seen, shots=shots)
    completion = [_said("assistant", answer(asked, style, seen=seen))]
    return {"prompt": list(given.messages), "completion": completion, "images": list(given.pictures)}


def frame(asked: Asked | Mapping[str, Any], seen: SeenSize | None) -> Frame:
    """The frame of a question's picture, or of a sample's record."""
    record = asked.record if isinstance(asked, Asked) else asked
    height, width = record["size_hw_px"]
    return Frame((height, width), seen((height, width)) if seen else (height, width))


def _dialect(style: Style, seen: SeenSize | None) -> Dialect:
    way = dialect(style.dialect)
    for name, known in (("prompts", PROMPTS), ("masks", MASKS)):
        if getattr(style, name) not in known:
            raise UsageError(f"{name} {getattr(style, name)!r}; expected one of {', '.join(known)}")
    if way.needs_seen and seen is None:
        raise UsageError(f"{way.name} counts px after the processor's resize; expected `seen`, as `seen_size` gives it")
    return way


def _question(asked: Asked, style: Style, way: Dialect, seen: SeenSize | None) -> Message:
    question = asked.question
    lines = [question.question, *_prompts(asked, style, way, seen)]
    lines += [f"{option.letter}. {option.text}" for option in question.options]
    if style.instruction:
        lines += [question.instruction, *_hints(asked, style, way)]
    return {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "\n".join(filter(None, lines))}]}


def _prompts(asked: Asked, style: Style, way: Dialect, seen: SeenSize | None) -> Iterator[str]:
    """A line for each prompt, where they are told."""
    if style.prompts == "drawn":
        return
    where = frame(asked, seen)
    for prompt in asked.question.prompts:
        said = [way.mention(place, where) for place in _shown(prompt, asked.record, where)]
        yield f"{prompt.kind.capitalize()}{'s' if len(said) > 1 else ''}: {', '.join(said)}"


def _shown(prompt: Prompt, record: Mapping[str, Any], where: Frame) -> list[Place]:
    if prompt.box_xyxy_px is not None:
        x0, y0, x1, y1 = prompt.box_xyxy_px
        return [Place("box", None, (x0, y0, x1, y1))]
    if prompt.points_xy_px:
        return [Place("point", None, points_xy_px=((point[0], point[1]),)) for point in prompt.points_xy_px]
    counts = next((one["rle"] for one in record["annotations"] if one["id"] == prompt.annotation), None)
    if counts is None:
        raise UsageError(f"{record['key']}: {prompt.kind} of {prompt.annotation}; expected a mask of the record")
    return rings(counts, where.size_hw_px)


def _hints(asked: Asked, style: Style, way: Dialect) -> Iterator[str]:
    """How the dialect writes what the answer holds, so that the question can be answered by whoever reads it."""
    question: Question = asked.question
    if question.kind in IN_WORDS:
        return
    also = "Answer in words, and give the region too. " if question.kind == Kind.PROMPTED else ""
    if _masked(asked):
        write = {"polygon": "Write masks as polygons", "box": "Write a mask as the box around it"}[style.masks]
        yield f"{also}{write}, like this: {way.hint(style.masks)}."
    elif question.granularity in ("box", "point"):
        several = "boxes" if question.granularity == "box" else "points"
        yield f"{also}Write {several} like this: {way.hint(question.granularity)}."


def _masked(asked: Asked) -> bool:
    """Whether the answer holds masks: what is pointed at has one, or the question asks for them."""
    question = asked.question
    if question.kind == Kind.DETECTION:
        return False
    pointed = {prompt.annotation for prompt in question.prompts}
    shapes = {one["granularity"] for one in asked.record["annotations"] if one["id"] in pointed} or {question.granularity}
    return bool(shapes & {"mask", "contour"})


def _picture(asked: Asked, style: Style, way: Dialect) -> Image:
    question = asked.question
    told = style.prompts == "text" or not question.prompts
    picture = asked.picture if told else drawn(asked.picture, question.prompts, asked.record)
    return squared(picture.convert("RGB")) if way.square else picture


def squared(picture: Image) -> Image:
    """The picture in the middle of a square, as LLaVA pads it: at both sides of its shorter direction."""
    from PIL import Image

    side = max(picture.size)
    if picture.size == (side, side):
        return picture
    square = Image.new("RGB", (side, side), PADDING)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def _said(role: str, text: str) -> Message:
    return {"role": role, "content": [{"type": "text", "text": text}]}
