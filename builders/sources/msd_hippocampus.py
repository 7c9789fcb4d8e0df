"""Medical Segmentation Decathlon, Task04: cropped T1 volumes of the hippocampus, anterior and posterior part.

    TrainingSet/images/hippocampus_001.nii.gz, TrainingSet/labels/hippocampus_001.nii.gz     35×51×35, float32 and uint8
    Task04_Hippocampus/{imagesTr,labelsTr,imagesTs}/hippocampus_001.nii.gz and dataset.json  the decathlon's own

hippocampus_118 has an image and no label, and some images are uint8 where the others are float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ...schema.errors import Issue, Severity, UnreadableError
from ...schema.labels import Label
from ...schema.triplet import Triplet
from ..formats import json_records
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import LabelMap, Unit

FACTS = Facts(
    name="msd_hippocampus",
    title="Medical Segmentation Decathlon: Task04 Hippocampus",
    homepage="http://medicaldecathlon.com/",
    licence="CC-BY-SA-4.0",
    licence_evidence="The decathlon states CC BY-SA 4.0 (dataset.json and its paper); the copy in a course's repository has "
    "no licence file, and that repository's README says MIT for itself.",
    citation="@article{antonelli2022medical,\n  title = {The Medical Segmentation Decathlon},\n"
    "  author = {Antonelli, Michela and Reinke, Annika and Bakas, Spyridon and others},\n"
    "  journal = {Nature Communications},\n  volume = {13},\n  pages = {4128},\n  year = {2022},\n"
    "  doi = {10.1038/s41467-022-30695-9}\n}",
    cite="doi:10.1038/s41467-022-30695-9",
    access=Access.OPEN,
    triplet=Triplet("MRI", "hippocampus", "hippocampus-segmentation"),
    clinical_task="Nervous Tissue",
    department="Neurosurgery",
    group_kind="volume",
    closed_sets={"hippocampus": ("Anterior", "Posterior")},
    oddities=(
        "No patient ids: there are more volumes than patients, so the left and right hippocampus of one may be parted.",
        "Volumes are crops around one hippocampus; left or right isn't given.",
        "Labels of the decathlon's test set (imagesTs) are withheld.",
        "Images of one set are float32 or uint8, on unrelated scales.",
    ),
    images_stated=394,
)

LABELS = {
    "Anterior": Label("anterior hippocampus"),
    "Posterior": Label("posterior hippocampus"),
}

PARTS = {1: "Anterior", 2: "Posterior"}
SPLITS = {"imagesTr": "train", "imagesTs": "test"}
IMAGES = ("**/TrainingSet/images/*.nii.gz", "**/imagesTr/*.nii.gz", "**/imagesTs/*.nii.gz")
LABEL_MAPS = ("**/TrainingSet/labels/*.nii.gz", "**/labelsTr/*.nii.gz")


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per volume; images and label maps have the same names in sister folders."""
    labels = set(raw.glob(*LABEL_MAPS))
    values = _values(raw)
    for image in raw.glob(*IMAGES):
        folder = PurePosixPath(image).parent
        label = str(folder.parent / folder.name.replace("images", "labels") / PurePosixPath(image).name)
        if label not in labels and folder.name != "imagesTs":
            raw.report(Issue("missing-label", image, "no label map of its name", "one per image", "it has no labels"))
        targets = (LabelMap(path=label, values=values),) if label in labels else ()
        labels.discard(label)
        split = SPLITS.get(folder.name)
        yield Unit(files=(image,), reader="volume", split=split, modality_detail="T1", targets=targets)
    for label in sorted(labels):
        raw.report(Issue("no-image", label, "no image of its name", "an image per label map", "it was left out"))


def _values(raw: Raw) -> dict[int, str]:
    """Value → word, as dataset.json has it; volumes that it lists and that aren't there are issues."""
    for path in raw.glob("**/dataset.json"):
        document = json_records.load(raw, path)
        try:
            listed = [*(entry["image"] for entry in document["training"]), *document["test"]]
            values = {int(value): str(word) for value, word in document["labels"].items()}
            _report_absent(raw, path, [str(PurePosixPath(path).parent / image) for image in listed])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            expected = "the decathlon's training, test and labels"
            raise UnreadableError(f"{type(error).__name__} {error}"[:80], expected=expected, where=path) from error
        return {value: word for value, word in values.items() if value}
    return PARTS


def _report_absent(raw: Raw, path: str, images: list[str]) -> None:
    for image in [image for image in images if not raw.has(image)]:
        step = "it was passed over"
        raw.report(Issue("missing-file", path, f"no volume {image}", "all that it lists", step, Severity.INFO))


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the decathlon's archive (Task04_Hippocampus)",
            expects=(
                Expect(pattern="**/imagesTr/*.nii.gz", what="training volumes"),
                Expect(pattern="**/labelsTr/*.nii.gz", what="their label maps"),
                Expect(pattern="**/dataset.json", what="names of the labels"),
            ),
        ),
        Layout(
            name="the course's copy (TrainingSet)",
            expects=(
                Expect(pattern="**/TrainingSet/images/*.nii.gz", what="volumes"),
                Expect(pattern="**/TrainingSet/labels/*.nii.gz", what="their label maps"),
            ),
        ),
    ),
)
