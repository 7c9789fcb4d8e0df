"""The certificate says what is there, anyone can prove it without pixels, and every lie in it is found and named."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from medloom.builders.duplicates.certificate import certify, edges
from medloom.schema import certificate as form
from medloom.schema.check_certificate import MOST, verify
from medloom.schema.check_release import check
from medloom.schema.errors import ReleaseError
from medloom.schema.release import Release
from medloom.schema.sample import SPLITS

SEARCH = {"hash_only_bits": 26}
COLUMNS = ["key", *form.COLUMNS, "provenance_perceptual_hash"]


def rows_of(release: Path) -> list[dict[str, Any]]:
    tables = [pq.read_table(path, columns=COLUMNS) for path in sorted(release.glob("index/*/samples.parquet"))]
    return [row for table in tables for row in table.to_pylist() if row["split"] in SPLITS]


def pairs_of(rows: list[dict[str, Any]]) -> pa.Table:
    """Every pair of pictures with something to see whose hashes differ by 26 bits or less, compared one by one."""
    found = []
    seen = [row for row in rows if not row["provenance_low_information"]]
    for place, a in enumerate(seen):
        for b in seen[:place]:
            bits = [int(row["provenance_perceptual_hash"], 16) for row in (a, b)]
            distance = (bits[0] ^ bits[1]).bit_count()
            if distance <= 26:
                same = a["provenance_pixel_sha256"] == b["provenance_pixel_sha256"]
                ends = {f"{end}_{name}": row[name] for end, row in (("a", a), ("b", b)) for name in form.COLUMNS[:3]}
                found.append({**ends, "kind": "exact" if same else "near", "distance": distance})
    return pa.Table.from_pylist(found)


@pytest.fixture
def certified(twins: Any, tmp_path: Path) -> Path:
    """A copy of the release with a certificate that tells the truth: copies cross its splits."""
    root = tmp_path / "release"
    shutil.copytree(twins.release, root)
    certify(Release.open(root), pairs_of(rows_of(root)), search=SEARCH)
    return root


@pytest.fixture
def clean(certified: Path) -> Path:
    """The same release, certified as if only the pairs inside one split were there: with exact copies it would be a lie."""
    release = Release.open(certified)
    for source in release.sources:
        path = release.index_path(source)
        table = pq.read_table(path)
        alone = [hashlib.sha256(key.encode()).hexdigest() for key in table["key"].to_pylist()]
        place = table.schema.get_field_index("provenance_pixel_sha256")
        pq.write_table(table.set_column(place, "provenance_pixel_sha256", pa.array(alone)), path)
        recipe = json.loads(release.recipe_path(source).read_text())
        recipe["index"]["samples"] = hashlib.sha256(path.read_bytes()).hexdigest()
        lines = [f"{shard['path']} {shard['sha256']}" for shard in recipe["shards"]]
        lines += [f"{name} {recipe['index'][name]}" for name in sorted(recipe["index"])]
        recipe["content_sha256"] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        release.recipe_path(source).write_text(json.dumps(recipe))
    pairs = pairs_of(rows_of(certified))
    certify(release, pairs.filter(pc.equal(pairs["a_split"], pairs["b_split"])), search=SEARCH)
    return certified


def stated(root: Path) -> dict[str, Any]:
    return json.loads((root / "certificate/certificate.json").read_text())


def rewrite(root: Path, table: str, change: Callable[[list[dict[str, Any]]], Any], *, honest: bool = True) -> None:
    """Change a table's rows; an honest forger states the digest and counts that follow."""
    path = root / f"certificate/{table}.parquet"
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, form.SCHEMAS[table]), path)
    if honest:
        tables = {name: pq.read_table(root / f"certificate/{name}.parquet") for name in form.TABLES}
        said = stated(root)
        said["tables"][table] = hashlib.sha256(path.read_bytes()).hexdigest()
        said |= {"counts": form.counts(**tables), "verdict": form.verdict(**tables)}
        (root / "certificate/certificate.json").write_text(json.dumps(said))


def codes(path: Path) -> set[str]:
    found = verify(path)["faults"]
    assert all(fault["where"] and fault["found"] and fault["expected"] and fault["next"] for fault in found)
    return {fault["code"] for fault in found}


def test_groups_and_edges_are_those_of_the_release(certified: Path):
    rows = rows_of(certified)
    wanted = {(hashlib.sha256(f"{row['collection']}\0{row['group']}".encode()).hexdigest(), row["split"]) for row in rows}
    groups = pq.read_table(certified / "certificate/groups.parquet").to_pylist()
    assert {(row["group"], row["split"]) for row in groups} == wanted
    assert sum(row["samples"] for row in groups) == len(rows)
    found = pq.read_table(certified / "certificate/edges.parquet").to_pylist()
    ends = [
        (edge["kind"], frozenset(((edge["group_a"], edge["split_a"]), (edge["group_b"], edge["split_b"])))) for edge in found
    ]
    pairs = pairs_of(rows).to_pylist()
    names = [
        (
            pair["kind"],
            frozenset((form.group_digest(pair[f"{e}_collection"], pair[f"{e}_group"]), pair[f"{e}_split"]) for e in "ab"),
        )
        for pair in pairs
    ]
    assert set(ends) == set(names)
    assert {kind for kind, _ in ends} == {"exact", "near"}
    assert all(edge["distance"] == 0 for edge in found if edge["kind"] == "exact")


def test_it_says_what_it_claims_and_what_it_did_not_look_at(certified: Path):
    said = stated(certified)
    assert said["verdict"]["crosses"] is True
    assert said["verdict"]["exact_edges_across"] > 0
    assert said["not_looked_at"]["low_information"]["samples"] == 2
    assert said["search"] == SEARCH
    assert said["content"] == {
        recipe["facts"]["name"]: recipe["content_sha256"] for recipe in Release.open(certified).recipes()
    }
    assert str(certified) not in json.dumps(said)


def test_the_same_release_gives_the_same_bytes(certified: Path, twins: Any, tmp_path: Path):
    again = tmp_path / "elsewhere"
    shutil.copytree(twins.release, again)
    pairs = pairs_of(rows_of(again)).to_pylist()
    turned = pa.Table.from_pylist([_turned(pair) for pair in reversed(pairs)])
    certify(Release.open(again), turned, search=SEARCH)
    for name in form.paths():
        assert (again / name).read_bytes() == (certified / name).read_bytes()


def _turned(pair: dict[str, Any]) -> dict[str, Any]:
    return {{"a": "b", "b": "a"}.get(name[0], name[0]) + name[1:] if name[1] == "_" else name: pair[name] for name in pair}


def test_true_but_crossing_is_told_edge_by_edge(certified: Path):
    result = verify(certified)
    assert codes(certified) == {"edge-crosses-splits"}
    across = result["verdict"]["exact_edges_across"] + result["verdict"]["near_edges_across"]
    assert len(result["faults"]) == across <= MOST


def test_a_clean_one_stands_with_and_without_the_release(clean: Path, tmp_path: Path):
    result = verify(clean)
    assert result["faults"] == []
    assert (result["scope"], result["verdict"]["crosses"]) == ("release", False)
    assert result["counts"]["edges"]["near"] > 0
    shutil.rmtree(clean / "data")
    assert verify(clean)["faults"] == []
    shutil.copytree(clean / "certificate", tmp_path / "alone/certificate")
    for path in (tmp_path / "alone", tmp_path / "alone/certificate"):
        assert (verify(path)["scope"], verify(path)["faults"]) == ("certificate", [])


def test_where_there_is_none(tmp_path: Path, twins: Any):
    for path in (tmp_path, twins.release):
        with pytest.raises(ReleaseError, match="medloom certificate RELEASE"):
            verify(path)


def test_check_knows_the_certificate(certified: Path, twins: Any):
    assert check(certified)["faults"] == [], "it says truly that copies cross; `verify` judges that"
    shutil.rmtree(certified / "certificate")
    assert check(certified)["faults"] == []
    (certified / "certificate").mkdir()
    (certified / "certificate/more.parquet").write_bytes(b"")
    assert {fault["code"] for fault in check(certified)["faults"]} == {"stray-file", "bad-certificate"}


def test_a_certificate_of_other_content_is_stale(clean: Path):
    said = stated(clean)
    said["content"]["owned"] = "0" * 64
    (clean / "certificate/certificate.json").write_text(json.dumps(said))
    assert codes(clean) == {"stale-certificate"}
    assert "stale-certificate" in {fault["code"] for fault in check(clean)["faults"]}


def _edge(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in rows if row["kind"] == "near")


@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        ("groups", lambda rows: rows.pop(), {"group-differs"}),
        ("groups", lambda rows: rows[0].update(samples=99), {"group-differs"}),
        ("groups", lambda rows: rows.reverse(), {"bad-certificate"}),
        ("groups", lambda rows: rows[0].update(split="dev"), {"bad-certificate", "group-differs"}),
        ("groups", lambda rows: rows.append({**rows[-1], "split": "z"}),
         {"bad-certificate", "group-on-two-sides", "group-differs"}),
        ("edges", lambda rows: _edge(rows).update(split_a="validation" if _edge(rows)["split_a"] != "validation" else "test"),
         {"edge-crosses-splits", "unknown-group"}),
        ("edges", lambda rows: _edge(rows).update(kind="exact"), {"edge-differs"}),
        ("edges", lambda rows: rows.append(rows[0]), {"bad-certificate"}),
    ],
)  # fmt: skip
def test_a_changed_table_is_found_however_honest_the_rest(clean: Path, table: str, change: Any, expected: set[str]):
    rewrite(clean, table, change)
    assert expected <= codes(clean) <= expected | {"unknown-group", "bad-certificate"}


def test_an_edge_left_out_is_found_where_the_index_has_it(certified: Path):
    rewrite(certified, "edges", lambda rows: rows.remove(next(row for row in rows if row["kind"] == "exact")))
    assert "edge-differs" in codes(certified)
    assert "edge-differs" not in codes(certified / "certificate")


def test_digests_and_counts_must_agree(clean: Path):
    rewrite(clean, "edges", lambda rows: rows.pop(), honest=False)
    assert codes(clean) == {"digest-differs", "certificate-differs"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "another"}'])
def test_what_is_no_certificate_is_one_fault(clean: Path, text: str):
    (clean / "certificate/certificate.json").write_text(text)
    assert codes(clean) == {"bad-certificate"}


def test_a_table_of_other_columns_is_one_fault(clean: Path):
    pq.write_table(pa.table({"group": ["a"]}), clean / "certificate/groups.parquet")
    assert codes(clean) == {"bad-certificate"}
    (clean / "certificate/groups.parquet").unlink()
    assert codes(clean) == {"bad-certificate"}


def test_an_index_that_is_not_the_recipes_is_found(clean: Path):
    path = clean / "index/owned/samples.parquet"
    table = pq.read_table(path)
    table = table.set_column(table.schema.get_field_index("split"), "split", pa.array(["train"] * len(table)))
    pq.write_table(table, path)
    assert codes(clean) >= {"digest-differs", "group-differs"}
    path.unlink()
    assert codes(clean) == {"digest-differs", "bad-index"}


def test_a_group_on_two_sides_is_told():
    samples = pa.table(
        {
            "group": pa.array(["a" * 64] * 2).dictionary_encode(),
            "split": ["train", "test"],
            "pixels": pa.array([bytes(16)] * 2, pa.binary(16)),
            "blank": [False, False],
        }
    )
    groups = form.groups_of(samples)
    assert form.verdict(groups, form.exact_edges(samples)) == {
        "crosses": True,
        "groups_on_two_sides": 1,
        "exact_edges_across": 0,
        "near_edges_across": 0,
    }


def test_pairs_inside_a_group_are_no_edges(certified: Path):
    samples = form.samples_of(Release.open(certified))
    pair = pairs_of(rows_of(certified)).to_pylist()[0]
    inside = {name: pair[f"a{name[1:]}"] if name[1] == "_" else pair[name] for name in pair} | {"kind": "near"}
    assert edges(samples, pa.Table.from_pylist([inside])).equals(form.exact_edges(samples))
