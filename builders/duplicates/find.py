"""Pairs of pictures that are copies of each other: within a release, or between it and a folder or another release.

Exact pairs have equal pixels (`provenance_pixel_sha256`). Near pairs have hashes that lie near each other in some window
(`search.py`) and thumbnails that agree once they are laid over each other (`align.py`): copies that were resized,
recompressed, made brighter or darker, or cropped by up to 5 % per side. Mirrored or turned pictures aren't looked for.

- Blank and low-information pictures never count. Pictures with hardly any detail, such as a blob on black, count only where
  their pixels are equal (`align.MIN_DETAIL`). Excluded samples have no pixels in a release and take no part.
- Within a release, pairs inside one group (collection and group) are left out and counted: slices of a volume belong
  together anyway. Across two sets every pair is reported.
- Of many copies of one picture each stands in at least one pair, with one of another group, and not in all pairs: what
  pairs link is what matters, and their number grows with the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...schema.errors import Issue
from ...schema.release import Release
from .align import MIN_DETAIL, SAME_SCORE, detail_share, scores, start_of
from .descriptor import CANDIDATE_BITS, WINDOWS, views
from .search import Candidates, Side, candidates, equal
from .thumbnails import ROWS, Pictures, Progress, of_folder, of_release

EXACT, NEAR = "exact", "near"
PAIRS = pa.schema(
    [
        *((f"{side}_{name}", pa.string()) for side in "ab" for name in ROWS.names),
        ("kind", pa.string()),
        ("distance", pa.int64()),
        ("score", pa.float64()),
    ]
)
_BATCH = 2048
_SPARSE = -2.0
"""Instead of a score, for a candidate with a picture that has too little detail."""
_STARTS = np.stack([start_of(window) for window in WINDOWS])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two copies of one picture."""

    a: str
    """Key, or path in the folder."""
    b: str
    kind: str
    """`exact` or `near`."""
    distance: int
    """Bits by which the perceptual hashes differ, in the best window; 0 for exact pairs."""
    score: float
    """Agreement of the thumbnails, up to 1; 1 for exact pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The copies, and what was done to find them."""

    pairs: pa.Table
    """Columns of `PAIRS`, sorted by a_key and b_key; within a release a_key < b_key, else a is the release's."""
    counts: dict[str, int]
    """Pictures: compared, low_information, excluded, unreadable, ignored_files (no pictures), crowded (more near hashes than
    the search has room for). Pairs: candidates, verified (by thumbnail), sparse (of these, with too little detail), exact,
    near, same_group_exact and same_group_hashes (left out; the latter counts pairs of distinct hashes)."""
    parameters: dict[str, Any]
    issues: tuple[Issue, ...] = field(default=())

    def listed(self) -> Iterator[Pair]:
        """The pairs as objects."""
        columns = (self.pairs[name].to_pylist() for name in ("a_key", "b_key", "kind", "distance", "score"))
        return (Pair(*row) for row in zip(*columns, strict=True))


def within(
    release: Release,
    *,
    max_bits: int = CANDIDATE_BITS,
    min_score: float = SAME_SCORE,
    workers: int = 1,
    progress: Progress | None = None,
) -> Found:
    """Copies among all samples of a release, across its sources and splits, but for those inside one group.

    Raises:
        ReleaseError: an image can't be decoded.
    """
    pictures = of_release(release, workers=workers, progress=progress)
    search = _Search(pictures, pictures, max_bits=max_bits, min_score=min_score, workers=workers, progress=progress)
    groups = _groups(pictures.rows)
    exact = equal(Side(pictures.digests[search.a], groups[search.a]))
    near = candidates(search.side(pictures, search.a, groups), None, **search.options())
    return search.found(exact, near, inside=_inside(pictures, groups, search.a))


def against(
    release: Release,
    other: Path,
    *,
    max_bits: int = CANDIDATE_BITS,
    min_score: float = SAME_SCORE,
    workers: int = 1,
    progress: Progress | None = None,
) -> Found:
    """Copies of a release's samples in another release or a plain folder of pictures.

    Raises:
        UsageError: the other is neither.
        ReleaseError: an image of a release can't be decoded.
    """
    sets = [of_release(release, workers=workers, progress=progress), pictures_at(other, workers=workers, progress=progress)]
    return compare(*sets, max_bits=max_bits, min_score=min_score, workers=workers, progress=progress)


def compare(
    mine: Pictures,
    theirs: Pictures,
    *,
    max_bits: int = CANDIDATE_BITS,
    min_score: float = SAME_SCORE,
    workers: int = 1,
    progress: Progress | None = None,
) -> Found:
    """Copies of the pictures of one set in another, whatever their groups."""
    search = _Search(mine, theirs, max_bits=max_bits, min_score=min_score, workers=workers, progress=progress)
    exact = equal(Side(mine.digests[search.a]), Side(theirs.digests[search.b]))
    near = candidates(search.side(mine, search.a), search.side(theirs, search.b), **search.options())
    return search.found(exact, near)


def pictures_at(path: Path, *, workers: int = 1, progress: Progress | None = None) -> Pictures:
    """The pictures of a release, if there is one, or else of a plain folder."""
    if (path / "README.md").is_file() and (path / "recipes").is_dir():
        return of_release(Release.open(path), workers=workers, progress=progress)
    return of_folder(path, workers=workers, progress=progress)


class _Search:
    """One comparison of two sets, or of a set with itself; rows of blank pictures are left out of `a` and `b`."""

    def __init__(
        self, one: Pictures, other: Pictures, max_bits: int, min_score: float, workers: int, progress: Progress | None
    ):
        self.one, self.other = one, other
        self.a, self.b = np.flatnonzero(~one.blank), np.flatnonzero(~other.blank)
        self.max_bits, self.min_score, self.workers = max_bits, min_score, workers
        self.progress = progress or (lambda *_: None)

    def options(self) -> dict[str, Any]:
        return {
            "max_bits": self.max_bits,
            "threads": self.workers,
            "progress": lambda done, total: self.progress("search", done, total),
        }

    def side(self, pictures: Pictures, rows: np.ndarray, groups: np.ndarray | None = None) -> Side:
        seen = None if groups is None else groups[rows]
        return Side(pictures.hashes[rows], seen, lambda some: views(pictures.thumbnails(rows[some])))

    def found(self, exact: Candidates, near: Candidates, *, inside: int = 0) -> Found:
        """Everything put together; `inside` is the number of exact pairs in one group."""
        same = (self.one.digests[self.a[near.i]] == self.other.digests[self.b[near.j]]).all(1)
        tested = np.flatnonzero(~same)
        score = self._scores(near, tested)
        kept = tested[score >= self.min_score]
        i, j = np.concatenate([exact.i, near.i[kept]]), np.concatenate([exact.j, near.j[kept]])
        kind = np.repeat([EXACT, NEAR], [len(exact), len(kept)])
        distance = np.concatenate([exact.distance, near.distance[kept]])
        points = np.concatenate([np.ones(len(exact)), score[score >= self.min_score].astype(np.float64)])
        order = np.lexsort((j, i))
        columns = [kind[order], distance[order], points[order]]
        counts = self._counts() | {
            "candidates": len(near),
            "verified": len(tested),
            "sparse": int((score == _SPARSE).sum()),
            "exact": len(exact),
            "near": len(kept),
            "same_group_exact": inside,
            "same_group_hashes": near.same_group,
            "crowded": near.crowded,
        }
        parameters = {"max_bits": self.max_bits, "min_score": self.min_score, "windows": len(WINDOWS)}
        issues = self.other.issues if self.one is self.other else self.one.issues + self.other.issues
        pairs = self._table(self.a[i[order]], self.b[j[order]], columns)
        return Found(pairs=pairs, counts=counts, parameters=parameters, issues=issues)

    def _counts(self) -> dict[str, int]:
        sets = [self.one] if self.one is self.other else [self.one, self.other]
        return {
            "compared": sum(len(one) - int(one.blank.sum()) for one in sets),
            "low_information": sum(int(one.blank.sum()) for one in sets),
            "excluded": sum(one.excluded for one in sets),
            "unreadable": sum(len(one.issues) for one in sets),
            "ignored_files": sum(one.ignored for one in sets),
        }

    def _scores(self, near: Candidates, tested: np.ndarray) -> np.ndarray:
        """Of the candidates named by `tested`, batch by batch."""
        batches = [tested[at : at + _BATCH] for at in range(0, len(tested), _BATCH)]
        found, done = [np.zeros(0, np.float32)], 0
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            for one in pool.map(lambda batch: self._judged(near, batch), batches):
                found.append(one)
                done += len(one)
                self.progress("verify", done, len(tested))
        return np.concatenate(found)

    def _judged(self, near: Candidates, batch: np.ndarray) -> np.ndarray:
        one = self.one.thumbnails(self.a[near.i[batch]])
        other = self.other.thumbnails(self.b[near.j[batch]])
        first = near.cut_first[batch][:, None, None]
        whole, cut = np.where(first, other, one), np.where(first, one, other)
        sparse = (detail_share(one) < MIN_DETAIL) | (detail_share(other) < MIN_DETAIL)
        return np.where(sparse, _SPARSE, scores(whole, cut, _STARTS[near.window[batch]]))

    def _table(self, a: np.ndarray, b: np.ndarray, columns: list[np.ndarray]) -> pa.Table:
        sides = [self.one.rows.take(a), self.other.rows.take(b)]
        arrays = [side[name] for side in sides for name in ROWS.names]
        return pa.table([*arrays, *map(pa.array, columns)], schema=PAIRS)


def _groups(rows: pa.Table) -> np.ndarray:
    """int64: equal where collection and group are."""
    codes = np.zeros(len(rows), np.int64)
    for name in ("collection", "group"):
        column = rows[name].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = np.unique(np.stack([codes, column]), axis=1, return_inverse=True)[1].reshape(-1)
    return codes


def _inside(pictures: Pictures, groups: np.ndarray, rows: np.ndarray) -> int:
    """Pairs of equal pixels in one group."""
    table = np.column_stack([np.ascontiguousarray(pictures.digests[rows]).view("<i8").reshape(-1, 4), groups[rows]])
    _, sizes = np.unique(table, axis=0, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())
