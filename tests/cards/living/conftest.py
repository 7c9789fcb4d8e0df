"""Two releases of one source: between them labels, regions, pixels, splits and texts changed in known ways."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medloom.builders.build import Options, build
from medloom.schema.shard import pairs

SOURCE = """
import json
import numpy as np
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Finding, Mark, Marks, Unit
from medloom.schema.labels import Label
from medloom.schema.region import rle_from_mask
from medloom.schema.sample import Subject
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="drawn", title="Drawn", homepage="https://example.org", licence="{licence}", licence_evidence="drawn by the test",
    citation="@misc{{drawn}}", cite="https://example.org", access=Access.GENERATED, group_kind="image",
    triplet=Triplet("CT", "lung", "unlabelled"), clinical_task="None", department="Pulmonary Medicine",
    closed_sets={{"kind": ("dark", "light")}},
)
LABELS = {{"dark": Label("nodule"), "light": Label("opacity"), "spot": Label("calcification")}}

def disc(x, y, w, h):
    mask = np.zeros((40, 60), np.uint8)
    mask[y:y + h, x:x + w] = 1
    return rle_from_mask(mask)

def read(raw):
    for image in raw.glob("*.png"):
        told = json.loads((raw.root / image.replace(".png", ".txt")).read_text())
        marks = [Mark(label=one, box_xyxy_px=tuple(box)) for one, box in told.get("boxes", ())]
        marks += [Mark(label=one, rle=disc(*box)) for one, box in told.get("masks", ())]
        marks += [Mark(label=one, points_px=tuple(map(tuple, points))) for one, points in told.get("points", ())]
        yield Unit(
            files=(image,), reader="raster", split=told["split"], findings=tuple(map(Finding, told.get("labels", ()))),
            targets=(Marks(tuple(marks)),) if marks else (), subject=Subject(age_years=told.get("age")),
        )

SOURCE = Source(
    facts=FACTS, labels=LABELS, read=read,
    layouts=(Layout(name="flat", expects=(Expect(pattern="*.png", what="pictures"),)),),
)
"""
PLAIN = {"split": "train", "labels": ["dark"], "age": 40.0}
OLD = {
    "same": PLAIN,
    "boxed": PLAIN | {"boxes": [["dark", [10, 10, 20, 20]], ["dark", [30, 5, 40, 15]]]},
    "masked": PLAIN | {"masks": [["light", [10, 10, 10, 10]]]},
    "renamed": PLAIN | {"boxes": [["dark", [10, 10, 20, 20]]]},
    "pointed": PLAIN | {"points": [["spot", [[5, 5]]]]},
    "relabelled": PLAIN,
    "moved": PLAIN,
    "older": PLAIN,
    "repainted": PLAIN,
    "gone": PLAIN,
    **{f"more-{number}": PLAIN | {"split": "test"} for number in range(12)},
}
NEW = {
    **{name: told for name, told in OLD.items() if name != "gone"},
    "boxed": PLAIN | {"boxes": [["dark", [30, 5, 40, 15]], ["dark", [12, 10, 22, 20]]]},
    "masked": PLAIN | {"masks": [["light", [10, 15, 10, 10]], ["light", [50, 30, 4, 4]]]},
    "renamed": PLAIN | {"boxes": [["light", [10, 10, 20, 20]]]},
    "pointed": PLAIN | {"points": [["spot", [[8, 9]]]]},
    "relabelled": PLAIN | {"labels": ["light"]},
    "moved": PLAIN | {"split": "test"},
    "older": PLAIN | {"age": 41.0},
    "come": PLAIN,
}


@dataclass(frozen=True)
class Versions:
    """The two releases, and the key of each picture."""

    old: Path
    new: Path
    keys: dict[str, str]

    def made(self, folder: Path, version: str, *, licence: str) -> Path:
        """The new release once more, under another licence."""
        return made(folder, version, NEW, licence=licence)


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp("versions")
    for version, told in (("old", OLD), ("new", NEW)):
        made(folder, version, told)
    return Versions(folder / "old/release", folder / "new/release", {name: key_of(folder, name) for name in {**OLD, **NEW}})


def made(folder: Path, version: str, told: dict[str, dict], *, licence: str = "CC0-1.0") -> Path:
    """A release of pictures drawn from their names."""
    (folder / version / "raw").mkdir(parents=True)
    for name, one in told.items():
        random = np.random.default_rng([*name.encode(), *(version.encode() if name == "repainted" else b"")])
        picture = random.integers(0, 255, (40, 60), np.uint8)
        Image.fromarray(picture).save(folder / version / "raw" / f"{name}.png")
        (folder / version / "raw" / f"{name}.txt").write_text(json.dumps(one))
    (folder / version / "drawn.py").write_text(SOURCE.format(licence=licence))
    options = Options(shard_bytes=20_000)
    build(str(folder / version / "drawn.py"), folder / version / "raw", folder / version / "release", options=options)
    return folder / version / "release"


def key_of(folder: Path, name: str) -> str:
    """The key that a build gave a picture."""
    with Image.open(next(iter(folder.glob(f"*/raw/{name}.png")))) as picture:
        wanted = np.asarray(picture)
    for shard in sorted(folder.glob("*/release/data/**/*.tar")):
        for key, image, _, _ in pairs(shard):
            if np.array_equal(np.asarray(Image.open(io.BytesIO(image))), wanted):
                return key
    raise AssertionError(name)
