"""One door to all exports: a form by its name, what it needs, and a folder that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...schema.errors import UsageError
from ..asked import AskedSet
from ..conversation import Style
from . import coco, conversations, lmms_eval, sa_med2d, vlmevalkit
from .folder import Folder, Progress, silent, written
from .samples import Samples

QUESTIONS = {
    "vlmevalkit": "VLMEvalKit's TSV, with GMAI-MMBench's columns",
    "lmms-eval": "a task folder of lmms-eval",
    "llava": "LLaVA's JSON of conversations",
    "ms-swift": "ms-swift's JSON lines, with boxes as objects",
    "llama-factory": "LLaMA-Factory's ShareGPT JSON",
}
"""Forms that hold questions → what they are."""
SAMPLES = {"coco": "COCO JSON of boxes, masks and points", "sa-med2d": "the layout of SA-Med2D-20M: one picture per mask"}
"""Forms that hold samples → what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What exports can be told."""

    name: str = "medloom_questions"
    """Of the set, in those harnesses that know sets by name."""
    style: Style = field(default_factory=Style)
    """How answers with places are written, for conversations."""
    files: bool = False
    """VLMEvalKit: pictures as files, not in the TSV."""


def export_questions(
    asked: AskedSet, form: str, out: Path, *, how: How | None = None, fresh: bool = False, progress: Progress = silent
) -> Mapping[str, Any]:
    """What was written to `out`, and what was left out and why.

    Raises:
        UsageError: no such form, a folder that isn't empty, or questions of which the form can hold none.
    """
    told = how or How()
    if form not in QUESTIONS:
        raise UsageError(f"form {form!r} of questions; expected one of {', '.join(QUESTIONS)}")
    with written(out, fresh=fresh) as folder:
        if form == "vlmevalkit":
            counts = vlmevalkit.export(asked, folder, name=told.name, files=told.files, progress=progress)
        elif form == "lmms-eval":
            counts = lmms_eval.export(asked, folder, name=told.name, progress=progress)
        elif form == "llava":
            counts = conversations.llava(asked, folder, style=told.style, progress=progress)
        elif form == "ms-swift":
            counts = conversations.ms_swift(asked, folder, style=told.style, progress=progress)
        else:
            counts = conversations.llama_factory(asked, folder, name=told.name, style=told.style, progress=progress)
        return _told(form, out, counts, folder)


def export_samples(
    samples: Samples, form: str, out: Path, *, fresh: bool = False, progress: Progress = silent
) -> Mapping[str, Any]:
    """What was written to `out`, and what was left out and why.

    Raises:
        UsageError: no such form, a folder that isn't empty, or samples of which the form can hold none.
    """
    forms = {"coco": coco.export, "sa-med2d": sa_med2d.export}
    if form not in forms:
        raise UsageError(f"form {form!r} of samples; expected one of {', '.join(SAMPLES)}")
    with written(out, fresh=fresh) as folder:
        return _told(form, out, forms[form](samples, folder, progress=progress), folder)


def _told(form: str, out: Path, counts: Mapping[str, Any], folder: Folder) -> Mapping[str, Any]:
    return {"form": form, "out": out.name, **counts, "left_out": dict(sorted(folder.left_out.items()))}
