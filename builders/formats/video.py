"""Videos and animated pictures to RGB frames, every n-th, one at a time.

FFmpeg decodes, through cv2. Only containers are opened: a playlist or script would let a file name other files, or hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...schema.errors import Issue, UnreadableError
from ..picture import Picture, Report
from ..source import Reading
from .channels import without_alpha
from .raster import PILLOW_FAULTS, decoder_of, opened
from .signature import MAX_PIXELS, kind_of, not_empty

CONTAINERS = (
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x00\x00\x01\xb3", "mpeg"),
    (0, b"\x30\x26\xb2\x75", "asf"),
    (0, b"FLV\x01", "flv"),
    (0, b"OggS", "ogg"),
)
ANIMATIONS = ("gif", "webp", "png")


def read(paths: Sequence[Path], *, reading: Reading, report: Report) -> Iterator[Picture]:
    """Every `reading.every_nth` frame from the first, uint8 H×W×3 RGB; `index` is the frame's number in its file.

    A video that ends before the count in its header gives what decodes, and a `truncated` issue; the last frame is left
    out then, since FFmpeg gives the half of a frame that is there.

    Raises:
        UnreadableError: empty, no video, or no frame decodes.
    """
    for path in paths:
        kind = _kind(path)
        frames = _animation if kind in ANIMATIONS else _video
        yield from frames(path, kind, every_nth=reading.every_nth, report=report)


def _kind(path: Path) -> str:
    not_empty(path)
    with path.open("rb") as stream:
        head = stream.read(400)
    kind = kind_of(head)
    if kind in ANIMATIONS:
        return kind
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[0:1] == b"G" and head[188:189] == b"G":
        return "mpeg-ts"
    for at, magic, name in CONTAINERS:
        if head.startswith(magic, at):
            return name
    found = f"content {head[:8].hex()}…"
    expected = "AVI, MP4, Matroska, MPEG, ASF, FLV, Ogg, or an animated GIF, WebP or PNG"
    raise UnreadableError(found, expected=expected, where=path.name)


def _video(path: Path, kind: str, *, every_nth: int, report: Report) -> Iterator[Picture]:
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise UnreadableError("a video that can't be opened", expected=f"a whole {kind} file", where=path.name)
        claimed = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        _check_size(capture, path.name)
        turned = capture.get(cv2.CAP_PROP_ORIENTATION_META)
        notes = (f"rotation-{turned:.0f}-applied",) if turned else ()
        count, held = 0, None
        while capture.grab():
            if held is not None:
                yield held
            held = None
            if count % every_nth == 0:
                decoded, frame = capture.retrieve()
                if not decoded:
                    break
                pixels = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
                held = _picture(pixels, count, kind, decoder=_ffmpeg(), notes=notes)
            count += 1
    finally:
        capture.release()
    if not count:
        raise UnreadableError("a video without frames", expected="at least one frame that decodes", where=path.name)
    truncated = _report_truncated(path, count, claimed, report)
    if held is not None and not (truncated and count > 1):
        yield held


def _check_size(capture: Any, where: str) -> None:
    import cv2

    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if width * height > MAX_PIXELS:
        found = f"frames of {width:.0f}×{height:.0f} px"
        raise UnreadableError(found, expected=f"at most {MAX_PIXELS} px", where=where, code="absurd-size")


def _report_truncated(path: Path, count: int, claimed: float, report: Report) -> bool:
    """Whether frames are missing; containers without an index estimate, so one frame, or one in a hundred, may lack."""
    missing = 0 < claimed < 1e9 and count < claimed - max(1, claimed // 100)
    if missing:
        found, expected = f"{count} frames that decode", f"{claimed:.0f}, as the header says"
        report(Issue("truncated", path.name, found, expected, "frames before the break were kept, a partial one wasn't"))
    return missing


def _animation(path: Path, kind: str, *, every_nth: int, report: Report) -> Iterator[Picture]:
    """Frames of an animated picture, each composed as it is shown, on black."""
    with opened(path.read_bytes(), kind, path.name) as image:
        claimed = getattr(image, "n_frames", 1)
        for index in range(0, claimed, every_nth):
            try:
                image.seek(index)
                frame = image.convert("RGBA")
            except PILLOW_FAULTS:
                if index == 0:
                    raise
                _report_truncated(path, index, claimed + 2, report)
                return
            yield _picture(without_alpha(np.array(frame))[0], index, kind, decoder=decoder_of(kind), notes=())


def _picture(pixels: np.ndarray, index: int, kind: str, *, decoder: str, notes: tuple[str, ...]) -> Picture:
    return Picture(
        pixels=np.ascontiguousarray(pixels),
        axis="frame",
        index=index,
        values="rgb",
        raw_format=kind,
        decoder=decoder,
        transformations=notes,
    )


def _ffmpeg() -> str:
    import cv2

    return f"OpenCV {cv2.__version__} (FFmpeg)"
