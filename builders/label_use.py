"""Which labels a source or a release uses, as `schema/labels/lint.py` looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..schema.errors import UsageError
from ..schema.labels.lint import Used, stated
from ..schema.release import Release
from . import catalog
from .source import Source


def of_source(spec: str) -> list[Used]:
    """The labels of a source: as its file writes them down, and as its raw words get them.

    Raises:
        UsageError: there is no such source, or it can't be loaded and its file holds no label.
    """
    path = catalog.file_of(spec)
    written = stated(path.read_text(encoding="utf-8"), path.stem) if path else []
    try:
        source = catalog.load(spec)
    except UsageError:
        if any(one.mesh for one in written):  # the table may have refused a descriptor: that is a remark, not the end
            return written
        raise
    name = source.facts.name
    return [*(replace(one, source=name) for one in written), *_raw(source)]


def of_release(release: Release) -> list[Used]:
    """The labels that the index of a release holds."""
    return [one for source in release.indexed for one in _indexed(release.index_path(source, "annotations"), source)]


def own_names(specs: list[str]) -> set[str]:
    """Names that sources use and the canonical table doesn't know."""
    labels = [label for spec in specs for label in catalog.load(spec).labels.values() if label is not None]
    return {label.name for label in labels if label.entry is None}


def _raw(source: Source) -> Iterator[Used]:
    for raw, label in source.labels.items():
        if label is not None:
            yield Used(
                source=source.facts.name,
                name=label.name,
                raw=raw,
                mesh=label.mesh,
                area=label.area,
                task=label.task,
                laterality=label.laterality,
                placed=bool(label.departments) and label.clinical_task is not None,
            )


def _indexed(path: Path, source: str) -> Iterator[Used]:
    import pyarrow.parquet as pq

    if not path.is_file():
        return
    columns = ["label", "label_id", "area", "task", "laterality"]
    rows = pq.read_table(path, columns=columns).group_by(columns).aggregate([]).to_pylist()
    for row in rows:
        if row["label"] is not None:
            name, id, area, task, side = (row[column] for column in columns)
            yield Used(source=source, name=name, id=id, area=area, task=task, laterality=side)
