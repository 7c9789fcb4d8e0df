"""What is asked for, as SQL over the two tables of the index.

The list columns of the samples table (`areas`, `departments`, …) say what any leaf of a sample has. Where one field of the
leaf is asked for, they answer alone; else they are a filter before the annotations table, whose rows are the leaves.
A sample without labels has one leaf, its own triplet, task and department at granularity `image`, which stands in its lists.
"""

from __future__ import annotations

from collections.abc import Collection

from .asked import EXCLUDED, Asked, Values

LISTS = {
    "area": "areas",
    "task": "tasks",
    "subset": "subsets",
    "clinical_task": "clinical_tasks",
    "department": "departments",
    "granularity": "granularities",
    "label": "labels_present",
}
"""Field of the leaf → list column of the samples table."""
_PRESENT = frozenset({"present"})
_MANY = 12
"""From so many values on, DuckDB finds any of them in a list faster by one call than by one each (25 M rows)."""


def chosen(asked: Asked) -> str:
    """The samples that fit, as a query with every column of the table."""
    return f"SELECT * FROM {_rows(asked.where)} AS samples WHERE {' AND '.join(_of_sample(asked))}"


def leaf(asked: Asked) -> str:
    """What a row of the annotations table must be."""
    found = []
    for name, values in asked.leaf.items():
        found.append(any_in_list("departments", values) if name == "department" else any_of(name, values))
    return " AND ".join(found) or "true"


def lists_answer(fields: Collection[str], asked: Asked) -> bool:
    """Whether the samples table alone answers a question about these fields of the leaf."""
    some = {*fields, *asked.leaf}
    if "label" in some and "state" not in fields and asked.leaf.get("state", _PRESENT) == _PRESENT:
        some.discard("state")
    return len(some) < 2 and "state" not in some


def any_of(column: str, values: Values) -> str:
    """The column has one of the values."""
    return f"{column} IN ({', '.join(map(text, sorted(values)))})" if values else "false"


def any_in_list(column: str, values: Values) -> str:
    """The list column holds one of the values."""
    words = [text(value) for value in sorted(values)]
    if len(words) > _MANY:
        return f"list_has_any({column}, [{', '.join(words)}])"
    return f"({' OR '.join(f'list_contains({column}, {word})' for word in words) or 'false'})"


def text(value: str) -> str:
    """A string as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def _rows(where: str | None) -> str:
    """The table under the user's own condition, in which nothing but its columns has a name."""
    return "samples" if where is None else f"(SELECT * FROM samples WHERE ({where}\n))"


def _of_sample(asked: Asked) -> list[str]:
    found = [any_of("split", asked.splits)]
    if "source" in asked.sample:
        found.append(any_of("source", asked.sample["source"]))
    if "modality" in asked.sample:
        values = asked.sample["modality"]
        found.append(f"({any_of('modality', values)} OR {any_of('modality_detail', values)})")
    return found + _of_lists(asked) + ([] if lists_answer((), asked) else [_has_leaf(asked)])


def _of_lists(asked: Asked) -> list[str]:
    """What the lists must hold if any leaf fits."""
    known = dict(asked.leaf)
    state = known.pop("state", None)
    found = [] if state is None else ["labels > 0"]
    if state not in (None, _PRESENT):
        known.pop("label", None)
    elif state is not None:
        found.append("len(labels_present) > 0")
    return found + [any_in_list(LISTS[name], values) for name, values in known.items()]


def _has_leaf(asked: Asked) -> str:
    """Excluded samples have no rows among the annotations: of them the lists alone are known."""
    keys = f"key IN (SELECT key FROM annotations WHERE {any_of('split', asked.splits)} AND {leaf(asked)})"
    alone = [] if "state" in asked.leaf else ["labels = 0"]
    alone += [f"split = {text(EXCLUDED)}"] if EXCLUDED in asked.splits else []
    return f"({' OR '.join([*alone, keys])})"
