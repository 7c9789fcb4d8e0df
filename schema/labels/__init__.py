"""Canonical labels: one name for one thing, whatever a source calls it."""

from .label import LATERALITIES, Label, Override, Overrides

__all__ = ["LATERALITIES", "Label", "Override", "Overrides"]
