"""Settings from YAML and the command line, as TRL's own scripts read them, with our defaults and our errors.

A field comes from the command line, else from the file after `--config`, else from the defaults here, else from its class.
Loads TRL.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from trl.scripts.utils import TrlParser

from ...schema.errors import MedLoomError, UsageError
from .course import leave
from .recipes import read
from .watched import more_is_better

DEFAULTS: Mapping[str, Any] = {
    "max_length": None,  # TRL's 1024 cuts image tokens, in some families without a word
    "remove_unused_columns": False,
    "report_to": "tensorboard",
    "activation_checkpointing": True,  # TRL's default, which it gives under the name that transformers warns of
}
_OLD = {"gradient_checkpointing": "activation_checkpointing"}
"""A setting's old name, which a user may still say: then ours isn't said for it."""


class Parser(TrlParser):
    """TRL's parser, whose complaints are `UsageError`s, and which takes one thing for a list of one, as a command line does."""

    def set_defaults_with_config(self, **kwargs: Any) -> list[str]:
        """Called with what the file says."""
        several = {action.dest for action in self._actions if action.nargs in ("+", "*")}
        alone = {name: [one] for name, one in kwargs.items() if name in several and isinstance(one, str | int | float | dict)}
        return super().set_defaults_with_config(**{**kwargs, **alone})

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        raise UsageError(f"{message}; expected as `--help` says")


def parsed(argv: Sequence[str], kinds: Iterable[type[Any]], *, prog: str, defaults: Mapping[str, Any] | None = None) -> tuple:
    """One instance of each dataclass.

    Raises:
        UsageError: a file that is no YAML mapping, a key or option that isn't there, or a value that can't be.
    """
    without_telemetry()
    types: Any = list(kinds)
    parser = Parser(types, prog=prog, allow_abbrev=False)
    known = sorted({action.dest for action in parser._actions}.difference({"help"}))
    given = [one.split("=", 1) for one in argv]
    words = [word for one in given for word in (one if one[0].startswith("--") else ["=".join(one)])]
    in_file, in_words = _keys(words), [_field(one[0]) for one in given if one[0].startswith("--") and one[0] != "--config"]
    _check(in_file, known, "the configuration")
    _check(in_words, known, "the command line")
    said = {name.removeprefix("no_") for name in (*in_file, *in_words)}
    unsaid = {new for old, new in _OLD.items() if old in said}
    usual = {name: one for name, one in DEFAULTS.items() if name not in unsaid} | _of_machine() | dict(defaults or {})
    parser.set_defaults_with_config(**{name: value for name, value in usual.items() if name in known})
    try:
        *found, stray = parser.parse_args_and_config(words, return_remaining_strings=True)
    except MedLoomError:
        raise
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(f"{str(error).strip()}; expected settings that fit together") from error
    if stray:
        raise UsageError(f"{' '.join(stray)!r} belongs to no option; expected `--name value`, such as --data RELEASE:SUITE")
    _direct(found, said)
    return tuple(found)


def _direct(found: Iterable[Any], said: Collection[str]) -> None:
    """Have the best model be that with the least of a measure of which less is better, unless the user said otherwise.

    transformers knows of losses alone.
    """
    for one in found:
        metric = getattr(one, "metric_for_best_model", None)
        if metric and "greater_is_better" not in said:
            one.greater_is_better = more_is_better(metric)


def run_main(fit: Callable[[Any], Path], parse: Callable[[Sequence[str]], Any], argv: Sequence[str] | None) -> None:
    """Train as the command line says, and leave with the exit code of `schema/errors.py`."""
    try:
        folder = fit(parse(sys.argv[1:] if argv is None else argv))
    except MedLoomError as error:
        sys.stderr.write(f"{error.kind}: {error}\n")
        raise SystemExit(error.exit_code) from error
    sys.stderr.write(f"{folder}\n")
    leave()


def without_telemetry() -> None:
    """Say nothing of a run to others, unless the user's environment has it otherwise; TRL asks at its trainers' making."""
    import huggingface_hub.constants as hub

    if "HF_HUB_DISABLE_TELEMETRY" not in os.environ:
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        hub.HF_HUB_DISABLE_TELEMETRY = True


def _of_machine() -> dict[str, Any]:
    """TRL's bf16 and its choice of a device need an accelerator."""
    return {} if torch.accelerator.is_available() else {"use_cpu": True, "bf16": False}


def _keys(words: list[str]) -> list[str]:
    if "--config" not in words:
        return []
    place = words.index("--config") + 1
    if place == len(words):
        raise UsageError("--config without a file; expected a YAML file behind it")
    return [name for name in read(Path(words[place])) if name != "env"]


def _field(option: str) -> str:
    """`--no_instruction` turns `instruction` off; dashes do for underscores."""
    return option.removeprefix("--").replace("-", "_")


def _check(names: list[str], known: list[str], where: str) -> None:
    switches = {f"no_{name}" for name in known}
    for name in names:
        if name not in known and name not in switches:
            near = difflib.get_close_matches(name, known, n=3)
            meant = f"did you mean {' or '.join(near)}?" if near else "`--help` lists them"
            raise UsageError(f"{where} has {name!r}; expected names of settings; {meant}")
