"""Words in pixels: what headers and kinds of pictures make one suspect, and what a text detector reads there.

DICOM's Burned In Annotation (0028,0301) is YES where pixels hold enough to identify the patient and the date (PS3.3
C.7.6.1.1): that refuses. A suspicion warns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import duckdb

from ....builders.engine import Crashed, Engine
from ....schema.published import Mode, mode_of
from ....schema.release import Release
from ....schema.sample import BurnedIn
from ....schema.triplet import MODALITIES
from ..verdict import MOST_PLACES, Level, Verdict
from .ocr import Read, Shown, Text, read

_STATED = "provenance_burned_in AS state, provenance_burned_in_reason AS reason"
_MASK = "mask the words in the raw pictures, build again"
_SCREENS = ("US", "End", "Fluoroscopy", "XA")
_UNSTATED = "{modality} pictures often carry text, and nobody states that these don't"
_verdict = partial(Verdict, gate="privacy")
Row = dict[str, Any]


def burned_in(release: Release) -> list[Verdict]:
    """What headers and kinds of pictures state or make one suspect of each source."""
    return [verdict for source in release.sources for verdict in _by_tag(source, release)]


def pictures_to_read(release: Release, *, most: int) -> list[Shown]:
    """Pictures for the text detector: up to so many of each source, suspected ones first; all of them for 0."""
    return [task for source in release.sources for task in _tasks(release, source, most=most)]


def words_read(release: Release, pictures: Sequence[Shown], *, engine: Engine, tick: Callable[[int], None]) -> list[Verdict]:
    """What the text detector reads in pictures, by source."""
    results: dict[str, list[Read]] = {}
    for result in engine.run(read, pictures):
        one = Read(result.task.source, result.task.key, None, failed=True) if isinstance(result, Crashed) else result
        results.setdefault(one.source, []).append(one)
        tick(1)
    return [
        verdict
        for source, reads in sorted(results.items())
        for verdict in _by_detector(source, reads, _pictures(release, source))
    ]


def _asked(release: Release, source: str, query: str) -> list[Row]:
    """Rows of a query over the index of what the release holds pictures of; never a row per picture of a whole source."""
    path, recipe = release.index_path(source), release.recipe(source)
    if not path.is_file() or recipe is None or mode_of(recipe) is not Mode.FULL:
        return []
    held = "(SELECT * FROM read_parquet($path) WHERE exclusion IS NULL)"
    with duckdb.connect() as connection:
        cursor = connection.execute(query.format(held=held), {"path": str(path)})
        names = [one[0] for one in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _by_tag(source: str, release: Release) -> list[Verdict]:
    query = f"""SELECT modality, {_STATED}, count(*) AS count, min(key, {MOST_PLACES}) AS keys
        FROM {{held}} GROUP BY ALL ORDER BY modality, state, reason"""
    rows = [row | {"why": why} for row in _asked(release, source, query) if (why := _why(row))]
    stated = [row for row in rows if row["state"] == BurnedIn.YES]
    suspected = [row for row in rows if row["state"] != BurnedIn.YES]
    verdicts = [_told("burned-in-stated", source, Level.REFUSE, rows=stated)] if stated else []
    return verdicts + ([_told("burned-in-suspected", source, Level.WARN, rows=suspected)] if suspected else [])


def _why(row: Row) -> str | None:
    """Why pictures of one state, reason and modality may show words; None where nothing says so."""
    if row["state"] == BurnedIn.YES:
        return "the headers say that text which identifies is burned into the pixels"
    if row["state"] == BurnedIn.SUSPECTED:
        return row["reason"] or "no reason is stated"
    return _UNSTATED.format(modality=row["modality"]) if row["reason"] is None and _screen(row["modality"]) else None


def _screen(modality: str) -> bool:
    """Whether pictures of this kind are usually taken from a screen."""
    return any(MODALITIES.is_a(modality, one) for one in _SCREENS)


def _told(code: str, source: str, level: Level, *, rows: Sequence[Row]) -> Verdict:
    step = "look at the pictures, or ask again with --ocr" if level is Level.WARN else _MASK
    reasons: Counter[str] = Counter()
    for row in rows:
        reasons[row["why"]] += row["count"]
    return _verdict(
        code=code,
        source=source,
        level=level,
        found="; ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common()),
        expected="pixels without words that identify",
        next=step,
        count=reasons.total(),
        where=tuple(sorted(key for row in rows for key in row["keys"])[:MOST_PLACES]),
    )


def _tasks(release: Release, source: str, *, most: int) -> list[Shown]:
    """Suspected pictures first, else in order of key: keys are hashes, so by chance."""
    limit = f"LIMIT {most}" if most else ""
    query = f"""SELECT key, shard, image_offset AS "offset", image_size AS size FROM {{held}}
        ORDER BY provenance_burned_in = 'no', key {limit}"""
    return [Shown(release.root, source, **row) for row in _asked(release, source, query)]


def _pictures(release: Release, source: str) -> int:
    return _asked(release, source, "SELECT count(*) AS count FROM {held}")[0]["count"]


def _by_detector(source: str, results: Sequence[Read], pictures: int) -> list[Verdict]:
    if not results:
        return []
    extent = "all" if len(results) == pictures else "a sample of"
    looked = f"the text detector read {extent} {len(results):,} pictures of {pictures:,}"
    by_kind = {kind: sorted((one for one in results if one.kind is kind), key=lambda one: one.key) for kind in Text}
    failed = sum(one.failed for one in results)
    verdicts = []
    for kind, code, level, words in (
        (Text.IDENTIFIER, "burned-in-identifier", Level.REFUSE, "what looks like a name, day or number"),
        (Text.WORDS, "burned-in-words", Level.WARN, "words"),
    ):
        if by_kind[kind]:
            verdicts.append(
                _read(code, source, level, found=f"{looked}: {words} in {len(by_kind[kind]):,}", reads=by_kind[kind])
            )
    if not verdicts:
        marks = f", sides and scales in {len(by_kind[Text.MARK]):,}" if by_kind[Text.MARK] else ""
        found = f"{looked}: no words{marks}" + (f"; {failed} couldn't be read" if failed else "")
        verdicts.append(_read("no-words-read", source, Level.WARN if failed else Level.PASS, found=found, reads=results))
    return verdicts


def _read(code: str, source: str, level: Level, *, found: str, reads: Sequence[Read]) -> Verdict:
    passed = code == "no-words-read"
    step = {
        Level.PASS: "nothing to do",
        Level.WARN: "look at these pictures",
        Level.REFUSE: _MASK,
    }
    return _verdict(
        code=code,
        source=source,
        level=level,
        found=found,
        expected="pixels without words that identify",
        next=step[level],
        count=len(reads),
        where=() if passed else tuple(f"{one.key}: {one.told}" for one in reads[:MOST_PLACES]),
    )
