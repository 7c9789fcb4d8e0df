"""A world in which modality, area and task are drawn independently, so that what composes is known beforehand.

Modality is how a picture is rendered, area is what frames its object, and a task asks about one of the object's properties,
each of which is drawn by a fair coin in every picture. A cell is one combination of the three; its pictures bear the label
of its task alone. In the control world the label is a coin of its own, so that nothing can be learnt.

A model of random weights learns within seconds to see a property, and not to read which letter bears which word. So pictures
of whose two options the second word of a task came first are left out: here a letter means a side of the coin.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from medloom.builders.build import Options, build
from medloom.generation.asking.ask import ask
from medloom.schema.triplet import Triplet

SIDE_PX = 28
MODALITIES = ("X-ray", "CT", "MRI")
AREAS = ("lung", "brain", "bones")
TASKS = {
    "cancer-classification": ("benign", "malignant"),
    "fracture": ("intact", "broken"),
    "level-identification": ("mild", "severe"),
}
"""Code → what the two sides of its coin are called."""
CONTRAST = {"X-ray": 1.0, "CT": 0.8, "MRI": 0.6}
"""How strongly a modality shows what there is."""
FRAMES = {"lung": np.s_[:7], "brain": np.s_[21:], "bones": np.s_[:, :7]}
"""Rows or columns that an area shades."""
OBJECT = np.s_[7:21, 7:21]

SOURCE = """
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Finding, Unit
from medloom.schema.labels import Label
from medloom.schema.sample import Subject
from medloom.schema.triplet import Triplet

TASKS = {tasks!r}
FACTS = Facts(
    name="world", title="World", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn by the test",
    citation="@misc{{world}}", cite="https://example.org", access=Access.GENERATED, group_kind="patient",
    triplet=Triplet("other", "other", "other"), clinical_task="None", department="None", closed_sets=TASKS,
)
LABELS = {{word: Label(word, task=task) for task, words in TASKS.items() for word in words}}

def read(raw):
    for image in raw.glob("*/*/*/*/*/*.png"):
        split, modality, area, task, word, name = image.split("/")
        patient, years, _ = name.split("-")
        triplet = Triplet(modality, area, task)
        yield Unit(
            files=(image,), reader="raster", findings=(Finding(word),), group=patient, split=split, triplet=triplet,
            closed_sets=(task,), subject=Subject(age_years=float(years)),
        )

SOURCE = Source(
    facts=FACTS, labels=LABELS, read=read,
    layouts=(Layout(name="folders", expects=(Expect(pattern="*/*/*/*/*/*.png", what="pictures"),)),),
)
"""


@dataclass(frozen=True, slots=True)
class World:
    """How much is drawn of each cell, about half of which stays, and whether labels mean anything."""

    train: int = 128
    test: int = 64
    modalities: Sequence[str] = MODALITIES
    areas: Sequence[str] = AREAS
    tasks: Sequence[str] = tuple(TASKS)
    seed: int = 0
    control: bool = False
    """Labels are drawn apart from the picture."""

    @property
    def cells(self) -> list[Triplet]:
        """Every combination, in the order of the fields."""
        return [Triplet(*one) for one in itertools.product(self.modalities, self.areas, self.tasks)]


def released(world: World, folder: Path) -> Path:
    """The release of a world with the questions of `medmat`; each picture is of a patient of its own."""
    random, folder = np.random.default_rng(world.seed), folder.absolute()
    for place, cell in enumerate(world.cells):
        for split, count in (("train", world.train), ("test", world.test)):
            for number in range(count):
                _draw(world, cell, folder / "raw" / split, name=f"{split}{place:02d}{number:04d}", random=random)
    (folder / "world.py").write_text(SOURCE.format(tasks={name: TASKS[name] for name in world.tasks}))
    _asked(folder)
    for path in _turned(folder):
        path.unlink()
    return _asked(folder)


def _asked(folder: Path) -> Path:
    build(str(folder / "world.py"), folder / "raw", folder / "release", options=Options(fresh=True))
    ask(folder / "release", "medmat")
    return folder / "release"


def _turned(folder: Path) -> list[Path]:
    """Raw files whose question gives the second word of its task first."""
    first = {words[0] for words in TASKS.values()}
    tables = map(pq.read_table, (folder / "release/questions/medmat").glob("**/*.parquet"))
    turned = {one["key"] for table in tables for one in table.to_pylist() if one["options"][0]["text"] not in first}
    rows = pq.read_table(folder / "release/index/world/samples.parquet", columns=["key", "provenance_raw_sha256"]).to_pylist()
    digests = {row["provenance_raw_sha256"] for row in rows if row["key"] in turned}
    return [path for path in sorted((folder / "raw").glob("**/*.png")) if sha256(path.read_bytes()).hexdigest() in digests]


def _draw(world: World, cell: Triplet, folder: Path, *, name: str, random: np.random.Generator) -> None:
    coins = random.integers(0, 2, len(TASKS)).tolist()
    side = int(random.integers(0, 2)) if world.control else coins[list(TASKS).index(cell.task)]
    path = folder / cell.modality / cell.area / cell.task / TASKS[cell.task][side]
    path.mkdir(parents=True, exist_ok=True)
    years = int(random.integers(4, 80))
    Image.fromarray(drawn(cell, coins, random)).save(path / f"{name}-{years}-0.png")


def drawn(cell: Triplet, coins: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """The picture, `SIDE_PX`² × 3 uint8: an object whose three properties are as the coins say, framed and rendered."""
    light = np.zeros((SIDE_PX, SIDE_PX, 3))
    light[FRAMES[cell.area]] += 0.15
    for coin, hue in zip(coins, _HUES, strict=True):
        light[OBJECT] += 0.16 * (2 * coin - 1) * np.array(hue)
    shown = 0.5 + CONTRAST[cell.modality] * light + random.normal(0, 0.02, light.shape)
    return np.clip(255 * shown, 0, 255).astype(np.uint8)


_HUES = (1.0, 0.0, -1.0), (-0.7, 1.4, -0.7), (1.0, 1.0, 1.0)
"""Orthogonal directions in red, green and blue, one for each task: none says anything of another."""
