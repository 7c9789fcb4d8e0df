from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as oracle

from medloom.builders.formats import coco
from medloom.builders.raw import Raw
from medloom.schema.errors import Issue, Severity, UnreadableError
from medloom.schema.region import fill_polygons, mask_from_rle

H, W = 40, 60
CATEGORIES = [{"id": 1, "name": "right lung"}, {"id": 2, "name": "left lung"}]
IMAGE = {"id": 4, "file_name": "a.png", "width": W, "height": H, "license": 1}


def read(root, *annotations: object, **others) -> tuple[coco.Coco, list[Issue]]:
    document = {"images": [IMAGE], "categories": CATEGORIES, "annotations": list(annotations), **others}
    (root / "sub").mkdir(exist_ok=True)
    (root / "sub/annotations.json").write_text(json.dumps(document))
    issues: list[Issue] = []
    return coco.read(Raw(root, report=issues.append), "sub/annotations.json"), issues


def annotation(**fields) -> dict:
    return {"id": 17, "image_id": 4, "category_id": 1, "bbox": [10, 5, 20, 30], **fields}


def square(x0: float, y0: float, side: float) -> list[float]:
    return [x0, y0, x0 + side, y0, x0 + side, y0 + side, x0, y0 + side]


def test_a_box(tmp_path):
    found, issues = read(tmp_path, annotation(segmentation=[], attributes={"view": "PA"}))
    assert not issues
    assert found.categories == {1: "right lung", 2: "left lung"}
    image = found.images[0]
    assert (image.file_name, image.id, image.width, image.height) == ("a.png", 4, W, H)
    assert (image.attributes, image.mark_attributes) == ({"license": 1}, ({"view": "PA"},))
    mark = image.marks[0]
    assert (mark.label, mark.where) == ("right lung", "annotations.json annotation 17")
    assert mark.box_xyxy_px == (10, 5, 30, 35)


def test_polygons_are_contours(tmp_path):
    flat = square(3, 3, 10)
    found, issues = read(tmp_path, annotation(segmentation=[flat, square(30, 3, 5)]))
    rings = found.images[0].marks[0].polygons_px
    assert [list(sum(ring, ())) for ring in rings] == [flat, square(30, 3, 5)]
    assert not issues


def test_polygons_that_overlap_are_united_not_cut_out(tmp_path):
    flats = [square(5, 5, 20), square(10, 10, 4), square(20.5, -3, 50)]
    found, _ = read(tmp_path, annotation(segmentation=flats))
    rings = [np.array(ring) for ring in found.images[0].marks[0].polygons_px]
    union = np.zeros((H, W), np.uint8)
    for flat in flats:
        union |= fill_polygons([np.array(flat).reshape(-1, 2)], (H, W))
    assert np.array_equal(fill_polygons(rings, (H, W)), union)


@pytest.mark.parametrize("compressed", [True, False])
def test_run_lengths_are_masks(tmp_path, compressed):
    mask = np.zeros((H, W), np.uint8)
    mask[5:9, 7:30] = 1
    if compressed:
        rle = oracle.encode(np.asfortranarray(mask))
        counts: object = rle["counts"].decode()
    else:
        flat = mask.ravel(order="F").astype(int)
        counts = np.diff(np.r_[0, np.flatnonzero(np.diff(flat)) + 1, flat.size]).tolist()
    segmentation = {"size": [H, W], "counts": counts}
    found, issues = read(tmp_path, annotation(segmentation=segmentation, iscrowd=1, bbox=None))
    mark = found.images[0].marks[0]
    assert np.array_equal(mask_from_rle(mark.rle, (H, W)), mask)
    assert found.images[0].mark_attributes == ({"iscrowd": True},)
    assert [(issue.code, issue.severity) for issue in issues] == [("crowd", Severity.INFO)]
    no_size = [{**IMAGE, "width": None}]
    found, issues = read(tmp_path, annotation(segmentation=segmentation), images=no_size)
    assert np.array_equal(mask_from_rle(found.images[0].marks[0].rle, (H, W)), mask)
    assert [(issue.code, issue.severity) for issue in issues] == [("bad-size", Severity.INFO)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"category_id": None}, "no-category"),
        ({"category_id": 9}, "no-category"),
        ({"category_id": [1]}, "no-category"),
        ({"image_id": 99}, "no-image"),
        ({"image_id": {}}, "no-image"),
        ({"bbox": [1, 2, 0, 4]}, "box-without-area"),
        ({"bbox": [1, 2, 100, 4]}, "box-outside"),
        ({"bbox": [1, 2, 3]}, "bad-region"),
        ({"bbox": "abcd"}, "bad-region"),
        ({"bbox": None}, "bad-region"),
        ({"segmentation": [[1, 2, 3, 4]]}, "bad-polygon"),
        ({"segmentation": [[1, 2, 3, 4, 5, 1e300]]}, "bad-polygon"),
        ({"segmentation": [1, 2, 3, 4, 5, 6]}, "bad-polygon"),
        ({"segmentation": [[1, 2, 3, 2, 5, 2]]}, "box-without-area"),
        ({"segmentation": [square(70, 3, 5)]}, "box-outside"),
        ({"segmentation": [square(3.6, 3.6, 0.2), square(3.7, 3.7, 0.2)]}, "mask-empty"),
        ({"segmentation": "x"}, "bad-segmentation"),
        ({"segmentation": {"counts": "x"}}, "bad-segmentation"),
        ({"segmentation": {"size": [H, W], "counts": "\x01"}}, "bad-rle"),
        ({"segmentation": {"size": [W, H], "counts": [H * W]}}, "mask-size"),
        ({"segmentation": {"size": [H, W], "counts": [H * W]}}, "mask-empty"),
        ({"segmentation": {"size": [H, W], "counts": [1, 2]}}, "bad-rle"),
    ],
)
def test_a_faulty_annotation_is_left_out_and_named(tmp_path, fields, code):
    found, issues = read(tmp_path, annotation(**fields), annotation(id=18))
    assert [mark.where for mark in found.images[0].marks] == ["annotations.json annotation 18"]
    assert [(issue.code, issue.where) for issue in issues] == [(code, "annotations.json annotation 17")]


def test_ids_that_repeat(tmp_path):
    images = [IMAGE, {**IMAGE, "file_name": "b.png"}, {**IMAGE, "id": 5}]
    categories = [*CATEGORIES, {"id": 2, "name": "heart"}]
    twice = (annotation(), annotation(category_id=2))
    found, issues = read(tmp_path, *twice, images=images, categories=categories)
    assert [(image.id, image.file_name, len(image.marks)) for image in found.images] == [(4, "a.png", 2), (5, "a.png", 0)]
    assert found.categories[2] == "left lung"
    assert [(issue.code, issue.where) for issue in issues] == [
        ("duplicate-id", "annotations.json category 2"),
        ("duplicate-id", "annotations.json image 4"),
        ("duplicate-id", "annotations.json image 5"),
        ("duplicate-id", "annotations.json annotation 17"),
    ]


def test_entries_that_are_no_entries(tmp_path):
    _, issues = read(tmp_path, 3, {"id": True}, categories=None, images=[{"id": 1}, IMAGE])
    assert Counter((issue.code, issue.where) for issue in issues) == {
        ("bad-row", "annotations.json annotation at place 1"): 1,
        ("bad-row", "annotations.json annotation at place 2"): 1,
        ("bad-row", "annotations.json"): 1,
        ("bad-row", "annotations.json image 1"): 1,
    }


@pytest.mark.parametrize("document", ["[]", "{}", '{"images": {}}', "", "nonsense"])
def test_what_is_no_coco_is_unreadable(tmp_path, document):
    (tmp_path / "a.json").write_text(document)
    with pytest.raises(UnreadableError, match=r"a\.json"):
        coco.read(Raw(tmp_path), "a.json")


def test_absurd_sizes_take_no_memory(tmp_path):
    vast = [{**IMAGE, "width": 10**6, "height": 4000}]
    overlapping = [square(0, 0, 3999), [0, 0, 999_999, 0, 999_999, 3999]]
    _, issues = read(tmp_path, annotation(segmentation=overlapping), images=vast)
    assert [issue.code for issue in issues] == ["absurd-size"]
    rle = {"size": [10**9, 10**9], "counts": [10**18]}
    _, issues = read(tmp_path, annotation(segmentation=rle), images=[{**IMAGE, "width": 10**9, "height": 10**9}])
    assert [issue.code for issue in issues] == ["bad-size", "bad-rle"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["size", "counts", "id"]), inner),
    max_leaves=12,
)
ENTRIES = st.dictionaries(
    st.sampled_from(["id", "image_id", "category_id", "bbox", "segmentation", "iscrowd", "name", "file_name", "width"]),
    VALUES | st.integers(0, 3),
    max_size=9,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENTRIES | VALUES, max_size=4), st.lists(ENTRIES, max_size=3), st.lists(ENTRIES, max_size=3))
def test_random_documents_give_marks_issues_or_our_errors(tmp_path, annotations, images, categories):
    marks = []
    try:
        found, _ = read(
            tmp_path,
            *[{**annotation(), **item} if isinstance(item, dict) else item for item in annotations],
            images=[IMAGE, *images],
            categories=[*CATEGORIES, *categories],
        )
        marks = [mark for image in found.images for mark in image.marks]
    except UnreadableError as error:
        assert error.where  # noqa: PT017
    for mark in marks:
        assert sum(place is not None for place in (mark.box_xyxy_px, mark.polygons_px, mark.rle)) == 1


def test_real_lung_boxes(real_data):
    issues: list[Issue] = []
    raw = Raw(real_data / "covid_chestxray_boxes", report=issues.append)
    found = coco.read(raw, "annotations/annotations.json")
    assert found.categories == {1: "Right Lung", 2: "Left Lung"}
    assert (len(found.images), sum(len(image.marks) for image in found.images)) == (616, 1231)
    assert sum(raw.has(f"images/{image.file_name}") for image in found.images) == 42
    assert all(mark.box_xyxy_px for image in found.images for mark in image.marks)
    assert [(issue.code, issue.where) for issue in issues] == [("no-category", "annotations.json annotation 850")]
    assert found.images[0].mark_attributes[0]["View"] == ["PA"]
