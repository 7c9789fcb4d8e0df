"""What people say of questions: the verdicts and reasons that there are, and the votes in Label Studio's exports.

Who voted is known here as a server's number and the annotator's there; neither is ever written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.errors import Issue, UsageError

VERDICTS = {"accept": "Accept", "reject": "Reject", "unsure": "Unsure"}
"""Code → words on the button."""
REASONS = {
    "wrong-answer": "The answer is wrong",
    "several-answers": "More than one answer is right",
    "given-away": "The question gives its answer away",
    "no-image-needed": "It can be answered without the image",
    "wrong-region": "A marked region is wrong",
    "unclear": "The wording is unclear",
    "poor-image": "The image doesn't show what is asked",
    "other": "Something else, said below",
}
"""Why a question is rejected."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one annotator said of one question."""

    question: str
    digest: str
    annotator: tuple[int, str]
    """Which server, and who there: never written anywhere."""
    verdict: str
    reasons: tuple[str, ...] = ()
    correction: str = ""
    when: str = ""
    """As Label Studio writes times, which sort as text."""


def votes(paths: Sequence[Path], *, apart: bool) -> tuple[list[Vote], list[Issue]]:
    """All votes of some export files, and what in them can't be used.

    Args:
        paths: JSON exports of Label Studio (its format "JSON").
        apart: Whether each file comes from a server of its own, on which the same number is another person.

    Raises:
        UsageError: a file isn't such an export.
    """
    found: list[Vote] = []
    issues: list[Issue] = []
    for number, path in enumerate(paths):
        for place, one in enumerate(_tasks(path)):
            where = f"{path.name} task {place}"
            if not _ours(one):
                issues.append(_issue("foreign-task", where, "a task without our question_id and digest"))
                continue
            for vote in one["annotations"]:
                said = _vote(one["data"], vote, server=number if apart else 0, where=where)
                (found if isinstance(said, Vote) else issues).append(said)  # type: ignore[arg-type]
    return found, issues


def _tasks(path: Path) -> list[dict[str, Any]]:
    expected = "expected Label Studio's export in its format JSON"
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; {expected}") from error
    except ValueError as error:
        raise UsageError(f"{path}: no JSON ({error}); {expected}") from error
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise UsageError(f"{path}: a {type(data).__name__}, not a list of tasks; {expected}")
    if any("annotator" in one and "data" not in one for one in data):
        raise UsageError(f"{path}: the format JSON_MIN, which keeps no verdicts apart; {expected}")
    if data and not any("annotations" in one for one in data):
        raise UsageError(f"{path}: tasks without annotations; {expected}, not the file that was imported")
    return data


def _ours(one: Mapping[str, Any]) -> bool:
    data = one.get("data")
    named = isinstance(data, dict) and all(isinstance(data.get(name), str) for name in ("question_id", "digest"))
    return named and isinstance(one.get("annotations"), list)


def _vote(data: Mapping[str, Any], said: Any, *, server: int, where: str) -> Vote | Issue:
    if not isinstance(said, dict) or not isinstance(said.get("result"), list):
        return _issue("bad-annotation", where, "an annotation without result")
    where = f"{where} annotation {said.get('id')}"
    if said.get("was_cancelled"):
        return _issue("skipped", where, "the annotator skipped it", expected="a verdict")
    who = said.get("completed_by")
    who = who.get("id", who.get("email")) if isinstance(who, dict) else who
    if who is None:
        return _issue("no-annotator", where, "nobody", expected="the annotator's number")
    chosen = _chosen(said["result"])
    verdicts = _codes(chosen.get("verdict", ()), VERDICTS)
    if len(verdicts) != 1 or verdicts[0] not in VERDICTS:
        return _issue("no-verdict", where, f"verdict {', '.join(verdicts) or 'none'}", expected=f"one of {', '.join(VERDICTS)}")
    reasons = _codes(chosen.get("reason", ()), REASONS)
    if strange := [one for one in reasons if one not in REASONS]:
        return _issue("unknown-reason", where, f"reason {', '.join(strange)}", expected=f"some of {', '.join(REASONS)}")
    when = str(said.get("updated_at") or said.get("created_at") or "")
    text = "\n".join(chosen.get("correction", ())).strip()
    kept = tuple(sorted(reasons, key=list(REASONS).index)) if verdicts[0] == "reject" else ()
    return Vote(data["question_id"], data["digest"], (server, str(who)), verdicts[0], kept, text, when)


def _chosen(result: Iterable[Any]) -> dict[str, list[str]]:
    """Name of a control → what was chosen or written there."""
    found: dict[str, list[str]] = {}
    for one in result:
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, dict) and isinstance(one.get("from_name"), str):
            words = value.get("choices", value.get("text", ()))
            words = [words] if isinstance(words, str) else words
            found.setdefault(one["from_name"], []).extend(map(str, words if isinstance(words, list) else ()))
    return found


def _codes(words: Iterable[str], known: Mapping[str, str]) -> list[str]:
    codes = {text: code for code, text in known.items()}
    return list(dict.fromkeys(codes.get(word, word) for word in words))


def _issue(code: str, where: str, found: str, *, expected: str = "a task that `medloom review export` wrote") -> Issue:
    return Issue(code, where, found, expected, "it isn't counted")
