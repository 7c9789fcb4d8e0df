"""A suite over a whole release: question files beside the shards, withheld answers, shards that hold questions."""
