"""Parts of an evaluation on disk: what was predicted of each, and in which size the model saw the pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...schema.disk import read_json, write_json, write_parquet
from ...schema.errors import UsageError
from ..prediction import Prediction, predictions_of, table
from .plan import Part

PREDICTIONS, SIZES, FOLDER = "predictions.parquet", "seen-sizes.json", "parts"
Sizes = Mapping[tuple[int, int], tuple[int, int]]
"""Height and width in px of a stored picture → of what the model's processor made of it."""


def write(out: Path, part: Part, predictions: Sequence[Prediction], sizes: Sizes) -> None:
    """Keep a part, whole or not at all."""
    plain = json.dumps(_plain(sizes))
    write_parquet(out / FOLDER / part.file, table(predictions).replace_schema_metadata({"seen_sizes": plain}))


def done(out: Path, part: Part) -> bool:
    """Whether a part is there with a reply to everything: what got none is asked again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out / FOLDER / part.file
    try:
        return path.is_file() and not any(pq.read_table(path, columns=["error"])["error"].to_pylist())
    except pa.ArrowInvalid:  # a machine that went down left half a file
        return False


def merge(out: Path, parts: Iterable[Part]) -> list[Prediction]:
    """Write `predictions.parquet` of all parts; what it holds. Parts go when nothing is left to ask."""
    import pyarrow.parquet as pq

    found, sizes = list[Prediction](), list[tuple[tuple[int, int], tuple[int, int]]]()
    for part in parts:
        rows = pq.read_table(out / FOLDER / part.file)
        found += predictions_of(rows)
        sizes += _sizes(json.loads((rows.schema.metadata or {}).get(b"seen_sizes", b"[]"))).items()
    write_json(out / SIZES, _plain(dict(sizes)))
    write_parquet(out / PREDICTIONS, table(found))
    if not any(one.error for one in found):
        shutil.rmtree(out / FOLDER)
    return found


def merged(out: Path) -> list[Prediction] | None:
    """What `predictions.parquet` holds, None where it isn't there.

    Raises:
        UsageError: it isn't what an evaluation wrote.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out / PREDICTIONS
    try:
        return predictions_of(pq.read_table(path)) if path.is_file() else None
    except (pa.ArrowInvalid, KeyError) as error:
        expected = "what an evaluation wrote; put it back, or evaluate with --fresh"
        raise UsageError(f"{path}: can't be read ({str(error).splitlines()[0]}); expected {expected}") from error


def sizes_of(out: Path) -> Sizes:
    """Sizes in which pictures were seen."""
    return _sizes(read_json(out / SIZES) or [])


def _plain(sizes: Sizes) -> list[list[int]]:
    return sorted([*stored, *seen] for stored, seen in sizes.items())


def _sizes(plain: Sequence[Sequence[int]]) -> dict[tuple[int, int], tuple[int, int]]:
    return {(one[0], one[1]): (one[2], one[3]) for one in plain}
