"""The size that real Qwen processors make of a picture, in the job that has torchvision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medloom.train.coordinates import seen_size

pytest.importorskip("torchvision", reason="torchvision absent: the vision job has it")


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl"])
def test_a_saved_processor_gives_the_grid_that_is_expected(family: str, tmp_path: Path):
    from tiny_models import tiny
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny(family, tmp_path / "model", ["A picture."]))
    seen, images = seen_size(processor), processor.image_processor
    for height, width in ((64, 64), (100, 300), (33, 200), (511, 140), (40, 41)):
        picture = Image.fromarray(np.zeros((height, width, 3), np.uint8))
        grid = images(images=[picture], return_tensors="pt")["image_grid_thw"][0].tolist()
        assert tuple(one * images.patch_size for one in grid[1:]) == seen((height, width))
        assert seen((height, width)) != (height, width) or (height, width) == (64, 64)


@pytest.mark.parametrize("patch", [14, 16])
def test_the_torchvision_image_processor_with_published_bounds(patch: int):
    from transformers import Qwen2VLImageProcessor

    images = Qwen2VLImageProcessor(patch_size=patch, min_pixels=3136, max_pixels=1003520)
    seen = seen_size(images)
    for height, width in ((480, 640), (20, 20), (1000, 999), (3000, 1200), (57, 2000)):
        picture = Image.fromarray(np.zeros((height, width, 3), np.uint8))
        grid = images(images=[picture], return_tensors="pt")["image_grid_thw"][0].tolist()
        assert tuple(one * patch for one in grid[1:]) == seen((height, width))
