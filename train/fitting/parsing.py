"""Settings from YAML and the command line, as TRL's own scripts read them, with our defaults and our errors.

A field comes from the command line, else from the file after `--config`, else from the defaults here, else from its class.
Loads TRL.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
import yaml
from trl.scripts.utils import TrlParser

from ...schema.errors import MedLoomError, UsageError

DEFAULTS: Mapping[str, Any] = {
    "max_length": None,  # TRL's 1024 cuts image tokens, in some families without a word
    "remove_unused_columns": False,
    "report_to": "tensorboard",
}


class Parser(TrlParser):
    """TRL's parser, whose complaints are `UsageError`s."""

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
    _check(_keys(words), known, "the configuration")
    _check([_field(one[0]) for one in given if one[0].startswith("--") and one[0] != "--config"], known, "the command line")
    usual = {**DEFAULTS, **_of_machine(), **(defaults or {})}
    parser.set_defaults_with_config(**{name: value for name, value in usual.items() if name in known})
    try:
        return parser.parse_args_and_config(words)
    except MedLoomError:
        raise
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(f"{str(error).strip()}; expected settings that fit together") from error


def run_main(fit: Callable[[Any], Path], parse: Callable[[Sequence[str]], Any], argv: Sequence[str] | None) -> None:
    """Train as the command line says, and leave with the exit code of `schema/errors.py`."""
    try:
        folder = fit(parse(sys.argv[1:] if argv is None else argv))
    except MedLoomError as error:
        sys.stderr.write(f"{error.kind}: {error}\n")
        raise SystemExit(error.exit_code) from error
    sys.stderr.write(f"{folder}\n")


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
    path = Path(words[place])
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}; expected a YAML file with settings") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path}: no mapping of names to values; expected one, as in train/recipes/")
    return [str(name) for name in found if name != "env"]


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
