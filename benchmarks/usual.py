"""The script that people write today: nibabel, a loop over slices, Pillow with its defaults, loose files.

The picture is the same window as a build's, so the quality is equal; masks are one PNG per label and slice.
"""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image


def volumes(raw: Path, out: Path, *, mode: str = "RGB") -> int:
    """CT volumes with label maps to a folder of pictures, masks and a JSON; the number of slices."""
    out.mkdir(parents=True, exist_ok=True)
    records = []
    for path in sorted((raw / "images").glob("*.nii.gz")):
        image = nibabel.load(path).get_fdata()
        labels = nibabel.load(raw / "labels" / path.name).get_fdata()
        for index in range(image.shape[2]):
            window = (np.clip(image[:, :, index], -160, 240) + 160) / 400 * 255
            name = f"{path.name[:-7]}_{index:04d}"
            picture = Image.fromarray(np.rot90(window).astype(np.uint8))
            picture.convert(mode).save(out / f"{name}.png")
            found = []
            for value in np.unique(labels[:, :, index]):
                if value:
                    mask = np.rot90(labels[:, :, index] == value).astype(np.uint8) * 255
                    Image.fromarray(mask).save(out / f"{name}_{int(value)}.png")
                    found.append(int(value))
            records.append({"image": f"{name}.png", "labels": found})
    (out / "records.json").write_text(json.dumps(records))
    return len(records)
