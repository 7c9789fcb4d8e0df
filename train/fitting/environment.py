"""Under what a run was made: versions of libraries and what the machine has; nothing that names the machine or its owner."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

LIBRARIES = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "deepspeed",
    "huggingface-hub",
    "medloom",
    "numpy",
    "peft",
    "pillow",
    "safetensors",
    "tokenizers",
    "torch",
    "torchvision",
    "transformers",
    "trl",
    "vllm",
)
"""Those whose version can change a run's numbers."""


def environment() -> dict[str, Any]:
    """Versions, system, processors and memory, as plain data."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name)) is not None},
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "accelerators": accelerators(),
    }


def accelerators() -> list[dict[str, Any]]:
    """Kinds of accelerator that this process sees, each with its count, memory and the version of its toolkit."""
    import torch

    if not torch.cuda.is_available():
        return []
    seen = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    names = [(one.name, round(one.total_memory / 2**30)) for one in seen]
    toolkit = torch.version.cuda or torch.version.hip
    return [
        {"name": name, "memory_gib": memory, "count": names.count((name, memory)), "toolkit": toolkit}
        for name, memory in sorted(set(names))
    ]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _memory_gib() -> int | None:
    """Of the whole machine; None where the system doesn't tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return None
