"""Drawn photographs of the eye's fundus: colour JPEG with EXIF and a comment, optic disc and vessels of two observers.

Folders say split and grade (`train/1-mild/f02-left.jpg`); the grade is the number of dark spots: 0, 4 or 14. Both eyes of a
person (`f02`) are in one split. The second observer draws the vessels thinner and leaves out the finest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .phantom_seed import CANARY, STUDY_DATE, STUDY_TIME, near, noise, seeded

GRADES = {"0-none": 0, "1-mild": 4, "2-severe": 14}
"""Class folder → number of spots."""
EYES = ("left", "right")
PATIENTS = 8
SIDE_PX = 256
RADIUS_PX = 120
_VESSELS = ((0.9, 0.022), (2.4, 0.016), (-1.4, 0.016))
"""Arcs v² = k·u about the disc, u towards the fovea: k, and half the width, in radii of the picture."""
_TWIGS = ((0.35, 0.008), (-0.5, 0.008), (0.1, 0.006))
"""Straight ones v = m·u: m, and half the width."""


@dataclass(frozen=True, slots=True)
class Fundus:
    """One photograph and its truth; every array is `SIDE_PX` square."""

    name: str
    split: str
    grade: str
    pixels: np.ndarray
    """H×W×3, uint8, before JPEG."""
    disc: np.ndarray
    vessels: tuple[np.ndarray, np.ndarray]
    """Of observer 1 and 2."""


def photographs() -> list[Fundus]:
    """Every photograph, by person, left eye first."""
    return [_draw(person, side) for person in range(1, PATIENTS + 1) for side in range(2)]


def write_photographs(folder: Path) -> None:
    """Write `<split>/<grade>/*.jpg`, `disc/*.png`, `vessels-1/*.png` and `vessels-2/*.png`."""
    for photo in photographs():
        image = folder / photo.split / photo.grade / f"{photo.name}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        comment = f"{CANARY} comment".encode()
        Image.fromarray(photo.pixels).save(image, quality=92, exif=_exif(), comment=comment)
        masks = {"disc": photo.disc, "vessels-1": photo.vessels[0], "vessels-2": photo.vessels[1]}
        for name, mask in masks.items():
            (folder / name).mkdir(exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / name / f"{photo.name}.png")


def _draw(person: int, side: int) -> Fundus:
    draw = seeded("fundus", person, side)
    grade = tuple(GRADES)[(person + side) % len(GRADES)]
    y, x = np.ogrid[:SIDE_PX, :SIDE_PX]
    half = (SIDE_PX - 1) / 2
    inside = (x - half) * (x - half) + (y - half) * (y - half) <= RADIUS_PX * RADIUS_PX
    # The disc lies at the nose's side: on image right in a right eye, on image left in a left one.
    towards_fovea = -1 if EYES[side] == "right" else 1
    disc_x, disc_y = near(draw, 128 - towards_fovea * 48, 4), near(draw, 126, 6)
    u, v = (x - disc_x) * towards_fovea / RADIUS_PX, (y - disc_y) / RADIUS_PX
    disc = u * u / 0.0225 + v * v / 0.0289 <= 1
    tilt = near(draw, 0, 8) / 100
    vessels = tuple(_vessels(u, v + tilt * u, observer) & inside for observer in (1, 2))
    spots = _spots(GRADES[grade], inside & ~disc, draw)
    return Fundus(
        name=f"f{person:02d}-{EYES[side]}",
        split="test" if person % 4 == 0 else "train",
        grade=grade,
        pixels=_colours(inside, disc, vessels[0], spots=spots, draw=draw),
        disc=disc,
        vessels=(vessels[0], vessels[1]),
    )


def _vessels(u: np.ndarray, v: np.ndarray, observer: int) -> np.ndarray:
    """Points nearer to a vessel's middle than half its width, by the distance of first order |f| / |grad f|."""
    thin = 1.0 if observer == 1 else 0.75
    found = np.zeros(np.broadcast_shapes(u.shape, v.shape), bool)
    for k, half in _VESSELS:
        found |= np.abs(v * v - k * u) <= half * thin * np.sqrt(k * k + 4 * v * v)
    for m, half in _TWIGS if observer == 1 else _TWIGS[:1]:
        found |= (np.abs(v - m * u) <= half * thin * np.sqrt(1 + m * m)) & (u > 0.1) & (u < 0.9)
    return found


def _spots(count: int, allowed: np.ndarray, draw: np.random.RandomState) -> np.ndarray:
    y, x = np.ogrid[:SIDE_PX, :SIDE_PX]
    spots = np.zeros(allowed.shape, bool)
    for _ in range(count):
        (dx, dy), radius = (near(draw, 0, 75) for _ in range(2)), near(draw, 5, 2)
        spots |= (x - 128 - dx) ** 2 + (y - 128 - dy) ** 2 <= radius * radius
    return spots & allowed


def _colours(inside: np.ndarray, disc: np.ndarray, vessels: np.ndarray, *, spots: np.ndarray, draw) -> np.ndarray:
    pixels = np.zeros((*inside.shape, 3), np.int32)
    for mask, colour in (
        (inside, (176, 84, 40)),
        (disc, (238, 196, 120)),
        (vessels, (120, 34, 24)),
        (spots, (88, 18, 14)),
    ):
        pixels[mask] = colour
    pixels[inside] += noise(draw, pixels.shape, 4)[inside]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _exif() -> Image.Exif:
    date, time = STUDY_DATE, STUDY_TIME
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x013B] = f"{CANARY} description", f"{CANARY} maker", f"{CANARY}^ARTIST"
    exif[0x0132] = f"{date[:4]}:{date[4:6]}:{date[6:]} {time[:2]}:{time[2:4]}:{time[4:6]}"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + f"{CANARY} user comment".encode()
    return exif
