"""Rights: what a source's facts grant, subject by subject, and what a sample's own licence changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from medloom.builders.catalog import load, names
from medloom.builders.deidentify import salt_of
from medloom.builders.recipe import recipe_of
from medloom.schema.licences import licence, licences
from medloom.schema.rights import Evidence, Right, Subject, right_of, rights_of, throughout


def facts(licence: str = "CC-BY-4.0", *, access: str = "open", **rights: Right) -> dict[str, Any]:
    shared = {"homepage": "https://example.org", "licence_evidence": "its page says so", "rights": rights}
    return {"name": "toy", "licence": licence, "access": access, **shared}


def right(licence: str, **more: Any) -> Right:
    return Right(licence=licence, evidence=Evidence(address="LICENSE", words="it says so"), **more)


def test_one_licence_covers_every_subject_that_states_nothing():
    found = rights_of(facts(annotations=right("CC0-1.0")))
    assert {subject: one.licence for subject, one in found.items()} == {
        **dict.fromkeys(Subject, "CC-BY-4.0"),
        Subject.ANNOTATIONS: "CC0-1.0",
    }
    assert found[Subject.PIXELS].evidence == Evidence(address="https://example.org", words="its page says so")


@pytest.mark.parametrize(
    ("stated", "granted"),
    [
        ("MIT", True),
        ("CC-BY-NC-SA-4.0", True),
        ("CC-BY-ND-4.0", False),
        ("CC-BY-NC-ND-3.0", False),
        ("LicenseRef-CC-BY-NC-ND-unversioned", False),
        ("LicenseRef-CC-BY-unversioned", True),
        ("LicenseRef-whatever", None),
        ("unstated", None),
    ],
)
def test_what_a_licence_grants_with_changed_copies(stated: str, granted: bool | None):
    assert right(stated).granted is granted
    assert right(stated, allowed=True).granted is True
    assert right(stated, allowed=False).granted is False


def test_credentials_grant_nothing_but_what_is_said_by_name():
    found = rights_of(facts("CC-BY-4.0", access="credentialed", annotations=right("CC-BY-4.0")))
    assert {subject: one.granted for subject, one in found.items()} == {
        **dict.fromkeys(Subject, False),
        Subject.ANNOTATIONS: True,
    }


def test_a_samples_own_licence_stands_in_for_the_sources():
    whole = facts("LicenseRef-per-image", annotations=right("CC-BY-4.0"))
    assert right_of(whole, Subject.PIXELS).granted is None
    assert right_of(whole, Subject.PIXELS, sample_licence="LicenseRef-per-image").granted is None
    assert right_of(whole, Subject.PIXELS, sample_licence="CC0-1.0").granted is True
    assert right_of(whole, Subject.PIXELS, sample_licence="CC-BY-ND-4.0").granted is False
    assert right_of(whole, Subject.ANNOTATIONS, sample_licence="CC-BY-ND-4.0").licence == "CC-BY-4.0"


def test_pixels_with_terms_of_their_own_are_under_the_narrower_of_both():
    own = facts("CC-BY-4.0", pixels=right("CC0-1.0"))
    assert right_of(own, Subject.PIXELS, sample_licence="CC-BY-NC-ND-4.0").granted is False
    assert right_of(own, Subject.PIXELS, sample_licence="MIT").licence == "CC0-1.0"
    closed = facts("CC-BY-4.0", pixels=right("LicenseRef-no"))
    assert right_of(closed, Subject.PIXELS, sample_licence="MIT").granted is None


def test_what_the_owner_forbids_stays_forbidden_for_every_sample():
    assert right_of(facts(access="credentialed"), Subject.PIXELS, sample_licence="CC0-1.0").granted is False


@pytest.mark.parametrize("name", names())
def test_rights_of_every_source_survive_its_recipe(name: str):
    source = load(name)
    fingerprint = {"options": {}, "versions": {}, "source": {"sha256": ""}, "raw_files": {"count": 0, "bytes": 0}}
    salt = salt_of(source.facts)
    recipe = recipe_of(source, fingerprint=fingerprint, salt=salt, counts={}, shards=[], index={}, issues=[])
    held = json.loads(json.dumps(recipe))["facts"]
    assert rights_of(held) == {**rights_of(held), **source.facts.rights}
    for one in rights_of(held).values():
        assert one.evidence.words
        assert one.evidence.address


def test_a_licence_without_a_version_has_what_its_versions_share():
    for one in licences():
        if one.id.endswith("-unversioned"):
            versions = [licence(one.id.removeprefix("LicenseRef-").replace("unversioned", v)) for v in ("2.0", "3.0", "4.0")]
            terms = ("share", "adapt", "commercial", "attribution", "share_alike")
            assert [[getattr(each, term) for term in terms] for each in versions] == [[getattr(one, t) for t in terms]] * 3
    assert licence("licenseref-cc-by-unversioned").hub == "other"


def test_throughout_says_the_same_of_every_subject():
    assert set(throughout("MIT", Evidence(address="LICENSE", words="MIT"))) == set(Subject)
