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
from ....schema.release import Release
from ....schema.sample import BurnedIn
from ....schema.triplet import MODALITIES
from ..verdict import MOST_PLACES, Level, Verdict
from .ocr import Read, Shown, Text, read

_PATHS = "provenance_burned_in AS state, coalesce(provenance_burned_in_reason, 'no reason is stated') AS reason"
_SCREENS = ("US", "End", "Fluoroscopy", "XA")
_UNSTATED = "{modality} pictures often carry text, and nobody states that these don't"
_verdict = partial(Verdict, gate="privacy")
Row = dict[str, Any]


def burned_in(release: Release) -> list[Verdict]:
    """What headers and kinds of pictures state or make one suspect of each source."""
    return [verdict for source in release.sources for verdict in _by_tag(source, _rows(release, source))]


def pictures_to_read(release: Release, *, most: int) -> list[Shown]:
    """Pictures for the text detector: up to so many of each source, suspected ones first; all of them for 0."""
    return [task for source in release.sources for task in _tasks(release, source, _rows(release, source), most=most)]


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
        for verdict in _by_detector(source, reads, len(_rows(release, source)))
    ]


def _rows(release: Release, source: str) -> list[Row]:
    """Pictures that the release holds, suspected ones first, else in order of key: keys are hashes, so by chance."""
    path = release.index_path(source)
    recipe = release.recipe(source)
    if not path.is_file() or recipe is None or "published" in recipe:
        return []
    query = f"""SELECT key, shard, image_offset AS "offset", image_size AS size, modality, {_PATHS} FROM read_parquet($path)
        WHERE exclusion IS NULL ORDER BY provenance_burned_in = 'no', key"""
    with duckdb.connect() as connection:
        cursor = connection.execute(query, {"path": str(path)})
        names = [one[0] for one in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _by_tag(source: str, rows: Sequence[Row]) -> list[Verdict]:
    stated = [row for row in rows if row["state"] == BurnedIn.YES]
    suspected = [(row["key"], row["reason"]) for row in rows if row["state"] == BurnedIn.SUSPECTED]
    unstated = _UNSTATED.format
    suspected += [
        (row["key"], unstated(modality=row["modality"]))
        for row in rows
        if row["state"] == BurnedIn.NO and _screen(row["modality"]) and "header says" not in row["reason"]
    ]
    verdicts = []
    if stated:
        keys, found = [row["key"] for row in stated], "the headers say that text which identifies is burned into the pixels"
        verdicts.append(_told("burned-in-stated", source, Level.REFUSE, found=found, keys=keys))
    if suspected:
        reasons = Counter(reason for _, reason in suspected).most_common()
        found = "; ".join(f"{reason} ({count:,})" for reason, count in reasons)
        verdicts.append(_told("burned-in-suspected", source, Level.WARN, found=found, keys=[key for key, _ in suspected]))
    return verdicts


def _screen(modality: str) -> bool:
    """Whether pictures of this kind are usually taken from a screen."""
    return any(MODALITIES.is_a(modality, one) for one in _SCREENS)


def _told(code: str, source: str, level: Level, *, found: str, keys: Sequence[str]) -> Verdict:
    step = (
        "look at the pictures, or ask again with --ocr"
        if level is Level.WARN
        else "mask the words in the raw pictures, build again"
    )
    return _verdict(
        code=code,
        source=source,
        level=level,
        found=found,
        expected="pixels without words that identify",
        next=step,
        count=len(keys),
        where=tuple(keys[:MOST_PLACES]),
    )


def _tasks(release: Release, source: str, rows: Sequence[Row], *, most: int) -> list[Shown]:
    chosen = rows[:most] if most else rows
    return [Shown(release.root, source, row["key"], row["shard"], row["offset"], row["size"]) for row in chosen]


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
        Level.REFUSE: "mask the words in the raw pictures, build again",
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
