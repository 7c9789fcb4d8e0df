"""Groups that share pictures, joined: a cluster is what no protocol cuts.

Two groups are joined when a list of known duplicates links them, or when they hold the same pixels (blank and nearly
blank pictures apart, which many patients share). A sample that the build excluded is never used, but the picture it has
in common with another group still joins the two: it is most likely the same patient under two names.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Group = tuple[str, str]
"""Collection and group."""
_SEPARATOR = "\0"


@dataclass(frozen=True)
class Clusters:
    """The cluster of every row, numbered by the smallest group name in it."""

    of: np.ndarray
    """int64, one per row."""
    names: tuple[str, ...]
    """Collection and group of each cluster's smallest group, parted by a zero byte; ascending."""

    @property
    def collections(self) -> np.ndarray:
        """The collection of each cluster's smallest group."""
        return np.array([name.split(_SEPARATOR, 1)[0] for name in self.names], dtype=object)


def codes(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Each value's number in the ascending list of distinct values (int64, −1 for null), and that list."""
    encoded = pc.dictionary_encode(column)
    whole = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    order = pc.sort_indices(whole.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    numbers = pc.fill_null(whole.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return np.where(numbers >= 0, np.append(rank, -1)[numbers], -1), whole.dictionary.take(pa.array(order))


def clusters(samples: pa.Table, linked: Iterable[tuple[Group, Group]] = ()) -> Clusters:
    """The clusters of all rows of a samples index, excluded ones too."""
    group = pc.coalesce(samples["group"], samples["key"])
    number, names = codes(pc.binary_join_element_wise(samples["collection"], group, _SEPARATOR))
    left, right, total = _known(names, linked)
    twins = _same_pixels(samples, number)
    root = components(total, np.concatenate([left, twins[0]]), np.concatenate([right, twins[1]]))
    smallest, of = np.unique(root[number], return_inverse=True)
    return Clusters(of.astype(np.int64), tuple(names.take(pa.array(smallest)).to_pylist()))


def components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The smallest member of each node's connected component, int64; edge i joins left[i] and right[i].

    Every root hooks itself to the smallest root it meets, then paths are shortened; a chain falls together in a few
    rounds, where passing labels along it would need as many rounds as it is long.
    """
    root = np.arange(count)
    while len(left):
        a, b = root[left], root[right]
        apart = a != b
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        low = np.minimum(a, b)
        np.minimum.at(root, a, low)
        np.minimum.at(root, b, low)
        while not np.array_equal(shorter := root[root], root):
            root = shorter
    return root


def _known(names: pa.Array, linked: Iterable[tuple[Group, Group]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Both ends of the links as numbers, and the count of groups; a group without samples here still joins its neighbours."""
    pairs = [(_SEPARATOR.join(one), _SEPARATOR.join(other)) for one, other in linked]
    ends = pa.array([end for pair in pairs for end in pair], pa.string())
    number = pc.fill_null(pc.index_in(ends, value_set=names), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    strange = number < 0
    extra, values = codes(ends.filter(pa.array(strange)))
    number[strange] = len(names) + extra
    return number[::2], number[1::2], len(names) + len(values)


def _same_pixels(samples: pa.Table, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbouring groups of each set of equal pixel hashes."""
    telling = pc.invert(pc.fill_null(samples["provenance_low_information"], False)).to_numpy(zero_copy_only=False)
    pixels, _ = codes(samples["provenance_pixel_sha256"])
    kept = telling & (pixels >= 0)
    pixels, group = pixels[kept], group[kept]
    order = np.argsort(pixels, kind="stable")
    pixels, group = pixels[order], group[order]
    same = pixels[1:] == pixels[:-1]
    return group[:-1][same], group[1:][same]
