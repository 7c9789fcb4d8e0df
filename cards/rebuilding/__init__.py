"""A published source made again from its owner's download: pixels from there, all else as published, equality proven."""
