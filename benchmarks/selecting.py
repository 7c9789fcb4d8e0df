"""Selection out of a simulated index of 25 million samples, against bare DuckDB scans of the columns it needs.

Every measurement is a process of its own, which does just that: its seconds, and the most memory it ever held.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from medloom.schema.departments import DEPARTMENTS

SAMPLES = 25_000_000
SOURCES = 100
REPEATS = 5
WANTED = "Pulmonary Medicine"
NAMES = [term.name for term in DEPARTMENTS]

CHILD = """
import json, re, sys, time
from pathlib import Path

import duckdb
from medloom.schema.lexicon import Lexicon

release, kind, question = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
began = time.perf_counter()
if kind == "bare":
    connection = duckdb.connect(config={"memory_limit": "1GB"})
    connection.execute("SET enable_progress_bar = false")
    connection.sql(question.format(root=release / "index")).fetchall()
    found = 0
else:
    chosen = Lexicon.open(release).select(**question)
    if kind == "count":
        found = chosen.count()
    elif kind == "tree":
        found = len(chosen.tree(("modality", "department", "granularity")).children)
    else:
        found = sum(batch.num_rows for batch in chosen.batches(("key",) if kind == "keys" else
            ("key", "shard", "image_offset", "image_size", "json_offset", "json_size")))
seconds = time.perf_counter() - began
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10
print(json.dumps({"seconds": seconds, "peak": peak, "found": found}))
"""
BARE = {
    "count": "max(split), max(len(departments))",
    "keys": "max(split), max(len(departments)), max(key), max(source), max(shard), max(image_offset)",
    "places": "max(split), max(len(departments)), max(key), max(source), max(shard), max(image_offset), max(image_size), "
    "max(json_offset), max(json_size)",
}
"""What a scan must read for each question: filter, what comes back, and what it is ordered by."""


def speed(folder: Path) -> list[dict[str, Any]]:
    """One department: counted, as keys, and as places in the shards; and, for information, together with a granularity."""
    release = simulate(folder / "simulated")
    rows = []
    for kind, columns in BARE.items():
        bare = f"SELECT {columns} FROM read_parquet('{{root}}/*/samples.parquet')"
        rows.append(_against(release, kind, {"department": WANTED}, bare=bare))
    both = (
        "SELECT (SELECT max(key) || max(split) || max(shard) || max(len(granularities)) || max(len(departments))"
        " FROM read_parquet('{root}/*/samples.parquet')),"
        " max(key), max(granularity), max(len(departments)) FROM read_parquet('{root}/*/annotations.parquet')"
    )
    rows.append(_against(release, "keys", {"department": WANTED, "granularity": "mask"}, bare=both, repeats=2))
    shutil.rmtree(release)
    return rows


def simulate(root: Path, *, samples: int = SAMPLES) -> Path:
    """A release without shards: sources of very different size, a fifth of which mix all departments."""
    (root / "recipes").mkdir(parents=True)
    (root / "README.md").touch()
    share = sum(1 / (number + 1) for number in range(SOURCES))
    connection = duckdb.connect(config={"memory_limit": "2GB"})
    for number in range(SOURCES):
        name = f"source_{number:03d}"
        (root / f"recipes/{name}.json").write_text("{}")
        (root / f"index/{name}").mkdir(parents=True)
        queries = {"samples": _samples(number, name, count=int(samples / (number + 1) / share))}
        queries["annotations"] = _annotations(f"read_parquet('{root}/index/{name}/samples.parquet')")
        for table, query in queries.items():
            target = f"{root}/index/{name}/{table}.parquet"
            connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 16384)")
    return root


def _samples(number: int, name: str, *, count: int) -> str:
    """One or two departments per sample; 4000 samples per shard."""
    one, other = NAMES[number % len(NAMES)], NAMES[(number * 7 + 3) % len(NAMES)]
    drawn = f"list_distinct([{NAMES}[(1 + hash(i, 11) % 19)::BIGINT], {NAMES}[(1 + hash(i, 12) % 19)::BIGINT]])"
    mostly = (
        f"CASE WHEN hash(i, 7) % 10 < 7 THEN ['{one}'] WHEN hash(i, 7) % 10 < 9 THEN ['{one}', '{other}'] ELSE ['{other}'] END"
    )
    departments = drawn if number % 5 == 0 else f"list_distinct({mostly})"
    return f"""SELECT '{name}-' || lower(lpad(to_hex(hash(i, {number})), 16, '0')) AS key, '{name}' AS source,
        CASE WHEN i % 10 < 8 THEN 'train' WHEN i % 10 = 8 THEN 'validation' ELSE 'test' END AS split,
        'data/{name}/train-' || lpad((i // 4000)::VARCHAR, 5, '0') || '-of-10000.tar' AS shard,
        i % 4000 * 70000 AS image_offset, (60000 + hash(i) % 9000)::BIGINT AS image_size,
        i % 4000 * 70000 + 69632 AS json_offset, (800 + hash(i) % 500)::BIGINT AS json_size,
        '{("CT", "MRI", "X-ray", "FP", "Mic")[number % 5]}' AS modality, NULL::VARCHAR AS modality_detail,
        list_sort({departments}) AS departments,
        CASE WHEN hash(i, 9) % 3 = 0 THEN ['image', 'mask'] ELSE ['image'] END AS granularities,
        (hash(i, 3) % 5)::BIGINT AS labels FROM range({count}) t(i)"""


def _annotations(samples: str) -> str:
    """A label state of every labelled sample, and three masks where it has any."""
    states = f"SELECT *, unnest(range(CASE WHEN len(granularities) = 2 THEN 4 ELSE 1 END)) AS n FROM {samples} WHERE labels > 0"
    return f"""SELECT key, split, CASE WHEN n = 0 THEN 'image' ELSE 'mask' END AS granularity, 'present' AS state,
        [departments[1 + (hash(key, n) % len(departments))::BIGINT]] AS departments FROM ({states})"""


def _against(release: Path, kind: str, words: dict[str, str], *, bare: str, repeats: int = REPEATS) -> dict[str, Any]:
    """Median seconds of a selection over those of the bare scan, each in turn."""
    pairs = [(_measured(release, "bare", bare), _measured(release, kind, words)) for _ in range(repeats)]
    ours, theirs = (median(pair[place]["seconds"] for pair in pairs) for place in (1, 0))
    peak = max(pair[1]["peak"] for pair in pairs) >> 20
    found = f"{pairs[0][1]['found']:,} of {SAMPLES:,}, {ours:.2f} s"
    what = f"select {', '.join(words.values())}: {kind} / bare scan"
    return {
        "what": what,
        "ratio": ours / theirs,
        "peak_mib": peak,
        "note": f"{found}; peak {peak} MiB; expected under 3, 2048 MiB",
    }


def _measured(release: Path, kind: str, question: Any) -> dict[str, Any]:
    command = [sys.executable, "-c", CHILD, str(release), kind, json.dumps(question)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
