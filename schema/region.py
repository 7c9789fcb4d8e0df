"""Where a thing is on its image: the frame every box, mask, contour and point of the project lives in.

- Pixel (0, 0) is the upper-left pixel; x runs right along columns, y runs down along rows.
- A pixel (x, y) covers the square [x, x+1) × [y, y+1); its centre is (x+0.5, y+0.5).
- Boxes, `box_xyxy_px`, are floats (x0, y0, x1, y1) in that continuous frame, with exclusive ends: the tight box of a
  mask is (min column, min row, max column + 1, max row + 1), and a box's width is x1 - x0.
- Sizes are `size_hw_px` = (height, width). Masks are uint8 or bool arrays of shape H×W.
- A mask at rest is an RLE: the `counts` of COCO's compressed run-length encoding as an ASCII str, column-major
  (down each column, then the next one), starting with background. Its size is the image's.
- A polygon fills the pixels whose centres it holds, by the even-odd rule; a centre that lies on an edge belongs to the
  polygon at its right (or below), so that neighbours neither share a pixel nor leave a gap.

This module is the door; `box.py` holds boxes and points, `rle.py` and `mask.py` masks, `polygon.py` contours.
A region without meaning raises `RegionError`, whose `code` is stable.
"""

from __future__ import annotations

from .box import (
    Box,
    box_from_voc,
    box_from_xywh,
    box_from_yolo,
    box_iou,
    box_to_voc,
    box_to_xywh,
    box_to_yolo,
    check_box,
    check_point,
    scale_box,
    scale_points,
)
from .mask import (
    LabelMask,
    label_masks,
    mask_from_rle,
    mask_iou,
    mask_window,
    rle_box,
    rle_from_mask,
    rle_from_start_length,
)
from .polygon import contours_from_mask, fill_polygons, rle_from_coco_segmentation
from .rle import check_rle, rle_area, rle_from_uncompressed

__all__ = [
    "Box",
    "LabelMask",
    "box_from_voc",
    "box_from_xywh",
    "box_from_yolo",
    "box_iou",
    "box_to_voc",
    "box_to_xywh",
    "box_to_yolo",
    "check_box",
    "check_point",
    "check_rle",
    "contours_from_mask",
    "fill_polygons",
    "label_masks",
    "mask_from_rle",
    "mask_iou",
    "mask_window",
    "rle_area",
    "rle_box",
    "rle_from_coco_segmentation",
    "rle_from_mask",
    "rle_from_start_length",
    "rle_from_uncompressed",
    "scale_box",
    "scale_points",
]
