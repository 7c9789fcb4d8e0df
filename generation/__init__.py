"""Samples to questions. Imports schema, and of builders only engine and shards."""
