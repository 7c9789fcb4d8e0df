"""Two drawn sources in one release with questions, and what their owners' downloads look like."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from medloom.builders.build import Options, build
from medloom.cards.publishing.stage import stage
from medloom.cards.rebuilding.choices import Choices
from medloom.cards.rebuilding.rebuild import rebuild
from medloom.generation.asking.ask import ask
from medloom.schema.published import Mode
from medloom.schema.release import Release

SOURCE = """
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Finding, Unit
from medloom.schema.labels import Label
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="{name}", title="{name}", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn by the test",
    citation="@misc{{{name}}}", cite="https://example.org", access=Access.GENERATED,
    triplet=Triplet("Mic", "cell", "cell-type"), clinical_task="Cell Recognition", department="Hematology",
    group_kind="patient", closed_sets={{"kind": ("red", "white")}},
)
LABELS = {{"red": Label("red blood cell", mesh="D004912"), "white": Label("white blood cell", mesh="D007962")}}

def read(raw):
    for image in raw.glob("*/*.png"):
        kind, name = image.split("/")
        yield Unit(files=(image,), reader="raster", findings=(Finding(kind),), group=name[:2])

SOURCE = Source(
    facts=FACTS, labels=LABELS, read=read,
    layouts=(Layout(name="folders", expects=(Expect(pattern="*/*.png", what="pictures"),)),),
)
"""
NAMES = "left_cells", "right_cells"
SHARD_BYTES = 40_000


@dataclass(frozen=True)
class Published:
    """A release of two sources; raw roots and builder files lie beside it. Copy it before changing it."""

    folder: Path

    @property
    def whole(self) -> Release:
        return Release.open(self.folder / "release")

    def raw(self, name: str) -> Path:
        return self.folder / "raw" / name

    def builder(self, name: str) -> Path:
        return self.folder / f"{name}.py"

    def copy(self, folder: Path) -> Published:
        shutil.copytree(self.folder, folder)
        return Published(folder)

    def staged(self, out: Path, mode: Mode) -> Release:
        """All of it as it is published in one mode."""
        return stage(self.whole, out, modes=dict.fromkeys(NAMES, mode))

    def rebuilt(self, place: Release | str, name: str, out: Path, **chosen) -> dict:
        choices = Choices(**({"builder": self.builder(name)} | chosen))
        at = place if isinstance(place, str) else place.root
        return rebuild(at, name, self.raw(name), out, choices=choices)


def published_cells(folder: Path) -> Published:
    """Twelve patients with four pictures each, several shards; one picture stands on many sides, so some are excluded."""
    made = Published(folder)
    for number, name in enumerate(NAMES):
        made.builder(name).write_text(SOURCE.format(name=name))
        draw(made.raw(name), seed=number)
        build(str(made.builder(name)), made.raw(name), made.folder / "release", options=Options(shard_bytes=SHARD_BYTES))
    ask(made.folder / "release", "medmat")
    return made


def draw(raw: Path, *, seed: int) -> None:
    """Uncompressed PNG files, all of one size in bytes, so that a changed one has the same."""
    random = np.random.default_rng(seed)
    for kind in ("red", "white"):
        (raw / kind).mkdir(parents=True)
        for number in range(24):
            picture = random.integers(0, 255, (24, 31, 3), np.uint8)
            Image.fromarray(picture).save(raw / kind / f"{number // 2:02d}-{number}.png", compress_level=0)
    for patient in range(12):
        shutil.copyfile(raw / "red" / "00-0.png", raw / "white" / f"{patient:02d}-copy.png")


def change_picture(path: Path) -> None:
    """Change the pixels of a raw file and keep its size."""
    size, pixels = path.stat().st_size, np.asarray(Image.open(path)).copy()
    pixels[4:20, 4:20] = 255 - pixels[4:20, 4:20]
    Image.fromarray(pixels).save(path, compress_level=0)
    assert path.stat().st_size == size
