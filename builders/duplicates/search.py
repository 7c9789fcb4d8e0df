"""Which pictures' hashes lie near each other: an inverted file of Faiss over 256-bit hashes.

Every picture asks with the hashes of its windows for the whole of others. Cost grows close to linearly, because
- pictures of one hash, however many, ask once. Each is paired with the first of them, and with its neighbour in order, not
  with all;
- each question looks at `PROBES` of some 8·√n lists. A list's centre is one of the hashes, so that nothing is trained, and
  the lists depend on the set of hashes alone: not on their order, a seed, or the number of threads;
- an answer has at most `ANSWERS` neighbours. Slices of a volume and frames of a video resemble each other and could fill
  it with their own group, whose pairs nobody asks for: then the question is put again with room for more, up to a limit,
  and what still fills the room is counted (`Candidates.crowded`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from .descriptor import CANDIDATE_BITS, HASH_BITS, HASH_BYTES, WHOLE

Views = Callable[[np.ndarray], np.ndarray]
"""Rows (int64) → n×W×32 uint8: the hashes of these pictures within each window, the whole first."""
Progress = Callable[[int, int], None]
"""Called with pictures done, and pictures in all."""

PROBES = 8
ANSWERS = (8, 64, 512)
"""Room for neighbours, at first and where it was filled."""
EXHAUSTIVE_BELOW = 4096
"""Fewer hashes than this are compared with all."""
_BLOCK = 4096
_LISTS_PER_ROOT = 8


@dataclass(frozen=True, slots=True)
class Side:
    """One set of pictures to search in."""

    hashes: np.ndarray
    """N×32 uint8, of the whole pictures."""
    groups: np.ndarray | None = None
    """N integers: pictures with equal ones are never paired. None: every picture stands alone."""
    views: Views | None = None
    """Hashes of windows, where pixels are there; None compares whole pictures alone."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of rows that may show the same picture, sorted by (i, j), each once."""

    i: np.ndarray
    """int64 rows of the first side."""
    j: np.ndarray
    """int64 rows of the second side; of the same side, where there is one, and then i < j."""
    distance: np.ndarray
    """int64: bits that differ, in the best window."""
    window: np.ndarray
    """int64: which window matched, counted as in `views`."""
    cut_first: np.ndarray
    """Whether the window was cut from i (then j looks like a crop of i) or from j."""
    same_group: int = 0
    """Pairs of hashes that were near, but whose pictures all belong to one group."""
    crowded: int = 0
    """Pictures with more neighbours than the largest of `ANSWERS`."""
    asked: int = 0
    """Questions put to the index."""

    def __len__(self) -> int:
        return len(self.i)


def candidates(
    first: Side,
    second: Side | None = None,
    *,
    max_bits: int = CANDIDATE_BITS,
    threads: int = 1,
    progress: Progress | None = None,
) -> Candidates:
    """Pairs within one side, or across two, whose hashes differ by at most `max_bits` in some window of either picture."""
    one = _Bunches.of(first)
    other = one if second is None else _Bunches.of(second)
    report = progress or (lambda *_: None)
    total = len(one.hashes) + (0 if second is None else len(other.hashes))
    options = {"max_bits": max_bits, "threads": threads}
    found = _Asked.of(one, other, **options, report=lambda done: report(done, total))
    if second is not None:
        back = _Asked.of(other, one, **options, report=lambda done: report(len(one.hashes) + done, total))
        found = found.joined(back)
    return _paired(one, other, found, within=second is None)


def equal(first: Side, second: Side | None = None) -> Candidates:
    """Pairs within one side, or across two, whose hashes (any of 32 bytes, such as SHA-256) are the same, none searched for.

    Every picture that has such a partner is in at least one pair, not in all: pairs grow with the pictures.
    """
    one = _Bunches.of(first)
    other = one if second is None else _Bunches.of(second)
    asking = answering = np.zeros(0, np.int64)
    if second is not None:
        views = (np.ascontiguousarray(side.hashes).view(f"V{HASH_BYTES}").ravel() for side in (one, other))
        _, asking, answering = np.intersect1d(*views, assume_unique=True, return_indices=True)
    zeros = np.zeros(len(asking), np.int64)
    found = _Asked(asking, answering, zeros, zeros, zeros.astype(bool), crowded=0, asked=0)
    return _paired(one, other, found, within=second is None, chained=False)


@dataclass(frozen=True, slots=True)
class _Bunches:
    """The distinct hashes of a side, sorted, and who has each.

    Within a bunch rows are sorted by group, then row. `rivals` is the first member of another group than the first one's,
    or the first again where there is none.
    """

    side: Side
    hashes: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    groups: np.ndarray
    rivals: np.ndarray

    @classmethod
    def of(cls, side: Side) -> _Bunches:
        groups = np.arange(len(side.hashes)) if side.groups is None else np.asarray(side.groups)
        packed = np.ascontiguousarray(side.hashes, np.uint8).reshape(-1, HASH_BYTES)
        words = packed.view(">u8").astype(np.uint64)
        order = np.lexsort((np.arange(len(groups)), groups, *words.T[::-1]))
        changed = (words[order][1:] != words[order][:-1]).any(1)
        starts = np.concatenate([[0], np.flatnonzero(changed) + 1, [len(order)]]) if len(order) else np.zeros(1, np.int64)
        another = np.flatnonzero(groups[order][1:] != groups[order][:-1]) + 1 if len(order) else starts
        follower = np.append(another, len(order))[np.searchsorted(another, starts[:-1], side="right")]
        rivals = np.where(follower < starts[1:], follower, starts[:-1])
        return cls(side, packed[order[starts[:-1]]], order, starts, groups, rivals)

    @property
    def first(self) -> np.ndarray:
        """Row of the first member of each bunch."""
        return self.order[self.starts[:-1]]

    def partner(self, bunches: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
        """For each bunch the row of its first member; of another group than the one given, where there is one."""
        first = self.first[bunches]
        if groups is None:
            return first
        return np.where(self.groups[first] != groups, first, self.order[self.rivals[bunches]])

    def questions(self, bunches: np.ndarray) -> np.ndarray:
        """n×W×32 hashes of the windows of the bunches' first members."""
        if self.side.views is None:
            return self.hashes[bunches][:, None]
        found = self.side.views(self.first[bunches]).copy()
        found[:, WHOLE] = self.hashes[bunches]
        return found

    def members(self, bunches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of all members of some bunches, and for each the position of its bunch in `bunches`."""
        sizes = self.starts[bunches + 1] - self.starts[bunches]
        owner = np.repeat(np.arange(len(bunches)), sizes)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self.order[self.starts[bunches][owner] + within], owner


@dataclass(frozen=True, slots=True)
class _Asked:
    """Near bunches, each ordered pair (asking, answering) once with its best window."""

    asking: np.ndarray
    answering: np.ndarray
    distance: np.ndarray
    window: np.ndarray
    swapped: np.ndarray
    """True where the asking bunch is of the second side."""
    crowded: int
    asked: int

    @classmethod
    def of(cls, one: _Bunches, other: _Bunches, *, max_bits: int, threads: int, report: Callable[[int], None]) -> _Asked:
        parts, crowded, asked = [np.zeros((4, 0), np.int64)], 0, 0
        if len(one.hashes) and len(other.hashes):
            task = _Task(one, other, _index(other.hashes), max_bits)
            for near, full, questions, done in _mapped(task, range(0, len(one.hashes), _BLOCK), threads=threads):
                parts.append(near)
                crowded, asked = crowded + full, asked + questions
                report(done)
        found = np.concatenate(parts, axis=1)
        return cls(found[0], found[1], found[2], found[3], np.zeros(found.shape[1], bool), crowded, asked)

    def joined(self, back: _Asked) -> _Asked:
        """With the answers of the other direction, turned round."""
        return _Asked(
            asking=np.concatenate([self.asking, back.answering]),
            answering=np.concatenate([self.answering, back.asking]),
            distance=np.concatenate([self.distance, back.distance]),
            window=np.concatenate([self.window, back.window]),
            swapped=np.concatenate([self.swapped, ~back.swapped]),
            crowded=self.crowded + back.crowded,
            asked=self.asked + back.asked,
        )


@dataclass(frozen=True, slots=True)
class _Task:
    """What every block of bunches asks, and whom."""

    one: _Bunches
    other: _Bunches
    index: Any
    max_bits: int

    def __call__(self, at: int) -> tuple[np.ndarray, int, int, int]:
        """Near bunches of a block, how many were crowded, how many questions were asked, and where it ends."""
        bunches = np.arange(at, min(at + _BLOCK, len(self.one.hashes)))
        questions = self.one.questions(bunches)
        near, full = _near(self.index, questions, max_bits=self.max_bits)
        near[0] += at
        if self.one is self.other:
            near = near[:, near[0] != near[1]]
        return _best(near), full, questions.shape[0] * questions.shape[1], int(bunches[-1]) + 1


def _mapped(task: _Task, blocks: Iterable[int], *, threads: int) -> Iterator[tuple[np.ndarray, int, int, int]]:
    """The task's answers in order. One thread of Faiss each: its own team would wait for the slowest at every block."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with ThreadPoolExecutor(max(1, threads), initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(task, blocks)
    finally:
        faiss.omp_set_num_threads(before)


def _index(hashes: np.ndarray):
    """An index of Faiss over distinct, sorted hashes."""
    import faiss

    if len(hashes) < EXHAUSTIVE_BELOW:
        index = faiss.IndexBinaryFlat(HASH_BITS)
    else:
        lists = int(_LISTS_PER_ROOT * len(hashes) ** 0.5)
        centres = hashes[np.sort(np.random.default_rng(0).choice(len(hashes), lists, replace=False))]
        quantizer = faiss.IndexBinaryFlat(HASH_BITS)
        quantizer.add(centres)
        index = faiss.IndexBinaryIVF(quantizer, HASH_BITS, lists)
        index.nprobe = PROBES
        index.train(centres)
    index.add(hashes)
    return index


def _near(index, questions: np.ndarray, *, max_bits: int) -> tuple[np.ndarray, int]:
    """4×M of (picture, bunch, distance, window) within `max_bits`, and how many pictures had no room left."""
    windows = questions.shape[1]
    flat = np.ascontiguousarray(questions.reshape(-1, HASH_BYTES))
    open_, parts = np.arange(len(flat)), [np.zeros((4, 0), np.int64)]
    for room in ANSWERS:
        room = min(room, index.ntotal)
        distance, answer = index.search(flat[open_], room)
        hit = (distance <= max_bits) & (answer >= 0)
        full = hit[:, -1] & (room < index.ntotal)
        # While there is more room to come, the full ones are asked again and give their answers then.
        done = ~full if room < min(ANSWERS[-1], index.ntotal) else np.ones(len(full), bool)
        row, place = np.nonzero(hit & done[:, None])
        asked = open_[row]
        parts.append(np.stack([asked // windows, answer[row, place], distance[row, place], asked % windows]))
        open_ = open_[full]
        if not len(open_):
            break
    return np.concatenate(parts, axis=1).astype(np.int64), len(np.unique(open_ // windows))


def _best(near: np.ndarray) -> np.ndarray:
    """Each (asking, answering) once, with its smallest distance, of equal ones in the first window."""
    near = near[:, np.lexsort((near[3], near[2], near[1], near[0]))]
    fresh = np.ones(near.shape[1], bool)
    fresh[1:] = (near[0, 1:] != near[0, :-1]) | (near[1, 1:] != near[1, :-1])
    return near[:, fresh]


def _paired(one: _Bunches, other: _Bunches, found: _Asked, *, within: bool, chained: bool = True) -> Candidates:
    """Bunches to pairs of pictures, in time and room that grow with the members, not with their product."""
    parts = [_between(one, other, found, within=within)]
    if within:
        parts.append(_inside(one, chained=chained))
    table = np.concatenate(parts, axis=1)
    same_group = 0
    if within:
        same_group = _lone(one, found)
        table = table[:, one.groups[table[0]] != one.groups[table[1]]]
        turned = table[0] > table[1]
        table[:2, turned] = table[1::-1, turned]
        table[4, turned] = 1 - table[4, turned]
    table = table[:, np.lexsort((1 - table[4], table[3], table[2], table[1], table[0]))]
    fresh = np.ones(table.shape[1], bool)
    fresh[1:] = (np.diff(table[:2]) != 0).any(0)
    i, j, distance, window, cut_first = table[:, fresh]
    counts = {"same_group": same_group, "crowded": found.crowded, "asked": found.asked}
    return Candidates(i=i, j=j, distance=distance, window=window, cut_first=cut_first.astype(bool), **counts)


def _between(one: _Bunches, other: _Bunches, found: _Asked, *, within: bool) -> np.ndarray:
    """5×M: every member of a bunch with one of the near bunch, and the other way round."""
    rows, owner = one.members(found.asking)
    ahead = np.stack([rows, other.partner(found.answering[owner], one.groups[rows] if within else None)])
    back, holder = other.members(found.answering)
    behind = np.stack([one.partner(found.asking[holder], other.groups[back] if within else None), back])
    owner = np.concatenate([owner, holder])
    facts = np.stack([found.distance[owner], found.window[owner], 1 - found.swapped[owner]])
    return np.concatenate([np.concatenate([ahead, behind], axis=1), facts]).astype(np.int64)


def _inside(one: _Bunches, *, chained: bool) -> np.ndarray:
    """5×M: in every bunch each member with the first of another group; chained, also with the one before it.

    Then a first that only shares the hash, and not the picture, doesn't part the others.
    """
    rows, owner = one.members(np.arange(len(one.hashes)))
    pairs = np.stack([one.partner(owner, one.groups[rows]), rows])
    if chained and len(rows):
        follows = np.flatnonzero(owner[1:] == owner[:-1])
        pairs = np.concatenate([pairs, np.stack([rows[follows], rows[follows + 1]])], axis=1)
    return np.concatenate([pairs, np.zeros_like(pairs), np.ones_like(pairs[:1])])


def _lone(one: _Bunches, found: _Asked) -> int:
    """How many pairs of near bunches hold, both together, one group only."""
    single = one.rivals == one.starts[:-1]
    group = one.groups[one.first]
    lone = single[found.asking] & single[found.answering] & (group[found.asking] == group[found.answering])
    pairs = np.sort(np.stack([found.asking[lone], found.answering[lone]]), axis=0)
    return np.unique(pairs, axis=1).shape[1]
