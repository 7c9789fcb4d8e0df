"""A part of a release, as options on the command line name it."""

from __future__ import annotations

from ..schema.errors import UsageError


def selected(given: list[str] | None) -> dict[str, list[str]]:
    """Words by field.

    Raises:
        UsageError: one isn't FIELD=WORD, or names no field.
    """
    from ..schema.lexicon import FIELDS

    found: dict[str, list[str]] = {}
    for one in given or ():
        name, equals, word = one.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not word or name not in {*FIELDS, "where"}:
            raise UsageError(f"--select {one!r}; expected FIELD=WORD with one of {', '.join(sorted(FIELDS))}, where")
        found.setdefault(name, []).append(word)
    if len(found.get("where", ())) > 1:
        raise UsageError("--select where=… more than once; expected one condition; join them with AND")
    return {name: some[0] if name == "where" else some for name, some in found.items()}  # type: ignore[misc]
