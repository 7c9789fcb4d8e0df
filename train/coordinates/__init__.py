"""How model families write places: boxes, points and polygons in text, and back.

place.py        a place, the frame in which a model sees the picture, and what a dialect does
grid.py         the steps on which a dialect's numbers stand
dialects.py     the table: every dialect, where it is from, and the families it is for
inline.py, json_list.py, loc_tokens.py, percent_points.py   the four ways to write them down
seen.py         what a processor makes of a picture's size
"""

from .dialects import DIALECTS, dialect, of_family
from .seen import seen_size

__all__ = ["DIALECTS", "dialect", "of_family", "seen_size"]
