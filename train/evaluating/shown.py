"""What a model is shown of questions, as one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from ...schema.question import Question


def digest_of(questions: Sequence[Question]) -> str:
    """SHA-256 over what a model is shown of questions, in order: a withheld answer doesn't change it."""
    digest = hashlib.sha256()
    for one in questions:
        options = [(option.letter, option.text) for option in one.options]
        prompts = [(prompt.kind, prompt.box_xyxy_px, prompt.points_xy_px) for prompt in one.prompts]
        shown = (one.id, one.key, one.kind, one.question, one.instruction, options, prompts)
        digest.update(json.dumps(shown, ensure_ascii=False).encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()
