"""A head as it looks from the front and from its right side, for people to look at."""

from __future__ import annotations

import numpy as np

_AMBIENT, _FAR = 0.25, 0.35
_SMOOTH_PX = 1.0


def rendered(tissue: np.ndarray) -> np.ndarray:
    """Grey picture, uint8, of the surface from the front and, right of it, from the patient's right.

    Args:
        tissue: Bool, (superior → inferior, anterior → posterior, right → left), cubic voxels.
    """
    front, side = _depth(tissue), _depth(tissue.transpose(0, 2, 1))
    gap = np.zeros((tissue.shape[0], 4), np.uint8)
    return np.hstack([_shaded(front, tissue.shape[1]), gap, _shaded(side, tissue.shape[2])]).repeat(3, 0).repeat(3, 1)


def _depth(tissue: np.ndarray) -> np.ndarray:
    """Voxels of air before the first surface along the second axis, float32; NaN where there is none."""
    return np.where(tissue.any(1), tissue.argmax(1), np.nan).astype(np.float32)


def _shaded(depth: np.ndarray, deepest: int) -> np.ndarray:
    """Surface lit from the viewer, darker where it turns away or lies far; air is black."""
    import cv2

    solid = np.isfinite(depth)
    filled = np.where(solid, depth, float(deepest)).astype(np.float32)
    down, across = np.gradient(cv2.GaussianBlur(filled, (0, 0), _SMOOTH_PX))
    light = _AMBIENT + (1 - _AMBIENT) / np.sqrt(1 + down**2 + across**2)
    return np.where(solid, 255 * light * (1 - _FAR * filled / max(deepest, 1)), 0).astype(np.uint8)
