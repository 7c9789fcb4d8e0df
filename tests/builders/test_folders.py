from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.formats.folders import Rule, classes, pair
from medloom.builders.raw import Raw
from medloom.schema.errors import Issue


def touch(root, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_the_class_is_a_folder_level(tmp_path):
    touch(tmp_path, "train/glioma/a (1).jpg", "train/no tumor/deep/b.jpg", "train/c.jpg")
    issues: list[Issue] = []
    raw = Raw(tmp_path, report=issues.append)
    assert list(classes(raw, "**/*.jpg", 1)) == [
        ("train/glioma/a (1).jpg", "glioma"),
        ("train/no tumor/deep/b.jpg", "no tumor"),
    ]
    assert [(issue.code, issue.where) for issue in issues] == [("missing-label", "train/c.jpg")]
    assert [name for _, name in classes(raw, "**/*.jpg", -1)] == ["train", "glioma", "deep"]


def test_pairs_by_stem_prefix_and_suffix():
    issues: list[Issue] = []
    images = ["i/1.v2.jpg", "i/2.jpg", "i/3.jpg"]
    masks = ["m/seg_1.v2_mask.png", "m/seg_3_mask.png", "m/seg_4_mask.png", "m/2.png"]
    rule = Rule(mask_prefix="seg_", mask_suffix="_mask")
    pairs, images_left, masks_left = pair(images, masks, rule=rule, report=issues.append)
    assert pairs == [("i/1.v2.jpg", "m/seg_1.v2_mask.png"), ("i/3.jpg", "m/seg_3_mask.png")]
    assert (images_left, masks_left) == (["i/2.jpg"], ["m/seg_4_mask.png", "m/2.png"])
    assert [(issue.code, issue.where) for issue in issues] == [
        ("no-image", "m/seg_4_mask.png"),
        ("no-image", "m/2.png"),
        ("missing-label", "i/2.jpg"),
    ]


def test_images_that_share_a_name_need_folders_to_tell_them_apart():
    issues: list[Issue] = []
    images, masks = ["train/i/1.png", "test/i/1.png"], ["train/m/1.png", "test/m/1.png"]
    assert pair(images, masks, report=issues.append) == ([], images, masks)
    assert Counter(issue.code for issue in issues) == {"duplicate-id": 2, "missing-label": 2}
    pairs, *lonely = pair(images, masks, rule=Rule(folders=(0,)), report=issues.append)
    assert (pairs, lonely) == (list(zip(images, masks, strict=True)), [[], []])


def test_volumes_keep_their_double_ending_out_of_the_stem():
    pairs, *_ = pair(["a/x.nii.gz"], ["b/x_seg.nii"], rule=Rule(mask_suffix="_seg"), report=[].append)
    assert pairs == [("a/x.nii.gz", "b/x_seg.nii")]


@given(st.lists(st.text("ab_./", min_size=1, max_size=6)), st.lists(st.text("ab_./", min_size=1, max_size=6)))
def test_nothing_is_lost_and_every_lonely_file_is_reported(images, masks):
    issues: list[Issue] = []
    rule = Rule(mask_suffix="_", folders=(-1,))
    pairs, images_left, masks_left = pair(images, masks, rule=rule, report=issues.append)
    assert Counter(mask for _, mask in pairs) + Counter(masks_left) == Counter(masks)
    assert {image for image, _ in pairs} | set(images_left) == set(images)
    assert len(issues) == len(images_left) + len(masks_left)


def test_real_class_folders(real_data):
    issues: list[Issue] = []
    raw = Raw(real_data / "brain_tumor_mri", report=issues.append)
    counts = Counter((path.split("/")[0], name) for path, name in classes(raw, "T*/*/*.jpg", 1))
    assert set(counts.values()) == {30, 12}
    assert len(counts) == 8
    assert issues == []


def test_real_pairs(real_data):
    issues: list[Issue] = []
    retina = Raw(real_data / "chase_db1").glob("**/*.jpg"), Raw(real_data / "chase_db1").glob("**/*_1stHO.png")
    pairs, *lonely = pair(*retina, rule=Rule(mask_suffix="_1stHO"), report=issues.append)
    assert (len(pairs), lonely, issues) == (28, [[], []], [])
    hippocampus = Raw(real_data / "msd_hippocampus")
    images, labels = hippocampus.glob("**/images/*.nii.gz"), hippocampus.glob("**/labels/*.nii.gz")
    pairs, images_left, labels_left = pair(images, labels, report=issues.append)
    assert (len(pairs), labels_left) == (59, [])
    assert images_left == ["TrainingSet/images/hippocampus_118.nii.gz"]
    assert [issue.code for issue in issues] == ["missing-label"]
    cells = Raw(real_data / "chula_rbc12")
    pairs, images_left, labels_left = pair(cells.glob("Dataset/*.jpg"), cells.glob("Label/*.txt"), report=[].append)
    assert (len(pairs), len(images_left), labels_left) == (50, 6, [])
    nuclei = Raw(real_data / "dsb2018_nuclei")
    images, masks = nuclei.glob("stage1_train/*/images/*.png"), nuclei.glob("stage1_train/*/masks/*.png")
    pairs, *lonely = pair(images, masks, rule=Rule(folders=(1,), stem=False), report=issues.append)
    assert (len(images), len(pairs), lonely, len(issues)) == (45, 1096, [[], []], 1)
    assert all(image.split("/")[1] == mask.split("/")[1] for image, mask in pairs)
