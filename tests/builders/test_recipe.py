"""The recipe: what a rebuild needs, and no secret."""

from __future__ import annotations

import json

import pytest

from medloom.builders.catalog import load
from medloom.builders.deidentify import Salt
from medloom.builders.recipe import recipe_of

FINGERPRINT = {
    "source": {"name": "bccd", "sha256": "ab"},
    "options": {"limit": None, "salt_sha256": "hidden", "reading": {}},
    "raw_files": {"count": 3, "bytes": 70, "listing_sha256": "of names"},
    "versions": {"medloom": "0"},
}


def made(salt: Salt, **change) -> dict:
    told = {
        "counts": {"units": 3, "failed": 0, "samples": 9, "excluded": {}},
        "shards": [
            {"path": "data/bccd/a/test-0.tar", "split": "test", "subsets": ["a"], "samples": 2, "sha256": "1"},
            {"path": "data/bccd/a+b/train-0.tar", "split": "train", "subsets": ["a", "b"], "samples": 7, "sha256": "2"},
        ],
        "index": {"samples": "x", "annotations": "y"},
        "issues": [{"code": "box-outside", "count": 4, "first": [{"where": "Jane Doe.png"}]}],
    }
    return recipe_of(load("bccd"), fingerprint=FINGERPRINT, salt=salt, **told | change)


PUBLIC = Salt(b"bccd", public=True)


def test_counts_are_sums_over_shards():
    recipe = made(PUBLIC)
    assert recipe["splits"] == {"train": 7, "test": 2}
    assert list(recipe["splits"]) == ["train", "test"]
    assert recipe["subsets"] == {"a": 9, "b": 7}
    assert recipe["issues"] == {"box-outside": 4}
    assert recipe["raw"] == {"count": 3, "bytes": 70}


def test_no_raw_name_is_in_it():
    assert "Jane" not in json.dumps(made(PUBLIC))
    assert "of names" not in json.dumps(made(PUBLIC))


def test_salts():
    assert made(PUBLIC)["options"] == {"limit": None, "salt_sha256": None, "reading": {}, "salt": "bccd"}
    private = Salt(b"a secret of many bytes", public=False)
    recipe = made(private)
    assert recipe["options"]["salt_sha256"] == private.sha256
    assert "salt" not in recipe["options"]
    assert "a secret" not in json.dumps(recipe)


@pytest.mark.parametrize("change", [{"index": {"samples": "z", "annotations": "y"}}, {"shards": []}])
def test_the_digest_of_the_content_follows_the_content(change: dict):
    assert made(PUBLIC, **change)["content_sha256"] != made(PUBLIC)["content_sha256"]
    assert made(PUBLIC, issues=[])["content_sha256"] == made(PUBLIC)["content_sha256"]
