"""What is wrong in a raw root becomes a counted issue: nothing is dropped silently, nothing crashes, nothing swells."""

from __future__ import annotations

import gzip
import io
import json
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from medloom.builders.build import Options, build
from medloom.schema.check_release import check
from medloom.schema.load import load

SOURCE = """
from medloom.builders.formats import coco
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import LabelFile, LabelMap, Marks, MaskImage, Unit
from medloom.schema.labels import Label
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="bad", title="Bad", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn", citation="none",
    cite="none", access=Access.GENERATED, triplet=Triplet("CT", "abdomen", "organ-segmentation"), clinical_task="None",
    department="None", group_kind="image", max_bad_share=0.9,
)

def read(raw):
    boxes = {image.file_name: image.marks for image in coco.read(raw, "coco.json").images} if raw.has("coco.json") else {}
    for image in raw.glob("**/*.png", "**/*.jpg", "**/*.nii", "**/*.nii.gz", "**/*.dcm"):
        if "mask" in image:
            continue
        stem = image.split(".")[0]
        targets = [Marks(tuple(boxes.get(image, ())))]
        if raw.has(f"{stem}.txt"):
            targets.append(LabelFile(path=f"{stem}.txt", format="yolo", names={"0": "organ"}))
        if raw.has(f"{stem}-mask.png"):
            targets.append(MaskImage(path=f"{stem}-mask.png", values={0: "", 1: "organ"}))
        volume = ".nii" in image
        if volume:
            targets = [LabelMap(path=f"{stem}-mask.nii.gz", values={1: "organ"})] if raw.has(f"{stem}-mask.nii.gz") else []
        reader = "volume" if volume else "dicom" if image.endswith(".dcm") else "raster"
        yield Unit(files=(image,), reader=reader, targets=tuple(targets))

SOURCE = Source(
    facts=FACTS, labels={"organ": Label("organ")}, read=read,
    layouts=(Layout(name="any", expects=(Expect(pattern="**/*", what="files"),)),),
)
"""


@pytest.fixture
def bad(tmp_path: Path):
    """Builds a raw root of the given files beside one good picture; the release, its report, and issue counts by code."""
    spec, raw = tmp_path / "bad.py", tmp_path / "raw"
    spec.write_text(SOURCE)

    def run(files: dict[str, bytes]):
        for name, body in {"good.png": png(noise()), **files}.items():
            path = raw / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        report = build(str(spec), raw, tmp_path / "release", options=Options())
        assert check(tmp_path / "release")["faults"] == []
        return tmp_path / "release", report, {row["code"]: row["count"] for row in report["issues"]}

    return run


def noise(height: int = 20, width: int = 30) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width), np.uint8)


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG")
    return buffer.getvalue()


def nifti(array: np.ndarray) -> bytes:
    return gzip.compress(nibabel.Nifti1Image(array, np.eye(4)).to_bytes(), mtime=0)


def header_of_nifti(shape: tuple[int, int, int]) -> bytes:
    header = nibabel.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.float32)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    return header.binaryblock + b"\0" * 4 + b"\0" * 672


def png_header(width: int, height: int) -> bytes:
    import zlib

    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + b"\0" * 900


BROKEN = {
    "empty picture": ({"x.png": b""}, {"unreadable": 1}),
    "truncated picture": ({"x.png": png(noise())[:300]}, {"unreadable": 1}),
    "truncated JPEG": ({"x.jpg": jpeg(noise(200, 200))[:3000]}, {"unreadable": 1}),
    "text for a picture": ({"x.png": b"not a picture"}, {"unreadable": 1}),
    "absurd PNG": ({"x.png": png_header(65535, 65535)}, {"absurd-size": 1}),
    "absurd NIfTI": ({"x.nii": header_of_nifti((1024, 1024, 1024))}, {"absurd-size": 1}),
    "truncated volume": ({"x.nii.gz": nifti(np.ones((9, 9, 9), np.int16))[:60]}, {"unreadable": 1}),
    "empty volume": ({"x.nii.gz": b""}, {"unreadable": 1}),
    "text for DICOM": ({"x.dcm": b"no DICOM here" * 99}, {"unreadable": 1}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_unit_is_counted_and_left_out(name: str, bad):
    files, expected = BROKEN[name]
    _, report, codes = bad(files)
    assert codes == expected
    assert (report["counts"]["failed"], report["counts"]["samples"]) == (1, 1)
    (issue,) = report["issues"][0]["first"]
    assert issue["where"].startswith(next(iter(files)))


def test_a_wrong_extension_is_told_and_read_by_content(bad):
    release, report, codes = bad({"x.jpg": png(noise(21, 22))})
    assert codes == {"wrong-extension": 1}
    assert report["counts"]["samples"] == 2
    assert {row["json"]["image_format"] for row in load(release, split="train")} == {"png"}


def test_constant_slices_and_numbers_that_are_none(bad):
    array = np.random.default_rng(0).normal(0, 300, (16, 16, 6)).astype(np.float32)
    array[:, :, 2] = -1000
    array[3, 3, 4] = np.nan
    array[4, 4, 4] = np.inf
    _, report, codes = bad({"x.nii.gz": nifti(array)})
    assert codes == {"constant-slice": 1, "not-finite": 1}
    assert report["counts"]["samples"] == 1 + 5


def test_masks_of_another_size_or_value(bad):
    files = {
        "a.png": png(noise()),
        "a-mask.png": png(np.zeros((5, 5), np.uint8)),
        "b.png": png(noise(22)),
        "b-mask.png": png(np.full((22, 30), 9, np.uint8)),
    }
    _, report, codes = bad(files)
    assert codes["mask-size"] == 1
    assert codes["unknown-label-value"] == 1
    assert report["counts"]["failed"] == 0


def test_label_volumes_with_unknown_values_fractions_or_without_end(bad):
    image = np.random.default_rng(0).integers(-100, 200, (16, 16, 4)).astype(np.int16)
    labels = np.zeros(image.shape, np.uint8)
    labels[2:8, 2:8] = 1
    labels[9:12, 9:12] = 7
    files = {"a.nii.gz": nifti(image), "a-mask.nii.gz": nifti(labels), "b.nii.gz": nifti(image + 1)}
    files |= {
        "b-mask.nii.gz": nifti(labels.astype(np.float32) + 0.5),
        "c.nii.gz": nifti(image + 2),
        "c-mask.nii.gz": b"\x1f\x8b",
    }
    release, report, codes = bad(files)
    assert codes["unknown-label-value"] == 1
    assert sum(codes.values()) == 3
    assert report["counts"] | {"excluded": 0} == {"units": 4, "failed": 0, "samples": 13, "excluded": 0}
    labelled = [row for row in load(release, split="train") if row["json"]["annotations"]]
    assert len(labelled) == 4


def test_boxes_outside_or_without_area_and_labels_without_image(bad):
    boxes = [[2, 2, 9, 9], [5, 5, 0, 4], [50, 50, 9, 9], [float("nan"), 1, 2, 3]]
    annotations = [{"id": n, "image_id": 1, "category_id": 1, "bbox": box} for n, box in enumerate(boxes)]
    annotations += [
        {"id": 9, "image_id": 77, "category_id": 1, "bbox": [1, 1, 2, 2]},
        {"id": 2, "image_id": 1, "bbox": [1, 1, 2, 2]},
    ]
    images = [{"id": 1, "file_name": "x.png", "width": 30, "height": 20}]
    coco = {"images": images, "categories": [{"id": 1, "name": "organ"}], "annotations": annotations}
    release, _, codes = bad({"x.png": png(noise()), "coco.json": json.dumps(coco).encode()})
    assert codes["box-without-area"] == codes["box-outside"] == codes["no-image"] == codes["no-category"] == 1
    assert codes["duplicate-id"] == 1
    found = [row["json"]["annotations"] for row in load(release, split="train") if row["json"]["annotations"]]
    assert [[one["box_xyxy_px"] for one in some] for some in found] == [[[2.0, 2.0, 11.0, 11.0]]]


def test_label_files_in_another_encoding_or_nonsense(bad):
    files = {
        "a.png": png(noise()),
        "a.txt": b"\xff\xfe\x00\x31",
        "b.png": png(noise(23)),
        "b.txt": b"0 0.5 oops 0.1 0.1\n9 .5 .5 .1 .1\n",
    }
    _, report, codes = bad(files)
    assert codes == {"encoding": 1, "bad-row": 1, "unknown-label": 1}
    assert report["counts"]["samples"] == 3


def test_archives_cannot_write_elsewhere(bad, tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../escaped.png", png(noise()))
        archive.writestr("inside/x.png", png(noise(24)))
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    _, report, codes = bad({"pack.zip": buffer.getvalue()})
    assert codes == {"unsafe-path": 2}
    assert report["counts"]["samples"] == 2
    assert not list(tmp_path.parent.rglob("escaped.png"))


def test_absurd_claims_cost_no_memory(tmp_path: Path):
    raw = tmp_path / "raw"
    raw.mkdir()
    (tmp_path / "bad.py").write_text(SOURCE)
    (raw / "good.png").write_bytes(png(noise()))
    (raw / "x.png").write_bytes(png_header(65535, 65535))
    (raw / "y.nii").write_bytes(header_of_nifti((1024, 1024, 1024)))
    (raw / "z.nii.gz").write_bytes(gzip.compress(header_of_nifti((1024, 1024, 1024))))
    code = (
        "import sys; from pathlib import Path; from medloom.builders.build import Options, build\n"
        f"build({str(tmp_path / 'bad.py')!r}, Path({str(raw)!r}), Path({str(tmp_path / 'release')!r}), options=Options())"
    )
    limit = 3 << 30
    process = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    report = json.loads((tmp_path / "release.work/bad/build-report.json").read_text())
    assert {row["code"]: row["count"] for row in report["issues"]} == {"absurd-size": 3}
