"""Frames come in order, every n-th, and a broken file gives what decodes or a reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from medloom.builders.formats import video
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

COUNT = 20


def read(path: Path, *, every_nth: int = 1):
    issues: list[Issue] = []
    found = list(video.read([path], reading=Reading(every_nth=every_nth), report=issues.append))
    return found, [issue.code for issue in issues]


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """20 frames of 64×48 px, RGB (12 n, 60, 200) below eight rows of noise."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(COUNT):
        frame = np.full((48, 64, 3), (200, 60, 12 * number), np.uint8)
        frame[:8] = rng.integers(0, 255, (8, 64, 3))
        writer.write(frame)
    writer.release()
    return path


@pytest.mark.parametrize("every_nth", [1, 3, 50])
def test_every_nth_frame_in_rgb(clip, every_nth):
    found, issues = read(clip, every_nth=every_nth)
    assert [one.index for one in found] == list(range(0, COUNT, every_nth))
    assert issues == []
    for one in found:
        assert (one.pixels.shape, one.pixels.dtype, one.axis) == ((48, 64, 3), np.uint8, "frame")
        np.testing.assert_allclose(one.pixels[20:].mean(axis=(0, 1)), [12 * one.index, 60, 200], atol=4)
    assert found[0].decoder.startswith("OpenCV ")
    assert (found[0].raw_format, found[0].values) == ("avi", "rgb")


def test_frames_stream_one_by_one(clip):
    frames = video.read([clip], reading=Reading(), report=lambda issue: pytest.fail(str(issue)))
    assert next(frames).index == 0
    frames.close()


def test_a_truncated_video_keeps_what_decodes(clip, tmp_path):
    whole = clip.read_bytes()
    path = tmp_path / "half.avi"
    path.write_bytes(whole[: len(whole) // 2])
    found, issues = read(path)
    assert 3 < len(found) < COUNT
    assert issues == ["truncated"]
    whole_frames, _ = read(clip)
    for one, truth in zip(found, whole_frames, strict=False):
        np.testing.assert_array_equal(one.pixels, truth.pixels)


def test_no_video_is_unreadable(clip, tmp_path):
    playlist = b"#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n"
    for content in (b"", b"nothing" * 99, playlist, clip.read_bytes()[:300], b"\x00\x00\x00\x18ftypmp42" + bytes(200)):
        (tmp_path / "a.avi").write_bytes(content)
        with pytest.raises(UnreadableError):
            read(tmp_path / "a.avi")


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_animated_pictures_give_their_frames(tmp_path, kind):
    frames = [Image.fromarray(np.full((9, 8, 3), (value, 0, 255 - value), np.uint8)) for value in (0, 60, 120, 180, 240)]
    path = tmp_path / f"a.{kind}"
    options = {"lossless": True} if kind == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    found, issues = read(path, every_nth=2)
    assert [one.index for one in found] == [0, 2, 4]
    assert issues == []
    for one in found:
        np.testing.assert_allclose(one.pixels, np.array(frames[one.index]), atol=3)


def test_a_cut_animation_is_truncated_or_unreadable(tmp_path):
    rng = np.random.default_rng(5)
    frames = [Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8)) for _ in range(6)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found, issues = read(path)
    assert 1 <= len(found) < 6
    assert issues == ["truncated"]
    path.write_bytes(whole[:200])
    with pytest.raises(UnreadableError):
        read(path)
