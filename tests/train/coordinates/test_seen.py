"""What a processor makes of a picture's size, against the library's own rule."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.train.coordinates.seen import QWEN2_5_VL, Resized, as_stored, seen_size


@given(st.integers(28, 6000), st.integers(28, 6000), st.sampled_from([28, 32]), st.integers(1, 6), st.integers(8, 20000))
@settings(deadline=None)
def test_sizes_are_those_of_the_librarys_own_function(height: int, width: int, factor: int, least: int, most: int):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    bounds = least * factor * factor, most * factor * factor
    if max(height, width) / min(height, width) > 200:
        return
    expected = smart_resize(height, width, factor=factor, min_pixels=bounds[0], max_pixels=bounds[1])
    assert Resized(factor, *bounds)((height, width)) == expected


def test_the_bounds_come_from_the_processor():
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    images = Qwen2VLImageProcessorPil(min_pixels=4 * 784, max_pixels=100 * 784)
    seen = seen_size(SimpleNamespace(image_processor=images))
    assert seen == Resized(28, 4 * 784, 100 * 784)
    assert seen_size(images) == seen
    assert seen((1000, 2000)) == (196, 392)
    assert pickle.loads(pickle.dumps(seen))((1000, 2000)) == (196, 392)


def test_the_real_image_processor_gives_that_grid_of_patches():
    """Each entry of the grid is 14 px of the resized picture."""
    import numpy as np
    from PIL import Image
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    images = Qwen2VLImageProcessorPil(min_pixels=4 * 784, max_pixels=64 * 784)
    for height, width in ((56, 56), (100, 300), (511, 512), (7, 90), (640, 29), (28, 28)):
        picture = Image.fromarray(np.zeros((height, width, 3), np.uint8))
        grid = images(images=[picture], return_tensors="np")["image_grid_thw"][0]
        assert tuple(14 * int(one) for one in grid[1:]) == seen_size(images)((height, width))


@pytest.mark.parametrize(
    "images",
    [
        SimpleNamespace(size={"shortest_edge": 28}),
        SimpleNamespace(size={"height": 28, "width": 28}, patch_size=7),
        SimpleNamespace(size={"shortest_edge": 1, "longest_edge": 2}, patch_size=14, merge_size=2, do_resize=False),
        SimpleNamespace(),
    ],
)
def test_other_processors_are_taken_as_not_resizing(images: SimpleNamespace):
    assert seen_size(SimpleNamespace(image_processor=images)) is as_stored
    assert as_stored((10, 20)) == (10, 20)


def test_the_published_bounds_leave_common_pictures_near_their_size():
    assert QWEN2_5_VL((480, 640)) == (476, 644)
    assert QWEN2_5_VL((20, 20)) == (56, 56)
