"""Lets the CUDA build of torchvision load beside the CPU build of torch. For tests alone; on PYTHONPATH, so that subprocesses
have it too.

torchvision declares operators when it finds its compiled library, and only then; without them its own Python code can't be
imported ("operator torchvision::nms does not exist"). The two that it names at import are declared before it is loaded.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

_KEPT = []


class _BeforeTorchvision(MetaPathFinder):
    """Finds nothing; declares the operators when torchvision is asked for."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == "torchvision" and not _KEPT:
            _declare()


def _declare() -> None:
    import torch

    if torch.version.cuda:
        _KEPT.append(None)
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(library)  # the operators live as long as it does


sys.meta_path.insert(0, _BeforeTorchvision())
