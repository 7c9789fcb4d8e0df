"""The integrity gate: the release is what it says it is, no picture stands on two sides, and the Hub can hold it.

Everything that `medloom check` proves, then copies across splits, then the Hub's limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import duckdb

from ...schema import certificate
from ...schema.check_certificate import verify
from ...schema.check_release import check
from ...schema.errors import ReleaseError
from ...schema.release import Release
from .hub_limits import limits
from .verdict import MOST_PLACES, Level, Progress, Verdict

_verdict = partial(Verdict, gate="integrity")


def integrity(release: Release, *, progress: Progress | None = None) -> list[Verdict]:
    """Faults of the release by code and source, copies across splits, and what the Hub can't hold."""
    return [*_checked(release, progress), *_copies(release), *limits(release)]


def _checked(release: Release, progress: Progress | None) -> Iterator[Verdict]:
    result = check(release.root, progress=progress)
    groups: dict[tuple[str, str | None], list[Mapping[str, str]]] = {}
    for fault in result["faults"]:
        groups.setdefault((fault["code"], _source(fault["where"], release.sources)), []).append(fault)
    for (code, source), faults in groups.items():
        places = tuple(fault["where"] for fault in faults[:MOST_PLACES])
        words = {name: faults[0][name] for name in ("found", "expected", "next")}
        yield _verdict(code=code, source=source, level=Level.REFUSE, count=len(faults), where=places, **words)
    if (more := result["fault_count"] - len(result["faults"])) > 0:
        found, step = f"{more:,} faults more than are listed here", "mend the listed ones and ask again"
        yield _verdict(
            code="further-faults", source=None, level=Level.REFUSE, found=found, expected="none", next=step, count=more
        )
    if not result["fault_count"]:
        found = f"{result['samples']:,} samples: pixels, records, index, digests and README agree"
        yield _verdict(
            code="contract-stands",
            source=None,
            level=Level.PASS,
            found=found,
            expected="the contract of a release",
            next="nothing to do",
            count=result["samples"],
        )


def _source(where: str, sources: Iterable[str]) -> str | None:
    """The source that a place in the release belongs to: a path below data/, index/, …, or a key."""
    first = where.split(" ", 1)[0]
    parts = first.split("/")
    named = parts[1].removesuffix(".json") if len(parts) > 1 else first.rsplit("-", 1)[0]
    return named if named in set(sources) else None


def _copies(release: Release) -> list[Verdict]:
    """Copies across splits: by the certificate where there is one, else exact ones by the index."""
    if not (release.root / certificate.FOLDER / certificate.JSON).is_file():
        return _exact_copies(release)
    try:
        found = verify(release.root)["verdict"]
    except ReleaseError:
        found = None
    if found is None:
        return []  # tables that can't be read are a fault of the contract, and told there
    words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.items() if name != "crosses")
    return [_sides(f"the certificate: {words}", crossing=sum(found[name] for name in found if name != "crosses"))]


def _sides(found: str, *, crossing: int) -> Verdict:
    return _verdict(
        code="copies-across-splits" if crossing else "no-copies-across-splits",
        source=None,
        level=Level.REFUSE if crossing else Level.PASS,
        found=found,
        expected="no picture in two splits",
        next="`medloom duplicates RELEASE --apart --out DIR`" if crossing else "nothing to do",
        count=crossing or 1,
    )


def _exact_copies(release: Release) -> list[Verdict]:
    rows = _shared_pixels(release)
    inside = [row for row in rows if row["inside"]]
    across = [row for row in rows if not row["inside"]]
    verdicts = [_sides(f"{len(inside):,} pictures in two splits of one collection, by pixel hashes", crossing=len(inside))]
    verdicts += [
        _verdict(
            code="no-certificate",
            source=None,
            level=Level.WARN,
            found="nobody has looked for pictures that are nearly the same",
            expected="a certificate of duplicates",
            next="`medloom certificate RELEASE`",
        )
    ]
    if across:
        names = sorted({" and ".join(row["sources"]) for row in across})
        found = f"{len(across):,} pictures stand in two splits of unrelated sources: {'; '.join(names)}"
        verdicts.append(
            _verdict(
                code="copies-across-sources",
                source=None,
                level=Level.WARN,
                found=found,
                expected="no picture in two splits",
                next="`medloom duplicates RELEASE --apart --out DIR`, or test on one of them alone",
                count=len(across),
                where=tuple(row["key"] for row in across[:MOST_PLACES]),
            )
        )
    return verdicts


def _shared_pixels(release: Release) -> list[dict[str, Any]]:
    """Pictures in more than one split: first key, sources, and whether one collection holds them on two sides."""
    paths = [str(path) for source in release.sources if (path := release.index_path(source)).is_file()]
    if not paths:
        return []
    columns = "key, source, collection, split, provenance_pixel_sha256 AS pixels"
    standing = "exclusion IS NULL AND NOT provenance_low_information"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            WITH standing AS (SELECT {columns} FROM read_parquet($paths) WHERE {standing}),
                 sides AS (SELECT pixels, collection, count(DISTINCT split) AS sides FROM standing GROUP BY ALL)
            SELECT min(key), list_sort(list(DISTINCT source)),
                   bool_or(pixels IN (SELECT pixels FROM sides WHERE sides > 1))
            FROM standing GROUP BY pixels HAVING count(DISTINCT split) > 1 ORDER BY min(key)
            """,
            {"paths": paths},
        ).fetchall()
    return [dict(zip(("key", "sources", "inside"), row, strict=True)) for row in rows]
