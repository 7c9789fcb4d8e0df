"""Finding copies: how many of those made from real pictures are found, and what searching costs from 10⁴ to 10⁶ pictures."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from medloom.builders.build import Options, build
from medloom.builders.duplicates.contaminated import held, own_of
from medloom.builders.duplicates.descriptor import CROP_WINDOWS, describe, interpolation, views
from medloom.builders.duplicates.find import compare, within
from medloom.builders.duplicates.hashes import of_pictures
from medloom.builders.duplicates.search import Side, candidates
from medloom.builders.duplicates.sketch import Sketch
from medloom.builders.duplicates.thumbnails import Pictures, of_folder, of_release
from medloom.schema.load import read_row
from medloom.schema.release import Release

SOURCES = (
    "bccd", "brain_tumor_mri", "brain_tumor_yolo", "chase_db1", "chula_rbc12", "covid_chestxray_boxes", "dsb2018_nuclei",
    "ham10000_artefacts", "hip_ultrasound_spj", "kvasir_seg_mini", "openslide_ometiff",
)  # fmt: skip
"""The sources of 2-D pictures."""
COPIES = (
    ("bccd/BCCD/JPEGImages/BloodImage_00037.jpg", "bccd/BCCD/JPEGImages/BloodImage_00038.jpg"),
    ("bccd/BCCD/JPEGImages/BloodImage_00386.jpg", "bccd/BCCD/JPEGImages/BloodImage_00391.jpg"),
    ("brain_tumor_mri/Testing/glioma_tumor/image(42).jpg", "brain_tumor_mri/Testing/glioma_tumor/image(92).jpg"),
    ("brain_tumor_mri/Testing/meningioma_tumor/image(58).jpg", "brain_tumor_mri/Training/meningioma_tumor/m1(111).jpg"),
    ("brain_tumor_mri/Testing/no_tumor/image(36).jpg", "brain_tumor_mri/Testing/no_tumor/image(62).jpg"),
    ("brain_tumor_mri/Testing/pituitary_tumor/image(45).jpg", "brain_tumor_mri/Testing/pituitary_tumor/image(53).jpg"),
    ("brain_tumor_mri/Training/glioma_tumor/gg (111).jpg", "brain_tumor_yolo/dataset-brain-tumor/categorized/2/3034.jpg"),
    ("brain_tumor_mri/Training/meningioma_tumor/m (174).jpg", "brain_tumor_yolo/dataset-brain-tumor/categorized/1/171.jpg"),
    ("brain_tumor_mri/Training/pituitary_tumor/p (166).jpg", "brain_tumor_yolo/dataset-brain-tumor/categorized/0/1748.jpg"),
    ("brain_tumor_mri/Training/pituitary_tumor/p (331).jpg", "brain_tumor_yolo/dataset-brain-tumor/categorized/0/1524.jpg"),
)
"""Copies that the sources themselves hold, looked at one by one: in bccd two photographs of one field, moved a little, the rest
one picture cut, toned or coded differently. Beside them, files with equal bytes are copies (hip_ultrasound_spj
standard_0 and standard_1). Pairs left out on purpose, since they show neighbouring slices of one patient, not one picture:
brain_tumor_mri m (119) and brain_tumor_yolo 115, the most alike of all."""
COUNTS = (10**4, 10**5, 10**6)
SKETCHES = {
    f"{whose} sketched {how}": {"of_copies": of_copies, "crops": crops}
    for whose, of_copies in (("originals", False), ("copies", True))
    for how, crops in (("plain", False), ("with crops", True))
}
"""What a sketch stands for and how it was made; the other side has pixels and asks."""
_JPEG_QUALITY = 60

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def recall(folder: Path) -> list[dict[str, Any]]:
    """Share of the copies that are found, for each way of changing all pictures; every other pair that is found is false."""
    data = Path(os.environ.get("MEDLOOM_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not data.is_dir():
        return [{"what": "real pictures absent", "ratio": float("nan"), "note": "set MEDLOOM_DATA to the folder of sources"}]
    release = _release(data, folder / "release")
    originals = of_release(release, workers=2)
    names = _names(release, data)
    known = {frozenset(pair) for pair in COPIES}
    same = np.array([[a == b or frozenset((a, b)) in known for b in names] for a in names])
    rows = [_natural(release, originals, same)]
    false = wrong_hashes = 0
    for what, (change, suffix) in CHANGES.items():
        changed = _changed(release, originals, folder / "changed", change=change, suffix=suffix)
        row, missed = _measured(what, originals, changed, same)
        rows.append(row)
        false, wrong_hashes = false + missed[0], wrong_hashes + missed[1]
    return rows + _false(len(names), len(CHANGES), false, wrong_hashes)


def neighbours(folder: Path) -> list[dict[str, Any]]:
    """Processor time per picture of searching drawn pictures, over that at 10⁴; windows described included."""
    rows, first = [], 0.0
    for count in COUNTS:
        store = _drawn(folder / f"{count}.u8", count)
        hashes = np.concatenate([describe(store[at : at + 4096]) for at in range(0, count, 4096)])
        clock, processor = time.perf_counter(), time.process_time()
        found = candidates(Side(hashes, views=lambda rows, store=store: views(store[rows])), threads=2)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        first = first or processor / count
        planted = count // _PLANTED
        pairs = set(zip(found.i.tolist(), found.j.tolist(), strict=True))
        met = sum((n, count - planted + n) in pairs for n in range(planted))
        note = (
            f"{clock:.0f} s by the clock, {processor:.0f} s of processor; {met / planted:.3f} of {planted} planted copies, "
            f"{len(found) - met} other pairs to verify, {found.crowded} crowded"
        )
        rows.append({"what": f"cost per picture at {count:,} / at 10,000", "ratio": processor / count / first, "note": note})
        (folder / f"{count}.u8").unlink()
    return rows


def _cropped(picture: np.ndarray, across: tuple[float, float], down: tuple[float, float]) -> np.ndarray:
    height, width = picture.shape[:2]
    rows = slice(round(down[0] * height), height - round(down[1] * height))
    return picture[rows, round(across[0] * width) : width - round(across[1] * width)]


def _per_side(share: float) -> Change:
    return lambda picture, _: _cropped(picture, (share, share), (share, share))


def _anywhere(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """5 % off each axis, split between its ends by chance."""
    left, top = random.uniform(0, 0.05, 2)
    return _cropped(picture, (left, 0.05 - left), (top, 0.05 - top))


def _halved(picture: np.ndarray, _: np.random.Generator | None = None) -> np.ndarray:
    return cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _toned(factor: float) -> Change:
    return lambda picture, _: cv2.convertScaleAbs(picture, alpha=factor)


def _all(crop: Change) -> Change:
    """A crop, half the size, and 15 % brighter or darker by chance; JPEG comes with the file."""
    return lambda picture, random: _halved(cv2.convertScaleAbs(crop(picture, random), alpha=random.choice((0.85, 1.15))))


CHANGES: dict[str, tuple[Change, str]] = {
    "half the size": (_halved, ".bmp"),
    "JPEG 60": (lambda picture, _: picture, ".jpg"),
    "15 % brighter": (_toned(1.15), ".bmp"),
    "15 % darker": (_toned(0.85), ".bmp"),
    "5 % cropped in total, about the centre": (_per_side(0.025), ".bmp"),
    "5 % cropped in total, anywhere": (_anywhere, ".bmp"),
    "all at once, 5 % cropped in total": (_all(_per_side(0.025)), ".jpg"),
    "all at once, 5 % cropped anywhere": (_all(_anywhere), ".jpg"),
    "5 % cropped per side": (_per_side(0.05), ".bmp"),
    "all at once, 5 % cropped per side": (_all(_per_side(0.05)), ".jpg"),
}
"""What → how, and the kind of file it is saved as."""


def _release(data: Path, out: Path) -> Release:
    for source in SOURCES:
        build(source, data / source, out, options=Options(workers=2))
    return Release.open(out)


def _index(release: Release, columns: list[str]) -> pa.Table:
    """Rows of all samples with pixels, by key."""
    table = pa.concat_tables(
        pq.read_table(release.index_path(one), columns=["key", "shard", *columns]) for one in release.sources
    )
    return table.filter(table["shard"].is_valid()).sort_by("key")


def _names(release: Release, data: Path) -> list[str]:
    """Raw file of each sample, the first of files with equal bytes; tiles of one file bear a number."""
    files = [path for source in SOURCES for path in sorted((data / source).rglob("*")) if path.is_file()]
    known: dict[str, str] = {}
    for path in files:
        known.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path.relative_to(data).as_posix())
    rows = _index(release, ["provenance_raw_sha256", "provenance_index"]).to_pylist()
    tiles = ["" if row["provenance_index"] is None else f" {row['provenance_index']}" for row in rows]
    return [known.get(row["provenance_raw_sha256"], row["key"]) + tile for row, tile in zip(rows, tiles, strict=True)]


def _changed(release: Release, originals: Pictures, folder: Path, *, change: Change, suffix: str) -> Pictures:
    """Every picture changed, saved and read again; named by its row."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    places = _index(release, ["image_offset", "image_size", "json_offset", "json_size"]).to_pylist()
    for row, place in enumerate(places):
        picture = np.ascontiguousarray(change(np.array(read_row(release.root, place)["image"]), random))
        Image.fromarray(picture).save(folder / f"{row:05d}{suffix}", quality=_JPEG_QUALITY)
    pictures = of_folder(folder, workers=2)
    assert len(pictures) == len(originals)
    for path in folder.iterdir():
        path.unlink()
    return pictures


def _measured(what: str, originals: Pictures, changed: Pictures, same: np.ndarray) -> tuple[dict[str, Any], tuple[int, int]]:
    found = compare(originals, changed, workers=2).pairs
    keys = {key: row for row, key in enumerate(originals.rows["key"].to_pylist())}
    i = np.array([keys[key] for key in found["a_key"].to_pylist()])
    j = np.array([int(Path(name).stem) for name in found["b_key"].to_pylist()])
    right, false = len(set(j[same[i, j]])), int((~same[i, j]).sum())
    alone = {name: _by_hashes(originals, changed, same, **options) for name, options in SKETCHES.items()}
    note = (
        f"precision {right / max(1, right + false):.4f}, {false} false of {int((~same).sum())}; "
        "by hashes alone, recall (false): "
        + ", ".join(f"{name} {share:.3f} ({wrong})" for name, (share, wrong) in alone.items())
    )
    return {"what": what, "ratio": right / len(same), "note": note}, (false, sum(wrong for _, wrong in alone.values()))


def _by_hashes(originals: Pictures, changed: Pictures, same: np.ndarray, *, of_copies: bool, crops: bool) -> tuple[float, int]:
    """Share of the changed pictures met, and false pairs, where a sketch stands for the originals, or for the copies."""
    asked, mine = (changed, originals) if of_copies else (originals, changed)
    sketch = Sketch({}, of_pictures(asked, windows=CROP_WINDOWS if crops else None), np.arange(len(asked)))
    own = own_of(mine)
    place = {name: row for row, name in enumerate(own.names)}
    pairs = held(sketch, own, threads=2)
    ends = np.array([place[name] for name in pairs["name"].to_pylist()], int), pairs["row"].to_numpy()
    i, j = ends if of_copies else ends[::-1]
    return len(set(j[same[i, j]])) / len(same), int((~same[i, j]).sum())


def _natural(release: Release, originals: Pictures, same: np.ndarray) -> dict[str, Any]:
    """Copies that are in the sources themselves."""
    found = within(release, workers=2).pairs
    keys = {key: row for row, key in enumerate(originals.rows["key"].to_pylist())}
    pairs = [(keys[a], keys[b]) for a, b in zip(found["a_key"].to_pylist(), found["b_key"].to_pylist(), strict=True)]
    right = sum(bool(same[pair]) for pair in pairs)
    total = int(np.triu(same, 1).sum())
    return {
        "what": "copies in the sources themselves",
        "ratio": right / total,
        "note": f"{right} of {total}, {len(pairs) - right} false",
    }


def _false(count: int, changes: int, false: int, wrong_hashes: int) -> list[dict[str, Any]]:
    """False pairs at 10⁶ pictures, extrapolated from those seen; the bound is about that of 95 % for a Poisson count."""
    seen, million = changes * count * (count - 1), 10**6 * (10**6 - 1) / 2
    rows = []
    hashed = len(SKETCHES) * seen
    for what, hits, tests in (("verified by thumbnails", false, seen), ("by hashes alone", wrong_hashes, hashed)):
        likely, most = (number / tests * million for number in (hits, hits + 2 * hits**0.5 + 3))
        note = f"{hits} of {tests:,}: extrapolated to 10⁶ pictures as alike as these, {likely:,.0f}, at most {most:,.0f}"
        rows.append({"what": f"false pairs {what}, per 10⁶ pairs", "ratio": hits / tests * 1e6, "note": note})
    return rows


_PLANTED = 100
"""One picture in so many is a changed copy of another."""
_LAYOUTS = 500


def _drawn(path: Path, count: int) -> np.ndarray:
    """count×64×64 uint8, mapped from a file: detail of its own, at a quarter of the contrast, on one of 500 common layouts.

    So near pairs aren't rare. The last hundredth are copies of the first, cropped by up to 5 % per axis, brightened or
    darkened, and noisy.
    """
    store = np.memmap(path, np.uint8, "w+", shape=(count, 64, 64))
    random = np.random.default_rng(0)
    grids = [_smoothing(side) for side in (6, 12, 24)]
    layouts = _fields(random, _LAYOUTS, grids[:2])
    for at in range(0, count, 4096):
        some = min(4096, count - at)
        mixed = layouts[random.integers(0, _LAYOUTS, some)] + 0.25 * _fields(random, some, grids)
        store[at : at + some] = np.clip(110 + 45 * mixed, 0, 255)
    planted = count // _PLANTED
    for row in range(planted):
        left, right, top, bottom = random.uniform(0, 0.025, 4)
        rows, columns = interpolation(1 - top - bottom, top - bottom), interpolation(1 - left - right, left - right)
        copy = rows @ store[row].astype(np.float64) @ columns.T * random.uniform(0.87, 1.13) + random.normal(0, 1.5, (64, 64))
        store[count - planted + row] = np.clip(copy, 0, 255)
    store.flush()
    return store


def _smoothing(side: int) -> np.ndarray:
    """64×side weights that smooth a coarse grid up to a thumbnail's side."""
    at, knots = np.arange(64) / 63 * (side - 1), np.arange(side)
    weights = np.exp(-0.5 * ((at[:, None] - knots) / 0.6) ** 2)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _fields(random: np.random.Generator, count: int, grids: list[np.ndarray]) -> np.ndarray:
    """count×64×64 float32, soft noise at the scales of the grids, coarse ones strongest."""
    total = np.zeros((count, 64, 64), np.float32)
    for grid in grids:
        noise = random.standard_normal((count, grid.shape[1], grid.shape[1]), dtype=np.float32)
        total += grid @ noise @ grid.T * (6 / grid.shape[1]) ** 0.5
    return total
