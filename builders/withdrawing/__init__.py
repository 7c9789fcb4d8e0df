"""Samples leave a release: only the shards that hold them are written anew, and tombstones keep them out."""
