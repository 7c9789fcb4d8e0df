"""The closed lists of words that a DICOM header may choose from: sequences, views, stains."""

from __future__ import annotations

import re


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE)


HINTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ADC", _word(r"adc")),
    ("DTI", _word(r"dti|tensor")),
    ("DWI", _word(r"dwi|diff|diffusion|trace ?w?|resolve")),
    ("SWI", _word(r"swi|swan|mip ?swi")),
    ("ASL", _word(r"p?c?asl")),
    ("FLAIR", _word(r"(?:t2 ?)?flair|dark[ -]?fluid|tirm ?dark")),
    ("MP-RAGE", _word(r"mp-?rage|mp2rage")),
    ("STIR", _word(r"stir|tirm")),
    ("MRA", _word(r"mra|tof")),
    ("LGE", _word(r"lge|psir")),
    ("DCE", _word(r"dce")),
    ("T2star", _word(r"t2 ?(?:\*|star)\w*")),
    ("T1ce", _word(r"t1 ?(?:ce|gd|c|\+c)")),
    ("T1", _word(r"t1\w{0,2}")),
    ("T2", _word(r"t2\w{0,2}")),
    ("PD", _word(r"pd\w?")),
    ("EPI", _word(r"epi|bold|ep2d|epfid2d1|fmri")),
    ("CTA", _word(r"cta|angio")),
    ("CBCT", _word(r"cbct")),
    ("Doppler", _word(r"doppler")),
)
"""Code in MODALITIES and the words that name it, most telling first. The code leaves, the words don't."""

VIEWS = frozenset(
    {
        *("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LAT", "LATERAL", "OBLIQUE", "AXIAL"),
        *("CC", "MLO", "ML", "LM", "LMO", "XCCL", "XCCM", "FB", "SIO"),
    }
)
"""Defined terms of View Position (PS3.3 C.8.1.1, C.8.4.5, C.8.11) and what machines write beside them."""

VIEW_CODES = {
    "399162004": "CC",
    "399368009": "MLO",
    "399260004": "ML",
    "399352003": "LM",
    "399099002": "LMO",
    "399192008": "XCCL",
    "399101009": "XCCM",
    "399196006": "FB",
    "399188001": "SIO",
    "R-10242": "CC",
    "R-10226": "MLO",
    "R-10224": "ML",
    "R-10228": "LM",
    "R-10206": "AP",
    "R-10214": "PA",
    "R-10236": "LL",
    "R-10232": "RL",
}
"""SNOMED codes of the views, new and old style (PS3.16 CID 4010 and 4014)."""

USING_SUBSTANCE = frozenset({"424361007", "F-61D98"})

STAINS = {
    "12710003": "haematoxylin",
    "36879007": "eosin",
    "83600004": "eosin",
    "1346008": "eosin",
    "255808002": "PAS",
    "406989007": "trichrome",
    "406991004": "trichrome",
    "406957003": "Van Gieson",
    "373646006": "Giemsa",
    "255803006": "May-Grünwald-Giemsa",
    "373682001": "Wright",
    "255810000": "Romanowsky",
    "385484003": "Gram",
    "255813003": "Ziehl-Neelsen",
    "45106005": "Congo red",
    "406452004": "Prussian blue",
    "40808006": "oil red O",
    "4656000": "Alcian blue",
    "406958008": "Luxol fast blue",
    "406951002": "silver",
    "29522004": "toluidine blue",
    "6725000": "methylene blue",
    "406964001": "mucicarmine",
    "51567006": "Sirius red",
    "255800009": "immunofluorescence",
    "35352008": "fluorescent",
}
"""SNOMED CT code → our word (PS3.16 CID 8112)."""

NO_AGENT = frozenset({"none", "no", "n", "no contrast", "without", "w/o", "nil", "0", "not given"})

CONVERSIONS = frozenset({"DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"})
"""Defined terms of Conversion Type (PS3.3 C.8.6.1)."""

BURNED_IN_WORDS = frozenset(
    {"SCREEN SAVE", "SCREENSAVE", "SCREEN SHOT", "SCREENSHOT", "SCREEN CAPTURE", "SAVED SCREEN", "CAPTURE"}
)
