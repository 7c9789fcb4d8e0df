"""Questions as Label Studio's tasks, and the interface in which people judge them.

Regions go along as predictions, in per cent of the image: what the question points at is labelled `prompt`, what answers
it `answer`. Facts of the form: labelstud.io, "Label Studio JSON format" and the reference of its tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from ...schema.errors import ReleaseError
from ...schema.mask import mask_from_rle
from ...schema.question import Kind, Prompt, Question
from .brush import brush_from_mask
from .picked import Asked
from .reviewed import digest
from .votes import REASONS, VERDICTS

ROLES = {"prompt": "#0072b2", "answer": "#e69f00"}
"""Label of a region → its colour."""
MODEL = "medloom"
"""Name under which Label Studio lists our regions."""
POINT_PERCENT = 1.0


def labeling() -> str:
    """The labeling interface as XML, one for all suites."""
    view = ElementTree.Element("View")
    _tag(view, "Text", name="about", value="$about")
    _tag(view, "Image", name="image", value="$image", zoom="true", zoomControl="true")
    for tag, name in (("RectangleLabels", "box"), ("BrushLabels", "mask"), ("KeyPointLabels", "point")):
        labels = _tag(view, tag, name=name, toName="image")
        for role, colour in ROLES.items():
            _tag(labels, "Label", value=role, background=colour)
    for name in ("question", "instruction", "options", "answer"):
        _tag(view, "Header", value=name.capitalize(), size="5")
        _tag(view, "Text", name=name, value=f"${name}")
    _choices(view, VERDICTS, name="verdict", toName="question", choice="single", required="true", showInline="true")
    only = {"visibleWhen": "choice-selected", "whenTagName": "verdict", "whenChoiceValue": VERDICTS["reject"]}
    _choices(view, REASONS, name="reason", toName="question", choice="multiple", required="true", **only)
    _tag(view, "TextArea", name="correction", toName="question", placeholder="What should it be? No names, please.", rows="2")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def task(asked: Asked, image: str) -> dict[str, Any]:
    """One task: what is shown as `data`, regions as one prediction; `image` is a data URI, or where the picture lies."""
    question = asked.question
    facts = (question.kind, question.modality, question.area, question.task, question.granularity, question.source)
    data = {
        "image": image,
        "about": " · ".join(map(str, facts)),
        "question": question.question,
        "instruction": question.instruction,
        "options": "\n".join(f"{one.letter}. {one.text}" for one in question.options),
        "answer": answer_text(question),
        "question_id": question.id,
        "digest": digest(question),
        "suite": question.suite,
        "key": question.key,
        "kind": question.kind.value,
        "wording": question.wording,
        "flags": ", ".join(question.flags),
    }
    regions = list(_regions(asked))
    return {"data": data, "predictions": [{"model_version": MODEL, "result": regions}] if regions else []}


def answer_text(question: Question) -> str:
    """The answer in words, with the right options written out."""
    right = [f"{one.letter}. {one.text}" for one in question.options if one.letter in question.letters]
    return "\n".join(right) if right else question.answer or ""


def answer_prompts(question: Question, record: Mapping[str, Any]) -> Iterator[Prompt]:
    """The answer's regions, told as prompts are: boxes where they are asked for, else masks where there are any."""
    found = {one["id"]: one for one in record["annotations"]}
    for one in (found[target] for target in question.targets if target in found):
        if question.kind == Kind.DETECTION and one["box_xyxy_px"] is not None:
            yield Prompt("box", one["id"], tuple(one["box_xyxy_px"]))
        elif one["rle"] is not None:
            yield Prompt("contour" if one["granularity"] == "contour" else "mask", one["id"])
        elif one["points"]:
            yield Prompt("point", one["id"], points_xy_px=tuple(map(tuple, one["points"])))
        elif one["box_xyxy_px"] is not None:
            yield Prompt("box", one["id"], tuple(one["box_xyxy_px"]))


def _regions(asked: Asked) -> Iterator[dict[str, Any]]:
    sets = {"prompt": asked.question.prompts, "answer": answer_prompts(asked.question, asked.record)}
    places = ((role, one) for role, prompts in sets.items() for one in prompts)
    height, width = asked.record["size_hw_px"]
    shared = {"to_name": "image", "original_width": width, "original_height": height, "image_rotation": 0}
    number = 0
    for role, prompt in places:
        for name, value in _values(prompt, asked.record):
            kind = {"box": "rectanglelabels", "mask": "brushlabels", "point": "keypointlabels"}[name]
            region = {"id": f"r{number}", "type": kind, "from_name": name, **shared, "value": {**value, kind: [role]}}
            yield region | {"meta": {"text": [prompt.annotation]}}
            number += 1


def _values(prompt: Prompt, record: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Control and value of each region that a prompt is."""
    height, width = record["size_hw_px"]
    if prompt.kind in ("mask", "contour"):
        mask = mask_from_rle(_rle(prompt, record), (height, width))
        yield "mask", {"format": "rle", "rle": brush_from_mask(mask)}
    if prompt.kind == "box" and prompt.box_xyxy_px is not None:
        x0, y0, x1, y1 = prompt.box_xyxy_px
        corner = {"x": 100 * x0 / width, "y": 100 * y0 / height}
        yield "box", corner | {"width": 100 * (x1 - x0) / width, "height": 100 * (y1 - y0) / height, "rotation": 0}
    for x, y in prompt.points_xy_px:
        yield "point", {"x": 100 * x / width, "y": 100 * y / height, "width": POINT_PERCENT}


def _rle(prompt: Prompt, record: Mapping[str, Any]) -> str:
    for one in record["annotations"]:
        if one["id"] == prompt.annotation and one["rle"] is not None:
            return one["rle"]
    found = f"{record['key']}: a {prompt.kind} prompt of {prompt.annotation}, which has no mask"
    raise ReleaseError(f"{found}; expected an annotation with one; make the set again")


def _tag(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _choices(parent: ElementTree.Element, words: Mapping[str, str], **attributes: str) -> None:
    group = _tag(parent, "Choices", **attributes)
    for text in words.values():
        _tag(group, "Choice", value=text)
