"""The privacy gate: nobody is named in a release: by words, beside the pixels or in them, or by a face."""

from .ask import privacy

__all__ = ["privacy"]
