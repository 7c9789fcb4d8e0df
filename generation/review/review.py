"""Review by people: the votes in Label Studio's exports become `questions/<suite>/review.json`.

More than half of the votes decide; questions without such a majority are `undecided`. Annotators are written as a1, a2, …
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...schema.disk import write_json
from ...schema.errors import Issue, UsageError
from ...schema.question_set import REVIEW, QuestionSet
from . import picked
from .agreement import agreement
from .reviewed import digest, read
from .votes import REASONS, VERDICTS, Vote, votes

if TYPE_CHECKING:
    from ...schema.release import Release

UNDECIDED = "undecided"


def take(
    release: Release,
    suite: str,
    exports: Sequence[Path],
    *,
    least: int = 1,
    strict: bool = False,
    apart: bool = False,
    replace: bool = False,
    answers: Path | None = None,
) -> tuple[dict[str, Any], list[Issue]]:
    """The review as it now stands in `questions/<suite>/review.json`, and what in the exports couldn't be counted.

    Args:
        release: Whose questions.
        suite: Which set of them.
        exports: Label Studio's JSON exports, of one project or several.
        least: Fewer votes decide nothing.
        strict: Leave out whatever isn't accepted, not the rejected alone.
        apart: Each export comes from a server of its own.
        replace: Forget an earlier review of questions that these exports don't hold.
        answers: The private folder of withheld answers.

    Raises:
        UsageError: no such set, no such export, no vote in them, or an earlier review would be lost.
    """
    path = QuestionSet.open(release.root, suite).root / REVIEW
    earlier = read(path) if path.exists() else None
    cast, issues = votes(exports, apart=apart)
    files = picked.files_of(release, suite, answers=answers)
    known = _known(files, {vote.question for vote in cast}, earlier)
    counted, strange = _counted(cast, known)
    if not counted:
        read_from = ", ".join(map(str, exports))
        raise UsageError(f"{read_from}: no vote on a question of suite {suite!r}; {_why([*issues, *strange])}")
    lost = set() if earlier is None or replace else {one["id"] for one in earlier["questions"]} - set(counted)
    if lost:
        found = f"{path}: an earlier review has {len(lost)} questions that these exports lack, such as {min(lost)}"
        raise UsageError(f"{found}; expected all exports at once; --replace forgets the earlier review")
    review = _review(suite, counted, known, rule=Rule(least, strict))
    write_json(path, review)
    return review, [*issues, *strange]


@dataclass(frozen=True, slots=True)
class Rule:
    """How votes become a verdict, and which verdicts leave a question out."""

    least: int = 1
    strict: bool = False

    def verdict(self, said: Iterable[str]) -> str:
        """What more than half of the votes say, else `undecided`."""
        counts = Counter(said)
        best, most = max(counts.items(), key=lambda item: item[1])
        return best if 2 * most > counts.total() >= self.least else UNDECIDED

    def leaves_out(self, verdict: str) -> bool:
        """Whether a question with this verdict is left out."""
        return verdict != "accept" if self.strict else verdict == "reject"


Known = Mapping[str, tuple[str, str]]
"""Question → digest and kind."""
Counted = Mapping[str, Mapping[tuple[int, str], Vote]]
"""Question → annotator → the vote that counts."""


def _known(files: Iterable[Path], wanted: set[str], earlier: Mapping[str, Any] | None) -> Known:
    """The questions that may be voted on: those of the set, and those that an earlier review has left out of it."""
    before = [] if earlier is None else [one for one in earlier["questions"] if one["left_out"]]
    known = {one["id"]: (one["digest"], one["kind"]) for one in before if one["id"] in wanted}
    return known | {one.id: (digest(one), one.kind.value) for one in picked.every(files) if one.id in wanted}


def _counted(cast: Iterable[Vote], known: Known) -> tuple[Counted, list[Issue]]:
    """One vote of each annotator on each question, the latest; and votes on what isn't in the set."""
    found: dict[str, dict[tuple[int, str], Vote]] = {}
    issues = []
    for vote in sorted(cast, key=lambda vote: vote.when):
        if vote.question not in known:
            issues.append(_issue("unknown-question", vote, "a question that the set doesn't hold"))
        elif vote.digest != known[vote.question][0]:
            issues.append(_issue("other-question", vote, "a question that has been made anew since"))
        else:
            found.setdefault(vote.question, {})[vote.annotator] = vote
    return {id: found[id] for id in sorted(found)}, issues


def _review(suite: str, counted: Counted, known: Known, *, rule: Rule) -> dict[str, Any]:
    people = sorted({who for said in counted.values() for who in said})
    names = {who: f"a{number}" for number, who in enumerate(people, start=1)}
    questions = [_question(id, said, known[id], names=names, rule=rule) for id, said in counted.items()]
    verdicts = Counter(one["verdict"] for one in questions)
    reasons = Counter(reason for one in questions if one["verdict"] == "reject" for reason in one["reasons"])
    return {
        "medloom": __version__,
        "suite": suite,
        "rule": {"majority": "more than half of the votes", "least": rule.least, "strict": rule.strict},
        "annotators": list(names.values()),
        "votes": sum(map(len, counted.values())),
        "verdicts": {name: verdicts[name] for name in (*VERDICTS, UNDECIDED)},
        "left_out": sum(one["left_out"] for one in questions),
        "reasons": {name: reasons[name] for name in REASONS if reasons[name]},
        "agreement": agreement([{names[who]: vote.verdict for who, vote in said.items()} for said in counted.values()]),
        "questions": questions,
    }


def _question(
    id: str, said: Mapping[tuple[int, str], Vote], known: tuple[str, str], *, names: Mapping[tuple[int, str], str], rule: Rule
) -> dict[str, Any]:
    verdict = rule.verdict(vote.verdict for vote in said.values())
    reasons = {reason for vote in said.values() for reason in vote.reasons}
    cast = {
        names[who]: {"verdict": said[who].verdict, "reasons": list(said[who].reasons), "correction": said[who].correction}
        for who in sorted(said)
    }
    what = {"id": id, "digest": known[0], "kind": known[1], "verdict": verdict, "left_out": rule.leaves_out(verdict)}
    return what | {"reasons": [name for name in REASONS if name in reasons], "votes": cast}


def _issue(code: str, vote: Vote, found: str) -> Issue:
    return Issue(code, vote.question, found, "a question of the set as it is", "the vote isn't counted")


def _why(issues: Sequence[Issue]) -> str:
    """The first of the faults, which most often explains them all."""
    return f"{len(issues)} can't be counted; the first: {issues[0]}" if issues else "expected annotations with a verdict"
