"""How `medloom publish` tells what it did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from .gates import gated

SHOWN = 20
"""Paths of a kind that are listed; the others are counted."""


def published(result: Mapping[str, Any], out: Console) -> None:
    """For every repository what the gates say, what goes up, and what became of it."""
    for one in result["repositories"]:
        out.rule(escape(one["repo"]), align="left")
        gated(one["gates"], out)
        if "plan" in one:
            _plan(one, out)
        if "done" in one:
            _done(one["done"], out)
    if not result["passed"]:
        out.print("[red]nothing was sent[/]: mend what refuses, or say why it may pass")
    elif result["dry_run"]:
        out.print("nothing was sent: this was a dry run")


def _plan(one: Mapping[str, Any], out: Console) -> None:
    plan = one["plan"]
    state = "there already" if one["exists"] else "to be created"
    kept = f"{_counted(plan['keep']['files'], 'file')} ({_size(plan['keep']['bytes'])}) there already"
    sent = f"{_counted(len(plan['add']), 'file')} ({_size(plan['add_bytes'])}) to send"
    out.print(f"repository {state}, version {escape(one['version'])}: {sent}, {len(plan['delete']):,} to delete, {kept}")
    _list("+", [f"{added['path']} ({_size(added['bytes'])})" for added in plan["add"]], out)
    _list("-", plan["delete"], out)
    _list("not ours, stays:", plan["foreign"], out)


def _list(mark: str, lines: list[str], out: Console) -> None:
    for line in lines[:SHOWN]:
        out.print(f"  {mark} {escape(line)}", soft_wrap=True)
    if len(lines) > SHOWN:
        out.print(f"  {mark} {len(lines) - SHOWN:,} more", style="dim")


def _done(done: Mapping[str, Any], out: Console) -> None:
    if not done["changed"]:
        out.print(f"[green]✓[/] unchanged: nothing was sent, {escape(done['branch'])} stays at {done['commit'][:12]}")
    else:
        out.print(f"[green]✓[/] {_counted(done['commits'], 'commit')}, {escape(done['branch'])} is at {done['commit'][:12]}")
    out.print(f"tag {escape(done['tag'])} is at {done['tagged'][:12]}")
    out.print(f'load it: load_dataset("{escape(done["repo"])}", revision="{escape(done["tag"])}")', soft_wrap=True)


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
