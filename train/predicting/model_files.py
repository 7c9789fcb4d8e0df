"""Where a model's weights, adapter and processor lie, and what results say of them: names and digests, never a path."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.disk import read_json
from ...schema.errors import UsageError

ADAPTER = "adapter_config.json"
WEIGHTS = ("*.safetensors", "*.bin")
_PROCESSOR = ("processor_config.json", "preprocessor_config.json")
_ENDS = 1 << 20
_LACKING = re.compile(r"requires the (\w+) library")
"""How transformers says that a package is missing."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What is loaded: a model of the Hub or of a folder, and perhaps a LoRA adapter on it."""

    model: str
    """Repository or folder of the weights; the base where there is an adapter."""
    adapter: str | None
    processor: str
    given: str
    revision: str | None = None

    @classmethod
    def of(cls, model: str | Path, *, base: str | None = None, revision: str | None = None) -> ModelFiles:
        """The files of a repository's name, a model's folder, an adapter's folder, or a run of `medloom train`.

        Of a run its final model is meant (`RUN/model` where there is one). `base` stands for the base that an adapter names.

        Raises:
            UsageError: a folder without a model, an adapter that names no base, or a base for what is no adapter.
        """
        given, folder = str(model), _folder(model)
        if folder is None:
            return cls(given, None, given, given, revision)
        stated = read_json(folder / ADAPTER)
        if stated is None and base is not None:
            raise UsageError(f"{folder}: a whole model, with the base {base}; expected an adapter, or no base")
        if stated is None:
            return cls(str(folder), None, str(folder), given, revision)
        under = base or stated.get("base_model_name_or_path")
        if not under:
            raise UsageError(f"{folder}: an adapter that names no base model; expected one; give the base")
        under = str(under)
        own = any((folder / name).is_file() for name in _PROCESSOR)
        return cls(under, str(folder), str(folder) if own else under, given, revision)

    @property
    def told(self) -> dict[str, Any]:
        """For results: names, revision and digests of local weights."""
        parts = {"model": self.model, "adapter": self.adapter}
        shown = {name: _name(place) for name, place in parts.items()}
        digests = {
            f"{name}_digest": weights_digest(Path(place)) for name, place in parts.items() if place and Path(place).is_dir()
        }
        return {**shown, "revision": self.revision, **digests}


def _folder(model: str | Path) -> Path | None:
    """The folder with the model, None where a name of the Hub was given."""
    given = Path(model)
    for folder in (given, given / "model"):
        if (folder / "config.json").is_file() or (folder / ADAPTER).is_file():
            return folder
    if given.is_dir():
        raise UsageError(f"{given}: no config.json and no {ADAPTER}; expected a model's, an adapter's or a run's folder")
    if given.is_absolute() or str(model).startswith("."):
        raise UsageError(f"{given}: no such folder; expected a model's, an adapter's or a run's folder, or a name on the Hub")
    return None


def _name(place: str | None) -> str | None:
    """A name of the Hub as it is; of a folder its own name alone."""
    return Path(place).resolve().name if place and Path(place).is_dir() else place


def weights_digest(folder: Path) -> str:
    """SHA-256 over names, sizes, and the first and last MiB of a folder's configuration and weights: no whole read."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in ("*.json", *WEIGHTS) for path in folder.glob(pattern)}):
        digest.update(json.dumps([path.name, path.stat().st_size]).encode())
        for piece in _ends(path):
            digest.update(piece)
    return digest.hexdigest()


def _ends(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield stream.read(_ENDS)
        stream.seek(max(0, path.stat().st_size - _ENDS))
        yield stream.read(_ENDS)


def not_loaded(name: str, error: Exception) -> UsageError:
    """What to tell of a model, or its processor, that transformers doesn't load."""
    lacking = _LACKING.search(str(error))
    if lacking:
        library = lacking[1].lower()
        return UsageError(f"{name}: {library} is lacking; expected it, in the version that fits torch; pip install {library}")
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    told = f"{name}: {first}; expected a vision-language model that transformers loads"
    return UsageError(f"{told}: a folder that is there, or a repository of the Hub, which must be reached")
