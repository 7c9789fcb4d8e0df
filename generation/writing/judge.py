"""A model's judgement of a description against a reference report: 0 to 2 points on each of five attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..telling.alignment import Judge
from ..wording import wordings
from .answers import Reply
from .endpoint import Client, Request, Unanswered
from .form import BadAnswer, Form

ATTRIBUTES: Mapping[str, str] = {
    "modality": "how the image was made",
    "structures": "which organs, structures or findings are seen",
    "region": "where the regions lie and how large they are",
    "texture": "how the regions look: brightness, border, pattern",
    "relation": "what the regions have to do with each other and with the whole",
}
"""Attribute → what it looks at; the names are those of `telling/alignment.py`."""
_UNSAID = -1
_FORM = Form(
    "scores", {name: f"0, 1 or 2 points, or -1, for {text}" for name, text in ATTRIBUTES.items()}, numbers=(_UNSAID, 2)
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Points by attribute, and the reply that gave them."""

    points: Mapping[str, int | None]
    """0, 1 or 2; None where the reference says nothing."""
    reply: Reply


def judge_of(client: Client, *, seed: int = 0) -> Judge:
    """A judge for `alignment`: all five attributes cost one request, whichever are asked for; no answer is no score."""

    def points(attribute: str, description: str, reference: str) -> int | None:
        judged = judge(client, description=description, reference=reference, seed=seed)
        return judged.points[attribute] if isinstance(judged, Judged) else None

    return points


def judge(client: Client, *, description: str, reference: str, seed: int = 0) -> Judged | Unanswered:
    """The points that a model gives a description; why not, where it gives none or no valid ones.

    Raises:
        EndpointError: the endpoint refuses us or is gone.
    """
    system, wording = "You compare texts on medical images, strictly and evenly.", wordings("written", "judge")[0]
    text = wording.fill(description=description.strip(), reference=reference.strip())
    reply = client.ask(Request(system=system, turns=(text,), form=_FORM, seed=seed))
    if isinstance(reply, Unanswered):
        return reply
    try:
        read = _FORM.read(reply.text)
        return Judged({name: None if value == _UNSAID else value for name, value in read.items()}, reply)
    except BadAnswer as error:
        return Unanswered(error.code, error.found)
