"""VLMEvalKit's TSV of single choice, with GMAI-MMBench's column names.

The folder serves the kit as its data root: `LMUData=OUT python run.py --data NAME --model … --judge exact_matching`.

    index  image  image_path  question  A … F  answer  category  clinical VQA task  department  perceptual granularity
    modality  original task  split  key  question id

The kit reads cells with pandas, which takes the texts of `MISSING` for empty ones: questions with such an option are left
out and counted. It scores one letter per question, so multiple choice is left out too (`medloom evaluate` scores it). Its
rules go by parts of a set's name: `TRAPS` lists those that make it something else. Columns follow the loader of the kit, as
read in `vlmeval/dataset/image_base.py` and `image_mcq.py` of ms-vlmeval 0.0.20, and the published GMAI-MMBench files.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from typing import TYPE_CHECKING, Any

from ...schema.errors import UsageError
from ...schema.granularity import gmai_name
from ...schema.question import Kind, Question
from ...schema.triplet import MODALITIES, TASKS
from ..asked import Asked, AskedSet
from ..conversation import Style, turns
from .folder import Folder, Progress, silent

if TYPE_CHECKING:
    from PIL.Image import Image

TRAPS = ("mmbench", "ccbench", "circular", "mmcr", "mmmu", "mmt", "mmsci", "lego", "openended", "video", "mmvp", "mmhelix")
"""In lower case; a set whose name holds one is treated by the kit as another kind of set."""
MISSING = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
"""Texts that pandas reads as an empty cell."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_DEPARTMENT = "None (no department)"
"""GMAI's own word, "None", would be read as an empty cell."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_name(name: str) -> str:
    """The name, if the kit will take the set for a custom one of choices.

    Raises:
        UsageError: it isn't a plain file name, or holds one of `TRAPS`.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"name {name!r}; expected letters, digits, - and _ only, since it names a file")
    trap = next((one for one in TRAPS if one in name.lower()), None)
    if trap:
        raise UsageError(f"name {name!r} holds {trap!r}, which VLMEvalKit takes for another kind of set; expected another name")
    return name


def export(asked: AskedSet, folder: Folder, *, name: str, files: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Counts, once `NAME.tsv` and its pictures are in the folder.

    Args:
        asked: Questions; those that aren't single choice are left out.
        folder: Where to write.
        name: Of the set.
        files: Pictures as PNG files that `image_path` names from the folder, in which the kit must then be started: it takes
            such paths as they stand. Without, `image` holds them in base64, and `image_path` only the names under which
            the kit unpacks them: ending in .png, or it would make JPEGs of them.
        progress: Told of each question.

    Raises:
        UsageError: a name that the kit takes for another set's, or no single choice is left.
    """
    check_name(name)
    questions = list(asked.questions())
    kept = [place for place, question in enumerate(questions) if _fits(question, folder)]
    if not kept:
        raise UsageError(f"{asked.name}: no single choice with an answer; expected one or more ({dict(folder.left_out)})")
    letters = LETTERS[: max(len(questions[place].options) for place in kept)]
    pictures = ["image_path"] if files else ["image", "image_path"]
    holders: dict[tuple[Any, ...], int] = {}
    with (folder.root / f"{name}.tsv").open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream, delimiter="\t", lineterminator="\n")
        lines.writerow(["index", *pictures, "question", *letters, *_FACTS])
        for index, place in enumerate(kept):
            one = asked[place]
            shown = [_filed(one, index, folder=folder, name=name)] if files else _embedded(one, index, holders)
            lines.writerow([index, *shown, *_cells(one.question, letters)])
            progress(index + 1, len(kept))
    return {"questions": len(kept), "file": f"{name}.tsv", "pictures": len(holders) or len(folder.pictures)}


def _fits(question: Question, folder: Folder) -> bool:
    reason = _unfit(question)
    if reason:
        folder.left_out[reason] += 1
    return reason is None


def _unfit(question: Question) -> str | None:
    if question.kind is not Kind.SINGLE_CHOICE:
        return f"{question.kind}: the kit scores single choice only"
    if len(question.letters) != 1:
        return "its answer is withheld"
    if any(option.text.strip() in MISSING for option in question.options):
        return "an option that pandas reads as an empty cell"
    if len(question.options) < 2:
        return "fewer than two options"
    return None


def _filed(asked: Asked, index: int, *, folder: Folder, name: str) -> str:
    """Where the picture lies, from the folder."""
    return folder.picture(asked, _shown(asked), stem=f"{index:07d}", under=f"images/{name}")


def _embedded(asked: Asked, index: int, holders: dict[tuple[Any, ...], int]) -> list[str]:
    """The picture in base64, or the index of an earlier row that holds the same one; and the name of its file to be."""
    shown = (asked.question.key, asked.question.prompts)
    holder = holders.setdefault(shown, index)
    path = f"{holder:07d}.png"
    if holder != index:
        return [str(holder), path]
    buffer = io.BytesIO()
    _shown(asked).save(buffer, "PNG", compress_level=1)
    return [base64.b64encode(buffer.getvalue()).decode(), path]


def _shown(asked: Asked) -> Image:
    """The picture with its prompts drawn."""
    return turns(asked, Style()).pictures[0]


def _cells(question: Question, letters: str) -> list[str]:
    texts = {option.letter: option.text for option in question.options}
    options = [_cell(texts.get(letter, "")) for letter in letters]
    return [_cell(question.question), *options, *(_cell(fact(question)) for fact in _FACTS.values())]


def _cell(text: str) -> str:
    """One line without tabs."""
    return " ".join(text.split())


def _right(question: Question) -> str:
    return next(option.text for option in question.options if option.letter == question.letters[0])


_FACTS = {
    "answer": lambda question: question.letters[0],
    "category": _right,
    "clinical VQA task": lambda question: question.clinical_task,
    "department": lambda question: _NO_DEPARTMENT if question.department == "None" else question.department,
    "perceptual granularity": lambda question: gmai_name(question.granularity) or "Point",
    "modality": lambda question: MODALITIES[question.modality].name,
    "original task": lambda question: TASKS[question.task].name,
    "split": lambda question: question.split,
    "key": lambda question: question.key,
    "question id": lambda question: question.id,
}
"""Column → what stands there."""
