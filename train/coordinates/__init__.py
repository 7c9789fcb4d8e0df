"""How model families write places: boxes, points and polygons in text, and back."""
