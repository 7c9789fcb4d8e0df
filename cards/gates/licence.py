"""The licence gate: what may be passed on of every source, by whose words, and which licences can't stand together.

Standardized pixels are changed copies, so a licence that forbids changes refuses them like one that forbids copies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.published import Mode
from ...schema.release import Release
from ...schema.rights import Right, Subject
from .terms import ATTRIBUTION, SourceTerms, families, proposals, proposed, terms_of
from .verdict import MOST_PLACES, Level, Verdict

__all__ = ["families", "licence", "proposals", "proposed"]

_WORDS = {
    Subject.PIXELS: "pixels",
    Subject.ANNOTATIONS: "annotations",
    Subject.DERIVED_TEXT: "questions and other texts made of it",
    Subject.PROCESSING: "processing by somebody else's service",
}
_verdict = partial(Verdict, gate="licence")


def licence(release: Release, *, modes: Mapping[str, Mode] | None = None) -> list[Verdict]:
    """A verdict per source and subject, then what the terms ask of users, then licences that can't stand together."""
    every = terms_of(release, modes or {})
    found: list[Verdict] = []
    for one in every:
        found += [_subject(release, one, subject) for subject in Subject]
        found += _obligations(one)
        found += _doubts(one)
        found += _mixed_inside(one)
    return [*found, _mixed(every)]


def _subject(release: Release, one: SourceTerms, subject: Subject) -> Verdict:
    name, count = subject.value.replace("_", "-"), sum(one.licences.values())
    verdict = partial(_verdict, source=one.name, expected="the owner's word that changed copies may be passed on")
    if subject is not Subject.PROCESSING and subject not in one.published:
        said = f"{_WORDS[subject]}: not among what is published ({one.mode.value})"
        return verdict(code=f"{name}-withheld", level=Level.PASS, found=said, next="nothing to do", count=count)
    found = f"{_WORDS[subject]}: " + "; ".join(_right(*item) for item in one.rights(subject).items())
    refused = one.refused(subject)
    if not refused:
        step = "name the owner: `medloom cite` has the words"
        return verdict(code=f"{name}-granted", level=Level.PASS, found=found, next=step, count=count)
    return verdict(
        code=f"{name}-not-granted",
        level=Level.WARN if subject is Subject.PROCESSING else Level.REFUSE,
        found=found,
        next=_remedy(one, subject, refused),
        count=sum(refused.values()),
        where=tuple(_keys(release, one, refused)),
    )


def _right(right: Right, count: int) -> str:
    """One right in words: licence, verdict, reason."""
    verdict = {True: "granted", False: "not granted", None: "unknown"}[right.granted]
    samples = f" of {count:,} samples" if count else ""
    return f"{right.licence}{samples} {verdict} ({'; '.join(_reasons(right))})"


def _reasons(right: Right) -> Iterator[str]:
    terms, evidence = right.terms, right.evidence
    if right.allowed is not None:
        yield "by the owner's word" if right.allowed else "the owner, or the credentials that are asked for, forbid it"
    elif not terms.known:
        yield "no licence is stated" if right.licence == "unstated" else "its terms aren't known to let copies be passed on"
    asks = {
        "attribution": terms.attribution,
        "share-alike": terms.share_alike,
        "non-commercial": terms.commercial is False,
        "no derivatives": terms.adapt is False,
    }
    if terms.known:
        yield ", ".join(name for name, asked in asks.items() if asked) or "nothing is asked"
    yield f"{evidence.address}, {'read ' + evidence.read_on if evidence.read_on else 'not read by us'}"


def _remedy(one: SourceTerms, subject: Subject, refused: Mapping[str, int]) -> str:
    if subject is Subject.PROCESSING:
        return "`medloom write` sends it to no other machine unless an override says why it may"
    override = f"or say why it may: --override {subject.value.replace('_', '-')}-not-granted:{one.name}=REASON"
    if len(refused) < len(one.licences):
        names = ", ".join(f"'{name}'" for name in refused)
        return f'leave these samples out (`medloom select --where "licence NOT IN ({names})" --out …`), {override}'
    if subject is Subject.PIXELS:
        return f"publish {_less(one)} alone (--mode {one.name}={_less(one)}), {override}"
    return f"publish its recipe alone (--mode {one.name}=recipe), {override}"


def _less(one: SourceTerms) -> str:
    """The most that may be published without pixels."""
    return (Mode.RECIPE if one.refused(Subject.ANNOTATIONS) else Mode.ANNOTATIONS).value


def _obligations(one: SourceTerms) -> Iterator[Verdict]:
    """What the licences of the published parts ask beyond names."""
    rights = {right: count for subject in one.published for right, count in one.rights(subject).items()}
    asks = {
        "non-commercial": ("no commercial use", [r for r in rights if r.terms.commercial is False]),
        "share-alike": ("changed copies come under the same licence", [r for r in rights if r.terms.share_alike]),
    }
    for code, (words, some) in asks.items():
        if some:
            names = ", ".join(sorted({right.licence for right in some}))
            step = "its card says so; whoever uses it must keep to it"
            yield _verdict(
                code=code,
                source=one.name,
                level=Level.WARN,
                found=f"{names}: {words}",
                expected="terms that bind nobody, or users who know them",
                next=step,
                count=max(rights[right] for right in some),
            )


def _doubts(one: SourceTerms) -> Iterator[Verdict]:
    """How anyone gets the source, and rights whose words nobody has read."""
    access = one.recipe["facts"]["access"]
    if access in ("registration", "credentialed") and one.published:
        yield _verdict(
            code=f"access-{access}",
            source=one.name,
            level=Level.WARN,
            found=f"the owner gives it after {'registration' if access == 'registration' else 'credentials are checked'}",
            expected="open access, or an owner who lets copies be passed by that door",
            next="ask the owner, and consider publishing its recipe alone",
        )
    unread = [subject for subject in sorted(one.published) if any(r.evidence.read_on is None for r in one.rights(subject))]
    if unread:
        words = next(right.evidence.words for right in one.rights(unread[0]) if right.evidence.read_on is None)
        yield _verdict(
            code="evidence-unread",
            source=one.name,
            level=Level.WARN,
            found=f"{', '.join(_WORDS[subject] for subject in unread)}: {words}",
            expected="the owner's words, read where they stand, with the day",
            next="read them and state it in the source's facts (rights)",
        )


def _mixed_inside(one: SourceTerms) -> Iterator[Verdict]:
    """A source whose own samples or parts are under licences that can't stand together."""
    if len(one.families()) > 1:
        yield _verdict(
            code="mixed-licences",
            source=one.name,
            level=Level.REFUSE,
            found=f"it is itself under {' and '.join(sorted(one.families()))}",
            expected="licences that can stand in one repository",
            next="cut it by licence (`medloom select --where \"licence = '…'\" --out …`), publish less of it (--mode), "
            f"or say why it may: --override mixed-licences:{one.name}=REASON",
            count=sum(one.licences.values()),
        )


def _mixed(every: Iterable[SourceTerms]) -> Verdict:
    found: dict[str, list[str]] = {}
    for one in every:
        for family in one.families():
            found.setdefault(family, []).append(one.name)
    names = sorted(found, key=lambda name: (name != ATTRIBUTION, name))
    said = "; ".join(f"{name} ({', '.join(found[name])})" for name in names) or "nothing that bears a licence"
    step = "`medloom publish --split-by-licence` makes a repository of each; or --override mixed-licences=REASON"
    return _verdict(
        code="mixed-licences" if len(names) > 1 else "one-family-of-licences",
        source=None,
        level=Level.REFUSE if len(names) > 1 else Level.PASS,
        found=said,
        expected="licences that can stand in one repository",
        next=step if len(names) > 1 else "nothing to do",
        count=len(names),
    )


def _keys(release: Release, one: SourceTerms, licences: Collection[str]) -> list[str]:
    """The first samples under some licences; none where all samples are, or the release holds no index of them."""
    path: Any = release.index_path(one.name)
    if len(licences) == len(one.licences) or not path.is_file():
        return []
    wanted = pc.field("licence").isin(sorted(licences)) & pc.field("exclusion").is_null()
    rows = pq.read_table(path, columns=["key"], filters=wanted)
    return sorted(rows["key"].to_pylist())[:MOST_PLACES]
