"""Conversations for other trainers: LLaVA's JSON, ms-swift's JSON lines, LLaMA-Factory's ShareGPT JSON.

All three name pictures by paths from the folder. LLaVA and LLaMA-Factory get regions in the numbers of a dialect, as
`medloom train` does; ms-swift gets them as `objects`, in px of the picture, and writes each model's own numbers itself. Forms
as read in the LLaVA repository's data notes, and in ms-swift 4.6's and LLaMA-Factory's documents of their datasets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...schema.errors import RegionError, UsageError
from ...schema.question import Question
from ..asked import Asked, AskedSet
from ..conversation import IN_WORDS, Style, answer, turns
from ..coordinates import dialect
from ..coordinates.outline import places_of
from ..coordinates.place import Frame, Place
from ..coordinates.sentence import sentence
from .folder import Folder, Progress, silent

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
Row = dict[str, Any]
Made = Callable[[Asked, str, str], Row]
"""From a question, its words and its picture's path: a row."""


def llava(asked: AskedSet, folder: Folder, *, style: Style, progress: Progress = silent) -> Row:
    """Counts, once `llava.json` and its pictures are in the folder.

    Raises:
        UsageError: the dialect's numbers depend on a model's processor.
    """

    def row(one: Asked, words: str, path: str) -> Row:
        said = [{"from": "human", "value": f"<image>\n{words}"}, {"from": "gpt", "value": answer(one, style)}]
        return {"id": one.question.id, "image": path, "conversations": said, **_facts(one.question)}

    return _written(asked, folder, "llava.json", row, style=_known(style), progress=progress)


def llama_factory(asked: AskedSet, folder: Folder, *, name: str, style: Style, progress: Progress = silent) -> Row:
    """Counts, once `NAME.json`, its pictures and `dataset_info.json` are in the folder.

    Raises:
        UsageError: a name that can't be a file's, or the dialect's numbers depend on a model's processor.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"name {name!r}; expected letters, digits, - and _ only, since it names a file")

    def row(one: Asked, words: str, path: str) -> Row:
        messages = [_message("user", f"<image>{words}"), _message("assistant", answer(one, style))]
        return {"messages": messages, "images": [path], "id": one.question.id, **_facts(one.question)}

    counts = _written(asked, folder, f"{name}.json", row, style=_known(style), progress=progress)
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    columns = {"messages": "messages", "images": "images"}
    info = {name: {"file_name": f"{name}.json", "formatting": "sharegpt", "columns": columns, "tags": tags}}
    (folder.root / "dataset_info.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    return counts


def ms_swift(asked: AskedSet, folder: Folder, *, style: Style, progress: Progress = silent) -> Row:
    """Counts, once `swift.jsonl` and its pictures are in the folder.

    Its `objects` hold boxes: a mask is given by its box, prompts are drawn, and answers with points are left out.
    """

    def row(one: Asked, words: str, path: str) -> Row:
        said, boxes = _placed(one)
        messages = [_message("user", f"<image>{words}"), _message("assistant", said)]
        made = {"messages": messages, "images": [path], "id": one.question.id, **_facts(one.question)}
        objects = {"ref": [], "bbox": boxes, "bbox_type": "real", "image_id": [0] * len(boxes)}
        return made | {"objects": objects} if boxes else made

    drawn = replace(style, dialect="thousandths", prompts="drawn", masks="box")
    return _written(asked, folder, "swift.jsonl", row, style=replace(drawn, instruction=False), progress=progress)


@dataclass(frozen=True)
class _Swift:
    """A dialect that leaves `<bbox>` in the sentence and keeps the boxes apart, in px of the picture."""

    boxes: list[list[float]] = field(default_factory=list)
    inline = True
    marks_words = False

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """See `Dialect`."""
        for place in places:
            if place.box_xyxy_px is None:
                raise RegionError(f"a {place.kind}", expected="a box, which is all that ms-swift's objects hold")
            self.boxes.append(list(place.box_xyxy_px))
        return "<bbox>" * len(places)


def _placed(asked: Asked) -> tuple[str, list[list[float]]]:
    """The answer with a `<bbox>` for every region, and the boxes in that order."""
    question = asked.question
    if question.kind in IN_WORDS:
        return question.answer or "", []
    annotations = {one["id"]: one for one in asked.record["annotations"]}
    height, width = asked.record["size_hw_px"]

    def places(name: str, words: str | None) -> list[Place]:
        return places_of(annotations[name], (height, width), masks="box", label=words)

    way: Any = _Swift()
    return sentence(question, way, Frame.of((height, width)), places_of=places), way.boxes


def _known(style: Style) -> Style:
    if dialect(style.dialect).needs_seen:
        expected = "one whose numbers are relative, such as thousandths; an export doesn't know the model's processor"
        raise UsageError(f"dialect {style.dialect} counts px after a processor's resize; expected {expected}")
    return style


def _written(asked: AskedSet, folder: Folder, file: str, row: Made, *, style: Style, progress: Progress) -> Row:
    lines = file.endswith(".jsonl")
    count = 0
    with (folder.root / file).open("w", encoding="utf-8") as stream:
        stream.write("" if lines else "[\n")
        for made in _rows(asked, folder, row, style=style, progress=progress):
            stream.write(("" if lines or not count else ",\n") + json.dumps(made, ensure_ascii=False) + ("\n" if lines else ""))
            count += 1
        stream.write("" if lines else "\n]\n")
    if not count:
        raise UsageError(f"{asked.name}: no question that the form can hold; expected one or more ({dict(folder.left_out)})")
    return {"questions": count, "file": file}


def _rows(asked: AskedSet, folder: Folder, row: Made, *, style: Style, progress: Progress) -> Iterator[Row]:
    questions = asked.questions()
    for place, question in enumerate(questions):
        if question.answer is None:
            folder.left_out["its answer is withheld"] += 1
        else:
            try:
                yield _row(asked[place], folder, row, style=style, stem=f"{place:07d}-{question.key}")
            except RegionError:
                folder.left_out["a region that the form can't hold"] += 1
        progress(place + 1, len(questions))


def _row(one: Asked, folder: Folder, row: Made, *, style: Style, stem: str) -> Row:
    given = turns(one, style)
    words = next(block["text"] for block in given.messages[-1]["content"] if block["type"] == "text")
    shown = folder.pictures.get((one.question.key, one.question.prompts), f"images/{stem}.png")
    made = row(one, words, shown)
    folder.picture(one, given.pictures[-1], stem=stem)
    return made


def _message(role: str, text: str) -> Row:
    return {"role": role, "content": text}


def _facts(question: Question) -> Row:
    names = (
        "key",
        "split",
        "source",
        "kind",
        "modality",
        "area",
        "task",
        "subset",
        "clinical_task",
        "department",
        "granularity",
    )
    return {name: str(getattr(question, name)) for name in names}
