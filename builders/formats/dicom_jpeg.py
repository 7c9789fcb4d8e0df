"""A decoder plugin for pydicom: lossless and extended JPEG by imagecodecs' libjpeg-turbo.

pylibjpeg's libjpeg, which pydicom would take, searches broken files without end and is four times as slow. The functions
and names are those that pydicom asks of a plugin.
"""

from __future__ import annotations

from typing import Any

LABEL = "imagecodecs"
SYNTAXES = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
"""Extended (up to 12 bits), lossless, and lossless by the first predictor."""
DECODER_DEPENDENCIES = dict.fromkeys(SYNTAXES, ("imagecodecs",))


def is_available(uid: str) -> bool:
    """Whether the plugin decodes this transfer syntax."""
    return uid in SYNTAXES


def decode_frame(src: bytes, runner: Any) -> bytes:
    """The frame's samples as they are stored, pixel by pixel; colours aren't converted, as pydicom does that."""
    import imagecodecs

    kept = "RGB" if runner.samples_per_pixel == 3 else None
    pixels = imagecodecs.jpeg8_decode(src, colorspace=kept, outcolorspace=kept)
    if pixels.shape[:2] != (runner.rows, runner.columns):
        raise ValueError(f"a JPEG of {pixels.shape[1]}×{pixels.shape[0]} px for {runner.columns}×{runner.rows}")
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    runner.set_option("planar_configuration", 0)
    return pixels.tobytes()


def add_to(decoder: Any) -> None:
    """Give pydicom's decoder of a transfer syntax this plugin, if it lacks it."""
    if is_available(decoder.UID) and LABEL not in decoder.available_plugins:
        decoder.add_plugin(LABEL, (__name__, decode_frame.__name__))
