"""The frozen bare loops: the same steps as a build and nothing else. No checks, no issues, no resuming.

They are the floor that a build is measured against, so they don't follow the product's changes: only its format, when that
changes. Per slice: read, window, PNG, pixel hash, perceptual hash, run lengths and boxes, JSON, tar.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import cv2
import numpy as np
import orjson
import SimpleITK as sitk
from isal import isal_zlib
from PIL import Image
from pycocotools import mask as coco

LOW, HIGH = -160.0, 240.0


def volumes(raw: Path, out: Path) -> int:
    """CT volumes with label maps to one tar; the number of samples."""
    table = np.rint((np.clip(np.arange(65536, dtype=np.uint16).view(np.int16), LOW, HIGH) - LOW) / (HIGH - LOW) * 255)
    table = table.astype(np.uint8)
    count = 0
    with tarfile.open(out, "w") as tar:
        for path in sorted((raw / "images").glob("*.nii.gz")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            image = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
            labels = sitk.GetArrayFromImage(sitk.ReadImage(str(raw / "labels" / path.name)))
            for index in range(len(image)):
                pixels = cv2.LUT(image[index].view(np.uint16), table)
                facts = _facts(pixels, digest) | {"index": index, "annotations": _masks(labels[index])}
                _add(tar, f"{path.name[:-7]}-{index:04d}", _png(pixels), facts)
                count += 1
    return count


def photographs(raw: Path, out: Path) -> int:
    """JPEGs with VOC boxes to one tar; the number of samples."""
    count = 0
    with tarfile.open(out, "w") as tar:
        for path in sorted((raw / "images").glob("*.jpg")):
            stream = path.read_bytes()
            pixels = np.asarray(Image.open(io.BytesIO(stream)))
            facts = _facts(pixels, hashlib.sha256(stream).hexdigest())
            root = ElementTree.parse(raw / "labels" / f"{path.stem}.xml").getroot()
            facts["annotations"] = [
                {"label": one.findtext("name"), "box": [float(value.text or 0) for value in one.find("bndbox") or ()]}
                for one in root.iter("object")
            ]
            _add(tar, path.stem, stream, facts)
            count += 1
    return count


def _facts(pixels: np.ndarray, digest: str) -> dict[str, object]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
    low = cv2.dct(cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32))[:16, :16]
    head = repr(pixels.shape).encode()
    return {
        "raw": digest,
        "pixels": hashlib.sha256(head + pixels.tobytes()).hexdigest(),
        "perceptual": np.packbits(low > np.median(low)).tobytes().hex(),
    }


def _masks(labels: np.ndarray) -> list[dict[str, object]]:
    found = []
    for value in np.flatnonzero(np.bincount(labels.ravel(), minlength=9))[1:]:
        mask = np.asfortranarray(labels == value).view(np.uint8)
        rle = coco.encode(mask)
        box = coco.toBbox(rle).tolist()
        found.append({"label": int(value), "rle": rle["counts"].decode(), "box": box, "area": int(coco.area(rle))})
    return found


def _png(pixels: np.ndarray) -> bytes:
    height, width = pixels.shape
    filtered = np.empty((height, width + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=filtered[1:, 1:])
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),)
    chunks += ((b"IDAT", isal_zlib.compress(filtered.data, 1)), (b"IEND", b""))
    joined = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(joined)


def _add(tar: tarfile.TarFile, key: str, image: bytes, facts: dict[str, object]) -> None:
    for name, body in ((f"{key}.image", image), (f"{key}.json", orjson.dumps(facts))):
        member = tarfile.TarInfo(name)
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
