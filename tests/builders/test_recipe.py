"""The recipe: what a rebuild needs, and no secret."""

from __future__ import annotations

import json

import pytest

from medloom.builders.catalog import load
from medloom.builders.deidentify import Salt
from medloom.builders.recipe import cut_of, recipe_of, recipe_of_cut

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


def cut_down(**change) -> dict:
    chosen = {"samples": 4, "moved": 0, "sha256": "c"} | change
    statement = cut_of(made(PUBLIC), why={"label": "x"}, chosen=chosen, shard_bytes=7, versions={"medloom": "1"})
    shards = [{"path": "data/bccd/test-0.tar", "split": "test", "subsets": ["a"], "samples": 4, "sha256": "3"}]
    return recipe_of_cut(made(PUBLIC), statement, shards=shards, index={"samples": "z"})


def test_a_cut_keeps_what_made_its_samples_and_tells_the_rest_under_the_original():
    whole, part = made(PUBLIC), cut_down()
    assert (part["facts"], part["versions"]) == (whole["facts"], whole["versions"])
    assert part["options"] == whole["options"] | {"shard_bytes": 7}
    assert not {"raw", "builder_sha256"} & part.keys()
    assert part["cut"]["of"]["raw"] == whole["raw"]
    assert part["cut"]["of"]["content_sha256"] == whole["content_sha256"] != part["content_sha256"]
    assert (part["splits"], part["subsets"], part["counts"]) == ({"test": 4}, {"a": 4}, {"samples": 4, "excluded": {}})
    assert (part["cut"]["samples"], part["cut"]["of_samples"]) == (4, 9)
    assert [cut_down(moved=moved)["cut"]["members"] for moved in (0, 1)] == ["byte-identical", "split rewritten"]


def test_a_cut_of_a_cut_leads_back_to_the_build():
    first = cut_down()
    again = cut_of(first, why={}, chosen={"samples": 1, "moved": 0, "sha256": "d"}, shard_bytes=7, versions={})
    assert again["of"]["cut"] == first["cut"]
    assert again["of"]["cut"]["of"]["builder_sha256"] == "ab"
