"""A small release with every kind of annotation, built once, and a way to write a changed copy of it."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from PIL import Image

from medloom.builders.build import Options, build
from medloom.builders.shards import ShardWriter
from medloom.schema import index
from medloom.schema.release import Release, content_sha256
from medloom.schema.shard import pairs

MARKED_SOURCE = """
import numpy as np
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Finding, Mark, Marks, Unit
from medloom.schema.labels import Label
from medloom.schema.region import rle_from_mask
from medloom.schema.sample import Subject
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="marked", title="Marked", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn by the test",
    citation="@misc{marked}", cite="https://example.org", access=Access.GENERATED, group_kind="patient",
    triplet=Triplet("CT", "lung", "unlabelled"), clinical_task="None", department="Pulmonary Medicine",
    closed_sets={"kind": ("dark", "light")},
)
LABELS = {
    "dark": Label("nodule"), "light": Label("opacity", area="heart"), "left": Label("kidney", laterality="left"),
    "spot": Label("calcification"),
}
DISC = np.zeros((20, 30), np.uint8)
DISC[3:9, 4:11] = 1
MARKS = Marks((
    Mark(label="dark", box_xyxy_px=(1.5, 2.0, 9.0, 11.25)),
    Mark(label="left", rle=rle_from_mask(DISC)),
    Mark(label="dark", polygons_px=(((2.0, 2.0), (12.0, 2.0), (12.0, 9.0), (2.0, 9.0)),)),
    Mark(label="spot", points_px=((3.5, 4.5), (9.0, 1.0))),
))

def read(raw):
    for place, image in enumerate(raw.glob("*.png", "*.jpg")):
        yield Unit(
            files=(image,), reader="raster", group=f"patient {place // 2}", subject=Subject(age_years=40.0 + place),
            targets=(MARKS,) if place % 3 == 0 else (), findings=(Finding("light"),) if place % 3 == 1 else (),
            modality_detail="CTA" if place % 5 == 0 else None,
        )

SOURCE = Source(
    facts=FACTS, labels=LABELS, read=read,
    layouts=(Layout(name="flat", expects=(Expect(pattern="*", what="pictures"),)),),
)
"""


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of 60 pictures of 30 patients, in two sets of subsets. Copy it before changing it."""
    folder = tmp_path_factory.mktemp("marked")
    (folder / "raw").mkdir()
    random = np.random.default_rng(5)
    for number in range(60):
        picture = random.integers(0, 255, (20, 30) if number % 2 else (20, 30, 3), np.uint8)
        Image.fromarray(picture).save(folder / "raw" / f"{number:02d}.{'png' if number % 4 else 'jpg'}")
    (folder / "marked.py").write_text(MARKED_SOURCE)
    build(str(folder / "marked.py"), folder / "raw", folder / "release", options=Options(shard_bytes=30_000))
    return folder / "release"


@dataclass(slots=True)
class Row:
    """One sample of a release under change."""

    shard: str
    key: str
    image: bytes
    record: dict[str, Any]

    @property
    def pixels(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.image)))


@dataclass(frozen=True, slots=True)
class Edited:
    """A copy of the release; `write` makes shards, index, recipe and README agree with the changed rows."""

    root: Path
    rows: list[Row]

    @property
    def recipe(self) -> dict[str, Any]:
        return json.loads((self.root / "recipes/marked.json").read_text())

    def first(self, test: Callable[[dict[str, Any]], bool] = lambda _: True) -> Row:
        return next(row for row in self.rows if test(row.record))

    def write(self, records: Mapping[str, bytes] | None = None) -> None:
        """`records` are the bytes of some keys where the shard shall hold others than the index is made of."""
        recipe, records = self.recipe, records or {}
        samples, annotations = [], []
        for shard in recipe["shards"]:
            path = self.root / shard["path"]
            some = [row for row in self.rows if row.shard == shard["path"]]
            with ShardWriter(path, path.with_suffix(".tmp")) as writer:
                for row in some:
                    place = asdict(writer.add(row.key, row.image, records.get(row.key) or orjson.dumps(row.record)))
                    samples.append(index.sample_row(row.record, {**place, "shard": shard["path"], "exclusion": None}))
                    annotations.extend(index.annotation_rows(row.record, row.record["split"]))
                shard |= {**writer.finish(), "samples": len(some)}
        pq.write_table(index.sample_table(samples), self.root / "index/marked/samples.parquet")
        pq.write_table(index.annotation_table(annotations), self.root / "index/marked/annotations.parquet")
        self.write_recipe(recipe)

    def write_recipe(self, recipe: dict[str, Any]) -> None:
        """The recipe with the digests of what stands there, and the README that follows from it."""
        for table in recipe["index"]:
            data = (self.root / f"index/marked/{table}.parquet").read_bytes()
            recipe["index"][table] = hashlib.sha256(data).hexdigest()
        recipe["content_sha256"] = content_sha256(recipe["shards"], recipe["index"])
        (self.root / "recipes/marked.json").write_text(json.dumps(recipe))
        Release(self.root).write_readme(self.root / "README.tmp")


@pytest.fixture
def edited(marked: Path, tmp_path: Path) -> Edited:
    root = tmp_path / "release"
    shutil.copytree(marked, root)
    recipe = json.loads((root / "recipes/marked.json").read_text())
    rows = [
        Row(shard["path"], key, image, orjson.loads(record))
        for shard in recipe["shards"]
        for key, image, record, _ in pairs(root / shard["path"])
    ]
    return Edited(root, rows)
