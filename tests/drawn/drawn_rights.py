"""A small release whose sources come under other terms than they were built with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medloom.schema.release import Release


def copied(root: Path, out: Path) -> Release:
    """A release of one's own, free to be changed."""
    shutil.copytree(root, out)
    return Release.open(out)


def state(release: Release, source: str, *, samples: Sequence[str] = (), **facts: Any) -> None:
    """Give a source other facts; its samples bear the source's licence, but for the first ones, which bear `samples`."""
    recipe = release.recipe(source)
    assert recipe is not None
    recipe["facts"] |= facts
    release.recipe_path(source).write_text(json.dumps(recipe))
    path = release.index_path(source)
    table = pq.read_table(path)
    own = [*samples, *[recipe["facts"]["licence"]] * (table.num_rows - len(samples))]
    place = table.schema.names.index("licence")
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array(own, pa.string())), path)


def right(licence: str, *, allowed: bool | None = None, read_on: str | None = "2026-03-01") -> Mapping[str, Any]:
    """A right as a recipe holds it."""
    evidence = {"address": "LICENSE", "words": f"LICENSE says {licence}.", "read_on": read_on}
    return {"licence": licence, "evidence": evidence, "allowed": allowed}


def throughout(licence: str, **more: Any) -> dict[str, Any]:
    """The same right for every subject."""
    return dict.fromkeys(("pixels", "annotations", "derived_text", "processing"), right(licence, **more))
