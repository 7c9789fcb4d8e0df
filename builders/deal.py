"""Plan and deal: from the parts' rows alone to the pieces of a release, without encoding anything again."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..schema.record import with_split
from ..schema.withdrawn import REASON, Withdrawn
from .parts import PartReader, rows_of
from .pieces import Contents, Piece, Staging, pieces, write
from .shards import TARGET_BYTES
from .split import EXCLUDED, Fate, decide

_NEEDED = ["key", "part", "offset", "image_size", "json_size", "exclusion"]
"""What a worker reads samples by; the plan's other columns stay with it."""


@dataclass(frozen=True, slots=True)
class Hand:
    """A piece and the parts that hold its samples."""

    piece: Piece
    parts: Path


def plan(parts: Path, numbers: range, withdrawn: Withdrawn | None = None) -> tuple[pa.Table, Fate, list[str]]:
    """Every sample of the source in key order, its fate, and the keys that came twice (the first stands).

    What was withdrawn takes part in the decision, so that its going moves nobody else, and is then excluded.
    """
    rows = rows_of(parts, numbers).sort_by([("key", "ascending"), ("part", "ascending"), ("offset", "ascending")])
    keys = _codes(rows["key"])
    first = np.diff(keys, prepend=-1) != 0
    repeated = pc.unique(rows.filter(pa.array(~first))["key"]).to_pylist()
    rows = rows.filter(pa.array(first))
    fate = decide(
        groups=_codes(rows["group"]),
        shares=rows["share"].to_numpy(),
        original=rows["original_split"].to_numpy(zero_copy_only=False).astype("U"),
        pixels=_codes(rows["pixel_sha256"]),
        blank=rows["blank"].to_numpy(zero_copy_only=False).astype(bool),
    )
    return rows, fate if withdrawn is None else _without(rows, fate, withdrawn), repeated


def _without(rows: pa.Table, fate: Fate, withdrawn: Withdrawn) -> Fate:
    named = ((rows["key"], withdrawn.keys), (rows["group"], withdrawn.groups))
    gone = [pc.is_in(column, pa.array(sorted(some), pa.string())).to_numpy() for column, some in named]
    out = gone[0] | gone[1]
    return Fate(np.where(out, EXCLUDED, fate.split), np.where(out, REASON, fate.reason))


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """A number per distinct text, in the order in which they come: 4 bytes a row instead of the text's."""
    return column.combine_chunks().dictionary_encode().indices.to_numpy()


def hands(
    rows: pa.Table, fate: Fate, *, source: str, parts: Path, staging: Staging, target_bytes: int = TARGET_BYTES
) -> Iterator[Hand]:
    """The shards to write, in the order of their paths; the excluded last."""
    rows = rows.append_column("split", pa.array(fate.split)).append_column("exclusion", pa.array(fate.reason))
    out = pc.equal(rows["split"], EXCLUDED)
    standing = rows.filter(pc.invert(out)).select([*_NEEDED, "split", "subsets"])
    number = 0
    for piece in pieces(standing, staging, source=source, target_bytes=target_bytes):
        number = piece.number + 1
        yield Hand(piece, parts)
    left_out = rows.filter(out).select(_NEEDED).combine_chunks()
    if len(left_out):
        yield Hand(Piece(number, staging, None, EXCLUDED, (), left_out), parts)


def deal(hand: Hand) -> dict[str, Any]:
    """Write one piece from its parts; what the recipe says of it. Done already: just that."""
    return write(hand.piece, _contents(hand))


def _contents(hand: Hand) -> Contents:
    with PartReader(hand.parts) as parts:
        for row in hand.piece.rows.to_pylist():
            sizes = {name: row[name] for name in ("image_size", "json_size")}
            image, unsplit = parts.read(row["part"], row["offset"], **sizes)
            yield row["key"], image, unsplit if hand.piece.shard is None else with_split(unsplit, hand.piece.split)
