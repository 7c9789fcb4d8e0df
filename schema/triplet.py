"""The MAT-triplet: modality, anatomical area and task, each from a closed vocabulary.

**Modalities.** The roots hold Med-MAT's eleven codes. `Co` is colposcopy, as Med-MAT's table says (its text says
colonoscopy, which stands under `End`). MR sequences and maps stand under `MRI`, CT perfusion maps under `CT`; a bare
"CBF" is no word, since CT and MR both have one: "CT-CBF" and "MR-CBF" are. Delayed enhancement (GMAI's DE) is read as
late gadolinium enhancement, and Gadolinium, T1Gd and T1C as T1ce. Infrared reflectance and adaptive optics stand under
`OP`, DICOM's ophthalmic photography; `FP` remains a root, as Med-MAT has it.

**Areas.** Med-MAT's table has 16 areas (its text counts 14: the table holds), MedTrinity's structures and ours are
fitted around them; a parent is the region that an area is part of.

**Tasks.** One term for each distinct task that Med-MAT's 53 subsets print. The paper speaks of 13 broad tasks and never
lists them: the 13 of `BROAD_TASKS`, and which subset's task stands under which, are our reading. Three printed names
serve two subsets each (Level Identification, Multi-labels Diseases, Multi-labels Det/Seg) and stay one term each, since
the area or modality tells them apart. Tasks that other sources need are marked `ours`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .errors import DataError
from .vocabulary import Term, Vocabulary, slug

_Row = tuple[str, ...]
"""Code, name, aliases."""


def _printed(parent: str | None, *rows: _Row) -> Iterator[Term]:
    """Terms that a paper or the DICOM standard lists."""
    return (Term(code, name, parent, tuple(aliases)) for code, name, *aliases in rows)


def _ours(parent: str | None, *rows: _Row) -> Iterator[Term]:
    """Terms that are our own reading."""
    return (Term(code, name, parent, tuple(aliases), ours=True) for code, name, *aliases in rows)


def _prefixed(prefix: str, terms: Iterator[Term]) -> Iterator[Term]:
    """The same terms, also found as "MR T1", "mr_t1", "MR-T1" (or with another prefix)."""
    for term in terms:
        bare = (term.code, *term.aliases)
        aliases = (*term.aliases, *(f"{prefix} {word}" for word in bare if not word.startswith(f"{prefix}-")))
        yield Term(term.code, term.name, term.parent, aliases, ours=term.ours)


MODALITIES = Vocabulary(
    "modality",
    (
        *_printed(
            None,
            ("Co", "Colposcopy"),
            ("CT", "Computed Tomography", "ct_00", "CT scan"),
            ("Der", "Dermoscopy", "dermoscopy_00", "dermatoscopy"),
            ("DP", "Digital Photography", "XC", "photograph", "external camera photography"),
            ("End", "Endoscopy", "ES", "endoscopy_00"),
            ("FP", "Fundus Photography", "Fundus", "fundus photograph", "colour fundus photography", "CFP"),
            ("Mic", "Microscopy", "GM", "SM", "light microscopy", "slide microscopy"),
            ("MRI", "Magnetic Resonance Imaging", "MR", "mr_00", "magnetic resonance"),
            ("OCT", "Optical Coherence Tomography", "OPT", "ophthalmic tomography"),
            ("US", "Ultrasound", "ultrasound_00", "ultrasonography", "sonography"),
            ("X-ray", "X-ray", "CR", "DX", "radiography", "radiograph", "plain film", "CXR", "chest x-ray"),
            ("PET", "Positron Emission Tomography", "PT", "pet_00"),
            ("NM", "Nuclear Medicine", "scintigraphy"),
            ("OP", "Ophthalmic Photography"),
        ),
        *_printed(
            "CT",
            ("CTA", "CT Angiography"),
            ("CT-CBF", "CT perfusion: cerebral blood flow"),
            ("CT-CBV", "CT perfusion: cerebral blood volume"),
            ("CT-MTT", "CT perfusion: mean transit time"),
            ("CT-Tmax", "CT perfusion: time to maximum of the residue function"),
        ),
        *_ours("CT", ("CT-TTP", "CT perfusion: time to peak"), ("CBCT", "Cone-beam CT")),
        *_prefixed(
            "MR",
            _printed(
                "MRI",
                ("T1", "T1-weighted MRI", "T1 weighted", "T1W"),
                ("T1ce", "Contrast-enhanced T1-weighted MRI", "T1Gd", "T1C", "Gadolinium", "T1 contrast-enhanced"),
                ("T2", "T2-weighted MRI", "T2 weighted", "T2W"),
                ("FLAIR", "Fluid-attenuated inversion recovery", "T2 FLAIR"),
                ("ADC", "Apparent diffusion coefficient map"),
                ("DWI", "Diffusion-weighted MRI", "diffusion weighted"),
                ("DTI", "Diffusion tensor imaging"),
                ("SWI", "Susceptibility-weighted imaging", "susceptibility weighted"),
                ("ASL", "Arterial spin labelling", "arterial spin labeling"),
                ("PD", "Proton-density-weighted MRI", "PD weighted", "PDW", "proton density"),
                ("MP-RAGE", "Magnetization-prepared rapid gradient echo", "MPRAGE"),
                ("DCE", "Dynamic contrast-enhanced MRI", "DCE-MRI"),
                ("LGE", "Late gadolinium enhancement", "DE", "delayed enhancement"),
                ("CMR", "Cardiac magnetic resonance", "cardiac MRI"),
                ("Fat", "Fat image (chemical-shift MRI)", "fat-only", "Dixon fat"),
                ("Water", "Water image (chemical-shift MRI)", "water-only", "Dixon water"),
                ("In-phase", "In-phase image (chemical-shift MRI)", "Dixon in-phase"),
                ("Opposed-phase", "Opposed-phase image (chemical-shift MRI)", "out-of-phase", "Dixon opposed-phase"),
                ("MRA", "MR Angiography"),
                ("MR-CBF", "MR perfusion: cerebral blood flow"),
                ("MR-CBV", "MR perfusion: cerebral blood volume"),
                ("MR-MTT", "MR perfusion: mean transit time"),
                ("MR-Tmax", "MR perfusion: time to maximum of the residue function"),
                ("MR-TTP", "MR perfusion: time to peak"),
                ("MR-rCBF", "MR perfusion: relative cerebral blood flow", "rCBF"),
                ("MR-rCBV", "MR perfusion: relative cerebral blood volume", "rCBV"),
            ),
        ),
        *_prefixed("MR", _printed("DWI", ("HBV", "High b-value diffusion-weighted MRI", "high b-value"))),
        *_prefixed(
            "MR",
            _ours(
                "MRI",
                ("EPI", "Echo-planar imaging", "BOLD", "fMRI"),
                ("T2star", "T2*-weighted MRI", "T2*"),
                ("STIR", "Short-tau inversion recovery"),
                ("Cine-MR", "Cine MRI", "cine", "bSSFP"),
            ),
        ),
        *_printed(
            "X-ray",
            ("Bone-texture", "Texture Characterization of Bone Radiograph", "bone texture radiograph"),
            ("Mammography", "Mammography", "MG", "mammogram"),
            ("DXA", "Dual-energy X-ray Absorptiometry", "DEXA", "BMD", "bone densitometry"),
            ("Fluoroscopy", "Fluoroscopy", "RF", "radiofluoroscopy"),
            ("XA", "X-ray Angiography", "DSA", "digital subtraction angiography"),
            ("Intraoral", "Intra-oral Radiography", "IO", "periapical radiograph", "bitewing"),
            ("Panoramic", "Panoramic Dental Radiography", "PX", "orthopantomogram", "OPG"),
        ),
        *_printed("Mic", ("Histopathology", "Histopathology", "histology", "pathology")),
        *_ours(
            "Mic",
            ("Cytology", "Cytology", "cytopathology"),
            ("Fluorescence", "Fluorescence Microscopy", "immunofluorescence"),
            ("Electron", "Electron Microscopy", "EM"),
        ),
        *_printed("Mic", ("Confocal", "Confocal Microscopy", "CFM")),
        *_printed("US", ("Doppler", "Doppler Ultrasound", "colour flow Doppler"), ("IVUS", "Intravascular Ultrasound")),
        *_printed("US", ("Echocardiography", "Echocardiography", "echo", "cardiac ultrasound")),
        *_printed("OCT", ("IVOCT", "Intravascular OCT")),
        *_ours("OCT", ("OCTA", "OCT Angiography")),
        *_printed(
            "OP",
            ("IR", "Infrared Reflectance", "Infrared Reflectance (IR) imaging", "infrared reflectance imaging"),
            ("AO", "Adaptive Optics Ophthalmoscopy", "adaptive optics"),
        ),
        *_ours("OP", ("Slit-lamp", "Slit-lamp Photography")),
        *_printed("FP", ("FFA", "Fundus Fluorescein Angiography", "fluorescein angiography")),
        *_printed("NM", ("SPECT", "Single-photon Emission Computed Tomography")),
        *_ours(
            "End",
            ("Gastroscopy", "Gastroscopy"),
            ("Bronchoscopy", "Bronchoscopy"),
            ("Capsule", "Capsule Endoscopy"),
        ),
        *_printed(
            "End",
            ("Colonoscopy", "Colonoscopy"),
            ("Cystoscopy", "Cystoscopy"),
            ("Laparoscopy", "Laparoscopy"),
        ),
        *_ours(None, ("other", "Other", "OT", "SC", "secondary capture"), ("unspecified", "Unspecified", "unknown")),
    ),
)


AREAS = Vocabulary(
    "area",
    (
        *_printed(
            None,
            ("chest", "Chest", "thorax", "thoracic"),
            ("pelvis", "Pelvis", "pelvic"),
            ("skin", "Skin", "cutaneous"),
            ("breast", "Breast", "breasts", "mammary"),
            ("cell", "Cell", "cells"),
            ("tissue", "Tissue"),
            ("vessels", "Blood vessels", "vascular", "vessel", "vasculature"),
            ("lymph-nodes", "Lymph nodes", "lymph", "lymph node"),
        ),
        *_ours(
            None,
            ("head", "Head"),
            ("neck", "Neck", "cervical region"),
            ("abdomen", "Abdomen", "abdominal"),
            ("musculoskeletal", "Musculoskeletal system"),
            ("nerves", "Peripheral nerves", "nerve"),
            ("fetus", "Fetus", "foetus", "fetal"),
            ("whole-body", "Whole body", "body"),
            ("phantom", "Phantom", "test object"),
            ("other", "Other"),
            ("unspecified", "Unspecified", "unknown"),
        ),
        *_printed("head", ("brain", "Brain", "cerebral", "intracranial"), ("eye", "Eye", "ocular", "eyes")),
        *_printed("head", ("face", "Face", "facial"), ("mouth", "Mouth", "oral cavity", "oral")),
        *_ours(
            "head",
            ("ear", "Ear"),
            ("nose", "Nose and sinuses", "sinuses", "nose", "nasal"),
            ("skull", "Skull", "cranium"),
        ),
        *_ours(
            "brain",
            ("hippocampus", "Hippocampus"),
            ("pituitary", "Pituitary gland"),
            ("basal-ganglia", "Basal ganglia"),
            ("brainstem", "Brainstem"),
            ("cerebellum", "Cerebellum"),
        ),
        *_printed("eye", ("fundus", "Fundus", "ocular fundus"), ("retina", "Retina", "retinal")),
        *_ours("eye", ("anterior-eye", "Anterior segment of the eye", "cornea")),
        *_ours("mouth", ("teeth", "Teeth", "tooth", "dental")),
        *_printed("neck", ("thyroid", "Thyroid", "thyroid gland")),
        *_ours("neck", ("larynx", "Larynx"), ("pharynx", "Pharynx", "throat")),
        *_printed(
            "chest",
            ("lung", "Lung", "pulmonary", "lungs"),
            ("heart", "Heart", "cardiac"),
            ("mediastinum", "Mediastinum", "mediastinal"),
        ),
        *_ours(
            "chest",
            ("airways", "Airways", "trachea", "respiratory tract"),
            ("pleura", "Pleura"),
            ("oesophagus", "Oesophagus", "esophagus"),
        ),
        *_printed(
            "abdomen",
            ("liver", "Liver", "hepatic"),
            ("kidney", "Kidney", "renal", "kidneys"),
            ("pancreas", "Pancreas", "pancreatic"),
            ("stomach", "Stomach", "gastral", "gastric"),
            ("intestine", "Intestine", "bowel"),
        ),
        *_ours(
            "abdomen",
            ("spleen", "Spleen"),
            ("gallbladder", "Gallbladder and bile ducts", "gallbladder", "biliary"),
            ("adrenal", "Adrenal gland"),
        ),
        *_printed("intestine", ("colon", "Colon", "large intestine", "colorectal")),
        *_ours(
            "intestine",
            ("small-intestine", "Small intestine"),
            ("rectum", "Rectum", "rectal"),
        ),
        *_ours("small-intestine", ("duodenum", "Duodenum")),
        *_printed(
            "pelvis",
            ("bladder", "Bladder", "urinary bladder"),
            ("cervix", "Cervix", "uterine cervix"),
            ("prostate", "Prostate", "prostatic"),
        ),
        *_ours("pelvis", ("uterus", "Uterus"), ("ovary", "Ovary")),
        *_printed("musculoskeletal", ("bones", "Bones", "bone", "skeleton")),
        *_ours(
            "musculoskeletal",
            ("spine", "Spine", "vertebrae", "vertebra", "spinal"),
            ("hip", "Hip"),
            ("knee", "Knee"),
            ("shoulder", "Shoulder"),
            ("elbow", "Elbow"),
            ("wrist", "Wrist"),
            ("hand", "Hand", "fingers"),
            ("ankle", "Ankle"),
            ("foot", "Foot"),
            ("leg", "Leg", "lower limb"),
            ("arm", "Arm", "upper limb"),
            ("muscle", "Muscle", "muscles"),
        ),
        *_printed("bones", ("ribs", "Ribs", "rib")),
        *_printed("vessels", ("artery", "Artery", "arteries", "arterial")),
        *_ours("vessels", ("vein", "Vein", "veins")),
        *_ours("artery", ("aorta", "Aorta"), ("carotid", "Carotid artery", "carotid")),
        *_ours("cell", ("blood", "Blood", "blood cells"), ("bone-marrow", "Bone marrow"), ("sperm", "Sperm")),
    ),
)


BROAD_TASKS = (
    "disease-classification",
    "infection-classification",
    "cancer-diagnosis",
    "skeletal-classification",
    "finding-classification",
    "severity-grading",
    "quality-assessment",
    "cell-classification",
    "structure-localization",
    "lesion-localization",
    "cell-localization",
    "surgical-scene",
    "multi-label-localization",
)
"""Our reading of Med-MAT's 13 tasks, which the paper counts and never lists."""

TASKS = Vocabulary(
    "task",
    (
        *_ours(
            None,
            ("disease-classification", "Disease classification"),
            ("infection-classification", "Infectious disease classification"),
            ("cancer-diagnosis", "Cancer and tumour diagnosis"),
            ("skeletal-classification", "Bone and joint classification"),
            ("finding-classification", "Classification of several findings at once"),
            ("severity-grading", "Severity grading"),
            ("quality-assessment", "Quality assessment"),
            ("cell-classification", "Cell classification"),
            ("structure-localization", "Localization of normal structures"),
            ("lesion-localization", "Localization of lesions"),
            ("cell-localization", "Localization of cells and nuclei"),
            ("surgical-scene", "Surgical scene understanding"),
            ("multi-label-localization", "Localization of several findings at once"),
            ("unlabelled", "No labels", "unlabeled", "none", "image-only"),
            ("other", "Other"),
        ),
        *_printed(
            "disease-classification",
            ("kidney-diseases", "Kidney disease classification", "Kidney Diseases Classification"),
            ("brain-haemorrhage", "Brain haemorrhage classification", "Brain Hemorrhage Classification"),
            ("skin-diseases", "Skin disease classification", "Skin Diseases Classification"),
            ("teeth-condition", "Teeth condition classification"),
            ("intestine-diseases", "Intestine disease classification", "Intestine Diseases Classification"),
            ("eye-diseases", "Eye disease classification", "Eye Diseases Classification"),
            ("head-diseases", "Head disease classification", "Head Diseases Classification"),
            ("retina-diseases", "Retina disease classification", "Retina Diseases Classification"),
            ("breast-diseases", "Breast disease classification", "Breast Diseases Classification"),
        ),
        *_printed(
            "infection-classification",
            ("covid-19", "COVID-19 classification", "COVID-19", "COVID19"),
            ("covid-19-pneumonia", "COVID-19 and pneumonia classification"),
            ("tuberculosis", "Tuberculosis classification", "tuberculosis"),
        ),
        *_printed(
            "cancer-diagnosis",
            ("lung-cancer", "Lung cancer classification"),
            ("brain-cancer", "Brain cancer classification"),
            ("melanoma-type", "Melanoma type classification"),
            ("oral-cancer", "Oral cancer classification"),
            ("breast-cancer", "Breast cancer classification"),
            ("cancer-classification", "Cancer classification"),
            ("tumour-classification", "Tumour classification", "Tumor Classification"),
        ),
        *_ours(
            "tumour-classification",
            ("brain-tumour-classification", "Brain tumour classification", "brain tumor classification"),
        ),
        *_printed(
            "skeletal-classification",
            ("fracture", "Fracture classification", "Fractured Classification"),
            ("vertebrae-diseases", "Vertebrae disease classification", "Vertebrae Diseases Classification"),
            ("spinal-lesion", "Spinal lesion classification"),
        ),
        *_printed(
            "finding-classification",
            ("multi-label-eye-diseases", "Eye diseases, multi-label", "Multiple-labels Eye Diseases Classification"),
            ("multi-label-chest", "Chest findings, multi-label", "Multiple-labels Chest Classification"),
            ("multi-label-diseases", "Diseases, multi-label", "Multi-labels Diseases"),
        ),
        *_printed(
            "severity-grading",
            ("cancer-degree", "Cancer degree classification"),
            ("prostate-cancer-degree", "Prostate cancer degree classification"),
            ("blindness-level", "Blindness level"),
            ("knee-degree", "Knee osteoarthritis degree classification", "Degree Classification of Knee"),
            ("level-identification", "Level identification"),
        ),
        *_printed(
            "quality-assessment",
            ("cervical-quality", "Cervical picture quality evaluation"),
            ("intestine-cleanliness", "Intestine cleanliness level"),
            ("retinal-quality", "Retinal image quality evaluation", "Retinal Images Quality Evaluation"),
        ),
        *_ours(
            "quality-assessment",
            ("image-quality", "Image quality assessment"),
            ("standard-plane", "Standard plane assessment", "standard plane recognition"),
            ("artefact-recognition", "Artefact recognition", "artifact recognition"),
        ),
        *_printed(
            "cell-classification",
            ("cell-type", "Cell type classification"),
            ("multi-label-blood-cells", "Blood cells, multi-label", "Multiple-labels Blood Cell Classification"),
        ),
        *_ours("cell-classification", ("red-cell-morphology", "Red cell morphology")),
        *_ours(
            "structure-localization",
            ("organ-segmentation", "Organ segmentation"),
            ("organ-detection", "Organ detection"),
            ("brain-structure-segmentation", "Brain structure segmentation", "brain parcellation"),
            ("tissue-segmentation", "Tissue segmentation"),
            ("landmark-localization", "Landmark localization", "landmark detection", "point localization"),
        ),
        *_ours("organ-detection", ("lung-detection", "Lung detection")),
        *_ours("brain-structure-segmentation", ("hippocampus-segmentation", "Hippocampus segmentation")),
        *_printed(
            "organ-segmentation",
            ("lung-segmentation", "Lung segmentation", "Lung Det/Seg"),
            ("liver-segmentation", "Liver segmentation", "Liver Det/Seg"),
        ),
        *_printed(
            "structure-localization",
            ("vessel-segmentation", "Vessel segmentation", "Vessel Seg"),
            ("optic-disc-segmentation", "Optic disc segmentation", "Optic Disc Seg"),
            ("optic-disc-cup-segmentation", "Optic disc and cup segmentation", "Optic Disc and Cup Seg"),
        ),
        *_printed(
            "lesion-localization",
            ("lesion-segmentation", "Lesion segmentation", "Lesion Det/Seg"),
            ("polyp-segmentation", "Polyp segmentation", "PolyP Det/Seg"),
            ("cancer-segmentation", "Cancer segmentation", "Cancer Det/Seg"),
            ("thyroid-nodule-segmentation", "Thyroid nodule segmentation", "Thyroid Nodule Region Det/Seg"),
            ("pneumothorax-segmentation", "Pneumothorax segmentation", "Pneumothorax Det/Seg"),
            ("spinal-anomaly-detection", "Spinal anomaly detection", "Spinal Anomaly Det"),
        ),
        *_ours(
            "lesion-localization",
            ("tumour-segmentation", "Tumour segmentation", "tumor segmentation"),
            ("tumour-detection", "Tumour detection", "tumor detection"),
            ("lesion-detection", "Lesion detection"),
        ),
        *_ours("tumour-segmentation", ("brain-tumour-segmentation", "Brain tumour segmentation", "brain tumor seg")),
        *_ours("tumour-detection", ("brain-tumour-detection", "Brain tumour detection", "brain tumor detection")),
        *_printed(
            "cell-localization",
            ("cancer-cell-segmentation", "Cancer cell segmentation", "Cancer Cell Det/Seg"),
        ),
        *_ours(
            "cell-localization",
            ("cell-detection", "Cell detection"),
            ("cell-segmentation", "Cell segmentation"),
            ("nucleus-segmentation", "Nucleus segmentation", "nuclei segmentation"),
        ),
        *_printed(
            "surgical-scene",
            ("surgical-procedures", "Surgical procedure localization", "Surgical Procedures Det/Seg"),
        ),
        *_ours(
            "surgical-scene",
            ("instrument-segmentation", "Surgical instrument segmentation"),
            ("surgical-workflow", "Surgical workflow recognition"),
        ),
        *_printed(
            "multi-label-localization",
            ("multi-label-segmentation", "Several findings, segmentation", "Multi-labels Det/Seg"),
            ("multi-label-detection", "Several findings, detection", "Multi-labels Det"),
        ),
    ),
)


@dataclass(frozen=True)
class Triplet:
    """What a sample serves: codes of `MODALITIES`, `AREAS` and `TASKS`.

    Raises:
        UsageError: One of them is no code of its vocabulary.
    """

    modality: str
    area: str
    task: str

    def __post_init__(self) -> None:
        for vocabulary, code in ((MODALITIES, self.modality), (AREAS, self.area), (TASKS, self.task)):
            vocabulary[code]

    @classmethod
    def find(cls, modality: str, area: str, task: str) -> Triplet:
        """The triplet that three printed words (codes, names or aliases) stand for.

        Raises:
            UsageError: A word is unknown.
        """
        return cls(MODALITIES.find(modality).code, AREAS.find(area).code, TASKS.find(task).code)

    @property
    def subset(self) -> str:
        """The subset's name, such as "ct-lung-covid-19"; no other triplet has it."""
        return f"{slug(self.modality)}-{slug(self.area)}-{slug(self.task)}"


_DICOM_CODES = {
    "CT": ("CT",),
    "MRI": ("MR",),
    "MRA": ("MA",),
    "PET": ("PT",),
    "NM": ("NM",),
    "SPECT": ("ST",),
    "US": ("US", "BDUS"),
    "Doppler": ("CD", "DD"),
    "Echocardiography": ("EC",),
    "IVUS": ("IVUS",),
    "X-ray": ("CR", "DX", "RG"),
    "Mammography": ("MG",),
    "DXA": ("BMD",),
    "Fluoroscopy": ("RF", "VF", "DF", "CF"),
    "XA": ("XA", "DS"),
    "Intraoral": ("IO",),
    "Panoramic": ("PX",),
    "OCT": ("OCT", "OPT"),
    "IVOCT": ("IVOCT",),
    "OP": ("OP",),
    "FP": ("FS",),
    "FFA": ("FA",),
    "End": ("ES",),
    "Cystoscopy": ("CS",),
    "Laparoscopy": ("LP",),
    "Co": ("CP",),
    "DP": ("XC",),
    "Der": ("DMS",),
    "Mic": ("GM", "SM", "DM"),
    "Confocal": ("CFM",),
    "other": ("OT", "SC", "TG", "LS", "DG", "BI", "OPM", "OSS", "RTIMAGE", "HC", "PA"),
    "unspecified": ("",),
}
_FROM_DICOM = {dicom: code for code, known in _DICOM_CODES.items() for dicom in known}


def from_dicom(code: str) -> Term:
    """The modality of a DICOM image by its Modality (0008,0060), retired codes included; an empty one is `unspecified`.

    The codes are those of DICOM PS3.3 section C.7.3.1.1.1. Pictures that have no term here, and secondary captures, are
    `other`. `OP` says no more than ophthalmic photography: a source that holds fundus photographs declares `FP` itself.

    Raises:
        DataError: The code isn't one of an image (such as SEG or SR), or isn't in the standard.
    """
    known = _FROM_DICOM.get(code.strip().upper())
    if known is None:
        expected = "the Modality code of an image, such as CT or MR"
        raise DataError(f"DICOM modality {code!r}", expected=expected, code="unknown-modality")
    return MODALITIES[known]
