"""What the patterns take for an identifier, and what they must leave alone."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.cards.gates.privacy.words import Kind, identifiers

FOUND = {
    Kind.PERSON: ["DOE^JANE", "Doe^Jane^^^", "seen: Müller^Anna^^Dr."],
    Kind.NAMED: ["Dr. Smith", "Patient: Doe, Jane", "referring physician: House", "Frau Müller war da", "Operator = Jones"],
    Kind.GIVEN: ["Jane Doe", "report of John Q. Public"],
    Kind.DATE: [
        "born 19700203", "1970-02-03", "1970/02/03", "03.02.1970", "2/3/1970", "03/02/70", "3 February 1970", "Feb 3rd, 1970",
        "3. Februar 1970", "3 de febrero de 1970", "le 3 février 1970", "20190304123000.000000", "IMG_20190304_ax",
        "20190304123000.000000+0100", "the 3rd of March 2019",
    ],
    Kind.MONTH: ["seen in February 1970"],
    Kind.OLD_AGE: ["104Y", "aged 93", "a 91-year-old man"],
    Kind.RECORD: ["MRN: 4711999", "MRN4711999", "Accession no. A-123456", "patient id 00471", "PAT-0042", "case number 77123"],
    Kind.LONG_NUMBER: ["E12345678", "reference 81726354"],
    Kind.UID: ["1.2.826.0.1.3680043.8.498.1234", "2.25.311417012345678901", "series 1.3.12.2.1107.5.2.32.35131"],
    Kind.PHONE: ["+49 761 1234567", "(555) 123-4567", "555-123-4567", "Tel. 0761 2703 400"],
    Kind.EMAIL: ["jane.doe@example.org"],
    Kind.SOCIAL: ["123-45-6789"],
    Kind.PATH: ["/Users/jane/scan", "C:\\Users\\jane\\ct", "\\\\pacs\\share\\x", "file:///x/y", "~/scans/1", "/mnt/pacs/0815"],
    Kind.HOST: ["10.1.2.3", "192.168.0.7", "pacs.hospital.local", "AE at ris.intranet"],
}  # fmt: skip
LEFT = [
    "opencv 5.0.0.93", "R^2 of 0.9", "x ^ 2", "data/bccd/train-00000-of-00001.tar", "https://example.org/data/x/y",
    "1.5 × 2.25 mm",
    "10.1109/TMI.2019.2897538", "arXiv:2003.11597", "mesh:D000086382", "1.2.840.10008.5.1.4.1.1.7", "Van Gieson", "H&E",
    "Patient: Supine", "Name: the lung", "Crohn Disease", "2026", "in 2019", "ages 40 to 90", "512x512", "-1000 HU to 1500 HU",
    "3f2504e04f8941d3", "resampled-bilinear:96x134", "mri-brain-brain-tumour-classification", "image 12 of 345", "90 degrees",
    "Gastroenterology and Hepatology", "T2*-weighted, TE 20 ms", "May show air", "March of dimes", "Hodgkin Lymphoma", "C5/C6",
    "4.5/6 and 3/12", "0.1.0", "libjpeg-turbo 3.1.3/8.0", "99% of 92", "7:30", "sRGB", "the doctor said", "ratio 1/2/3",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_an_identifier_is_found(kind: Kind, text: str):
    assert kind in {hit.kind for hit in identifiers(text)}


@pytest.mark.parametrize("text", LEFT)
def test_words_of_a_release_are_left_alone(text: str):
    assert identifiers(text) == ()


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y"]),
)
def test_every_day_is_found_in_every_form(day: date, form: str):
    (hit,) = identifiers(f"taken {day.strftime(form)} in the morning")
    assert hit.kind is Kind.DATE


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_is_no_date(body: bytes):
    digest = body.hex()
    if any(one in "abcdef" for one in digest) and any(one in "abcdef" for one in digest[:16]):
        assert identifiers(f"SHA-256 {digest} and {digest[:16]}") == ()


def test_an_all_digit_number_of_the_standard_is_left_but_one_of_an_owner_isnt():
    assert identifiers("class 1.2.840.10008.5.1.4.1.1.2") == ()
    assert [hit.kind for hit in identifiers("class 1.2.840.113619.2.55.3")] == [Kind.UID]
