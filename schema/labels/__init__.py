"""Canonical labels: one name for one thing, whatever a source calls it."""

from .label import LATERALITIES, Label

__all__ = ["LATERALITIES", "Label"]
