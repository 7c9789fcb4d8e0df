"""Rows of a release, read by the byte ranges that its index gives."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tarfile import BLOCKSIZE
from typing import Any

import orjson
from PIL import Image

from .errors import ReleaseError
from .shard import QUESTIONS, questions_begin, questions_size
from .shard_bytes import LocalShards, ShardBytes, Span

Place = Mapping[str, Any]
"""Where a sample lies: key, shard, and offset and size of image and json; no image where its pixels are withheld."""
GUESS = BLOCKSIZE + (15 << 10)
"""Bytes read behind a record for its questions, so that few need a second read."""
FIRST_RUN, LARGEST_RUN = 256 << 10, 8 << 20
"""Bytes of samples that are read at once from a stream: few first, for whoever wants few, then twice as many, and so on."""
LONGEST_RUN = 256


def read_row(shards: ShardBytes | Path, place: Place, *, embeds: bool = False) -> dict[str, Any]:
    """One row as `load_dataset` gives it, from its byte ranges; with `embeds` also the questions that its shard holds.

    Raises:
        ReleaseError: the shard isn't there, or is shorter than the index says.
    """
    [row] = read_rows(LocalShards(shards) if isinstance(shards, Path) else shards, [place], embeds=embeds)
    return row


def read_rows(shards: ShardBytes, places: Sequence[Place], *, embeds: bool = False, rgb: bool = False) -> list[dict[str, Any]]:
    """Rows of any shards, in the order of the places, with their images decoded, as they are or in RGB."""
    return [row | {"image": picture_of(row, rgb=rgb)} for row in coded_rows(shards, places, embeds=embeds)]


def picture_of(row: Mapping[str, Any], *, rgb: bool = False) -> Image.Image | None:
    """The decoded image of a coded row, as it is or in RGB: while it is at hand that costs least."""
    if row["image"] is None:
        return None
    picture = Image.open(io.BytesIO(row["image"]["bytes"]))
    picture.load()
    return picture.convert("RGB") if rgb and picture.mode != "RGB" else picture


def coded_rows(shards: ShardBytes, places: Sequence[Place], *, embeds: bool = False) -> list[dict[str, Any]]:
    """Rows with their images still coded: given a PIL image, `datasets` would code it again, and a JPEG would lose."""
    groups: dict[str, list[int]] = {}
    for number, place in enumerate(places):
        groups.setdefault(place["shard"], []).append(number)
    found: list[dict[str, Any]] = [{}] * len(places)

    def read(shard: str) -> None:
        numbers = groups[shard]
        for number, row in zip(numbers, _of_shard(shards, [places[one] for one in numbers], embeds), strict=True):
            found[number] = row

    if len(groups) == 1 or shards.ahead == 1:
        for shard in groups:
            read(shard)
    else:
        with ThreadPoolExecutor(min(shards.ahead, len(groups))) as pool:
            list(pool.map(read, groups))
    return found


def streamed_rows(shards: ShardBytes, places: Iterable[Place], *, embeds: bool = False) -> Iterator[dict[str, Any]]:
    """`coded_rows` of however many places, a run at a time; from afar, the next runs are read meanwhile."""
    if shards.ahead == 1:
        for run in _runs(places):
            yield from coded_rows(shards, run, embeds=embeds)
        return
    waiting: deque[Future[list[dict[str, Any]]]] = deque()
    pool = ThreadPoolExecutor(shards.ahead // 2)
    try:
        for run in _runs(places):
            waiting.append(pool.submit(coded_rows, shards, run, embeds=embeds))
            if len(waiting) == shards.ahead // 2:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _runs(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Places in lists of one shard each, and of no more bytes than are to be held."""
    run: list[Place] = []
    held, most = 0, FIRST_RUN
    for place in places:
        size = (place["image_size"] or 0) + place["json_size"]
        if run and (place["shard"] != run[0]["shard"] or held + size > most or len(run) == LONGEST_RUN):
            yield run
            run, held, most = [], 0, min(2 * most, LARGEST_RUN)
        run.append(place)
        held += size
    if run:
        yield run


def _of_shard(shards: ShardBytes, places: Sequence[Place], embeds: bool) -> Iterator[dict[str, Any]]:
    shard = places[0]["shard"]
    spans = [span for place in places for span in _spans(place, embeds)]
    bodies = iter(shards.read(shard, spans))
    address = shards.address(shard)
    for place in places:
        image, record = next(bodies), next(bodies)
        if len(image) != (place["image_size"] or 0) or len(record) != place["json_size"]:
            found = f"{address}: ends before {place['key']} does"
            raise ReleaseError(f"{found}; expected a shard as long as the index says; see `medloom check`")
        row = {
            "image": None if place["image_size"] is None else {"bytes": image, "path": None},
            "json": orjson.loads(record),
            "__key__": place["key"],
            "__url__": address,
        }
        yield row | {QUESTIONS: _questions(shards, place, next(bodies))} if embeds else row


def _spans(place: Place, embeds: bool) -> list[Span]:
    end = place["json_offset"] + place["json_size"]
    found = [(place["image_offset"] or 0, place["image_size"] or 0), (place["json_offset"], place["json_size"])]
    return [*found, (questions_begin(end), GUESS)] if embeds else found


def _questions(shards: ShardBytes, place: Place, behind: bytes) -> list[dict[str, Any]] | None:
    """The rows of the questions that lie behind the record; None where there are none, as of a source without questions."""
    size = questions_size(behind, place["key"])
    if size is None:
        return None
    body = behind[BLOCKSIZE : BLOCKSIZE + size]
    if len(body) < size:
        begin = questions_begin(place["json_offset"] + place["json_size"]) + BLOCKSIZE
        [body] = shards.read(place["shard"], [(begin, size)])
    return orjson.loads(body)
